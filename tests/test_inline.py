"""Running jobs inside the process of a test: what is due, schedules included, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from qctl import Queue, handler, handlers
from qctl.model import BadValue

DAY = 86_400.0


@pytest.fixture
def queue() -> Iterator[Queue]:
    known = dict(handlers.registry)
    handler("greet")(lambda name="": f"hello {name}")
    with Queue(":memory:") as queue:
        yield queue
    handlers.registry.clear()
    handlers.registry.update(known)


def test_what_is_due_runs_and_what_is_not_stays(queue: Queue) -> None:
    queue.enqueue("greet", {"name": "ana"})
    queue.enqueue("greet", {"name": "bo"}, delay="1h")
    queue.enqueue(shell="true")
    assert [job.result for job in queue.run_inline()] == ["hello ana"]
    assert [job.result for job in queue.run_inline(now=time.time() + 3601)] == ["hello bo"]
    assert queue.run_inline() == []


def test_schedules_tick_as_the_time_goes_that_the_test_gives(queue: Queue) -> None:
    queue.add_schedule("greet", "0 3 * * *", {"name": "cron"}, time_zone="UTC")
    now = time.time()
    assert queue.run_inline(now=now) == []
    for day in (1, 2):
        assert [job.result for job in queue.run_inline(now=now + day * DAY)] == ["hello cron"]
        assert queue.run_inline(now=now + day * DAY) == []


def test_a_schedule_that_cannot_tick_is_told(queue: Queue) -> None:
    with queue.store.write() as connection:
        connection.execute("INSERT INTO cron_schedules (type, cron_expression) VALUES ('greet', 'never')")
    with pytest.raises(BadValue, match="schedule greet: cron: 'never' has 1 field"):
        queue.run_inline()


def test_a_rate_holds_and_counts_from_the_time_given(queue: Queue) -> None:
    queue.set_limits("type", "greet", rate="2/m")
    queue.enqueue_many([{"type": "greet"} for _ in range(5)])
    now = time.time()
    assert [len(queue.run_inline(now=now + seconds)) for seconds in (0, 30, 61, 90, 122)] == [2, 0, 2, 0, 1]
