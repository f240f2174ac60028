"""What commands say: data to stdout, talk to stderr. Only here is Rich imported: for bars and pictures."""

from __future__ import annotations

import os
import sys
import time

from qctl.cli.table import Column, flat, object_json, table
from qctl.cli.terminal import (
    cell_width,
    colour,
    cut,
    escape,
    fit,
    is_terminal,
    narrowed,
    paint,
    put,
    talk,
    unicode,
    width,
    wrapped,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    Pair = tuple[str, list[str], str | None]  # label, lines, style

__all__ = [
    "Column",
    "Progress",
    "bytes_text",
    "error",
    "hint",
    "line",
    "number",
    "object_json",
    "percent",
    "progress",
    "record",
    "say",
    "svg_of",
    "table",
]

COMMAND = "       → "
"""What stands between what is wrong and the command that mends it."""

FIRST_DRAW = 0.25
"""Seconds until a bar appears: what is done by then needs none, nor the import of Rich."""
REDRAW = 0.1  # seconds
TITLE = 32  # columns of a bar's title at the most

# Rich's own format names a font on a server; a picture in a README must not call anywhere.
SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{ font-family: system-ui, sans-serif; font-size: 18px; font-weight: bold; }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix" xml:space="preserve">
    {matrix}
    </g>
    </g>
</svg>
"""


def number(value: float | None) -> str:
    """`12,408`; floats to one decimal; `-` for None."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}".removesuffix(".0")


def percent(share: float | None) -> str:
    """A share of 0..1 as `3.1%`; `-` for None. Only nothing is `0%`, and only all of it is `100%`."""
    if share is None:
        return "-"
    if share in (0, 1):
        return f"{share * 100:.0f}%"
    text = f"{share * 100:.1f}%"
    return {"0.0%": "<0.1%", "100.0%": ">99.9%"}.get(text, text)


def bytes_text(count: int | None) -> str:
    """`812 B`, `1.2 MiB`; `-` for None."""
    if count is None:
        return "-"
    if count < 1024:
        return f"{count} B"
    size = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        size /= 1024
        if size < 1023.95 or unit == "TiB":  # from there on it would be rounded to 1024.0
            break
    return f"{size:,.1f} {unit}"


def record(
    pairs: Iterable[tuple[Any, ...]],
    *,
    json: bool = False,
    data: Mapping[str, Any] | None = None,
    title: str | None = None,
    style: str | None = None,
) -> None:
    r"""Show one thing as labels and values: `pairs` of `(label, value[, shown[, style]])`.

    On a terminal: `title` first, its first word in `style`; then `shown` where given (None: the value),
    wrapped, a list one below the other; what is None or empty is left out. In a pipe: `label<TAB>value`
    lines, raw and whole, the label in lower case. As JSON: `data` and nothing else.
    """
    out = sys.stdout
    if json:
        put(out, object_json(data if data is not None else {pair[0]: pair[1] for pair in pairs}) + "\n")
    elif is_terminal(out):
        if title is not None:
            line(title, style)
        put(out, "".join(_block([_pair(*pair) for pair in pairs])))
    else:
        for label, value, *_shown in pairs:
            for one in value if isinstance(value, list) else [value]:
                put(out, f"{escape(label.lower())}\t{flat(one, time=True)}\n")
    out.flush()


def _pair(label: str, value: Any, shown: Any = None, style: str | None = None) -> Pair:
    shown = value if shown is None else shown
    lines: list[str] = []
    for one in shown if isinstance(shown, list) else [shown]:
        text = one if isinstance(one, str) else flat(one)
        lines += text.split("\n") if text else ()
    return escape(label), lines, style


def _block(pairs: list[Pair]) -> Iterator[str]:
    out = sys.stdout
    room, coloured, drawn = width(out), colour(out), unicode(out)
    pairs = [(cut(label, room // 3), texts, style) for label, texts, style in pairs if texts]
    indent = max((cell_width(label) for label, _texts, _style in pairs), default=0)
    for label, texts, style in pairs:
        head = " " * (indent - cell_width(label)) + (paint(label, "dim") if coloured else label)
        for text in texts:
            for piece in _wrapped(escape(text) if drawn else narrowed(text, out), room - indent - 2):
                yield f"{head}  {paint(piece, style) if coloured else piece}".rstrip(" ") + "\n"
                head = " " * indent


def _wrapped(text: str, room: int) -> Iterator[str]:
    """Lines of at most `room` columns, broken at a space where there is one in the second half."""
    start = 0
    while True:
        end = fit(text, room, start)
        if end == len(text):
            break
        space = text.rfind(" ", start + max(1, (end - start) // 2), end + 1)
        yield text[start : end if space < 0 else space]
        start = max(end, start + 1) if space < 0 else space + 1
    yield text[start:]


def line(text: str, style: str | None = None) -> None:
    """One line of data on stdout, escaped; `style` is for its first word, a glyph mostly."""
    text = escape(text) if unicode(sys.stdout) else narrowed(text, sys.stdout)
    if style and colour(sys.stdout):
        first, space, rest = text.partition(" ")
        text = paint(first, style) + space + rest
    put(sys.stdout, text + "\n")


def say(text: str) -> None:
    """Talk: one line on stderr, always."""
    talk(text)


def hint(text: str) -> None:
    """Talk that only helps a person who looks on: one line on stderr if that is a terminal.

    Where it is too narrow for that, the command at its end stands on a line of its own.
    """
    if not is_terminal(sys.stderr):
        return
    columns = width(sys.stderr)
    what, gap, command = text.partition(COMMAND)
    for part in [text] if cell_width(text) <= columns or not gap else [what, "  → " + command]:
        for row in wrapped(part, columns, "  "):
            talk(row)


def error(text: str) -> None:
    """What went wrong, one line on stderr: `qctl: ...`."""
    talk(" " + text, label="qctl:", style="red")


def progress(title: str, total: int | None = None, *, unit: str = "") -> Progress:
    """A bar on stderr: `with progress("purging", 12_408, unit="jobs") as bar: bar.advance(500)`.

    `total` None: not known. `unit` says what is counted; `bytes` are shown as MiB. Silent where stderr is no
    terminal.
    """
    return Progress(title, total, unit)


class Progress:
    """See `progress`. `done`: how far it is. No thread draws it: `advance` does, ten times a second."""

    __slots__ = ("_bar", "_next", "_task", "done", "title", "total", "unit")

    def __init__(self, title: str, total: int | None, unit: str) -> None:
        self.title = title
        self.total = total
        self.unit = unit
        self.done = 0
        self._bar: Any = None
        self._task: Any = None
        seen = is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._next = time.monotonic() + FIRST_DRAW if seen else float("inf")

    def __enter__(self) -> Progress:
        return self

    def advance(self, count: int = 1) -> None:
        """So much more is done."""
        self.done += count
        if time.monotonic() >= self._next:
            self._draw()
            self._next = time.monotonic() + REDRAW

    def __exit__(self, *_error: object) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def counted(self) -> str:
        done, total = bytes_text(self.done), bytes_text(self.total)
        if self.unit != "bytes":
            done, total = number(self.done), number(self.total)
            total = f"{total} {self.unit}".rstrip()
            done = done if self.total else f"{done} {self.unit}".rstrip()
        return f"{done} of {total}" if self.total else done

    def _draw(self) -> None:
        if self._bar is None:
            self._start()
        self._bar.update(self._task, completed=self.done, counted=self.counted())
        self._bar.refresh()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
        from rich.theme import Theme

        title = cut(escape(self.title), TITLE)
        quiet = Theme({"progress.elapsed": "dim", "progress.remaining": "dim"})
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(complete_style="cyan", finished_style="cyan", pulse_style="cyan"),
            TextColumn("{task.fields[counted]}", markup=False),
            TimeRemainingColumn() if self.total else TimeElapsedColumn(),
            console=Console(stderr=True, force_terminal=True, no_color=not colour(sys.stderr), theme=quiet),
            auto_refresh=False,
            transient=True,
            # Lines for the same terminal are printed above the bar; in a pipe stdout must stay what it is.
            redirect_stdout=is_terminal(sys.stdout),
            redirect_stderr=True,
        )
        self._task = self._bar.add_task(title, total=self.total, counted=self.counted())
        self._bar.start()


def svg_of(text_ansi: str, title: str, columns: int | None = None, *, light: bool = False) -> str:
    """A picture of terminal output (text with SGR codes), as wide as its longest line or as `columns`.

    It stands alone: no font and nothing else is fetched from elsewhere.
    """
    import io

    from rich.console import Console
    from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
    from rich.text import Text

    text = Text.from_ansi(text_ansi.rstrip("\n"))
    size = columns or max(map(cell_width, text.plain.split("\n")))
    console = Console(
        record=True, width=max(1, size), file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(text, no_wrap=True, overflow="ignore", crop=False)
    theme = DEFAULT_TERMINAL_THEME if light else SVG_EXPORT_THEME
    return console.export_svg(title=title, theme=theme, code_format=SVG, unique_id="qctl")
