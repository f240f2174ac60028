"""Kernel locks on files beside the queue: they go when their holder dies, however it dies.

`QUEUE-lock`, flock: the writers' lock, taken before each BEGIN IMMEDIATE, so that our writers take turns and a
checkpoint meets no other writer of ours. `QUEUE-workers`, one byte per worker: who is alive. The queue file itself is
never opened here: closing it would drop SQLite's own locks.
"""

from __future__ import annotations

import fcntl
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


class WritersLock:
    """The turn to write, held only while a transaction or a checkpoint runs; re-entrant within one owner."""

    __slots__ = ("depth", "fd", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = -1
        self.depth = 0

    def acquire(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the turn; False when it did not come."""
        if self.depth:
            self.depth += 1
            return True
        if self.fd < 0:
            self.fd = os.open(self.path, FLAGS, 0o600)
        deadline = 0.0
        pause = 0.0005
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.depth = 1
                return True
            except BlockingIOError:
                now = time.monotonic()
                deadline = deadline or now + timeout
                if now >= deadline:
                    return False
                # Waiting times that differ from process to process keep two waiters from colliding again and again.
                time.sleep(min(pause * (0.5 + os.getpid() % 17 / 17), deadline - now))
                pause = min(pause * 1.5, 0.008)

    def release(self) -> None:
        """Give the turn to the next."""
        self.depth -= 1
        if not self.depth:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            self.depth = 0


class LifeLocks:
    """One byte of `QUEUE-workers` per worker, held for as long as its process lives.

    POSIX locks belong to the process and go when *any* descriptor of the file is closed: a process keeps one
    `LifeLocks` for a file and closes it only at its end.
    """

    __slots__ = ("fd", "held")

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, FLAGS, 0o600)
        self.held: set[int] = set()

    def hold(self, number: int) -> None:
        """Hold the byte of worker `number`: it says that this process lives."""
        fcntl.lockf(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        self.held.add(number)

    def is_dead(self, number: int) -> bool:
        """Whether nobody holds the byte of worker `number` any more (own bytes count as alive)."""
        if number in self.held:
            return False
        try:
            fcntl.lockf(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        fcntl.lockf(self.fd, fcntl.LOCK_UN, 1, number)
        return True

    def close(self) -> None:
        os.close(self.fd)
