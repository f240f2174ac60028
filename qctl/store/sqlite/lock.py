"""Kernel locks on files beside the queue: they go when their holder dies, however it dies.

`QUEUE-lock`, flock: the writers' lock, taken before each BEGIN IMMEDIATE, so that our writers take turns and a
checkpoint meets no other writer of ours. `QUEUE-workers`, one byte per worker: who is alive. The queue file itself is
never opened here: closing it would drop SQLite's own locks.
"""

from __future__ import annotations

import _thread
import errno
import fcntl
import os
import sys

from qctl.model import QueueFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


AGAIN: Final = 0.05  # seconds after which an alarm that was not heard rings again
LOCK_LAYOUT: Final = {"linux": ("hhqqi4x", 4), "darwin": ("qqihh", 2)}
"""How `struct flock` lies in memory, and which of its fields is the process."""

GRACE: Final = 0.05  # seconds for a thread that stands in the line to tell that the turn has come


class NoAlarm(Exception):
    """The alarm cannot be used here."""


class TimeUp(BaseException):
    """The alarm rang. It never leaves this module."""


class Alarm:
    """What SIGALRM does while we wait: end the wait, once. Before and after, a ring is only noted."""

    __slots__ = ("is_set", "rang")

    def __init__(self) -> None:
        self.is_set = True
        self.rang = False

    def ring(self, _number: int, _frame: object) -> None:
        self.rang = True
        if self.is_set:
            self.is_set = False
            raise TimeUp


def open_beside(path: str) -> int:
    """Open a lock file, made 0600 when it is missing. Raises QueueFileError for what cannot be one."""
    try:
        return os.open(path, FLAGS, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise QueueFileError(
                f"{path} is no lock file but a {kind_of(path)}: remove it, qctl makes its own"
            ) from error
        raise beside_error(error, path) from error


def kind_of(path: str) -> str:
    if os.path.islink(path):
        return "symbolic link"
    return "directory" if os.path.isdir(path) else "special file"


def beside_error(error: OSError, path: str) -> QueueFileError:
    """One line for what the system said of a lock file."""
    text = f"cannot lock {path}: {error.strerror or error}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        text += ": writing needs permission for the queue file, its locks and their directory"
    return QueueFileError(text)


class WritersLock:
    """The turn to write, held only while a transaction or a checkpoint runs; re-entrant within one owner.

    Who has to wait does so in the kernel, which wakes the next in order at once: SQLite's own waiting, which sleeps and
    looks again, lets the lucky starve the others.
    """

    __slots__ = ("depth", "fd", "path", "turn", "waits")

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = -1
        self.depth = 0
        self.waits = 0  # how often the turn was not to be had at once
        self.turn: Turn | None = None  # a wait that was given up, and may still stand in the line

    def acquire(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the turn; False when it did not come. Raises QueueFileError."""
        if self.depth:
            self.depth += 1
            return True
        if self.fd < 0:
            self.fd = open_beside(self.path)
        try:
            if self.turn is not None and self.turn.resume():
                if not self.wait_for(self.turn, max(timeout, GRACE)):
                    return False
            else:
                self.turn = None
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if timeout <= 0 or not self.wait(timeout):
                return False
            self.waits += 1
        except OSError as error:
            raise beside_error(error, self.path) from error
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
        import _signal as signal  # type: ignore[import-not-found]  # not signal, whose enums cost 20 µs a wait, and 5 ms once

        alarm = Alarm()
        try:
            if signal.getsignal(signal.SIGALRM) != signal.SIG_DFL or signal.getitimer(signal.ITIMER_REAL)[0]:
                raise NoAlarm  # somebody else's
            signal.signal(signal.SIGALRM, alarm.ring)
        except ValueError:
            raise NoAlarm from None  # not in the main thread
        came = False
        try:
            try:
                # It rings again: the first ring is lost when it comes just before flock goes to sleep.
                signal.setitimer(signal.ITIMER_REAL, min(timeout, 1e6), AGAIN)
                fcntl.flock(self.fd, fcntl.LOCK_EX)
            finally:
                alarm.is_set = False
            came = True
        except TimeUp:
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            if alarm.rang or not came:
                came = False
                fcntl.flock(self.fd, fcntl.LOCK_UN)  # it may have come with the alarm, or with an interrupt
        return came

    def wait_with_thread(self, timeout: float) -> bool:
        """Let a thread wait: slower, as two have to be woken, but to be had everywhere."""
        self.turn = Turn(self.fd)
        _thread.start_new_thread(self.turn.take, ())
        return self.wait_for(self.turn, timeout)

    def wait_for(self, turn: Turn, timeout: float) -> bool:
        """Whether the thread's turn comes in time; if not it stays in the line, and the next wait takes its place."""
        is_ours = False
        try:
            turn.came.acquire(timeout=min(timeout, _thread.TIMEOUT_MAX))
            is_ours = not turn.give_up()
        except BaseException:
            if not turn.give_up():
                self.turn = None
                fcntl.flock(self.fd, fcntl.LOCK_UN)
            raise
        if is_ours:
            self.turn = None
        return is_ours

    def release(self) -> None:
        """Give the turn to the next."""
        self.depth -= 1
        if not self.depth:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        if self.fd >= 0:
            if self.turn is None or not self.turn.leave():
                os.close(self.fd)
            self.turn = None
            self.fd = -1
            self.depth = 0


class Turn:
    """One wait for the lock, in a thread that may come too late: then it lets the next one pass at once."""

    __slots__ = ("came", "fd", "guard", "is_given_up", "is_left", "is_taken")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.came = _thread.allocate_lock()
        self.came.acquire()
        self.guard = _thread.allocate_lock()
        self.is_taken = False
        self.is_given_up = False
        self.is_left = False

    def take(self) -> None:
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        with self.guard:
            self.is_taken = True
            if self.is_left:
                os.close(self.fd)
            elif self.is_given_up:
                fcntl.flock(self.fd, fcntl.LOCK_UN)
        self.came.release()

    def give_up(self) -> bool:
        """Whether the lock had not come by now."""
        with self.guard:
            self.is_given_up = not self.is_taken
            return self.is_given_up

    def resume(self) -> bool:
        """Want it again. False when it came and went in the meantime."""
        with self.guard:
            if self.is_taken:
                return False
            self.is_given_up = False
            return True

    def leave(self) -> bool:
        """Whether the thread still waits on the descriptor, and will close it."""
        with self.guard:
            self.is_left = not self.is_taken
            return self.is_left


class LifeLocks:
    """One byte of `QUEUE-workers` per worker, held for as long as its process lives.

    POSIX locks belong to the process and go when *any* descriptor of the file is closed: a process keeps one
    `LifeLocks` for a file and closes it only at its end.
    """

    __slots__ = ("fd", "held")

    def __init__(self, path: str) -> None:
        self.fd = open_beside(path)
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

    def holder(self, number: int) -> int | None:
        """The process that holds the byte of worker `number`; None when there is none, or none that can be told here."""
        import struct

        layout = LOCK_LAYOUT.get(sys.platform)
        if layout is None or number in self.held:
            return None
        form, place = layout
        kind = fcntl.F_WRLCK
        fields = [kind, os.SEEK_SET, number, 1, 0] if place == 4 else [number, 1, 0, kind, os.SEEK_SET]
        answer = struct.unpack(form, fcntl.fcntl(self.fd, fcntl.F_GETLK, struct.pack(form, *fields)))
        is_held = answer[0 if place == 4 else 3] != fcntl.F_UNLCK
        return answer[place] if is_held and answer[place] > 0 else None

    def close(self) -> None:
        os.close(self.fd)
