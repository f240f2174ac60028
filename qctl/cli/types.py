"""`qctl types`: what holds for all jobs of a type, and the limits of types and queues."""

from __future__ import annotations

import sys

from qctl.cli.enqueue import BACKOFF, PRIORITY_WORDS, decoded
from qctl.cli.options import look_at_queue, open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue
from qctl.rules.typefields import FIELDS, LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue


def list_(values: Values) -> int:
    from qctl.cli.render import hint, table
    from qctl.cli.table import Column
    from qctl.cli.terminal import is_terminal

    queue = look_at_queue(values)
    rows = [said(row) for row in entries(queue)]
    columns = [
        Column("TYPE", "name", flex=True, minimum=10),
        Column("SCOPE", "scope"),
        Column("SAYS", "says", flex=True, minimum=30),
    ]
    count = table(columns, rows, json=values["json"])
    if not count and is_terminal(sys.stdout) and not values["json"]:
        hint("nothing is set for any type: `qctl types set TYPE --timeout 30s` does")
    return 0


def entries(queue: Queue) -> list[dict[str, Any]]:
    """One row per type or queue of which something is said: its scope, its fields, its limits."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    empty = {"paused_at": None, **dict.fromkeys((*FIELDS, *LIMITS))}
    for row in queue.types():
        rows["type", row["type"]] = {"scope": "type", "name": row["type"], **empty, **row}
    for limit in queue.limits():
        key = limit["scope"], limit["name"]
        rows.setdefault(key, {"scope": limit["scope"], "name": limit["name"], **empty}).update(limit)
        if limit["rate_key"] or limit["concurrency_key"]:
            rows[key]["without_key"] = queue.without_key(limit["name"])
    return [rows[key] for key in sorted(rows)]


def said(row: dict[str, Any]) -> dict[str, Any]:
    """The row, and what it says in the words of `types set`."""
    import shlex

    from qctl.rules.clock import human
    from qctl.rules.limits import NO_KEY

    words: list[str] = []
    for field in (*FIELDS, *LIMITS):
        value = row[field]
        if value is None:
            continue
        if field in ("timeout", "retention"):
            text = human(value) if value else "none"
        elif field == "command":
            text = shlex.join(value)
        elif field == "schema":
            text = "yes"
        else:
            text = str(value)
        words.append(f"{field.replace('_', '-')} {text}")
    if row.get("without_key"):
        words.append(f"{row['without_key']:,} without the key, in bucket {NO_KEY}")
    if row["paused_at"]:
        words.append("paused")
    return {**row, "shown": {"says": " · ".join(words)}, "says": ", ".join(words)}


def set_(values: Values) -> int:
    from qctl.cli.render import say
    from qctl.rules.limits import parse_limits

    type_, queue_name = values["type"], values["queue"]
    if (type_ is None) == (queue_name is None):
        raise BadValue("say of what: TYPE, or --queue NAME for the limits of a queue")
    fields = {name: values[name] for name in FIELDS if values[name] is not None}
    limits = {name: values[name] for name in LIMITS if values[name] is not None}
    if not fields and not limits:
        raise BadValue(f"say what to set: {', '.join(option_of(name) for name in (*FIELDS, *LIMITS))}")
    if queue_name is not None and fields:
        raise BadValue(f"{option_of(next(iter(fields)))}: it is for types; a queue has limits alone")
    if "schema" in fields:
        fields["schema"] = schema_of(fields["schema"])
    parse_limits(limits)  # all that is wrong is said before anything is stored
    queue = open_queue(values, create=True)
    misfits = queue.set_type(type_, **fields) if fields else 0
    if limits:
        set_limits(queue, type_, queue_name, limits)
    if misfits:
        jobs = "1 waiting job does" if misfits == 1 else f"{misfits:,} waiting jobs do"
        say(f"{jobs} not fit the schema: they will be dead letters when their turn comes")
    return 0


def set_limits(queue: Queue, type_: str | None, queue_name: str | None, limits: dict[str, Any]) -> None:
    """The limits of a type, or of a queue."""
    if type_ is not None:
        queue.set_limits("type", type_, **limits)
    else:
        queue.set_limits("queue", queue_name or "", **limits)


def schema_of(word: str) -> str | None:
    """The text of a schema: from a file, or stdin (-); `none` takes it back."""
    if word == "none":
        return None
    if word == "-":
        return decoded(sys.stdin.buffer.read(), "stdin")
    with open(word, "rb") as file:
        return decoded(file.read(), word)


def unset(values: Values) -> int:
    words = list(values["words"])
    queue_name = values["queue"]
    queue = open_queue(values)
    fields = [word.removeprefix("--").replace("-", "_") for word in words[queue_name is None :]]
    if queue_name is not None:
        queue.unset_queue_limits(queue_name, *fields)
    elif not words:
        raise BadValue("say of what: TYPE, or --queue NAME for the limits of a queue")
    else:
        queue.unset_type(words[0], *fields)
    return 0


def option_of(name: str) -> str:
    return "--" + name.replace("_", "-")


LIST = Command(
    "list",
    "List what is set for types and queues.",
    list_,
    epilog=("qctl types list", "qctl types list --json"),
)
SET = Command(
    "set",
    "Say what holds for all jobs of a type.",
    set_,
    Argument("type", required=False, help="The type.", complete="types"),
    Option("--queue", "-q", metavar="NAME", help="A queue instead of a type: its limits.", complete="queues"),
    Option("--timeout", metavar="DURATION", help="Longest time of an attempt (none: no limit)."),
    Option("--max-attempts", metavar="N", help="Attempts before a job becomes a dead letter."),
    BACKOFF,
    Option(
        "--priority",
        "-p",
        metavar="PRIORITY",
        help="low, normal, high, critical or a number, for jobs enqueued from now on.",
        choices=PRIORITY_WORDS,
    ),
    Option("--output-limit", metavar="BYTES", help="Bytes kept of what a job writes, head and tail."),
    Option(
        "--retention", metavar="DURATION", help="How long completed jobs are kept, whatever `purge` does to others."
    ),
    Option("--command", metavar="LINE", help="The program that runs its jobs, in any worker; payload on stdin."),
    Option("--schema", metavar="FILE", help="JSON Schema of the payload; - for stdin, none for none.", complete="file"),
    Option("--rate", metavar="N/UNIT", help="Starts per second, minute or hour: 5/s, 30/m, 1000/h."),
    Option("--rate-burst", metavar="N", help="Starts beyond the rate that may come at once."),
    Option("--rate-key", metavar="PATH", help="Field of the payload; each of its values has the rate to itself."),
    Option("--concurrency", metavar="N", help="Jobs that may run at once, over all workers."),
    Option("--concurrency-key", metavar="PATH", help="Field of the payload; each of its values has that many."),
    epilog=(
        "qctl types set send_email --timeout 30s --max-attempts 3 --backoff fixed:10s",
        "qctl types set resize --command './resize -q 80' --schema resize.schema.json",
        "qctl types set send_webhook --rate 30/m --rate-key customer_id",
    ),
)
UNSET = Command(
    "unset",
    "Take back what was set for a type.",
    unset,
    Argument("words", metavar="TYPE [FIELD]...", required=False, multiple=True,
             help="The type, and what to take back (default: all): timeout, schema, rate, ...", complete="types"),
    Option("--queue", "-q", metavar="NAME", help="A queue instead of a type.", complete="queues"),
    epilog=("qctl types unset send_email", "qctl types unset send_email timeout schema"),
)  # fmt: skip
