"""Limits with real workers: no window holds more starts than the rate, nothing is held back for no reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qctl.queue import Queue
from qctl.rules.when import from_text
from tests.worker.conftest import HANDLERS, until

Work = Callable[..., Any]


def starts(queue: Queue) -> list[float]:
    return sorted(from_text(job.started_at) for job in queue.find())


def most_in(window: float, moments: list[float]) -> int:
    """The most of the moments in any window of so many seconds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - window:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_two_workers_together_keep_a_rate_and_use_it_up(queue: Queue, work: Work) -> None:
    queue.set_limits("type", "echo", rate="40/s")
    queue.enqueue_many([{"type": "echo"} for _ in range(120)])
    running = [work("--drain", "-c", "2", "--handlers", HANDLERS) for _ in range(2)]
    for one in running:
        assert one.wait(30) == 0
    moments = starts(queue)
    assert len(moments) == 120
    # The rate is kept when a job is started; its process may take some ms more to begin it, the longer the busier it is.
    assert most_in(0.9, moments) <= 40
    # 80 more after the first 40 come in little more than two periods; the machine may be busy.
    assert 2.0 < moments[-1] - moments[0] < 8.0


def test_no_more_run_at_once_than_may_and_a_killed_workers_place_is_free_again(queue: Queue, work: Work) -> None:
    queue.set_limits("type", "command", concurrency="1")
    queue.enqueue(shell="sleep 60")
    queue.enqueue(shell="true")
    first = work("-c", "2")
    until(lambda: queue.get(1).status == "processing")
    second = work("-c", "2")
    until(lambda: queue.live_workers() == 2)
    assert queue.get(2).status == "pending"
    queue.cancel([1])
    until(lambda: queue.get(2).status == "completed")
    for one in (first, second):
        one.terminate()
        assert one.wait(20) == 0


def test_a_paused_type_waits_until_it_is_resumed_and_what_runs_finishes(queue: Queue, work: Work) -> None:
    queue.enqueue(shell="sleep 0.3")
    work("-c", "1")
    until(lambda: queue.get(1).status == "processing")
    queue.pause("type", "command")
    queue.enqueue(shell="true")
    until(lambda: queue.get(1).status == "completed")
    assert queue.get(2).status == "pending"
    queue.resume("type", "command")
    until(lambda: queue.get(2).status == "completed")
