"""The turn of one key, among processes: a kernel lock on a file of its own beside the queue, gone when it is done with.

`QUEUE-once-HASH`, flock. A command that is started with the descriptor holds the lock too, and whoever gets it checks
that the name still leads to the file: the one before may have removed it.
"""

from __future__ import annotations

import fcntl
import os

from qctl.store.sqlite.lock import open_beside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Turn:
    """`with Turn(path, key) as turn: turn.acquire(wait=True)`; let go of, and the file removed, at the end."""

    def __init__(self, path: str, key: str) -> None:
        from hashlib import sha256

        self.path = f"{path}-once-{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"
        self.fd = -1
        self.is_ours = False

    def __enter__(self) -> Turn:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_ours:
            os.unlink(self.path)  # before it is let go: who waits for it sees that it is no longer the file
        if self.fd >= 0:
            os.close(self.fd)

    def acquire(self, *, wait: bool) -> bool:
        """Get the turn; False when somebody else has it and we are not to wait. Raises QueueFileError."""
        while not self.is_ours:
            if self.fd < 0:
                self.fd = open_beside(self.path)
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                return False
            self.is_ours = self.leads_here()
            if not self.is_ours:
                os.close(self.fd)
                self.fd = -1
        return True

    def leads_here(self) -> bool:
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        here = os.fstat(self.fd)
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
