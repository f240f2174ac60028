"""`qctl wait JOB...`, and the waiting of `enqueue --wait` and `--follow`."""

from __future__ import annotations

import time

from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import COMPLETED, FINISHED, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values
    from qctl.model import Enqueued, Job
    from qctl.queue import Queue

FASTEST, SLOWEST = 0.01, 0.25


def run(values: Values) -> int:
    queue = open_queue(values)
    numbers = queue.numbers(values["jobs"])
    until = deadline_of(values)
    warn_without_worker(queue)
    left, bad, pause = list(numbers), 0, FASTEST
    while left:
        before = len(left)
        for number in list(left):
            job = queue.get(number)
            if job.status in FINISHED:
                left.remove(number)
                if values["json"]:
                    report(job)
                if job.status != COMPLETED:
                    bad += 1
                    tell(job)
                    if values["fail_fast"]:
                        return 1
        if not left:
            break
        if until is not None and time.monotonic() >= until:
            some = ", ".join(map(str, left[:5])) + (" ..." if len(left) > 5 else "")
            raise TimedOut(f"waited {values['wait_timeout']}, and {len(left)} of {len(numbers)} have not ended: {some}")
        pause = FASTEST if len(left) < before else min(pause * 1.3, SLOWEST)
        time.sleep(pause if until is None else min(pause, max(0.0, until - time.monotonic())))
    return 1 if bad else 0


def report(job: Job) -> None:
    """A job that has ended, as a line of JSON."""
    import sys

    from qctl.cli.render import object_json

    row = {key: job.data[key] for key in ("number", "id", "type", "status", "exit_code", "last_error")}
    sys.stdout.write(object_json(row) + "\n")
    sys.stdout.flush()


def deadline_of(values: Values) -> float | None:
    if values["wait_timeout"] is None:
        return None
    from qctl.rules.newjob import seconds

    return time.monotonic() + seconds("--wait-timeout", values["wait_timeout"])


def tell(job: Job) -> None:
    from qctl.cli.render import say

    say(f"job {job.number} {job.status}" + (f": {job.last_error}" if job.last_error else ""))


def warn_without_worker(queue: Queue) -> None:
    from qctl.cli.render import say

    if not queue.live_workers():
        say("no worker is running: start one with `qctl work`")


def wait_for_one(queue: Queue, number: Enqueued, values: Values) -> int:
    """Wait for a job just enqueued; the exit code: 0 completed, 1 not, its own with --exit-code, 124 too late."""
    until = deadline_of(values)
    warn_without_worker(queue)
    if values["follow"]:
        from qctl.cli.logs import Printer, follow

        ended = follow(queue, int(number), Printer(0, as_json=False), until)
    else:
        ended = ends(queue, int(number), until)
    if not ended:
        raise TimedOut(f"waited {values['wait_timeout']}, and job {int(number)} has not ended; it goes on")
    job = queue.get(int(number))
    if values["exit_code"] and job.exit_code is not None:
        if job.status != COMPLETED:
            tell(job)
        code: int = job.exit_code
        return code if code >= 0 else 128 - code
    if job.status == COMPLETED:
        return 0
    tell(job)
    return 1


def ends(queue: Queue, number: int, until: float | None) -> bool:
    pause = FASTEST
    while queue.get(number).status not in FINISHED:
        if until is not None and time.monotonic() >= until:
            return False
        time.sleep(pause if until is None else min(pause, max(0.0, until - time.monotonic())))
        pause = min(pause * 1.3, SLOWEST)
    return True


WAIT = Command(
    "wait",
    "Wait until jobs have ended.",
    run,
    Argument("jobs", metavar="JOB", multiple=True, help="Numbers, ids, ranges (1040-1050).", complete="jobs"),
    Option("--wait-timeout", metavar="DURATION", help="Wait no longer than this; then exit 124."),
    Option("--fail-fast", help="Leave as soon as one has failed."),
    epilog=("qctl wait 1036 1037 --wait-timeout 5m", "qctl wait 1040-1050"),
)
