"""Many who write at once, a purge, figures, a reader that never lets go, a stranger that holds the lock: nobody hears of a lock."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.store.sqlite import wal
from qctl.store.sqlite.store import SQLiteStore
from tests.worker.conftest import work

__all__ = ["work"]  # the fixture

WRITER = """
import sys, time
from qctl.queue import Queue
path, seconds = sys.argv[1], float(sys.argv[2])
queue, waits, end = Queue(path), [], time.monotonic() + seconds
while time.monotonic() < end:
    begun = time.monotonic()
    queue.enqueue(command=["true"])
    waits.append((time.monotonic() - begun, begun))
    time.sleep(0.02)
waits.sort(reverse=True)
print(len(waits), *[f"{begun}+{wait}" for wait, begun in waits[:len(waits) // 100 + 3]])
"""
LOOP = """
import subprocess, sys, time
path, end, argv = sys.argv[1], time.monotonic() + float(sys.argv[2]), sys.argv[3:]
while time.monotonic() < end:
    done = subprocess.run([sys.executable, "-m", "qctl", "--db", path, *argv], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{argv}: {done.returncode} {done.stderr}")
    time.sleep(0.1)
"""


def start(code: str, *argv: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    "seconds,writers,workers",
    [(4, 5, 2), pytest.param(600, 16, 4, marks=[pytest.mark.long, pytest.mark.timeout(1500)])],
)
def test_nobody_hears_of_a_lock_and_the_log_stays_bounded(
    queue: Queue,
    db: Path,
    work: Callable[..., Any],
    report: Callable[[str, int, str], None],
    seconds: int,
    writers: int,
    workers: int,
) -> None:
    queue.enqueue_many([{"type": "old"}] * 500)
    queue.cancel([job.number for job in queue.find()])
    reader: Any = sqlite3.connect(db, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM jobs").fetchone() == (500,)
    busy = [work("-c", "2", "--quiet") for _ in range(workers)]
    writing = [start(WRITER, str(db), str(seconds)) for _ in range(writers)]
    loops = [
        start(LOOP, str(db), str(seconds), "purge", "--status", "cancelled", "--older-than", "0s", "--yes"),
        start(LOOP, str(db), str(seconds), "stats", "--json"),
    ]
    held = hold(db, min(10.0, seconds / 4))
    counts, tails = [], []
    for process in writing:
        out, err = process.communicate(timeout=seconds + 60)
        assert process.returncode == 0 and not err, err
        count, *longest = out.split()
        counts.append(int(count))
        tails.append(tail(longest, int(count), held))
    for process in loops:
        assert process.communicate(timeout=60)[1] == ""
    assert reader.execute("SELECT count(*) FROM jobs").fetchone() == (500,), "it sees what it saw"
    reader.close()
    deadline = time.monotonic() + 30
    while queue.store.read("SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing')") != [(0,)]:
        assert time.monotonic() < deadline + seconds
        time.sleep(0.05)
    for process in busy:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[1]
        assert process.returncode == 0 and "locked" not in said, said
    grown = os.stat(f"{db}-wal").st_size
    queue.enqueue("last")
    queue.store.tidy(0)
    left = os.stat(f"{db}-wal").st_size
    assert left <= wal.OVERSIZE
    assert queue.store.read("PRAGMA integrity_check") == [("ok",)]
    print(f"{sum(counts)} enqueued, {min(counts)} to {max(counts)} a writer, p99.9 at most {max(tails):.3f} s")
    assert queue.store.read("SELECT count(*) FROM jobs WHERE status = 'completed'") == [(sum(counts),)]
    if seconds > 60:  # the stranger's lock lasts longer than the tail of a short run
        assert max(tails) <= 1.0
    report(
        "lock contention",
        sum(counts),
        f"{seconds} s, {writers} writers ({min(counts):,} to {max(counts):,} jobs each), {workers} workers, a purge, stats, a"
        f" reader that never lets go, a lock of 10 s: nobody heard of it; p99.9 of the slowest writer {max(tails) * 1000:.0f} ms beside that;"
        f" the log {grown >> 20} MB while the reader stayed, {left >> 20} MB after it; load {os.getloadavg()[1]:.1f}",
    )


def hold(db: Path, seconds: float) -> tuple[float, float]:
    """A program of another make holds the write lock; from when until when, in monotonic seconds."""
    stranger = sqlite3.connect(db, isolation_level=None, timeout=30)
    stranger.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    time.sleep(seconds)
    stranger.execute("COMMIT")
    stranger.close()
    return begun, time.monotonic()


def tail(longest: list[str], count: int, held: tuple[float, float]) -> float:
    """What all but one in a thousand of a writer's waits stay below, but for those for the stranger. `longest`: of `count`
    waits the longest, the longest first, each as its begin and its length."""
    others = []
    for word in longest:
        begun, wait = map(float, word.split("+"))
        if begun > held[1] or begun + wait < held[0]:
            others.append(wait)
    return others[count // 1000]


def test_a_log_that_a_reader_let_grow_is_cut_when_it_has_gone(
    file_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "OVERSIZE", 200_000)
    reader: Any = sqlite3.connect(file_store.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM jobs").fetchone()
    for n in range(40):
        file_store.set_setting("undo_for", f"{n}d" + " " * 20_000)
        file_store.tidy(10)
    assert os.stat(file_store.path + "-wal").st_size > 600_000
    reader.close()
    file_store.set_setting("undo_for", "1d")
    assert file_store.tidy(10)
    assert os.stat(file_store.path + "-wal").st_size == 0


@pytest.fixture
def file_store(db: Path) -> Any:
    one = SQLiteStore(str(db))
    yield one
    one.close()
