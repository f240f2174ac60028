"""`qctl enqueue`: one job from the command line, or many from NDJSON."""

from __future__ import annotations

import os
import sys
import time

from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import PRIORITIES, BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.model import Enqueued

RARE = ("expires", "key", "key_for")
PRIORITY_WORDS = tuple(PRIORITIES)
BACKOFF = Option(
    "--backoff", metavar="BACKOFF", help="linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%]."
)
CWD = Option("--cwd", metavar="DIR", help="Where a command runs (default: here).", complete="dir")
ENV = Option(
    "--env", metavar="NAME[=VALUE]", multiple=True, help="A variable for a command; NAME alone: its value here."
)


def run(values: Values) -> int:
    if values["from"] is not None:
        from qctl.cli.bulk import run as bulk

        return bulk(values)
    if values["atomic"]:
        raise BadValue("--atomic: it goes with --from")
    fields = fields_of(values)
    if values["wait_timeout"] is not None and not (values["wait"] or values["follow"]):
        raise BadValue("--wait-timeout: it goes with --wait or --follow")
    if values["exit_code"] and not (values["wait"] or values["follow"]):
        raise BadValue("--exit-code: it goes with --wait or --follow")
    if values["dry_run"]:
        from qctl.cli.rehearse import rehearse

        return rehearse(fields, values)
    parent = None
    if "QCTL_LEASE" in os.environ:  # this runs in a job
        from qctl.cli.parent import parent_of

        parent = parent_of(values)
    queue = open_queue(values, create=True)
    options = {key: value for key, value in fields.items() if key not in ("type", "payload")}
    job = queue.enqueue(fields.get("type"), fields.get("payload"), parent=parent, **options)
    tell(job, values)
    if values["wait"] or values["follow"]:
        from qctl.cli.wait import wait_for_one

        return wait_for_one(queue, job, values)
    return 0


def fields_of(values: Values) -> dict[str, Any]:
    """The job that the words describe, as fields of rules/newjob.py."""
    words = values["payload"]
    tail, shell, type_ = values["tail"], values["shell"], values["type"]
    fields: dict[str, Any] = {}
    if tail is not None or shell is not None:
        if type_ is not None:
            raise BadValue(
                f"a job is either typed or a command, and both {type_!r} and a command were given: "
                "use --type NAME to name a command"
            )
        if tail is not None and shell is not None:
            raise BadValue("--shell and -- COMMAND exclude each other: give one of them")
        if tail is not None and not tail:
            raise BadValue("there is no command after --")
        fields["command"], fields["shell"], fields["type"] = tail, shell, values["type_name"]
        words = [] if values["payload_option"] is None else [values["payload_option"]]
    else:
        if type_ is None:
            raise BadValue("say what to enqueue: a TYPE, or `-- COMMAND`, --shell 'LINE' or --from FILE")
        if values["type_name"] is not None:
            raise BadValue("--type: it names a command; a typed job is `qctl enqueue TYPE`")
        if values["payload_option"] is not None:
            if words:
                raise BadValue("--payload: the payload was given twice")
            words = [values["payload_option"]]
        fields["type"] = type_
    if words:
        if type_ is not None and looks_like_a_program(words):
            line = " ".join([type_, *words])
            raise BadValue(
                f"payload: {words[0][:40]!r} is neither JSON nor a field (name=text); to run a program: "
                f"qctl enqueue -- {line[:60]}"
            )
        fields["payload"] = payload_of(words)
    for key in ("priority", "in", "at", "queue", "id", "max_attempts", "backoff", "timeout", "cwd", *RARE):
        fields[key] = values[key]
    for key in ("after", "after_any", "after_failed"):
        fields[key] = values[key]
    fields["tags"] = values["tag"]
    fields["env"] = variables(values["env"])
    return {key: value for key, value in fields.items() if value is not None and value != []}


def looks_like_a_program(words: list[str]) -> bool:
    """Whether these are arguments, given by somebody who left out the -- that stands before a program."""
    first = words[0].lstrip()
    return (
        "=" not in first
        and first[:1] not in tuple('{["@-0123456789')
        and (len(words) > 1 or first not in ("", "null", "true", "false", "NaN", "Infinity"))
    )


def payload_of(words: list[str]) -> str:
    """The payload's text: from the argument, from a file (@FILE), from stdin (-), or written as fields."""
    first = words[0]
    if len(words) == 1:
        if first == "-":
            return decoded(sys.stdin.buffer.read(), "stdin")
        if first == "@":
            raise BadValue("payload: there is no file name after @")
        if first[:1] == "@":
            with open(first[1:], "rb") as file:
                return decoded(file.read(), first[1:])
        if first.lstrip()[:1] in ("{", "[", '"') or "=" not in first:
            return first
    from qctl.rules.payload import from_fields

    return from_fields(words)


def decoded(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadValue(f"payload: {source} is not UTF-8 (byte {error.start + 1})") from None


def variables(given: list[str]) -> list[str]:
    """NAME=VALUE as given; NAME alone takes the value it has here."""
    pairs = []
    for entry in given:
        if not isinstance(entry, str):
            raise BadValue("env: use NAME=VALUE")
        if "=" not in entry:
            if entry not in os.environ:
                raise BadValue(f"--env: there is no variable {entry[:40]!r} here: use NAME=VALUE")
            entry = f"{entry}={os.environ[entry]}"
        pairs.append(entry)
    return pairs


def told_of(job: Enqueued) -> dict[str, Any]:
    """A job just enqueued, as JSON tells of it."""
    return {"number": int(job), "id": job.id, "type": job.type, "status": job.status, "duplicate": job.duplicate}


def tell(job: Enqueued, values: Values) -> None:
    """The number on stdout, now that the job is on disk; on a terminal also when it will run."""
    text = str(int(job))
    if values["json"]:
        from qctl.cli.render import object_json

        text = object_json(told_of(job))
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}; job {int(job)} is stored all the same", "stdout") from None
    if values["in"] is not None or values["at"] is not None:
        from qctl.cli.render import say
        from qctl.rules.clock import moment
        from qctl.rules.when import from_text

        due, now = from_text(job.scheduled_at), time.time()
        if values["at"] is not None and due < now - 1:
            say(f"--at is past ({moment(due, now)}): it runs now")
        elif sys.stderr.isatty():
            say(f"runs {moment(due, now)}")


ENQUEUE = Command(
    "enqueue",
    "Put a job into the queue: a typed job, or a command.",
    run,
    Argument("type", required=False, help="The type of a typed job.", complete="types"),
    Argument(
        "payload",
        required=False,
        multiple=True,
        help="A JSON object, @FILE, - for stdin, or fields: to=ana@example.com n:=3.",
        complete="file",
    ),
    Option("--shell", metavar="LINE", help="Run a line with /bin/sh -c."),
    Option("--from", metavar="FILE", help="Many jobs: NDJSON from a file, or - for stdin.", complete="file"),
    Option("--atomic", help="With --from: all lines or none."),
    Option(
        "--priority", "-p", metavar="PRIORITY", help="low, normal, high, critical or a number (default 0).",
        choices=PRIORITY_WORDS,
    ),
    Option("--in", "-i", metavar="DURATION", help="Run after a delay: 30s, 5m, 2h, 1d12h."),
    Option("--at", metavar="TIME", help="Run at a time: 18:00, 'tomorrow 09:00', 2027-01-31T12:00Z."),
    Option("--queue", "-q", metavar="NAME", help="The queue it belongs to (default: default).", complete="queues"),
    Option("--tag", metavar="TAG", multiple=True, help="A tag to find it by; may be repeated.", complete="tags"),
    Option("--id", metavar="ID", help="An id of your own; each can be used once."),
    Option("--type", "-t", metavar="NAME", key="type_name", help="The type of a command (default: command).",
           complete="types"),
    Option("--payload", metavar="JSON", key="payload_option", help="Payload of a command, given to it on stdin."),
    Option("--max-attempts", metavar="N", help="Attempts before it becomes a dead letter (default 5)."),
    BACKOFF,
    Option("--timeout", metavar="DURATION", help="Longest time of an attempt (default 24h; none: no limit)."),
    Option("--expires", metavar="DURATION", help="Cancel it if it has not started by then."),
    Option("--key", metavar="KEY", help="While an unfinished job has this key, print that job's number instead."),
    Option("--key-for", metavar="DURATION", help="With --key: also if it was enqueued within so long and has ended."),
    Option("--after", metavar="JOB", multiple=True, help="Run after these have completed: 1036, 1040-1050, 7,9.",
           complete="jobs"),
    Option("--after-any", metavar="JOB", multiple=True, help="Run after these have ended, however.", complete="jobs"),
    Option("--after-failed", metavar="JOB", multiple=True, help="Run after these have failed for good.",
           complete="jobs"),
    CWD,
    ENV,
    Option("--wait", "-w", help="Wait for the end; exit 1 if the job failed."),
    Option("--follow", "-f", help="Like --wait, and show what it writes."),
    Option("--wait-timeout", metavar="DURATION", help="Wait no longer than this; then exit 124."),
    Option("--exit-code", help="With --wait: leave with the command's own status."),
    Option("--now", help="Inside a job: whatever becomes of that job, and not with its completion."),
    Option("--dry-run", help="Check it and show what would be stored."),
    tail="[-- COMMAND [ARG]...]",
    epilog=(
        "qctl enqueue -- rsync -a photos/ backup/",
        "qctl enqueue send_email to=ana@example.com --in 5m",
        "qctl enqueue --shell 'make && make install' --timeout 10m --wait",
        "generate | qctl enqueue --from -",
    ),
)  # fmt: skip
