"""Starts that count against a rate: told by the job as it begins, free again when it never does, too late is not at all."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qctl import calling
from qctl.context import JobContext
from qctl.handlers import Handler
from qctl.queue import Queue
from qctl.rules.limits import Rate
from qctl.store.sqlite.gates import Starts
from qctl.worker.child import teller
from qctl.worker.starts import NEVER, Begun
from tests.worker.conftest import HANDLERS, until

RATE = (Rate(3, 8.0), ("type", "x", ""))


@pytest.fixture
def begun() -> Iterator[Begun]:
    one = Begun()
    yield one
    one.close()


def claim(begun: Begun, *numbers: int) -> Starts:
    starts = Starts(time.time(), {number: [RATE] for number in numbers})
    begun.claimed.append(starts)
    begun.written()
    return starts


def call(begun: Begun, latest: float) -> tuple[str, list[int]]:
    """How a call of a handler ends, and what it did."""
    done: list[int] = []
    context = JobContext(1, "id", "x", 1, 5)
    context.begins = teller(begun.told, 1, latest)
    return calling.call(Handler("x", lambda: done.append(1), {}), "{}", context, lambda _: None).how, done


def test_a_job_says_that_it_begins_right_before_its_function_is_called(begun: Begun) -> None:
    starts = claim(begun, 1)
    assert begun.latest(1) == starts.now + 8
    assert begun.latest(2) is None
    assert begun.look_at <= time.monotonic() + 1
    before = time.time()
    assert call(begun, before + 8) == ("completed", [1])
    begun.keep(lambda: {1})
    ((of, number, at),) = begun.news
    assert (of, number) == (starts, 1)
    assert at is not None
    assert before - 1e-5 <= at <= time.time()
    begun.written()
    assert (begun.news, begun.waiting, begun.look_at) == ([], {}, NEVER)


def test_a_job_that_comes_too_late_does_not_begin(begun: Begun) -> None:
    claim(begun, 1)
    assert call(begun, time.time() - 0.1) == ("stopped", [])
    begun.keep(lambda: set())
    assert [(number, at) for _starts, number, at in begun.news] == [(1, None)]


def test_what_a_worker_does_not_hold_any_more_never_began(begun: Begun) -> None:
    claim(begun, 1, 2, 3)
    os.write(begun.told, b"2 1800000000.5")
    begun.keep(lambda: {1, 2})
    assert [(number, at) for _starts, number, at in begun.news] == [(3, None)]
    os.write(begun.told, b"00\n7 1.0\n")  # the rest of a line, and a job of which nobody waits to hear
    begun.keep(lambda: {1, 2})
    assert [(number, at) for _starts, number, at in begun.news] == [(3, None), (2, 1800000000.5)]
    assert list(begun.waiting) == [1]


def test_what_was_not_committed_was_not_claimed(begun: Begun) -> None:
    begun.claimed.append(Starts(time.time(), {1: [RATE]}))
    begun.write(None)  # type: ignore[arg-type]  # the next transaction begins: the one before was rolled back
    begun.written()
    assert begun.waiting == {}


def test_a_process_that_was_frozen_for_longer_than_a_period_begins_nothing_late(
    queue: Queue, work: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "stamps"
    queue.set_limits("type", "stamp", rate="1/s")
    worker = work("--quiet", "--handlers", HANDLERS)
    child = int(until(lambda: Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()[:1])[0])
    first = queue.enqueue("stamp", {"path": str(path)})
    until(lambda: queue.get(first).status == "completed")
    time.sleep(1.1)
    os.kill(child, signal.SIGSTOP)
    second = queue.enqueue("stamp", {"path": str(path)})
    until(lambda: queue.get(second).status == "processing")
    time.sleep(1.1)
    os.kill(child, signal.SIGCONT)
    job = until(lambda: (one := queue.get(second)).status == "completed" and one)
    assert job.attempts == 1
    (stopped, completed) = queue.history(second)
    assert stopped["error"] == "it could not begin within the period of its rate"
    assert completed["outcome"] == "completed"
    assert len(path.read_text().split()) == 2
