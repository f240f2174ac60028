"""The order pipeline of `qctl demo orders`: a shop whose jobs live in its own database.

    request:  save the order, charge the card, enqueue process_order          one transaction
    process_order              collects a direct debit; ends here if the bank says no
     └ send_order_confirmation HIGH, e-mail: no more of it than its limit lets through
        ├ generate_invoice     side by side with ...
        ├ sync_inventory       ... this one: neither stops the other
        ├ notify_warehouse     after both
        └ send_follow_up       24 hours later, e-mail
    daily_sales_report at midnight, cleanup_completed_jobs (every worker has it) at 3

It is an example to start from: `qctl work --handlers qctl.demo.orders` runs it, and demo/shop.py plays the customers.
"""

from __future__ import annotations

import os
import sqlite3
import time

from qctl import Dead, JobContext, Queue, Retry, handler, on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl import Context

MAIL = "mail"  # the queue of all e-mail, under one limit
VAT = {"DE": 19, "ES": 21, "FR": 20, "IT": 22, "PT": 23}  # per cent
CLOSED_ACCOUNT = "DE00 0000"

# Nothing here is UNIQUE: if anything were done twice, it would show.
TABLES = """
CREATE TABLE IF NOT EXISTS orders (
  number INTEGER PRIMARY KEY, customer TEXT, country TEXT, item TEXT, cents INTEGER, pays_by TEXT, account TEXT);
CREATE TABLE IF NOT EXISTS charges (order_number INTEGER, cents INTEGER);
CREATE TABLE IF NOT EXISTS mails (order_number INTEGER, kind TEXT, sent_at REAL);
CREATE TABLE IF NOT EXISTS invoices (order_number INTEGER, cents INTEGER, vat_cents INTEGER);
CREATE TABLE IF NOT EXISTS stock_moves (order_number INTEGER, item TEXT);
CREATE TABLE IF NOT EXISTS notices (order_number INTEGER, shelf TEXT);
CREATE TABLE IF NOT EXISTS reports (charges INTEGER, cents INTEGER);
"""


def connect(path: str) -> sqlite3.Connection:
    """The shop's own connection to the file that holds its tables and its queue."""
    connection = sqlite3.connect(path, timeout=30)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA wal_autocheckpoint=0")  # the queue does that, when nobody is in the way
    return connection


def open_shop(path: str, *, mails_per_second: int) -> tuple[Queue, sqlite3.Connection]:
    """Lay the tables, and say once what holds for every worker: the limit on e-mail, and what is to be done at night."""
    queue, connection = Queue(path), connect(path)
    connection.executescript(TABLES)
    queue.set_limits("queue", MAIL, rate=f"{mails_per_second}/s")
    queue.add_schedule("daily_sales_report", "0 0 * * *")
    queue.add_schedule("cleanup_completed_jobs", "0 3 * * *")
    return queue, connection


# -- the request ------------------------------------------------------------------------------------------------------


class Declined(Exception):
    """The customer is told at once."""


def place_order(queue: Queue, connection: sqlite3.Connection, order: dict[str, Any]) -> int:
    """What the customer waits for, in one transaction: the order, its charge, and the one job that all else follows from.
    When the card is declined, none of the three has ever been there."""
    with connection:
        number = connection.execute(
            "INSERT INTO orders (customer, country, item, cents, pays_by, account)"
            " VALUES (:customer, :country, :item, :cents, :pays_by, :account)",
            order,
        ).lastrowid
        if order["pays_by"] == "card":
            if order["account"] == "expired":
                raise Declined("the card has expired")
            charge(connection, number or 0, order["cents"])
        queue.enqueue("process_order", {"order": number}, key=f"order-{number}", connection=connection)
    return number or 0


def charge(connection: sqlite3.Connection, order: int, cents: int) -> None:
    connection.execute("INSERT INTO charges VALUES (?, ?)", (order, cents))


# -- the jobs ---------------------------------------------------------------------------------------------------------
# Each may run again when its worker dies in the middle. `job.once` marks what was done in the transaction that does it,
# and what `job.enqueue` adds comes with the completion of the job: so nothing is done twice, and nothing is forgotten.


@on_start
def connect_once(context: Context) -> None:
    """Each handler process has one connection, which its jobs share."""
    context.shop = connect(os.environ["QCTL_DB"])


def find(shop: sqlite3.Connection, order: int) -> sqlite3.Row:
    row: sqlite3.Row | None = shop.execute("SELECT * FROM orders WHERE number = ?", (order,)).fetchone()
    if row is None:
        raise Dead(f"there is no order {order}")
    return row


@handler("process_order", max_attempts=4, backoff="exponential:200ms", timeout="30s")
def process_order(order: int, job: JobContext) -> None:
    """A card was charged in the request; a direct debit takes the bank a moment, and can fail for good: no order then."""
    shop: sqlite3.Connection = job.context.shop
    row = find(shop, order)
    if row["pays_by"] == "debit":
        time.sleep(0.05)
        if row["account"] == CLOSED_ACCOUNT:
            raise Dead(f"account {CLOSED_ACCOUNT} is closed: order {order} is not paid")
        if job.attempt == 1 and order % 3 == 0:
            raise Retry("the bank does not answer")
        with shop:
            if job.once(shop):
                charge(shop, order, row["cents"])
    job.enqueue("send_order_confirmation", {"order": order}, queue=MAIL)


@handler("send_order_confirmation", priority="high", backoff="fixed:1s")
def send_order_confirmation(order: int, job: JobContext) -> None:
    """The four that follow are stored with the completion of this job, or not at all."""
    send(order, "confirmation", job)
    invoice = job.enqueue("generate_invoice", {"order": order})
    inventory = job.enqueue("sync_inventory", {"order": order})
    job.enqueue("notify_warehouse", {"order": order}, after=[invoice, inventory])
    job.enqueue("send_follow_up", {"order": order}, queue=MAIL, delay="24h")


@handler("generate_invoice", max_attempts=3, backoff="fixed:200ms")
def generate_invoice(order: int, job: JobContext, country: str | None = None) -> dict[str, str]:
    """Fails for good where it does not know the VAT; its dead letter can be given a `country` and be replayed."""
    shop: sqlite3.Connection = job.context.shop
    row = find(shop, order)
    place = country or row["country"]
    if place not in VAT:
        raise Dead(f"no VAT is known for {place}")
    time.sleep(0.02)
    with shop:
        if job.once(shop):
            vat = row["cents"] * VAT[place] // (100 + VAT[place])
            shop.execute("INSERT INTO invoices VALUES (?, ?, ?)", (order, row["cents"], vat))
    return {"invoice": f"INV-{order:05}"}


@handler("sync_inventory", max_attempts=5, backoff="fixed:200ms")
async def sync_inventory(order: int, job: JobContext) -> dict[str, str]:
    """A coroutine: many of them wait for the warehouse's server at once, in one process."""
    import asyncio

    shop: sqlite3.Connection = job.context.shop
    row = find(shop, order)
    await asyncio.sleep(0.05)
    if job.attempt == 1 and order % 5 == 0:
        raise Retry("503 the inventory is busy", after="300ms")
    with shop:
        if job.once(shop):
            shop.execute("INSERT INTO stock_moves VALUES (?, ?)", (order, row["item"]))
    return {"shelf": f"{row['item'][0].upper()}{order % 9}"}


@handler("notify_warehouse")
def notify_warehouse(order: int, job: JobContext, inputs: dict[str, Any]) -> None:
    """`inputs` has the results of the jobs that this one waited for."""
    known = {name: value for result in inputs.values() if result for name, value in result.items()}
    shop: sqlite3.Connection = job.context.shop
    with shop:
        if job.once(shop):
            shop.execute("INSERT INTO notices VALUES (?, ?)", (order, known["shelf"]))
    print(f"order {order}: take it from {known['shelf']}, put {known['invoice']} in")


@handler("send_follow_up", backoff="fixed:1s")
def send_follow_up(order: int, job: JobContext) -> None:
    send(order, "follow-up", job)


def send(order: int, kind: str, job: JobContext) -> None:
    """A mail server would get the job's id as the message's: that is its way to know a repetition. Ours is a table."""
    shop: sqlite3.Connection = job.context.shop
    time.sleep(0.02)
    with shop:
        if job.once(shop):
            shop.execute("INSERT INTO mails VALUES (?, ?, ?)", (order, kind, time.time()))
    time.sleep(0.02)
    print(f"order {order}: {kind} sent to {find(shop, order)['customer']}")


@handler("daily_sales_report", max_attempts=3)
def daily_sales_report(job: JobContext) -> dict[str, int]:
    """At midnight, once, however many workers there are."""
    shop: sqlite3.Connection = job.context.shop
    count, cents = shop.execute("SELECT count(*), coalesce(sum(cents), 0) FROM charges").fetchone()
    with shop:
        if job.once(shop):
            shop.execute("INSERT INTO reports VALUES (?, ?)", (count, cents))
    return {"charges": count, "cents": cents}
