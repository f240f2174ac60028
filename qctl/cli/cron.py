"""`qctl cron`: recurring jobs."""

from __future__ import annotations

import sys
import time

from qctl.cli.enqueue import BACKOFF, CWD, ENV, PRIORITY_WORDS, payload_of, variables
from qctl.cli.filters import decoded
from qctl.cli.options import look_at_queue, open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values

SOON = 3600.0  # seconds below which a next tick is told by its distance


def add(values: Values) -> int:
    from qctl.cli.render import hint, object_json
    from qctl.rules.clock import moment
    from qctl.rules.when import from_text

    type_, expression, fields = described(values)
    queue = open_queue(values, create=True)
    name = queue.add_schedule(
        type_,
        expression,
        name=values["name"],
        time_zone=values["tz"],
        catch_up=values["catch_up"] or "latest",
        overlap=values["overlap"] or "skip",
        seconds=values["seconds"],
        **fields,
    )
    row = queue.schedule(name)
    sys.stdout.write((object_json(public(row)) if values["json"] else name) + "\n")
    hint(f"next {moment(from_text(row['next_run_at']), time.time())}; zone {row['time_zone']}")
    return 0


def described(values: Values) -> tuple[str | None, str, dict[str, Any]]:
    """The type, the expression, and the job as fields of rules/newjob.py."""
    words, tail, shell = list(values["words"]), values["tail"], values["shell"]
    fields: dict[str, Any] = {}
    if tail is not None or shell is not None:
        if tail is not None and shell is not None:
            raise BadValue("--shell and -- COMMAND exclude each other: give one of them")
        if tail is not None and not tail:
            raise BadValue("there is no command after --")
        if not 1 <= len(words) <= 2:
            raise BadValue("before a command stand its type, if it shall have one, and when: '0 3 * * *' -- COMMAND")
        fields["command"], fields["shell"] = tail, shell
        type_ = words.pop(0) if len(words) == 2 else None
        expression = words.pop(0)
    else:
        if len(words) < 2:
            raise BadValue("say what and when: TYPE '0 3 * * *', or '0 3 * * *' -- COMMAND")
        type_, expression = words.pop(0), words.pop(0)
    if words:
        if len(words) >= 3 and all(len(word) < 10 and "=" not in word and word[:1] not in "{@" for word in words):
            raise BadValue("the expression is several words: put it in quotes, like '0 3 * * *'")
        fields["payload"] = payload_of(words)
    for key in ("priority", "queue", "max_attempts", "backoff", "timeout", "cwd"):
        fields[key] = values[key]
    fields["tags"] = values["tag"]
    fields["env"] = variables(values["env"])
    return type_, expression, {key: value for key, value in fields.items() if value is not None and value != []}


def public(row: dict[str, Any]) -> dict[str, Any]:
    """A schedule as JSON shows it."""
    shown = decoded(row, ("payload", "command", "tags", "env"))
    shown["name"] = called(row)
    shown["is_active"], shown["seconds"] = bool(row["is_active"]), bool(row["seconds"])
    shown["state"] = state_of(row)
    return shown


def called(row: dict[str, Any]) -> str:
    return str(row["name"] or row["type"])


def state_of(row: dict[str, Any]) -> str:
    return "broken" if row["error"] else "on" if row["is_active"] else "paused"


def list_(values: Values) -> int:
    from qctl.cli.render import hint, say, table
    from qctl.cli.table import Column
    from qctl.cli.terminal import COLOURS, is_terminal

    queue = look_at_queue(values)
    now = time.time()
    rows = []
    for one in queue.schedules():
        row = public(one)
        state = row["state"]
        row["shown"] = {
            "next_run_at": next_text(row, now),
            "last_run_at": last_text(row, now),
            "state": state + (" !" if row["warning"] else ""),
        }
        row["style"] = {
            "last_run_at": COLOURS.get(row["last_status"] or ""),
            "state": "red" if state == "broken" else "yellow" if row["warning"] else None,
        }
        rows.append(row)
    columns = [
        Column("NAME", "name", flex=True, minimum=10),
        Column("WHEN", "cron_expression", flex=True, minimum=15),
        Column("ZONE", "time_zone", flex=True, optional=True),
        Column("NEXT", "next_run_at"),
        Column("LAST", "last_run_at"),
        Column("STATE", "state"),
    ]
    if not is_terminal(sys.stdout):
        columns += [Column("", "last_status"), Column("", "warning")]
    table(columns, rows, json=values["json"])
    if not rows:
        hint("no schedules: qctl cron add TYPE '0 3 * * *' makes one")
    if is_terminal(sys.stdout) and not values["json"]:
        for row in rows:
            if row["warning"]:
                say(f"! {row['name']}: {row['warning']}")
    return 0


def next_text(row: dict[str, Any], now: float) -> str:
    from qctl.rules.clock import clock, human
    from qctl.rules.when import from_text

    if not row["next_run_at"] or row["state"] != "on":
        return "-"
    at = from_text(row["next_run_at"])
    if at < now:
        return f"due {human(now - at)} ago"
    return f"in {human(at - now)}" if at - now < SOON else clock(at, now)


def last_text(row: dict[str, Any], now: float) -> str:
    """The latest job: its sign, and when it was made; or how long it runs."""
    from qctl.cli.terminal import glyph
    from qctl.rules.clock import clock, human
    from qctl.rules.when import from_text

    status = row["last_status"]
    if status == "processing" and row["last_started_at"]:
        return f"{glyph(status)} running {human(now - from_text(row['last_started_at']))}"
    at = max(
        row["last_run_at"] or "", row["last_started_at"] or ""
    )  # a job made by hand may be later than the last tick
    sign = glyph(status) + " " if status else ""
    return sign + (clock(from_text(at), now) if at else status or "-")


def show(values: Values) -> int:
    from qctl.cli.render import object_json, record
    from qctl.cli.terminal import COLOURS, glyph
    from qctl.rules.clock import moment
    from qctl.rules.when import from_text, iso

    queue = look_at_queue(values)
    row = public(queue.schedule(values["name"]))
    if values["json"]:
        sys.stdout.write(object_json(row) + "\n")
        return 0
    now = time.time()
    pairs: list[tuple[Any, ...]] = [
        ("Type", row["type"]),
        ("When", row["cron_expression"]),
        ("Zone", row["time_zone"]),
        ("State", row["state"]),
        ("Warning", row["warning"], None, "yellow"),
    ]
    pairs += (
        [("Command", object_json(row["command"]))] if row["command"] else [("Payload", object_json(row["payload"]))]
    )
    for key in ("cwd", "queue", "priority", "max_attempts", "timeout", "backoff", "tags", "env", "catch_up", "overlap"):
        if row[key] not in (None, [], {}):
            value = row[key] if isinstance(row[key], (str, int, float)) else object_json(row[key])
            pairs.append((key.replace("_", " ").capitalize(), value))
    for label, key in (("Next", "next_run_at"), ("Last tick", "last_tick"), ("Last run", "last_run_at")):
        if row[key] and not (key == "next_run_at" and row["state"] == "paused"):
            pairs.append((label, iso(row[key]), moment(from_text(row[key]), now)))
    pairs += [("Last job", row["last_job"]), ("Last result", row["last_status"]), ("Last error", row["last_error"])]
    pairs += [("Skipped", row["skipped"]), ("Id", row["id"])]
    record(
        pairs, title=f"{glyph(row['last_status'] or 'delayed')} {row['name']}", style=COLOURS.get(row["last_status"])
    )
    return 0


def next_(values: Values) -> int:
    from qctl.cli.render import table
    from qctl.cli.table import Column
    from qctl.rules.clock import moment
    from qctl.rules.cron import local
    from qctl.rules.newjob import whole
    from qctl.rules.when import iso, parse_time, to_text
    from qctl.scheduling import zone_of_row

    now = time.time()
    count = whole("--count", values["count"] or "5", 1, 1000)
    after = now if values["after"] is None else parse_time(values["after"], now)
    queue = look_at_queue(values)
    row = queue.schedule(values["name"])
    zone = zone_of_row(row)
    rows = []
    for at in queue.next_ticks(values["name"], count, after):
        there = local(at, zone)
        rows.append({"at": iso(to_text(at)), "local": there, "time_zone": zone,
                     "shown": {"local": there[:10] + " " + there[11:], "here": moment(at, now)}})  # fmt: skip
    columns = [Column("UTC", "at"), Column(zone.upper(), "local"), Column("HERE", "here", people=True, optional=True)]
    table(columns, rows, json=values["json"])
    return 0


def change(values: Values, verb: str) -> int:
    """Do something to schedules by name; all of them are found before the first is touched."""
    from qctl.cli.render import hint, object_json

    queue = open_queue(values)
    found = [queue.schedule(name) for name in values["names"]]
    for row in found:
        done: Any = {
            "pause": queue.pause_schedule,
            "resume": queue.resume_schedule,
            "remove": queue.remove_schedule,
            "run": queue.run_schedule,
        }[verb](row["id"])
        if verb == "run":
            made = queue.get(done)
            line = {"number": done, "id": made.id, "type": made.type, "status": made.status, "name": called(row)}
            sys.stdout.write((object_json(line) if values["json"] else str(done)) + "\n")
            continue
        word = {"pause": "paused", "resume": "on", "remove": "removed"}[verb]
        if values["json"]:
            sys.stdout.write(object_json({"name": called(row), "state": word}) + "\n")
        hint(f"{called(row)} is {word}" + (" already" if done is False else ""))
    return 0


NAME = Argument("name", help="The schedule.", complete="schedules")
NAMES = Argument("names", metavar="NAME", multiple=True, help="Schedules.", complete="schedules")

ADD = Command(
    "add",
    "Add a recurring job.",
    add,
    Argument("words", metavar="TYPE 'EXPR' [PAYLOAD]",
        required=False, multiple=True,
             help="The type, when (minute hour day month weekday), and the payload as in `qctl enqueue`.", complete="types"),
    Option("--name", metavar="NAME", help="What to call it (default: the type, made unique)."),
    Option("--tz", metavar="ZONE", help="The time zone it goes by, such as Europe/Berlin (default: that of this machine)."),
    Option("--catch-up", metavar="POLICY", help="Ticks missed in a downtime: latest (default), all (100 at most) or none.",
           choices=("latest", "all", "none")),
    Option("--overlap", metavar="POLICY", help="While an earlier job has not ended: skip the tick (default), or allow.",
           choices=("skip", "allow")),
    Option("--seconds", help="The expression has a sixth field, the seconds, at its end."),
    Option("--shell", metavar="LINE", help="Run a line with /bin/sh -c."),
    Option("--priority", "-p", metavar="PRIORITY", help="low, normal, high, critical or a number (default 0).",
           choices=PRIORITY_WORDS),
    Option("--queue", "-q", metavar="NAME", help="The queue of its jobs (default: default).", complete="queues"),
    Option("--tag", metavar="TAG", multiple=True, help="A tag for its jobs; may be repeated.", complete="tags"),
    Option("--max-attempts", metavar="N", help="Attempts before a job becomes a dead letter (default 5)."),
    BACKOFF,
    Option("--timeout", metavar="DURATION", help="Longest time of an attempt (default 24h; none: no limit)."),
    CWD,
    ENV,
    tail="[-- COMMAND [ARG]...]",
    epilog=(
        "qctl cron add send_report '0 3 * * mon-fri' to=ana@example.com",
        "qctl cron add '*/15 * * * *' --name sync -- rsync -a photos/ backup/",
        "qctl cron add cleanup_completed_jobs '0 3 * * *' --tz Europe/Berlin",
    ),
)  # fmt: skip
LIST = Command(
    "list", "List the schedules.", list_,
    epilog=(
        "qctl cron list --json",
        "in a pipe: name, cron_expression, time_zone, next_run_at, last_run_at, state, last_status, warning",
    ),
)  # fmt: skip
SHOW = Command("show", "Show a schedule whole.", show, NAME)
NEXT = Command(
    "next", "Show the next ticks of a schedule.", next_, NAME,
    Option("--after", metavar="TIME", help="Those after this time (default: now)."),
    Option("--count", "-n", metavar="N", help="How many (default 5)."),
    epilog=("qctl cron next send_report --after 2027-03-27 --count 3",),
)  # fmt: skip
PAUSE = Command("pause", "Let schedules rest.", lambda values: change(values, "pause"), NAMES)
RESUME = Command(
    "resume", "Let schedules tick again, from the next tick on.", lambda values: change(values, "resume"), NAMES
)
RUN = Command("run", "Make a job of a schedule now; prints its number.", lambda values: change(values, "run"), NAMES)
REMOVE = Command("remove", "Delete schedules; their jobs stay.", lambda values: change(values, "remove"), NAMES)
