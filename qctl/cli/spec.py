"""What a command looks like: defined once, read by the quick parser, the Typer face, the help and the completions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Values = dict[str, Any]


class Option:
    """An option: a flag when it has no `metavar`, else it takes a value; `multiple` collects them in a list.

    `key` is its name in the values. `choices` and `complete` are for the shell: fixed words, or `file`, `dir`, or a
    kind of value that the hidden command `_values` lists (`types`, `queues`, `jobs`, `tags`, ...).
    """

    __slots__ = ("choices", "complete", "help", "key", "metavar", "multiple", "names")

    def __init__(
        self,
        *names: str,
        help: str,
        metavar: str | None = None,
        multiple: bool = False,
        key: str | None = None,
        choices: Sequence[str] = (),
        complete: str = "",
    ) -> None:
        self.names = names
        self.help = help
        self.metavar = metavar
        self.multiple = multiple
        self.key = key or names[0].lstrip("-").replace("-", "_")
        self.choices = choices
        self.complete = complete


class Argument:
    """A positional argument. `multiple` takes all that are left."""

    __slots__ = ("choices", "complete", "help", "key", "metavar", "multiple", "required")

    def __init__(
        self,
        key: str,
        *,
        help: str,
        metavar: str | None = None,
        required: bool = True,
        multiple: bool = False,
        choices: Sequence[str] = (),
        complete: str = "",
    ) -> None:
        self.key = key
        self.help = help
        self.metavar = metavar or key.upper()
        self.required = required
        self.multiple = multiple
        self.choices = choices
        self.complete = complete


class Command:
    """A command: `run(values)` does it and returns the exit code.

    With `tail`, everything after the first `--` is left as it is, under the key `tail`. `epilog`: examples, one a line.
    """

    __slots__ = ("arguments", "epilog", "name", "options", "run", "summary", "tail")

    def __init__(
        self,
        name: str,
        summary: str,
        run: Callable[[Values], int],
        *parameters: Argument | Option,
        tail: str = "",
        epilog: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.summary = summary
        self.run = run
        self.arguments = [one for one in parameters if isinstance(one, Argument)]
        self.options = [one for one in parameters if isinstance(one, Option)] + COMMON
        self.tail = tail
        self.epilog = epilog


COMMON = [
    Option("--db", metavar="PATH", help="The queue file (default: $QCTL_DB, else your data folder).", complete="file"),
    Option("--json", help="JSON: one object, or one a line for lists."),
    Option("--busy-timeout", metavar="DURATION", help="Wait so long for other writers (default 30s)."),
]
