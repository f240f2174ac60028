"""Seeing at scale: `stats`, `health` and `/metrics` with a million jobs in the file, and with ten."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import time
from pathlib import Path

from qctl.queue import Queue
from qctl.rules.sketch import bucket
from qctl.rules.tally import MINUTE, Tally
from qctl.store.sqlite.sql import sql
from tests.bench.measure import QCTL, Row, folder, in_turn, seconds
from tests.bench.scale import fill

TYPES = 10
SEEN = "INSERT OR REPLACE INTO qctl_settings SELECT 'figures_seen', max(number) FROM jobs"
TIMES = ("scheduled_at", "created_at", "updated_at", "completed_at")


def queue_of(path: Path, count: int) -> Queue:
    """A queue as it is in use: of `count` jobs of ten types nearly all completed within a week, the rest in every state,
    and an hour of figures."""
    queue = Queue(path)
    type_ = f"'type' || (i % {TYPES})"
    past = "strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || (600000 - i) || ' seconds')"  # as they came
    done = int(count * 0.9)
    fill(queue, done, "type, status, worker, completed_at", f"{type_}, 'completed', 'worker-1', {past}")
    fill(queue, count - done - 4 * (count // 100), "type", type_)
    fill(queue, count // 100, "type, scheduled_at", f"{type_}, datetime('now', '+1 day')")
    fill(queue, count // 100, "type, status", f"{type_}, 'blocked'")
    fill(queue, count // 100, "type, status", f"{type_}, 'cancelled'")
    fill(queue, count // 100, "type, status, last_error", f"{type_}, 'failed', 'card ' || i || ' declined'")
    with queue.store.write() as connection:
        connection.execute(
            "INSERT INTO dead_letter_jobs (original_job_id, type, attempts, last_error)"
            " SELECT id, type, 5, last_error FROM jobs WHERE status = 'failed'"
        )
        connection.execute(SEEN)
        rows = random.Random(1)
        for minute in range(1, 61):
            at = (int(time.time()) // MINUTE - minute) * MINUTE
            for number in range(TYPES):
                tally = Tally()
                tally.enqueued = tally.completed = 200
                tally.failed = tally.retried = 3
                for _ in range(200):
                    tally.run[bucket(rows.lognormvariate(-2, 0.5))] += 1
                    tally.wait[bucket(rows.lognormvariate(0, 1))] += 1
                connection.execute(sql("add_figures"), (MINUTE, at, f"type{number}", *tally.row()))
    queue.store.tidy(0)
    return queue


def looks(path: Path, count: int, rounds: int, bar: float) -> list[Row]:
    """`stats` and `health` as whole processes, against `qctl --version`."""

    def ms(*argv: str) -> float:
        begun = time.perf_counter()
        done = subprocess.run([QCTL, "--db", str(path), *argv], capture_output=True, check=False)
        assert done.returncode <= 2 and done.stdout, done
        return (time.perf_counter() - begun) * 1000

    figures = in_turn(
        rounds,
        version=lambda: seconds([QCTL, "--version"]) * 1000,
        stats=lambda: ms("stats"),
        health=lambda: ms("health"),
    )
    return [
        Row(f"`qctl {name}`, {count:,} jobs", "ms", {"qctl": figures[name], "--version": figures["version"]}, "--version", bar, higher=False)
        for name in ("stats", "health")
    ]  # fmt: skip


def sight(scale: float) -> list[Row]:
    """With a million jobs, and `/metrics` beside a worker that has enough to do."""
    count = max(20_000, int(1_000_000 * scale))
    with folder() as place:
        queue = queue_of(place / "own.db", count)
        found = looks(place / "own.db", count, max(5, int(15 * scale)), 5)
        found.append(scrapes(queue, count, max(30, int(300 * scale))))
        queue.close()
    return found


def sight10(scale: float) -> list[Row]:
    """With ten million jobs: the file alone takes minutes to make."""
    count = max(200_000, int(10_000_000 * scale))
    with folder() as place:
        queue_of(place / "own.db", count).close()
        return looks(place / "own.db", count, max(5, int(9 * scale)), 10)


def scrapes(queue: Queue, count: int, requests: int) -> Row:
    """How long `/metrics` takes beside a worker that drains, scraped ten times a second."""
    fill(queue, max(3000, requests * 2500), "type, payload", "'noop', '{\"n\":1}'")
    handlers = str(Path(__file__).with_name("handlers.py"))
    server = subprocess.Popen([QCTL, "--db", queue.path, "serve", "--port", "0", "--json"], stdout=subprocess.PIPE)
    assert server.stdout is not None
    port = int(json.loads(server.stdout.readline())["url"].rpartition(":")[2].strip("/"))
    worker = subprocess.Popen([QCTL, "--db", queue.path, "work", "--quiet", "--handlers", handlers])
    while not queue.live_workers():
        time.sleep(0.05)
    took = []
    for _ in range(requests):
        begun = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/metrics")
        assert b"qctl_jobs" in connection.getresponse().read()
        connection.close()
        took.append((time.perf_counter() - begun) * 1000)
        time.sleep(max(0.0, 0.1 - took[-1] / 1000))
    left = queue.store.read("SELECT count(*) FROM jobs WHERE type = 'noop' AND status = 'pending'")[0][0]
    for process in (worker, server):
        process.terminate()
        process.wait()
    assert left or requests < 300, "the worker had nothing left to do while it was measured"
    p99 = sorted(took)[int(len(took) * 0.99) - 1]
    return Row(f"/metrics beside a busy worker, {count:,} jobs, p99", "ms", {"qctl": p99, "20 ms": 20.0}, "20 ms", 1.0, higher=False)  # fmt: skip
