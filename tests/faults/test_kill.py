"""kill -9, at random moments, of workers, handler processes, commands and enqueuers: the four sentences hold."""

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
from tests.faults.harness import Broken, Ground, last_number, numbers_in
from tests.worker.conftest import seconds_until, until, work

__all__ = ["work"]  # the fixture
Work = Callable[..., Any]
Report = Callable[[str, int, str], None]

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
LONG = [pytest.mark.long, pytest.mark.timeout(3600)]


@linux
@pytest.mark.parametrize(("rounds", "kills"), [(1, 6), pytest.param(20, 50, marks=LONG)])
def test_a_kill_at_any_moment_loses_no_job_and_ends_each_once(
    ground: Callable[[int], Ground], report: Report, rounds: int, kills: int
) -> None:
    seen: Counter[str] = Counter()
    slowest = 0.0
    for round_ in range(rounds):
        one = ground(round_)
        one.load(kills * 12)
        workers = 2 + round_ % 7
        for _ in range(workers):
            one.start_mixed()
        until(lambda one=one, workers=workers: one.queue.live_workers() == workers, 60)
        for _ in range(kills):
            end = time.monotonic() + one.chance.uniform(0.01, 0.3)
            while time.monotonic() < end:
                one.watch()
                time.sleep(0.02)
            seen[one.kill()] += 1
        one.finish(120)
        seen.update(one.check())
        slowest = max(slowest, *one.recoveries)
        one.close()
    what = ", ".join(f"{seen[name]} of {name}" for name in ("worker", "child", "command", "all"))
    held = (
        f"the four sentences over {seen['jobs']:,} jobs, 2 to 8 workers ({what} at once; {seen['again']:,} runs again);"
        f" slowest recovery {slowest:.1f} s; no orphan"
    )
    report("kill -9 of worker, child, command, all", rounds * kills, held)


@linux
def test_the_harness_catches_a_second_runner(ground: Callable[[int], Ground]) -> None:
    """The positive control: what it cannot see it does not prove."""
    one = ground(0)
    one.start_mixed()
    one.start_mixed()
    until(lambda: one.queue.live_workers() == 2)
    one.numbers.append(one.queue.enqueue(shell=one.line("sleep 2"), max_attempts=1))
    until(lambda: one.trace.read_text())
    with one.queue.store.write() as connection:  # somebody gives away what is still running
        connection.execute("UPDATE jobs SET status = 'pending', attempts = 0, locked_by = NULL, locked_at = NULL")
    one.finish(30)
    with pytest.raises(Broken, match="two runners at once"):
        one.check()


HARMS = {
    "DELETE FROM jobs WHERE number = 3": r"lost: \[3\]",
    "DELETE FROM qctl_history": "started 2 times",
    "UPDATE jobs SET status = 'failed' WHERE number = 3": "job 3: failed",
    "INSERT INTO dead_letter_jobs (original_job_id, type) SELECT id, type FROM jobs WHERE number = 3": "1 letters",
    "UPDATE jobs SET locked_by = 'somebody' WHERE number = 3": "still holds",
}


@linux
def test_the_harness_catches_a_job_that_is_lost_or_ended_twice(ground: Callable[[int], Ground]) -> None:
    one = ground(0)
    one.load(20)
    again = one.line("[ -e again ] || { touch again; kill -9 $$; }")
    one.numbers.append(one.queue.enqueue(shell=again, max_attempts=5, backoff="fixed:0s", cwd=str(one.folder)))
    one.start_mixed()
    one.finish(30)
    one.check()
    connection = one.queue.store.connection
    for harm, said in HARMS.items():
        connection.execute("BEGIN")
        connection.execute(harm)
        with pytest.raises(Broken, match=said):
            one.check()
        connection.execute("ROLLBACK")
    one.check()


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
    assert seconds_until(lambda: len(pids.read_text().split()) == 2) < 2
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


class Enqueuer:
    """`qctl enqueue ARGV...` on one queue, killed at moments spread over the time that it usually takes."""

    def __init__(self, db: Path, tmp_path: Path, *argv: str) -> None:
        Queue(db).close()
        self.db = db
        self.printed = tmp_path / "printed"
        self.argv = [sys.executable, "-m", "qctl", "--db", str(db), "enqueue", *argv]
        self.chance = random.Random(1)
        begun = time.monotonic()
        with self.printed.open("wb") as out:
            subprocess.run(self.argv, stdout=out, check=True)
        self.usual = time.monotonic() - begun

    def run_and_kill(self) -> tuple[set[int], set[int]]:
        """The numbers that it printed, and those of the jobs that are there since."""
        before = last_number(self.db)
        with self.printed.open("wb") as out:
            process = subprocess.Popen(self.argv, stdout=out)
        time.sleep(self.chance.uniform(0.2, 1.3) * self.usual)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        text = self.printed.read_bytes()
        return {int(number) for number in text[: text.rfind(b"\n") + 1].split()}, numbers_in(self.db, before)

    def is_whole(self) -> bool:
        connection = sqlite3.connect(self.db)
        answer = connection.execute("PRAGMA integrity_check").fetchall()
        connection.close()
        return answer == [("ok",)]


def bulk(tmp_path: Path, count: int) -> str:
    file = tmp_path / "jobs.ndjson"
    file.write_bytes(b"".join(b'{"type":"a","payload":{"i":%d}}\n' % i for i in range(count)))
    return str(file)


@pytest.mark.parametrize("kills", [3, pytest.param(300, marks=LONG)])
def test_a_number_that_was_printed_is_a_job_whenever_the_enqueuer_dies(
    db: Path, tmp_path: Path, report: Report, kills: int
) -> None:
    enqueuer, acknowledged = Enqueuer(db, tmp_path, "--from", bulk(tmp_path, 7000)), 0
    for _ in range(kills):
        printed, stored = enqueuer.run_and_kill()
        assert printed <= stored
        acknowledged += len(printed)
    assert enqueuer.is_whole()
    report("enqueuer killed, bulk", kills, f"each of {acknowledged:,} numbers printed is a job; the file is whole")


@pytest.mark.parametrize("kills", [5, pytest.param(500, marks=LONG)])
def test_a_single_number_that_was_printed_is_a_job(db: Path, tmp_path: Path, report: Report, kills: int) -> None:
    enqueuer, acknowledged = Enqueuer(db, tmp_path, "a", "n:=1"), 0
    for _ in range(kills):
        printed, stored = enqueuer.run_and_kill()
        assert printed <= stored and len(stored) <= 1
        acknowledged += len(printed)
    assert enqueuer.is_whole()
    report("enqueuer killed, one job", kills, f"each of {acknowledged:,} numbers printed is a job; the file is whole")


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=LONG)])
def test_atomic_bulk_is_all_or_nothing_whenever_it_dies(db: Path, tmp_path: Path, report: Report, kills: int) -> None:
    enqueuer = Enqueuer(db, tmp_path, "--from", bulk(tmp_path, 7000), "--atomic")
    stored: Counter[int] = Counter()
    for _ in range(kills):
        printed, there = enqueuer.run_and_kill()
        assert printed <= there
        stored[len(there)] += 1
    assert set(stored) <= {0, 7000}
    assert enqueuer.is_whole()
    report(
        "enqueuer killed, --atomic", kills, f"{stored[7000]} times all, {stored[0]} times nothing; the file is whole"
    )
