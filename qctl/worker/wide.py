"""A wide handler process: many jobs at once, coroutines on one event loop and functions in threads.

Jobs begin as they come. What they print is told apart by the context they run in, and sent to the worker as messages; what
programs that they start write straight to the pipes is nobody's in particular.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import os
import sys
import threading
import time

from qctl import calling, handlers
from qctl.context import JobContext
from qctl.rules import ending
from qctl.rules.newjob import pack_jobs
from qctl.worker import child
from qctl.worker.child import CANCEL, DONE, JOBS, LOAD, OUTPUT
from qctl.worker.frames import Unpacker, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

READ = 1 << 16
current: contextvars.ContextVar[int] = contextvars.ContextVar("current", default=0)


class Overtime(BaseException):
    """Raised in the thread of a job whose time is up."""


def serve(fd: int, begun: int) -> None:
    """Run jobs until the worker closes the socket."""
    asyncio.run(Wide(fd, begun).run())


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr: what a job writes goes to the worker under its number, anything else where it used to."""

    def __init__(self, wide: Wide, number: int, before: Any) -> None:
        self.wide = wide
        self.number = number
        self.before = before

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self.before.fileno())

    def write(self, text: str) -> int:
        job = current.get()
        if job:
            self.wide.send((OUTPUT, job, self.number, text.encode("utf-8", "backslashreplace")))
        else:
            self.before.write(text)
        return len(text)

    def flush(self) -> None:
        if not current.get():
            self.before.flush()


class Wide:
    def __init__(self, fd: int, begun: int) -> None:
        self.fd = fd
        self.begun = begun
        os.register_at_fork(after_in_child=lambda: os.close(fd))  # see child.py
        self.unpacker = Unpacker()
        self.lock = threading.Lock()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.threads: dict[int, int] = {}  # number of a job that runs in a thread: that thread's ident
        self.ended = asyncio.Event()

    async def run(self) -> None:
        asyncio.get_running_loop().add_reader(self.fd, self.receive)
        sys.stdout, sys.stderr = Stream(self, 1, sys.stdout), Stream(self, 2, sys.stderr)
        await self.ended.wait()
        child.leave()

    def send(self, message: Any) -> None:
        data = pack(message)
        with self.lock:
            try:
                while data:
                    data = data[os.write(self.fd, data) :]
            except OSError:
                os._exit(0)  # the worker is gone

    def receive(self) -> None:
        try:
            data = os.read(self.fd, READ)
        except ConnectionError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self.fd)
            self.ended.set()
            return
        for message in self.unpacker.feed(data):
            if message[0] == LOAD:
                self.send(child.load(message[1], message[2]))
            elif message[0] == JOBS:
                for job in message[2]:
                    self.begin(job)
            elif message[0] == CANCEL:
                self.cancel(message[1])

    def begin(self, job: tuple[Any, ...]) -> None:
        number = job[0]
        self.tasks[number] = task = asyncio.create_task(self.work(job))

        def never_begun(_task: Any) -> None:
            if self.tasks.pop(number, None) is not None:  # cancelled before its first step
                now = time.time()
                self.send((DONE, number, ending.STOPPED, "interrupted", None, None, now, now, None))

        task.add_done_callback(never_begun)

    def cancel(self, number: int) -> None:
        """The time of a job is up, or somebody cancelled it: interrupt it."""
        thread = self.threads.get(number)
        if thread is not None:
            import ctypes

            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Overtime))
        elif number in self.tasks:
            self.tasks[number].cancel()

    async def work(self, job: tuple[Any, ...]) -> None:
        number, id_, type_, payload, attempt, max_attempts, inputs, latest = job
        current.set(number)
        context = JobContext(number, id_, type_, attempt, max_attempts, inputs)
        started = time.time()
        try:
            known = handlers.registry[type_]
            if latest is not None:
                context.begins = child.teller(self.begun, number, latest)
            if known.is_async:
                verdict = await calling.call_async(known, payload, context)
            else:
                verdict = await in_thread(self.call, known, payload, context)
        except KeyError:
            verdict = calling.Verdict(ending.ERROR, error=f"there is no handler for type {type_!r} here")
        except (asyncio.CancelledError, Overtime):
            verdict = calling.Verdict(ending.STOPPED, error="interrupted")  # the worker knows what for
        except BaseException as problem:  # a handler may raise anything; the process lives on
            verdict = calling.Verdict(ending.ERROR, error=calling.describe(problem))
        context.is_over = True
        del self.tasks[number]
        finished = time.time()
        children = pack_jobs(verdict.children)
        self.send(
            (DONE, number, verdict.how, verdict.error, verdict.result, verdict.after, started, finished, children)
        )

    def call(self, known: handlers.Handler, payload: str, context: JobContext) -> calling.Verdict:
        """In a thread of its own."""
        self.threads[context.number] = threading.get_ident()
        try:
            return calling.call(known, payload, context, asyncio.run)
        except SystemExit as left:
            return calling.Verdict(ending.ERROR, error=f"SystemExit: {left.code}")
        finally:
            self.threads.pop(context.number, None)


async def in_thread(function: Any, *arguments: Any) -> Any:
    """Run a function in a thread of its own that ends with it, in a copy of this context.

    Not in a pool's: a thread that does not heed its interruption must not keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def tell(set_it: Any, value: Any) -> None:
        if not done.done():
            set_it(value)

    def run() -> None:
        try:
            value, set_it = context.run(function, *arguments), done.set_result
        except BaseException as problem:
            value, set_it = problem, done.set_exception
        try:
            loop.call_soon_threadsafe(tell, set_it, value)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    threading.Thread(target=run, daemon=True).start()
    return await done
