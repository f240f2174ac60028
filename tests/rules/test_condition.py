"""`when`: conditions on results. What is not there is null; an order between unlike things is an error, not an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.condition import asked, condition, holds

RESULTS: dict[str, Any] = {"a": {"n": 7, "t": "x", "yes": True, "no": False, "list": [1, 2], "empty": [], "zero": 0}}


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("steps.a.result.n > 3", True),
        ("steps.a.result.n <= 6.5", False),
        ("steps.a.result.n == 7 and steps.a.result.t == 'x'", True),
        ('steps.a.result.t != "x" or not steps.a.result.no', True),
        ("${steps.a.result.n} >= 7", True),
        ("steps.a.result.yes", True),
        ("steps.a.result.yes == true", True),
        ("steps.a.result.yes == 1", False),
        ("steps.a.result.zero == false", False),
        ("steps.a.result.zero", False),
        ("steps.a.result.empty", False),
        ("steps.a.result.nix", False),
        ("steps.a.result.nix == null", True),
        ("steps.b.result == null", True),
        ("count(steps.a.result.list) == 2 and count(steps.a.result.nix) == 0", True),
        ("steps.a.result.list.1 == 2", True),
        ("steps.a.result.t < 'y'", True),
        ("not (steps.a.result.n > 3 and steps.a.result.no)", True),
        ("1 < 2 < 3", True),
    ],
)
def test_a_condition_holds_or_not(text: str, is_so: bool) -> None:
    assert holds(condition(text), RESULTS) is is_so


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "use a condition"),
        ("steps.a", "is no result of a step"),
        ("n > 3", "'n' is no result"),
        ("dlq == 0", "'dlq' is no result"),
        ("steps.a.result.n >", "here is the end"),
        ("steps.a.result.n = 3", "== compares"),
        ("steps.a.result.n > 3 steps", "one too many"),
        ("(steps.a.result.n > 3", "closing )"),
        ("count(3)", "'3' is no result"),
        ("not", "here is the end"),
        ("steps.a.result > 1 " + "and 1 < 2 " * 900, "longer than"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(BadValue) as caught:
        condition(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["steps.a.result.n > 'x'", "steps.a.result.t < 3", "steps.a.result.nix > 3", "steps.a.result.yes > false"]
)
def test_unlike_things_have_no_order(text: str) -> None:
    with pytest.raises(BadValue, match="have no order"):
        holds(condition(text), RESULTS)


def test_it_says_which_steps_it_asks_for() -> None:
    assert asked(condition("steps.a.result.x > 1 and not (count(steps.b-c.result) == 0 or steps.d.result)")) == [
        "a",
        "b-c",
        "d",
    ]


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            ["steps.a.result.n", "and", "or", "not", "(", ")", "==", "<", "3", "'x'", "count", "true", "null"]
        )
    ).map(" ".join)
)
def test_any_text_is_read_or_refused_and_then_answered_or_refused(text: str) -> None:
    try:
        tree = condition(text)
    except BadValue:
        return
    try:
        assert holds(tree, RESULTS) in (True, False)
    except BadValue as error:
        assert "no order" in str(error)
