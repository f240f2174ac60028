"""Ticks: the jobs that schedules make. Whichever worker comes first makes them, and each exactly once.

A tick is one job by the unique index jobs_tick, and by `last_tick`: no tick up to that one is ever fired again, whatever
the clock does and whoever deletes the job. Both are written in the same transaction as the job.
"""

from __future__ import annotations

import sqlite3
import time
from functools import lru_cache, partial

from qctl.model import BadValue, NewJob
from qctl.rules.catchup import ticks_due
from qctl.rules.cron import cron
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite.insert import insert_jobs
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.rules.cron import Cron
    from qctl.store.sqlite.store import SQLiteStore

LONGEST = 0.01  # seconds after which a transaction begins no further schedule: whoever else writes waits for it
MOST = 100  # schedules that are read at a time
KEYS = (
    "id", "name", "type", "payload", "cron_expression", "next_run_at", "time_zone", "catch_up", "overlap", "seconds",
    "queue", "priority", "max_attempts", "timeout", "backoff", "tags", "command", "cwd", "env", "last_tick",
)  # fmt: skip


class Fired:
    """What came of a look at the schedules: the numbers of new jobs, what could not tick (name, why), and when to look
    again (epoch seconds; None: there is nothing that will tick)."""

    __slots__ = ("errors", "next_at", "numbers")

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.errors: list[tuple[str, str]] = []
        self.next_at: float | None = None


def next_at(store: SQLiteStore) -> float | None:
    """When the next schedule ticks, epoch seconds; 0 when one does not know that yet, None when there is none."""
    text = store.read(sql("next_schedule"))[0][0]
    return None if text is None else from_text(text) if text else 0.0


def forget_ticks(store: SQLiteStore, now: float) -> None:
    """The clock was set back to `now`: what was worked out by it before may be too far away."""
    with store.write() as connection:
        connection.execute(sql("forget_ticks"), (to_text(now),))


def fire(store: SQLiteStore, now: float, zone: str) -> Fired:
    """Make the jobs of all schedules that are due, as far as one short transaction goes. `zone`: for those without one."""
    fired = Fired()
    fired.next_at = next_at(store)
    if fired.next_at is None or fired.next_at > now:
        return fired  # another worker was here
    cron("@daily", "UTC")  # what it needs takes long to import: not while the file is locked
    until = time.monotonic() + LONGEST
    with store.write() as connection:
        for values in connection.execute(sql("due_schedules"), (to_text(now), MOST)).fetchall():
            row = dict(zip(KEYS, values, strict=True))
            try:
                fired.numbers += tick(connection, row, now, zone)
            except (BadValue, sqlite3.IntegrityError) as error:
                text = str(error) if isinstance(error, BadValue) else f"its job is refused: {error}"
                connection.execute(sql("stop_schedule"), (text, row["id"]))
                fired.errors.append((str(row["name"] or row["type"]), text))
            if time.monotonic() > until:
                break
    fired.next_at = next_at(store)
    return fired


def tick(connection: sqlite3.Connection, row: dict[str, Any], now: float, zone: str) -> list[int]:
    """Make the jobs of one schedule, and move it on to its next tick; their numbers. Raises BadValue, IntegrityError."""
    name = row["name"] or free_name(connection, row["type"])
    zone = row["time_zone"] or zone
    next_tick = partial(following, cron(row["cron_expression"], zone, bool(row["seconds"])))
    last = from_text(row["last_tick"]) if row["last_tick"] else None
    first = from_text(row["next_run_at"]) if row["next_run_at"] else None
    if first is None or (last is not None and first <= last):
        later = to_text(next_after(row, zone, now))
        connection.execute(sql("move_schedule"), (name, zone, later, None, None, None, 0, row["id"]))
        return []
    ticks = ticks_due(next_tick, first, now, row["catch_up"])
    numbers: list[int] = []
    is_busy = row["overlap"] == "skip" and bool(
        ticks and connection.execute(sql("jobs_of_schedule"), (row["id"],)).fetchone()
    )
    if not is_busy:
        for one in ticks:
            numbers += make_job(connection, row, to_text(one), now)
    connection.execute(
        sql("move_schedule"),
        (
            name,
            zone,
            to_text(next_tick(ticks[-1] if ticks else now)),  # none lies between its latest tick and now
            to_text(ticks[-1]) if ticks else None,
            to_text(now) if numbers else None,
            numbers[-1] if numbers else None,
            len(ticks) if is_busy else 0,
            row["id"],
        ),
    )
    return numbers


@lru_cache(maxsize=1000)
def following(one: Cron, after: float) -> float:
    """The first tick after a time. Kept, as many schedules have the same expression, and what is due is due together."""
    return one.next(after)


def next_after(row: dict[str, Any], zone: str, now: float) -> float:
    """The next tick of a schedule that was not waiting for one: after now, and after all that were dealt with."""
    last = from_text(row["last_tick"]) if row["last_tick"] else now
    return cron(row["cron_expression"], row["time_zone"] or zone, bool(row["seconds"])).next(max(now, last))


def make_job(connection: sqlite3.Connection, row: dict[str, Any], tick: str, now: float) -> list[int]:
    """The job of a tick: its number, or none when there is one already."""
    if not isinstance(row["type"], str) or not isinstance(row["payload"], str):
        raise BadValue("its job is refused: type and payload are text")
    job = NewJob(
        row["type"],
        row["payload"],
        priority=row["priority"],
        max_attempts=row["max_attempts"],
        queue=row["queue"],
        command=row["command"],
        cwd=row["cwd"],
        env=row["env"],
        tags=row["tags"],
        timeout=row["timeout"],
        backoff=row["backoff"],
        more={"schedule": row["id"], "tick": tick},
    )
    try:
        return insert_jobs(connection, [job], to_text(now))
    except sqlite3.IntegrityError as error:
        if "jobs.tick" in str(error):
            return []
        raise


def free_name(connection: sqlite3.Connection, type_: str) -> str:
    """The type, made unique among the names of schedules by a number."""
    name, number = str(type_), 1
    while connection.execute("SELECT 1 FROM cron_schedules WHERE name = ?", (name,)).fetchone():
        number += 1
        name = f"{type_}-{number}"
    return name
