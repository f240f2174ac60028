"""A flow file is checked whole: every step stands behind its needs, and what is wrong is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.flow import steps_of


@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=30), st.randoms())
def test_every_step_stands_behind_its_needs(graph: list[set[int]], random: object) -> None:
    names = [f"s{n}" for n in range(len(graph))]
    tables = [
        (names[n], {"type": "t", "needs": [names[need] for need in sorted(needs) if need < n]})
        for n, needs in enumerate(graph)
    ]
    random.shuffle(tables)  # type: ignore[attr-defined]
    steps = steps_of({"steps": dict(tables)})
    assert sorted(step.name for step in steps) == sorted(names)
    seen: set[str] = set()
    for step in steps:
        assert set(step.needs) <= seen
        seen.add(step.name)


def test_variables_are_put_in_and_a_value_alone_keeps_its_kind() -> None:
    flow = {
        "vars": {"n": 3, "who": "ana"},
        "steps": {"a": {"type": "t", "payload": {"n": "${vars.n}", "to": ["${vars.who}@${vars.n}.org"]}}},
    }
    (step,) = steps_of(flow, {"who": "bo"})
    assert step.fields == {"type": "t", "payload": {"n": 3, "to": ["bo@3.org"]}}


def test_steps_may_be_a_list_and_name_the_end_they_wait_for() -> None:
    flow = {"steps": [{"name": "b", "type": "t", "after_any": "a"}, {"name": "a", "type": "t"}]}
    assert [(step.name, step.needs) for step in steps_of(flow)] == [("a", {}), ("b", {"a": "ended"})]


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        ({}, "there are no steps"),
        ({"steps": {}}, "there are no steps"),
        ({"steps": {"a": {}}, "step": 1}, "'step' is no part of a flow: use name, vars, steps"),
        ({"steps": {"a": 1}}, "step 'a': use a table"),
        ({"steps": {"a": {"needs": ["a"]}}}, "step 'a' needs itself"),
        ({"steps": {"a": {"needs": ["b"]}}}, "step 'a': there is no step 'b': it has a"),
        ({"steps": {"a": {"needs": ["b"]}, "b": {"needs": ["a"]}}}, "in a circle: a needs b needs a"),
        ({"steps": {"a": {"needs": 3}}}, "step 'a': needs: use a list of names"),
        ({"steps": {"a": {}, "b": {"needs": ["a"], "after_failed": ["a"]}}}, "step 'b': it needs 'a' in two ways"),
        ({"steps": [{"name": "a"}, {"name": "a"}]}, "step 'a': there are two steps of that name"),
        ({"steps": [{"type": "a"}]}, "step 1 of [[steps]] has no name"),
        ({"steps": {"a": {"payload": {"x": "${vars.y}"}}}}, "step 'a': payload: there is no variable 'y' in [vars]"),
        ({"steps": {"a": {"payload": {"x": "${vars.y"}}}}, "step 'a': payload: a ${vars. has no closing brace"),
        ({"vars": 3, "steps": {"a": {}}}, "vars: use a table"),
    ],
)
def test_what_is_wrong_is_named(flow: dict[str, object], says: str) -> None:
    with pytest.raises(BadValue) as caught:
        steps_of(flow)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("like", "text", "value"),
    [
        (1, "7", 7),
        (1.5, "2", 2),
        (True, "false", False),
        ([1], "[2]", [2]),
        ("x", "7", "7"),
        (1, "x", None),
        (True, "1", None),
    ],
)
def test_a_variable_is_set_as_the_kind_that_the_flow_has_for_it(like: object, text: str, value: object) -> None:
    flow = {"vars": {"v": like}, "steps": {"a": {"type": "t", "payload": {"v": "${vars.v}"}}}}
    if value is None:
        with pytest.raises(BadValue, match="--set v: use "):
            steps_of(flow, {"v": text})
    else:
        assert steps_of(flow, {"v": text})[0].fields["payload"] == {"v": value}


def test_a_variable_that_the_flow_does_not_have_cannot_be_set() -> None:
    with pytest.raises(BadValue, match="--set x: the flow has no such variable"):
        steps_of({"steps": {"a": {"type": "t"}}}, {"x": "1"})
