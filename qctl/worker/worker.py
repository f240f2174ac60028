"""The worker: one process, one loop, one writing connection. Claim, start, reap, finish, beat."""

from __future__ import annotations

import os
import random
import time

from qctl.model import PENDING, QueueLocked
from qctl.rules.when import to_text
from qctl.store.sqlite import spool, syncer, workers
from qctl.store.sqlite.needs import has_needs
from qctl.store.sqlite.room import keep_reserve
from qctl.worker.alarm import GATHER, next_time
from qctl.worker.care import Care, TakenForDead
from qctl.worker.commands import Commands
from qctl.worker.control import Control
from qctl.worker.events import Events
from qctl.worker.hardship import Hardship
from qctl.worker.holdings import compare
from qctl.worker.intake import Intake
from qctl.worker.options import Options, seconds_of
from qctl.worker.output import DEFAULT_LIMIT, store_output, taken
from qctl.worker.pool import Pool
from qctl.worker.relay import relay
from qctl.worker.run import Run
from qctl.worker.supply import Supply
from qctl.worker.typebook import TypeBook
from qctl.worker.wake import Waker
from qctl.worker.widepool import WidePool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.model import Lease
    from qctl.rules.ending import Ending, Facts
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.log import Log
    from qctl.worker.signals import Signals

ENOUGH = 200  # endings that are worth a transaction of their own at once
LOADING = 0.02  # seconds until a look whether a process has loaded its handlers
FOLLOW = 0.2  # seconds between writing down what running jobs wrote
TIDY = 0.02  # seconds between looks at how large the log is: less than it takes to fill it
DAY = 86_400.0


class Worker:
    """A worker on a store. `run()` works until it is told to stop, or what its mode asks for is done."""

    def __init__(self, store: SQLiteStore, options: Options, log: Log, signals: Signals) -> None:
        self.store = store
        self.options = options
        self.log = log
        self.signals = signals
        self.id = f"worker-{os.urandom(4).hex()}"
        self.events = Events()
        self.pool = Pool(
            options.handlers,
            options.concurrency,
            verbose=options.verbose,
            db=store.path,
            watch=self.events.watch,
            unwatch=self.events.unwatch,
            memory=options.memory,
            most=options.max_jobs_per_child,
            worker=self.id,
        )
        self.commands = Commands(
            store.path,
            lambda fd, run: self.events.watch(fd, lambda: self.commands.readable(fd, run)),
            self.events.unwatch,
            self.pool.marks,  # one table for all that runs
            options.memory,
            self.id,
        )
        self.wide = WidePool(self.pool, options.threads, options.coroutines)
        self.endings: list[tuple[Run, Ending, Facts]] = []
        self.endings_since = 0.0
        self.counts = {"completed": 0, "failed": 0, "pending": 0, "cancelled": 0}
        self.hardship = Hardship(store, log, spool.Spool(store.path, self.id))
        self.hardship.suffer = self.suffer
        self.unwritten: list[tuple[Run, bool, Any, Any]] = []  # output taken for a transaction that is not made yet
        self.look = True  # whether a claim may find something
        self.look_wide = True  # the same for the wide process
        self.due_at: float | None = None  # when the next delayed job is due, epoch seconds
        self.asks_due = False  # whether that has to be looked up before the worker sleeps with a slot free
        self.tidy_at = 0.0  # monotonic seconds
        self.types = TypeBook(store, self.pool.types)
        self.supply = Supply(
            store, self.id, options.concurrency, self.commands, self.pool, self.wide, self.hardship,
            seconds_of(store, "default_timeout", DAY), int(store.setting("output_limit") or DEFAULT_LIMIT), self.types,
            self.add_ending,
        )  # fmt: skip
        self.control = Control(store, self.id, self.supply, log, signals, options.grace)
        self.hardship.stop = self.control.stop
        self.intake = Intake(
            store, self.id, options, self.supply, self.types, self.control, self.hardship,
            lambda: self.ended_count() + len(self.endings),
        )  # fmt: skip
        self.care = Care(store, self.id, log, seconds_of(store, "stale_after", workers.STALE_AFTER), self.compare)

    # -- life -----------------------------------------------------------------------------------------------------

    def run(self) -> dict[str, int]:
        """Work. Returns how many jobs ended as completed, failed (dead letters), pending (to retry), cancelled."""
        self.pool.load()
        spool.replay_leftovers(self.store, time.time(), random.random)
        syncer.sync_behind(self.store)
        workers.register(self.store, self.id, self.options.concurrency, time.time(), self.care.stale_after)
        self.types.tell(self.id, self.options.types, self.options.queues)
        keep_reserve(self.store)
        self.waker = Waker(self.store.path + "-wal")
        if self.waker.fd >= 0:
            self.events.watch(self.waker.fd, self.woken)
        self.events.watch(self.signals.fd, self.signals.clear)
        self.log.announce(self.id, self.options.concurrency, self.pool.own, self.options.handlers, self.store.path)
        try:
            self.loop()
            # Only now: after a fault the row stays, and whoever sees our lock free gives back what we held.
            self.hardship.own_up(self.endings or self.supply.back)  # the row stays: whoever buries us writes that down
            workers.unregister(self.store, self.id)
        except BaseException as error:
            if not isinstance(error, TakenForDead):
                self.hardship.keep(self.endings, self.unwritten)
            self.control.kill_runs()
            raise
        finally:
            self.commands.close()
            self.wide.close()
            self.pool.close()
            self.waker.close()
            self.log.flush()
        syncer.sync_first(self.store)
        self.hardship.leave()
        return self.counts

    def loop(self) -> None:
        begun = time.monotonic()
        next_follow = begun + FOLLOW
        bear = self.hardship.bear
        while True:
            now = time.monotonic()
            if now >= self.hardship.next_try and (self.hardship.look(now) or bear(self.care.take, now)):
                self.look = self.look_wide = True
            if self.options.max_time is not None and now >= begun + self.options.max_time:
                self.control.stop("the time given is over")
            bear(self.control.enforce, now)
            self.collect()
            flowing = now >= next_follow
            if flowing:
                next_follow = now + FOLLOW
            if now >= self.hardship.next_try:
                bear(self.turn, now, flowing)
            if not self.hardship.next_try:
                self.supply.start(time.monotonic())
            self.log.flush()
            if bear(self.is_done):
                return
            self.sleep(next_follow)

    def suffer(self, error: Exception, now: float) -> None:
        """The queue cannot be written: keep what ended; after the length of a lease others may have what still runs."""
        self.hardship.keep(self.endings, self.unwritten)
        if isinstance(error, QueueLocked):
            self.care.end_stopped()
        if self.care.is_overdue(now):
            self.control.stop_runs(now)

    def sleep(self, next_follow: float) -> None:
        """Wait for whatever comes first: an event, a deadline, a job that falls due, the next beat."""
        if self.asks_due and not self.hardship.next_try and (self.intake.is_hungry() or self.intake.wide_room()):
            self.hardship.bear(self.learn_due)
        now = time.monotonic()
        until = next_time(self, now, next_follow)
        self.events.wait(until - now)
        if self.supply.waiting and not self.hardship.next_try and not self.signals.count:
            relay(self.supply, self.add_ending, self.events.wait, min(until, time.monotonic() + GATHER))

    def woken(self) -> None:
        self.waker.clear()
        self.look = self.look_wide = True
        self.control.somebody_wrote()

    def ended_count(self) -> int:
        return sum(self.counts.values())

    # -- one turn -------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Gather what ended."""
        self.look_wide = self.wide.reopens() or self.look_wide or bool(self.wide.ended)
        for run, ending, facts in self.supply.collect():
            self.add_ending(run, ending, facts)
        self.pool.begun.keep(self.supply.held)

    def add_ending(self, run: Run, ending: Ending, facts: Facts) -> None:
        if not self.endings:
            self.endings_since = time.monotonic()
        self.endings.append((run, ending, facts))

    def turn(self, now: float, follow: bool) -> None:
        """One transaction for all there is to write: endings, output, and the next claim, which then may be ahead."""
        if self.supply.back:
            self.supply.give_back()
        news = self.supply.news() if follow else []
        wall = time.time()
        if self.due_at is not None and wall >= self.due_at:
            self.look = self.look_wide = True
        missing = self.intake.free_slots() - len(self.supply.waiting)
        claim = self.look and missing > 0
        ripe = bool(self.endings) and (
            claim  # they go with it: that costs less than a transaction of their own
            or len(self.endings) >= ENOUGH
            or now - self.endings_since >= GATHER
            or (missing > 0 and not self.supply.busy() and not self.wide.runs)
        )
        wanted = missing + self.intake.ahead()
        hungry = (missing > 0 or (ripe and wanted > 0)) and not self.hardship.is_short
        claim = self.look and hungry
        room = self.intake.wide_room() if self.look_wide else []
        if self.hardship.next_try and ripe:  # results first: a claim that finds no room must not keep them out
            claim, hungry, room = False, False, []
        if not (news or ripe or claim or room or now >= self.pool.begun.look_at):
            if self.hardship.next_try:  # nothing to write, so try with something
                self.care.beat(now)
                self.hardship.end()
            return
        leases: list[Lease] = []
        wide: list[Lease] = []
        ready = self.intake.ready(missing) if hungry else 0
        endings = self.endings if ripe else []
        outcomes = []
        starting = [self.intake.wide_ready(most) for _names, most in room]
        loading = (claim and ready < missing) or 0 in starting
        with self.store.write() as connection:
            self.pool.begun.write(connection)
            for run, _ending, _facts in endings:
                self.unwritten += taken(run, last=True)
            for run in news:
                self.unwritten += taken(run, last=False)
            for one in self.unwritten:
                store_output(connection, *one)
            if endings:
                outcomes = self.store.finish(
                    self.id, [(ending, facts) for _run, ending, facts in endings], to_text(wall), random.random
                )
                claim = claim or (hungry and has_needs(connection))  # what waited for them goes on at once
            if claim:
                self.types.refresh()
                leases = self.intake.claim(wanted, self.intake.narrow_types(), ready=ready)
            full = False
            for (names, most), ready in zip(room, starting, strict=True):
                got = self.intake.claim(most, names, ready=ready, commands=False)
                full = full or len(got) == most
                wide += got
        self.unwritten.clear()
        self.pool.begun.written()
        self.hardship.end()
        if ripe:
            self.hardship.spool.clear()
            self.endings = []
            self.settle(endings, outcomes, wall)
        if room:
            self.look_wide = full
            if wide:
                self.supply.begin(wide)
        if claim:
            self.look = len(leases) == wanted
            if leases:
                self.types.equip(leases)
                self.supply.add(leases)
                self.supply.start(time.monotonic())  # before anything else: somebody may be waiting for it
        if claim or room:
            self.due_at, self.asks_due = None, not self.look
            if loading and self.asks_due:
                self.learn_due()
                if self.due_at is not None:
                    self.due_at = max(self.due_at, wall + LOADING)
        if now >= self.tidy_at:
            self.tidy_at = now + TIDY
            self.store.tidy(4000)

    def learn_due(self) -> None:
        """Look up when the next job is due that there is room for."""
        self.due_at, self.asks_due = self.intake.next_due(), False

    def compare(self, now: float) -> None:
        compare(self.supply, self.control, [one[0] for one in self.endings], self.log, now)

    def settle(self, endings: Any, outcomes: Any, wall: float) -> None:
        for (run, ending, _facts), outcome in zip(endings, outcomes, strict=True):
            move = outcome.move
            self.log.ended(run, ending, move)
            if move is None or move.status not in self.counts:
                continue
            self.counts[move.status] += 1
            if move.status == PENDING:
                due = move.due_at if move.due_at is not None else wall
                self.due_at = due if self.due_at is None else min(self.due_at, due)

    def is_done(self) -> bool:
        if self.supply.running() or self.supply.waiting or self.pool.ended:
            return False
        if self.supply.back and (self.control.stop_at is None or not self.hardship.next_try):
            return False
        if self.endings:  # told to stop, and the queue cannot be written: the spool will do
            return self.control.stop_at is not None and self.hardship.has(self.endings)
        if self.control.stop_at is not None:
            return True
        if self.options.max_jobs is not None and self.ended_count() >= self.options.max_jobs:
            return True
        if self.options.mode == "stay" or self.look:
            return False
        due = self.intake.next_due(anything=True)
        if due is None:
            return True
        self.due_at = due
        return self.options.mode == "once" and due > time.time()
