"""`qctl demo`: see it at work."""

from __future__ import annotations

import os

from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue, QctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

ORDERS = 48
LEAST = 12  # so that each kind of order is there


def run(values: Values) -> int:
    import tempfile

    which = values["which"]
    if which not in (None, "orders"):
        raise BadValue(f"{which[:40]!r} is no demo: use `qctl demo` for the commands, `qctl demo orders` for a shop")
    if which is None and values["orders"] is not None:
        raise BadValue("--orders: it goes with `qctl demo orders`")
    from qctl.rules.newjob import whole

    orders = whole("--orders", ORDERS if values["orders"] is None else values["orders"], LEAST, 2000)
    folder = tempfile.mkdtemp(prefix="qctl-demo-")
    db = os.path.abspath(values["db"]) if values["db"] else os.path.join(folder, "shop.db" if which else "queue.db")
    if os.path.exists(db):
        raise BadValue(f"--db: {db} is there already: the demo wants a queue file of its own")
    if which is not None:
        from qctl.demo.shop import play

        return play(db, folder, orders)
    from qctl.demo.tour import Surprise, tour

    try:
        tour(db, folder)
    except Surprise as surprise:
        raise QctlError(f"demo: {surprise}") from None
    return 0


DEMO = Command(
    "demo",
    "See all of it at work, on a queue file of its own.",
    run,
    Argument(
        "which",
        required=False,
        help="Nothing: the commands, one by one. orders: a shop, its workers and its customers.",
        choices=("orders",),
    ),
    Option("--orders", metavar="N", help="With orders: how many customers come (default 48, at least 12)."),
    epilog=("qctl demo", "qctl demo orders"),
)
