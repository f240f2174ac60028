"""Once only: what was done is not done again, and mark and effect commit together."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qctl import JobContext
from qctl.model import BadValue
from qctl.queue import Queue
from tests.worker.conftest import until

Cli = Callable[..., Any]


@pytest.fixture
def once(db: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started = []

    def start(*argv: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "qctl", "--db", str(db), "once", *argv],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_command_runs_once_and_only_success_counts(once: Callable[..., Any], db: Path) -> None:
    failed = once("k", "--", "sh", "-c", "echo one; exit 7")
    assert failed.communicate()[0] == "one\n"
    assert failed.returncode == 7
    done = once("k", "--", "echo", "two")
    assert (done.communicate()[0], done.returncode) == ("two\n", 0)
    again = once("k", "--", "echo", "three")
    out, err = again.communicate()
    assert (out, again.returncode) == ("", 0)
    assert "k was done at" in err
    with Queue(db) as queue:
        assert queue.store.read("SELECT job_id FROM processed_jobs") == [("k",)]
    assert not list(db.parent.glob("*-once-*"))


def test_bad_input_and_programs_that_cannot_run(once: Callable[..., Any], cli: Cli) -> None:
    for argv, code in ((["k"], 2), (["k", "--"], 2), (["", "--", "true"], 2), (["--", "true"], 2)):
        assert cli("once", *argv).code == code
    for argv, code in ((["no-such-program"], 127), (["/"], 126), (["sh", "-c", "kill -9 $$"], 137)):
        process = once("k", "--", *argv)
        err = process.communicate()[1]
        assert process.returncode == code
        assert "Traceback" not in err


def test_two_at_once_one_runs_and_the_other_waits_or_says_so(once: Callable[..., Any], tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    line = f"echo run >> {trace}; while [ ! -e {gate} ]; do sleep 0.02; done"
    first = once("k", "--", "sh", "-c", line)
    until(trace.exists)
    second = once("k", "--", "sh", "-c", line)
    assert "waiting" in second.stderr.readline()
    third = once("k", "--no-wait", "--", "true")
    assert "is being done by another process" in third.communicate()[1]
    assert third.returncode == 1
    other = once("other", "--", "true")
    assert other.wait() == 0
    gate.touch()
    assert [first.wait(), second.wait()] == [0, 0]
    assert trace.read_text() == "run\n"


def test_the_next_takes_its_turn_after_one_that_failed(once: Callable[..., Any], tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    line = f"echo run >> {trace}; while [ ! -e {gate} ]; do sleep 0.02; done; [ $(wc -l < {trace}) -gt 1 ]"
    first = once("k", "--", "sh", "-c", line)
    until(trace.exists)
    others = [once("k", "--", "sh", "-c", line) for _ in range(2)]
    for one in others:
        assert "waiting" in one.stderr.readline()
    gate.touch()
    assert first.wait() == 1
    assert [one.wait() for one in others] == [0, 0]
    assert trace.read_text() == "run\n" * 2


def test_a_killed_once_keeps_the_turn_until_its_command_has_ended(once: Callable[..., Any], tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    first = once("k", "--", "sh", "-c", f"echo run > {trace}; while [ ! -e {gate} ]; do sleep 0.02; done")
    until(trace.exists)
    first.kill()
    first.wait()
    waits = once("k", "--no-wait", "--", "true")
    assert waits.wait() == 1
    second = once("k", "--", "echo", "again")
    gate.touch()
    assert second.communicate()[0] == "again\n"


def test_a_signal_is_passed_on_to_the_command(once: Callable[..., Any], tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    line = f"trap 'exit 9' TERM; echo run > {trace}; while :; do sleep 0.02; done"
    process = once("k", "--", "sh", "-c", line)
    until(trace.exists)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait() == 9


@pytest.mark.parametrize("isolation", ["", "IMMEDIATE"])
def test_a_handlers_mark_commits_with_its_effect(tmp_path: Path, isolation: str) -> None:
    own = sqlite3.connect(tmp_path / "shop.db", isolation_level=isolation)  # type: ignore[arg-type]
    own.execute("CREATE TABLE charged (n)")
    job = JobContext(1, "id-1", "charge", 1, 5)
    for end in ("ROLLBACK", "COMMIT"):
        assert job.once(own)
        own.execute("INSERT INTO charged VALUES (1)")
        own.execute(end)
    assert not job.once(own)
    assert job.once(own, "mail")
    own.rollback()
    assert own.execute("SELECT count(*) FROM charged").fetchone() == (1,)
    own.close()


def test_a_mark_that_would_commit_alone_is_refused(db: Path, queue: Queue) -> None:
    own = sqlite3.connect(db, isolation_level=None)
    job = JobContext(1, "id-1", "charge", 1, 5)
    with pytest.raises(BadValue, match="begin a transaction first"):
        job.once(own)
    own.execute("BEGIN")
    assert job.once(own)
    own.execute("COMMIT")
    own.close()
    assert queue.done_at("id-1") is not None
