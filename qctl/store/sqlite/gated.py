"""The claim where something is limited, paused or aged: which due jobs find every gate open.

A closed lane costs no more than the seek past it. In a lane that is limited by key, jobs of full keys are passed over
one by one only a few times; then the lane is read key by key.
"""

from __future__ import annotations

from heapq import merge
from itertools import chain

from qctl.rules.limits import NO_KEY
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite.claim import lanes
from qctl.store.sqlite.gates import Gates
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from qctl.store.sqlite.gates import Limits

    Row = tuple[Any, ...]
    Lane = tuple[int, str, str]

EXPIRES, KEY = 18, 19  # where lane_careful.sql has expires_at and limit_key, behind what a lease needs
MOST_EXPIRED = 500  # jobs whose time is over that one claim cancels on its way
PASSED = 2  # jobs of full keys that are passed over before a lane is read key by key
KEYS = 300  # keys of a lane that one claim looks at; the next one goes on after them
BEFORE_ALL = ("", 0)
SOON = 0.05  # seconds until that next one


class Taken:
    """How far a claim is. `is_full`: no limited job may be taken any more."""

    __slots__ = ("is_full",)

    def __init__(self, ready: int) -> None:
        self.is_full = ready <= 0


def careful_rows(
    connection: sqlite3.Connection,
    limit: int,
    now: str,
    kinds: Callable[[str, str], tuple[int, ...]],
    limits: Limits,
    ready: int | None,
) -> list[Row]:
    """Like `due_rows` in claim.py, with all that may hold a job back. Writes down the starts, and cancels what expired."""
    gates, expired = Gates(connection, limits, from_text(now)), list[int]()
    rows = gated_rows(connection, limit, now, kinds, expired, gates, limit if ready is None else ready)
    limits.starts = gates.record(ahead=ready is not None)
    if expired:
        expire_jobs(connection, expired, now)
    return [row[:EXPIRES] for row in rows]


def expire_jobs(connection: sqlite3.Connection, numbers: list[int], now: str) -> int:
    """Cancel those of the jobs whose time to start is over; how many."""
    done = connection.executemany(sql("expire_job"), [(now, number, now) for number in numbers]).rowcount
    if connection.execute("SELECT 1 FROM qctl_flows LIMIT 1").fetchone():
        from qctl.store.sqlite.cleanup import heed_ends

        heed_ends(connection, numbers, now, failed=False)
    return done


def gated_rows(
    connection: sqlite3.Connection,
    limit: int,
    now: str,
    kinds: Callable[[str, str], tuple[int, ...]],
    expired: list[int],
    gates: Gates,
    ready: int,
) -> list[Row]:
    """Up to `limit` due jobs that find their gates open, limited ones only among the first `ready`; to `expired` go those
    whose time is over."""
    ageing, rules_of = gates.limits.ageing, gates.limits.of
    rows: list[Row] = []
    taken = Taken(ready)
    walk = connection.execute(sql("lanes"))
    lane: Any = walk.fetchone()
    while lane and len(rows) < limit:
        priority = lane[0]
        sources: list[Iterable[Row]] = []
        while lane and (lane[0] == priority or ageing):
            sources += lane_sources(connection, lane, kinds, now, gates, taken)
            lane = walk.fetchone()
        # Age in place of priority: a point of it is as good as so many seconds of waiting.
        key = (lambda row: (from_text(row[0]) - row[5] * ageing, row[1])) if ageing else None
        for row in sources[0] if len(sources) == 1 else merge(*sources, key=key):
            if row[EXPIRES] is not None and row[EXPIRES] <= now:
                expired.append(row[1])
                if len(expired) >= MOST_EXPIRED:
                    return rows
                continue
            queue, type_ = row[6], row[3]
            if rules_of(queue, type_).is_limited and (taken.is_full or not gates.admit(row[1], queue, type_, row[KEY])):
                continue
            rows.append(row)
            taken.is_full = len(rows) >= ready
            if len(rows) >= limit:
                break
    return rows


def lane_sources(
    connection: sqlite3.Connection,
    lane: Lane,
    kinds: Callable[[str, str], tuple[int, ...]],
    now: str,
    gates: Gates,
    taken: Taken,
) -> list[Iterable[Row]]:
    """The due jobs of a lane, as far as its gates are open, in order."""
    _priority, queue, type_ = lane
    wanted = kinds(queue, type_)
    rules = gates.limits.of(queue, type_)
    if not wanted or rules.is_paused:
        return []
    if rules.is_limited and (taken.is_full or not gates.is_open(queue, type_, None)):
        return []
    if rules.is_keyed and lane in gates.limits.crowded:
        return crowded_rows(connection, lane, wanted, now, gates, taken)
    sources: list[Iterable[Row]] = []
    for kind in wanted:
        cursor = connection.execute(sql("lane_careful"), (*lane, kind, now))
        first: Row | None = cursor.fetchone()
        if first is None:
            continue
        rows = chain((first,), cursor)
        if rules.is_keyed:
            sources.append(keyed_rows(connection, rows, lane, kind, now, gates, taken))
        else:
            sources.append(open_rows(rows, lane, gates, taken) if rules.is_limited else rows)
    return sources


def open_rows(rows: Iterable[Row], lane: Lane, gates: Gates, taken: Taken) -> Iterator[Row]:
    for row in rows:
        if taken.is_full or not gates.is_open(lane[1], lane[2], None):
            return
        yield row


def keyed_rows(
    connection: sqlite3.Connection,
    rows: Iterable[Row],
    lane: Lane,
    kind: int,
    now: str,
    gates: Gates,
    taken: Taken,
) -> Iterator[Row]:
    """Of the due jobs of a lane those whose keys are open."""
    _priority, queue, type_ = lane
    passed = 0
    for row in rows:
        if taken.is_full or not gates.is_open(queue, type_, None):
            return
        if gates.is_open(queue, type_, row[KEY] or NO_KEY):
            yield row
            continue
        passed += 1
        if passed >= PASSED:
            here = (row[0], row[1])
            break
    else:
        return
    gates.limits.crowded.add(lane)
    found, _is_whole = keys_of(connection, lane, gates)
    sources = [
        key_rows(connection, lane, kind, now, gates, taken, key, here)
        for key in found
        if gates.is_open(queue, type_, key)
    ]
    yield from merge(*sources)


def crowded_rows(
    connection: sqlite3.Connection, lane: Lane, wanted: Iterable[int], now: str, gates: Gates, taken: Taken
) -> list[Iterable[Row]]:
    """The same for a lane whose first jobs had full keys at the last look: key by key from its start."""
    found, is_whole = keys_of(connection, lane, gates)
    free = [key for key in found if gates.is_open(lane[1], lane[2], key)]
    if is_whole and len(free) == len(found):
        gates.limits.crowded.discard(lane)
    return [key_rows(connection, lane, kind, now, gates, taken, key, BEFORE_ALL) for kind in wanted for key in free]


def key_rows(
    connection: sqlite3.Connection,
    lane: Lane,
    kind: int,
    now: str,
    gates: Gates,
    taken: Taken,
    key: str,
    after: tuple[str, int],
) -> Iterator[Row]:
    """The due jobs of one key behind the job `after`: those before it were looked at."""
    for row in connection.execute(sql("key_due"), (key, *lane, kind, after[0], now)):
        if (row[0], row[1]) <= after:
            continue
        if taken.is_full or not gates.is_open(lane[1], lane[2], key):
            return
        yield row


def keys_of(connection: sqlite3.Connection, lane: Lane, gates: Gates) -> tuple[list[str], bool]:
    """The keys of a lane, at most KEYS of them, from where the last claim stopped; and whether these are all."""
    stops = gates.limits.stops
    start = stops.get(lane, "")
    found: list[str] = []
    key, wrapped = start, False
    while len(found) < KEYS:
        row = connection.execute(sql("next_key"), (key, *lane)).fetchone()
        if row is None:
            if wrapped or not start:
                stops.pop(lane, None)
                return found, True
            key, wrapped = "", True
            continue
        key = row[0]
        if wrapped and key > start:
            return found, True
        found.append(key)
    stops[lane] = key
    return found, False


def next_open(connection: sqlite3.Connection, kinds: Callable[[str, str], tuple[int, ...]], gates: Gates) -> str | None:
    """When the next job that `kinds` takes may start, as far as can be told: due, and its gates open."""
    soonest: str | None = None
    for lane in lanes(connection):
        _priority, queue, type_ = lane
        rules = gates.limits.of(queue, type_)
        if rules.is_paused:
            continue
        for kind in kinds(queue, type_):
            row = connection.execute(sql("lane_head"), (*lane, kind)).fetchone()
            if row is None or (soonest is not None and row[0] >= soonest):
                continue
            due = row[0]
            if rules.is_limited:
                if rules.is_keyed:
                    due = next_of_keys(connection, lane, kind, gates, due)
                due = max(due, to_text(up(gates.opens(queue, type_, None))))
            if soonest is None or due < soonest:
                soonest = due
    return soonest


def next_of_keys(connection: sqlite3.Connection, lane: Lane, kind: int, gates: Gates, head: str) -> str:
    """When the first job of the lane whose key is open is due, or the first key opens. `head`: its first job's time."""
    _priority, queue, type_ = lane
    if head > to_text(gates.now):
        return head
    found, is_whole = keys_of(connection, lane, gates)
    soonest = None if is_whole else to_text(gates.now + SOON)
    for key in found:
        row = connection.execute(sql("key_head"), (key, *lane, kind)).fetchone()
        if row is None:
            continue
        due = max(row[0], to_text(up(gates.opens(queue, type_, key))))
        if soonest is None or due < soonest:
            soonest = due
    return head if soonest is None else soonest


def up(moment: float) -> float:
    """A moment that is not before it when it is cut to the millisecond."""
    return moment + 0.001
