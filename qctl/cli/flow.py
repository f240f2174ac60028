"""`qctl flow`: jobs that are steps of one thing, described in a TOML file."""

from __future__ import annotations

import sys
import time

from qctl.cli.options import look_at_queue, open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import NO, BadValue, NotFound, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue

PAUSE = 0.1  # seconds between two looks at a flow that is waited for


def run(values: Values) -> int:
    from qctl.cli.render import object_json, say

    flow, given = read(values["file"]), pairs(values["set"])
    if values["wait_timeout"] is not None and not values["wait"]:
        raise BadValue("--wait-timeout: it goes with --wait")
    try:
        if values["dry_run"]:
            look_at_queue(values).run_flow(flow, set=given, dry_run=True)
            say("the flow is good; nothing was stored (--dry-run)")
            return 0
        queue = open_queue(values, create=True)
        number = queue.run_flow(flow, set=given) or 0
    except BadValue as error:
        raise BadValue(f"{values['file']}: {error}") from None
    text = object_json(queue.flow(number)) if values["json"] else str(number)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    return ended(queue, number, values) if values["wait"] else 0


def read(file: str) -> dict[str, Any]:
    import tomllib

    try:
        if file == "-":
            return tomllib.loads(sys.stdin.buffer.read().decode())
        with open(file, "rb") as source:
            return tomllib.load(source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadValue(f"{file}: it is no TOML: {error}") from None


def pairs(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, mark, value = one.partition("=")
        if not mark or not name:
            raise BadValue(f"--set {one[:40]!r}: use NAME=VALUE")
        found[name] = value
    return found


def ended(queue: Queue, number: int, values: Values) -> int:
    """Wait for the end of a flow: 0 when it is completed."""
    from qctl.cli.render import say
    from qctl.rules.newjob import seconds

    limit = values["wait_timeout"]
    until = None if limit is None else time.monotonic() + seconds("--wait-timeout", limit)
    while (row := queue.flow(number))["status"] == "running":
        if until is not None and time.monotonic() >= until:
            raise TimedOut(f"waited {limit}, and flow {number} has not ended; it goes on")
        time.sleep(PAUSE)
    if row["status"] == "completed":
        return 0
    say(
        f"flow {number} is {row['status']}: {row['failed']} failed, {row['blocked']} blocked, {row['cancelled']} cancelled"
    )
    return NO


def list_(values: Values) -> int:
    from qctl.cli.render import table
    from qctl.cli.table import Column

    keys = ("number", "name", "status", "steps", "completed", "failed", "created_at")
    labels = {"number": "FLOW", "created_at": "CREATED"}
    table(
        [Column(labels.get(key, key.upper()), key) for key in keys], look_at_queue(values).flows(), json=values["json"]
    )
    return 0


def show(values: Values) -> int:
    """The flow and its steps, each with what it still waits for."""
    from qctl.cli.list import waits_text
    from qctl.cli.render import line, object_json, table
    from qctl.cli.table import Column
    from qctl.cli.terminal import COLOURS, glyph, is_terminal

    queue = look_at_queue(values)
    row = queue.flow(numbered(values["flow"]))
    jobs = [queue.get(number) for number in queue.steps(row["number"])]
    waiting = queue.waits_for([job.number for job in jobs if job.status == "blocked"])
    steps = [
        {
            "step": job.step, "number": job.number, "type": job.type, "status": job.status,
            "waits_for": waiting.get(job.number, []), "last_error": job.last_error,
        }
        for job in jobs
    ]  # fmt: skip
    if values["json"]:
        sys.stdout.write(object_json({**row, "jobs": steps}) + "\n")
        return 0
    if is_terminal(sys.stdout):
        line(f"flow {row['number']} {row['name']}  {row['status']}, {row['completed']} of {row['steps']} steps done")
    for step in steps:
        step["glyph"] = glyph(step["status"])
        step["style"] = {"glyph": COLOURS.get(step["status"]), "status": COLOURS.get(step["status"])}
        step["note"] = waits_text(step["waits_for"]) if step["waits_for"] else step["last_error"] or ""
    columns = [Column("", "glyph", people=True), Column("STEP", "step", flex=True, minimum=8),
               Column("JOB", "number", right=True), Column("TYPE", "type", flex=True, minimum=8),
               Column("STATUS", "status"), Column("NOTE", "note", flex=True, minimum=10)]  # fmt: skip
    table(columns, steps)
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
    from qctl.cli.render import say

    number = numbered(values["flow"])
    numbers = open_queue(values).replay_flow(number)
    told(values, numbers)
    say(f"flow {number}: {len(numbers)} steps run again")
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
    Option("--wait", "-w", help="Wait for its end; exit 1 if it did not complete."),
    Option("--wait-timeout", metavar="DURATION", help="Wait no longer than this; then exit 124."),
    Option("--dry-run", help="Check it, and store nothing."),
    epilog=("qctl flow run order.toml --set order=1001 --wait",),
)  # fmt: skip
LIST = Command("list", "List flows.", list_)
SHOW = Command("show", "Show a flow and its steps.", show, FLOW)
CANCEL = Command("cancel", "Cancel what has not ended of a flow.", cancel, FLOW)
REPLAY = Command("replay", "Run a flow again from its failed steps on.", replay, FLOW)
