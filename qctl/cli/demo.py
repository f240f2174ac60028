"""`qctl demo`: see it at work."""

from __future__ import annotations

import os

from qctl.cli.spec import Command
from qctl.model import BadValue, QctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values


def run(values: Values) -> int:
    import tempfile

    from qctl.demo.tour import Surprise, tour

    folder = tempfile.mkdtemp(prefix="qctl-demo-")
    db = os.path.abspath(values["db"]) if values["db"] else os.path.join(folder, "queue.db")
    if os.path.exists(db):
        raise BadValue(f"--db: {db} is there already: the demo wants a queue file of its own")
    try:
        tour(db, folder)
    except Surprise as surprise:
        raise QctlError(f"demo: {surprise}") from None
    return 0


DEMO = Command(
    "demo",
    "See all of it at work, on a queue file of its own.",
    run,
    epilog=("qctl demo",),
)
