"""Completion for bash: from 3.2 on, which macOS has, and without bash-completion."""

from __future__ import annotations

from qctl.cli.shells.grammar import argument_kinds, by_kind, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qctl.cli.shells.grammar import Place

HEAD = """\
# Completion of qctl for bash 3.2 and later. Written by `qctl completion bash`: do not edit.
"""

BODY = r"""
# A candidate for the word at the cursor; $1 stands before it in that word.
__qctl_add() {
    local word=$1$2
    [[ $word == "$full"* ]] || return 0
    if [[ -z $quote && $word == *[!A-Za-z0-9_.,:@%+/=-]* ]]; then
        printf -v word %q "$word"
    fi
    COMPREPLY[${#COMPREPLY[@]}]=${word#"$kept"}
}

# Candidates of a kind: =words, file, dir, - (unknown), or what `qctl _values` lists. $2 stands before them in the word.
__qctl_offer() {
    local line start=${full#"$2"}
    case $1 in
    =*) for line in ${1#=}; do __qctl_add "$2" "$line"; done ;;
    file)
        files=1
        [[ $start == @* ]] || return 0
        while IFS= read -r line; do
            [[ -z $line ]] || __qctl_add "$2" "@$line"
        done <<<"$(compgen -f -- "${start#@}")" ;;
    dir)
        compopt -o filenames 2>/dev/null || { files=1; return; }
        start=${full#"$kept"}
        while IFS= read -r line; do
            [[ -z $line ]] || COMPREPLY[${#COMPREPLY[@]}]=$line
        done <<<"$(compgen -d -- "$start")" ;;
    -) ;;
    *)
        while IFS= read -r line; do
            if [[ -z $line ]]; then
                continue
            elif [[ ${COMP_TYPE-} == 63 && $line == "$full"* && $line == *$'\t'* ]]; then
                # Only listed, not inserted: what it is may stand beside it.
                COMPREPLY[${#COMPREPLY[@]}]=${line/$'\t'/  }
            else
                __qctl_add "$2" "${line%%$'\t'*}"
            fi
        done <<<"$("$program" ${db:+--db "$db"} _values "$1" -- "$start" 2>/dev/null)"
        if [[ ${COMP_TYPE-} == 63 && ${#COMPREPLY[@]} == 1 ]]; then
            COMPREPLY[0]=${COMPREPLY[0]%%  *}
        fi ;;
    esac
}

# The command after --, whose first word has the index $1: as if it stood alone.
__qctl_command() {
    local line
    if type _comp_command_offset >/dev/null 2>&1; then
        _comp_command_offset "$1"
    elif type _command_offset >/dev/null 2>&1; then
        _command_offset "$1"
    elif [[ $COMP_CWORD == "$1" && $full != */* ]]; then
        while IFS= read -r line; do
            [[ -z $line ]] || __qctl_add '' "$line"
        done <<<"$(compgen -c -- "$full" | sort -u)"
    else
        files=1
    fi
}

_qctl() {
    local IFS=$' \t\n' program=$1 full='' kept='' quote='' db='' files=''
    local path='' wanted='' plain='' options='' subs='' tail='' kind='' free=0
    local index word rest line=${COMP_LINE-${COMP_WORDS[*]}}
    local -a words arguments
    words=() arguments=() COMPREPLY=()
    [[ $program != '~/'* ]] || program=$HOME/${program#'~/'}
    type -P -- "$program" >/dev/null || program=qctl

    # The shell breaks words at characters such as = and : too. What no space parts is one word.
    line=${line#*"${COMP_WORDS[0]}"}
    for ((index = 1; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        rest=${line#"${line%%[![:space:]]*}"}
        if [[ $index -gt 1 && $rest == "$line" && -n $word ]]; then
            kept=$full
            full=$full$word
            words[${#words[@]} - 1]=$full
        else
            kept='' full=$word
            words[${#words[@]}]=$word
        fi
        line=${rest#"$word"}
    done
    case $word in *[!=:@]*|'') ;; *) kept=$full ;; esac
    kept=${kept%@}  # readline takes an @ along with what follows it

    __qctl_place ''
    for ((index = 0; index < ${#words[@]} - 1; index++)); do
        word=${words[index]}
        if [[ -n $wanted ]]; then
            [[ $wanted != --db ]] || db=$word
            wanted=''
            continue
        fi
        case $plain$word in
        --)
            plain=1
            [[ -z $tail ]] || break ;;
        --db=*) db=${word#*=} ;;
        --*=*) ;;
        -?*)
            __qctl_kind "$path" "$word"
            [[ -z $kind ]] || wanted=$word ;;
        *)
            if [[ -n $subs ]]; then
                path=${path:+$path }$word
                __qctl_place "$path"
            else
                free=$((free + 1))
            fi ;;
        esac
    done
    case $db in \"*\"|\'*\') db=${db:1:${#db}-2} ;; '~/'*) db=$HOME/${db#'~/'} ;; esac
    case $full in [\"\']*) quote=${full:0:1} full=${full:1} ;; esac

    if [[ -n $plain && -n $tail ]]; then
        for ((index = 1; index < COMP_CWORD; index++)); do
            [[ ${COMP_WORDS[index]} != -- ]] || break
        done
        __qctl_command $((index + 1))
        return
    elif [[ -n $wanted ]]; then
        __qctl_offer "$kind" ''
    elif [[ -z $plain && $full == --*=* ]]; then
        __qctl_kind "$path" "${full%%=*}"
        [[ -z $kind ]] || __qctl_offer "$kind" "${full%%=*}="
    elif [[ -n $subs && $full != -* ]]; then
        __qctl_offer "=$subs" ''
    elif [[ -z $plain && ( $full == -* || ${#arguments[@]} == 0 ) ]]; then
        __qctl_offer "=$options" ''
    elif [[ $free -lt ${#arguments[@]} ]]; then
        kind=${arguments[free]}
        __qctl_offer "${kind%...}" ''
    elif [[ ${#arguments[@]} -gt 0 ]]; then
        kind=${arguments[${#arguments[@]} - 1]}
        [[ $kind != *... ]] || __qctl_offer "${kind%...}" ''
    fi
    # Where no file can stand, none is offered (bash 3.2 does it all the same).
    [[ -n $files ]] || compopt +o default 2>/dev/null
    return 0
}

complete -o default -F _qctl qctl
"""


def script(places: Sequence[Place]) -> str:
    """The whole script."""
    return HEAD + "".join(line + "\n" for line in [*place_function(places), *kind_function(places)]) + BODY


def place_function(places: Sequence[Place]) -> Iterator[str]:
    yield "\n# What may follow a command: options, further commands, arguments by their kind, -- and a command."
    yield "__qctl_place() {"
    yield "    options='' subs='' tail='' arguments=()"
    yield "    case $1 in"
    for place in places:
        yield f"    {quoted(place.path)})"
        yield f"        options={quoted(' '.join(place.words))}"
        if place.subs:
            yield f"        subs={quoted(' '.join(place.subs))}"
        if place.arguments:
            yield f"        arguments=({' '.join(quoted(kind) for kind in argument_kinds(place))})"
        if place.tail:
            yield "        tail=1"
        yield "        ;;"
    yield "    esac\n}"


def kind_function(places: Sequence[Place]) -> Iterator[str]:
    yield "\n# What the value of an option is; nothing for a switch."
    yield "__qctl_kind() {"
    yield "    kind=''"
    yield "    case $1 in"
    for place in places:
        yield f"    {quoted(place.path)})"
        yield "        case $2 in"
        for kind, names in by_kind(place).items():
            yield f"        {'|'.join(names)}) kind={quoted(kind)} ;;"
        yield "        esac ;;"
    yield "    esac\n}"
