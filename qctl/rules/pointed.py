"""Setting a value within a payload: `customer.city=Oslo`, `items[0].count:=3`."""

from __future__ import annotations

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def set_value(payload: Any, word: str) -> None:
    """Do in place what a word says: `path=text` or `path:=JSON`.

    After a single `=` a value keeps its kind: where a number, a list or another JSON value stood, it is read as JSON if
    it can be. What is missing on the way is made. Raises BadValue.
    """
    import json
    from itertools import pairwise

    path, mark, text = word.partition("=")
    raw = path.endswith(":")
    steps = steps_of(path.removesuffix(":")) if mark else []
    if not steps:
        raise BadValue(f"--set: {word[:60]!r}: use path=text or path:=JSON, such as customer.city=Oslo")
    place = payload
    for step, after in pairwise(steps):
        inner = look(place, step, word)
        if inner is None:
            inner = [] if isinstance(after, int) else {}
            put(place, step, inner, word)
        place = inner
    before = look(place, steps[-1], word)
    value: Any = text
    if raw or not (before is None or isinstance(before, str)):
        from qctl.rules.payload import refuse_constant

        try:
            value = json.loads(text, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            if raw:
                raise BadValue(f"--set: {word[:60]!r}: what follows := is not JSON: use path=text for text") from None
    put(place, steps[-1], value, word)


def steps_of(path: str) -> list[str | int]:
    """`items[0].count` as ["items", 0, "count"]; [] for what is no path."""
    import re

    if not re.fullmatch(r"[^.\[\]=\s]+(?:\[\d{1,6}\]|\.[^.\[\]=\s]+)*", path):
        return []
    return [int(one[1:-1]) if one.startswith("[") else one for one in re.findall(r"\[\d+\]|[^.\[\]]+", path)]


def look(place: Any, step: str | int, word: str) -> Any:
    """What stands at a step, None where nothing does."""
    if isinstance(step, int) and isinstance(place, list):
        return place[step] if step < len(place) else None
    if isinstance(step, str) and isinstance(place, dict):
        return place.get(step)
    what = "list" if isinstance(step, int) else "object"
    raise BadValue(f"--set: {word[:60]!r}: there is no {step!r}, as what stands there is no {what}")


def put(place: Any, step: str | int, value: Any, word: str) -> None:
    if isinstance(step, str) or step < len(place):
        place[step] = value
    elif step == len(place):
        place.append(value)
    else:
        raise BadValue(f"--set: {word[:60]!r}: the list has {len(place)} items: [{len(place)}] adds one")
