"""A handler process, seen from its worker: what it was given, and whose its output is."""

from __future__ import annotations

import os
from collections import deque

from qctl.worker.child import JOBS, LOAD
from qctl.worker.frames import Unpacker, pack
from qctl.worker.launch import launch
from qctl.worker.output import STDERR, STDOUT
from qctl.worker.run import Run
from qctl.worker.sweep import CHILD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

READ = 1 << 16
LOADING = 120.0  # seconds that loading the handlers may take


class HandlerProcess:
    """One handler process. `queue`: the runs it was sent and has not finished, the first of them in progress."""

    __slots__ = (
        "buffers", "dead", "done", "load", "mark", "nonce", "outgoing", "pipes", "place", "process", "queue", "read_to", "ready", "round",
        "sock", "ticket_read", "ticket_write", "unpacker",
    )  # fmt: skip

    def __init__(
        self, modules: list[str], environment: dict[str, str], memory: int | None, begun: int, mark: tuple[str, int]
    ) -> None:
        """`mark`: the table of what runs (its path, or ""), and the place there of this process."""
        self.place = mark[1]
        self.ticket_read, self.ticket_write = os.pipe()
        self.nonce = os.urandom(16)
        self.mark = os.urandom(4).hex()
        try:
            self.process, self.sock, self.pipes = launch(
                environment | {CHILD: self.mark}, self.ticket_read, self.nonce, begun, (mark[0], str(mark[1]))
            )
        except OSError:
            os.close(self.ticket_read)
            os.close(self.ticket_write)
            raise
        os.set_blocking(self.ticket_read, False)
        os.set_blocking(self.ticket_write, False)
        self.buffers = {STDOUT: b"", STDERR: b""}
        self.read_to = {STDOUT: 0, STDERR: 0}  # how much of each buffer has been given to its run
        self.unpacker = Unpacker()
        self.queue: deque[Run] = deque()
        self.round = 0
        self.ready = False
        self.dead = False
        self.load = 0.0  # seconds that the runs in the queue usually take together
        self.done = 0  # runs that ended here
        self.outgoing = b""
        self.send((LOAD, modules, memory))

    def send(self, message: Any) -> None:
        """Queue a message; what the socket does not take now goes out when it can."""
        self.outgoing += pack(message)
        self.push()

    def push(self) -> None:
        while self.outgoing:
            try:
                sent = self.sock.send(self.outgoing)
            except BlockingIOError:
                return
            except OSError:
                self.outgoing = b""  # it died: its runs are settled when that is seen
                return
            self.outgoing = self.outgoing[sent:]

    def give(self, runs: list[Run], now: float, monotonic: float) -> None:
        """Send runs ahead of time, and a ticket for each."""
        if not self.queue:
            runs[0].begin(now, monotonic)
            if not self.ready:  # its own time begins when the handlers are loaded
                runs[0].deadline = monotonic + LOADING
        self.queue.extend(runs)
        self.load += sum(run.expected for run in runs)
        jobs = []
        for run in runs:
            lease = run.lease
            jobs.append(
                (lease.number, lease.id, lease.type, lease.payload, lease.attempts, lease.max_attempts, lease.inputs,
                 run.latest)
            )  # fmt: skip
        self.send((JOBS, self.round, jobs))
        os.write(self.ticket_write, bytes([self.round]) * len(runs))

    def take_back(self) -> list[Run]:
        """Take back what has not begun; the kernel decides about each ticket, so nothing taken back is ever begun."""
        try:
            tickets = len(os.read(self.ticket_read, 1 << 16))
        except BlockingIOError:
            return []
        back = [self.queue.pop() for _ in range(min(tickets, len(self.queue)))]
        back.reverse()
        self.load -= sum(run.expected for run in back)
        self.round = (self.round + 1) % 256
        return back

    def signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def split(self, stream: int, data: bytes) -> None:
        """Output came. What is before the first nonce is the first run's; the rest waits for its ending, see `drain`."""
        start = self.read_to[stream]
        data = self.buffers[stream][start:] + data
        self.read_to[stream] = 0
        self.buffers[stream] = data
        if self.nonce in data:
            return  # runs end in order: the first nonce ends the first run
        hold = next(
            (n for n in range(min(len(self.nonce) - 1, len(data)), 0, -1) if self.nonce.startswith(data[-n:])), 0
        )
        if self.queue and len(data) > hold:
            self.queue[0].write(stream, data[: len(data) - hold])
        self.buffers[stream] = data[len(data) - hold :]

    def drain(self, run: Run) -> None:
        """Before a run's ending counts: give it what it wrote, up to its nonce, from the buffers and the pipes."""
        size = len(self.nonce)
        for fd, stream in self.pipes.items():
            while True:
                data, start = self.buffers[stream], self.read_to[stream]
                cut = data.find(self.nonce, start)
                if cut >= 0:
                    if cut > start:
                        run.write(stream, data[start:cut])
                    self.read_to[stream] = cut + size
                    break
                if len(data) - start > READ:
                    run.write(stream, data[start:-size])
                    data, start = data[-size:], 0
                try:
                    more = os.read(fd, READ)
                except BlockingIOError:
                    more = b""
                self.buffers[stream], self.read_to[stream] = data[start:] + more, 0
                if not more:
                    break  # there is nothing more to find

    def drain_dead(self, run: Run | None) -> None:
        """What a dead process left in its pipes belongs to the run that it died in."""
        for fd, stream in self.pipes.items():
            data = self.buffers[stream][self.read_to[stream] :]
            for _ in range(64):
                try:
                    more = os.read(fd, READ)
                except BlockingIOError:
                    break
                if not more:
                    break
                data += more
            if run is not None and data:
                run.write(stream, data.replace(self.nonce, b""))
            self.buffers[stream], self.read_to[stream] = b"", 0

    def close(self) -> None:
        self.sock.close()
        for fd in (*self.pipes, self.ticket_read, self.ticket_write):
            os.close(fd)
        self.pipes = {}
