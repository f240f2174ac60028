"""A page of help: as wide as the terminal up to WIDEST columns, examples never broken, headings bold."""

from __future__ import annotations

import sys

from qctl.cli.terminal import colour, paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qctl.cli.spec import Argument, Option

WIDEST = 100
HELP_ROW = ("-h, --help", "Show this and leave.")
VERSION_ROW = ("-V, --version", "Show the version and leave.")


class Page:
    """Writes to a formatter of Typer's."""

    def __init__(self, formatter: Any) -> None:
        self.formatter = formatter
        self.bold = "bold" if colour(sys.stdout) else None

    def usage(self, path: str, words: str) -> None:
        self.formatter.write_usage(path, words, prefix="Usage: ")
        lines = self.formatter.buffer  # painted afterwards: the codes would count as columns
        lines[0] = lines[0].replace("Usage:", paint("Usage:", self.bold), 1)

    def text(self, text: str) -> None:
        self.formatter.write_paragraph()
        self.formatter.write_text(text)

    def heading(self, title: str) -> None:
        self.formatter.write_paragraph()
        self.formatter.write(paint(f"{title}:", self.bold) + "\n")

    def rows(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        if rows:
            self.heading(title)
            with self.formatter.indentation():
                self.formatter.write_dl(rows)

    def lines(self, title: str, lines: Sequence[str]) -> None:
        if lines:
            self.heading(title)
            self.formatter.write("".join(f"  {line}\n" for line in lines))


def usage_of(argument: Argument) -> str:
    name = argument.metavar + ("..." if argument.multiple and "..." not in argument.metavar else "")
    return name if argument.required else f"[{name}]"


def option_row(option: Option) -> tuple[str, str]:
    """`-q, --queue NAME`; a long name alone stands below the long ones."""
    short = [name for name in option.names if not name.startswith("--")]
    long = [name for name in option.names if name.startswith("--")]
    names = ", ".join(short + long) if short else "    " + ", ".join(long)
    return f"{names} {option.metavar}" if option.metavar else names, option.help
