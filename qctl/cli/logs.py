"""`qctl logs JOB`: what a job wrote, also while it writes."""

from __future__ import annotations

import sys
import time

from qctl.cli.options import look_at_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import FINISHED, BadValue, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values
    from qctl.queue import Queue

STREAMS = {1: "stdout", 2: "stderr"}
FASTEST, SLOWEST = 0.02, 0.25


def run(values: Values) -> int:
    queue = look_at_queue(values)
    job = queue.get(values["job"])
    if values["stdout"] and values["stderr"]:
        raise BadValue("--stdout and --stderr exclude each other: give one of them, or none for both")
    wanted = 1 if values["stdout"] else 2 if values["stderr"] else 0
    printer = Printer(wanted, as_json=values["json"])
    if values["follow"]:
        follow(queue, job.number, printer)
        return 0
    runs = queue.runs(job.number)
    if values["attempt"] is not None:
        from qctl.rules.newjob import whole

        attempt = whole("--attempt", values["attempt"], 1, 2**63 - 1)
        runs = [run for run in runs if run[1] == attempt]
        if not runs:
            raise NotFound(f"job {job.number} has no attempt {attempt}")
    if runs:
        printer.run(queue, job.number, runs[-1][0])
    else:
        from qctl.cli.render import hint

        hint(f"job {job.number} has not run yet")
    return 0


def follow(queue: Queue, number: int, printer: Printer, until: float | None = None) -> bool:
    """Print what a job writes until it has ended; False when `until` (monotonic seconds) came first."""
    pause, token = FASTEST, 0
    while True:
        job = queue.get(number)
        if job.token > token and token:
            printer.position = 0
        token = job.token
        if token and printer.run(queue, number, token):
            pause = FASTEST
        if job.status in FINISHED:
            return True
        if until is not None and time.monotonic() >= until:
            return False
        time.sleep(pause if until is None else min(pause, max(0.0, until - time.monotonic())))
        pause = min(pause * 1.3, SLOWEST)


class Printer:
    """Prints rows of output: raw in a pipe, escaped on a terminal, and says where something was cut."""

    def __init__(self, wanted: int, *, as_json: bool) -> None:
        self.wanted = wanted
        self.as_json = as_json
        self.position = 0  # what comes next

    def run(self, queue: Queue, number: int, token: int) -> bool:
        """Print what a run wrote since the last call; whether that was anything."""
        rows = queue.output(number, token, self.position)
        for position, stream, data in rows:
            if position > self.position:
                self.gap(position - self.position)
            self.position = position + len(data)
            if not self.wanted or stream == self.wanted:
                self.write(position, stream, data)
        if rows:
            sys.stdout.flush()
        return bool(rows)

    def gap(self, size: int) -> None:
        from qctl.cli.render import say

        sys.stdout.flush()
        say(f"[... {size:,} bytes cut ...]")

    def write(self, position: int, stream: int, data: bytes) -> None:
        from qctl.cli.terminal import escape_bytes, is_terminal

        if self.as_json:
            from qctl.cli.render import object_json

            row: dict[str, object] = {"position": position, "stream": STREAMS.get(stream, str(stream))}
            try:
                row["text"] = data.decode()
            except UnicodeDecodeError:
                import base64

                row["base64"] = base64.b64encode(data).decode("ascii")
            sys.stdout.write(object_json(row) + "\n")
        elif is_terminal(sys.stdout):
            sys.stdout.write(escape_bytes(data))
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)


LOGS = Command(
    "logs",
    "Print what a job wrote.",
    run,
    Argument("job", help="A number, an id, or the beginning of one.", complete="jobs"),
    Option("--follow", "-f", help="Go on until the job has ended."),
    Option("--attempt", metavar="N", help="The output of this attempt (default: the latest)."),
    Option("--stdout", help="Only what it wrote to stdout."),
    Option("--stderr", help="Only what it wrote to stderr."),
    epilog=("qctl logs 1036 -f", "qctl logs 1036 --stderr > errors.txt"),
)
