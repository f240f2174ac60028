"""What a handler process shares: hooks and their context, coroutines, threads, a limit of memory, a life of so many jobs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from tests.worker.conftest import seconds_until, until

Work = Callable[..., Any]
HANDLERS = str(Path(__file__).with_name("wide_handlers.py"))


def text(queue: Queue, number: int) -> str:
    token = queue.get(number).token
    return b"".join(data for _position, _stream, data in queue.output(number, token)).decode()


def test_what_on_start_made_is_there_for_every_job_and_on_stop_is_called_at_the_end(
    queue: Queue, drain: Work, tmp_path: Path
) -> None:
    queue.enqueue_many([{"type": "pool"}] * 3)
    drain("--handlers", HANDLERS, code=0, env=dict(os.environ, GOODBYE=str(tmp_path / "bye")))
    results = [queue.get(number).result for number in (1, 2, 3)]
    assert len({result["pid"] for result in results}) == 1
    assert {result["pool"] for result in results} == {f"pool of {results[0]['pid']}"}
    assert results[0]["pool"] + "\n" in (tmp_path / "bye").read_text()


def test_a_process_is_replaced_after_its_number_of_jobs(queue: Queue, drain: Work) -> None:
    queue.enqueue_many([{"type": "pool"}] * 7)
    drain("--handlers", HANDLERS, "--max-jobs-per-child", "3", code=0)
    pids = [queue.get(number).result["pid"] for number in range(1, 8)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    assert all(queue.get(number).attempts == 1 for number in range(1, 8))


def test_a_job_that_eats_memory_costs_itself_and_nobody_else(queue: Queue, drain: Work) -> None:
    queue.enqueue("eat")
    queue.enqueue("pool")
    queue.enqueue(command=["python3", "-c", "x = bytearray(1 << 31)"], max_attempts=1)
    queue.enqueue(command=["echo", "fine"])
    drain("--handlers", HANDLERS, "--memory", "700m", code=1)
    assert [queue.get(number).status for number in (1, 2, 3, 4)] == ["failed", "completed", "failed", "completed"]
    assert "MemoryError" in queue.get(1).last_error
    assert "MemoryError" in queue.get(3).last_error


def test_coroutines_share_a_process_and_what_each_prints_is_its_own(queue: Queue, drain: Work) -> None:
    queue.enqueue_many([{"type": "sleepy", "payload": {"n": n, "took": 0.3}} for n in range(20)])
    drain("--handlers", HANDLERS, code=0)
    jobs = [queue.get(number) for number in range(1, 21)]
    assert len({job.result["pid"] for job in jobs}) == 1
    assert max(job.started_at for job in jobs) < min(job.completed_at for job in jobs), "all at once"
    for job in jobs:
        assert text(queue, job.number) == f"begins {job.result['n']}\nends {job.result['n']}\n"


def test_there_are_never_more_coroutines_than_asked_for(queue: Queue, drain: Work) -> None:
    queue.enqueue_many([{"type": "sleepy", "payload": {"n": n, "took": 0.05}} for n in range(6)])
    drain("--handlers", HANDLERS, "--coroutines", "2", code=0)
    spans = sorted((queue.get(number).started_at, queue.get(number).completed_at) for number in range(1, 7))
    for start, _end in spans:
        assert sum(1 for begun, ended in spans if begun <= start < ended) <= 2


def test_coroutines_run_beside_a_command_that_fills_the_only_slot(queue: Queue, work: Work) -> None:
    queue.enqueue(command=["sleep", "30"])
    work("--handlers", HANDLERS, "--quiet")
    until(lambda: queue.get(1).status == "processing")
    queue.enqueue("sleepy", {"n": 1, "took": 0})
    until(lambda: queue.get(2).status == "completed", 5)
    assert queue.get(1).status == "processing"


def test_a_coroutine_that_raises_or_takes_too_long_fails_alone(queue: Queue, drain: Work) -> None:
    queue.enqueue("stubborn")
    queue.enqueue("sleepy", {"n": 1, "took": 30}, timeout=0.2, max_attempts=1)
    queue.enqueue("sleepy", {"n": 2, "took": 0.5})
    drain("--handlers", HANDLERS, code=1)
    assert queue.get(1).last_error == "ValueError: no"
    assert "timed out" in queue.get(2).last_error
    assert queue.get(3).status == "completed"
    assert queue.get(3).attempts == 1


def test_threads_share_a_process_and_run_at_once(queue: Queue, drain: Work) -> None:
    queue.enqueue_many([{"type": "threaded", "payload": {"n": n, "took": 0.3}} for n in range(4)])
    drain("--handlers", HANDLERS, "--threads", "4", code=0)
    jobs = [queue.get(number) for number in range(1, 5)]
    assert len({job.result["pid"] for job in jobs}) == 1
    assert len({job.result["thread"] for job in jobs}) == 4
    assert max(job.started_at for job in jobs) < min(job.completed_at for job in jobs)
    for job in jobs:
        assert text(queue, job.number) == f"begins {job.result['n']}\nends {job.result['n']}\n"


def test_a_wide_process_that_dies_names_the_signal_and_another_takes_over(queue: Queue, drain: Work) -> None:
    queue.enqueue("suicide")
    drain("--handlers", HANDLERS, code=1)
    assert "signal 9 (SIGKILL)" in queue.get(1).last_error
    queue.enqueue("sleepy", {"n": 1, "took": 0})
    drain("--handlers", HANDLERS, code=0)
    assert queue.get(2).status == "completed"


def test_a_cancelled_coroutine_ends_within_a_second(queue: Queue, work: Work) -> None:
    queue.enqueue("sleepy", {"n": 1, "took": 30})
    work("--handlers", HANDLERS, "--quiet")
    until(lambda: queue.get(1).status == "processing")
    queue.cancel([1])
    assert seconds_until(lambda: queue.get(1).status == "cancelled") < 1
