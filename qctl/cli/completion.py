"""`qctl completion`: the scripts for shells, and the hidden `qctl _values`, which they ask for what is in the queue.

`python -m qctl.cli.completion DIR` writes all scripts into a directory.
"""

from __future__ import annotations

import os
import sys

from qctl.cli.spec import Argument, Command
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

FILES = {"bash": "qctl.bash", "zsh": "_qctl", "fish": "qctl.fish", "powershell": "qctl.ps1"}
"""The shells, and the names of their files in completions/."""

INSTALL = {
    "bash": "echo 'eval \"$(qctl completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(qctl completion zsh)\"' >> ~/.zshrc     (below compinit)",
    "fish": "qctl completion fish > ~/.config/fish/completions/qctl.fish",
    "powershell": "Add-Content $PROFILE 'qctl completion powershell | Out-String | Invoke-Expression'",
}
NAMES = {"pwsh": "powershell"}
FALLBACK = "bash"


def run(values: Values) -> int:
    from qctl.cli.terminal import is_terminal, put, talk

    shell: str | None = values["shell"]
    known = guess() if shell is None else NAMES.get(shell, shell)
    if known not in FILES:
        raise BadValue(f"{known[:40]!r} is no shell that is known here: use {', '.join(FILES)}")
    if shell is None:
        talk(f"to complete qctl in {known}, once and for all:")
        talk(f"  {INSTALL[known]}")
        if is_terminal(sys.stdout):  # a person who asks, and not an eval
            talk(f"then open a new shell. The script itself: qctl completion {known}")
            return 0
    put(sys.stdout, script(known))
    return 0


def guess() -> str:
    """The shell of the user."""
    name = os.path.basename(os.environ.get("SHELL", ""))
    name = NAMES.get(name, name)
    return name if name in FILES else FALLBACK


def script(shell: str) -> str:
    """The completion script of a shell, as it stands in completions/."""
    from importlib import import_module

    from qctl.cli.shells.grammar import places

    text: str = import_module(f"qctl.cli.shells.{shell}").script(places())
    return text


def values(given: Values) -> int:
    """Print candidates, one a line, a description after a tab. Whatever goes wrong, a TAB must not show it."""
    try:
        lines = candidates(given["kind"], given)
    except Exception:
        return 0
    start = given["prefix"] or ""
    for value, text in lines:
        if value.startswith(start) and value.isprintable():
            line = f"{value}\t{text}" if text else value
            sys.stdout.write("".join([c if c.isprintable() or c == "\t" else " " for c in line[:LONGEST]]) + "\n")
    return 0


LONGEST = 200


def candidates(kind: str, given: Values) -> list[tuple[str, str]]:
    """What may be offered: values with a description or ""."""
    if kind == "shells":
        return [(name, "") for name in FILES]
    if kind == "topics":
        from qctl.cli.help import topics

        return list(topics().items())
    if kind == "settings":
        from qctl.rules.settings import SETTINGS

        return [(one.name, one.meaning) for one in SETTINGS.values()]
    from qctl.cli.options import queue_path
    from qctl.store.sqlite.suggest import KINDS, suggest

    return suggest(os.path.abspath(queue_path(given)), kind) if kind in KINDS else []


COMPLETION = Command(
    "completion",
    "Print the completion script of a shell.",
    run,
    Argument(
        "shell",
        required=False,
        help="bash, zsh, fish or powershell; without one, how to set up yours.",
        choices=tuple(FILES),
    ),
    epilog=(
        'eval "$(qctl completion bash)"                               # in ~/.bashrc',
        'eval "$(qctl completion zsh)"                                # in ~/.zshrc',
        "qctl completion fish > ~/.config/fish/completions/qctl.fish",
        "qctl completion powershell | Out-String | Invoke-Expression  # in $PROFILE",
    ),
)

VALUES = Command(
    "_values",
    "Print values that a shell may offer.",
    values,
    Argument("kind", help="types, queues, tags, jobs, dead, schedules, settings, shells or topics."),
    Argument("prefix", required=False, help="How they begin."),
)


def write_all(folder: str) -> None:
    for shell, name in FILES.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(script(shell))


if __name__ == "__main__":
    write_all(sys.argv[1])
