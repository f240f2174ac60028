"""Putting rows in."""

from __future__ import annotations

import os
import sqlite3
import time

from qctl.model import BLOCKED, DEFAULT_MAX_ATTEMPTS, PENDING, BadValue, NotFound, QueueFileError
from qctl.store.sqlite.connection import explain
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from qctl.model import FateUnknown, NewJob
    from qctl.store.sqlite.store import SQLiteStore

VARIANT = "89ab"
PLENTY = 5 << 28  # bytes free with which no look at the mark is needed: that of rules/room.py


class IdTaken(BadValue):
    """An id that another job has. `index`: which of the jobs asked for it, counted from 0."""

    def __init__(self, id: str | None, index: int) -> None:
        super().__init__(f"id: {id!r} is taken by another job: each id is given out once")
        self.index = index


class MissingNeed(NotFound):
    """A job that is to be waited for and is not there. `index`: which of the new jobs waits, counted from 0."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


class Duplicate(int):
    """The number of the job that already stood for the key of one just asked for, and what is known of it."""

    id: str
    type: str
    status: str
    scheduled_at: str


def insert(
    store: SQLiteStore, jobs: Sequence[NewJob], now: str, connection: sqlite3.Connection | None = None
) -> list[int]:
    """See SQLiteStore.insert."""
    if connection is not None:
        plain = len(jobs) == 1 and not jobs[0].more
        numbers = insert_jobs(connection, jobs, now) if plain else insert_inside(connection, jobs, now)
    else:
        need_place(store)
        numbers = insert_alone(store, jobs, now)
    if store.lock is not None and any(job.more for job in jobs) and any(isinstance(one, Duplicate) for one in numbers):
        from qctl.store.sqlite.sync import sync_log

        sync_log(store.path)  # the job of another may be there, and not yet on disk
    return numbers


def need_place(store: SQLiteStore) -> None:
    """Raises DiskFault when the disk has too little room for new jobs, QueueFileError when what is open here is not the
    queue any more: nobody would ever find a job there."""
    if store.lock is None:
        return
    if not store.is_still_there():
        raise QueueFileError(
            f"{store.name} was deleted or replaced since it was opened: open it anew; nothing was stored"
        )
    try:
        status = os.statvfs(store.path)
    except OSError as error:
        raise explain(error, store.path) from error
    if status.f_bavail * status.f_frsize < PLENTY:
        from qctl.store.sqlite.room import need

        need(store)


def insert_alone(store: SQLiteStore, jobs: Sequence[NewJob], now: str) -> list[int]:
    """Store the jobs in a transaction of their own."""
    if len(jobs) > 1:
        try:
            with store.write() as own:
                return insert_many(own, jobs, now)
        except sqlite3.IntegrityError:
            pass  # one by one, to learn which it was
    with store.write() as own:
        return insert_jobs(own, jobs, now)


def insert_jobs(connection: sqlite3.Connection, jobs: Sequence[NewJob], now: str) -> list[int]:
    """Store the jobs in the caller's transaction, in order; their numbers, that of a Duplicate where a key was held.

    For jobs with keys the transaction has the write lock, so that nobody else takes a key meanwhile. Raises IdTaken.
    """
    statement = sql("insert_job")
    numbers: list[int] = []
    for index, job in enumerate(jobs):
        try:
            if job.more:
                holder = holder_of(connection, job.more)
                if holder is not None:
                    numbers.append(holder)
                    continue
                if "lease" in job.more:
                    from qctl.store.sqlite.children import Family

                    job.more = {**job.more, "flow": Family(connection, job.more["parent"]).flow}
                cursor = connection.execute(sql("insert_job_more"), (*row_of(job, now), *more_of(job)))
                if "needs" in job.more or "lease" in job.more:
                    wait_for(connection, job, cursor.lastrowid or 0, index)
            else:
                cursor = connection.execute(statement, row_of(job, now))
            numbers.append(cursor.lastrowid or 0)
        except sqlite3.IntegrityError as error:
            if "jobs.id" in str(error):
                raise IdTaken(job.id, index) from None
            raise
    return numbers


def wait_for(connection: sqlite3.Connection, job: NewJob, number: int, index: int) -> None:
    """Tie a job just stored to those it needs; where all have ended, it is pending. Raises MissingNeed, BadValue."""
    from qctl.store.sqlite.needs import needed, tie

    more = dict(job.more or {})
    kinds = needed(connection, more.get("needs", []), index, number)
    if "lease" in more:
        from qctl.store.sqlite.children import Family, hold

        kinds = hold(connection, more["parent"], more["lease"], kinds)
        Family(connection, more["parent"]).join(connection, [number])
    if not tie(connection, number, kinds):
        job.more = {**more, "status": PENDING}


def holder_of(connection: sqlite3.Connection, more: Mapping[str, Any]) -> Duplicate | None:
    """The job that stands for the key already: an unfinished one, else one created of late as far as that was asked for."""
    key, since = more.get("key"), more.get("key_since")
    if key is None:
        return None
    row = connection.execute(sql("key_holder"), (key,)).fetchone()
    if row is None and since is not None:
        row = connection.execute(sql("key_since"), (key, since)).fetchone()
    if row is None:
        return None
    found = Duplicate(row[0])
    found.id, found.type, found.status, found.scheduled_at = row[1:]
    if found.status == BLOCKED:
        from qctl.store.sqlite.children import adopt

        if adopt(connection, found, more):
            found.status = PENDING
    return found


def key_rival(connection: sqlite3.Connection, number: int) -> int | None:
    """The unfinished job that has the key of an ended one, which therefore cannot run again; None: nobody has."""
    row = connection.execute(sql("key_rival"), (number,)).fetchone()
    return None if row is None else int(row[0])


def insert_inside(connection: sqlite3.Connection, jobs: Sequence[NewJob], now: str) -> list[int]:
    """Like `insert_jobs`, in a transaction that holds things of the caller's: all or none, and those untouched."""
    if not connection.in_transaction and connection.isolation_level is not None:
        # This connection begins transactions by itself before an INSERT, but not before a SAVEPOINT.
        connection.execute(f"BEGIN {connection.isolation_level}")
    connection.execute("SAVEPOINT qctl_enqueue")
    try:
        if any(job.more for job in jobs):
            connection.execute(sql("take_write_lock"))
        numbers = insert_jobs(connection, jobs, now)
    except BaseException:
        if connection.in_transaction:  # a fault of the disk has ended it, savepoint and all
            connection.execute("ROLLBACK TO qctl_enqueue")
        raise
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE qctl_enqueue")
    return numbers


def insert_many(connection: sqlite3.Connection, jobs: Sequence[NewJob], now: str) -> list[int]:
    """Like `insert_jobs`, faster, in a transaction that holds nothing else. When it raises IntegrityError, roll that
    back: `insert_jobs` can tell which job it was."""
    if any(job.more for job in jobs):
        return insert_jobs(connection, jobs, now)
    connection.executemany(sql("insert_job"), [row_of(job, now) for job in jobs])
    # The numbers follow one another: nobody else writes while this transaction is open.
    last = connection.execute("SELECT last_insert_rowid()").fetchone()[0]
    return list(range(last - len(jobs) + 1, last + 1))


def row_of(job: NewJob, now: str) -> tuple[Any, ...]:
    attempts = job.max_attempts
    return (
        job.id or new_id(),
        job.type,
        job.payload,
        job.priority or 0,
        DEFAULT_MAX_ATTEMPTS if attempts is None else attempts,
        job.scheduled_at or now,
        now,
        now,
        job.queue,
        job.command,
        job.cwd,
        job.env,
        job.tags,
        job.timeout,
        job.backoff,
        0 if attempts is None else 1,
    )


def more_of(job: NewJob) -> tuple[Any, ...]:
    """The columns that few jobs use; a status only for those that are not pending from the start."""
    more = job.more or {}
    return (*[more.get(name) for name in job.MORE[:-1]], more.get("status") or PENDING)


def unknown(error: FateUnknown, jobs: Sequence[NewJob]) -> str:
    """What to say when nobody knows whether jobs were stored."""
    first = jobs[0]
    key = (first.more or {}).get("key")
    if len(jobs) > 1:
        return f"{error}: it was {len(jobs):,} jobs, all or none of them; the first has the id {first.id}"
    if key is not None:
        return f"{error}: its key is {key!r}, and enqueuing it again with that stores it once"
    return f"{error}: its id is {first.id}, and `qctl show {first.id}` tells"


def new_id() -> str:
    """A UUID of version 7: its first 48 bits are the time in ms, so new ids land side by side in their index."""
    text = f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
    variant = VARIANT[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-7{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"
