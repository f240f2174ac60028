"""Whole flows against a model: every step runs only after its needs, exactly the right ones stay blocked, and those that
clean up run when something failed, once nothing else can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl import Dead, Queue, handlers
from qctl.handlers import handler
from qctl.store.sqlite.cleanup import heed_others
from tests.profile import examples

KINDS = {"needs": "completed", "after_any": "ended", "after_failed": "failed"}
ran: list[str] = []
failing: set[str] = set()


@pytest.fixture(autouse=True)
def work() -> Iterator[None]:
    before = dict(handlers.registry)
    handlers.registry.clear()
    ran.clear()
    failing.clear()

    @handler("t")
    def t(name: str) -> str:
        ran.append(name)
        if name in failing:
            raise Dead("as told")
        return name

    yield
    handlers.registry.clear()
    handlers.registry.update(before)


def tables(graph: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
    return {name: {"type": "t", "payload": {"name": name}, **needs} for name, needs in graph.items()}


def statuses(queue: Queue) -> dict[str, str]:
    return {job.step: job.status for job in queue.find()}


def start(graph: dict[str, dict[str, list[str]]], **more: Any) -> tuple[Queue, int]:
    queue = Queue(":memory:")
    return queue, queue.run_flow({"steps": tables(graph), **more}) or 0


# -- what cleans up --------------------------------------------------------------------------------------------------


def test_it_runs_once_nothing_else_can_go_on() -> None:
    failing.add("b")
    queue, number = start(
        {"a": {}, "b": {}, "c": {"needs": ["a"]}, "d": {"needs": ["b", "c"]}, "tidy": {}}, on_failure="tidy"
    )
    queue.run_inline()
    assert ran == ["a", "b", "c", "tidy"]
    assert statuses(queue)["d"] == "blocked" and queue.flow(number)["status"] == "failed"


def test_it_is_skipped_when_nothing_failed() -> None:
    queue, number = start({"a": {}, "b": {"needs": ["a"]}, "tidy": {}}, on_failure="tidy")
    queue.run_inline()
    assert ran == ["a", "b"] and queue.flow(number)["status"] == "completed"
    assert next(job.last_error for job in queue.find() if job.step == "tidy") == "skipped: no step has failed"


def test_it_waits_for_what_a_failure_lets_go() -> None:
    failing.add("a")
    queue, _ = start(
        {"a": {}, "undo": {"after_failed": ["a"]}, "then": {"needs": ["undo"]}, "tidy": {}}, on_failure="tidy"
    )
    queue.run_inline()
    assert ran == ["a", "undo", "then", "tidy"]


def test_it_runs_although_a_step_that_waits_for_a_failure_never_will() -> None:
    failing.add("b")
    queue, _ = start({"a": {}, "undo": {"after_failed": ["a"]}, "b": {"needs": ["a"]}, "tidy": {}}, on_failure="tidy")
    queue.run_inline()
    assert ran == ["a", "b", "tidy"] and statuses(queue)["undo"] == "blocked"


def test_a_cancelled_step_is_not_waited_for() -> None:
    failing.add("a")
    queue, _ = start({"a": {}, "b": {}, "c": {"needs": ["b"]}, "tidy": {}}, on_failure="tidy")
    queue.run_inline(limit=1)
    queue.cancel([next(job.number for job in queue.find() if job.step == "b")])
    queue.run_inline()
    assert ran == ["a", "tidy"] and statuses(queue)["c"] == "blocked"


def test_an_expired_step_is_not_waited_for() -> None:
    failing.add("a")
    graph: dict[str, Any] = {"a": {}, "b": {"expires": "1s", "delay": "0.5s"}, "c": {"needs": ["b"]}, "tidy": {}}
    queue, _ = start(graph, on_failure="tidy")
    queue.run_inline()
    queue.store.expire("2999-01-01 00:00:00.000")
    queue.run_inline()
    assert ran == ["a", "tidy"]


def test_a_step_may_have_one_of_its_own_that_serves_several() -> None:
    failing.add("b")
    queue, _ = start(
        {
            "a": {"on_failure": "undo"},
            "b": {"on_failure": ["undo"]},
            "undo": {},
            "c": {"on_failure": "other"},
            "other": {},
        }
    )
    queue.run_inline()
    assert ran == ["a", "b", "c", "undo"]
    assert next(job.last_error for job in queue.find() if job.step == "other") == "skipped: c did not fail"


def test_its_own_failure_and_what_follows_from_it_do_not_run_it_again() -> None:
    failing.update({"a", "tidy"})
    queue, number = start({"a": {}, "tidy": {}, "told": {"needs": ["tidy"]}}, on_failure="tidy")
    queue.run_inline()
    assert ran == ["a", "tidy"] and statuses(queue) == {"a": "failed", "tidy": "failed", "told": "blocked"}
    failing.clear()
    failing.add("told")
    queue.replay_flow(number)
    queue.run_inline()
    assert ran == ["a", "tidy", "a", "told"]


def test_it_runs_again_after_another_failure() -> None:
    failing.add("a")
    queue, number = start({"a": {}, "b": {"needs": ["a"]}, "tidy": {}}, on_failure="tidy")
    queue.run_inline()
    queue.replay_flow(number)
    queue.run_inline()
    failing.clear()
    queue.replay_flow(number)
    queue.run_inline()
    assert ran == ["a", "tidy", "a", "tidy", "a", "b"] and queue.flow(number)["status"] == "completed"


def test_it_waits_for_what_the_last_step_had_waited_for_when_that_is_cancelled() -> None:
    failing.add("a")
    queue, _ = start({"a": {}, "b": {}, "c": {"needs": ["b"]}, "d": {"needs": ["c"]}, "tidy": {}}, on_failure="tidy")
    queue.cancel([next(job.number for job in queue.find() if job.step == "d")])
    queue.run_inline()
    assert ran == ["a", "b", "c", "tidy"]


def test_it_waits_for_what_was_stuck_until_somebody_cancelled_what_it_was_stuck_behind() -> None:
    failing.add("a")
    graph: dict[str, Any] = {"a": {}, "b": {}, "undo": {"after_failed": ["b"]}}
    queue, _ = start({**graph, "c": {}, "d": {"needs": ["c"], "after_any": ["undo"]}, "tidy": {}}, on_failure="tidy")
    numbers = {job.step: job.number for job in queue.find()}
    queue.cancel([numbers["b"]])
    queue.cancel([numbers["undo"]])
    queue.run_inline()
    assert ran == ["a", "c", "d", "tidy"]


def test_in_a_replay_it_waits_for_all_that_goes_on_from_the_steps_that_run_again() -> None:
    failing.update({"a", "b"})
    queue, number = start(
        {"a": {}, "b": {}, "c": {"needs": ["b"]}, "d": {"needs": ["c"]}, "tidy": {}}, on_failure="tidy"
    )
    queue.run_inline()
    failing.remove("b")
    queue.replay_flow(number)
    queue.run_inline()
    assert ran == ["a", "b", "tidy", "a", "b", "c", "d", "tidy"]


def test_it_runs_again_only_once_what_follows_from_the_rest_of_the_replay_has_ended() -> None:
    failing.update({"a", "b"})
    queue, number = start(
        {"a": {}, "b": {}, "c": {"needs": ["b"]}, "d": {"after_any": ["c"]}, "tidy": {}}, on_failure="tidy"
    )
    queue.run_inline(now=1_800_000_000.0)
    failing.remove("b")
    queue.replay_flow(number)
    for second in range(1, 9):  # one job a second, so that none is in line before another by its number alone
        queue.run_inline(now=1_800_000_000.0 + second, limit=1)
    assert ran == ["a", "b", "tidy", "a", "b", "c", "d", "tidy"]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_step_that_another_program_ends_is_seen_to_by_the_next_worker(status: str) -> None:
    failing.add("b")
    queue, number = start({"a": {}, "b": {}, "c": {"needs": ["a", "b"]}, "tidy": {}}, on_failure="tidy")
    (a,) = [job.number for job in queue.find() if job.step == "a"]
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET status = ? WHERE number = ?", (status, a))
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET status = 'failed' WHERE step = 'b'")
    queue.run_inline()
    assert ran == [] and statuses(queue)["tidy"] == "blocked"
    assert heed_others(queue.store, "2999-01-01 00:00:00.000") == 2
    assert heed_others(queue.store, "2999-01-01 00:00:00.000") == 0
    queue.run_inline()
    assert ran == ["tidy"] and queue.flow(number)["status"] == "failed"


def test_what_we_end_ourselves_is_not_looked_at_again() -> None:
    failing.add("a")
    queue, _ = start({"a": {}, "b": {"needs": ["a"]}, "tidy": {}}, on_failure="tidy")
    queue.run_inline()
    queue.cancel([next(job.number for job in queue.find() if job.step == "b")])
    assert heed_others(queue.store, "2999-01-01 00:00:00.000") == 0


# -- the model -------------------------------------------------------------------------------------------------------

MET = {"completed": {"completed"}, "failed": {"failed"}, "ended": {"completed", "failed", "cancelled"}}


class Model:
    """What a flow comes to. `was`: every end that a step has come to, since a need that was met stays so."""

    def __init__(self, graph: dict[str, dict[str, list[str]]]) -> None:
        self.graph = graph
        self.status = dict.fromkeys(graph, "blocked")
        self.was: dict[str, set[str]] = {name: set() for name in graph}
        self.ran: list[str] = []

    def end(self, name: str, status: str) -> None:
        self.status[name] = status
        self.was[name].add(status)

    def ready(self, name: str) -> bool:
        return all(self.was[one] & MET[KINDS[key]] for key, names in self.graph[name].items() for one in names)

    def run(self) -> None:
        """Let everything run that can."""
        again = True
        while again:
            again = False
            for name in self.graph:
                if self.status[name] == "blocked" and self.ready(name):
                    self.ran.append(name)
                    self.end(name, "failed" if name in failing else "completed")
                    again = True


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, dict[str, list[str]]]:
    graph: dict[str, dict[str, list[str]]] = {}
    for n in range(draw(st.integers(1, 14))):
        needs = (
            draw(st.dictionaries(st.sampled_from(sorted(graph)), st.sampled_from(list(KINDS)), max_size=3)) if n else {}
        )
        graph[f"s{n:02}"] = {
            key: [name for name, one in needs.items() if one == key] for key in KINDS if key in needs.values()
        }
    return graph


@given(st.data())
@settings(max_examples=examples(60))
def test_a_flow_comes_to_what_the_model_says(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    ran.clear()
    failing.clear()
    failing.update(data.draw(st.sets(st.sampled_from(sorted(graph)))))
    queue, number = start({**graph, "tidy": {}}, on_failure="tidy")
    with queue:
        numbers = {job.step: job.number for job in queue.find()}
        model = Model(graph)
        for name in data.draw(st.lists(st.sampled_from(sorted(graph)), max_size=2, unique=True)):
            queue.cancel([numbers[name]])
            model.end(name, "cancelled")
        tidied = 0
        for _ in range(data.draw(st.integers(1, 3))):
            before = len(ran)
            model.ran.clear()
            model.run()
            queue.run_inline()
            found = statuses(queue)
            assert {name: found[name] for name in graph} == model.status
            done = [name for name in ran[before:] if name != "tidy"]
            assert sorted(done) == sorted(model.ran)
            has_failed = any(name in failing for name in model.ran)
            assert ran[before:].count("tidy") == int(has_failed)
            assert found["tidy"] == "completed"
            if has_failed:
                assert ran[-1] == "tidy"
                tidied += 1
            bad = [name for name, status in model.status.items() if status in ("failed", "cancelled")]
            ends = set(model.status.values())
            expected = "failed" if "failed" in ends else "cancelled" if "cancelled" in ends else "completed"
            assert queue.flow(number)["status"] == expected
            failing.difference_update(data.draw(st.sets(st.sampled_from(sorted(graph)))))
            assert sorted(queue.replay_flow(number)) == sorted(numbers[name] for name in bad)
            for name in bad:
                model.status[name] = "blocked"
