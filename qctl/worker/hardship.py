"""When the disk is full or fails: results are kept, nothing is started, and it is tried again until it works.

What ended meanwhile goes to a spool beside the queue, so that not even the death of this worker loses it.
"""

from __future__ import annotations

from qctl.model import DiskFault, QueueLocked
from qctl.store.sqlite.spool import Spool
from qctl.worker.output import spoolable, taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.rules.ending import Ending, Facts
    from qctl.worker.log import Log
    from qctl.worker.run import Run

PAUSE = 1.0  # seconds between tries
FAULTS = (DiskFault, QueueLocked)


class Hardship:
    """Whether the queue can be written; `next_try` is in monotonic seconds, 0 while all is well."""

    def __init__(self, log: Log, spool: Spool) -> None:
        self.log = log
        self.spool = spool
        self.next_try = 0.0

    def hit(self, error: Exception, now: float) -> None:
        """It cannot: said once."""
        if not self.next_try:
            self.log.note(f"! {error}; results are kept, and no job is started until they can be stored")
        self.next_try = now + PAUSE

    def keep(self, endings: list[tuple[Run, Ending, Facts]], unwritten: list[tuple[Any, ...]]) -> None:
        """Put ends into the spool. `unwritten`: the output that was taken and not stored; that of these runs joins it."""
        fresh = [one for one in endings if not self.spool.holds([one[1]])]
        for run, _ending, _facts in fresh:
            unwritten += taken(run, last=True)
        try:
            self.spool.keep([(ending, facts, spoolable(run, unwritten)) for run, ending, facts in fresh])
        except OSError:
            pass  # the spool lies on the same disk: they stay in memory, and the next try comes

    def has(self, endings: list[tuple[Run, Ending, Facts]]) -> bool:
        """Whether the queue cannot be written, and all these ends are safe in the spool."""
        return bool(self.next_try) and self.spool.holds([ending for _run, ending, _facts in endings])

    def end(self) -> None:
        """It can."""
        if self.next_try:
            self.next_try = 0.0
            self.log.note("! the queue can be written again: it goes on")
