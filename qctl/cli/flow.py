"""`qctl flow`: jobs that are steps of one thing, described in a TOML file."""

from __future__ import annotations

import sys
import time

from qctl.cli.filters import limit_of
from qctl.cli.options import look_at_queue, open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from qctl.cli.spec import Values

MOST = 200  # lines of a tree


def run(values: Values) -> int:
    from qctl.cli.render import object_json, say

    flow, given = read(values["file"]), pairs(values["set"])
    waits = values["wait"] or values["follow"]
    if values["wait_timeout"] is not None and not waits:
        raise BadValue("--wait-timeout: it goes with --wait or --follow")
    cleans = values["on_failure"]
    try:
        if values["dry_run"]:
            look_at_queue(values).run_flow(flow, set=given, on_failure=cleans, dry_run=True)
            say("the flow is good; nothing was stored (--dry-run)")
            return 0
        queue = open_queue(values, create=True)
        number = queue.run_flow(flow, set=given, on_failure=cleans) or 0
    except BadValue as error:
        raise BadValue(f"{values['file']}: {error}") from None
    text = object_json(queue.flow(number)) if values["json"] else str(number)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    if not waits:
        return 0
    from qctl.cli.follow import ended

    return ended(queue, number, values)


def read(file: str) -> dict[str, Any]:
    import tomllib

    try:
        if file == "-":
            return tomllib.loads(sys.stdin.buffer.read().decode())
        with open(file, "rb") as source:
            return tomllib.load(source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadValue(f"{file}: {not_toml(str(error))}") from None


def not_toml(error: str) -> str:
    """What is wrong with a flow file by its reader, in the words of a flow: a step that is there twice is no table twice."""
    start, _quote, rest = error.partition("('steps', '")
    name, quote, place = rest.partition("') twice ")
    if start == "Cannot declare " and quote and "', '" not in name:
        return f"step {name!r}: there are two steps of that name {place}"
    return f"it is no TOML: {error}"


def pairs(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, mark, value = one.partition("=")
        if not mark or not name:
            raise BadValue(f"--set {one[:40]!r}: use NAME=VALUE")
        found[name] = value
    return found


def list_(values: Values) -> int:
    from qctl.cli.render import table
    from qctl.cli.table import Column
    from qctl.cli.terminal import COLOURS
    from qctl.cli.tree import ran

    now = time.time()
    rows: Iterable[dict[str, Any]] = look_at_queue(values).flows(limit_of(values))
    if not values["json"]:
        rows = (
            {
                **row,
                "style": {"status": COLOURS.get(row["status"].replace("running", "processing"))},
                "shown": {"created_at": ago(row["created_at"], now), "ended_at": ran(row, now)},
            }
            for row in rows
        )
    columns = [
        Column("FLOW", "number", right=True), Column("NAME", "name", flex=True, minimum=10), Column("STATUS", "status"),
        Column("STEPS", "steps", right=True), Column("DONE", "completed", right=True),
        Column("FAILED", "failed", right=True), Column("CREATED", "created_at"), Column("TOOK", "ended_at", right=True),
    ]  # fmt: skip
    table(columns, rows, json=values["json"])
    return 0


def ago(text: str, now: float) -> str:
    from qctl.rules.clock import human
    from qctl.rules.when import from_text

    try:
        return f"{human(max(0.0, now - from_text(text)))} ago"
    except ValueError:  # an UPDATE from elsewhere may have written anything
        return text


def show(values: Values) -> int:
    """The flow and its steps: a tree for people, rows in a pipe."""
    from qctl.cli.list import waits_text
    from qctl.cli.render import object_json, table
    from qctl.cli.table import Column
    from qctl.cli.terminal import is_terminal, put, width
    from qctl.cli.tree import lines, state_of

    queue = look_at_queue(values)
    row = queue.flow(numbered(values["flow"]))
    steps = queue.standing(row["number"])
    if values["json"]:
        sys.stdout.write(object_json({**row, "jobs": [{**step, "state": state_of(step)} for step in steps]}) + "\n")
        return 0
    if is_terminal(sys.stdout):
        found = lines(row, steps, time.time(), width(sys.stdout), None if values["all"] else MOST)
        put(sys.stdout, "\n".join(found) + "\n")
        return 0
    for step in steps:
        step["note"] = waits_text(step["waits_for"]) if step["status"] == "blocked" else step["last_error"] or ""
    keys = ("step", "number", "type", "status", "note")
    table([Column(key, key) for key in keys], steps)
    return 0


def numbered(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound(f"there is no flow {text[:40]!r}: use the number that `qctl flow run` printed")
    return int(text)


def cancel(values: Values) -> int:
    from qctl.cli.render import say

    number = numbered(values["flow"])
    done = open_queue(values).cancel_flow(number)
    told(values, sorted(one for one, word in done.items() if word in ("cancelled", "asked")))
    say(f"flow {number}: {sum(word == 'cancelled' for word in done.values())} cancelled,"
        f" {sum(word == 'asked' for word in done.values())} told to end")  # fmt: skip
    return 0


def replay(values: Values) -> int:
    from qctl.cli.filters import counted
    from qctl.cli.render import say

    number = numbered(values["flow"])
    numbers = open_queue(values).replay_flow(number)
    told(values, numbers)
    say(
        f"flow {number}: {counted(len(numbers), 'step')} run again"
        if len(numbers) != 1
        else f"flow {number}: 1 step runs again"
    )
    return 0


def told(values: Values, numbers: list[int]) -> None:
    from qctl.cli.render import object_json

    for one in numbers:
        sys.stdout.write((object_json({"number": one}) if values["json"] else str(one)) + "\n")


FLOW = Argument("flow", metavar="FLOW", help="The number of a flow.")
RUN = Command(
    "run", "Enqueue a flow, whole or not at all; prints its number.", run,
    Argument("file", metavar="FILE", help="TOML: a table for each step; - for stdin.", complete="file"),
    Option("--set", metavar="NAME=VALUE", multiple=True, help="A value over that in [vars]; may be repeated."),
    Option("--on-failure", metavar="STEP", help="Run this step, once no other can go on, if one has failed."),
    Option("--wait", "-w", help="Wait for its end; exit 1 if it did not complete."),
    Option("--follow", "-f", help="Wait, and show it as it goes on: a tree, in a pipe a line for each change."),
    Option("--wait-timeout", metavar="DURATION", help="Wait no longer than this; then exit 124."),
    Option("--dry-run", help="Check it, and store nothing."),
    epilog=("qctl flow run order.toml --set order=1001 --follow", "qctl help flows says what a flow file holds"),
)  # fmt: skip
LIST = Command(
    "list",
    "List flows.",
    list_,
    Option("--limit", "-n", metavar="N", help="At most so many, newest first (default 20; 0: all)."),
)
SHOW = Command(
    "show",
    "Show a flow and its steps.",
    show,
    FLOW,
    Option("--all", "-a", help=f"Every step, also beyond {MOST} lines."),
)
CANCEL = Command("cancel", "Cancel what has not ended of a flow.", cancel, FLOW)
REPLAY = Command("replay", "Run a flow again from its failed steps on.", replay, FLOW)
