"""`qctl doctor`: what is wrong with the queue file and its place, what it means, and the command that mends it."""

from __future__ import annotations

import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

NARROW = 60
STYLES = {"wrong": "red", "note": "yellow", "ok": "green"}


def run(values: Values) -> int:
    from qctl import __version__
    from qctl.cli.render import Column, line, object_json, table
    from qctl.cli.terminal import is_terminal, width, wrapped
    from qctl.keeping import examine

    queue = open_queue(values)
    findings = list(examine(queue, fix=bool(values["fix"])))
    wrong = sum(one["level"] == "wrong" and not one["fixed"] for one in findings)
    if values["json"]:
        python = ".".join(map(str, sys.version_info[:3]))
        head = {"version": __version__, "python": python, "path": queue.path, "wrong": wrong, "findings": findings}
        sys.stdout.write(object_json(head) + "\n")
        return 1 if wrong else 0
    for one in findings:
        one["word"] = "fixed" if one["fixed"] else one["level"]
    if not is_terminal(sys.stdout):
        table([Column(key, key) for key in ("word", "check", "found", "meaning", "mend")], findings)
        return 1 if wrong else 0
    columns = width(sys.stdout)

    def tell(head: str, text: str, style: str | None = None) -> None:
        for row in wrapped(head + text, columns, " " * len(head) if columns > NARROW else ""):
            line(row, style)
            style = None

    line(f"qctl {__version__} · {queue.path}")
    for one in findings:
        word = one["word"]
        tell(f"{word:<6} {one['check']:<12} ", one["found"], STYLES.get(word, "green"))
        if one["meaning"] and word != "fixed":
            tell(f"{'':<20}", one["meaning"])
        if one["mend"] and word != "fixed":
            tell(f"{'':<20}→ ", one["mend"])
    return 1 if wrong else 0


DOCTOR = Command(
    "doctor",
    "Look for what is wrong with the queue file and its place.",
    run,
    Option("--fix", help="Mend what can be mended safely."),
    epilog=("qctl doctor", "qctl doctor --fix", "in a pipe: ok, note, wrong or fixed; check, found, meaning, mend"),
)
