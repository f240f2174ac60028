"""Durable a moment later: a worker's commits do not wait for the disk, a thread has it take the log within 10 ms.

What a power cut takes of them is run again, as after any death of a worker. What is acknowledged to somebody is never
stored this way: `enqueue` waits for the disk.
"""

from __future__ import annotations

import _thread
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GATHER = 0.002
"""Seconds that a commit waits for others to share its way to the disk."""

fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has the latter alone


class Syncer:
    """Syncs the log at `path` after each `ask()`. `failed(error)` is called once, in the thread, if the disk refuses."""

    def __init__(self, path: str, failed: Callable[[OSError], None]) -> None:
        # Opening the log beside SQLite is harmless: it carries no locks.
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.failed = failed
        self.is_asked = False
        self.is_open = True
        self.has_failed = False
        self.bell = _thread.allocate_lock()
        self.bell.acquire()
        self.gone = _thread.allocate_lock()
        self.gone.acquire()
        _thread.start_new_thread(self.run, ())

    def ask(self) -> None:
        if not self.is_asked:
            self.is_asked = True
            self.bell.release()

    def run(self) -> None:
        try:
            while self.is_open:
                self.bell.acquire()
                if not self.is_open:
                    return
                time.sleep(GATHER)
                self.is_asked = False  # before it is done: what is committed from now on asks again
                fdatasync(self.fd)
        except OSError as error:
            self.is_asked = self.has_failed = True  # nobody rings any more
            self.failed(error)
        finally:
            self.gone.release()

    def close(self) -> None:
        """The last commits are on disk when this returns. Raises OSError."""
        self.is_open = False  # first: a thread that still has work looks at it when that is done
        if not self.is_asked:
            self.bell.release()
        with self.gone:
            pass
        try:
            fdatasync(self.fd)
        finally:
            os.close(self.fd)
