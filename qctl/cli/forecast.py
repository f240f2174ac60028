"""`qctl forecast`: when the queue will be empty."""

from __future__ import annotations

import sys
import time

from qctl.cli.options import look_at_queue
from qctl.cli.spec import Command, Option
from qctl.model import NO, OK, BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values


def run(values: Values) -> int:
    from qctl.cli.filters import counted
    from qctl.cli.render import line, object_json
    from qctl.rules.clock import human
    from qctl.rules.forecast import drain_time
    from qctl.rules.newjob import seconds, whole
    from qctl.rules.when import iso, to_text

    window = seconds("--since", values["since"] or "1h")
    if window <= 0:
        raise BadValue("--since: the window must be longer than 0s")
    wanted = None if values["workers"] is None else whole("--workers", values["workers"], 1, 10**6)
    queue = look_at_queue(values)
    now = time.time()
    figures = queue.stats(window)
    due, slots = figures["queue"]["due"], figures["workers"]["slots"]
    done, arrived = figures["rate_per_minute"] / 60, figures["enqueued"] / window
    if wanted is not None and not slots:
        slots = 1  # no worker is alive to tell how many ran: one did, at least
    idle = ", though no worker is running now" if due and wanted is None and not slots else ""
    left = drain_time(due, done, arrived, slots, wanted)
    row = {
        "due": due,
        "rate_per_minute": round(done * 60, 3),
        "arrivals_per_minute": round(arrived * 60, 3),
        "slots": wanted if wanted is not None else slots,
        "seconds": None if left is None else round(left, 3),
        "at": None if left is None else iso(to_text(now + min(left, 1e9))),
    }
    if values["json"]:
        sys.stdout.write(object_json(row) + "\n")
    elif left is None:
        line(
            f"{counted(due, 'due job')}: never empty at {done * 60:.3g} done and {arrived * 60:.3g} arriving a minute",
            "yellow",
        )
    else:
        line(f"{counted(due, 'due job')}: empty in {human(left)}{idle}" if due else "nothing is due")
    return NO if left is None else OK


FORECAST = Command(
    "forecast",
    "Say when the queue will be empty.",
    run,
    Option("--workers", metavar="N", help="With N jobs at once, instead of as many as now."),
    Option("--since", metavar="DURATION", help="Go by the last so long (default 1h)."),
    epilog=("qctl forecast --workers 8", "exit 1: at this rate it never will be"),
)
