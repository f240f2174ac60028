"""A handler process: loads the handlers, then runs the jobs that its worker sends, one after the other.

It is started by launch.py with the arguments SOCKET TICKETS NONCE PARENT BEGUN MARKS PLACE (TICKETS -1: see wide.py, and
there are no MARKS), and with its output in two pipes. Jobs come ahead of time over the socket, but each may only begin once
a ticket, one byte of the ticket pipe, was taken for it. The worker takes tickets back by reading the same pipe: the kernel
gives each byte to one of them, so a job that the worker took back is never begun here. After each job the nonce is written
to both pipes, so that the worker knows whose output is whose.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

from qctl import calling, handlers
from qctl.context import JobContext, shared
from qctl.model import BadValue
from qctl.rules.newjob import pack_jobs
from qctl.store.sqlite.marks import of_process
from qctl.worker import cleanup, hook
from qctl.worker.frames import Unpacker, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

LOAD, JOBS, READY, DONE, OUTPUT, CANCEL = 0, 1, 2, 3, 4, 5
OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def teller(fd: int, number: int, latest: float) -> Callable[[], bool]:
    """For a job that counts against a rate: says in a pipe that it begins, unless it is too late for that. Not by a
    message: the worker would wake up, and the job might lose the processor between what it says and its first step."""

    def begins() -> bool:
        now = time.time()
        if now > latest:
            return False
        os.write(fd, b"%d %.6f\n" % (number, now))
        return True

    return begins


class Overtime(BaseException):
    """Raised in a handler whose time is up, so that its `finally` blocks run before the process is killed."""


def main() -> None:
    fd, tickets, nonce = int(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3])
    die_with_parent(int(sys.argv[4]))
    for one in (fd, tickets):
        if one >= 0:
            os.set_inheritable(one, False)  # what a handler starts must not hold them: our death shows by their end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, overtime)
    begun = int(sys.argv[5])
    if tickets < 0:
        from qctl.worker.wide import serve

        serve(fd, begun)
    else:
        Child(fd, tickets, nonce, begun, of_process(sys.argv[6], int(sys.argv[7]))).run()


busy = False
"""Whether a handler runs: only then a SIGTERM, which says that its time is up, may interrupt anything."""


def overtime(_number: int, _frame: object) -> None:
    if busy:
        raise Overtime


def die_with_parent(parent: int) -> None:
    """On Linux the kernel ends this process with its worker; elsewhere the closed socket does, after the present job."""
    if sys.platform == "linux":
        try:
            import ctypes

            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        except (OSError, AttributeError):
            pass
    if os.getppid() != parent:
        os._exit(1)


class Child:
    def __init__(self, fd: int, tickets: int, nonce: bytes, begun: int, place: memoryview) -> None:
        self.fd = fd
        self.begun = begun
        self.tickets = tickets
        self.place = place  # the number of the job that runs, for whoever finds this process and its worker dead
        self.nonce = nonce
        self.round = 0
        self.jobs: list[tuple[Any, ...]] = []  # newest first
        self.unpacker = Unpacker()
        self.runner: Any = None
        # Of our own, so that a handler may close or redirect its output without taking the marks with it.
        self.marks = (os.dup(1), os.dup(2))
        self.is_copy = False
        os.register_at_fork(after_in_child=self.become_copy)

    def become_copy(self) -> None:
        """A handler forked, and this is the copy: it has no part in what the worker and this process say to each other."""
        self.is_copy = True
        for fd in (self.fd, self.tickets, *self.marks):
            os.close(fd)

    def run(self) -> None:
        while True:
            if not self.jobs:
                self.receive()
                continue
            ticket = self.ticket()
            while ticket != self.round:
                self.receive()
            if self.jobs:
                self.work(self.jobs.pop())

    def ticket(self) -> int:
        """Take the next ticket, waiting for it; leave when the worker is gone."""
        while True:
            try:
                data = os.read(self.tickets, 1)
            except BlockingIOError:
                poll = select.poll()
                poll.register(self.tickets, select.POLLIN)
                poll.poll()
                continue
            if not data:
                leave()
            return data[0]

    def receive(self) -> None:
        try:
            data = os.read(self.fd, 1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            leave()
        for message in self.unpacker.feed(data):
            if message[0] == LOAD:
                self.send(load(message[1], message[2]))
            else:
                _kind, round_, jobs = message
                if round_ != self.round:
                    self.round = round_
                    self.jobs = []  # the worker took them back
                self.jobs = [*reversed(jobs), *self.jobs]

    def send(self, message: Any) -> None:
        data = pack(message)
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except OSError:
            os._exit(0)

    def work(self, job: tuple[Any, ...]) -> None:
        global busy
        number, id_, type_, payload, attempt, max_attempts, inputs, latest = job
        context = JobContext(number, id_, type_, attempt, max_attempts, inputs)
        self.place[0] = number
        started = time.time()
        try:
            busy = True
            if latest is not None:
                context.begins = teller(self.begun, number, latest)
            verdict = calling.call(handlers.registry[type_], payload, context, self.run_async)
        except Overtime:
            # The worker knows what it sent the signal for; if it came too late for that job, this one is innocent.
            verdict = calling.Verdict("stopped", error="interrupted")
        except KeyError:
            verdict = calling.Verdict("failed", error=f"there is no handler for type {type_!r} here")
        except SystemExit as left:
            verdict = calling.Verdict("failed", error=f"SystemExit: {left.code}")
        except BaseException as problem:  # a handler may raise anything; its process lives on
            verdict = calling.Verdict("failed", error=calling.describe(problem))
        finally:
            busy = False
            context.is_over = True
        finished = time.time()
        flush()
        if self.is_copy:
            os._exit(0)
        self.place[0] = 0
        for number_of_stream, fd in enumerate(self.marks, 1):
            os.write(fd, self.nonce)
            os.dup2(fd, number_of_stream)  # the next job finds its output as it should be
        children = verdict.children and pack_jobs(verdict.children)
        self.send(
            (DONE, number, verdict.how, verdict.error, verdict.result, verdict.after, started, finished, children)
        )
        if verdict.error is not None and verdict.error.startswith("MemoryError"):
            leave()  # what the job took may not come back; the next job shall have all of it

    def run_async(self, coroutine: Any) -> Any:
        """Run a coroutine on this process's event loop, which lives as long as the process."""
        if self.runner is None:
            import asyncio

            self.runner = asyncio.Runner()
        from contextvars import copy_context

        return self.runner.run(coroutine, context=copy_context())  # which knows the current job


def load(modules: list[str], memory: int | None) -> tuple[Any, ...]:
    """Import the handlers and run what is to be run at the start; the message that says how it went."""
    if memory is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    error, trace, what = None, "", ""
    try:
        for module in modules:
            what = f"--handlers {module}"
            load_module(module)
        for starter in handlers.starters:
            what = f"on_start {handlers.place(starter)}"
            starter(shared)
    except BaseException as problem:
        import traceback

        known = isinstance(problem, BadValue)
        error = f"{what}: {problem if known else calling.describe(problem)}{where(problem)}"
        trace = "".join(traceback.format_exception(problem))
    types = [(one.type, dict(one.says), one.is_async) for one in handlers.registry.values()]
    # The types of our own, unless a module has a handler of that name.
    for name, function in ((cleanup.TYPE, cleanup.cleanup_completed_jobs), (hook.TYPE, hook.qctl_hook)):
        handlers.registry.setdefault(name, handlers.Handler(name, function, {}))
    return READY, types, error, trace


def leave() -> NoReturn:
    """The worker has no more for us: end in good order."""
    for stopper in handlers.stoppers:
        try:
            stopper(shared)
        except Exception as problem:
            sys.stderr.write(f"on_stop {handlers.place(stopper)}: {calling.describe(problem)}\n")
    flush()
    os._exit(0)


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass


def load_module(name: str) -> None:
    """Import a module by name, or a file by path; the present directory is searched first."""
    import importlib
    import importlib.util

    if "" not in sys.path:
        sys.path.insert(0, "")
    if not (name.endswith(".py") or "/" in name):
        importlib.import_module(name)
        return
    stem = os.path.splitext(os.path.basename(name))[0]
    if not os.path.isfile(name):
        raise FileNotFoundError(f"there is no file {name}")
    sys.path.insert(0, os.path.dirname(os.path.abspath(name)))
    spec = importlib.util.spec_from_file_location(stem, name)
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    spec.loader.exec_module(module)


def where(error: BaseException) -> str:
    """The last line of the user's own that the error passed: ` (shop/jobs.py, line 3)`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({os.path.relpath(error.filename)}, line {error.lineno})"
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(("<frozen", OURS)) and os.sep + "importlib" + os.sep not in file:
            place = f" ({os.path.relpath(file)}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return place
