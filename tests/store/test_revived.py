"""What comes back with a job that is to run again is counted like that job, and so is its way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qctl import Dead, Queue, flow, handlers, item, step
from qctl.handlers import handler
from qctl.keeping import undo

failing: list[str] = []


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setattr(handlers, "registry", {})
    failing.clear()

    @handler("give")
    def give(it: Any = None) -> Any:
        if it in failing:
            raise Dead("as told")
        return it

    @handler("tidy")
    def tidy() -> None:
        pass

    with Queue(":memory:") as one:
        yield one


def revived(queue: Queue) -> dict[str, int]:
    return dict(queue.store.read("SELECT type, sum(revived) FROM qctl_figures GROUP BY type HAVING sum(revived) <> 0"))


@pytest.mark.parametrize("verb", ["replay", "retry"])
def test_a_step_that_comes_back_with_its_job_is_counted_and_an_undo_takes_both_off(queue: Queue, verb: str) -> None:
    failing.append("b")
    given = step("give", {"it": ["a", "b"]}, name="given")
    queue.run_flow(flow("f", given, step("give", {"it": item}, name="each", foreach=given.result)))
    queue.run_inline()
    child = next(job for job in queue.find() if job.step == "each[1]")
    if verb == "replay":
        queue.replay([letter["id"] for letter in queue.dead_letters() if letter["number"] == child.number])
    else:
        queue.retry([child.number])
    assert {job.step: job.status for job in queue.find() if job.status != "completed"} == {
        "each": "blocked",
        "each[1]": "pending",
    }
    assert revived(queue) == {"give": 2}
    undo(queue)
    assert revived(queue) == {}


def test_a_step_that_cleans_up_again_is_counted(queue: Queue) -> None:
    failing.append("a")
    steps = {"a": {"type": "give", "payload": {"it": "a"}}, "tidy": {"type": "tidy"}}
    number = queue.run_flow({"steps": steps, "on_failure": "tidy"}) or 0
    queue.run_inline()
    assert revived(queue) == {}
    for times in (1, 2):
        queue.replay_flow(number)
        queue.run_inline()
        assert revived(queue) == {"give": times, "tidy": times}
    figures = queue.stats()
    assert figures["depth"][-1] == 0 and figures["depth"][0] == 0
