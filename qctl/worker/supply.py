"""What a worker has claimed and not begun: where each job goes, and what goes back because it would wait too long."""

from __future__ import annotations

import time
from collections import deque

from qctl.store.sqlite import workers
from qctl.worker.command import CommandRun
from qctl.worker.pace import AHEAD, LONG, Pace
from qctl.worker.run import Run
from qctl.worker.sweep import FORCED, sweep_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qctl.model import Lease
    from qctl.rules.ending import Ending, Facts
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.commands import Commands, Gone
    from qctl.worker.hardship import Hardship
    from qctl.worker.pool import Pool
    from qctl.worker.process import HandlerProcess
    from qctl.worker.typebook import TypeBook
    from qctl.worker.widepool import WidePool


SUSPECT = 2 * LONG  # seconds that are expected of a job whose worker died: nothing is given out behind it


class Supply:
    """The leases of one worker that wait for a slot. `time_limit` (seconds) and `output_limit` (bytes) are defaults."""

    def __init__(
        self,
        store: SQLiteStore,
        worker: str,
        slots: int,
        commands: Commands,
        pool: Pool,
        wide: WidePool,
        hardship: Hardship,
        time_limit: float,
        output_limit: int,
        types: TypeBook,
        failed: Callable[[Run, Ending, Facts], None],
    ) -> None:
        self.store = store
        self.worker = worker
        self.slots = slots
        self.commands = commands
        self.pool = pool
        self.wide = wide
        self.log = hardship.log
        self.bear = hardship.bear
        self.time_limit = time_limit
        self.output_limit = output_limit
        self.types = types
        self.failed = failed  # takes a run that could not even start
        self.pace = Pace()
        self.waiting: deque[Lease] = deque()
        self.since = 0.0
        self.back: list[Lease] = []  # what is to go back, and could not be written down yet

    def add(self, leases: list[Lease]) -> None:
        """Take leases that were just claimed."""
        self.waiting.extend(leases)
        self.since = time.monotonic()

    def busy(self) -> int:
        """Slots in which something runs."""
        return len(self.commands.running) + self.pool.busy

    def running(self) -> list[Run]:
        """The runs in progress."""
        runs: list[Run] = list(self.commands.running.values())
        runs += [process.queue[0] for process in self.pool.processes if process.queue]
        runs += self.wide.runs.values()
        return runs

    def held(self) -> set[int]:
        """The numbers of the jobs that this worker has claimed and that have not ended."""
        held = {lease.number for lease in self.waiting} | self.wide.runs.keys()
        held.update(run.lease.number for process in self.pool.processes for run in process.queue)
        return held.union(run.lease.number for run in self.commands.running.values())

    def news(self) -> list[Run]:
        """The runs that wrote something since it was last taken down."""
        return [run for run in self.running() if run.capture is not None and run.capture.has_news]

    def collect(self) -> list[tuple[Run, Ending, Facts]]:
        """The runs that ended since the last call. What a process that died had not begun goes back to the queue."""
        ended, orphans = self.pool.collect()
        if self.wide.ended:
            ended, self.wide.ended = ended + self.wide.ended, []
        self.heed(ended)
        if orphans:
            self.hand_back([run.lease for run in orphans])
        return ended + self.settle(self.commands.gone())

    def settle(self, gone: list[Gone]) -> list[tuple[Run, Ending, Facts]]:
        """The endings of commands whose processes are gone."""
        ended: list[tuple[Run, Ending, Facts]] = [self.commands.settle(*one) for one in gone]
        self.heed(ended)
        return ended

    def heed(self, ended: list[tuple[Run, Ending, Facts]]) -> None:
        """Learn how long they took; what those left running that were ended by force is ended, too."""
        for run, ending, _facts in ended:
            self.pace.learn(run.lease.type, ending.finished_at - ending.started_at)
        forced = [(run, ending) for run, ending, _facts in ended if ending.how in FORCED]
        if forced:
            sweep_runs(self.worker, forced, [*self.pool.pids(), *self.wide.pids()])

    def ahead(self) -> int:
        """How many jobs more than there are free slots are worth a claim."""
        return self.pace.ahead(self.slots)

    def begin(self, leases: list[Lease]) -> None:
        """Begin jobs of the wide process, for which there is room."""
        wall, now = time.time(), time.monotonic()
        rated = bool(self.pool.begun.waiting)
        runs: list[Run] = []
        for lease in leases:
            limit = self.time_limit if lease.timeout is None else lease.timeout
            run = Run(lease, limit, self.output_of(lease.type))
            if rated:
                run.latest = self.pool.begun.latest(lease.number)
            refused = self.types.refuse(run, wall)
            if refused:
                self.failed(run, refused, run.facts())
            else:
                runs.append(run)
        if runs and not self.wide.give(runs, wall, now):
            self.hand_back([run.lease for run in runs])
            return
        for run in runs:
            if self.pace.length(run.lease.type) > LONG:
                self.log.started(run, wall)

    def start(self, now: float) -> None:
        """Start what was claimed: commands in free slots, typed jobs also ahead of time, as long as they are short."""
        wall = time.time()
        rated = bool(self.pool.begun.waiting)
        parcels: dict[HandlerProcess, list[Run]] = {}
        taken = self.busy()
        while self.waiting:
            lease = self.waiting[0]
            limit = self.time_limit if lease.timeout is None else lease.timeout
            if lease.command is not None:
                if taken >= self.slots:
                    break
                self.waiting.popleft()
                command = CommandRun(lease, limit, self.output_of(lease.type))
                command.latest = self.pool.begun.latest(lease.number) if rated else None
                if command.latest is not None and time.time() > command.latest:
                    self.hand_back([lease])
                    continue
                refused = self.types.refuse(command, wall)
                failed = (refused, command.facts()) if refused else self.commands.start(command)
                if failed:
                    self.failed(command, *failed)
                else:
                    taken += 1
                    self.pool.begun.settle(lease.number, time.time())
                    self.log.started(command, command.started_at)
                continue
            run = Run(lease, limit, self.output_of(lease.type))
            if rated:
                run.latest = self.pool.begun.latest(lease.number)
            refused = self.types.refuse(run, wall)
            if refused:
                self.waiting.popleft()
                self.failed(run, refused, run.facts())
                continue
            # What a worker died with runs alone: if it is the cause, it is the only one to be charged for it again.
            run.expected = SUSPECT if lease.rescues else self.pace.length(lease.type)
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

    def output_of(self, type_: str) -> int:
        """Bytes kept of what a run of this type writes."""
        return self.types.outputs.get(type_, self.output_limit)

    def place(self, run: Run, parcels: dict[HandlerProcess, list[Run]], taken: int) -> HandlerProcess | None:
        """The process that takes a typed job next: an idle one, else one whose jobs are all short."""
        if taken < self.slots:
            process = self.pool.idle(parcels)
            if process is not None:
                return process
        best, least = None, AHEAD - run.expected
        if len(self.pool.processes) == 1:  # the usual worker: nothing to choose
            process, parcel = self.pool.processes[0], parcels.get(self.pool.processes[0])
            load = process.load + (run.expected * len(parcel) if parcel else 0.0)
            fits = load <= least and self.pool.room(process) > len(parcel or ())
            return process if (process.queue or parcel) and not process.dead and fits else None
        for process in self.pool.processes:
            parcel = parcels.get(process)
            if process.dead or not (process.queue or parcel):
                continue
            load = process.load + (parcel[0].expected * len(parcel) if parcel else 0.0)
            if load <= least and self.pool.room(process) > len(parcel or ()):
                best, least = process, load
        return best

    def give_way(self, wall: float, now: float) -> None:
        """Hand back what waits behind a job that takes its time: another slot may be free, here or elsewhere."""
        back: list[Lease] = []
        if now - self.since > LONG:
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
        """Give back leases that were not begun; those that cannot be written down now are kept for the next turn."""
        self.back += leases
        self.bear(self.give_back)

    def give_back(self) -> None:
        workers.hand_back(self.store, self.worker, [(one.number, one.token) for one in self.back], time.time())
        self.back = []

    def clear(self) -> None:
        """Hand back everything that was not begun: the worker stops."""
        back = list(self.waiting)
        self.waiting.clear()
        for process in self.pool.processes:
            back += [run.lease for run in process.take_back()]
        if back:
            self.hand_back(back)
