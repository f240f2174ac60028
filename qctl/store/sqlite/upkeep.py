"""The upkeep of the figures, by whichever worker comes first: counting what was enqueued, and thinning what is old.

Anybody may enqueue, with plain SQL too: the numbers of jobs only grow, so those above the last one seen are new.
"""

from __future__ import annotations

import time

from qctl.rules.tally import MINUTE, Tally
from qctl.rules.when import from_text
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

SEEN = "figures_seen"  # the setting that says which number was counted last
ADDED_UP = "figures_added_up"  # and up to which minute the rows of all sources are one
CHUNK = 10_000  # numbers that are counted in one transaction
LONGEST = 0.025  # seconds that one call may take, about
HOUR, DAY = 3600, 86_400

ADD_UP_AFTER = 10 * MINUTE  # when the rows of several sources become one
STEPS = ((MINUTE, 600, 2 * HOUR), (600, HOUR, 2 * DAY))  # from stretches of, to stretches of, when they are that old
KEEP = 30 * DAY


def upkeep(store: SQLiteStore, now: float) -> bool:
    """Do what there is to do, for some 25 ms; False when there is more."""
    until = time.monotonic() + LONGEST
    done = count_enqueued(store, now, until)
    return thin(store, now, until) and done


def seen(store: SQLiteStore) -> int:
    """The number up to which jobs are counted as enqueued."""
    return int(store.setting(SEEN) or 0)


def newest(store: SQLiteStore) -> int:
    """The highest number there is."""
    return int(store.read("SELECT max(number) FROM jobs")[0][0] or 0)


def count_enqueued(store: SQLiteStore, now: float, until: float) -> bool:
    last = newest(store)
    while seen(store) < last:
        with store.write() as connection:
            first = seen(store)
            end = min(first + CHUNK, last)
            for at, type_, count in arrivals(store, first, end, now):
                if at >= now - KEEP:
                    connection.execute(sql("add_enqueued"), (at, type_, count))
            connection.execute(sql("set_setting"), (SEEN, str(end)))
        if end < last and time.monotonic() >= until:
            return False
    return True


def arrivals(store: SQLiteStore, first: int, last: int, now: float) -> list[tuple[int, str, float]]:
    """How many jobs with numbers above `first`, up to `last`, came in which minute: (its begin, type, count)."""
    edge = store.read(sql("first_created"), (first,))
    if edge and edge == store.read(sql("last_created"), (last,)):  # half the work, mostly
        rows: Any = [(edge[0][0], *row) for row in store.read(sql("types_between"), (first, last))]
    else:
        rows = store.read(sql("arrivals_between"), (first, last))
    return [(begin(minute, now), type_, count) for minute, type_, count in rows]


def begin(minute: str | None, now: float) -> int:
    """When a minute, as the beginning of a stored time, begins; the present one for what is none, or to come."""
    try:
        at = int(from_text(f"{minute}:00")) // MINUTE * MINUTE
    except ValueError:
        at = int(now)
    return min(at, int(now) // MINUTE * MINUTE)


def thin(store: SQLiteStore, now: float, until: float) -> bool:
    """Add up what is old, and forget what is older than KEEP."""
    while True:
        task = next_task(store, int(now))
        if task is None:
            break
        with store.write() as connection:
            if next_task(store, int(now)) == task:  # nobody else did it
                add_up(connection, *task)
        if time.monotonic() >= until:
            return False
    if store.read(sql("oldest_figures"), (HOUR,))[0][0] is not None:
        limit = int(now) - KEEP
        if store.read(sql("oldest_figures"), (HOUR,))[0][0] < limit:
            with store.write() as connection:
                connection.execute(sql("drop_figures"), (HOUR, 0, limit))
    return True


def next_task(store: SQLiteStore, now: int) -> tuple[int, int, int] | None:
    """What to add up next: stretches of so many seconds, into one of so many, which begins then."""
    for span, target, age in STEPS:
        oldest = store.read(sql("oldest_figures"), (span,))[0][0]
        if oldest is not None:
            at = oldest // target * target
            if at + target <= now - age:
                return span, target, at
    minute = max(int(store.setting(ADDED_UP) or 0), (now - STEPS[0][2]) // MINUTE * MINUTE)
    rows = store.read(sql("next_figures"), (minute,))
    if rows and rows[0][0] + MINUTE <= now - ADD_UP_AFTER:
        return MINUTE, MINUTE, rows[0][0]
    return None


def add_up(connection: sqlite3.Connection, span: int, target: int, at: int) -> None:
    """Make one row per type of the stretch of `target` seconds that begins at `at`."""
    found: dict[str, Tally] = {}
    spans = {span, target}
    for one in spans:
        for type_, *row in connection.execute(sql("figures_of"), (one, at, at + target if one == span else at + 1)):
            found.setdefault(type_, Tally()).add(Tally.read(tuple(row)))
    for one in spans:
        connection.execute(sql("drop_figures"), (one, at, at + target if one == span else at + 1))
    connection.executemany(sql("add_figures"), [(target, at, type_, *tally.row()) for type_, tally in found.items()])
    if span == target:
        connection.execute(sql("set_setting"), (ADDED_UP, str(at + MINUTE)))
