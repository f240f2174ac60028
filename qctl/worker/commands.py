"""Command jobs: a session of their own, output through pipes that never hold the job, the group gone at the end."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections import deque

from qctl.rules import ending
from qctl.worker.guard import Guard
from qctl.worker.output import STDERR, STDOUT
from qctl.worker.run import KILL_AFTER, Run
from qctl.worker.spawn import spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qctl.model import Lease
    from qctl.rules.ending import Ending, Facts

TEMPORARY_FAILURE = 75  # EX_TEMPFAIL: again later, no attempt used
FOR_GOOD = (65, 78)  # EX_DATAERR, EX_CONFIG
NOT_EXECUTABLE, NOT_FOUND = 126, 127
PIPE = 4096  # bytes that any pipe takes at once
RESULT_LIMIT = 1 << 20
READ = 1 << 16
SHORT = 0.005
"""Seconds after which a command's pipes are watched; most have ended by then, and are read just once, at the end."""

LAST_READS = 64  # what a job left in its pipes is read to this many times READ; a grandchild may write for ever


class CommandRun(Run):
    """A command that runs. `pipes`: its output, by descriptor, as long as it is open."""

    __slots__ = ("pid", "pipes", "result_path", "watched")

    def __init__(self, lease: Lease, time_limit: float, output_limit: int) -> None:
        super().__init__(lease, time_limit, output_limit)
        self.pid = 0
        self.pipes: dict[int, int] = {}
        self.result_path = ""
        self.watched = False

    def signal(self, number: int) -> None:
        """Send a signal to the whole group. The leader is not reaped yet, so the number is still its own."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def read(self, fd: int) -> int | None:
        """Take what the pipe holds, READ bytes at most: how many they were, 0 when it was closed, None when it is empty."""
        try:
            data = os.read(fd, READ)
        except BlockingIOError:
            return None
        if data:
            self.write(self.pipes[fd], data)
        return len(data)


def inputs_path(run: CommandRun) -> str:
    """The file with the results of the jobs that a command waited for: its QCTL_INPUTS."""
    return f"{run.result_path.removesuffix('.json')}.inputs.json"


class Commands:
    """The commands of one worker. `watch(fd, run)` and `unwatch(fd)` tie pipes to its selector."""

    def __init__(
        self,
        db: str,
        watch: Callable[[int, CommandRun], None],
        unwatch: Callable[[int], None],
        memory: int | None = None,
    ) -> None:
        self.db = db
        self.memory = memory  # bytes of address space a command may have
        self.watch = watch
        self.unwatch = unwatch
        self.running: dict[int, CommandRun] = {}  # by pid
        self.young: deque[tuple[float, CommandRun]] = deque()  # those not watched yet, and since when they run
        self.folder = ""
        self.guard = Guard()
        self.nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self.environment = dict(os.environ)
        self.environment["QCTL_DB"] = db

    def start(self, run: CommandRun) -> tuple[Ending, Facts] | None:
        """Start it. An ending at once when it cannot be started."""
        lease = run.lease
        now = time.monotonic()
        run.begin(time.time(), now)
        if not self.folder:
            self.folder = tempfile.mkdtemp(prefix="qctl-")
            self.guard.start(self.folder)
        run.result_path = os.path.join(self.folder, f"{lease.number}-{lease.token}.json")
        stdin = out = err = None
        try:
            words = json.loads(lease.command or "null")
            if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
                raise ValueError("its command is no JSON array of texts")
            stdin = payload_on(lease.payload)
            out, err = os.pipe(), os.pipe()
            run.pid = spawn(
                words if self.memory is None else limited(words, self.memory),
                stdin=self.nothing if stdin is None else stdin,
                stdout=out[1],
                stderr=err[1],
                cwd=lease.cwd,
                env=self.variables(run),
            )
        except (OSError, ValueError) as error:
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
        self.guard.add(run.pid)
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
        )  # so that `qctl enqueue` in it knows whether the job is still its own
        if lease.inputs is not None:
            variables["QCTL_INPUTS"] = inputs_path(run)
            with open(variables["QCTL_INPUTS"], "w", encoding="utf-8") as file:
                file.write(lease.inputs)
        if lease.env:
            extra = json.loads(lease.env)
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

    def reap(self) -> list[tuple[CommandRun, Ending, Facts]]:
        """The runs whose process has ended. Its group is killed before it is reaped, while the number is its own."""
        ended = []
        for pid, run in list(self.running.items()):
            try:
                gone = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                gone = None  # reaped elsewhere: its status is lost
                status = -signal.SIGKILL
            else:
                if gone is None:
                    continue
                run.signal(signal.SIGKILL)
                self.guard.remove(pid)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            del self.running[pid]
            self.read_rest(run)
            ended.append((run, self.verdict(run, status), run.facts()))
        return ended

    def read_rest(self, run: CommandRun) -> None:
        """Take what is left in the pipes, and close them: a grandchild that keeps them open does not hold the job."""
        for fd in list(run.pipes):
            for _ in range(LAST_READS):
                if not run.read(fd):
                    break
            self.drop(fd, run)

    def verdict(self, run: CommandRun, status: int) -> Ending:
        now = time.time()
        result, complaint = self.result(run)
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

    def result(self, run: CommandRun) -> tuple[str | None, str | None]:
        """The JSON that the command left in $QCTL_RESULT, or a complaint about it."""
        try:
            if run.lease.inputs is not None and os.path.exists(inputs_path(run)):
                os.unlink(inputs_path(run))
            with open(run.result_path, "rb") as file:
                data = file.read(RESULT_LIMIT + 1)
            os.unlink(run.result_path)
        except FileNotFoundError:
            return None, None
        except OSError as error:
            return None, f"its result cannot be read: {error.strerror}"
        if not data.strip():
            return None, None
        if len(data) > RESULT_LIMIT:
            return None, f"its result is over {RESULT_LIMIT:,} bytes"
        try:
            from qctl.rules.payload import dumps, refuse_constant

            return dumps(json.loads(data, parse_constant=refuse_constant)), None
        except (ValueError, RecursionError):
            return None, "its result is not JSON"

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


def limited(words: list[str], memory: int) -> list[str]:
    """The command under a limit of memory, set by a shell, since posix_spawn has no word for it."""
    return ["/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(max(1, memory // 1024)), *words]


def payload_on(payload: str) -> int | None:
    """A descriptor from which the command reads its payload; None when it has none."""
    if payload in ("{}", ""):
        return None
    data = payload.encode("utf-8", "surrogatepass")
    if len(data) <= PIPE:
        read_end, write_end = os.pipe()
        os.write(write_end, data)
        os.close(write_end)
        return read_end
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        fd = os.dup(file.fileno())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def cannot_start(run: CommandRun, error: OSError | ValueError) -> Ending:
    """The ending of a command that could not be started: a failed attempt, since what is missing may come back."""
    lease, now = run.lease, time.time()
    if isinstance(error, ValueError):
        return run.ending(ending.DEAD, now, error=f"cannot run: {error}")
    if lease.cwd is not None and not os.path.isdir(lease.cwd):
        return run.ending(
            ending.ERROR, now, error=f"its directory is gone: {os.fsdecode(lease.cwd)}", exit_code=NOT_EXECUTABLE
        )
    if isinstance(error, FileNotFoundError):
        return run.ending(ending.ERROR, now, error=f"command not found: {error.filename}", exit_code=NOT_FOUND)
    return run.ending(
        ending.ERROR, now, error=f"cannot run {error.filename or 'it'}: {error.strerror}", exit_code=NOT_EXECUTABLE
    )
