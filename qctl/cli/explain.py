"""`qctl explain JOB`: why it is not running, and what would let it."""

from __future__ import annotations

import sys

from qctl.cli.options import look_at_queue
from qctl.cli.spec import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values


def run(values: Values) -> int:
    from qctl.cli.render import hint, line, number, object_json, table
    from qctl.cli.table import Column
    from qctl.cli.terminal import is_terminal

    queue = look_at_queue(values)
    answer = queue.explain(queue.get(values["job"]).number)
    if values["json"]:
        sys.stdout.write(object_json(answer) + "\n")
        return 0
    if not is_terminal(sys.stdout):
        table([Column(key, key) for key in ("gate", "why", "opens", "at")], answer["gates"])
        return 0
    line(answer["says"])
    for gate in answer["gates"]:
        line(f"‖ {gate['gate']:<12} {gate['why']}", "yellow")
        hint(f"  → {gate['opens']}")
    if answer["ahead"]:
        line(f"  {number(answer['ahead'])} due jobs come before it")
    return 0


EXPLAIN = Command(
    "explain",
    "Say why a job is not running, and what would let it.",
    run,
    Argument("job", metavar="JOB", help="A number, an id, or the beginning of one.", complete="jobs"),
    epilog=("qctl explain 1036", "in a pipe: gate, why, opens, at"),
)
