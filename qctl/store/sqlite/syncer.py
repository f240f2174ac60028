"""Commits that reach the disk right behind their maker: a worker does not stand still while the disk works.

For a worker's own commits alone: what it writes down has happened already, and a loss makes a job run again, no more.
The log is synced by a thread that starts with each commit, so that a result is on disk some milliseconds after it can
be read; and as the log is written in order, whoever else commits durably takes all that stands before it along.
"""

from __future__ import annotations

import _thread
import os
import time

from qctl.model import DiskFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore

sync = getattr(os, "fdatasync", os.fsync)
BREATH = 0.003
"""Seconds between two syncs: who commits again and again, as the steps of a chain do, shares one, and writes meanwhile
without waiting for a page that is on its way to the disk."""


class Syncer:
    """The thread. Opening the log beside SQLite is harmless: it carries no locks."""

    __slots__ = ("ended", "error", "fd", "is_over", "path", "wanted")

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = os.open(path + "-wal", os.O_RDONLY | os.O_CLOEXEC)
        self.wanted = _thread.allocate_lock()  # held while nothing is to be done
        self.wanted.acquire()
        self.ended = _thread.allocate_lock()
        self.ended.acquire()
        self.is_over = False
        self.error: OSError | None = None
        _thread.start_new_thread(self.run, ())

    def run(self) -> None:
        try:
            is_over = False
            while not is_over:
                self.wanted.acquire()
                is_over = self.is_over  # before it syncs: what was committed before the end is synced, too
                sync(self.fd)
                if not is_over:
                    time.sleep(BREATH)
        except OSError as error:
            self.error = error
        finally:
            self.ended.release()

    def ask(self) -> None:
        """Something was committed. Asked again before it has begun, it does it once."""
        if self.wanted.locked():
            self.wanted.release()

    def close(self) -> None:
        """Sync what is left, and end."""
        self.is_over = True
        self.ask()
        self.ended.acquire()
        os.close(self.fd)


def sync_behind(store: SQLiteStore) -> None:
    """From now on a commit of this store returns at once, and is on disk soon after."""
    if store.lock is None or store.syncer is not None:
        return  # a queue in memory
    store.syncer = Syncer(store.path)
    store.connection.execute("PRAGMA synchronous=NORMAL")


def sync_first(store: SQLiteStore) -> None:
    """Bring to disk what is not there yet; from now on a commit returns when it is. Raises DiskFault."""
    syncer, store.syncer = store.syncer, None
    if syncer is not None:
        store.connection.execute("PRAGMA synchronous=FULL")
        syncer.close()
        if syncer.error is not None:
            raise DiskFault(
                f"the disk failed under {store.path} ({syncer.error.strerror}): the last results may not be on it"
            ) from syncer.error
