"""`qctl undo`: take back a cancel, retry, edit, replay or discard of the last day."""

from __future__ import annotations

import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values
    from qctl.queue import Queue


def run(values: Values) -> int:
    from qctl.cli.filters import counted
    from qctl.cli.render import object_json, say
    from qctl.keeping import undo
    from qctl.rules.newjob import whole

    queue = open_queue(values)
    if values["list"]:
        return list_(queue, json=values["json"])
    done = undo(queue, None if values["action"] is None else whole("ACTION", values["action"], 1, 2**62))
    if values["json"]:
        sys.stdout.write(object_json(done) + "\n")
    else:
        left = f"; {counted(done['left'])} left, which changed since" if done["left"] else ""
        say(f"took back {done['verb']} of {counted(done['restored'])}{left}")
    return 0 if done["restored"] or not done["left"] else 1


def list_(queue: Queue, *, json: bool) -> int:
    """What can be taken back."""
    import time

    from qctl.cli.render import hint, table
    from qctl.cli.table import Column
    from qctl.keeping import undoable
    from qctl.rules.clock import clock, human
    from qctl.rules.when import from_text

    now = time.time()
    columns = [
        Column("ACTION", "action", right=True),
        Column("VERB", "verb"),
        Column("AT", "made_at"),
        Column("JOBS", "jobs", right=True),
    ]
    rows = [
        {**one, "shown": {"made_at": f"{clock(at, now)}, {human(now - at)} ago", "jobs": f"{one['jobs']:,}"}}
        for one in undoable(queue)
        for at in [from_text(one["made_at"])]
    ]
    if table(columns, rows, json=json):
        hint(f"→ qctl undo {rows[0]['action']}")
    else:
        hint("there is nothing to take back")
    return 0


UNDO = Command(
    "undo",
    "Take back the latest cancel, retry, edit, replay or discard.",
    run,
    Argument("action", required=False, help="Another action, by its number in --list."),
    Option("--list", "-l", help="List what can be taken back."),
    epilog=("a purge of over 10,000 jobs is final", "qctl undo", "qctl undo --list", "qctl config undo_for 1w"),
)
