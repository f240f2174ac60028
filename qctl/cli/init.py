"""`qctl init`: make a queue file, or add a queue to an application's database."""

from __future__ import annotations

import sys

from qctl.cli.options import busy_timeout, queue_path
from qctl.cli.spec import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values


def run(values: Values) -> int:
    from qctl.cli.render import object_json, say
    from qctl.store.sqlite.migrate import initialise

    path = queue_path(values)
    what = initialise(path, busy_timeout(values))
    if values["json"]:
        sys.stdout.write(object_json({"path": path, "result": what}) + "\n")
    else:
        say(f"{path}: {what}")
    return 0


INIT = Command(
    "init",
    "Make a queue file, or add a queue to an SQLite database.",
    run,
    epilog=("qctl init --db queue.db", "qctl init --db app.db     # beside the tables of an application"),
)
