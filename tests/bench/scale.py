"""Works at scale: many writers, many rows, many jobs through one worker."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from qctl.queue import Queue
from qctl.rules.when import to_text
from qctl.store.sqlite.upkeep import upkeep
from tests.bench.measure import QCTL, Row, folder, in_turn

WRITER = """
import sys, time
from qctl.queue import Queue
queue = Queue(sys.argv[1])
until, waits = float(sys.argv[2]), []
while time.time() < until - float(sys.argv[3]):
    time.sleep(0.001)
while time.time() < until:
    begun = time.perf_counter()
    queue.enqueue("noop", {"n": 1})
    waits.append(time.perf_counter() - begun)
print(len(waits), *[f"{wait:.6f}" for wait in sorted(waits)[-(len(waits) // 500 + 2):]])
"""
SIGNALLED_WRITER = """
import sys, threading, time
from qctl.queue import Queue
queue, waits = Queue(sys.argv[1]), []
stopped = threading.Thread(target=sys.stdin.readline)
stopped.start()
print("writing", flush=True)
while stopped.is_alive():
    begun = time.perf_counter()
    queue.enqueue("later", {"n": 1}, delay=3600)
    waits.append(time.perf_counter() - begun)
    time.sleep(0.002)
print(*[f"{wait:.6f}" for wait in sorted(waits)])
"""
HERE = Path(__file__).parent.parent.parent


def write_together(path: str, count: int, took: float) -> tuple[list[int], list[float]]:
    """Commits of each of `count` processes that enqueue one by one for `took` seconds, and their longest waits."""
    until = time.time() + took + 0.3 + count * 0.15
    environment = dict(os.environ, PYTHONPATH=str(HERE))
    argv = [sys.executable, "-c", WRITER, path, str(until), str(took)]
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(count)]
    commits, waits = [], []
    for process in processes:
        words = process.communicate()[0].split()
        commits.append(int(words[0]))
        waits += [float(word) for word in words[1:]]
    return commits, sorted(waits)


def writers(scale: float) -> list[Row]:
    """Sixteen processes that enqueue at once, each commit durable."""
    took = max(1.0, 3 * scale)
    alone: list[float] = []
    totals: list[float] = []
    fairness: list[tuple[int, int]] = []
    waits: list[float] = []
    with folder() as place:
        path = str(place / "own.db")
        Queue(path).close()
        for _ in range(5):
            one, _waits = write_together(path, 1, took)
            many, waited = write_together(path, 16, took)
            alone.append(one[0] / took)
            totals.append(sum(many) / took)
            fairness.append((min(many), max(many)))
            waits += waited
    least, most = min(fairness, key=lambda pair: pair[0] / pair[1])
    late = sorted(waits)[-max(1, int(sum(totals) * took) // 1000)]
    return [
        Row("16 writers: all of them", "/s", {"qctl": statistics.median(totals), "one writer": statistics.median(alone)}, "one writer", 0.9, higher=True),
        Row("16 writers: the least lucky", "commits", {"qctl": float(least), "the luckiest": float(most)}, "the luckiest", 0.5, higher=True),
        Row("16 writers: wait, p99.9", "ms", {"qctl": late * 1000, "250 ms": 250.0}, "250 ms", 1.0, higher=False),
    ]  # fmt: skip


def purge(scale: float) -> list[Row]:
    """Completed jobs deleted beside a worker that has enough to do, and what a writer waits meanwhile."""
    count, work = max(5000, int(1_000_000 * scale)), max(2000, int(500_000 * scale))
    environment = dict(os.environ, PYTHONPATH=str(HERE))
    with folder() as place, Queue(place / "own.db") as queue:
        fill(
            queue,
            count,
            "type, payload, status, attempts, token, worker, created_at, scheduled_at, started_at, updated_at, completed_at",
            "'noop', '{\"n\":1}', 'completed', 1, 1, 'worker-0', at, at, at, at, at",
            "(SELECT i, strftime('%Y-%m-%d %H:%M:%f', 'now', '-8 days', (i * 0.001) || ' seconds') AS at FROM n)",
        )
        fill(queue, work, "type, payload", "'noop', '{\"n\":1}'")
        while not upkeep(queue.store, time.time()):  # as workers would have counted them since
            pass
        handlers = str(Path(__file__).with_name("handlers.py"))
        argv = [QCTL, "--db", queue.path, "work", "--quiet", "--handlers", handlers]
        worker = subprocess.Popen(argv)
        done = "SELECT count(*) FROM jobs WHERE status = 'completed' AND completed_at >= ?"
        today = (to_text(time.time() - 3600),)
        while not queue.store.read(done, today)[0][0]:
            time.sleep(0.01)
        begun = time.time()
        writer = subprocess.Popen(
            [sys.executable, "-c", SIGNALLED_WRITER, queue.path], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=environment
        )  # fmt: skip
        assert writer.stdout is not None and writer.stdout.readline()
        before, begun = queue.store.read(done, today)[0][0], time.perf_counter()
        subprocess.run([QCTL, "--db", queue.path, "purge", "--yes"], check=True, stdout=subprocess.DEVNULL)
        took = time.perf_counter() - begun
        waits = [float(word) for word in writer.communicate("stop\n")[0].split()]
        beside = (queue.store.read(done, today)[0][0] - before) / took
        worker.terminate()
        worker.wait()
        assert queue.store.read("SELECT count(*) FROM jobs WHERE completed_at < ?", today) == [(0,)]
    late = waits[int(len(waits) * 0.99)] * 1000
    print(
        f"beside the purge the worker did {beside:,.0f} jobs/s, the writer {len(waits) / took:,.0f}/s", file=sys.stderr
    )
    return [
        Row(f"purge of {count:,} jobs beside a busy worker", "/s", {"qctl": count / took, "50,000/s": 50_000.0}, "50,000/s", 1.0, higher=True),
        Row("another writer's wait meanwhile, p99", "ms", {"qctl": late, "50 ms": 50.0}, "50 ms", 1.0, higher=False),
    ]  # fmt: skip


def fill(queue: Queue, count: int, columns: str, values: str, source: str = "n") -> None:
    """Insert rows by plain SQL, in transactions of half a million."""
    for start in range(0, count, 500_000):
        with queue.store.write() as connection:
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                f" INSERT INTO jobs ({columns}) SELECT {values} FROM {source}",
                (min(500_000, count - start),),
            )
        queue.store.tidy(0)


def memory(scale: float) -> list[Row]:
    """What a worker and its handler process have in memory after 10,000 jobs and at the end of a million."""
    count = max(30_000, int(1_000_000 * scale))
    with folder() as place, Queue(place / "own.db") as queue:
        for _ in range(count // 10_000):
            queue.enqueue_many([{"type": "noop", "payload": {"n": n}} for n in range(10_000)])
        path = queue.path
        handlers = str(Path(__file__).with_name("handlers.py"))
        argv = [QCTL, "--db", path, "work", "--drain", "--quiet", "--handlers", handlers]
        worker = subprocess.Popen(argv)
        first = last = 0.0
        while worker.poll() is None:
            done = queue.store.read("SELECT count(*) FROM jobs WHERE status = 'completed'")[0][0]
            size = resident(worker.pid)
            if size:
                last = size
                if not first and done >= 10_000:
                    first = size
            time.sleep(0.2)
    return [Row(f"memory of a worker over {count:,} jobs", "MiB", {"qctl": last, "after 10,000": first}, "after 10,000", 1.1, higher=False)]  # fmt: skip


def resident(pid: int) -> float:
    """MiB of a process and its children."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=False).stdout
    found = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return sum(size for own, parent, size in found if pid in (own, parent)) / 1024


def rows(scale: float) -> list[Row]:
    """A claim and an enqueue with ten million rows in the file, and with ten thousand."""
    many = max(100_000, int(10_000_000 * scale))
    with folder() as place:
        few_queue, many_queue = Queue(place / "few.db"), Queue(place / "many.db")
        for queue, count in ((few_queue, 10_000), (many_queue, many)):
            fill(
                queue,
                count,
                "type, status, completed_at",
                "'a', 'completed', strftime('%Y-%m-%d %H:%M:%f', 'now')",
            )

        def enqueues(queue: Queue) -> float:
            return statistics.median(timed(lambda: queue.enqueue("mine", {"n": 1})) for _ in range(200))

        def claims(queue: Queue) -> float:
            now = "9999-01-01 00:00:00.000"
            return statistics.median(
                timed(lambda: queue.store.claim("bench", 1, now, handlers={"mine"})) for _ in range(200)
            )

        enqueued = in_turn(5, **{"qctl": lambda: enqueues(many_queue), "10,000 rows": lambda: enqueues(few_queue)})
        claimed = in_turn(5, **{"qctl": lambda: claims(many_queue), "10,000 rows": lambda: claims(few_queue)})
        few_queue.close()
        many_queue.close()
    return [
        Row(f"enqueue with {many:,} rows in the file", "µs", enqueued, "10,000 rows", 1.3, higher=False),
        Row(f"claim with {many:,} rows in the file", "µs", claimed, "10,000 rows", 1.3, higher=False),
    ]


def timed(act: object) -> float:
    begun = time.perf_counter()
    act()  # type: ignore[operator]
    return (time.perf_counter() - begun) * 1e6
