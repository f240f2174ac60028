"""Completion for zsh, on its own `_arguments`."""

from __future__ import annotations

from qctl.cli.shells.grammar import UNKNOWN, kind, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qctl.cli.shells.grammar import Place
    from qctl.cli.spec import Argument, Option

HEAD = """\
#compdef qctl
# Completion of qctl for zsh. Written by `qctl completion zsh`: do not edit.
"""

BODY = r"""
# What `qctl _values KIND` lists; the other arguments are for compadd.
_qctl_values() {
    local kind=$@[-1] program=${(Q)qctl_line[1]} db line
    local -a values texts dropped
    integer index=$qctl_line[(I)--db]
    (( index )) && db=${(Q)qctl_line[index + 1]}
    index=$qctl_line[(I)--db=*]
    (( index )) && db=${(Q)qctl_line[index]#--db=}
    db=${db/#\~\//$HOME/} program=${program/#\~\//$HOME/}
    [[ -n ${commands[$program]} || -x $program ]] || program=qctl
    for line in ${(f)"$($program ${db:+--db} ${db:+"$db"} _values $kind -- ${(Q)PREFIX} 2>/dev/null)"}; do
        values+=("${line%%$'\t'*}")
        texts+=("${line/$'\t'/  -- }")
    done
    (( $#values )) || return 1
    if [[ $values[1] == $texts[1] ]]; then
        compadd "${@[1,-2]}" -a values
    else
        zparseopts -D -E -a dropped J: V:  # sorted groups
        compadd "${@[1,-2]}" -V $kind -l -d texts -a values
    fi
}

_qctl() {
    local curcontext=$curcontext state line ret=1
    typeset -A opt_args
    local -a qctl_line
    qctl_line=("${(@)words[1,CURRENT]}")
    integer cut=${words[(i)--]}
    if (( cut < CURRENT )) && [[ -n ${words[2,cut][(r)TAILED]} ]]; then
        # The command after --: as if it stood alone.
        shift cut words
        (( CURRENT -= cut ))
        _normal
        return
    fi
    _qctl_at_
}

if [[ $funcstack[1] == _qctl ]]; then
    _qctl "$@"
elif (( $+functions[compdef] )); then
    compdef _qctl qctl
fi
"""


def script(places: Sequence[Place]) -> str:
    """The whole script; a file `_qctl` on the fpath, or to be sourced."""
    tailed = "|".join(place.path for place in places if place.tail)
    body = BODY.replace("TAILED", f"({tailed})" if "|" in tailed else tailed)
    return HEAD + "".join(line + "\n" for place in places for line in function(place)) + body


def name_of(path: str) -> str:
    return "_qctl_at_" + path.replace(" ", "_")


def function(place: Place) -> Iterator[str]:
    yield f"\n{name_of(place.path)}() {{"
    if place.subs:
        yield "    local -a subcommands"
        yield "    subcommands=("
        for sub, summary in place.subs.items():
            yield f"        {quoted(f'{sub}:{summary}')}"
        yield "    )"
    if place.subs:
        yield "    state=''"
    yield f"    _arguments {'-C ' if place.subs else ''}-s -S : \\"
    for option in place.options:
        yield f"        {option_spec(option)} \\"
    if not place.subs:
        for argument in place.arguments:
            yield f"        {quoted(argument_spec(argument))} \\"
        yield "        && ret=0"
        yield "    return ret\n}"
        return
    yield "        '1:command:{_describe command subcommands}' \\"
    yield "        '*::argument:->argument' && ret=0"
    yield "    [[ $state == argument ]] || return ret"
    yield "    case $words[1] in"
    for sub in place.subs:
        yield f"    {sub}) {name_of(f'{place.path} {sub}'.strip())} ;;"
    yield "    esac"
    yield "    return ret\n}"


def option_spec(option: Option) -> str:
    """One word, or one with braces, for `_arguments`: `'(-p --priority)'{-p+,--priority=}'[help]:PRIORITY:(low high)'`."""
    names, repeats = list(option.names), "*" if option.multiple else ""
    rest = f"[{escaped(option.help)}]"
    if option.metavar is not None:
        names = [f"{name}=" if name.startswith("--") else f"{name}+" for name in names]
        rest += f":{escaped(option.metavar)}:{action(option)}"
    if len(names) == 1:
        return quoted(repeats + names[0] + rest)
    before = repeats or f"({' '.join(option.names)})"
    return f"{quoted(before)}{{{','.join(names)}}}{quoted(rest)}"


def argument_spec(argument: Argument) -> str:
    number = "*" if argument.multiple else ""
    return f"{number}:{escaped(argument.metavar)}:{action(argument)}"


def action(item: Argument | Option) -> str:
    value = kind(item)
    if value.startswith("="):
        return f"({value[1:]})"
    return {"file": "_files", "dir": "_files -/", UNKNOWN: " "}.get(value, f"_qctl_values {value}")


def escaped(text: str) -> str:
    for character in "\\[]:":
        text = text.replace(character, "\\" + character)
    return text
