"""What may end a run before its time: a timeout, a cancel, the end of grace, a second signal."""

from __future__ import annotations

import signal
import time

from qctl.rules.ending import CANCEL, STOPPED, TIMEOUT
from qctl.store.sqlite.sql import sql
from qctl.worker.command import CommandRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.log import Log
    from qctl.worker.run import Run
    from qctl.worker.signals import Signals
    from qctl.worker.supply import Supply

CANCEL_LOOK = 0.1  # seconds between looks for jobs that somebody cancelled
LOOK_AGAIN = 1.0  # the same while nobody writes


class Control:
    """Watches over the runs of one worker. Times are monotonic seconds; `stop_at` is when grace is over."""

    def __init__(
        self, store: SQLiteStore, worker: str, supply: Supply, log: Log, signals: Signals, grace: float
    ) -> None:
        self.store = store
        self.worker = worker
        self.supply = supply
        self.log = log
        self.signals = signals
        self.grace = grace
        self.stop_at: float | None = None
        self.cancel_look_at: float | None = 0.0  # soon after somebody wrote
        self.cancel_looked = 0.0
        self.written = False  # since the latest look

    def somebody_wrote(self) -> None:
        """It may have been a cancel."""
        self.written = True
        at = self.cancel_looked + CANCEL_LOOK
        self.cancel_look_at = at if self.cancel_look_at is None else min(at, self.cancel_look_at)

    def next_times(self) -> list[float]:
        """When there is something to do here."""
        times = [at for at in (self.stop_at, self.cancel_look_at) if at is not None]
        for run in self.supply.running():
            if run.deadline is not None and run.fate is None:
                times.append(run.deadline)
            if run.kill_at is not None:
                times.append(run.kill_at)
        return times

    def enforce(self, now: float) -> None:
        """Signals, cancels, timeouts, the end of grace."""
        self.heed_signals(now)
        if self.cancel_look_at is not None and now >= self.cancel_look_at:
            self.cancel_looked = now
            running = self.supply.running()
            # The log grows some time before the commit can be read: what was announced just now may come only then.
            again = CANCEL_LOOK if self.written else LOOK_AGAIN
            self.cancel_look_at, self.written = now + again if running else None, False
            for number, token in self.store.read(sql("cancels_asked"), (self.worker,)):
                for run in running:
                    if run.fate is None and run.lease.number == number and run.lease.token == token:
                        self.end(run, CANCEL, now)
        over = self.stop_at is not None and now >= self.stop_at
        for run in self.supply.running():
            if run.kill_at is not None and now >= run.kill_at:
                run.kill_at = now + 1.0
                self.kill(run)
            elif run.fate is None and over:
                self.end(run, STOPPED, now)
            elif run.fate is None and run.deadline is not None and now >= run.deadline:
                self.end(run, TIMEOUT, now)

    def end(self, run: Run, fate: str, now: float) -> None:
        """Ask a run to end; it is killed if it does not."""
        if isinstance(run, CommandRun):
            self.supply.commands.end(run, fate, now)
        elif run.lease.number in self.supply.wide.runs:
            self.supply.wide.end(run, fate, now)
        else:
            self.supply.pool.end(run, fate, now)

    def kill(self, run: Run) -> None:
        if isinstance(run, CommandRun):
            run.signal(signal.SIGKILL)
        elif run.lease.number in self.supply.wide.runs:
            self.supply.wide.kill()
        else:
            self.supply.pool.kill(run)

    def stop_runs(self, now: float) -> None:
        """Ask all that runs to end, as at the end of grace."""
        for run in self.supply.running():
            if run.fate is None:
                self.end(run, STOPPED, now)

    def kill_runs(self) -> None:
        """End all that runs, at once: this worker has no business with it any more."""
        for run in self.supply.running():
            self.kill(run)

    def heed_signals(self, now: float) -> None:
        """The first stops the worker gracefully, the second at once."""
        count = self.signals.count
        if count and self.stop_at is None:
            self.stop("")
            busy = len(self.supply.running())
            if busy:
                jobs = "1 job" if busy == 1 else f"{busy} jobs"
                self.log.note(f"stopping: {jobs} running, up to {self.grace:g}s · again to stop now")
        if count > 1:
            for run in self.supply.running():
                if run.fate is None:
                    self.end(run, STOPPED, now)
                run.kill_at = min(run.kill_at or now, now)

    def stop(self, why: str) -> None:
        """Begin nothing more; what was claimed and not begun goes back, what runs has its grace."""
        if self.stop_at is not None:
            return
        self.stop_at = time.monotonic() + self.grace
        if why:
            self.log.note(f"stopping: {why}")
        self.supply.clear()
