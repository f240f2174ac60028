"""Purge: deleting what ended long ago, in chunks so short that nobody notices, and giving the space back."""

from __future__ import annotations

import sqlite3
import time

from qctl.model import COMPLETED, FAILED
from qctl.rules.when import to_text
from qctl.store.sqlite.forget import forget
from qctl.store.sqlite.ledger import count_elsewhere
from qctl.store.sqlite.space import BREATH, LONGEST, give_back, put_off_syncs, size_of, sync_all, tell, tidy
from qctl.store.sqlite.sql import sql
from qctl.store.sqlite.upkeep import count_enqueued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore
    from qctl.store.sqlite.undo import Memory

SMALLEST, LARGEST = 50, 8000
LOOK = 20_000  # jobs that are looked up at a time, beside the writers
GAP = 8  # numbers of others between two jobs, below which both are deleted in one range
UNDOABLE = 10_000  # jobs that `undo` can bring back
COUNTING = 10.0  # seconds that may go into counting jobs for the figures, before they are deleted
WEIGHT = (
    "500 + length(payload) + coalesce(length(result), 0)"
    " + coalesce((SELECT sum(length(data)) * 2 FROM qctl_output WHERE job = number), 0)"
)
"""Bytes that it takes to remember a job, about."""

ELSEWHERE = "completed_at, type, scheduled_at, started_at"


def purge(
    store: SQLiteStore,
    now: float,
    statuses: Sequence[str],
    older_than: float,
    keep: int,
    max_time: float | None,
    dry_run: bool,
    progress: Callable[[int], None] | None,
    undoable: bool = False,
) -> dict[str, Any]:
    """Delete jobs of `statuses` that ended over `older_than` seconds before `now`, but never the newest `keep` of each.

    Completed jobs of a type with a retention of its own go when that is over, whatever `older_than` says.

    Failed jobs with an unreviewed dead letter stay. In chunks of some 15 ms, between which others get their turn; safe
    to run twice at once; stops after `max_time` seconds. With `dry_run` it only counts. Returns `deleted` (by status
    under `by_status`), `left_unreviewed`, `forgotten` (what was done once, see forget.py), `is_complete`,
    `bytes_returned`, and `bytes_left`, which the next purge can give back, though nothing else is left for it to do. With
    `undoable` up to UNDOABLE jobs are remembered for `undo`; whether they are is returned, too.
    """
    if not dry_run:
        count_enqueued(store, now, time.monotonic() + COUNTING)
    limit = to_text(now - older_than)
    deadline = None if max_time is None else time.monotonic() + max_time
    by_status: dict[str, int] = {}
    left, complete, spare = 0, True, 0
    before, begun = size_of(store), time.monotonic()
    plans = [
        (status, newest_kept(store, status, keep), retentions(store, now) if status == COMPLETED else {})
        for status in dict.fromkeys(statuses)
    ]
    memory = memory_for(store, now, plans, limit) if undoable else None
    if not dry_run:
        put_off_syncs(store)
    try:
        for status, bound, retained in plans:
            if status == FAILED:
                left = store.read(sql("purge_left"), (limit,))[0][0]
            if dry_run:
                by_status[status] = count(store, status, limit, bound, retained)
                continue
            by_status[status], done = delete(store, status, limit, bound, deadline, progress, retained, memory)
            complete = complete and done
        deleted = sum(by_status.values())
        forgotten = forget(store, now, deadline, dry_run)
        if not dry_run:
            spare = give_back(store, time.monotonic() - begun, deadline)
    finally:
        sync_all(store)
    return {
        "deleted": deleted,
        "by_status": by_status,
        "left_unreviewed": left,
        "forgotten": forgotten,
        "is_complete": complete,
        "bytes_returned": max(0, before - size_of(store)),
        "bytes_left": spare,
        "undoable": memory is not None,
        "dry_run": dry_run,
    }


def column_of(status: str) -> str:
    return "completed_at" if status == COMPLETED else "updated_at"


def newest_kept(store: SQLiteStore, status: str, keep: int) -> str | None:
    """The end of the oldest job that `keep` protects: only what ended before it may go; None: nothing is protected."""
    if not keep:
        return None
    column = column_of(status)
    rows = store.read(
        f"SELECT {column} FROM jobs WHERE status = ? AND {column} IS NOT NULL ORDER BY {column} DESC LIMIT 1 OFFSET ?",
        (status, keep - 1),
    )
    return rows[0][0] if rows else ""


def retentions(store: SQLiteStore, now: float) -> dict[str, str]:
    """By type with a retention of its own, the time before which its completed jobs go."""
    rows = store.read(
        "SELECT type, coalesce(retention, own_retention) FROM qctl_types"
        " WHERE coalesce(retention, own_retention) IS NOT NULL"
    )
    return {row[0]: to_text(max(0.0, now - row[1])) for row in rows}


def selection(status: str, bound: str | None, retained: Mapping[str, str]) -> str:
    """Which rows: rides jobs_completed or jobs_ended."""
    column = column_of(status)
    where = f"status = '{status}' AND {column} >= ? AND {column} < ?"
    if retained:
        where += f" AND {column} < CASE type{' WHEN ? THEN ?' * len(retained)} ELSE ? END"
    if bound is not None:
        where += f" AND {column} < ?"
    if status == FAILED:
        where += (
            " AND NOT EXISTS (SELECT 1 FROM dead_letter_jobs d WHERE d.original_job_id = jobs.id AND d.reviewed = 0)"
        )
    return where


def parameters(limit: str, bound: str | None, retained: Mapping[str, str], start: str = "") -> list[Any]:
    """Those of `selection`; `start`: nothing that ended before it is looked at again."""
    own = [word for pair in retained.items() for word in pair]
    newest = max([limit, *retained.values()])
    return [start, newest, *own, *([limit] if own else []), *([] if bound is None else [bound])]


def memory_for(
    store: SQLiteStore, now: float, plans: Sequence[tuple[str, str | None, Mapping[str, str]]], limit: str
) -> Memory | None:
    """What remembers them, if they are few and light, and there is room on the disk: to write down each of a million would
    take minutes, and double the file; where room is short it is there to make some."""
    from qctl.store.sqlite.room import shortage
    from qctl.store.sqlite.undo import Memory

    memory = Memory(store, "purge", now)
    most, room = UNDOABLE, memory.most // 4
    for status, bound, retained in plans:
        look = f"SELECT count(*), sum({WEIGHT}) FROM (SELECT * FROM jobs WHERE {selection(status, bound, retained)} LIMIT ?)"
        jobs, weight = store.read(look, [*parameters(limit, bound, retained), most + 1])[0]
        most, room = most - jobs, room - (weight or 0)
        if most < 0 or room < 0:
            return None
    return memory if memory.is_on and shortage(store) is None else None


def count(store: SQLiteStore, status: str, limit: str, bound: str | None, retained: Mapping[str, str]) -> int:
    rows = store.read(
        f"SELECT count(*) FROM jobs WHERE {selection(status, bound, retained)}", parameters(limit, bound, retained)
    )
    number: int = rows[0][0]
    return number


def delete(
    store: SQLiteStore,
    status: str,
    limit: str,
    bound: str | None,
    deadline: float | None,
    progress: Callable[[int], None] | None,
    retained: Mapping[str, str],
    memory: Memory | None,
) -> tuple[int, bool]:
    """How many were deleted, and whether that was all."""
    column, where = column_of(status), selection(status, bound, retained)
    look = f"SELECT number, {column} FROM jobs WHERE {where} ORDER BY {column} LIMIT ?"
    total, size, start = 0, 500 if memory is None else SMALLEST, ""
    while deadline is None or time.monotonic() < deadline:
        found = store.read(look, [*parameters(limit, bound, retained, start), LOOK])
        numbers = sorted([row[0] for row in found])
        while numbers:
            if deadline is not None and time.monotonic() >= deadline:
                return total, False
            part, numbers = numbers[:size], numbers[size:]
            begun = time.monotonic()
            with store.write() as connection:
                begun = time.monotonic()  # others are not kept waiting while we wait
                if status == COMPLETED:
                    count_part(store, part, where, parameters(limit, bound, retained))
                gone = delete_part(connection, status, part, where, parameters(limit, bound, retained), memory)
            took = time.monotonic() - begun
            total += gone
            if progress is not None and gone:
                tell(store, progress, gone)
            tidy(store)
            size = max(SMALLEST, min(LARGEST, int(size * LONGEST / max(took, 0.001)), size * 2))
            time.sleep(BREATH)
        if len(found) < LOOK:
            return total, True
        start = found[-1][1]  # what is kept before it is not looked at again
    return total, False


def delete_part(
    connection: sqlite3.Connection,
    status: str,
    numbers: Sequence[int],
    where: str,
    values: Sequence[Any],
    memory: Memory | None = None,
) -> int:
    """Delete those of the jobs (numbers ascending) that may still go; how many. Ranges of numbers lie side by side."""
    rows = [(*pair, *values) for pair in spans(numbers)]
    if memory is not None:
        look = f"SELECT number FROM jobs NOT INDEXED WHERE number BETWEEN ? AND ? AND {where}"
        for (number,) in [found for row in rows for found in connection.execute(look, row)]:
            memory.keep(connection, number, is_going=True)
    if status == FAILED:
        connection.executemany(
            "DELETE FROM dead_letter_jobs WHERE reviewed <> 0 AND original_job_id IN"
            f" (SELECT id FROM jobs NOT INDEXED WHERE number BETWEEN ? AND ? AND {where})",
            rows,
        )
    return connection.executemany(
        f"DELETE FROM jobs NOT INDEXED WHERE number BETWEEN ? AND ? AND {where}", rows
    ).rowcount


def count_part(store: SQLiteStore, numbers: Sequence[int], where: str, values: Sequence[Any]) -> None:
    """Count those that no worker of ours has counted, as other programs completed them, before they go."""
    if not store.read(sql("any_elsewhere")):
        return
    statement = f"SELECT {ELSEWHERE} FROM jobs NOT INDEXED WHERE number BETWEEN ? AND ? AND worker IS NULL AND {where}"
    for pair in spans(numbers):
        count_elsewhere(store, store.read(statement, [*pair, *values]))


def spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as ranges (first, last), which may hold a few others."""
    found: list[tuple[int, int]] = []
    first = last = numbers[0]
    for number in numbers[1:]:
        if number > last + GAP:
            found.append((first, last))
            first = number
        last = number
    found.append((first, last))
    return found
