"""Woken by the commit: the write-ahead log changes when anybody commits, plain SQL included."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

POLL = 0.2
"""Seconds between looks where the system cannot tell of changes to a file."""

NET = 5.0
"""Seconds between looks where it can, in case it forgets to."""

IN_MODIFY = 0x2
IN_CLOEXEC, IN_NONBLOCK = 0o2000000, 0o4000


class Waker:
    """A descriptor that becomes readable when the file changes; -1 where there is no such thing: poll, then."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = -1
        self.queue: Any = None
        try:
            if sys.platform == "linux":
                self.inotify()
            else:
                self.kqueue()
        except (OSError, AttributeError, ImportError):
            self.close()

    @property
    def interval(self) -> float:
        """How long to sleep at most, in seconds."""
        return NET if self.fd >= 0 else POLL

    def inotify(self) -> None:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(IN_CLOEXEC | IN_NONBLOCK)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(self.path), IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def kqueue(self) -> None:
        import select

        kqueue: Any = getattr(select, "kqueue")  # noqa: B009 - not there on Linux
        event: Any = getattr(select, "kevent")  # noqa: B009
        self.file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        self.queue = kqueue()
        flags = getattr(select, "KQ_EV_ADD") | getattr(select, "KQ_EV_CLEAR")  # noqa: B009
        notes = getattr(select, "KQ_NOTE_WRITE") | getattr(select, "KQ_NOTE_EXTEND")  # noqa: B009
        change = event(self.file, getattr(select, "KQ_FILTER_VNODE"), flags, notes)  # noqa: B009
        self.queue.control([change], 0)
        self.fd = self.queue.fileno()

    def clear(self) -> None:
        """Take the news, so that the next change is news again."""
        try:
            if self.queue is not None:
                self.queue.control(None, 16, 0)
            elif self.fd >= 0:
                os.read(self.fd, 1 << 16)
        except OSError:
            pass  # there was no news, or no more than that something changed

    def close(self) -> None:
        if self.queue is not None:
            self.queue.close()
            os.close(self.file)
        elif self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
        self.queue = None
