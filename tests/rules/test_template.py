"""Templates: a result in a field keeps its kind, within text it is text, and what is not there is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.template import Missing, filled, looker, pieces, reference, references

RESULTS: dict[str, Any] = {
    "a": {"id": 7, "list": [{"x": "y"}, 2], "none": None, "a.b": 1},
    "my step": "text",
    "a.result": 3,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("${steps.a.result.id}", 7),
        ("${steps.a.result}", RESULTS["a"]),
        ("${steps.a.result.none}", None),
        ("${steps.a.result.list[0].x}", "y"),
        ("${steps.a.result.list.1}", 2),
        ("${steps.my step.result}", "text"),
        ("no ${steps.a.result.id}!", "no 7!"),
        ("${steps.a.result.id}${steps.a.result.list}", '7[{"x":"y"},2]'),
        ("${steps.a.result.none}-", "null-"),
        ({"k": ["${steps.a.result.id}", {"${steps.a.result.id}": 1}]}, {"k": [7, {"${steps.a.result.id}": 1}]}),
        ("${HOME} ${x ${steps.a.result.id}", "${HOME} ${x 7"),
        ("$", "$"),
    ],
)
def test_a_template_alone_keeps_its_kind_and_within_text_is_text(value: Any, becomes: Any) -> None:
    assert filled(value, looker(RESULTS)) == becomes


def test_items_and_their_index_are_there_in_a_foreach_alone() -> None:
    value = {"n": "${item.n}", "all": "${item}", "i": "${index}", "t": "${index}: ${item.n}"}
    assert filled(value, looker({}, {"n": 5}, 2)) == {"n": 5, "all": {"n": 5}, "i": 2, "t": "2: 5"}
    with pytest.raises(Missing, match="no foreach"):
        filled("${item}", looker({}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("${steps.b.result}", "step b has no result"),
        ("${steps.a.result.nix}", "the result of step a has no 'nix' (it has id, list, none, a.b)"),
        ("${steps.a.result.list[9]}", "is a list of 2, without a place 9"),
        ("${steps.a.result.id.x}", "is a number, which has no 'x'"),
        ("${steps.a.result.list.x}", "is an array, which has no 'x'"),
    ],
)
def test_what_is_not_there_is_named(text: str, says: str) -> None:
    with pytest.raises(Missing) as caught:
        filled({"deep": [text]}, looker(RESULTS))
    assert says in str(caught.value) and text in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["steps.a", "steps.a.results", "steps..result", "steps.a.result.", "steps.a.result.x[1", "steps.a.result..x"],
)
def test_a_broken_reference_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        reference(text)
    assert reference("vars.x") is None and reference("items") is None


def test_an_open_brace_is_refused() -> None:
    with pytest.raises(BadValue, match="no closing brace"):
        references({"a": "x ${steps.a.result"})


@given(JSON)
def test_what_has_no_template_stays_as_it_is(value: Any) -> None:
    if not references_or_none(value):
        assert filled(value, looker({})) == value


@given(JSON, st.text(), st.text())
def test_any_value_comes_through_whole(value: Any, before: str, behind: str) -> None:
    assert filled("${steps.s.result}", looker({"s": value})) == value
    assert filled(["${steps.s.result.k}"], looker({"s": {"k": value}})) == [value]
    if "${" not in before + behind and not before.endswith("$"):
        assert filled(f"{before}${{steps.s.result}}{behind}", looker({"s": "v"})) == (f"{before}v{behind}")


@given(st.text(alphabet="${}.ab[]0 steps.result"))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    try:
        parts = pieces(text)
    except BadValue:
        return
    assert "".join(part if isinstance(part, str) else f"${{{part.text}}}" for part in parts) == text


def references_or_none(value: Any) -> Any:
    try:
        return references(value)
    except BadValue:
        return True
