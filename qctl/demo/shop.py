"""`qctl demo orders`: plays the customers and the operator of the shop in orders.py, on a clock that runs fast.

The workers are real processes, the kill is a kill -9, and the pipeline does not know that it is watched. Only the night is
short: the times of what waits for it are moved by 24 hours, by plain SQL, as any program may.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from qctl.demo.audit import checks
from qctl.demo.orders import CLOSED_ACCOUNT, Declined, open_shop, place_order
from qctl.demo.view import View
from qctl.model import QctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from qctl.queue import Queue

PACE = 8  # customers a second
PATIENCE = 90.0  # seconds that anything may take on a busy machine
OLD = 20
ITEMS = (("teapot", 2900), ("lamp", 4950), ("kettle", 3500), ("rug", 12900))
NAMES = ("Ana", "Bo", "Chloe", "Dmitri", "Elif", "Femi", "Gerd", "Hana", "Ines", "Jorge", "Kai", "Lena")
COUNTRIES = ("PT", "DE", "FR", "IT", "ES")
COUNTS = """
SELECT type, CASE status WHEN 'processing' THEN 'running'
    WHEN 'pending' THEN CASE WHEN scheduled_at > strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour') THEN 'delayed' ELSE 'waiting' END
    ELSE status END, count(*)
FROM jobs WHERE payload <> '{}' OR schedule IS NOT NULL GROUP BY 1, 2
"""
HELD = """
SELECT count(*) FROM jobs JOIN qctl_workers ON qctl_workers.id = locked_by WHERE status = 'processing' AND pid = ?
"""


class Played:
    """What was done to the shop, for the audit to compare with."""

    def __init__(self, requests: int) -> None:
        self.requests = requests
        self.rate = max(4, requests // 6)  # mails a second
        self.old = OLD
        self.placed: list[int] = []
        self.closed: list[int] = []
        self.declined = 0
        self.killed = 0
        self.longest = 0.0


class Workers:
    """The workers of the shop, each a process of its own; none outlives the demo."""

    def __init__(self, db: str, folder: str) -> None:
        self.db = db
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        argv = [sys.executable, "-m", "qctl", "work", "-c", "3", "--handlers", "qctl.demo.orders", "--max-time", "5m"]
        with open(os.path.join(self.folder, "workers.log"), "ab") as log:
            self.running.append(
                subprocess.Popen(
                    argv, env=dict(os.environ, QCTL_DB=self.db), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )
            )  # fmt: skip

    def kill(self) -> None:
        victim = self.running.pop(0)
        victim.kill()
        victim.wait()

    def stop(self) -> None:
        """In good order, if that does not take long and nobody is impatient."""
        try:
            for one in self.running:
                one.send_signal(signal.SIGTERM)
            for one in self.running:
                one.wait(10)
        finally:
            for one in self.running:
                if one.poll() is None:
                    one.kill()
                    one.wait()


def play(db: str, folder: str, requests: int) -> int:
    """All of it; 0 when everything held."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # like Ctrl-C: the workers go, too
    played, workers = Played(requests), Workers(db, folder)
    queue, shop = open_shop(db, mails_per_second=played.rate)
    try:
        with View() as view:
            last_week(shop)
            workers.start()
            workers.start()
            view.say(f"two workers; {requests} customers come, and {played.rate} mails a second may leave")
            customers(queue, shop, workers, played, view)
            wait(shop, view, "waiting", "running")
            view.say("the day is done: all that is left waits for tomorrow")
            night(shop)
            view.say("24 hours later: midnight, 3 o'clock, and the follow-ups are due")
            wait(shop, view, "waiting", "running", "delayed")
            view.say("all done")
            view.show(counts(shop))
    finally:
        workers.stop()
    is_good = verify(shop, played)
    shop.close()
    queue.close()
    epilogue(db)
    return 0 if is_good else 1


def customers(queue: Queue, shop: sqlite3.Connection, workers: Workers, played: Played, view: View) -> None:
    """They come one after the other; a worker is killed when half of them have been here."""
    half, begun = played.requests // 2, time.monotonic()
    for index in range(played.requests):
        order = order_of(index)
        started = time.monotonic()
        try:
            number = place_order(queue, shop, order)
            played.placed.append(number)
            if order["account"] == CLOSED_ACCOUNT:
                played.closed.append(number)
        except Declined as reason:
            played.declined += 1
            view.say(f"{order['customer']} is told at once: {reason}; nothing is saved")
        played.longest = max(played.longest, time.monotonic() - started)
        while time.monotonic() < begun + (index + 1) / PACE:
            view.show(counts(shop))
            time.sleep(0.05)
        if index >= half and not played.killed:
            kill(shop, workers, played, view)


def kill(shop: sqlite3.Connection, workers: Workers, played: Played, view: View) -> None:
    """kill -9, in the middle of jobs; somebody starts another worker, as an init system would."""
    until = time.monotonic() + PATIENCE
    while not (held := shop.execute(HELD, (workers.running[0].pid,)).fetchone()[0]) and time.monotonic() < until:
        time.sleep(0.001)
    workers.kill()
    played.killed += 1
    view.say(f"kill -9: a worker is gone amid {held} job{'' if held == 1 else 's'}, which will run again")
    workers.start()


def order_of(index: int) -> dict[str, Any]:
    """The same orders each time. Of every 12 one has an expired card, one a closed account; one comes from Atlantis."""
    item, cents = ITEMS[index % len(ITEMS)]
    pays_by = "debit" if index % 4 == 3 else "card"
    account = "DE12 3456" if pays_by == "debit" else "4242"
    if index % 12 == 5:
        account = "expired"
    if index % 12 == 7:
        account = CLOSED_ACCOUNT
    return {
        "customer": NAMES[index % len(NAMES)], "country": "Atlantis" if index == 2 else COUNTRIES[index % 5],
        "item": item, "cents": cents, "pays_by": pays_by, "account": account,
    }  # fmt: skip


def counts(shop: sqlite3.Connection) -> dict[tuple[str, str], int]:
    return {(row[0], row[1]): row[2] for row in shop.execute(COUNTS)}


def wait(shop: sqlite3.Connection, view: View, *states: str) -> None:
    """Until no job is in one of these states. Raises QctlError when that does not come."""
    until = time.monotonic() + PATIENCE
    while True:
        found = counts(shop)
        view.show(found)
        left = sum(n for (_type, state), n in found.items() if state in states)
        if not left and "delayed" not in states:
            return
        if (
            not left
            and found.get(("cleanup_completed_jobs", "completed"))
            and found.get(("daily_sales_report", "completed"))
        ):
            return
        if time.monotonic() > until:
            raise QctlError(f"demo: {left} jobs are not done after {PATIENCE:g} s: is the machine very busy?")
        time.sleep(0.05)


def last_week(shop: sqlite3.Connection) -> None:
    """Jobs that completed ten days ago, for the clean-up at 3 to take."""
    with shop:
        shop.executemany(
            "INSERT INTO jobs (type, status, completed_at) VALUES ('send_follow_up', 'completed', datetime('now', '-10 days'))",
            [()] * OLD,
        )


def night(shop: sqlite3.Connection) -> None:
    """Move what waits for a later time by 24 hours."""
    form = "strftime('%Y-%m-%d %H:%M:%f'"
    with shop:
        shop.execute(f"UPDATE jobs SET scheduled_at = {form}, scheduled_at, '-24 hours') WHERE status = 'pending'")  # nosec B608: the words are ours
        shop.execute(f"UPDATE cron_schedules SET next_run_at = {form}, next_run_at, '-24 hours')")  # nosec B608: the words are ours


def verify(shop: sqlite3.Connection, played: Played) -> bool:
    """Say of every promise whether it held."""
    is_good = True
    sys.stdout.write("\nDid it hold?\n")
    for holds, what in checks(shop, played):
        sys.stdout.write(f"{mark(holds)} {what}\n")
        is_good = is_good and holds
    sys.stdout.write(f"  the longest request took {played.longest * 1000:.0f} ms\n")
    return is_good


def mark(holds: bool) -> str:
    glyph = "✓" if holds else "✗"
    try:
        glyph.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        glyph = "+" if holds else "x"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\x1b[{32 if holds else 31}m{glyph}\x1b[0m"
    return glyph


def epilogue(db: str) -> None:
    """What the queue says of itself, and what to type next."""
    for command in ("stats", "health", "dlq list"):
        sys.stdout.write(f"\n$ qctl {command}\n")
        sys.stdout.flush()
        subprocess.run([sys.executable, "-m", "qctl", *command.split()], env=dict(os.environ, QCTL_DB=db), check=False)
    from qctl.queue import Queue

    with Queue(db, create=False) as queue:
        letters = list(queue.dead_letters())
    dead = [row["number"] for row in letters if row["type"] == "generate_invoice"]
    if dead:
        sys.stdout.write(
            "\nThe file is yours. The order from Atlantis waits for its invoice. Mend it:\n"
            f"  export QCTL_DB={db}\n"
            f"  qctl show {dead[0]}                             before which job it stands\n"
            f"  qctl dlq edit {dead[0]} --set country=PT\n"
            f"  qctl dlq replay {dead[0]}\n"
            "  qctl work --drain --handlers qctl.demo.orders\n"
            "  qctl dlq groups                         what else is dead\n"
            "  qctl cron list                          what is done at night\n"
        )
