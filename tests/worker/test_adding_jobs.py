"""Jobs that add jobs, run by real workers: handlers of every kind, commands, and kills in between."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from tests.worker.conftest import until

Work = Callable[..., Any]

HANDLERS = """
import asyncio, threading, time
from qctl import JobContext, Retry, current, handler

@handler("parent", backoff="fixed:0s")
def parent(job: JobContext, took: float = 0.0, fail: int = 0):
    first = job.enqueue("child", {"n": 0})
    time.sleep(took)
    job.enqueue("child", {"n": 1}, after=first)
    if job.attempt <= fail:
        raise Retry("not yet", after=0)
    return {"attempt": job.attempt}

@handler("coroutine")
async def coroutine(job: JobContext):
    await asyncio.sleep(0.01)
    current().enqueue("child", {"n": 2})

@handler("child", backoff="fixed:0s")
def child(n: int, inputs: dict):
    return inputs

@handler("thread", max_attempts=1)
def thread():
    found = []
    def look():
        try:
            current()
        except Exception as problem:
            found.append(str(problem))
    one = threading.Thread(target=look)
    one.start()
    one.join()
    return found

@handler("wrong", max_attempts=1)
def wrong(job: JobContext):
    job.enqueue("child", {"m": 1})
"""
QCTL = f"{sys.executable} -m qctl"


@pytest.fixture
def module(tmp_path: Path) -> str:
    path = tmp_path / "jobs.py"
    path.write_text(HANDLERS)
    return str(path)


def children(queue: Queue) -> list[tuple[int, int, str]]:
    """(parent, n, status) of all, in order of their parents."""
    found = [(job.parent, job.payload.get("n", -1), job.status) for job in queue.find() if job.type == "child"]
    return sorted(found)


@pytest.mark.parametrize("options", [(), ("--threads", "2")])
def test_handlers_add_jobs_once_whatever_failed_before(
    queue: Queue, drain: Work, module: str, options: tuple[str, ...]
) -> None:
    queue.enqueue("parent", {"fail": 2})
    queue.enqueue("coroutine")
    queue.enqueue("thread")
    queue.enqueue("wrong")
    drain("--handlers", module, *options, code=1)
    assert children(queue) == [(1, 0, "completed"), (1, 1, "completed"), (2, 2, "completed")]
    assert "no handler runs here" in queue.get(3).result[0]
    assert "payload" in queue.get(4).last_error  # where the handler stands, not later
    first, second = (job for job in sorted(queue.find(), key=lambda job: job.number) if job.parent == 1)
    assert first.result == {"1": {"attempt": 3}}
    assert second.result == {"1": {"attempt": 3}, str(first.number): first.result}


def test_a_command_adds_jobs_that_come_with_its_completion(queue: Queue, drain: Work, tmp_path: Path) -> None:
    line = (
        f"n=$({QCTL} enqueue child n:=0) && {QCTL} enqueue child n:=1 --after $n > /dev/null && "
        f"""echo '{{"type": "child", "payload": {{"n": 2}}}}' | {QCTL} enqueue --from - && """
        f"{QCTL} enqueue child n:=3 --now && test $QCTL_ATTEMPT = 2"
    )
    queue.enqueue(shell=line, backoff="fixed:0s")
    drain(code=0)
    assert queue.get(1).status == "completed"
    found = Counter((n, parent, status) for parent, n, status in ((p or 0, n, s) for p, n, s in plain(queue)))
    assert found == {
        (0, 1, "cancelled"): 1, (1, 1, "cancelled"): 1, (2, 1, "cancelled"): 1,
        (0, 1, "pending"): 1, (1, 1, "blocked"): 1, (2, 1, "pending"): 1,
        (3, 0, "pending"): 2,
    }  # fmt: skip


def plain(queue: Queue) -> list[tuple[int | None, int, str]]:
    return [(job.parent, job.payload["n"], job.status) for job in queue.find() if job.type == "child"]


def test_a_wait_for_what_waits_for_oneself_is_refused_and_another_queue_is_another_queue(
    cli: Any, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("enqueue", "parent")
    for name, value in {"QCTL_JOB": "1", "QCTL_LEASE": "1"}.items():
        monkeypatch.setenv(name, value)
    done = cli("enqueue", "child", "--wait")
    assert (done.code, done.out) == (2, "") and "--now" in done.err
    done = cli("enqueue", "child")  # its lease is not what the queue has: this run is late
    assert (done.code, done.out) == (1, "") and "not run from here any more" in done.err
    assert cli("enqueue", "child", "--now").out == "2\n"
    assert cli("enqueue", "child", "--db", str(tmp_path / "other.db")).out == "1\n"
    with Queue(db) as queue:
        assert [job.parent for job in queue.find()] == [None, None]


def test_a_handler_is_tested_without_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    from qctl import JobContext, handlers

    def parent(job: JobContext) -> None:
        job.enqueue("child_here", {"n": 1})

    monkeypatch.setattr(handlers, "registry", {})
    handlers.handler("parent_here")(parent)
    handlers.handler("child_here")(lambda n: n)
    with Queue(":memory:") as queue:
        queue.enqueue("parent_here")
        assert [(job.type, job.parent) for job in queue.run_inline()] == [("parent_here", None), ("child_here", 1)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("kills", [4, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_a_kill_at_any_moment_neither_loses_nor_doubles_a_child(
    queue: Queue, work: Work, module: str, kills: int
) -> None:
    from tests.faults.harness import descendants as processes

    chance = random.Random(kills)
    count = kills * 8
    for n in range(count):
        if n % 4:
            queue.enqueue("parent", {"took": chance.choice([0, 0.01, 0.05])}, max_attempts=100)
        else:
            line = f"{QCTL} enqueue child n:=0 && {QCTL} enqueue child n:=1 --key {n}"
            queue.enqueue(shell=line, max_attempts=100, backoff="fixed:0s")
    argv = ("-c", "2", "--handlers", module, "--quiet")
    workers = [work(*argv), work(*argv)]
    for _ in range(kills):
        time.sleep(chance.uniform(0.02, 0.3))
        index = chance.randrange(2)
        victims = [workers[index].pid, *processes(workers[index].pid)]
        chosen = chance.choice([victims, victims[:1], [chance.choice(victims)]])
        for pid in chosen:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if workers[index].pid in chosen:
            workers[index].communicate()
            workers[index] = work(*argv)
    unfinished = "SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing', 'blocked')"
    until(lambda: queue.store.read(unfinished) == [(0,)], 60 + kills)
    assert queue.store.read("PRAGMA integrity_check") == [("ok",)]
    done = Counter((parent, n) for parent, n, status in children(queue) if status == "completed")
    assert done == {(parent, n): 1 for parent in range(1, count + 1) for n in (0, 1)}
    left = Counter(status for _parent, _n, status in children(queue))
    assert set(left) <= {"completed", "cancelled"}, json.dumps(left)
