"""Checkpoints of our own.

SQLite before 3.51.3 can corrupt a file when a passive checkpoint (the automatic ones are passive) meets a commit of
another connection right after the log was copied whole. So automatic checkpoints are off, and ours run in FULL mode,
which holds the write lock, and under the writers' lock, so that FULL does not fall back to passive for want of it.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

LARGE = 1000
"""Pages in the log above which a writer copies them into the queue file (4 MiB)."""

OVERSIZE = 64 << 20
"""Bytes above which the log, grown while a reader kept it from being copied, is cut once that has gone."""

HEADER = 32
FRAME_HEADER = 24
READER_WAIT_MS = 100


def pages(queue_path: str) -> int:
    """How many pages the write-ahead log holds since it was last started anew; 0 without a log.

    The file never shrinks in normal work, so its size says nothing: the frames of the present round are those whose
    salt equals the header's. Opening the log beside SQLite is harmless, it carries no locks.
    """
    try:
        fd = os.open(queue_path + "-wal", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        header = os.pread(fd, HEADER, 0)
        if len(header) < HEADER:
            return 0
        size = int.from_bytes(header[8:12], "big") + FRAME_HEADER
        salt = header[16:24]
        low, high = 0, (os.fstat(fd).st_size - HEADER) // size
        while low < high:
            middle = (low + high) // 2
            if os.pread(fd, 8, HEADER + middle * size + 8) == salt:
                low = middle + 1
            else:
                high = middle
        return low
    finally:
        os.close(fd)


def is_large(queue_path: str, limit: int = LARGE) -> bool:
    """Whether the log holds more than `limit` pages: whether the one after them is of the present round."""
    try:
        if os.stat(queue_path + "-wal").st_size <= limit * 4096:  # while it has never grown so far, no more is done
            return False
        fd = os.open(queue_path + "-wal", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        header = os.pread(fd, HEADER, 0)
        size = int.from_bytes(header[8:12], "big") + FRAME_HEADER
        return len(header) == HEADER and os.pread(fd, 8, HEADER + limit * size + 8) == header[16:24]
    finally:
        os.close(fd)


def is_oversized(queue_path: str) -> bool:
    try:
        return os.stat(queue_path + "-wal").st_size > OVERSIZE
    except OSError:
        return False


def checkpoint(connection: sqlite3.Connection, mode: str = "FULL") -> bool:
    """Copy the log into the queue file. The caller holds the writers' lock. False when a reader was in the way."""
    before = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    # While it waits for readers it keeps every writer out: wait briefly, the next round comes soon.
    connection.execute(f"PRAGMA busy_timeout={READER_WAIT_MS}")
    try:
        busy, _log, _copied = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout={before}")
    return not busy


def save(connection: sqlite3.Connection, queue_path: str) -> bool:
    """Copy a log whose name was deleted into the queue file, as long as nobody has begun another one: who opens the file
    next would not know of this one. The caller holds the writers' lock. Whether it was done."""
    import sqlite3

    try:
        return not os.path.lexists(queue_path + "-wal") and checkpoint(connection)
    except sqlite3.Error:
        return False  # the disk fails as well: that it was not done is said
