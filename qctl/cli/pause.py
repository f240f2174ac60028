"""`qctl pause` and `qctl resume`: hold back a type, a queue or everything; what runs goes on."""

from __future__ import annotations

import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qctl.cli.spec import Values


def pause(values: Values) -> int:
    targets = meant(values)
    return act(values, targets, open_queue(values, create=True).pause, "paused", "is paused already")


def resume(values: Values) -> int:
    targets = meant(values)
    return act(values, targets, open_queue(values).resume, "resumed", "was not paused")


def meant(values: Values) -> list[tuple[str, str]]:
    """What is named, as (scope, name). Raises BadValue."""
    from qctl.rules.newjob import name

    targets = [("type", name("type", one)) for one in values["types"] or []]
    targets += [("queue", name("--queue", one)) for one in values["queue"] or []]
    if values["all"]:
        if targets:
            raise BadValue("--all means everything: give it alone")
        return [("all", "")]
    if not targets:
        raise BadValue("say what: a TYPE, --queue NAME, or --all")
    return list(dict.fromkeys(targets))


def act(
    values: Values, targets: list[tuple[str, str]], how: Callable[[str, str], bool], done: str, not_needed: str
) -> int:
    from qctl.cli.render import object_json, say

    for scope, name in targets:
        changed = how(scope, name)
        if values["json"]:
            sys.stdout.write(object_json({"scope": scope, "name": name, "changed": changed}) + "\n")
            continue
        say(f"{spoken(scope, name)} {('is ' + done) if changed else not_needed}")
    return 0


def spoken(scope: str, name: str) -> str:
    return "everything" if scope == "all" else f"{scope} {name}"


def paused_hint(paused: list[tuple[str, str]]) -> str | None:
    """One line that says what is paused, and how to end it; None when nothing is."""
    if not paused:
        return None
    from shlex import quote

    scope, name = next((one for one in paused if one[0] == "all"), paused[0])
    words = "--all" if scope == "all" else f"--queue {quote(name)}" if scope == "queue" else quote(name)
    return f"‖ paused: {', '.join(spoken(*one) for one in paused)}       → qctl resume {words}"


TARGETS = (
    Argument("types", metavar="TYPE", required=False, multiple=True, help="Types.", complete="types"),
    Option("--queue", "-q", metavar="NAME", multiple=True, help="A queue; may be repeated.", complete="queues"),
    Option("--all", help="Everything."),
)

PAUSE = Command(
    "pause",
    "Start no more jobs of a type, a queue, or at all; what runs goes on.",
    pause,
    *TARGETS,
    epilog=("qctl pause send_email", "qctl pause --queue slow", "qctl pause --all"),
)

RESUME = Command(
    "resume",
    "Let jobs start again that were paused.",
    resume,
    *TARGETS,
    epilog=("qctl resume send_email", "qctl resume --all"),
)
