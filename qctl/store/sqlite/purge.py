"""Purge: deleting what ended long ago, in chunks so short that nobody notices, and giving the space back."""

from __future__ import annotations

import os
import sqlite3
import time

from qctl.model import COMPLETED, FAILED
from qctl.rules.when import to_text
from qctl.store.sqlite import wal
from qctl.store.sqlite.connection import explain
from qctl.store.sqlite.ledger import count_elsewhere
from qctl.store.sqlite.sql import sql
from qctl.store.sqlite.upkeep import count_enqueued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

LONGEST = 0.025  # seconds that a chunk should take
SMALLEST, LARGEST = 50, 4000
PAUSE = 0.02
COUNTING = 10.0  # seconds that may go into counting jobs for the figures, before they are deleted
STEP = 500  # pages that are given back at a time
ELSEWHERE = "CASE WHEN worker IS NULL THEN type END, scheduled_at, started_at"  # what no worker of ours has counted
RESERVE = 256  # free pages that stay in the file: on a full disk they let the last results in


def purge(
    store: SQLiteStore,
    now: float,
    statuses: Sequence[str],
    older_than: float,
    keep: int,
    max_time: float | None,
    dry_run: bool,
    progress: Callable[[int], None] | None,
) -> dict[str, Any]:
    """Delete jobs of `statuses` that ended over `older_than` seconds before `now`, but never the newest `keep` of each.

    Completed jobs of a type with a retention of its own go when that is over, whatever `older_than` says.

    Failed jobs with an unreviewed dead letter stay. In chunks of some 25 ms, between which others get their turn; safe
    to run twice at once; stops after `max_time` seconds. With `dry_run` it only counts. Returns `deleted` (by status
    under `by_status`), `left_unreviewed`, `is_complete`, `bytes_returned`.
    """
    if not dry_run:
        count_enqueued(store, now, time.monotonic() + COUNTING)
    limit = to_text(now - older_than)
    deadline = None if max_time is None else time.monotonic() + max_time
    by_status: dict[str, int] = {}
    left, complete = 0, True
    before = size_of(store)
    for status in dict.fromkeys(statuses):
        retained = retentions(store, now) if status == COMPLETED else {}
        bound = newest_kept(store, status, keep)
        if status == FAILED:
            left = store.read(sql("purge_left"), (limit,))[0][0]
        if dry_run:
            by_status[status] = count(store, status, limit, bound, retained)
            continue
        by_status[status], done = delete(store, status, limit, bound, deadline, progress, retained)
        complete = complete and done
    deleted = sum(by_status.values())
    if deleted and not dry_run:
        give_back(store, deadline)
    return {
        "deleted": deleted,
        "by_status": by_status,
        "left_unreviewed": left,
        "is_complete": complete,
        "bytes_returned": max(0, before - size_of(store)),
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
) -> tuple[int, bool]:
    """How many were deleted, and whether that was all."""
    total, size, start = 0, 200, ""
    chunk = f"SELECT number FROM jobs WHERE {selection(status, bound, retained)} ORDER BY {column_of(status)} LIMIT ?"
    while True:
        if deadline is not None and time.monotonic() >= deadline:
            return total, False
        begun = time.monotonic()
        with store.write() as connection:
            if status == FAILED:
                connection.execute(
                    "DELETE FROM dead_letter_jobs WHERE reviewed <> 0 AND original_job_id IN"
                    f" (SELECT id FROM jobs WHERE number IN ({chunk}))",
                    [*parameters(limit, bound, retained, start), size],
                )
            ends = connection.execute(
                f"DELETE FROM jobs WHERE number IN ({chunk}) RETURNING {column_of(status)}, {ELSEWHERE}",
                [*parameters(limit, bound, retained, start), size],
            ).fetchall()
            gone = len(ends)
            start = max((end[0] for end in ends), default=start)  # what is kept before it is not looked at again
            if status == COMPLETED:
                count_elsewhere(store, [end for end in ends if end[1] is not None])
        took = time.monotonic() - begun
        total += gone
        if progress is not None and gone:
            progress(gone)
        store.tidy()
        if gone < size:
            return total, True
        size = max(SMALLEST, min(LARGEST, int(size * LONGEST / max(took, 0.001)), size * 2))
        time.sleep(min(took / 4, PAUSE))


def give_back(store: SQLiteStore, deadline: float | None) -> None:
    """Free pages go back to the file system, in short steps, but for a reserve; then the file is cut."""
    if store.lock is None or store.read("PRAGMA auto_vacuum")[0][0] != 2:
        return
    while deadline is None or time.monotonic() < deadline:
        free = store.read("PRAGMA freelist_count")[0][0] - RESERVE
        if free <= 0:
            break
        if not store.lock.acquire(store.busy_timeout):
            return
        try:
            # A script, because `execute` would take only the first of the steps that this statement needs.
            store.connection.executescript(f"PRAGMA incremental_vacuum({min(free, STEP)});")
        except sqlite3.Error as error:
            raise explain(error, store.path) from error
        finally:
            store.lock.release()
        store.tidy()
    if store.lock.acquire(1.0):
        try:
            wal.checkpoint(store.connection)
        except sqlite3.Error as error:
            raise explain(error, store.path) from error
        finally:
            store.lock.release()


def size_of(store: SQLiteStore) -> int:
    try:
        return os.stat(store.path).st_size
    except OSError:
        return 0
