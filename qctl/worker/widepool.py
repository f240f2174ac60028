"""The wide handler process of a worker, seen from the worker: coroutines and threads, many jobs in one process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time

from qctl.rules import ending
from qctl.rules.newjob import unpack_jobs
from qctl.worker.child import CANCEL, DONE, JOBS, LOAD, OUTPUT, READY
from qctl.worker.frames import Unpacker, pack
from qctl.worker.launch import launch
from qctl.worker.pool import NEEDS
from qctl.worker.process import LOADING, READ
from qctl.worker.room import AGAIN, SCARCE, has_room
from qctl.worker.run import KILL_AFTER, Run
from qctl.worker.sweep import CHILD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from qctl.model import Lease
    from qctl.worker.pool import Ended, Pool


class WidePool:
    """At most one process, started with the first job. `capacity` says for each kind how many of it run at once."""

    def __init__(self, pool: Pool, threads: int, coroutines: int) -> None:
        self.pool = pool
        self.threads = threads
        self.coroutines = coroutines
        self.process: subprocess.Popen[bytes] | None = None
        self.sock: socket.socket | None = None
        self.mark = ""
        self.pipes: dict[int, int] = {}
        self.unpacker = Unpacker()
        self.outgoing = b""
        self.runs: dict[int, Run] = {}  # by the job's number
        self.done = 0
        self.is_killed = False
        self.is_ready = False
        self.shut_until = 0.0  # monotonic seconds until which no process is tried, as there was no room for one
        self.ended: list[Ended] = []

    def takes(self, lease: Lease) -> bool:
        """Whether a job belongs here."""
        if lease.command is not None:
            return False
        return lease.type in self.pool.coroutines or (self.threads > 0 and lease.type in self.pool.types)

    def types(self) -> list[tuple[set[str], int]]:
        """The types that may be claimed for here, and how many jobs of them; nothing where there is no room."""
        if self.shut_until:
            return []
        count = sum(1 for run in self.runs.values() if run.lease.type in self.pool.coroutines)
        kinds = [(self.pool.coroutines, self.coroutines - count)]
        if self.threads:
            kinds.append((set(self.pool.types) - self.pool.coroutines, self.threads - (len(self.runs) - count)))
        if self.pool.most is not None:
            kinds = [(names, min(room, self.pool.most - self.done - len(self.runs))) for names, room in kinds]
        return [(names, room) for names, room in kinds if names and room > 0]

    def ready(self, most: int) -> int:
        """How many of `most` jobs would begin at once: none while the process loads. Where there is none, it is started."""
        if self.process is None and not self.start():
            return 0
        return most if self.is_ready else 0

    def start(self) -> bool:
        """Start the process; False when the system has no room for it just now."""
        if not has_room(NEEDS):
            return self.shut_for_now()
        mark = os.urandom(4).hex()
        try:
            self.process, self.sock, self.pipes = launch(
                self.pool.environment | {CHILD: mark}, -1, b"\0", self.pool.begun.told
            )
        except OSError as error:
            if error.errno not in SCARCE:
                raise
            return self.shut_for_now()
        self.mark = mark
        self.unpacker, self.outgoing, self.done, self.is_killed = Unpacker(), b"", 0, False
        self.is_ready = False
        self.pool.watch(self.sock.fileno(), self.receive)
        for fd in self.pipes:
            self.pool.watch(fd, lambda fd=fd: self.output(fd))  # type: ignore[misc]
        self.send((LOAD, self.pool.modules, self.pool.memory))
        return True

    def shut_for_now(self) -> bool:
        """The idle processes of the others make room: they would live on, and there might never be any."""
        for process in [one for one in self.pool.processes if one.ready and not one.queue]:
            self.pool.retire(process)
        self.shut_until = time.monotonic() + AGAIN
        return False

    def reopens(self) -> bool:
        """Whether it is time to try again."""
        if not self.shut_until or time.monotonic() < self.shut_until:
            return False
        self.shut_until = 0.0
        return True

    def send(self, message: Any) -> None:
        self.outgoing += pack(message)
        self.push()

    def push(self) -> None:
        while self.outgoing and self.sock is not None:
            try:
                self.outgoing = self.outgoing[self.sock.send(self.outgoing) :]
            except BlockingIOError:
                return
            except OSError:
                self.outgoing = b""  # it died: its runs are settled when that is seen
                return

    def give(self, runs: Iterable[Run], now: float, monotonic: float) -> bool:
        """Begin these runs; False when there is no room for a process that would."""
        if self.process is None and not self.start():
            return False
        jobs = []
        for run in runs:
            lease = run.lease
            run.begin(now, monotonic)
            if not self.is_ready:  # its own time begins when the handlers are loaded
                run.deadline = monotonic + LOADING
            self.runs[lease.number] = run
            self.pool.marks.add(lease.number)
            jobs.append(
                (lease.number, lease.id, lease.type, lease.payload, lease.attempts, lease.max_attempts, lease.inputs,
                 run.latest)
            )  # fmt: skip
        self.send((JOBS, 0, jobs))
        return True

    def output(self, fd: int) -> None:
        """What came past sys.stdout: it is somebody's, but nobody knows whose, so the oldest run has it."""
        try:
            data = os.read(fd, READ)
        except BlockingIOError:
            return
        if not data:
            self.pool.unwatch(fd)
            return
        for run in self.runs.values():
            run.write(self.pipes[fd], data)
            return

    def receive(self) -> None:
        """Messages from the process, or its death."""
        if self.sock is None:
            return
        self.push()
        try:
            data = self.sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.bury()
            return
        for message in self.unpacker.feed(data):
            self.take(message)
        if self.pool.most is not None and self.done >= self.pool.most and not self.runs:
            self.close()

    def take(self, message: tuple[Any, ...]) -> None:
        kind = message[0]
        if kind == READY:
            self.is_ready = True
            for run in self.runs.values():  # their time begins now: loading is not theirs
                run.begin(time.time(), time.monotonic())
            if message[2]:  # it loaded when the worker began and does not any more
                self.kill()
        elif kind == OUTPUT:
            writer = self.runs.get(message[1])
            if writer is not None:
                writer.write(message[2], message[3])
        elif kind == DONE:
            _kind, number, how, error, result, after, started, finished, rows = message
            ended = self.runs.pop(number, None)
            if ended is not None:
                self.pool.marks.drop(number)
                self.done += 1
                children = unpack_jobs(rows)
                done = ended.ending(
                    how, finished, error=error, result=result, after=after, started_at=started, children=children
                )
                self.ended.append((ended, done, ended.facts()))

    def bury(self) -> None:
        """It died. What ran in it has used an attempt, unless it was killed because of another."""
        status = self.reap()
        now = time.time()
        self.pool.begun.hear()
        name = signal.Signals(-status).name if -status in set(signal.Signals) else ""
        text = (
            f"its process was killed by signal {-status} ({name})"
            if status < 0
            else f"its process left with exit status {status}"
        )
        for run in self.runs.values():
            run.mark, run.since = self.mark, run.started_at if self.done else 0.0
            self.pool.begun.settle(run.lease.number, now)  # as far as anybody knows
            self.pool.marks.drop(run.lease.number)
            how = ending.STOPPED if self.is_killed else ending.CRASH
            done = run.ending(how, now, error=text, exit_code=None if self.is_killed else status)
            self.ended.append((run, done, run.facts()))
        self.runs = {}

    def reap(self) -> int:
        if self.process is None or self.sock is None:
            return 0
        for fd in (self.sock.fileno(), *self.pipes):
            self.pool.unwatch(fd)
        self.sock.close()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        status = self.process.wait()
        for fd in self.pipes:
            os.close(fd)
        self.process, self.sock, self.pipes = None, None, {}
        return status

    def pids(self) -> list[int]:
        return [] if self.process is None else [self.process.pid]

    def end(self, run: Run, fate: str, monotonic: float) -> None:
        """Ask a run to end: a coroutine is cancelled, a thread interrupted."""
        if run.fate is None:
            run.fate = fate
            run.kill_at = monotonic + KILL_AFTER
            self.send((CANCEL, run.lease.number))

    def kill(self) -> None:
        """The process goes, since one of its runs does not: the others go back to the queue, no attempt used."""
        if self.process is not None:
            self.is_killed = True
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process, which has no work; it has a moment for what it does at the end."""
        if self.process is None or self.sock is None:
            return
        self.sock.shutdown(socket.SHUT_WR)
        try:
            self.process.wait(KILL_AFTER)
        except subprocess.TimeoutExpired:
            pass
        self.reap()
