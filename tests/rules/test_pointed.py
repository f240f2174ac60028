"""Setting a value within a payload: what it changes, what it leaves, what it refuses."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.pointed import set_value

BEFORE: dict[str, Any] = {"to": "ana", "n": 1, "zip": "01", "items": [{"count": 1}], "deep": {"a": True}}


@pytest.mark.parametrize(
    ("word", "path", "value"),
    [
        ("to=bo", ["to"], "bo"),
        ("n=3", ["n"], 3),
        ("n=three", ["n"], "three"),
        ("zip=02", ["zip"], "02"),
        ("zip:=2", ["zip"], 2),
        ("new=5", ["new"], "5"),
        ("new:=[1]", ["new"], [1]),
        ("a.b.c=x=y", ["a", "b", "c"], "x=y"),
        ("items[0].count=7", ["items", 0, "count"], 7),
        ("items[1].count:=7", ["items", 1, "count"], 7),
        ("deep.a:=null", ["deep", "a"], None),
        ("list[0]=x", ["list", 0], "x"),
    ],
)
def test_it_sets_that_value_and_no_other(word: str, path: list[Any], value: Any) -> None:
    payload = copy.deepcopy(BEFORE)
    set_value(payload, word)
    place: Any = payload
    for step in path:
        place = place[step]
    assert place == value and type(place) is type(value)
    assert {key: payload[key] for key in BEFORE if key != path[0]} == {
        key: BEFORE[key] for key in BEFORE if key != path[0]
    }


@pytest.mark.parametrize(
    "word",
    ["", "to", "=x", ":=1", "a..b=1", "a[x]=1", "n:=x", "n:=NaN", "to.x=1", "to[0]=1", "items[5]=1", "items.x=1"],
)
def test_what_cannot_be_is_refused(word: str) -> None:
    with pytest.raises(BadValue):
        set_value(copy.deepcopy(BEFORE), word)


@given(st.text(max_size=30))
def test_any_word_sets_something_or_is_refused(word: str) -> None:
    payload = copy.deepcopy(BEFORE)
    try:
        set_value(payload, word)
    except BadValue:
        return
    assert json.loads(json.dumps(payload)) == payload
