"""`qctl help`: topics that are longer than a page of options."""

from __future__ import annotations

import os
import sys

from qctl.cli.commands import COMMANDS, GROUPS, HIDDEN
from qctl.cli.spec import Argument, Command
from qctl.model import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "topics")


def run(values: Values) -> int:
    words: list[str] = values["topic"]
    if not words:
        return overview()
    if len(words) == 1 and words[0] in topics():
        return page(words[0])
    if is_command(words):
        from qctl.cli.face import read

        found = read([*words, "--help"])
        assert isinstance(found, int)
        return found
    raise NotFound(f"there is no topic or command {' '.join(words)[:40]!r}{guess(words)} (see `qctl help`)")


def topics() -> dict[str, str]:
    """The topics with their titles: the first line of each file is `name - title`."""
    found = {}
    for file in sorted(os.listdir(FOLDER)):
        name, suffix = os.path.splitext(file)
        if suffix == ".txt":
            with open(os.path.join(FOLDER, file), encoding="utf-8") as text:
                found[name] = text.readline().partition(" - ")[2].strip()
    return found


def overview() -> int:
    from qctl.cli.terminal import put

    known = topics()
    size = max(map(len, known))
    lines = [f"  {name.ljust(size)}  {title}" for name, title in known.items()]
    put(
        sys.stdout,
        "\n".join(
            ["Topics:", *lines, "", "qctl help TOPIC explains it; qctl COMMAND --help tells all about a command."]
        )
        + "\n",
    )
    return 0


def page(name: str) -> int:
    """Print a topic; on a terminal its headings stand out."""
    from qctl.cli.terminal import colour, narrowed, paint, put, unicode

    coloured, drawn = colour(sys.stdout), unicode(sys.stdout)
    with open(os.path.join(FOLDER, name + ".txt"), encoding="utf-8") as file:
        for line in file:
            text = line.rstrip("\n")
            text = text if drawn else narrowed(text, sys.stdout)
            put(sys.stdout, (paint(text, "bold") if coloured and is_heading(text) else text) + "\n")
    return 0


def is_heading(line: str) -> bool:
    return line[:1].isalpha() and line.isupper()


def is_command(words: list[str]) -> bool:
    name = words[0]
    if name not in COMMANDS or name in HIDDEN:
        return False
    return len(words) == 1 or (len(words) == 2 and words[1] in GROUPS.get(name, {}))


def guess(words: list[str]) -> str:
    from difflib import get_close_matches

    known = [*topics(), *(name for name in COMMANDS if name not in HIDDEN)]
    known += [f"{name} {sub}" for name, subs in GROUPS.items() for sub in subs]
    close = get_close_matches(" ".join(words), known, 1)
    return f": did you mean {close[0]}?" if close else ""


HELP = Command(
    "help",
    "Explain a topic.",
    run,
    Argument(
        "topic",
        required=False,
        multiple=True,
        help="A topic, or a command; without one the topics are listed.",
        complete="topics",
    ),
    epilog=("qctl help", "qctl help files", "qctl help dlq replay"),
)
