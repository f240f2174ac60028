"""A disk that fails: fsync, pwrite, pread and ftruncate say EIO at any moment. Nothing is acknowledged that is not stored."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qctl.queue import Queue
from tests.faults.preload import NEEDS, compiled

pytestmark = NEEDS
CALLS = {"S": 3, "W": 16, "R": 14, "T": 2}
"""What fails, and how many calls of it an enqueue makes about."""

ENDED = re.compile(r" [✓+] +(\d+) ")


def qctl(library: Path, db: Path, fail: str, *argv: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    env = dict(os.environ, LD_PRELOAD=str(library), RECORD_DB=str(db), FAIL=fail, PYTHONUTF8="1")
    return subprocess.run(
        [sys.executable, "-m", "qctl", "--db", str(db), *argv],
        input=input, capture_output=True, env=env, timeout=60, check=False,
    )  # fmt: skip


def stored(db: Path) -> dict[int, str]:
    with Queue(db) as queue:
        assert queue.store.read("PRAGMA integrity_check") == [("ok",)]
        return dict(queue.store.read("SELECT number, coalesce(key, id) FROM jobs"))


@pytest.mark.parametrize("trials", [12, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_enqueue_acknowledges_nothing_that_failed_and_says_what_is_unknown(
    tmp_path: Path, db: Path, trials: int
) -> None:
    library, chance = compiled(tmp_path), random.Random(trials)
    Queue(db).close()
    before = stored(db)
    failed = 0
    for trial in range(trials):
        kind = "SWRT"[trial % 4]
        fail = f"{kind},{chance.randint(1, CALLS[kind])},{chance.choice([1, 1, 100])}"
        bulk = b'{"type":"a"}\n' * 50
        how = trial % 3
        if how == 0:
            done = qctl(library, db, fail, "enqueue", "a", "--key", f"key-{trial}")
        elif how == 1:
            done = qctl(library, db, fail, "enqueue", "--", "true")
        else:
            done = qctl(library, db, fail, "enqueue", "--from", "-", "--atomic", input=bulk)
        after = stored(db)
        new = after.keys() - before.keys()
        printed = {int(word) for word in done.stdout.split()}
        assert printed <= after.keys(), (fail, done)
        assert len(new) in (0, 50 if how == 2 else 1), (fail, done)
        if done.returncode:
            failed += 1
            assert done.returncode == 4 and not printed and done.stderr.count(b"\n") == 1, (fail, done)
            assert b"Traceback" not in done.stderr
            if new:
                assert b"unknown" in done.stderr, (fail, done)
                assert after[min(new)].encode() in done.stderr, "its key, or its id"
            if b"nothing was stored" in done.stderr:
                assert not new, (fail, done)
        else:
            assert new == printed, (fail, done)
        before = after
    assert failed > trials // 4


@pytest.mark.parametrize("trials", [3, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_a_worker_whose_disk_fails_tells_no_end_that_is_not_stored(tmp_path: Path, db: Path, trials: int) -> None:
    library, chance = compiled(tmp_path), random.Random(trials)
    for trial in range(trials):
        with Queue(db) as queue:
            numbers = list(map(int, queue.enqueue_many([{"command": ["true"], "backoff": "fixed:0s"}] * 20)))
        kind = "SWRS"[trial % 4]
        fail = f"{kind},{chance.randint(1, 8 * CALLS[kind])},{chance.choice([1, 1, 3])}"
        done = qctl(library, db, fail, "work", "--drain", "-c", "2")
        assert done.returncode in (0, 4), (fail, done)
        assert b"Traceback" not in done.stderr and b"fault in qctl" not in done.stderr, (fail, done.stderr.decode())
        told = {int(number) for number in ENDED.findall(done.stderr.decode())}
        with Queue(db) as queue:
            assert queue.store.read("PRAGMA integrity_check") == [("ok",)]
            completed = {job.number: job.token for job in queue.find() if job.status == "completed"}
        assert told <= completed.keys(), (fail, done.stderr.decode())
        again = qctl(library, db, "", "work", "--drain", "-c", "2")
        assert again.returncode == 0, again
        with Queue(db) as queue:
            jobs = {job.number: job for job in queue.find()}
            assert {jobs[number].status for number in numbers} == {"completed"}
            assert all(jobs[number].token == completed[number] for number in numbers if number in told), "it ran again"
            for number in numbers:
                outcomes = [run["outcome"] for run in queue.history(number)]
                assert outcomes.count("completed") == 1 and set(outcomes) <= {"completed", "lost"}, outcomes


def test_the_failures_reach_sqlite(tmp_path: Path, db: Path) -> None:
    """The control: each kind of call does fail when it is told to."""
    library = compiled(tmp_path)
    Queue(db).close()
    for kind in "SWR":
        assert qctl(library, db, f"{kind},1,1000", "enqueue", "a").returncode == 4, kind
