"""What a stream can show, and how text is made safe for it and measured.

No data goes to a terminal but through `escape` or `escape_bytes`.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

GLYPHS = {
    "pending": "○",
    "delayed": "◷",
    "retry": "↻",
    "paused": "‖",
    "blocked": "◌",
    "processing": "●",
    "completed": "✓",
    "failed": "✗",
    "cancelled": "–",
    "warning": "!",
}
COLOURS = {
    "processing": "cyan",
    "completed": "green",
    "failed": "red",
    "retry": "yellow",
    "warning": "yellow",
}
"""The style of a state; the others have none. Use `COLOURS.get(state)`."""

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
"""The styles there are, and their SGR codes."""

DRAWN = "○◷↻‖◌●✓✗–…·→├└▁▂▃▄▅▆▇█│×←"
STAND_INS = dict(zip(map(ord, DRAWN), (*"o@~=.*+x-", "...", "-", "->", *"|`_.:-=+*#|x", "<-"), strict=True))
DEFAULT_WIDTH = 80
NARROW, WIDE = 1, 2


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads this stream; a closed one (None) is read by nobody."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def colour(stream: TextIO | None) -> bool:
    """Whether to write colours: NO_COLOR, then FORCE_COLOR, then what the stream is."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return os.environ.get("TERM") != "dumb" and is_terminal(stream)


def width(stream: TextIO | None) -> int:
    """Columns of the terminal: COLUMNS, else what the terminal says, else 80."""
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given[:6]) > 0:
        return int(given[:6])
    try:
        return (os.get_terminal_size(stream.fileno()).columns if stream else 0) or DEFAULT_WIDTH
    except (OSError, ValueError):
        return DEFAULT_WIDTH


def unicode(stream: TextIO | None) -> bool:
    """Whether the stream can show the glyphs; not where the locale was set to plain C by hand."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    if next(filter(None, names), "") in ("C", "POSIX"):
        return False
    try:
        DRAWN.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def fold(text: str) -> str:
    """Replace what we draw with by ASCII, for a stream that is not `unicode`."""
    return text if text.isascii() else text.translate(STAND_INS)


def narrowed(text: str, stream: TextIO | None) -> str:
    """Text for a stream that is not `unicode`: our glyphs in ASCII, what its encoding lacks spelled out."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return escape(fold(text)).encode(encoding, "backslashreplace").decode(encoding)


def paint(text: str, style: str | None) -> str:
    """Wrap text in the codes of a style (a key of CODES); None and empty text stay as they are."""
    return f"\x1b[{CODES[style]}m{text}\x1b[0m" if style and text else text


def glyph(state: str, stream: TextIO | None = None) -> str:
    """The sign of a state (a key of GLYPHS), in ASCII where the stream (default: stdout) cannot show more."""
    sign = GLYPHS.get(state, " ")
    return sign if unicode(sys.stdout if stream is None else stream) else fold(sign)


def escape(text: str) -> str:
    r"""Text on one line, safe for a terminal: what is not printable is spelled as `\n`, `\x1b`, `\u202e`.

    A byte that was not UTF-8 (a lone surrogate, U+DC80 to U+DCFF) is spelled as the byte it was: `\x80`.
    """
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else spelled(c) for c in text])


def escape_bytes(data: bytes) -> str:
    r"""Bytes as text that is safe for a terminal: lines and tabs stay, what is not UTF-8 becomes `\xff`.

    Hand it whole lines: a character that is split between two calls is not put together again.
    """
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() or c in "\n\t" else spelled(c) for c in text])


def spelled(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return repr(char)[1:-1]


def cell_width(text: str) -> int:
    """Columns that text takes: 2 for wide East Asian characters and emoji, 0 for combining marks."""
    return len(text) if text.isascii() else sum(widths(text))


def fit(text: str, columns: int, start: int = 0) -> int:
    """The end of the longest part of text, from `start` on, that fits into so many columns."""
    if text.isascii():
        return min(len(text), start + max(0, columns))
    for index, size in enumerate(widths(text, start), start):
        columns -= size
        if columns < 0:
            return index
    return len(text)


def cut(text: str, columns: int, mark: str = "…") -> str:
    """Text in at most so many columns; `mark` (one column) stands at the end where something was cut."""
    if fit(text, columns) == len(text):
        return text
    return text[: fit(text, columns - 1)] + mark if columns > 0 else ""


def wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    """Text on lines of at most so many columns, broken at spaces; all but the first begin with `indent`."""
    words = text.lstrip(" ").split(" ")
    line = " " * (len(text) - len(text.lstrip(" "))) + words[0]
    lines: list[str] = []
    for word in words[1:]:
        if line.strip() and cell_width(line) + 1 + cell_width(word) > columns:
            lines.append(line)
            line = indent + word
        else:
            line += " " + word
    return [*lines, line]


def widths(text: str, start: int = 0) -> Iterator[int]:
    """The columns of each character."""
    from unicodedata import category, east_asian_width

    before = 0
    for index in range(start, len(text)):
        char = text[index]
        if char < "\u0300":
            size = NARROW
        elif char == "\ufe0f":  # it makes an emoji of a narrow symbol: wide in most terminals
            size = NARROW if before == NARROW else 0
        elif category(char) in ("Mn", "Me") or "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff":
            size = 0
        else:
            size = WIDE if east_asian_width(char) in "WF" else NARROW
        before = size or before
        yield size


def put(stream: TextIO | None, text: str) -> None:
    """Write text; what its encoding lacks is spelled out. Raises OSError, also when it is closed."""
    if stream is None:
        raise OSError(9, "it is closed", "stdout")  # EBADF
    try:
        stream.write(text)
    except UnicodeEncodeError:
        stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))


def talk(text: str, *, label: str = "", style: str | None = None) -> None:
    """Write a line to stderr, escaped, with `style` for the label if there is one, else for all of it.

    Talk that cannot be written is lost: it must not change how a command ends.
    """
    stream = sys.stderr
    text = escape(text) if unicode(stream) else narrowed(text, stream)
    if colour(stream):
        label, text = (paint(label, style), text) if label else ("", paint(text, style))
    try:
        put(stream, f"{label}{text}\n")
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        pass
