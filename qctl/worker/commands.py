"""Command jobs: a session of their own, output through pipes that never hold the job, the group gone at the end."""

from __future__ import annotations

import errno
import json
import os
import signal
import tempfile
import time
from collections import deque

from qctl.rules import ending
from qctl.worker.command import CommandRun, cannot_start, inputs_path, limited, payload_on, result_of
from qctl.worker.ended import has_ended, one_ended, reap
from qctl.worker.guard import Guard
from qctl.worker.output import STDERR, STDOUT
from qctl.worker.room import highest
from qctl.worker.run import KILL_AFTER
from qctl.worker.spawn import spawn
from qctl.worker.sweep import WORKER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qctl.rules.ending import Ending, Facts
    from qctl.store.sqlite.marks import Marks

    Gone = tuple["CommandRun", int, float]
    """A run whose process has ended, its exit status (or signal, negative), and when (epoch seconds)."""

TEMPORARY_FAILURE = 75  # EX_TEMPFAIL: again later, no attempt used
FOR_GOOD = (65, 78)  # EX_DATAERR, EX_CONFIG
SHORT = 0.005
"""Seconds after which a command's pipes are watched; most have ended by then, and are read just once, at the end."""

LAST_READS = 64  # what a job left in its pipes is read to this many times READ; a grandchild may write for ever


class Commands:
    """The commands of one worker. `watch(fd, run)` and `unwatch(fd)` tie pipes to its selector."""

    def __init__(
        self,
        db: str,
        watch: Callable[[int, CommandRun], None],
        unwatch: Callable[[int], None],
        marks: Marks,
        memory: int | None = None,
        worker: str = "",
    ) -> None:
        self.db = db
        self.memory = memory  # bytes of address space a command may have
        self.watch = watch
        self.unwatch = unwatch
        self.running: dict[int, CommandRun] = {}  # by pid
        self.young: deque[tuple[float, CommandRun]] = deque()  # those not watched yet, and since when they run
        self.folder = ""
        self.guard = Guard()
        self.marks = marks
        self.highest = highest()
        self.nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self.environment = dict(os.environ)
        self.environment["QCTL_DB"] = db
        self.environment[WORKER] = worker

    def start(self, run: CommandRun) -> tuple[Ending, Facts] | None:
        """Start it. An ending at once when it cannot be started."""
        lease = run.lease
        now = time.monotonic()
        run.begin(time.time(), now)
        stdin = out = err = None
        try:
            if not self.folder:
                folder = tempfile.mkdtemp(prefix="qctl-")
                self.guard.start(folder, self.environment[WORKER])
                self.folder = folder
            run.result_path = os.path.join(self.folder, f"{lease.number}-{lease.token}.json")
            words = json.loads(lease.command or "null")
            if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
                raise ValueError("its command is no JSON array of texts")
            stdin = payload_on(lease.payload)
            out = os.pipe()
            err = os.pipe()
            if err[1] > self.highest:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            self.marks.add(lease.number)
            run.pid = spawn(
                words if self.memory is None else limited(words, self.memory),
                stdin=self.nothing if stdin is None else stdin,
                stdout=out[1],
                stderr=err[1],
                cwd=lease.cwd,
                env=self.variables(run),
            )
        except (OSError, ValueError) as error:
            self.marks.drop(lease.number)
            for pipe in (out, err):
                if pipe:
                    os.close(pipe[0])
            return cannot_start(run, error), run.facts()
        finally:
            if stdin is not None:
                os.close(stdin)
            for pipe in (out, err):
                if pipe:
                    os.close(pipe[1])
        self.guard.add(run.pid, lease.number, lease.token)
        for (fd, _write_end), stream in ((out, STDOUT), (err, STDERR)):
            os.set_blocking(fd, False)
            run.pipes[fd] = stream
        self.running[run.pid] = run
        self.young.append((now + SHORT, run))
        return None

    def watch_grown(self, now: float) -> float | None:
        """Watch the pipes of those that run for a while; when to look again."""
        while self.young:
            at, run = self.young[0]
            if run.pid in self.running:
                if at > now:
                    return at
                run.watched = True
                for fd in run.pipes:
                    self.watch(fd, run)
            self.young.popleft()
        return None

    def variables(self, run: CommandRun) -> dict[str, str]:
        lease = run.lease
        variables = dict(self.environment)
        variables["QCTL_JOB"] = str(lease.number)
        variables["QCTL_JOB_ID"] = lease.id
        variables["QCTL_TYPE"] = lease.type
        variables["QCTL_ATTEMPT"] = str(lease.attempts)
        variables["QCTL_MAX_ATTEMPTS"] = str(lease.max_attempts)
        variables["QCTL_RESULT"] = run.result_path
        variables["QCTL_LEASE"] = str(
            lease.token
        )  # tells which run it is to whoever looks, `qctl enqueue` in it included
        if lease.inputs is not None:
            variables["QCTL_INPUTS"] = inputs_path(run)
            with open(variables["QCTL_INPUTS"], "w", encoding="utf-8") as file:
                file.write(lease.inputs)
        if lease.env:
            extra = json.loads(lease.env)
            if not isinstance(extra, dict):
                raise ValueError("its env is no JSON object")
            variables.update({str(name): str(value) for name, value in extra.items()})
        return variables

    def readable(self, fd: int, run: CommandRun) -> None:
        """A pipe of a run has something, or was closed."""
        if fd in run.pipes and run.read(fd) == 0:
            self.drop(fd, run)

    def drop(self, fd: int, run: CommandRun) -> None:
        if run.watched:
            self.unwatch(fd)
        del run.pipes[fd]
        os.close(fd)

    def gone(self) -> list[Gone]:
        """The runs whose process has ended, reaped. The group is killed before that, while the number is its own."""
        if not self.running:
            return []
        gone: list[Gone] = []
        while self.running:
            try:
                first = one_ended()
            except ChildProcessError:
                break
            if first is None:
                return gone  # one question, however many run
            run = self.running.get(first)
            if run is None:
                break  # a process of others, which stands in the way; or each must be asked
            gone.append(self.reap(run))
        for pid, run in list(self.running.items()):
            try:
                if has_ended(pid):
                    gone.append(self.reap(run))
            except ChildProcessError:  # reaped elsewhere: its status is lost
                del self.running[pid]
                self.marks.drop(run.lease.number)
                gone.append((run, -signal.SIGKILL, time.time()))
        return gone

    def reap(self, run: CommandRun) -> Gone:
        run.signal(signal.SIGKILL)
        self.guard.remove(run.pid)
        del self.running[run.pid]
        self.marks.drop(run.lease.number)
        return run, reap(run.pid), time.time()

    def settle(self, run: CommandRun, status: int, now: float) -> tuple[CommandRun, Ending, Facts]:
        """The ending of a run whose process is gone: with all it wrote."""
        self.read_rest(run)
        return run, self.verdict(run, status, now), run.facts()

    def read_rest(self, run: CommandRun) -> None:
        """Take what is left in the pipes, and close them: a grandchild that keeps them open does not hold the job."""
        for fd in list(run.pipes):
            for _ in range(LAST_READS):
                if not run.read(fd):
                    break
            self.drop(fd, run)

    def verdict(self, run: CommandRun, status: int, now: float) -> Ending:
        result, complaint = result_of(run)
        if status == 0:
            if complaint and run.fate is None:
                return run.ending(ending.DEAD, now, error=complaint, exit_code=0)
            return run.ending(ending.SUCCEEDED, now, exit_code=0, result=result)
        said = run.capture.last_line() if run.capture else ""
        if status < 0:
            name = signal.Signals(-status).name if -status in set(signal.Signals) else ""
            text = f"killed by signal {-status}" + (f" ({name})" if name else "")
            return run.ending(ending.CRASH, now, error=text + (f": {said}" if said else ""), exit_code=status)
        text = f"exit status {status}" + (f": {said}" if said else "")
        how = ending.SNOOZE if status == TEMPORARY_FAILURE else ending.DEAD if status in FOR_GOOD else ending.ERROR
        return run.ending(how, now, error=text, exit_code=status)

    def end(self, run: CommandRun, fate: str, monotonic: float) -> None:
        """Ask a run to end, and set the time at which it is killed."""
        if run.fate is None:
            run.fate = fate
            run.signal(signal.SIGTERM)
            run.kill_at = monotonic + KILL_AFTER

    def close(self) -> None:
        """No command runs any more."""
        self.guard.close()
        os.close(self.nothing)
