"""Durable together: where writers stand in line, each gives the turn on before it waits for the disk.

SQLite at synchronous=FULL syncs the log inside the commit, while the writers' lock is held: one wait for the disk after
another. Who had to stand in line a few times commits at NORMAL instead, lets the next one write, and then syncs the log
itself. One sync makes durable all that was written before it, whoever wrote it, so those waits run side by side. Nobody
is told of a commit before its sync has ended, and a job that a worker starts is on disk by the sync of its claim.

When a sync fails the system takes the pages for written, and the next sync would be content without them. So they are
written once more, with every writer kept out, and synced again. Only if that fails, too, is it unknown what was stored.
"""

from __future__ import annotations

import os
import sqlite3

from qctl.model import DiskFault, FateUnknown, QctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from qctl.store.sqlite.lock import WritersLock
    from qctl.store.sqlite.store import SQLiteStore

CHUNK: Final = 1 << 20
SYNC: Final = getattr(os, "fdatasync", os.fsync)  # the size of a log that has grown included


class Sync:
    """Makes the commits of one store durable, after the turn has been given on."""

    __slots__ = ("fd", "is_put_off", "store")

    def __init__(self, store: SQLiteStore) -> None:
        """Raises OSError. The log is opened before anything is written at NORMAL: so no error of it goes to others alone."""
        self.store = store
        self.is_put_off = False  # nobody is told of single commits: they are synced together, at the end
        self.fd = os.open(store.path + "-wal", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            # Set while it is compiled, so a statement that stands ready would change nothing: once for a connection.
            store.connection.execute("PRAGMA synchronous=NORMAL")
        except BaseException:
            self.close()
            raise

    def wait(self) -> None:
        """Return when all that was committed so far is on disk. Raises FateUnknown."""
        if self.is_put_off:
            return
        try:
            SYNC(self.fd)
        except OSError as error:
            try:
                write_again(self.fd, self.store.path, self.store.lock, self.store.connection, self.store.busy_timeout)
                SYNC(self.fd)
            except (OSError, sqlite3.Error, QctlError):
                raise FateUnknown(
                    f"the disk failed under {self.store.path} ({error.strerror}): whether the last change was stored is"
                    " unknown"
                ) from error

    def close(self) -> None:
        os.close(self.fd)


def write_again(
    fd: int, queue_path: str, lock: WritersLock | None, connection: sqlite3.Connection, timeout: float
) -> None:
    """Write the log, open at `fd`, as it is over itself, while nobody else can write there. Raises OSError, sqlite3.Error,
    QueueFileError."""
    if lock is None or not lock.acquire(timeout):
        raise TimeoutError(f"{queue_path} stayed locked")
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            size = os.fstat(fd).st_size
            for start in range(0, size, CHUNK):
                data = memoryview(os.pread(fd, min(CHUNK, size - start), start))
                while data:  # a disk that is short of room may take a part
                    count = os.pwrite(fd, data, start)
                    data, start = data[count:], start + count
        finally:
            connection.execute("ROLLBACK")
    finally:
        lock.release()


def share(store: SQLiteStore) -> None:
    """Let a store, which has the turn, wait for the disk together with the others from now on; as before if it cannot."""
    try:
        store.sync = Sync(store)
    except (OSError, sqlite3.Error):
        if store.lock is not None:
            store.lock.waits = 0


def sync_log(queue_path: str) -> None:
    """Make durable what others committed and may not have synced yet: for who tells of a job that is theirs."""
    try:
        fd = os.open(queue_path + "-wal", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return  # all of it is in the queue file
    try:
        SYNC(fd)
    except OSError as error:
        raise DiskFault(f"the disk failed under {queue_path} ({error.strerror}): what it holds is unknown") from error
    finally:
        os.close(fd)
