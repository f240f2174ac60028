"""A worker's care for itself and others: its sign of life, the jobs of workers that died, the schedules."""

from __future__ import annotations

import random
import time

from qctl.model import FAILED, QctlError, QueueFileError
from qctl.rules.when import to_text
from qctl.store.sqlite import hooks, workers
from qctl.store.sqlite.cleanup import heed_others
from qctl.store.sqlite.connection import identity
from qctl.store.sqlite.gates import forget_starts
from qctl.store.sqlite.ledger import write_rest
from qctl.store.sqlite.room import keep_reserve
from qctl.store.sqlite.upkeep import upkeep
from qctl.store.sqlite.wal import save
from qctl.worker.burial import end_frozen, is_stopped, sweep_after
from qctl.worker.hardship import FAULTS
from qctl.worker.schedules import JUMP, Schedules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.log import Log

BEAT = 10.0  # seconds between signs of life in the file
EXPIRED = 500  # jobs cancelled in one transaction because their time is over
UPKEEP = 5.0  # seconds between countings of what was enqueued
TEND = 1.0  # seconds between looks for workers that died


class TakenForDead(QctlError):
    """Others took this worker for dead, and have its jobs."""


class Care:
    """What one worker does from time to time; `next_time` is when, in monotonic seconds."""

    def __init__(
        self, store: SQLiteStore, worker: str, log: Log, stale_after: float, compare: Callable[[float], None]
    ) -> None:
        self.store = store
        self.id = worker
        self.log = log
        self.stale_after = stale_after
        self.compare = compare  # looks whether what the worker holds is what it runs
        self.interval = min(BEAT, stale_after / 3)
        self.last_beat = time.monotonic()
        self.next_beat = self.last_beat + self.interval
        self.frozen: set[str] = set()
        self.next_tend = 0.0
        self.next_health = 0.0
        self.next_upkeep = time.time() + UPKEEP
        self.lead = time.time() - time.monotonic()
        self.ages_from = 0.0  # monotonic seconds: before that ages by the clock of the day say nothing
        self.schedules = Schedules(store, log)

    @property
    def next_time(self) -> float:
        return min(self.next_beat, self.next_tend, self.schedules.next_time)

    def take(self, now: float) -> bool:
        """Do what is due; whether jobs came to the queue by that."""
        came_back = False
        if now >= self.next_tend:
            self.look_at_file()
        if now >= self.next_beat:  # before anything else: after a long sleep it must know what it still holds
            self.beat(now)
            self.compare(now)
            forget_starts(self.store, time.time())
            keep_reserve(self.store)
        if now >= self.next_tend:
            self.next_tend = now + TEND
            came_back = self.tend()
            self.schedules.look()
        return self.schedules.fire() or came_back

    def beat(self, now: float) -> None:
        if not workers.beat(self.store, self.id, time.time(), self.stale_after):
            raise TakenForDead(f"{self.id} was taken for dead by others, who have its jobs now: it stops")
        self.last_beat, self.next_beat = now, now + self.interval

    def is_overdue(self, now: float) -> bool:
        """Whether it has not beaten for so long that others may have taken its jobs."""
        return now - self.last_beat > self.stale_after

    def look_at_file(self) -> None:
        store = self.store
        if store.is_still_there():
            return
        saved = ""
        if identity(store.name) == store.identity and store.lock is not None and store.lock.acquire(store.busy_timeout):
            try:
                if save(store.connection, store.path):
                    saved = "; what its log held was copied into it"
            finally:
                store.lock.release()
        what = f"the log of {store.path} was deleted" if saved else f"{store.path} was deleted or replaced"
        raise QueueFileError(f"{what} while {self.id} worked on it{saved}: it stops")

    def tend(self) -> bool:
        """Look after jobs whose worker died."""
        now = time.time()
        write_rest(self.store)
        if now >= self.next_upkeep and upkeep(self.store, now):
            self.next_upkeep = now + UPKEEP
        judges = now >= self.next_health
        if judges:
            self.next_health = now + BEAT
        told = hooks.look(self.store, time.time(), health=judges)
        outcomes = []
        old = self.stale_after if self.knows_ages() else float("inf")
        dead = self.end_frozen() + workers.dead_workers(self.store, self.id, now, old)
        for one in dead:
            sweep_after(self.store, one.id)
        if dead:
            outcomes += workers.bury(self.store, dead, now, random.random)
        if old == self.stale_after:
            outcomes += workers.rescue_stale(self.store, now, self.stale_after, random.random)
        if outcomes:
            rescued = sum(1 for outcome in outcomes if outcome.move is not None and outcome.move.status != FAILED)
            self.log.note(f"! rescued {rescued} of a worker that died", rescued=rescued)
        self.expire(now)
        told += heed_others(self.store, to_text(now))
        return bool(outcomes or told)

    def knows_ages(self) -> bool:
        """Whether what seems old is so: not until a limit after the clock was set, or the machine woke from its sleep, since
        who has jobs and is no worker of this machine is only known by the clock of the day."""
        clock = time.monotonic()
        before, self.lead = self.lead, time.time() - clock
        if abs(self.lead - before) > JUMP:
            self.ages_from = clock + self.stale_after
        return clock >= self.ages_from

    def end_frozen(self) -> list[workers.Dead]:
        """End workers of this machine whose lease ran out: those that were so at the last look, too, since all of them
        may just have been woken from the same sleep."""
        frozen = {row[1]: row for row in workers.frozen_workers(self.store, self.id, time.monotonic())}
        before, self.frozen = self.frozen, set(frozen)
        dead = []
        for number, id_, pid in [frozen[id_] for id_ in frozen if id_ in before]:
            is_gone = pid is not None and end_frozen(self.store, number, pid)
            how = "killed" if is_gone else "it cannot be killed, its results will be dropped"
            self.log.note(f"! {id_} (pid {pid or 'unknown'}) gave no sign of life for the length of its lease: {how}")
            dead.append(workers.Dead(id_, f"its worker {id_} was frozen"))
        return dead

    def end_stopped(self) -> None:
        """While the queue is locked: end workers that were stopped with a transaction open, past their lease. Those who
        only wait for the lock, as we do, are none of them."""
        try:
            frozen = workers.frozen_workers(self.store, self.id, time.monotonic())
        except FAULTS:
            return  # nothing can be read either: the next try comes
        for number, id_, pid in frozen:
            if pid is not None and is_stopped(pid) and end_frozen(self.store, number, pid):
                self.log.note(
                    f"! {id_} (pid {pid}) was stopped while it held the lock, for the length of its lease: killed"
                )

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
