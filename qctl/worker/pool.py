"""The handler processes of a worker, seen from the worker: they live on between jobs, and one that dies costs one job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from qctl.model import BadValue, TypeDefaults
from qctl.rules import ending
from qctl.rules.newjob import unpack_jobs
from qctl.store.sqlite.marks import Marks, remove
from qctl.worker import cleanup, hook
from qctl.worker.child import DONE, READY
from qctl.worker.ended import is_over
from qctl.worker.process import LOADING, READ, HandlerProcess
from qctl.worker.room import SCARCE, has_room
from qctl.worker.run import KILL_AFTER, Run
from qctl.worker.starts import Begun
from qctl.worker.sweep import JOB, RUN, WORKER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from qctl.rules.ending import Ending, Facts

    Ended = tuple[Run, Ending, Facts]


NEEDS = 12  # descriptors that it takes to start a process

LEAVE = 5.0
"""Seconds that a process has to leave in good order."""


class Pool:
    """All handler processes of one worker. `watch(fd, callback)` and `unwatch(fd)` tie them to its selector."""

    def __init__(
        self,
        modules: list[str],
        size: int,
        *,
        verbose: bool,
        db: str,
        watch: Callable[[int, Callable[[], None]], None],
        unwatch: Callable[[int], None],
        memory: int | None = None,
        most: int | None = None,
        worker: str = "",
    ) -> None:
        self.memory = memory  # bytes of address space a process may have
        self.most = most  # jobs after which a process is replaced
        self.leaving: list[HandlerProcess] = []
        self.modules = modules
        self.size = size
        self.verbose = verbose
        inherited = {name: value for name, value in os.environ.items() if name not in (JOB, RUN)}
        self.environment = {**inherited, "QCTL_DB": db, WORKER: worker}
        self.begun = Begun()
        self.marks = Marks(db, worker)
        self.watch = watch
        self.unwatch = unwatch
        self.processes: list[HandlerProcess] = []
        self.types: dict[str, TypeDefaults] = {}
        self.coroutines: set[str] = set()  # types whose handler is a coroutine
        self.own = 0  # how many of the types come from the modules
        self.ended: list[Ended] = []
        self.orphans: list[Run] = []  # runs that were never begun by the process that died with them

    def load(self, timeout: float = LOADING) -> None:
        """Start the first process and learn the types. Raises BadValue when a module cannot be imported."""
        if self.modules:
            try:
                self.learn(timeout)
            except BaseException:
                remove(self.marks.path)
                raise
        self.own = len(self.types)
        for name in (cleanup.TYPE, hook.TYPE):  # every worker runs them; without modules a process comes then
            self.types.setdefault(name, TypeDefaults())

    def learn(self, timeout: float) -> None:
        process = self.spawn()
        deadline = time.monotonic() + timeout
        process.sock.setblocking(True)
        message = None
        while message is None:
            process.sock.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                data = process.sock.recv(READ)
            except TimeoutError:
                raise BadValue(f"--handlers: loading took over {timeout:g} s") from None
            except ConnectionError:
                data = b""
            if not data:
                text = self.last_words(process)
                raise BadValue(f"--handlers {', '.join(self.modules)}: the process that loads them died{text}")
            messages = process.unpacker.feed(data)
            message = messages[0] if messages else None
        process.sock.setblocking(False)
        _kind, types, error, trace = message
        if error:
            if self.verbose:
                sys.stderr.write(trace)
                raise BadValue(error)
            raise BadValue(f"{error}; --verbose shows the traceback")
        process.ready = True
        for name, says, is_async in types:
            says.pop("priority", None)  # heeded at the enqueue
            self.types[name] = TypeDefaults(**says)
            if is_async:
                self.coroutines.add(name)
        if not self.types:
            raise BadValue(f"--handlers {', '.join(self.modules)}: there is no @handler in it")

    def last_words(self, process: HandlerProcess) -> str:
        text = b""
        for fd in process.pipes:
            os.set_blocking(fd, True)
            text += os.read(fd, READ)
        lines = text.decode("utf-8", "replace").strip().splitlines()
        return f": {lines[-1][:200]}" if lines else ""

    def spawn(self) -> HandlerProcess:
        place = self.marks.take()
        try:
            process = HandlerProcess(
                self.modules, self.environment, self.memory, self.begun.told, (self.marks.path, place)
            )
        except OSError:
            self.marks.give(place)
            raise
        self.processes.append(process)
        self.watch(process.sock.fileno(), lambda: self.receive(process))
        for fd, stream in process.pipes.items():
            self.watch(fd, lambda fd=fd, stream=stream: self.output(process, fd, stream))  # type: ignore[misc]
        return process

    def idle(self, except_: Container[HandlerProcess]) -> HandlerProcess | None:
        """A process with nothing to do, best one that is ready; a new one while there may be more of them."""
        loading = None
        for process in self.processes:
            if not process.queue and not process.dead and process not in except_:
                if process.ready:
                    return process
                loading = loading or process
        if loading is not None:
            return loading
        return self.more()

    def more(self) -> HandlerProcess | None:
        """One process more, where there may be one and the system has room for it."""
        if len(self.processes) >= self.size or not has_room(NEEDS):
            return None
        try:
            return self.spawn()
        except OSError as error:
            if error.errno not in SCARCE:
                raise
            return None

    def ready(self) -> int:
        """How many processes would begin a job at once. Those that are missing are started, for the next time."""
        while self.more():
            pass
        return sum(1 for process in self.processes if process.ready and not process.dead and not process.queue)

    @property
    def busy(self) -> int:
        return sum(1 for process in self.processes if process.queue)

    def output(self, process: HandlerProcess, fd: int, stream: int) -> None:
        try:
            data = os.read(fd, READ)
        except BlockingIOError:
            return
        if data:
            process.split(stream, data)
        else:
            self.unwatch(fd)  # closed; its death, if it is one, shows at the socket

    def receive(self, process: HandlerProcess) -> None:
        """Messages from a process, or its death."""
        if process.dead:
            return
        process.push()
        try:
            data = process.sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.bury(process)
            return
        now = time.monotonic()
        for message in process.unpacker.feed(data):
            if message[0] == READY:
                process.ready = True
                if process.queue:
                    process.queue[0].begin(time.time(), now)  # its time begins now, loading is not its own
                if message[2]:  # it loaded when the worker began and does not any more: end it, others may do better
                    process.signal(signal.SIGKILL)
            elif message[0] == DONE and process.queue:
                _kind, _number, how, error, result, after, started, finished, rows = message
                run = process.queue.popleft()
                process.load = process.load - run.expected if process.queue else 0.0
                process.drain(run)
                if process.queue:
                    process.queue[0].begin(finished, now)
                children = unpack_jobs(rows) if rows else ()
                done = run.ending(
                    how, finished, error=error, result=result, after=after, started_at=started, children=children
                )
                self.ended.append((run, done, run.facts()))
                process.done += 1
        if self.is_worn(process):
            self.retire(process)

    def look(self) -> None:
        """Find processes that died though their socket says nothing, because something that they started holds it."""
        for process in list(self.processes):
            while not process.dead and is_over(process.process):
                before = len(self.ended)
                self.receive(process)
                if len(self.ended) == before and not process.dead:
                    self.bury(process)

    def is_worn(self, process: HandlerProcess) -> bool:
        """Whether a process has had its number of jobs."""
        return self.most is not None and process.done >= self.most and not process.queue and not process.dead

    def room(self, process: HandlerProcess) -> int:
        """How many more jobs a process may be given."""
        return 1 << 30 if self.most is None else self.most - process.done - len(process.queue)

    def retire(self, process: HandlerProcess) -> None:
        """Let an idle process leave in good order; the next job has a new one."""
        process.dead = True
        self.forget(process)
        process.close()
        self.leaving.append(process)

    def forget(self, process: HandlerProcess) -> None:
        for fd in (process.sock.fileno(), *process.pipes):
            self.unwatch(fd)
        self.processes.remove(process)
        self.marks.give(process.place)

    def bury(self, process: HandlerProcess) -> None:
        """A process died: the run in progress ends with it, those it had not begun go back."""
        process.dead = True
        process.signal(signal.SIGKILL)  # what it started goes with it; it is not reaped yet
        back = process.take_back()
        run = process.queue.popleft() if process.queue else None
        process.drain_dead(run)
        status = process.process.wait()
        self.forget(process)
        self.orphans += [*process.queue, *back]
        process.close()
        if run is None:
            return
        self.begun.hear()
        self.begun.settle(run.lease.number, time.time())  # as far as anybody knows
        said = run.capture.last_line() if run.capture else ""
        if status < 0:
            name = signal.Signals(-status).name if -status in set(signal.Signals) else "?"
            text = f"its process was killed by signal {-status} ({name})"
        else:
            text = f"its process left with exit status {status}"
        # Nobody says when its first run began; the later ones began when those before them had ended.
        run.mark, run.since = process.mark, run.started_at if process.done else 0.0
        done = run.ending(ending.CRASH, time.time(), error=text + (f": {said}" if said else ""), exit_code=status)
        self.ended.append((run, done, run.facts()))

    def collect(self) -> tuple[list[Ended], list[Run]]:
        """What ended since the last call, and the runs that have to go back."""
        self.leaving = [process for process in self.leaving if process.process.poll() is None]
        ended, self.ended = self.ended, []
        orphans, self.orphans = self.orphans, []
        return ended, orphans

    def pids(self) -> list[int]:
        return [one.process.pid for one in (*self.processes, *self.leaving)]

    def process_of(self, run: Run) -> HandlerProcess | None:
        return next((one for one in self.processes if one.queue and one.queue[0] is run), None)

    def end(self, run: Run, fate: str, monotonic: float) -> None:
        """Ask a run in progress to end: its process is told by SIGTERM, and killed if that does not help."""
        process = self.process_of(run)
        if process is not None and run.fate is None:
            run.fate, run.mark = fate, process.mark
            run.kill_at = monotonic + KILL_AFTER
            process.signal(signal.SIGTERM)

    def kill(self, run: Run) -> None:
        process = self.process_of(run)
        if process is not None:
            process.signal(signal.SIGKILL)

    def close(self) -> None:
        """End the processes; none of them has work. They have a moment for what they do at the end."""
        for process in list(self.processes):
            self.retire(process)
        for process in self.leaving:
            try:
                process.process.wait(LEAVE)
            except subprocess.TimeoutExpired:
                process.signal(signal.SIGKILL)
                process.process.wait()
        self.leaving = []
        self.begun.close()
        self.marks.close()
