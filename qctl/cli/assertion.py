"""`qctl assert 'EXPRESSION'`: what must hold of the queue, by exit code."""

from __future__ import annotations

import sys
import time

from qctl.cli.options import look_at_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import NO, OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values
    from qctl.queue import Queue
    from qctl.rules.expr import Node

FASTEST, SLOWEST = 0.05, 1.0


def run(values: Values) -> int:
    from qctl.cli.render import object_json, say
    from qctl.rules.expr import parse
    from qctl.rules.newjob import seconds

    tree = parse(values["expression"])
    until = time.monotonic() + (seconds("--wait", values["wait"]) if values["wait"] is not None else 0.0)
    queue = look_at_queue(values)
    pause = FASTEST
    while True:
        true, found = ask(queue, tree)
        left = until - time.monotonic()
        if true or left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(pause * 1.3, SLOWEST)
    if values["json"]:
        row = {"result": true, "expression": values["expression"], "figures": found}
        sys.stdout.write(object_json(row) + "\n")
    elif not true:
        say(
            "false"
            + "".join(
                f"{', ' if index else ': '}{name} is {value:g}" for index, (name, value) in enumerate(found.items())
            )
        )
    return OK if true else NO


def ask(queue: Queue, tree: Node) -> tuple[bool, dict[str, float]]:
    """Whether it holds now, and every figure it names. Figures of one window are of one moment."""
    from qctl.rules.expr import calls, figure, holds

    asked = calls(tree)
    stats = {window: queue.stats(window) for window in {one.window for one in asked}}
    true = holds(tree, lambda call: figure(call, stats[call.window]))
    return true, {one.text: figure(one, stats[one.window]) for one in asked}


ASSERT = Command(
    "assert",
    "Check what must hold of the queue, by exit code.",
    run,
    Argument("expression", help="Figures, numbers and durations, compared, joined by and, or, not."),
    Option("--wait", metavar="DURATION", help="Wait so long for it to become true."),
    epilog=(
        "qctl assert 'dlq == 0 and p95(run, 1h) < 30s'",
        "qctl assert 'pending == 0 and processing == 0' --wait 5m",
        "qctl assert 'oldest(emails) < 10m or workers > 0'",
        "exit 0 true, 1 false, 2 not understood",
    ),
)
