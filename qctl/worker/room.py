"""Room for what a worker starts: descriptors, processes, memory. Where there is none a job waits, and loses nothing."""

from __future__ import annotations

import errno
import os

SCARCE = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
"""What the system says when it has no more to give just now."""

SPARE = 8  # descriptors that are left for the queue file and its like
AGAIN = 1.0  # seconds until a command that could not be started for want of room is tried again


def highest() -> int:
    """The highest number that a descriptor of a job may have."""
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return (1 << 31) if soft == resource.RLIM_INFINITY else soft - 1 - SPARE


def has_room(count: int) -> bool:
    """Whether `count` more descriptors are to be had, and some to spare."""
    fds: list[int] = []
    try:
        for _ in range(count):
            fds.append(os.dup(0))
        return fds[-1] <= highest()
    except OSError:
        return False
    finally:
        for fd in fds:
            os.close(fd)
