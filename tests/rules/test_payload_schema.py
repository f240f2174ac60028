"""Schemas of payloads: what is no schema is refused with its place, and what does not fit with the path in the payload."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.schema import complaint, schema_text
from qctl.rules.typefields import type_columns
from tests.profile import examples

ORDER = schema_text(
    json.dumps(
        {
            "type": "object",
            "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
            "required": ["items"],
            "$defs": {"item": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}},
        }
    )
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON at line 1, column 1"),
        ('{"type": "object",}', "not JSON at line 1"),
        ("[1]", "not an array"),
        ("null", "not null"),
        ('{"minimum": NaN}', "not JSON"),
        ("[" * 100_000, "too deeply"),
        ('{"type": "objekt"}', "schema.type: 'objekt'"),
        ('{"properties": {"a": {"minimum": "x"}}}', "schema.properties.a.minimum"),
        ('{"$ref": "https://example.com/x.json"}', "leads nowhere"),
        ('{"properties": {"a": {"$ref": "#/$defs/gone"}}}', "'#/$defs/gone' leads nowhere"),
        ('{"$schema": "https://example.com/own"}', "is not known"),
        ('{"$schema": []}', "is not known"),
        ('{"properties": {"a": {"pattern": "("}}}', "pattern: '(' is not a 'regex'"),
        ('{"patternProperties": {"[": {}}}', "'[' is not a 'regex'"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(BadValue, match="schema: ") as caught:
        schema_text(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("{}", "payload: 'items' is a required property"),
        ('{"items":[{"n":1},{"n":0}]}', "payload.items[1].n: 0 is less than the minimum of 1"),
        ('{"items":{"a":' + '"b' * 3 + '"}}', "payload: it is not JSON"),
        ('{"items":"' + "x" * 1000 + '"}', "payload.items: 'xxx"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(payload: str, words: str) -> None:
    found = complaint(ORDER, payload)
    assert found is not None
    assert found.startswith(words)
    assert len(found) < 250


def test_what_fits_has_no_complaint_and_a_schema_of_any_draft_is_understood() -> None:
    assert complaint(ORDER, '{"items":[{"n":1}]}') is None
    old = schema_text('{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}')
    assert complaint(old, "[1]") == "payload[0]: 1 is not of type 'string'"


def test_a_schema_that_never_ends_is_said_to_be_so() -> None:
    found = complaint(schema_text('{"$ref": "#"}'), "{}")
    assert found is not None
    assert "cannot be applied" in found


@settings(max_examples=examples(40))
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(
    st.sampled_from(["type", "properties", "items", "$ref", "enum", "anyOf", "minimum", "$defs", "$schema", "$id", "pattern"]), v)))  # fmt: skip
def test_no_text_brings_more_than_one_line_of_complaint(value: object) -> None:
    try:
        stored = schema_text(json.dumps(value))
    except BadValue as error:
        assert "\n" not in str(error)
    else:
        assert complaint(stored, "{}") is None or "payload" in str(complaint(stored, "{}"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timeout", "soon"), ("max_attempts", 0), ("max_attempts", "many"), ("backoff", "cubic:1s"), ("priority", "top"),
        ("output_limit", 10), ("retention", "x"), ("command", ""), ("command", "'open"), ("command", []), ("schema", "{"),
        ("colour", "red"),
    ],
)  # fmt: skip
def test_a_bad_field_of_a_type_is_named(field: str, value: object) -> None:
    with pytest.raises(BadValue, match=field):
        type_columns({field: value})
