"""What `qctl demo orders` checks in the end, from the shop's own tables and from the queue: aloud, one line each."""

from __future__ import annotations

from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from qctl.demo.shop import Played

LATE = 2.0
"""Seconds: one, as the mails of a second may leave at once; and one for a busy machine, as starts are what is limited."""

Check = tuple[bool, str]
UNPAID = "SELECT number FROM orders WHERE number NOT IN (SELECT order_number FROM charges)"


def checks(shop: sqlite3.Connection, played: Played) -> Iterator[Check]:
    """(does it hold, what was looked at) of everything that was promised."""
    orders = {row[0] for row in shop.execute("SELECT number FROM orders")}
    unpaid = {row[0] for row in shop.execute(UNPAID)}
    paid = orders - unpaid
    odd = {row[0] for row in shop.execute("SELECT number FROM orders WHERE country = 'Atlantis'")} - unpaid

    jobs = of_type(shop, "process_order")
    yield (
        orders == set(played.placed) == set(jobs) and "doubled" not in jobs.values(),
        f"{len(orders)} orders saved, each with its job",
    )
    yield (
        len(orders) == played.requests - played.declined,
        (f"{played.declined} requests had a card declined: no order and no job of theirs was ever there"),
    )

    charged = counts(shop, "SELECT order_number, count(*) FROM charges GROUP BY 1")
    yield charged == dict.fromkeys(paid, 1), f"{len(paid)} orders charged, none twice"
    failed = {order for order, status in jobs.items() if status == "failed"}
    yield failed == unpaid == set(played.closed), f"{len(unpaid)} payments failed for good: a dead letter each"
    after = orders_of(shop, "SELECT payload FROM jobs WHERE parent IS NOT NULL")
    yield not unpaid & after, "and nothing followed from those"

    for kind, type_ in (("confirmation", "send_order_confirmation"), ("follow-up", "send_follow_up")):
        sent = counts(shop, f"SELECT order_number, count(*) FROM mails WHERE kind = '{kind}' GROUP BY 1")  # nosec B608: the table is one of ours
        done = of_type(shop, type_)
        yield (
            (sent == dict.fromkeys(paid, 1) and done == dict.fromkeys(paid, "completed")),
            f"{len(paid)} orders had their {kind}, none twice",
        )
    times = [row[0] for row in shop.execute("SELECT sent_at FROM mails ORDER BY sent_at")]
    yield keeps_to(times, played.rate), f"the {len(times)} mails kept to {played.rate} a second, over all workers"

    stock = counts(shop, "SELECT order_number, count(*) FROM stock_moves GROUP BY 1")
    invoices = counts(shop, "SELECT order_number, count(*) FROM invoices GROUP BY 1")
    notices = counts(shop, "SELECT order_number, count(*) FROM notices GROUP BY 1")
    yield stock == dict.fromkeys(paid, 1), f"{len(paid)} orders taken from stock once, those without an invoice too"
    yield invoices == dict.fromkeys(paid - odd, 1), f"{len(invoices)} invoices, none twice; {len(odd)} failed for good"
    yield notices == invoices, f"{len(notices)} notices to the warehouse, each after both"
    waiting = of_type(shop, "notify_warehouse")
    yield (
        {order for order, status in waiting.items() if status == "blocked"} == odd,
        (f"{len(odd)} more notice waits for its invoice"),
    )

    yield (
        len(orders) == len(notices) + len(odd) + len(unpaid),
        (
            f"every order is accounted for: {len(notices)} done, {len(odd)} waits for its invoice, {len(unpaid)} not paid"
        ),
    )

    report = shop.execute("SELECT charges, cents FROM reports").fetchall()
    total = shop.execute("SELECT count(*), sum(cents) FROM charges").fetchall()
    yield [tuple(row) for row in report] == [tuple(row) for row in total], "one report at midnight, and it adds up"
    old = shop.execute("SELECT count(*) FROM jobs WHERE completed_at < datetime('now', '-7 days')").fetchone()[0]
    yield not old, f"the clean-up at 3 took the {played.old} jobs of last week"

    left = counts(shop, "SELECT status, count(*) FROM jobs WHERE status IN ('pending', 'processing') GROUP BY 1")
    yield not left, "no job is under way, none is lost"
    lost = shop.execute("SELECT count(*) FROM qctl_history WHERE outcome = 'lost'").fetchone()[0]
    yield played.killed == 1, f"a worker was killed in the middle: {lost} of its jobs ran again"
    yield shop.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "the file is whole"


def counts(shop: sqlite3.Connection, statement: str) -> dict[object, int]:
    return {row[0]: row[1] for row in shop.execute(statement)}


def orders_of(shop: sqlite3.Connection, statement: str) -> set[int]:
    import json

    return {json.loads(row[0])["order"] for row in shop.execute(statement)}


def of_type(shop: sqlite3.Connection, type_: str) -> dict[int, str]:
    """The status of the one job of this type that each order has; `doubled` where it has several."""
    import json

    rows = shop.execute("SELECT payload, status FROM jobs WHERE type = ? AND payload <> '{}'", (type_,)).fetchall()
    found = [(json.loads(row[0])["order"], row[1]) for row in rows]
    several = Counter(order for order, _status in found)
    return {order: status if several[order] == 1 else "doubled" for order, status in found}


def keeps_to(times: list[float], rate: int) -> bool:
    """Whether any n of the mails took n / rate seconds, but for LATE."""
    latest = 0.0
    for index, at in enumerate(times):
        pace = at - index / rate
        latest = max(latest, pace)
        if latest - pace > LATE:
            return False
    return True
