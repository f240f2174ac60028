"""A worker's care for itself and others: its sign of life, the jobs of workers that died, the schedules."""

from __future__ import annotations

import random
import time

from qctl.model import FAILED, QctlError, QueueFileError
from qctl.rules.when import to_text
from qctl.store.sqlite import hooks, workers
from qctl.store.sqlite.ledger import write_rest
from qctl.store.sqlite.upkeep import upkeep
from qctl.worker.schedules import Schedules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.log import Log

BEAT = 10.0  # seconds between signs of life in the file
EXPIRED = 500  # jobs cancelled in one transaction because their time is over
UPKEEP = 5.0  # seconds between countings of what was enqueued
TEND = 1.0  # seconds between looks for workers that died


class Care:
    """What one worker does from time to time; `next_time` is when, in monotonic seconds."""

    def __init__(self, store: SQLiteStore, worker: str, log: Log, stale_after: float) -> None:
        self.store = store
        self.id = worker
        self.log = log
        self.stale_after = stale_after
        self.next_beat = time.monotonic() + BEAT
        self.next_tend = 0.0
        self.next_health = 0.0
        self.next_upkeep = time.time() + UPKEEP
        self.schedules = Schedules(store, log)

    @property
    def next_time(self) -> float:
        return min(self.next_beat, self.next_tend, self.schedules.next_time)

    def take(self, now: float) -> bool:
        """Do what is due; whether jobs came to the queue by that."""
        came_back = False
        if now >= self.next_tend:
            self.next_tend = now + TEND
            came_back = self.tend()
            self.schedules.look()
        came_back = self.schedules.fire() or came_back
        if now >= self.next_beat:
            self.next_beat = now + BEAT
            self.beat()
            self.store.forget_starts(time.time())
        return came_back

    def beat(self) -> None:
        if not workers.beat(self.store, self.id, time.time()):
            raise QctlError(f"{self.id} was taken for dead by others, who have its jobs now: it stops")

    def tend(self) -> bool:
        """Look after jobs whose worker died."""
        if not self.store.is_still_there():
            raise QueueFileError(f"{self.store.path} was deleted or replaced while {self.id} worked on it: it stops")
        now = time.time()
        write_rest(self.store)
        if now >= self.next_upkeep and upkeep(self.store, now):
            self.next_upkeep = now + UPKEEP
        judges = now >= self.next_health
        if judges:
            self.next_health = now + BEAT
        told = hooks.look(self.store, time.time(), health=judges)
        outcomes = []
        dead = workers.dead_workers(self.store, self.id, now, self.stale_after)
        if dead:
            outcomes += workers.bury(self.store, dead, now, random.random)
        outcomes += workers.rescue_stale(self.store, now, self.stale_after, random.random)
        if outcomes:
            rescued = sum(1 for outcome in outcomes if outcome.move is not None and outcome.move.status != FAILED)
            self.log.note(f"! rescued {rescued} of a worker that died", rescued=rescued)
        self.expire(now)
        return bool(outcomes or told)

    def expire(self, now: float) -> None:
        """Cancel what was not started in time."""
        count = 0
        while True:
            chunk = self.store.expire(to_text(now), EXPIRED)
            count += chunk
            if chunk < EXPIRED:
                break
        if count:
            self.log.note(f"! {count} expired before they could start: cancelled", expired=count)
