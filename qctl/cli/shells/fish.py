"""Completion for fish."""

from __future__ import annotations

from qctl.cli.shells.grammar import UNKNOWN, by_kind, kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qctl.cli.shells.grammar import Place
    from qctl.cli.spec import Argument, Option

HEAD = """\
# Completion of qctl for fish. Written by `qctl completion fish`: do not edit.
"""

BODY = r"""
# The place on the line: its command, `--` after it when the command to run begins; then how many arguments there are.
function __qctl_scan
    set -l words (commandline -opc)
    set -e words[1]
    set -l path ''
    set -l free 0
    set -l plain 0
    set -l wanted 0
    for word in $words
        if test $wanted = 1
            set wanted 0
            continue
        end
        if test $plain = 0; and string match -q -- '-?*' $word
            if test $word = --
                set plain 1
                if contains -- "$path" $__qctl_tailed
                    set path "$path --"
                    break
                end
            else if contains -- "$path $word" $__qctl_with_value
                set wanted 1
            end
        else if contains -- "$path" $__qctl_groups
            set path (string trim -- "$path $word")
        else
            set free (math $free + 1)
        end
    end
    echo $path
    echo $free
end

# Whether the line is at a place, and, when $argv[2] is given, at its argument of that number (N+: or a later one).
function __qctl_at
    set -l scan (__qctl_scan)
    test "$scan[1]" = "$argv[1]"; or return 1
    switch "$argv[2]"
        case ''
            return 0
        case '*+'
            test $scan[2] -ge (string trim -c + -- $argv[2])
        case '*'
            test $scan[2] = $argv[2]
    end
end

function __qctl_values
    set -l words (commandline -opc)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    type -q -- $program; or set program qctl
    set -l db
    for index in (seq (count $words))
        if string match -q -- '--db=*' $words[$index]
            set db --db (string replace -- --db= '' $words[$index])
        else if test $words[$index] = --db -a $index -lt (count $words)
            set db --db $words[(math $index + 1)]
        end
    end
    if set -q db[1]
        set db (string replace -r '^~/' "$HOME/" -- $db)
    end
    set -l start (string replace -r '^--?[^=]*=' '' -- (commandline -ct))
    $program $db _values $argv[1] -- "$start" 2>/dev/null
end

# The command after --: as if it stood alone.
function __qctl_command
    set -l words (commandline -opc)
    set -l cut (contains -i -- -- $words)
    set -e words[1..$cut]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

complete -c qctl -f
complete -c qctl -n '__qctl_at "TAILED --"' -a '(__qctl_command)'
"""


def script(places: Sequence[Place]) -> str:
    """The whole script."""
    groups = " ".join(quoted(place.path) for place in places if place.subs)
    tailed = [place.path for place in places if place.tail]
    lines = [
        f"set -g __qctl_groups {groups}",
        f"set -g __qctl_tailed {' '.join(quoted(path) for path in tailed)}",
        "set -g __qctl_with_value",
    ]
    for place in places:
        names = [name for several in by_kind(place).values() for name in several]
        lines.append("set -a __qctl_with_value " + " ".join(quoted(f"{place.path} {name}") for name in names))
    body, mark = BODY.rsplit("complete -c qctl -n", 1)
    body += "".join("complete -c qctl -n" + mark.replace("TAILED", path) for path in tailed)
    lines += [line for place in places for line in completions(place)]
    return HEAD + "\n".join(lines[: len(places) + 3]) + "\n" + body + "\n".join(lines[len(places) + 3 :]) + "\n"


def completions(place: Place) -> Iterator[str]:
    at = f"complete -c qctl -n {quoted(f'__qctl_at {quoted(place.path)}')}"
    yield f"\n# {place.path or 'qctl'}"
    for sub, summary in place.subs.items():
        yield f"{at} -a {sub} -d {quoted(summary.rstrip('.'))}"
    for option in place.options:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        value = "" if option.metavar is None else f" -r {source(option)}".rstrip()
        yield f"{at} {names}{value} -d {quoted(option.help)}"
    for number, argument in enumerate(place.arguments):
        found = source(argument)
        if found != "-f":
            here = f"__qctl_at {quoted(place.path)} {number}{'+' if argument.multiple else ''}"
            yield f"complete -c qctl -n {quoted(here)} {found}"


def source(item: Argument | Option) -> str:
    """Where its values come from."""
    value = kind(item)
    if value.startswith("="):
        return f"-f -a {quoted(value[1:])}"
    known = {"file": "-F", UNKNOWN: "-f", "dir": "-f -a '(__fish_complete_directories (commandline -ct))'"}
    order = "-k " if value in ("jobs", "dead") else ""  # newest first
    return known.get(value, f"-f {order}-a '(__qctl_values {value})'")


def quoted(text: str) -> str:
    """Text as one word for fish."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
