"""When the disk is full or fails: results are kept, nothing is started, and it is tried again until it works."""

from __future__ import annotations

from qctl.model import DiskFault, QueueLocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.worker.log import Log

PAUSE = 1.0  # seconds between tries
FAULTS = (DiskFault, QueueLocked)


class Hardship:
    """Whether the queue can be written; `next_try` is in monotonic seconds, 0 while all is well."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.next_try = 0.0

    def hit(self, error: Exception, now: float) -> None:
        """It cannot: said once."""
        if not self.next_try:
            self.log.note(f"! {error}; results are kept, and no job is started until they can be stored")
        self.next_try = now + PAUSE

    def end(self) -> None:
        """It can."""
        if self.next_try:
            self.next_try = 0.0
            self.log.note("! the queue can be written again: it goes on")
