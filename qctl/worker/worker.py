"""The worker: one process, one loop, one writing connection. Claim, start, reap, finish, beat."""

from __future__ import annotations

import os
import random
import selectors
import time

from qctl.model import PENDING
from qctl.rules.when import parse_duration, to_text
from qctl.store.sqlite import workers
from qctl.store.sqlite.needs import has_needs
from qctl.worker.care import Care
from qctl.worker.commands import Commands
from qctl.worker.control import Control
from qctl.worker.hardship import FAULTS, Hardship
from qctl.worker.intake import Intake
from qctl.worker.options import Options
from qctl.worker.output import DEFAULT_LIMIT, store_output, taken
from qctl.worker.pace import LONG
from qctl.worker.pool import Pool
from qctl.worker.run import Run
from qctl.worker.supply import Supply
from qctl.worker.typebook import TypeBook
from qctl.worker.wake import Waker
from qctl.worker.widepool import WidePool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from qctl.model import Lease
    from qctl.rules.ending import Ending, Facts
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.log import Log
    from qctl.worker.signals import Signals

GATHER = 0.004  # seconds that an ending may wait for others to share its transaction
ENOUGH = 200  # endings that are worth a transaction of their own at once
LOADING = 0.02  # seconds until a look whether a process has loaded its handlers
FOLLOW = 0.2  # seconds between writing down what running jobs wrote
DAY = 86_400.0


class Worker:
    """A worker on a store. `run()` works until it is told to stop, or what its mode asks for is done."""

    def __init__(self, store: SQLiteStore, options: Options, log: Log, signals: Signals) -> None:
        self.store = store
        self.options = options
        self.log = log
        self.signals = signals
        self.id = f"worker-{os.urandom(4).hex()}"
        self.selector = selectors.DefaultSelector()
        self.commands = Commands(
            store.path,
            lambda fd, run: self.watch(fd, lambda: self.commands.readable(fd, run)),
            self.unwatch,
            options.memory,
        )
        self.pool = Pool(
            options.handlers,
            options.concurrency,
            verbose=options.verbose,
            db=store.path,
            watch=self.watch,
            unwatch=self.unwatch,
            memory=options.memory,
            most=options.max_jobs_per_child,
        )
        self.wide = WidePool(self.pool, options.threads, options.coroutines)
        self.endings: list[tuple[Run, Ending, Facts]] = []
        self.endings_since = 0.0
        self.counts = {"completed": 0, "failed": 0, "pending": 0, "cancelled": 0}
        self.hardship = Hardship(log)
        self.unwritten: list[tuple[Run, bool, Any, Any]] = []  # output taken for a transaction that is not made yet
        self.look = True  # whether a claim may find something
        self.look_wide = True  # the same for the wide process
        self.due_at: float | None = None  # when the next delayed job is due, epoch seconds
        self.types = TypeBook(store, self.pool.types)
        self.supply = Supply(
            store,
            self.id,
            options.concurrency,
            self.commands,
            self.pool,
            self.wide,
            log,
            self.duration("default_timeout", DAY),
            int(store.setting("output_limit") or DEFAULT_LIMIT),
            self.types,
            self.add_ending,
        )
        self.control = Control(store, self.id, self.supply, log, signals, options.grace)
        self.intake = Intake(
            store,
            self.id,
            options,
            self.supply,
            self.types,
            self.control,
            lambda: self.ended_count() + len(self.endings),
        )
        self.care = Care(store, self.id, log, self.duration("stale_after", workers.STALE_AFTER))

    def duration(self, name: str, default: float) -> float:
        text = self.store.setting(name)
        return default if text is None else parse_duration(text)

    # -- the selector ---------------------------------------------------------------------------------------------

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        self.selector.register(fd, selectors.EVENT_READ, callback)

    def unwatch(self, fd: int) -> None:
        try:
            self.selector.unregister(fd)
        except (KeyError, ValueError):
            pass

    # -- life -----------------------------------------------------------------------------------------------------

    def run(self) -> dict[str, int]:
        """Work. Returns how many jobs ended as completed, failed (dead letters), pending (to retry), cancelled."""
        self.pool.load()
        workers.register(self.store, self.id, self.options.concurrency, time.time())
        workers.tell_types(self.store, self.id, self.pool.types)
        self.waker = Waker(self.store.path + "-wal")
        if self.waker.fd >= 0:
            self.watch(self.waker.fd, self.woken)
        self.watch(self.signals.fd, self.signals.clear)
        self.log.announce(self.id, self.options.concurrency, self.pool.own, self.options.handlers, self.store.path)
        try:
            self.loop()
            # Only now: after a fault the row stays, and whoever sees our lock free gives back what we held.
            workers.unregister(self.store, self.id)
        finally:
            self.commands.close()
            self.wide.close()
            self.pool.close()
            self.waker.close()
            self.log.flush()
        return self.counts

    def loop(self) -> None:
        begun = time.monotonic()
        next_follow = begun + FOLLOW
        while True:
            now = time.monotonic()
            is_well = now >= self.hardship.next_try
            try:
                if is_well and self.care.take(now):
                    self.look = self.look_wide = True
            except FAULTS as error:
                self.hardship.hit(error, now)
                is_well = False
            if self.options.max_time is not None and now >= begun + self.options.max_time:
                self.control.stop("the time given is over")
            self.control.enforce(now)
            self.collect()
            flowing = now >= next_follow
            if flowing:
                next_follow = now + FOLLOW
            try:
                if is_well:
                    self.turn(now, follow=flowing)
            except FAULTS as error:
                self.hardship.hit(error, now)
            if not self.hardship.next_try:
                self.supply.start(time.monotonic())
            self.store.begun(time.time())
            self.log.flush()
            if self.is_done():
                return
            self.sleep(next_follow)

    def sleep(self, next_follow: float) -> None:
        """Wait for whatever comes first: an event, a deadline, a job that falls due, the next beat."""
        now = time.monotonic()
        times = [self.care.next_time, now + self.waker.interval, *self.control.next_times()]
        if self.hardship.next_try:
            times = [self.hardship.next_try, *self.control.next_times()]
        elif self.endings:
            times.append(self.endings_since + GATHER)
        hungry, room = self.intake.is_hungry(), bool(self.intake.wide_room())
        if self.hardship.next_try:
            pass
        elif (hungry and self.look) or (room and self.look_wide):
            times.append(now)
        elif (hungry or room) and self.due_at is not None:
            times.append(now + self.due_at - time.time())
        if self.supply.waiting or any(len(process.queue) > 1 for process in self.pool.processes):
            times.append(now + LONG)
        if not self.hardship.next_try and any(
            run.capture is not None and run.capture.has_news for run in self.supply.running()
        ):
            times.append(next_follow)
        grown = self.commands.watch_grown(now)
        if grown is not None:
            times.append(grown)
        watched = self.selector.get_map()
        for key, _events in self.selector.select(max(0.0, min(times) - now)):
            if watched.get(key.fd) is key:  # one before it in this round may have closed it
                key.data()

    def woken(self) -> None:
        self.waker.clear()
        self.look = self.look_wide = True
        self.control.somebody_wrote()

    def ended_count(self) -> int:
        return sum(self.counts.values())

    # -- one turn -------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Gather what ended."""
        self.look_wide = self.look_wide or bool(self.wide.ended)
        for run, ending, facts in self.supply.collect():
            self.add_ending(run, ending, facts)

    def add_ending(self, run: Run, ending: Ending, facts: Facts) -> None:
        if not self.endings:
            self.endings_since = time.monotonic()
        self.endings.append((run, ending, facts))

    def turn(self, now: float, *, follow: bool) -> None:
        """One transaction for all there is to write: endings, output, and the next claim, which then may be ahead."""
        news = (
            [run for run in self.supply.running() if run.capture is not None and run.capture.has_news] if follow else []
        )
        wall = time.time()
        if self.due_at is not None and wall >= self.due_at:
            self.look = self.look_wide = True
        missing = self.intake.free_slots() - len(self.supply.waiting)
        ripe = bool(self.endings) and (
            len(self.endings) >= ENOUGH
            or now - self.endings_since >= GATHER
            or (missing > 0 and not self.supply.busy() and not self.wide.runs)
        )
        wanted = missing + (
            self.supply.pace.ahead() if self.options.max_jobs is None and self.control.stop_at is None else 0
        )
        hungry = missing > 0 or (ripe and wanted > 0)
        claim = self.look and hungry
        room = self.intake.wide_room() if self.look_wide else []
        if not (news or ripe or claim or room):
            return
        leases: list[Lease] = []
        wide: list[Lease] = []
        ready = self.intake.ready(missing) if hungry else 0
        endings = self.endings if ripe else []
        outcomes = []
        with self.store.write() as connection:
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
            for names, most in room:
                got = self.intake.claim(most, names, ready=most, commands=False)
                full = full or len(got) == most
                wide += got
        self.unwritten.clear()
        self.hardship.end()
        if ripe:
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
        if claim or room:
            self.due_at = None if self.look else self.intake.next_due()
            if claim and ready < missing and self.due_at is not None:
                self.due_at = max(self.due_at, wall + LOADING)
        self.store.tidy(4000)

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
        if self.supply.running() or self.endings or self.supply.waiting or self.pool.ended:
            return False
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
