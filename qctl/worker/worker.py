"""The worker: one process, one loop, one writing connection. Claim, start, reap, finish, beat."""

from __future__ import annotations

import os
import random
import selectors
import time
from collections import deque

from qctl.model import FAILED, PENDING, QctlError, QueueFileError
from qctl.rules.ending import CANCEL, STOPPED, TIMEOUT
from qctl.rules.when import from_text, parse_duration, to_text
from qctl.store.sqlite import workers
from qctl.store.sqlite.sql import sql
from qctl.worker.commands import CommandRun, Commands
from qctl.worker.output import DEFAULT_LIMIT
from qctl.worker.pace import AHEAD, LONG, Pace
from qctl.worker.pool import Pool
from qctl.worker.run import Run
from qctl.worker.wake import Waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any

    from qctl.model import Lease
    from qctl.rules.ending import Ending, Facts
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.log import Log
    from qctl.worker.pool import HandlerProcess
    from qctl.worker.signals import Signals

BEAT = 10.0  # seconds between signs of life in the file
TEND = 1.0  # seconds between looks for workers that died
GATHER = 0.004  # seconds that an ending may wait for others to share its transaction
ENOUGH = 200  # endings that are worth a transaction of their own at once
FOLLOW = 0.2  # seconds between writing down what running jobs wrote
CANCEL_LOOK = 0.1  # seconds between looks for jobs that somebody cancelled
DAY = 86_400.0


class Options:
    """What a worker was told: see `qctl work --help`. Times in seconds."""

    __slots__ = ("concurrency", "grace", "handlers", "max_jobs", "max_time", "mode", "queues", "types", "verbose")

    def __init__(
        self,
        *,
        concurrency: int = 1,
        handlers: list[str] | None = None,
        queues: Container[str] | None = None,
        types: Container[str] | None = None,
        mode: str = "stay",
        max_jobs: int | None = None,
        max_time: float | None = None,
        grace: float = 30.0,
        verbose: bool = False,
    ) -> None:
        self.concurrency = concurrency
        self.handlers = handlers or []
        self.queues = queues
        self.types = types
        self.mode = mode  # stay, once, drain
        self.max_jobs = max_jobs
        self.max_time = max_time
        self.grace = grace
        self.verbose = verbose


class Worker:
    """A worker on a store. `run()` works until it is told to stop, or what its mode asks for is done."""

    def __init__(self, store: SQLiteStore, options: Options, log: Log, signals: Signals) -> None:
        self.store = store
        self.options = options
        self.log = log
        self.signals = signals
        self.id = f"worker-{os.urandom(4).hex()}"
        self.selector = selectors.DefaultSelector()
        self.commands = Commands(store.path, self.watch_command, self.unwatch)
        self.pool = Pool(
            options.handlers,
            options.concurrency,
            verbose=options.verbose,
            db=store.path,
            watch=self.watch,
            unwatch=self.unwatch,
        )
        self.pace = Pace()
        self.waiting: deque[Lease] = deque()  # claimed ahead, not begun
        self.waiting_since = 0.0
        self.endings: list[tuple[Run, Ending, Facts]] = []
        self.endings_since = 0.0
        self.counts = {"completed": 0, "failed": 0, "pending": 0, "cancelled": 0}
        self.stop_at: float | None = None  # when grace is over
        self.look = True  # whether a claim may find something
        self.due_at: float | None = None  # when the next delayed job is due, epoch seconds
        self.cancel_look_at: float | None = 0.0  # when to look for cancelled jobs: soon after somebody wrote
        self.cancel_looked = 0.0
        self.time_limit = self.duration("default_timeout", DAY)
        self.output_limit = int(store.setting("output_limit") or DEFAULT_LIMIT)
        self.stale_after = self.duration("stale_after", workers.STALE_AFTER)

    def duration(self, name: str, default: float) -> float:
        text = self.store.setting(name)
        return default if text is None else parse_duration(text)

    # -- the selector ---------------------------------------------------------------------------------------------

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        self.selector.register(fd, selectors.EVENT_READ, callback)

    def watch_command(self, fd: int, run: CommandRun) -> None:
        self.watch(fd, lambda: self.commands.readable(fd, run))

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
        self.waker = Waker(self.store.path + "-wal")
        if self.waker.fd >= 0:
            self.watch(self.waker.fd, self.woken)
        self.watch(self.signals.fd, self.signals.clear)
        self.announce()
        try:
            self.loop()
            # Only now: after a fault the row stays, and whoever sees our lock free gives back what we held.
            workers.unregister(self.store, self.id)
        finally:
            self.commands.close()
            self.pool.close()
            self.waker.close()
            self.log.flush()
        return self.counts

    def announce(self) -> None:
        slots = f"{self.options.concurrency} slot" + ("s" if self.options.concurrency > 1 else "")
        known = len(self.pool.types)
        handlers = (
            f" · {known} handler{'s' if known > 1 else ''} from {', '.join(self.options.handlers)}" if known else ""
        )
        self.log.note(f"qctl {self.id} · {slots}{handlers} · {self.store.path}", worker=self.id)
        self.log.flush()

    def loop(self) -> None:
        begun = time.monotonic()
        next_beat, next_tend, next_follow = begun + BEAT, begun, begun + FOLLOW
        while True:
            now = time.monotonic()
            self.heed_signals(now)
            if now >= next_tend:
                next_tend = now + TEND
                self.tend()
            if now >= next_beat:
                next_beat = now + BEAT
                self.beat()
            if self.options.max_time is not None and now >= begun + self.options.max_time:
                self.stop("the time given is over")
            self.enforce(now)
            self.collect()
            flowing = now >= next_follow
            if flowing:
                next_follow = now + FOLLOW
            self.turn(now, follow=flowing)
            self.start_waiting(time.monotonic())
            self.log.flush()
            if self.is_done():
                return
            self.sleep(min(next_beat, next_tend), next_follow)

    def sleep(self, until: float, next_follow: float) -> None:
        """Wait for whatever comes first: an event, a deadline, a job that falls due, the next beat."""
        now = time.monotonic()
        times = [until, now + self.waker.interval]
        if self.endings:
            times.append(self.endings_since + GATHER)
        if self.is_hungry():
            if self.look:
                times.append(now)
            elif self.due_at is not None:
                times.append(now + self.due_at - time.time())
        if self.waiting or any(len(process.queue) > 1 for process in self.pool.processes):
            times.append(now + LONG)
        for run in self.running():
            if run.deadline is not None and run.fate is None:
                times.append(run.deadline)
            if run.kill_at is not None:
                times.append(run.kill_at)
            if run.capture is not None and run.capture.has_news:
                times.append(next_follow)
        if self.stop_at is not None:
            times.append(self.stop_at)
        if self.cancel_look_at is not None:
            times.append(self.cancel_look_at)
        grown = self.commands.watch_grown(now)
        if grown is not None:
            times.append(grown)
        watched = self.selector.get_map()
        for key, _events in self.selector.select(max(0.0, min(times) - now)):
            if watched.get(key.fd) is key:  # one before it in this round may have closed it
                key.data()

    def woken(self) -> None:
        self.waker.clear()
        self.look = True
        if self.cancel_look_at is None:
            self.cancel_look_at = self.cancel_looked + CANCEL_LOOK

    def running(self) -> list[Run]:
        """The runs in progress."""
        runs: list[Run] = list(self.commands.running.values())
        runs += [process.queue[0] for process in self.pool.processes if process.queue]
        return runs

    def free_slots(self) -> int:
        """Slots in which nothing runs, as far as more may be started."""
        if self.stop_at is not None:
            return 0
        free = self.options.concurrency - len(self.commands.running) - self.pool.busy
        if self.options.max_jobs is not None:
            under_way = self.ended_count() + len(self.endings) + self.options.concurrency - free
            free = min(free, self.options.max_jobs - under_way)
        return max(0, free)

    def is_hungry(self) -> bool:
        """Whether a slot is free for which nothing has been claimed."""
        return self.free_slots() > len(self.waiting)

    def ended_count(self) -> int:
        return sum(self.counts.values())

    # -- one turn -------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Gather what ended."""
        ended, orphans = self.pool.collect()
        for run, ending, facts in ended:
            self.pace.learn(run.lease.type, ending.finished_at - ending.started_at)
            self.add_ending(run, ending, facts)
        for command, ending, facts in self.commands.reap():
            self.pace.learn(command.lease.type, ending.finished_at - ending.started_at)
            self.add_ending(command, ending, facts)
        if orphans:
            self.hand_back([run.lease for run in orphans])

    def add_ending(self, run: Run, ending: Ending, facts: Facts) -> None:
        if not self.endings:
            self.endings_since = time.monotonic()
        self.endings.append((run, ending, facts))

    def turn(self, now: float, *, follow: bool) -> None:
        """One transaction for all there is to write: endings, output, and the next claim."""
        news = [run for run in self.running() if run.capture is not None and run.capture.has_news] if follow else []
        wall = time.time()
        if self.due_at is not None and wall >= self.due_at:
            self.look = True
        missing = self.free_slots() - len(self.waiting)
        ripe = bool(self.endings) and (
            len(self.endings) >= ENOUGH
            or now - self.endings_since >= GATHER
            or (missing > 0 and not self.commands.running and not self.pool.busy)
        )
        # What is claimed ahead comes with a transaction that is made anyway.
        wanted = missing + (self.pace.ahead() if self.options.max_jobs is None and self.stop_at is None else 0)
        claim = self.look and (missing > 0 or (ripe and wanted > 0))
        if not (news or ripe or claim):
            return
        leases: list[Lease] = []
        endings = self.endings if ripe else []
        outcomes = []
        with self.store.write() as connection:
            for run, _ending, _facts in endings:
                if run.capture is not None:
                    self.write_output(connection, run, last=True)
            if endings:
                outcomes = self.store.finish(
                    self.id, [(ending, facts) for _run, ending, facts in endings], to_text(wall), random.random
                )
            for run in news:
                self.write_output(connection, run, last=False)
            if claim:
                leases = self.store.claim(
                    self.id,
                    wanted,
                    to_text(wall),
                    handlers=self.pool.types,
                    types=self.options.types,
                    queues=self.options.queues,
                    defaults=self.pool.types,
                )
        if ripe:
            self.endings = []
            self.settle(endings, outcomes, wall)
        if claim:
            self.look = len(leases) == wanted
            self.due_at = None if self.look else self.next_due()
            if leases:
                self.waiting.extend(leases)
                self.waiting_since = time.monotonic()
        self.store.tidy(4000)

    def settle(self, endings: Any, outcomes: Any, wall: float) -> None:
        for (run, ending, _facts), outcome in zip(endings, outcomes, strict=True):
            move = outcome.move
            self.log.ended(run, ending, move)
            if move is None:
                continue
            self.counts[move.status] += 1
            if move.status == PENDING:
                due = move.due_at if move.due_at is not None else wall
                self.due_at = due if self.due_at is None else min(self.due_at, due)

    def next_due(self) -> float | None:
        text = self.store.next_due(handlers=self.pool.types, types=self.options.types, queues=self.options.queues)
        return None if text is None else from_text(text)

    def write_output(self, connection: Any, run: Run, *, last: bool) -> None:
        if run.capture is None:
            return
        number, token = run.lease.number, run.lease.token
        rows, gone = run.capture.take(last=last)
        if gone is not None:
            connection.execute(sql("delete_output"), (number, token, *gone))
        connection.executemany(sql("insert_output"), [(*row, number, token) for row in rows])
        if last and token > 1:
            connection.execute(sql("trim_output"), (number, token, number, self.output_limit))

    def start_waiting(self, now: float) -> None:
        """Start what was claimed: commands in free slots, typed jobs also ahead of time, as long as they are short."""
        wall = time.time()
        parcels: dict[HandlerProcess, list[Run]] = {}
        taken = len(self.commands.running) + self.pool.busy
        while self.waiting:
            lease = self.waiting[0]
            limit = self.time_limit if lease.timeout is None else lease.timeout
            if lease.command is not None:
                if taken >= self.options.concurrency:
                    break
                self.waiting.popleft()
                command = CommandRun(lease, limit, self.output_limit)
                failed = self.commands.start(command)
                if failed:
                    self.add_ending(command, *failed)
                else:
                    taken += 1
                    self.log.started(command, command.started_at)
                continue
            run = Run(lease, limit, self.output_limit)
            run.expected = self.pace.length(lease.type)
            process = self.place(run, parcels, taken)
            if process is None:
                break
            self.waiting.popleft()
            if process not in parcels:
                parcels[process] = []
                taken += not process.queue
            parcels[process].append(run)
        for process, runs in parcels.items():
            begins = not process.queue
            process.give(runs, wall, now)
            if begins and runs[0].expected > LONG:
                self.log.started(runs[0], wall)
        self.give_way(wall, now)

    def place(self, run: Run, parcels: dict[HandlerProcess, list[Run]], taken: int) -> HandlerProcess | None:
        """The process that takes a typed job next: an idle one, else one whose jobs are all short."""
        if taken < self.options.concurrency:
            process = self.pool.idle(parcels)
            if process is not None:
                return process
        best, least = None, AHEAD - run.expected
        for process in self.pool.processes:
            parcel = parcels.get(process)
            if process.dead or not (process.queue or parcel):
                continue
            load = process.load + (parcel[0].expected * len(parcel) if parcel else 0.0)
            if load <= least:
                best, least = process, load
        return best

    def give_way(self, wall: float, now: float) -> None:
        """Hand back what waits behind a job that takes its time: another slot may be free, here or elsewhere."""
        back: list[Lease] = []
        if now - self.waiting_since > LONG:
            back += self.waiting
            self.waiting.clear()
        for process in self.pool.processes:
            first = process.queue[0] if len(process.queue) > 1 else None
            if first is not None and process.ready and wall - first.started_at > LONG:
                back += [run.lease for run in process.take_back()]
        if back:
            self.pace.overall = max(self.pace.overall, AHEAD)
            self.hand_back(back)

    def hand_back(self, leases: list[Lease]) -> None:
        workers.hand_back(self.store, self.id, [(one.number, one.token) for one in leases], time.time())

    # -- rules on what runs ---------------------------------------------------------------------------------------

    def enforce(self, now: float) -> None:
        """Timeouts, cancels, and the end of grace."""
        if self.cancel_look_at is not None and now >= self.cancel_look_at:
            self.cancel_look_at, self.cancel_looked = None, now
            for number, token in self.store.read(sql("cancels_asked"), (self.id,)):
                for run in self.running():
                    if run.lease.number == number and run.lease.token == token:
                        self.end(run, CANCEL, now)
        over = self.stop_at is not None and now >= self.stop_at
        for run in self.running():
            if run.kill_at is not None and now >= run.kill_at:
                run.kill_at = now + 1.0
                self.kill(run)
            elif run.fate is None and over:
                self.end(run, STOPPED, now)
            elif run.fate is None and run.deadline is not None and now >= run.deadline:
                self.end(run, TIMEOUT, now)

    def end(self, run: Run, fate: str, now: float) -> None:
        if isinstance(run, CommandRun):
            self.commands.end(run, fate, now)
        else:
            self.pool.end(run, fate, now)

    def kill(self, run: Run) -> None:
        if isinstance(run, CommandRun):
            run.signal(9)
        else:
            self.pool.kill(run)

    def heed_signals(self, now: float) -> None:
        count = self.signals.count
        if count and self.stop_at is None:
            self.stop("")
            busy = len(self.running())
            if busy:
                jobs = "1 job" if busy == 1 else f"{busy} jobs"
                self.log.note(f"stopping: {jobs} running, up to {self.options.grace:g}s · again to stop now")
        if count > 1:
            for run in self.running():
                if run.fate is None:
                    self.end(run, STOPPED, now)
                run.kill_at = min(run.kill_at or now, now)

    def stop(self, why: str) -> None:
        """Claim nothing more; what was claimed and not begun goes back, what runs has its grace."""
        if self.stop_at is not None:
            return
        self.stop_at = time.monotonic() + self.options.grace
        if why:
            self.log.note(f"stopping: {why}")
        back = list(self.waiting)
        self.waiting.clear()
        for process in self.pool.processes:
            back += [run.lease for run in process.take_back()]
        if back:
            self.hand_back(back)

    def is_done(self) -> bool:
        if self.running() or self.endings or self.waiting or self.pool.ended:
            return False
        if self.stop_at is not None:
            return True
        if self.options.max_jobs is not None and self.ended_count() >= self.options.max_jobs:
            return True
        if self.options.mode == "stay" or self.look:
            return False
        due = self.next_due()
        if due is None:
            return True
        self.due_at = due
        return self.options.mode == "once" and due > time.time()

    # -- watching over others -------------------------------------------------------------------------------------

    def beat(self) -> None:
        if not workers.beat(self.store, self.id, time.time()):
            raise QctlError(f"{self.id} was taken for dead by others, who have its jobs now: it stops")

    def tend(self) -> None:
        """Look after jobs whose worker died."""
        if not self.store.is_still_there():
            raise QueueFileError(f"{self.store.path} was deleted or replaced while {self.id} worked on it: it stops")
        now = time.time()
        outcomes = []
        dead = workers.dead_workers(self.store, self.id, now, self.stale_after)
        if dead:
            outcomes += workers.bury(self.store, dead, now, random.random)
        outcomes += workers.rescue_stale(self.store, now, self.stale_after, random.random)
        if outcomes:
            self.look = True
            rescued = sum(1 for outcome in outcomes if outcome.move is not None and outcome.move.status != FAILED)
            self.log.note(f"! rescued {rescued} of a worker that died", rescued=rescued)
