"""The space that a purge leaves behind: given back in short steps, and everything synced beside the writers."""

from __future__ import annotations

import os
import sqlite3
import time

from qctl.store.sqlite import wal
from qctl.store.sqlite.connection import explain
from qctl.store.sqlite.sync import share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qctl.store.sqlite.store import SQLiteStore

LONGEST = 0.015  # seconds that a step should take
BREATH = 0.0005  # seconds in which the next in the line gets its turn: at once it would be ours again
STEP = 500  # pages that are given back at first, and at most so many times more
MOST_STEPS = 40
GIVING, GIVING_PART = 3.0, 4  # seconds that may go into giving space back, or a part of those that the deletion took
RESERVE = 256  # free pages that stay in the file at least: on a full disk they let the last results in


def put_off_syncs(store: SQLiteStore) -> None:
    """What a chunk deleted need not be on disk before the next one: if it comes back, it is purged again."""
    if store.sync is None and store.lock is not None and store.lock.acquire(store.busy_timeout):
        try:
            share(store)
        finally:
            store.lock.release()
    if store.sync is not None:
        store.sync.is_put_off = True


def sync_all(store: SQLiteStore) -> None:
    if store.sync is not None:
        store.sync.is_put_off = False
        store.sync.wait()


def at_once(store: SQLiteStore, act: Callable[[], None]) -> None:
    """Do something while no sync is put off."""
    if store.sync is not None:
        store.sync.is_put_off = False
    try:
        act()
    finally:
        if store.sync is not None:
            store.sync.is_put_off = True


def sync_behind(store: SQLiteStore) -> None:
    """Sync the log while others write: a checkpoint, which keeps them out, then finds little of it left to sync."""
    if store.sync is not None:
        at_once(store, store.sync.wait)


def tell(store: SQLiteStore, progress: Callable[[int], None], count: int) -> None:
    """Code of others runs here: what it commits on this store is on disk when it is told so."""
    at_once(store, lambda: progress(count))


def tidy(store: SQLiteStore) -> None:
    """Copy what was deleted into the queue file, in the line with all writers: the longer the log, the longer they wait."""
    if wal.is_large(store.path):
        sync_behind(store)
        store.tidy(wait=store.busy_timeout)


def give_back(store: SQLiteStore, took: float, deadline: float | None) -> int:
    """Free pages go back to the file system, in short steps, but for a reserve and as many as are in use: to give those
    back would move the jobs of today, and those of tomorrow need them. Then the file is cut. Ends at `deadline` (monotonic
    seconds), or soon for a deletion that `took` so many seconds. How many bytes are left that could go back."""
    until = time.monotonic() + max(GIVING, took / GIVING_PART)
    if deadline is not None:
        until = min(until, deadline)
    if store.lock is None or store.read("PRAGMA auto_vacuum")[0][0] != 2:
        return 0
    free = int(store.read("PRAGMA freelist_count")[0][0])
    step, reserve = STEP, max(RESERVE, int(store.read("PRAGMA page_count")[0][0]) - free)
    if free <= reserve:
        return 0
    while free > reserve and time.monotonic() < until:
        if not store.lock.acquire(store.busy_timeout):
            break
        begun = time.monotonic()
        try:
            # A script, because `execute` would take only the first of the steps that this statement needs.
            store.connection.executescript(f"PRAGMA incremental_vacuum({min(free - reserve, step)});")
        except sqlite3.Error as error:
            raise explain(error, store.path) from error
        finally:
            store.lock.release()
        took = time.monotonic() - begun
        tidy(store)
        step = max(STEP // 5, min(STEP * MOST_STEPS, int(step * LONGEST / max(took, 0.001)), step * 2))
        time.sleep(BREATH)
        free = int(store.read("PRAGMA freelist_count")[0][0])
    sync_behind(store)
    if store.lock.acquire(1.0):
        try:
            wal.checkpoint(store.connection)
        except sqlite3.Error as error:
            raise explain(error, store.path) from error
        finally:
            store.lock.release()
    page: int = store.read("PRAGMA page_size")[0][0]
    return max(0, free - reserve) * page


def size_of(store: SQLiteStore) -> int:
    try:
        return os.stat(store.path).st_size
    except OSError:
        return 0
