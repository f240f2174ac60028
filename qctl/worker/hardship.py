"""When the disk is full or fails: results are kept, nothing is started, and it is tried again until it works.

What ended meanwhile goes to a spool beside the queue, so that not even the death of this worker loses it. When the disk
is nearly full no job is claimed, so that what runs can still be written down.
"""

from __future__ import annotations

import time

from qctl.model import DiskFault, Outdated, QueueLocked
from qctl.store.sqlite.room import shortage
from qctl.store.sqlite.spool import Spool
from qctl.worker.output import spoolable, taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from qctl.rules.ending import Ending, Facts
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.log import Log
    from qctl.worker.run import Run

PAUSE = 1.0  # seconds between tries
LOOK = 1.0  # seconds between looks at the room on the disk
FAULTS = (DiskFault, QueueLocked)


class Hardship:
    """Whether the queue can be written; `next_try` is in monotonic seconds, 0 while all is well. `is_short`: no job may
    be claimed for want of room."""

    def __init__(self, store: SQLiteStore, log: Log, spool: Spool) -> None:
        self.store = store
        self.log = log
        self.spool = spool
        self.next_try = 0.0
        self.next_look = 0.0
        self.error: Exception | None = None  # the latest
        self.is_short = False
        self.stop: Callable[[str], None] = log.note  # the worker's own, as soon as it has one
        self.suffer: Callable[[Exception, float], None] | None = None  # likewise: what it does at a fault
        self.outdated: Outdated | None = None  # the file was migrated by a newer qctl: what runs may end, nothing else

    def hit(self, error: Exception, now: float) -> None:
        """It cannot: said once."""
        is_first = not self.next_try
        self.error = error
        if is_first:
            self.log.note(f"! {error}; results are kept, and no job is started until they can be stored")
        # A log that was copied into the file starts anew, and needs no more room then.
        self.next_try = now if isinstance(error, DiskFault) and self.store.tidy(0) and is_first else now + PAUSE

    def bear(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do something that the disk may keep from being done now; None then."""
        try:
            return act(*arguments)
        except FAULTS as error:
            now = time.monotonic()
            self.hit(error, now)
            if self.suffer is not None:
                self.suffer(error, now)
        except Outdated as error:
            self.outdated = error
            self.stop("the queue was migrated by a newer qctl")
        return None

    def own_up(self, unwritten: Sequence[Any]) -> None:
        """Raises what kept the last of a worker's work from being written down."""
        if unwritten and self.error is not None:
            raise self.error

    def leave(self) -> None:
        """Raises Outdated at the end of a worker that had to stop for it."""
        if self.outdated is not None:
            raise self.outdated

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

    def look(self, now: float) -> bool:
        """See whether there is room; True when there is again."""
        if now < self.next_look:
            return False
        self.next_look = now + LOOK
        syncer = self.store.syncer
        if syncer is not None and syncer.mended is not None:
            self.log.note(f"! the disk failed once ({syncer.mended.strerror}): what it had not taken was written again")
            syncer.mended = None
        before, why = self.is_short, shortage(self.store)
        self.is_short = why is not None
        if self.is_short and not before:
            self.log.note(f"! {why}: no job is started until there is room")
        if before and not self.is_short:
            self.log.note("! there is room on the disk again: it goes on")
        return before and not self.is_short
