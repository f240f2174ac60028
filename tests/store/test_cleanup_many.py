"""Many steps that end in one transaction: what cleans up comes to the same as if they had ended one by one, and soon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl import Queue
from qctl.store.sqlite import steer
from tests.profile import examples
from tests.store.test_cleanup import failing, graphs, ran, start, statuses, tables, work

__all__ = ["work"]  # its handlers are there for each test

TIDY = {"on_failure": "tidy"}


def chain(steps: int) -> tuple[Queue, int]:
    graph: dict[str, dict[str, list[str]]] = {"s0": {}}
    graph |= {f"s{n}": {"needs": [f"s{n - 1}"]} for n in range(1, steps)}
    return start({**graph, "tidy": {}}, **TIDY)


def test_a_long_flow_is_gone_through_once_when_all_of_it_is_cancelled() -> None:
    costs = []
    for steps in (100, 200):
        queue, _ = chain(steps)
        statements: list[str] = []
        queue.store.connection.set_trace_callback(statements.append)
        assert len(queue.cancel(sorted(job.number for job in queue.find()))) == steps + 1
        queue.store.connection.set_trace_callback(None)
        costs.append(len(statements))
        assert set(statuses(queue).values()) == {"cancelled"}
    assert costs[1] < 2.5 * costs[0], "twice the steps, twice the work"


def test_steps_that_expire_at_once_are_seen_to_at_once() -> None:
    costs = []
    for steps in (50, 100):
        roots: list[str] = [f"r{n}" for n in range(steps)]
        graph: dict[str, dict[str, list[str]]] = {**{name: {} for name in roots}, "s0": {"needs": roots}}
        graph |= {f"s{n}": {"needs": [f"s{n - 1}"]} for n in range(1, steps)}
        queue, _ = start({**graph, "tidy": {}}, **TIDY)
        with queue.store.write() as connection:
            connection.execute("UPDATE jobs SET expires_at = '2001-01-01 00:00:00.000' WHERE step LIKE 'r%'")
        statements: list[str] = []
        queue.store.connection.set_trace_callback(statements.append)
        assert queue.store.expire("2999-01-01 00:00:00.000") == steps
        queue.store.connection.set_trace_callback(None)
        costs.append(len(statements))
    assert costs[1] < 2.5 * costs[0]


def test_where_there_are_many_flows_others_get_their_turn_between_two(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, _ = chain(2)
    for _ in range(4):
        queue.run_flow({"steps": tables({"a": {}, "tidy": {}}), **TIDY})
    taken: list[int] = []
    part = steer.cancel_part

    def counted(*args: Any) -> int:
        taken.append(part(*args))
        return taken[-1]

    monkeypatch.setattr(steer, "cancel_part", counted)
    monkeypatch.setattr(steer, "LONGEST", 0.0)
    numbers = sorted(job.number for job in queue.find())
    assert set(queue.cancel(numbers).values()) == {"cancelled"}
    assert taken == [3, 2, 2, 2, 2]


@given(st.data())
@settings(max_examples=examples(60))
def test_it_comes_to_the_same_as_one_by_one(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    fail = data.draw(st.sets(st.sampled_from(sorted(graph))))
    gone = (
        data.draw(st.lists(st.sampled_from(sorted(graph)), min_size=2, max_size=5, unique=True))
        if len(graph) > 1
        else []
    )
    first = data.draw(st.integers(0, 4))

    def outcome(groups: Sequence[Sequence[str]]) -> tuple[dict[str, str], list[str], bool]:
        ran.clear()
        failing.clear()
        failing.update(fail)
        queue, _ = start({**graph, "tidy": {}}, **TIDY)
        with queue:
            numbers = {job.step: job.number for job in queue.find()}
            queue.run_inline(limit=first)
            for group in groups:
                queue.cancel([numbers[name] for name in group])
            queue.run_inline()
            return statuses(queue), sorted(ran), "tidy" not in ran or ran[-1] == "tidy"

    assert outcome([gone]) == outcome([[name] for name in gone])
