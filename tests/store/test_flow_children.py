"""What a step of a flow adds belongs to the flow: its end waits for it, its failure is the flow's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qctl import Dead, JobContext, Queue, Retry, handlers
from qctl.handlers import handler
from qctl.model import NewJob
from qctl.rules import ending
from qctl.rules.when import to_text
from tests.store.conftest import NOW, Acts

failing: set[str] = set()
ran: list[str] = []


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setattr(handlers, "registry", {})
    failing.clear()
    ran.clear()

    @handler("parent")
    def parent(job: JobContext) -> str:
        first = job.enqueue("child", {"name": "c1"})
        job.enqueue("child", {"name": "c2"}, after=first)
        if "parent" in failing:
            failing.remove("parent")
            raise Retry("not yet", after=0)
        return "mine"

    @handler("child")
    def child(name: str, inputs: Any = None) -> Any:
        ran.append(name)
        if name in failing:
            raise Dead("as told")
        return inputs

    with Queue(":memory:") as one:
        yield one


def started(queue: Queue, **more: Any) -> int:
    steps = {
        "add": {"type": "parent"},
        "then": {"type": "child", "payload": {"name": "then"}, "needs": ["add"]},
        "tidy": {"type": "child", "payload": {"name": "tidy"}},
    }
    return queue.run_flow({"steps": steps, "on_failure": "tidy", **more}) or 0


def test_the_jobs_that_a_step_adds_are_in_its_flow_and_its_end_waits_for_them(queue: Queue) -> None:
    number = started(queue)
    queue.run_inline(limit=1)
    assert [(job.step, job.type, job.flow) for job in queue.find(newest_first=False)][3:] == [
        (None, "child", number)
    ] * 2
    queue.run_inline(limit=2)
    assert queue.flow(number)["status"] == "running" and queue.flow(number)["steps"] == 5
    queue.run_inline()
    assert sorted(ran) == ["c1", "c2", "then"] and queue.flow(number)["status"] == "completed"


def test_what_it_adds_has_results_by_number_and_steps_have_them_by_name(queue: Queue) -> None:
    started(queue)
    queue.run_inline()
    add, then, _tidy, first, second = queue.find(newest_first=False)
    assert first.result == {str(add.number): "mine"}
    assert second.result == {str(add.number): "mine", str(first.number): first.result}
    assert then.result == {"add": "mine"}


def test_if_it_fails_the_flow_has_failed_the_clean_up_runs_and_a_replay_repeats_it(queue: Queue) -> None:
    failing.add("c1")
    number = started(queue)
    queue.run_inline()
    assert ran[-1] == "tidy" and "c2" not in ran and queue.flow(number)["status"] == "failed"
    failing.clear()
    queue.replay_flow(number)
    queue.run_inline()
    assert ran[-2:] == ["c1", "c2"] and queue.flow(number)["status"] == "completed"


def test_the_clean_up_waits_for_what_was_added_while_it_waited(queue: Queue) -> None:
    failing.add("then")
    number = started(queue)
    for second in range(9):  # one job a second: nothing is in line before another by its number alone
        queue.run_inline(now=4e9 + second, limit=1)
    assert sorted(ran[:-1]) == ["c1", "c2", "then"] and ran[-1] == "tidy"
    assert queue.flow(number)["status"] == "failed"


def test_what_a_run_that_failed_had_added_is_not_of_the_flow(queue: Queue) -> None:
    failing.add("parent")
    number = started(queue)
    queue.run_inline()
    assert queue.flow(number)["status"] == "completed" and queue.flow(number)["steps"] == 5


def test_what_a_command_adds_joins_the_flow_and_leaves_it_with_a_run_that_fails(acts: Acts) -> None:
    store = acts.store
    with store.write() as connection:
        connection.execute("INSERT INTO qctl_flows (name, on_failure) VALUES ('f', '[2]')")
    plan = '{"on_failure":true}'
    store.insert([NewJob("parent", more={"flow": 1, "step": "a"})], to_text(NOW))
    cleaner = NewJob("t", more={"flow": 1, "step": "b", "plan": plan, "status": "blocked", "needs": [("ended", [1])]})
    store.insert([cleaner], to_text(NOW))
    (lease,) = acts.claim()
    more = {"parent": lease.number, "lease": lease.token, "status": "blocked"}
    (child,) = store.insert([NewJob("child", more=more)], to_text(NOW))
    assert acts.row(child)["flow"] == 1
    assert store.read("SELECT needs FROM qctl_needs WHERE job = 2 ORDER BY needs") == [(1,), (child,)]
    acts.end(lease, ending.ERROR, error="boom")
    assert (acts.row(child)["status"], acts.row(child)["flow"]) == ("cancelled", None)
    assert store.read("SELECT needs FROM qctl_needs WHERE job = 2 AND met = 0") == [(1,)]


def test_a_clean_up_is_given_the_results_of_steps_alone(queue: Queue) -> None:
    failing.add("c1")
    started(queue)
    queue.run_inline()
    tidy = next(job for job in queue.find() if job.step == "tidy")
    assert tidy.result == {"then": {"add": "mine"}}
