"""Commits that reach the disk right behind their maker: a worker does not stand still while the disk works.

For a worker's own commits alone: what it writes down has happened already, and a loss makes a job run again, no more.
The log is synced by one thread, which each commit wakes, so that a result is on disk some milliseconds after it can
be read; and as the log is written in order, whoever else commits durably takes all that stands before it along.

That holds only as long as no sync fails: after one the system takes the pages for written, and others, whose own syncs end
well, would tell of jobs that stand behind a gap. So the thread writes the log again at once, see sync.py.
"""

from __future__ import annotations

import _thread
import os
import sqlite3
import time

from qctl.model import DiskFault, QctlError
from qctl.store.sqlite.connection import tune, uri
from qctl.store.sqlite.lock import WritersLock
from qctl.store.sqlite.sync import write_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore

sync = getattr(os, "fdatasync", os.fsync)
BREATH = 0.003
"""Seconds between two syncs: who commits again and again, as the steps of a chain do, shares one, and writes meanwhile
without waiting for a page that is on its way to the disk."""


class Syncer:
    """The thread. Opening the log beside SQLite is harmless: it carries no locks.

    `mended`: what a sync failed of whose pages were written again since, until somebody has told it. `error`: what it
    failed of for good; the thread has ended then.
    """

    __slots__ = ("ended", "error", "fd", "is_over", "mended", "path", "timeout", "wanted")

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.timeout = timeout  # seconds to wait for the turn to write
        self.fd = os.open(path + "-wal", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        self.wanted = _thread.allocate_lock()  # held while nothing is to be done
        self.wanted.acquire()
        self.ended = _thread.allocate_lock()
        self.ended.acquire()
        self.is_over = False
        self.mended: OSError | None = None
        self.error: BaseException | None = None
        _thread.start_new_thread(self.run, ())

    def run(self) -> None:
        try:
            is_over = False
            while not is_over and self.error is None:
                self.wanted.acquire()
                is_over = self.is_over  # before it syncs: what was committed before the end is synced, too
                try:
                    sync(self.fd)
                except OSError as error:
                    self.mend(error)
                if not is_over:
                    time.sleep(BREATH)
        except BaseException as error:  # whatever it is: what was not synced must not pass for synced
            self.error = error
        finally:
            self.ended.release()

    def mend(self, error: OSError) -> None:
        """Write the log again and sync that: with a turn and a connection of its own, as this is another thread."""
        file = f"file://{uri(self.path)}?mode=rw"  # never a new one: the queue may have been taken away
        try:
            connection = tune(sqlite3.connect(file, timeout=self.timeout, isolation_level=None, uri=True))
            try:
                lock = WritersLock(self.path + "-lock")
                try:
                    write_again(self.fd, self.path, lock, connection, self.timeout)
                finally:
                    lock.close()
            finally:
                connection.close()
            sync(self.fd)
            self.mended = error
        except (OSError, sqlite3.Error, QctlError):
            self.error = error

    def ask(self) -> None:
        """Something was committed. Asked again before it has begun, it does it once."""
        if self.wanted.locked():
            self.wanted.release()

    def end(self) -> None:
        """Sync what is left, and end the thread."""
        self.is_over = True
        self.ask()
        self.ended.acquire()
        self.ended.release()

    def settle(self, store: SQLiteStore) -> None:
        """End the thread, with all on disk that was committed. Raises DiskFault."""
        self.end()
        error = self.error
        if error is None:
            return
        try:
            write_again(self.fd, store.path, store.lock, store.connection, store.busy_timeout)
            sync(self.fd)
            self.error = None
        except (OSError, sqlite3.Error, QctlError):
            said = getattr(error, "strerror", None) or type(error).__name__
            raise DiskFault(
                f"the disk failed under {store.path} ({said}): the last results may not be on it"
            ) from error

    def close(self, store: SQLiteStore) -> None:
        """The same, and let go of the log. Raises DiskFault."""
        try:
            self.settle(store)
        finally:
            os.close(self.fd)


def sync_behind(store: SQLiteStore) -> None:
    """From now on a commit of this store returns at once, and is on disk soon after."""
    if store.lock is None or store.syncer is not None:
        return  # a queue in memory
    store.syncer = Syncer(store.path, store.busy_timeout)
    store.connection.execute("PRAGMA synchronous=NORMAL")


def sync_first(store: SQLiteStore) -> None:
    """Bring to disk what is not there yet; from now on a commit returns when it is. Raises DiskFault.

    Then the store stays as it was, for the next try: a commit behind what is not on disk would not be there either.
    """
    if store.syncer is not None:
        store.connection.execute("PRAGMA synchronous=FULL")
        store.syncer.settle(store)
        store.syncer.close(store)
        store.syncer = None
