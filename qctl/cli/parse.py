"""The quick parser: reads what is plainly right, without Typer, whose import costs more than most commands.

It returns None for anything else, an error or a call for help included; then the Typer face reads the same argv from
the same definitions. A property test holds that the two never read an argv differently.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qctl.cli.spec import Command, Option, Values


def parse(command: Command, argv: Sequence[str], values: Values) -> Values | None:
    """The values of `argv` over those in `values` (options given before the command), or None: ask Typer."""
    words = list(argv)
    if command.tail:
        values["tail"] = None
        if "--" in words:
            cut = words.index("--")
            values["tail"] = words[cut + 1 :]
            words = words[:cut]
    options: dict[str, Option] = {}
    for option in command.options:
        for name in option.names:
            options[name] = option
        if option.multiple:
            values[option.key] = []
        else:
            values.setdefault(option.key, None if option.metavar else False)
    free: list[str] = []
    index, count = 0, len(words)
    while index < count:
        word = words[index]
        index += 1
        if word[:1] != "-" or word == "-":
            free.append(word)
            continue
        if word == "--":
            free += words[index:]
            break
        name, mark, value = word.partition("=")
        if mark and not word.startswith("--"):
            return None
        found = options.get(name)
        if found is None:
            return None
        if found.metavar is None:
            if mark:
                return None
            values[found.key] = True
            continue
        if not mark:
            if index >= count:
                return None
            value = words[index]
            index += 1
        if found.multiple:
            values[found.key].append(value)
        else:
            values[found.key] = value
    return values if place(command, free, values) else None


def place(command: Command, free: list[str], values: Values) -> bool:
    """Give the free words to the arguments in turn; False when they do not fit."""
    for argument in command.arguments:
        if argument.multiple:
            if argument.required and not free:
                return False
            values[argument.key], free = free, []
        elif free:
            values[argument.key] = free.pop(0)
        elif argument.required:
            return False
        else:
            values[argument.key] = None
    return not free
