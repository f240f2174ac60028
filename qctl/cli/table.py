"""Rows: aligned and coloured for people, tab-separated in a pipe, NDJSON for programs."""

from __future__ import annotations

import sys

from qctl.cli.terminal import (
    cell_width,
    colour,
    cut,
    escape,
    is_terminal,
    narrowed,
    paint,
    put,
    talk,
    unicode,
    width,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

GAP = 2
NARROW = 8  # columns below which a flexible column is not shrunk
MOST = 4  # characters per column of the terminal that are looked at; a cell may hold megabytes

_encoders: dict[tuple[bool, bool], Any] = {}


class Column:
    """A column of a table: its title, and the key of its value in a row.

    `right` aligns to the right (numbers). `flex` may be shortened to fit, down to `minimum` columns.
    `optional` is left out, from the right, when the table does not fit otherwise. `people` is not there in a
    pipe (glyphs, advice). `time`: the values are stored time text, as for keys that end with `_at`. `style`
    holds for rows that say none.
    """

    __slots__ = ("flex", "key", "minimum", "optional", "people", "right", "style", "time", "title")

    def __init__(
        self,
        title: str,
        key: str,
        *,
        right: bool = False,
        flex: bool = False,
        style: str | None = None,
        time: bool | None = None,
        minimum: int = NARROW,
        optional: bool = False,
        people: bool = False,
    ) -> None:
        self.title = title
        self.key = key
        self.right = right
        self.flex = flex
        self.style = style
        self.time = key.endswith("_at") if time is None else time
        self.minimum = minimum
        self.optional = optional
        self.people = people


def table(
    columns: Sequence[Column],
    rows: Iterable[Row],
    *,
    json: bool = False,
    footer: str | None = None,
    hints: Iterable[str] = (),
) -> int:
    """Write rows to stdout; how many there were. No row, no header.

    A row maps keys to raw values, which JSON and pipes get; keys without a column are for JSON alone. Two
    keys are for people: `shown`, a mapping of key to better words, and `style`, of key to a style (see
    terminal.CODES). Rows are taken one at a time, except for a terminal. Footer and hints go to stderr, if
    that is a terminal.
    """
    out = sys.stdout
    count = 0
    if json:
        for row in rows:
            count += 1
            if "shown" in row or "style" in row:
                row = {key: value for key, value in row.items() if key not in ("shown", "style")}
            put(out, object_json(row) + "\n")
    elif is_terminal(out):
        held = list(rows)
        count = len(held)
        if held:
            put(out, "".join(layout(columns, held, width(out), coloured=colour(out), drawn=unicode(out))))
    else:
        columns = [column for column in columns if not column.people]
        coloured = colour(out)
        for row in rows:
            count += 1
            cells = [flat(row.get(column.key), time=column.time) for column in columns]
            if coloured:  # by FORCE_COLOR: it adds colour, it does not change the form
                cells = [paint(text, style_of(row, one)) for text, one in zip(cells, columns, strict=True)]
            put(out, "\t".join(cells) + "\n")
    if out is not None:
        out.flush()
    if not json and is_terminal(sys.stderr):
        if footer:
            talk(footer, style="dim")
        for hint in hints:
            talk(hint)
    return count


def layout(
    columns: Sequence[Column],
    rows: Sequence[Row],
    room: int,
    *,
    coloured: bool,
    drawn: bool,
) -> Iterator[str]:
    """The lines of an aligned table, none wider than `room`; `drawn` False: in ASCII."""
    mark = "…" if drawn else "~"
    cells = [[cell(row, column, room * MOST, drawn) for column in columns] for row in rows]
    titles = [column.title for column in columns]
    natural = [max(map(cell_width, texts)) for texts in zip(titles, *cells, strict=True)]
    sizes = fitted(columns, natural, room)

    def line(texts: Sequence[str], styles: Sequence[str | None]) -> str:
        parts: list[str] = []
        for index, size in sizes.items():
            text = cut(texts[index], size, mark)
            space = " " * (size - cell_width(text))
            painted = paint(text, styles[index]) if coloured else text
            if parts:
                parts.append(" " * gap_before(columns, index, sizes))
            parts += (space, painted) if columns[index].right else (painted, space)
        return "".join(parts).rstrip(" ") + "\n"

    if any(titles):
        yield line(titles, ["dim"] * len(titles))
    for row, texts in zip(rows, cells, strict=True):
        yield line(texts, [style_of(row, column) for column in columns])


def cell(row: Row, column: Column, most: int, drawn: bool) -> str:
    """What people see in a cell."""
    better = (row.get("shown") or {}).get(column.key)
    value = row.get(column.key) if better is None else better
    if value is None:
        return "-" if column.right else ""
    text = value if isinstance(value, str) else flat(value)
    if len(text) > most:
        text = text[:most] + "…"
    return escape(text) if drawn else narrowed(text, sys.stdout)


def style_of(row: Row, column: Column) -> str | None:
    style: str | None = (row.get("style") or {}).get(column.key, column.style)
    return style


def gap_before(columns: Sequence[Column], index: int, kept: Iterable[int]) -> int:
    """Spaces between a column and the one kept before it: a glyph stands close to what it is about."""
    before = columns[max((one for one in kept if one < index), default=index)]
    return 1 if before.people and not before.title else GAP


def fitted(columns: Sequence[Column], natural: Sequence[int], room: int) -> dict[int, int]:
    """The widths of the columns that are shown, by index.

    Flexible ones shrink, the widest first; where that is not enough optional ones go; then the last are cut.
    A number is left out rather than cut: half of it is another number.
    """
    sizes = {index: min(size, room) for index, size in enumerate(natural)}

    def over() -> int:
        return sum(sizes.values()) + sum(gap_before(columns, one, sizes) for one in list(sizes)[1:]) - room

    def spare() -> dict[int, int]:
        return {one: sizes[one] - columns[one].minimum for one in sizes if columns[one].flex}

    for index in sorted(sizes, reverse=True):
        if columns[index].optional and over() > sum(size for size in spare().values() if size > 0):
            del sizes[index]
    excess = over()
    while excess > 0 and (free := [one for one, size in spare().items() if size > 0]):
        sizes[max(free, key=sizes.__getitem__)] -= 1
        excess -= 1
    for index, size in sizes.items():  # one long name must not hide the rest
        if not columns[index].right:
            less = max(0, min(excess, size - room // 2))
            sizes[index] -= less
            excess -= less
    for index in sorted(sizes, reverse=True):
        excess = over()
        if excess <= 0:
            break
        if len(sizes) > 1 and (columns[index].right or sizes[index] <= excess):
            del sizes[index]
        else:
            sizes[index] = max(1, sizes[index] - excess)
    return sizes


def flat(value: Any, *, time: bool = False) -> str:
    """A raw value in a pipe: None is empty, lists and objects are compact JSON, the rest is text, escaped.

    With `time`, stored time text becomes ISO 8601.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        if time and len(value) == 23 and value[4:20:3] == "-- ::.":
            value = f"{value[:10]}T{value[11:]}Z"
        return escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, bytes):
        return escape(as_text(value))
    return object_json(value, compact=True)


def object_json(data: Any, *, compact: bool = False) -> str:
    r"""JSON on one line, fit for any stream: what is not printable, or not in stdout's encoding, is `\u001b`.

    It reads back as it was, lone surrogates too; only NaN and Infinity become null, and bytes text.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    key = (encoding.lower() not in ("utf-8", "utf8"), compact)
    encoder = _encoders.get(key)
    if encoder is None:
        from json import JSONEncoder

        separators = (",", ":") if compact else (", ", ": ")
        encoder = JSONEncoder(ensure_ascii=key[0], separators=separators, allow_nan=False, default=as_text)
        _encoders[key] = encoder
    try:
        text: str = encoder.encode(data)
    except ValueError:
        text = encoder.encode(finite(data))
    return text if text.isprintable() else "".join([c if c.isprintable() else json_escape(c) for c in text])


def as_text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def json_escape(char: str) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
