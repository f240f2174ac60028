"""kill -9, at random moments, of workers, handler processes, commands and enqueuers: the four sentences hold.

The jobs write their own history, a line at each start and end, to a file opened for appending.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from tests.worker.conftest import until, work

__all__ = ["work"]  # the fixture
Work = Callable[..., Any]

HANDLERS = """
import os, time
from qctl import handler

def write(line):
    fd = os.open({trace!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (line + "\\n").encode())
    os.close(fd)

@handler("job", backoff="fixed:0s")
def job(n, took):
    write(f"start {{n}} {{os.getpid()}}")
    time.sleep(took)
    write(f"end {{n}} {{os.getpid()}}")
"""


def children(pid: int) -> list[int]:
    """Processes whose parent is `pid`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
            except (OSError, IndexError):
                pass
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("kills", [12, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_a_kill_at_any_moment_loses_no_job_and_ends_each_once(
    queue: Queue, work: Work, tmp_path: Path, kills: int
) -> None:
    trace, module = tmp_path / "trace", tmp_path / "jobs.py"
    module.write_text(HANDLERS.format(trace=str(trace)))
    count = kills * 12
    chance = random.Random(kills)
    jobs: list[dict[str, Any]] = []
    for n in range(count):
        if n % 3:
            jobs.append(
                {"type": "job", "payload": {"n": n, "took": chance.choice([0, 0.001, 0.05])}, "max_attempts": 100}
            )
        else:
            line = f"echo start {n} $$ >> {trace}; sleep {chance.choice([0, 0.02])}; echo end {n} $$ >> {trace}"
            jobs.append({"shell": line, "max_attempts": 100, "backoff": "fixed:0s"})
    queue.enqueue_many(jobs)
    argv = ("-c", "2", "--handlers", str(module), "--quiet")
    workers = [work(*argv), work(*argv)]
    done = 0
    while done < kills:
        time.sleep(chance.uniform(0.01, 0.25))
        index = chance.randrange(2)
        victims = [workers[index].pid, *children(workers[index].pid)]
        what = chance.choice(["worker", "child", "all"])
        chosen = victims[:1] if what == "worker" else [chance.choice(victims)] if what == "child" else victims
        for pid in chosen:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        done += 1
        if workers[index].pid in chosen:
            workers[index].communicate()
            workers[index] = work(*argv)
    unfinished = "SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing')"
    until(lambda: queue.store.read(unfinished) == [(0,)], 60 + kills)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)
    check(queue, trace, count)


def check(queue: Queue, trace: Path, count: int) -> None:
    """The four sentences, from what the jobs wrote and from the file."""
    statuses = Counter(job.status for job in queue.find())
    assert statuses == {"completed": count}, statuses
    assert queue.store.read("PRAGMA integrity_check") == [("ok",)]
    ends = Counter(int(line.split()[1]) for line in trace.read_text().splitlines() if line.startswith("end"))
    assert set(ends) == set(range(count))
    for number in range(1, count + 1):
        outcomes = [run["outcome"] for run in queue.history(number)]
        assert outcomes.count("completed") == 1 and outcomes[-1] == "completed", (number, outcomes)
        # It ran more than once only where its history says why.
        assert ends[number - 1] <= len(outcomes)
    assert queue.store.read("SELECT count(*) FROM jobs WHERE locked_by IS NOT NULL") == [(0,)]


def test_the_jobs_of_a_killed_worker_run_again_within_two_seconds_and_no_orphan_stays(
    queue: Queue, work: Work, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    queue.enqueue(shell=f"echo $$ >> {pids}; sleep 60")
    first = work("--quiet")
    until(lambda: pids.exists() and pids.read_text().strip())
    second = work("--quiet")
    until(lambda: queue.live_workers() == 2)
    os.kill(first.pid, signal.SIGKILL)
    begun = time.monotonic()
    until(lambda: len(pids.read_text().split()) == 2, 5)
    assert time.monotonic() - begun < 2
    orphan = int(pids.read_text().split()[0])
    until(lambda: not alive(orphan), 5)
    job = queue.get(1)
    assert (job.attempts, job.rescues, job.token) == (1, 1, 2)
    assert [one["outcome"] for one in queue.history(1)] == ["lost", "running"]
    assert second.poll() is None


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_frozen_worker_is_left_alone_and_its_late_result_stands_once(queue: Queue, work: Work) -> None:
    queue.enqueue(shell="sleep 0.4")
    frozen = work("--quiet")
    until(lambda: queue.get(1).status == "processing")
    os.kill(frozen.pid, signal.SIGSTOP)
    work("--quiet")
    until(lambda: queue.live_workers() == 2)
    queue.enqueue(shell="true")
    until(lambda: queue.get(2).status == "completed")
    assert queue.get(1).status == "processing"  # its lock says that it lives
    os.kill(frozen.pid, signal.SIGCONT)
    until(lambda: queue.get(1).status == "completed")
    assert queue.get(1).token == 1


@pytest.mark.parametrize("kills", [10, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_a_number_that_was_printed_is_a_job_whenever_the_enqueuer_dies(db: Path, tmp_path: Path, kills: int) -> None:
    data = b"".join(b'{"type":"a","payload":{"i":%d}}\n' % i for i in range(20_000))
    chance = random.Random(kills)
    Queue(db).close()
    for _ in range(kills):
        before = rows(db)
        with (tmp_path / "numbers").open("wb") as numbers:
            process = subprocess.Popen(
                [sys.executable, "-m", "qctl", "--db", str(db), "enqueue", "--from", "-"],
                stdin=subprocess.PIPE,
                stdout=numbers,
            )
        assert process.stdin
        process.stdin.write(data[: chance.randrange(len(data))])
        process.stdin.flush()
        time.sleep(chance.uniform(0, 0.1))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        printed = (tmp_path / "numbers").read_bytes()
        complete = printed[: printed.rfind(b"\n") + 1].split()
        stored = rows(db)
        assert {int(number) for number in complete} <= stored - before
    connection = sqlite3.connect(db)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def rows(db: Path) -> set[int]:
    connection = sqlite3.connect(db)
    numbers = {row[0] for row in connection.execute("SELECT number FROM jobs")}
    connection.close()
    return numbers


def test_atomic_bulk_is_all_or_nothing_whenever_it_dies(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "jobs.ndjson"
    file.write_bytes(b"".join(b'{"type":"a","payload":{"i":%d}}\n' % i for i in range(5000)))
    Queue(db).close()
    chance = random.Random(7)
    for _ in range(8):
        before = len(rows(db))
        process = subprocess.Popen(
            [sys.executable, "-m", "qctl", "--db", str(db), "enqueue", "--from", str(file), "--atomic"],
            stdout=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.02, 0.4))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert len(rows(db)) - before in (0, 5000)
