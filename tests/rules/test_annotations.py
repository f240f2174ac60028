"""What a handler's annotations say of its payload: the schema and the conversion never disagree."""

# ruff: noqa: UP007, UP045, B006 - every way to write an annotation is tried

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.annotations import Parameters, parameters_of
from qctl.rules.schema import complaint, schema_text
from tests.profile import examples


@dataclass
class Line:
    sku: str
    count: int = 1
    tags: list[str] = field(default_factory=list)


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)


class Address(TypedDict):
    city: str
    zip: NotRequired[str]


@dataclass
class Strict:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("n is negative")


def order(
    lines: list[Line], to: Address, kind: Literal["gift", 3, None] = None, note: Optional[str] = None,
    weight: float = 0.0, extra: dict[str, int] = {}, both: Union[int, str] = 0, sure: Annotated[bool, "x"] = True,
    anything: Any = None, tree: Tree | None = None, job: Any = None,
) -> None: ...  # fmt: skip


def of(function: Any) -> Parameters:
    found = parameters_of(function)
    assert found is not None
    return found


def test_dataclasses_arrive_as_instances_and_the_rest_as_it_is() -> None:
    payload = {
        "lines": [{"sku": "a"}, {"sku": "b", "count": 2.0, "tags": ["x"]}],
        "to": {"city": "Kyiv", "more": 1},
        "tree": {"name": "root", "children": [{"name": "leaf"}]},
    }
    found = of(order).convert(payload)
    assert found["lines"] == [Line("a"), Line("b", 2, ["x"])]
    assert found["to"] == {"city": "Kyiv", "more": 1}
    assert found["tree"] == Tree("root", [Tree("leaf")])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lines": "a"}, "payload.lines: use an array, not 'a'"),
        ({"lines": [{"sku": "a"}, {"sku": 5}]}, "payload.lines[1].sku: use text, not 5"),
        ({"lines": [{}]}, "payload.lines[0].sku: it is missing"),
        ({"lines": [{"sku": "a", "colour": 1}]}, "payload.lines[0].colour: there is no such field: use sku, count, tags"),
        ({"lines": [{"sku": "a", "count": True}]}, "payload.lines[0].count: use a whole number, not True"),
        ({"lines": [{"sku": "a", "count": 1.5}]}, "payload.lines[0].count: use a whole number"),
        ({"to": None}, "payload.to: use an object, not null"),
        ({"to": {}}, "payload.to.city: it is missing"),
        ({"to": {"city": "x", "zip": 1}}, "payload.to.zip: use text"),
        ({"kind": "loan"}, "payload.kind: 'loan' is not among what is accepted: 'gift', 3, None"),
        ({"note": 1}, "payload.note: use text, not 1"),
        ({"extra": {"a": "b"}}, "payload.extra.a: use a whole number, not 'b'"),
        ({"both": []}, "payload.both: [] fits none of the 2 kinds"),
        ({"sure": 1}, "payload.sure: use true or false, not 1"),
        ({"tree": {"name": "a", "children": [{}]}}, "payload.tree.children[0].name: it is missing"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_its_path(change: dict[str, Any], words: str) -> None:
    payload = {"lines": [{"sku": "a"}], "to": {"city": "x"}, **change}
    with pytest.raises(BadValue, match="payload") as caught:
        of(order).convert(payload)
    assert str(caught.value).startswith(words)


def test_an_unknown_field_is_refused_unless_the_function_takes_any() -> None:
    def closed(a: int) -> None: ...

    def opened(a: int, **more: Any) -> None: ...

    with pytest.raises(BadValue, match=r"payload\.b: there is no such field: use a"):
        of(closed).convert({"a": 1, "b": 2})
    assert of(opened).convert({"a": 1, "b": 2}) == {"a": 1, "b": 2}


def test_what_a_dataclass_refuses_itself_is_named_too() -> None:
    def strict(one: Strict) -> None: ...

    with pytest.raises(BadValue, match=r"payload\.one: n is negative"):
        of(strict).convert({"one": {"n": -1}})


def test_a_function_without_annotations_or_with_unreadable_ones_has_no_schema() -> None:
    def bare(a, b=1): ...  # type: ignore[no-untyped-def]

    def unreadable(a: NoSuchName) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    def only_job(job: Any) -> None: ...

    assert [parameters_of(one) for one in (bare, unreadable, only_job, print)] == [None] * 4


LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["gift", "", "a"])
NAMES = st.sampled_from(["sku", "count", "tags", "city", "zip", "name", "children", "a"])
VALUES = st.recursive(LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(NAMES, v, max_size=3), max_leaves=6)
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "lines": st.lists(
            st.fixed_dictionaries({"sku": st.just("s")}, optional={"count": LEAVES, "tags": VALUES}) | VALUES,
            max_size=2,
        ),
        "to": st.fixed_dictionaries({"city": LEAVES}) | st.just({"city": "x"}),
        "kind": LEAVES, "note": LEAVES, "weight": LEAVES, "extra": VALUES, "both": LEAVES, "sure": LEAVES, "tree": VALUES,
    },
)  # fmt: skip


@settings(max_examples=examples(80))
@given(PAYLOADS)
def test_the_schema_and_the_conversion_agree(payload: dict[str, Any]) -> None:
    """What the validator of JSON Schema says of the derived schema is what the conversion does."""
    parameters = of(order)
    schema = schema_text(json.dumps(parameters.schema))
    try:
        parameters.convert(payload)
    except BadValue:
        assert complaint(schema, json.dumps(payload)) is not None
    else:
        assert complaint(schema, json.dumps(payload)) is None
