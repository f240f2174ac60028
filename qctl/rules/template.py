"""Results in the fields of a step: `${steps.NAME.result.path}`, and `${item.path}` and `${index}` in a foreach.

A text that is one template and nothing else becomes the JSON value itself; within other text a value is written as text.
"""

from __future__ import annotations

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    Look = Callable[["Reference"], Any]

    class Results(Protocol):
        """The results there are, by the name of their step."""

        def __contains__(self, name: object, /) -> bool: ...
        def __getitem__(self, name: str, /) -> Any: ...


MARK = "${"
RESULT = ".result"


class Missing(Exception):
    """What a template asks for is not there. The message says what, and what is."""


class Reference:
    """What one template asks for: `root` is steps, item or index; `step` a name; `path` keys and indexes; `text` as written."""

    __slots__ = ("path", "root", "step", "text")

    def __init__(self, root: str, step: str, path: list[str], text: str) -> None:
        self.root = root
        self.step = step
        self.path = path
        self.text = text


def reference(text: str) -> Reference | None:
    """The reference that stands between the braces; None for what is none of ours. Raises BadValue for a broken one."""
    for root in ("item", "index"):
        if text == root or text.startswith((root + ".", root + "[")):
            return Reference(root, "", keys(text[len(root) :], text), text)
    if not text.startswith("steps."):
        return None
    rest = text[6:]
    at = rest.find(RESULT)
    while at >= 0 and rest[at + len(RESULT) :][:1] not in ("", ".", "["):
        at = rest.find(RESULT, at + 1)
    if at <= 0:
        raise BadValue(f"{text!r:.60} is no result of a step: use steps.NAME.result, or steps.NAME.result.field")
    return Reference("steps", rest[:at], keys(rest[at + len(RESULT) :], text), text)


def keys(path: str, text: str) -> list[str]:
    """`.items[0].id` as its parts. Raises BadValue."""
    parts = path.replace("[", ".").replace("]", "").split(".")
    if parts[0] or not all(parts[1:]) or path.count("[") != path.count("]"):
        raise BadValue(f"{text!r:.60} has a part without a name: use a path such as .items[0].id")
    return parts[1:]


def pieces(text: str) -> list[str | Reference]:
    """The text and the references it is made of, in order. Raises BadValue."""
    found: list[str | Reference] = []
    head, *rest = text.split(MARK)
    if head:
        found.append(head)
    for piece in rest:
        inner, end, tail = piece.partition("}")
        known = reference(inner) if end else None
        if not end and inner.startswith("steps."):
            raise BadValue(f"{MARK}{inner[:40]} has no closing brace")
        if known is None:
            found.append(MARK + piece)
            continue
        found.append(known)
        if tail:
            found.append(tail)
    return found


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value that may hold templates; the names of fields are none."""
    if isinstance(value, str):
        if MARK in value:
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from texts(one)


def references(value: Any) -> list[Reference]:
    """All that the templates in a JSON value ask for. Raises BadValue."""
    return [piece for text in texts(value) for piece in pieces(text) if isinstance(piece, Reference)]


def filled(value: Any, look: Look) -> Any:
    """The value with what its templates ask for, as `look` tells it, which raises Missing."""
    if isinstance(value, dict):
        return {key: filled(one, look) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, look) for one in value]
    if not isinstance(value, str) or MARK not in value:
        return value
    parts = pieces(value)
    if len(parts) == 1 and isinstance(parts[0], Reference):
        return look(parts[0])
    return "".join([part if isinstance(part, str) else as_text(look(part)) for part in parts])


def as_text(value: Any) -> str:
    """A value within other text: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    from qctl.rules.payload import dumps

    return dumps(value)


def looker(inputs: Results, item: Any = None, index: int | None = None) -> Look:
    """Tells what references mean, given the results by step (those of steps that have one), and the item of a foreach."""

    def look(one: Reference) -> Any:
        if one.root == "steps":
            if one.step not in inputs:
                raise Missing(f"{MARK}{one.text}}}: step {one.step} has no result")
            return within(inputs[one.step], one, f"the result of step {one.step}")
        if index is None:
            raise Missing(f"{MARK}{one.text}}}: this step has no foreach")
        return within(item if one.root == "item" else index, one, "the item" if one.root == "item" else "the index")

    return look


def within(value: Any, one: Reference, what: str) -> Any:
    """What stands in a value at a path. Raises Missing."""
    for part in one.path:
        if isinstance(value, dict):
            if part in value:
                value = value[part]
                continue
            known = ", ".join(list(value)[:8]) or "nothing"
            raise Missing(f"{MARK}{one.text}}}: {what} has no {part!r} (it has {known})"[:500])
        if isinstance(value, list) and part.isascii() and part.isdigit():
            if int(part[:18]) < len(value):
                value = value[int(part[:18])]
                continue
            raise Missing(f"{MARK}{one.text}}}: {what} is a list of {len(value)}, without a place {part[:18]}")
        from qctl.rules.payload import kind

        raise Missing(f"{MARK}{one.text}}}: {what} is {kind(value)}, which has no {part!r}")
    return value
