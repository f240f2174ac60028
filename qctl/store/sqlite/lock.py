"""Kernel locks on files beside the queue: they go when their holder dies, however it dies.

`QUEUE-lock`, flock: the writers' lock, taken before each BEGIN IMMEDIATE, so that our writers take turns and a
checkpoint meets no other writer of ours. `QUEUE-workers`, one byte per worker: who is alive. The queue file itself is
never opened here: closing it would drop SQLite's own locks.
"""

from __future__ import annotations

import _thread
import fcntl
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


class NoAlarm(Exception):
    """The alarm cannot be used here."""


class TimeUp(BaseException):
    """The alarm rang."""


def time_up(_number: int, _frame: object) -> None:
    raise TimeUp


class WritersLock:
    """The turn to write, held only while a transaction or a checkpoint runs; re-entrant within one owner.

    Who has to wait does so in the kernel, which wakes the next in order at once: SQLite's own waiting, which sleeps and
    looks again, lets the lucky starve the others.
    """

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
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if timeout <= 0 or not self.wait(timeout):
                return False
        self.depth = 1
        return True

    def wait(self, timeout: float) -> bool:
        """Stand in the kernel's line, `timeout` seconds at most."""
        try:
            return self.wait_with_alarm(timeout)
        except NoAlarm:
            return self.wait_with_thread(timeout)

    def wait_with_alarm(self, timeout: float) -> bool:
        """Wait in this very thread, which an alarm calls back: nobody stands between the kernel and us."""
        import signal  # 5 ms, for those alone who have to wait

        try:
            if signal.getsignal(signal.SIGALRM) != signal.SIG_DFL or signal.getitimer(signal.ITIMER_REAL)[0]:
                raise NoAlarm  # somebody else's
            signal.signal(signal.SIGALRM, time_up)
        except ValueError:
            raise NoAlarm from None  # not in the main thread
        try:
            signal.setitimer(signal.ITIMER_REAL, min(timeout, 1e6))
            fcntl.flock(self.fd, fcntl.LOCK_EX)
            return True
        except TimeUp:
            fcntl.flock(self.fd, fcntl.LOCK_UN)  # it may have come with the alarm
            return False
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def wait_with_thread(self, timeout: float) -> bool:
        """Let a thread wait: slower, as two have to be woken, but to be had everywhere."""
        turn = Turn(self.fd)
        _thread.start_new_thread(turn.take, ())
        got = False
        try:
            got = turn.came.acquire(timeout=min(timeout, _thread.TIMEOUT_MAX))
        finally:
            if not got and turn.give_up():
                # The thread still waits on this descriptor, and closes it when its turn comes: take another next time.
                self.fd = -1
            else:
                got = True
        return got

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


class Turn:
    """One wait for the lock, in a thread that may come too late."""

    __slots__ = ("came", "fd", "guard", "is_given_up", "is_taken")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.came = _thread.allocate_lock()
        self.came.acquire()
        self.guard = _thread.allocate_lock()
        self.is_taken = False
        self.is_given_up = False

    def take(self) -> None:
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        with self.guard:
            self.is_taken = True
            if self.is_given_up:
                os.close(self.fd)
        self.came.release()

    def give_up(self) -> bool:
        """Whether the lock had not come by now."""
        with self.guard:
            self.is_given_up = not self.is_taken
            return self.is_given_up


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
