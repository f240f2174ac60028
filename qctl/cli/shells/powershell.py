"""Completion for PowerShell."""

from __future__ import annotations

from qctl.cli.shells.grammar import argument_kinds, kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qctl.cli.shells.grammar import Place
    from qctl.cli.spec import Option

HEAD = """\
# Completion of qctl for PowerShell. Written by `qctl completion powershell`: do not edit.

Register-ArgumentCompleter -Native -CommandName qctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # What may follow a command: options (name, kind of its value, help), further commands, arguments by their kind.
    $places = @{
"""

BODY = r"""    }

    # The words before the cursor, as they will be given to qctl.
    $words = @()
    foreach ($element in $commandAst.CommandElements) {
        if ($element.Extent.StartOffset -ge $cursorPosition -or
            ($wordToComplete -ne '' -and $element.Extent.EndOffset -ge $cursorPosition)) { break }
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $words += $element.Value
        } else {
            $words += $element.Extent.Text
        }
    }
    $program = $words[0]
    if (-not (Get-Command $program -ErrorAction Ignore)) { $program = 'qctl' }
    $words = @($words | Select-Object -Skip 1)

    function Find-Option($place, $name) {
        foreach ($option in $place.Options) { if ($option[0] -ceq $name) { return , $option } }
    }

    $path = ''
    $db = @()
    $free = 0
    $wanted = $null
    $wantedName = ''
    $plain = $false
    foreach ($word in $words) {
        $place = $places[$path]
        if ($null -ne $wanted) {
            if ($wantedName -ceq '--db') { $db = @('--db', $word) }
            $wanted = $null
        } elseif (-not $plain -and $word -ceq '--') {
            if ($place.Tail) { return }
            $plain = $true
        } elseif (-not $plain -and $word -clike '--db=*') {
            $db = @('--db', $word.Substring(5))
        } elseif (-not $plain -and $word -like '-?*') {
            $option = Find-Option $place $word
            if ($option -and $option[1] -cne '') {
                $wanted = $option[1]
                $wantedName = $word
            }
        } elseif ($place.Subs.Count) {
            $path = "$path $word".Trim()
            if (-not $places.ContainsKey($path)) { return }
        } else {
            $free += 1
        }
    }

    $place = $places[$path]
    $before = ''
    $typed = $wordToComplete.Trim("'", '"')
    $kind = $wanted
    if ($null -eq $kind -and -not $plain -and $typed -clike '--*=*') {
        $before = $typed.Substring(0, $typed.IndexOf('=') + 1)
        $option = Find-Option $place $before.TrimEnd('=')
        if (-not $option -or $option[1] -ceq '') { return }
        $kind = $option[1]
        $typed = $typed.Substring($before.Length)
    }

    $found = @()
    if ($null -eq $kind -and $place.Subs.Count -and $typed -notlike '-*') {
        $found = $place.Subs
    } elseif ($null -eq $kind -and -not $plain -and ($typed -like '-*' -or -not $place.Arguments.Count)) {
        $found = @($place.Options | ForEach-Object { , @($_[0], $_[2]) })
    } else {
        if ($null -eq $kind -and $place.Arguments.Count) {
            $kind = $place.Arguments[[Math]::Min($free, $place.Arguments.Count - 1)]
            if ($free -ge $place.Arguments.Count -and $kind -notlike '*...') { return }
            $kind = $kind -replace '\.\.\.$', ''
        }
        if ($kind -clike '=*') {
            $found = @($kind.Substring(1).Split(' ') | ForEach-Object { , @($_, $_) })
        } elseif ($kind -in @('file', 'dir', '-', '', $null)) {
            return  # PowerShell offers files by itself
        } else {
            $found = @(& $program @db _values $kind '--' $typed 2>$null | ForEach-Object {
                $value, $text = $_ -split "`t", 2
                , @($value, $(if ($text) { $text } else { $value }))
            })
        }
    }
    foreach ($entry in $found) {
        $value = $before + $entry[0]
        if (-not $entry[0].StartsWith($typed, [StringComparison]::Ordinal)) { continue }
        if ($value -match '[^\w.:/=+-]') { $value = "'" + $value.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($value, $entry[0], 'ParameterValue', $entry[1])
    }
}
"""


def script(places: Sequence[Place]) -> str:
    """The whole script."""
    return HEAD + "".join(f"        {line}\n" for place in places for line in entry(place)) + BODY


def entry(place: Place) -> Iterator[str]:
    yield f"{quoted(place.path)} = @{{"
    yield "    Options = @("
    yield from listed([row(option, name) for option in place.options for name in option.names])
    yield "    )"
    yield "    Subs = @("
    yield from listed([f"@({quoted(sub)}, {quoted(summary)})" for sub, summary in place.subs.items()])
    yield "    )"
    yield f"    Arguments = @({', '.join(quoted(one) for one in argument_kinds(place))})"
    yield f"    Tail = ${'true' if place.tail else 'false'}"
    yield "}"


def listed(rows: Sequence[str]) -> Iterator[str]:
    for index, one in enumerate(rows, 1):
        yield f"        {one}{',' if index < len(rows) else ''}"


def row(option: Option, name: str) -> str:
    return f"@({quoted(name)}, {quoted(kind(option))}, {quoted(option.help)})"


def quoted(text: str) -> str:
    """Text as one string for PowerShell."""
    return "'" + text.replace("'", "''") + "'"
