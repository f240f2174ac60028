"""Limits with real workers: no window holds more starts than the rate, nothing is held back for no reason."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from tests.worker.conftest import HANDLERS, seconds_until, until

Work = Callable[..., Any]


def stamps(path: Path) -> list[float]:
    """When jobs began, as they wrote it down themselves."""
    return sorted(map(float, path.read_text().split())) if path.exists() else []


def most_in(window: float, moments: list[float]) -> int:
    """The most of the moments in any window of so many seconds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - window:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize("type_", ["stamp", "stamp_async"])
def test_no_window_sees_more_jobs_begin_than_the_rate(queue: Queue, work: Work, tmp_path: Path, type_: str) -> None:
    path = tmp_path / "stamps"
    queue.set_limits("type", type_, rate="40/s")
    queue.enqueue_many([{"type": type_, "payload": {"path": str(path)}} for _ in range(120)])
    running = [work("--drain", "-c", "2", "--handlers", HANDLERS) for _ in range(2)]
    for one in running:
        assert one.wait(30) == 0
    moments = stamps(path)
    assert len(moments) == 120
    assert most_in(1.0, moments) <= 40
    # 80 more after the first 40 come in little more than two periods; the machine may be busy.
    assert 2.0 <= moments[-1] - moments[0] < 15.0


@pytest.mark.long
@pytest.mark.parametrize("burst", [0, 20])
def test_a_hundred_a_second_over_four_workers_for_a_minute(
    queue: Queue, work: Work, tmp_path: Path, burst: int
) -> None:
    path = tmp_path / "stamps"
    queue.set_limits("type", "stamp", rate="100/s", rate_burst=str(burst))
    queue.enqueue_many([{"type": "stamp", "payload": {"path": str(path)}} for _ in range(7000)])
    running = [work("--quiet", "-c", "2", "--handlers", HANDLERS) for _ in range(4)]
    until(lambda: stamps(path))
    time.sleep(61)
    for one in running:
        one.terminate()
        assert one.wait(20) == 0
    moments = stamps(path)
    minute = [one for one in moments if one < moments[0] + 60]
    print(f"burst {burst}: {len(minute) / 60:.1f}/s, at most {most_in(1.0, moments)} in a second")
    assert most_in(1.0, moments) <= 100 + burst
    assert len(minute) >= 95 * 60


def test_no_more_run_at_once_than_may_and_the_place_of_a_cancelled_one_is_free_again(queue: Queue, work: Work) -> None:
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


@pytest.mark.parametrize("job", [{"shell": "sleep 60"}, {"type": "sleep", "payload": {"seconds": 60}}])
def test_the_place_of_a_worker_that_is_killed_is_free_again_within_two_seconds(
    queue: Queue, work: Work, job: dict[str, Any]
) -> None:
    type_ = job.get("type", "command")
    queue.set_limits("type", type_, concurrency="1")
    queue.enqueue_many([job])
    first = work("-c", "2", "--handlers", HANDLERS)
    until(lambda: queue.get(1).status == "processing")
    second = work("-c", "2", "--handlers", HANDLERS)
    until(lambda: queue.live_workers() == 2)
    queue.enqueue_many([{"shell": "true"} if type_ == "command" else {"type": type_, "payload": {"seconds": 0}}])
    time.sleep(0.1)
    assert queue.get(2).status == "pending"
    os.kill(first.pid, signal.SIGKILL)
    assert seconds_until(lambda: queue.get(2).status == "completed") < 2
    assert second.poll() is None


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
