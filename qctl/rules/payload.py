"""Payloads: JSON objects, as text."""

from __future__ import annotations

from functools import cache

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

DEFAULT_LIMIT = 1 << 20
"""Bytes a payload may have unless the setting `max_payload` says otherwise."""

SMALL = 1 << 10
"""No limit may be set below this, so that payloads this small need no look at the setting."""


@cache
def encoder(ascii_only: bool) -> Any:
    """Made once: making one takes longer than most payloads."""
    import json

    return json.JSONEncoder(ensure_ascii=ascii_only, separators=(",", ":"), allow_nan=False, default=plain).encode


@cache
def decoder() -> Any:
    """A strict parser: NaN and Infinity, which Python would read, are refused with ValueError."""
    import json

    return json.JSONDecoder(parse_constant=refuse_constant).decode


def dumps(value: Any) -> str:
    """Compact JSON text. Dates and times become ISO 8601 text. Raises BadValue for what JSON has no form for."""
    try:
        text: str = encoder(False)(value)
        if not text.isascii():
            text.encode()
        return text
    except UnicodeEncodeError:
        return str(encoder(True)(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadValue(f"payload: it cannot be written as JSON: {error}") from None


def plain(value: Any) -> Any:
    """What JSON has no form for but everybody stores: dates as text, sets as lists, paths and ids as text."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    if hasattr(value, "__fspath__") or type(value).__name__ in ("UUID", "Decimal"):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__} has no JSON form")


def from_mapping(value: Mapping[str, Any]) -> str:
    """A mapping as a JSON object. Raises BadValue for keys that are no text."""
    if not hasattr(value, "keys"):
        raise BadValue(f"payload: use a JSON object, not {kind(value)}")
    if not all(isinstance(key, str) for key in value):
        raise BadValue("payload: the keys of a JSON object are text")
    return dumps(value)


def complain(text: str) -> BadValue:
    """The error for a text that is no JSON object: what is wrong and where."""
    import json

    if not is_utf8(text):
        return BadValue("payload: it is not UTF-8")
    try:
        value = json.loads(text)
    except RecursionError:
        return BadValue("payload: it is nested too deeply")
    except ValueError as error:
        reason, position = getattr(error, "msg", "not JSON").removesuffix(" at"), getattr(error, "pos", 0)
        line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
        where = f"line {line}, column {column}" if "\n" in text.strip() else f"column {column}"
        return BadValue(f'payload: not JSON: {reason} at {where}; use an object such as \'{{"to":"ana@example.com"}}\'')
    if isinstance(value, dict):
        return BadValue("payload: NaN and Infinity are not JSON; use null or text")
    return BadValue(f'payload: use a JSON object such as \'{{"to":"ana@example.com"}}\', not {kind(value)}')


def is_utf8(text: str) -> bool:
    """Whether it can be; bytes of an argument that are not are lone surrogates in its text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def kind(value: Any) -> str:
    names = {
        list: "an array",
        dict: "an object",
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "true or false",
    }
    return "null" if value is None else names.get(type(value), f"a {type(value).__name__}")


def from_fields(words: Sequence[str]) -> str:
    """A payload written as fields: `to=ana@example.com` is text, `n:=3` raw JSON. Raises BadValue."""
    import json

    fields: dict[str, Any] = {}
    for word in words:
        key, mark, text = word.partition("=")
        if not is_utf8(word):
            raise BadValue(f"payload: the field {key[:40]!r} is not UTF-8")
        if not mark or not key or key == ":":
            raise BadValue(f"payload: {word[:40]!r} is no field: use name=text or name:=JSON, or one JSON object")
        if key in fields or key.removesuffix(":") in fields:
            raise BadValue(f"payload: the field {key.removesuffix(':')[:40]!r} stands twice")
        if not key.endswith(":"):
            fields[key] = text
            continue
        try:
            fields[key[:-1]] = json.loads(text, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            raise BadValue(f"payload: {key[:-1][:40]}:= wants JSON, not {text[:40]!r}") from None
    return dumps(fields)


def refuse_constant(text: str) -> Any:
    raise ValueError(text)


def deep_json(text: str) -> str | None:
    """Like `check_json`, by Python's own parser and its limit of nesting."""
    import json

    try:
        value = json.loads(text, parse_constant=refuse_constant)
        return dumps(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError, BadValue):
        return None
