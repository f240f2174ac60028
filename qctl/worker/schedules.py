"""Schedules, as a worker tends them: it fires what is due, on time, and asks for news of them once a second."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.log import Log

JUMP = 1.0  # seconds by which a clock that was set is told from one that is being steered


class Schedules:
    """The schedules of a queue. `next_time`: when one ticks, in monotonic seconds."""

    def __init__(self, store: SQLiteStore, log: Log) -> None:
        self.store = store
        self.log = log
        self.next_at: float | None = None  # when the next one ticks, epoch seconds
        self.zone = ""
        self.lead = time.time() - time.monotonic()

    @property
    def next_time(self) -> float:
        """Now, as soon as it is due; for ever away when there is none."""
        return float("inf") if self.next_at is None else time.monotonic() + self.next_at - time.time()

    def look(self) -> None:
        """Learn when the next one ticks: any program may have changed that."""
        from qctl.rules.cron import cron
        from qctl.store.sqlite.tick import forget_ticks, next_at

        wall = time.time()
        lead, before = wall - time.monotonic(), self.lead
        self.lead = lead
        self.next_at = next_at(self.store)
        if self.next_at is None:
            return
        cron("@daily", "UTC")  # what it needs takes long to import: not when a tick is due
        if lead < before - JUMP:
            forget_ticks(self.store, wall)
            self.next_at = 0.0

    def fire(self) -> bool:
        """Make the jobs of what is due; whether there are any."""
        now = time.time()
        if self.next_at is None or now < self.next_at:
            return False
        from qctl.store.sqlite.tick import fire

        if not self.zone:
            from qctl.zone import own_zone

            self.zone = own_zone()
        fired = fire(self.store, now, self.zone)
        self.next_at = fired.next_at
        for name, error in fired.errors:
            self.log.note(f"! schedule {name} stands still: {error}", schedule=name, error=error)
        return bool(fired.numbers)
