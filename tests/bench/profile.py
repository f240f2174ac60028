"""`python -m tests.bench.profile`: where a worker's time goes, in microseconds of CPU for each job.

The worker runs in this process, its parts are timed by the clock of its thread; a part that calls another does not count
it as its own. The clock costs some, too, so the parts say which is how much of the whole, not what a job costs.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from qctl.queue import Queue
from qctl.store.sqlite.store import SQLiteStore
from qctl.worker.commands import Commands
from qctl.worker.events import Events
from qctl.worker.log import Log
from qctl.worker.options import Options
from qctl.worker.pool import Pool
from qctl.worker.signals import Signals
from qctl.worker.supply import Supply
from qctl.worker.worker import Worker
from tests.bench.measure import folder, machine

PARTS = (
    (SQLiteStore, "claim", "claiming jobs"),
    (SQLiteStore, "finish", "writing down their ends"),
    (SQLiteStore, "end", "committing"),
    (SQLiteStore, "tidy", "checkpoints"),
    (Supply, "start", "handing them out"),
    (Commands, "start", "starting commands"),
    (Commands, "settle", "what commands left"),
    (Commands, "gone", "reaping commands"),
    (Pool, "receive", "messages of handler processes"),
    (Pool, "output", "output of handler processes"),
    (Events, "wait", "waiting for events"),
    (Worker, "run", "the rest of the loop"),
)


class Clock:
    """CPU seconds of the one thread, each spent by the part on top."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.stack: list[str] = []
        self.since = 0.0

    def turn(self) -> None:
        now = time.thread_time()
        if self.stack:
            self.spent[self.stack[-1]] = self.spent.get(self.stack[-1], 0.0) + now - self.since
        self.since = now

    def watch(self, owner: type, name: str, label: str) -> None:
        inner = getattr(owner, name)

        def timed(*args: object, **options: object) -> object:
            self.turn()
            self.stack.append(label)
            try:
                return inner(*args, **options)
            finally:
                self.turn()
                self.stack.pop()

        setattr(owner, name, timed)


def drain(rows: list[dict[str, object]], handlers: list[str], concurrency: int) -> tuple[float, float]:
    """Seconds in all, and CPU seconds of what the worker started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with folder() as place, Queue(place / "own.db") as queue, Signals() as signals:
        queue.enqueue_many(rows)
        options = Options(handlers=handlers, mode="drain", concurrency=concurrency)
        begun = time.perf_counter()
        Worker(queue.store, options, Log("none"), signals).run()
        took = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    handlers = [str(Path(__file__).with_name("handlers.py"))]
    works = (
        ("no-op Python job", [{"type": "noop", "payload": {"n": n}} for n in range(20_000)], handlers, 1),
        ("/bin/true", [{"command": ["/bin/true"]}] * 3000, [], 2),
    )
    clock = Clock()
    for part in PARTS:
        clock.watch(*part)
    for work, rows, modules, concurrency in works:
        clock.spent.clear()
        took, others = drain(rows, modules, concurrency)
        each = 1e6 / len(rows)
        print(f"{work}: {took * each:,.0f} µs, of which CPU of the worker {sum(clock.spent.values()) * each:,.1f}")
        for label, spent in sorted(clock.spent.items(), key=lambda pair: -pair[1]):
            print(f"  {spent * each:7.1f}  {label}")
        print(f"  {others * each:7.1f}  beside it: the processes that it started, their start included")
    print(machine())
    return 0


if __name__ == "__main__":
    sys.exit(main())
