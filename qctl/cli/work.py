"""`qctl work`: a worker in the foreground."""

from __future__ import annotations

import signal
import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Command, Option
from qctl.model import INTERRUPTED, NO, BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values
    from qctl.worker.options import Options

MANY = 20_000  # objects made since the last look for cycles
MOST_SLOTS = 1000
LEAST_MEMORY = 1 << 25  # bytes; with less not even the interpreter starts


def run(values: Values) -> int:
    options = options_of(values)
    form = values["log_format"] or "text"
    if form not in ("text", "json"):
        raise BadValue(f"--log-format: {form[:40]!r} is no format: use text or json")
    from qctl.cli.terminal import colour, is_terminal, unicode, width
    from qctl.worker.log import Log
    from qctl.worker.signals import Signals
    from qctl.worker.worker import Worker

    log = Log(
        "none" if values["quiet"] else form,
        colour=colour(sys.stderr),
        plain=not unicode(sys.stderr),
        columns=width(sys.stderr) if form == "text" and is_terminal(sys.stderr) else None,
    )
    queue = open_queue(values, create=True)
    with Signals() as signals:
        worker = Worker(queue.store, options, log, signals)
        with FewCollections():
            counts = worker.run()
        last = signals.last
    handed = counts["pending"]
    log.note(f"stopped · {counts['completed']:,} completed, {handed:,} to retry, {counts['failed']:,} dead", **counts)
    log.flush()
    queue.close()
    if values["json"]:
        from qctl.cli.render import object_json

        row = {"worker": worker.id, **counts, "to_retry": counts["pending"]}
        del row["pending"]
        sys.stdout.write(object_json(row) + "\n")
    if last == signal.SIGINT:
        return INTERRUPTED
    return NO if options.mode == "drain" and counts["failed"] else 0


class FewCollections:
    """Meanwhile cycles of objects are looked for seldom: a worker makes thousands of objects a second and no cycles to
    speak of, and to look for those took a tenth of its time."""

    def __enter__(self) -> None:
        import gc

        self.before = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(MANY, 10, 10)

    def __exit__(self, *_error: object) -> None:
        import gc

        gc.set_threshold(*self.before)
        gc.unfreeze()


def options_of(values: Values) -> Options:
    from qctl.rules.newjob import name, seconds, whole
    from qctl.rules.size import size
    from qctl.worker.options import COROUTINES, Options

    per_child = values["max_jobs_per_child"]
    if values["once"] and values["drain"]:
        raise BadValue("--once and --drain exclude each other: give one of them")
    time_ = values["max_time"]
    jobs = values["max_jobs"]
    return Options(
        concurrency=whole("--concurrency", values["concurrency"] or "1", 1, MOST_SLOTS),
        handlers=values["handlers"],
        queues=[name("--queue", one) for one in values["queue"]] or None,
        types=[name("--type", one) for one in values["type"]] or None,
        mode="once" if values["once"] else "drain" if values["drain"] else "stay",
        max_jobs=None if jobs is None else whole("--max-jobs", jobs, 1, 2**63 - 1),
        max_time=None if time_ is None else seconds("--max-time", time_),
        grace=seconds("--grace", values["grace"] or "30s"),
        verbose=values["verbose"],
        memory=None if values["memory"] is None else size("--memory", values["memory"], LEAST_MEMORY),
        max_jobs_per_child=None if per_child is None else whole("--max-jobs-per-child", per_child, 1, 2**63 - 1),
        threads=whole("--threads", values["threads"] or "0", 0, MOST_SLOTS),
        coroutines=whole("--coroutines", values["coroutines"] or str(COROUTINES), 1, 100 * MOST_SLOTS),
    )


WORK = Command(
    "work",
    "Run jobs: a worker.",
    run,
    Option("--concurrency", "-c", metavar="N", help="Jobs at the same time (default 1)."),
    Option("--queue", "-q", metavar="NAME", multiple=True, help="Only jobs of this queue; may be repeated.",
           complete="queues"),
    Option("--type", "-t", metavar="TYPE", multiple=True, help="Only jobs of this type; may be repeated.",
           complete="types"),
    Option("--handlers", "-H", metavar="MODULE", multiple=True, complete="file",
           help="Python handlers: a module, or a file.py; may be repeated."),
    Option("--threads", metavar="N", help="Run N plain handlers at once as threads of one process (for waiting, not for work)."),
    Option("--coroutines", metavar="N", help="Run so many async handlers at once in one process (default 100)."),
    Option("--memory", metavar="SIZE", help="Address space that a job's process may have: 512m, 2g."),
    Option("--max-jobs-per-child", metavar="N", help="Replace a handler process after so many jobs."),
    Option("--once", help="Stop when nothing is due."),
    Option("--drain", help="Stop when nothing is left to run, retries and delayed jobs included; exit 1 if jobs died."),
    Option("--max-jobs", metavar="N", help="Stop after so many jobs."),
    Option("--max-time", metavar="DURATION", help="Stop after this time."),
    Option("--grace", metavar="DURATION", help="How long running jobs may take to end when it is stopped (default 30s)."),
    Option("--log-format", metavar="FORMAT", help="text or json, on stderr.", choices=("text", "json")),
    Option("--quiet", help="No line per event."),
    Option("--verbose", "-v", help="Show the traceback of handlers that cannot be loaded."),
    epilog=(
        "qctl work",
        "qctl work -c 4 --handlers shop.jobs",
        "qctl work --drain --max-time 10m     # in CI",
    ),
)  # fmt: skip
