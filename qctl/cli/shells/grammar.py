"""What can stand on a command line, as the completion scripts need to know it."""

from __future__ import annotations

from qctl.cli.commands import COMMANDS, DEFAULT_SUBCOMMANDS, GROUPS, HIDDEN, load
from qctl.cli.spec import COMMON, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Argument, Command

HELP = Option("--help", "-h", help="Show the help of a command.")
VERSION = Option("--version", "-V", help="Show the version.")
UNKNOWN = "-"


class Place:
    """A point on the line: nothing yet (path ""), a group (`dlq`) or a command (`enqueue`, `dlq list`).

    `options` and `arguments` may follow it, or one of `subs`: names with their summaries. `tail`: or `-- COMMAND`.
    """

    __slots__ = ("arguments", "options", "path", "subs", "summary", "tail")

    def __init__(self, path: str, summary: str, command: Command | None, subs: dict[str, str]) -> None:
        self.path = path
        self.summary = summary
        self.options = [*(command.options if command else COMMON), HELP]
        self.arguments: list[Argument] = [] if subs or command is None else command.arguments
        self.subs = subs
        self.tail = bool(command and command.tail and not subs)

    @property
    def words(self) -> list[str]:
        """All names of its options, the long ones first."""
        names = [name for option in self.options for name in option.names]
        return sorted(names, key=lambda name: (not name.startswith("--"), name))


def places() -> list[Place]:
    """Every place, the empty one first, groups before their commands."""
    names = {name: entry[2] for name, entry in COMMANDS.items() if name not in HIDDEN}
    found = [Place("", "", None, names)]
    found[0].options.append(VERSION)
    for name, summary in names.items():
        if name not in GROUPS:
            found.append(Place(name, summary, load(name), {}))
            continue
        subs = {sub: entry[2] for sub, entry in GROUPS[name].items()}
        found.append(Place(name, summary, load(name, DEFAULT_SUBCOMMANDS[name]), subs))
        found += [Place(f"{name} {sub}", subs[sub], load(name, sub), {}) for sub in subs]
    return found


def kind(item: Argument | Option) -> str:
    """What a value is: "" (a switch has none), `=a b c` (one of these), `file`, `dir`, a KIND of `qctl _values`, or
    UNKNOWN."""
    if item.metavar is None:
        return ""
    if item.choices:
        return "=" + " ".join(item.choices)
    return item.complete or UNKNOWN


def argument_kinds(place: Place) -> list[str]:
    """The kinds of its arguments in order; `...` at the end of one that may be repeated."""
    return [kind(one) + ("..." if one.multiple else "") for one in place.arguments]


def by_kind(place: Place) -> dict[str, list[str]]:
    """The names of its options that take a value, by the kind of that value."""
    found: dict[str, list[str]] = {}
    for option in place.options:
        if option.metavar is not None:
            found.setdefault(kind(option), []).extend(option.names)
    return found


def quoted(text: str) -> str:
    """Text as one word for a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"
