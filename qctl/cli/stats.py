"""`qctl stats`: how the queue does, at one glance."""

from __future__ import annotations

import sys

from qctl.cli.options import look_at_queue
from qctl.cli.spec import Command, Option
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values

BARS = "▁▂▃▄▅▆▇█"
HOUR = 3600.0


def run(values: Values) -> int:
    from qctl.cli.render import hint, object_json, table
    from qctl.cli.terminal import is_terminal
    from qctl.rules.newjob import seconds

    window = HOUR if values["since"] is None else seconds("--since", values["since"])
    if window <= 0:
        raise BadValue("--since: the window must be longer than 0s")
    queue = look_at_queue(values)
    figures = queue.stats(window)
    figures["flows"] = queue.flow_counts(window)
    if values["type"]:
        figures["types"] = [one for one in figures["types"] if one["type"] in values["type"]]
    if values["json"]:
        sys.stdout.write(object_json(figures) + "\n")
        return 0
    rows = [row_of(one) for one in figures["types"]]
    if not values["type"]:
        rows.append(row_of(total_of(figures)))
    if not figures["types"] and is_terminal(sys.stdout):
        sys.stdout.write("the queue is empty\n")
    else:
        table(columns(window), rows)
    if not is_terminal(sys.stdout):
        return 0
    for line in summary(figures):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    from qctl.cli.pause import paused_hint

    paused = paused_hint([(one["scope"], one["name"]) for one in figures["paused"]])
    for line in [*([paused] if paused else []), *hints(figures)]:
        hint(line)
    return 0


def columns(window: float) -> list[Any]:
    from qctl.cli.table import Column
    from qctl.rules.clock import duration_text

    name = duration_text(window)
    return [
        Column("TYPE", "type", flex=True, minimum=12),
        Column("PENDING", "pending", right=True),
        Column("RUN", "processing", right=True),
        Column("RETRY", "retry", right=True),
        Column("LATER", "delayed", right=True),
        Column("DEAD", "dead", right=True),
        Column("OLDEST", "oldest_age", right=True),
        Column(f"DONE/{name}", "completed", right=True),
        Column("FAIL", "failure_rate", right=True),
        Column("p50", "p50", right=True, optional=True),
        Column("p95", "p95", right=True, optional=True),
        Column(f"LAST {name}", "history", optional=True),
    ]


def row_of(one: dict[str, Any]) -> dict[str, Any]:
    from qctl.cli.render import number, percent
    from qctl.rules.clock import human

    def count(key: str) -> str:
        return number(one[key]) if one[key] else "-"

    def time_of(value: float | None) -> str:
        return "-" if value is None else human(value)

    row = {key: one[key] for key in ("type", "pending", "processing", "retry", "delayed", "dead", "oldest_age", "completed",
                                     "failure_rate")}  # fmt: skip
    row["p50"], row["p95"] = one["run"]["p50"], one["run"]["p95"]
    row["history"] = " ".join(map(str, one["history"]))
    row["shown"] = {
        **{key: count(key) for key in ("pending", "processing", "retry", "delayed", "dead", "completed")},
        "oldest_age": time_of(one["oldest_age"]),
        "failure_rate": percent(one["failure_rate"]),
        "p50": time_of(row["p50"]),
        "p95": time_of(row["p95"]),
        "history": spark(one["history"]),
    }
    row["style"] = {
        "dead": "red" if one["dead"] else None,
        "processing": "cyan" if one["processing"] else None,
        "retry": "yellow" if one["retry"] else None,
    }
    return row


def total_of(figures: dict[str, Any]) -> dict[str, Any]:
    queue, types = figures["queue"], figures["types"]
    return {
        "type": "total",
        "pending": queue["due"],
        "processing": queue["processing"],
        "retry": queue["retry"],
        "delayed": queue["delayed"],
        "dead": figures["dead_letter_queue"]["unreviewed"],
        "oldest_age": queue["oldest_pending_age"],
        "completed": figures["completed"],
        "failure_rate": figures["failure_rate"],
        "run": figures["run"],
        "history": [sum(column) for column in zip(*[one["history"] for one in types], strict=True)],
    }


def spark(counts: list[int]) -> str:
    top = max(counts, default=0)
    return "".join(BARS[-(-count * 8 // top) - 1] if count else " " for count in counts) if top else ""


def summary(figures: dict[str, Any]) -> list[str]:
    from qctl.cli.render import number
    from qctl.rules.clock import human

    workers, queue, rate = figures["workers"], figures["queue"], figures["rate_per_minute"]
    alive = (
        "no worker" if not workers["alive"] else "1 worker" if workers["alive"] == 1 else f"{workers['alive']} workers"
    )
    parts = [alive]
    if workers["alive"]:
        parts[0] += f", {queue['processing']} of {workers['slots']} slots busy"
    parts.append(f"{number(round(rate))} a minute" if rate >= 1 or not rate else f"{rate:.2g} a minute")
    if queue["due"] and rate and workers["alive"]:
        parts.append(f"empty in {human(queue['due'] / rate * 60)} at this rate")
    return [" · ".join(parts), *flows_text(figures["flows"])]


def flows_text(flows: dict[str, int]) -> list[str]:
    """`3 flows: 1 running, 2 completed`, if there were any in the window."""
    states = [f"{count:,} {state}" for state, count in flows.items() if state != "enqueued" and count]
    many = f"{flows['enqueued']:,} flow" + ("" if flows["enqueued"] == 1 else "s")
    return [f"{many}: {', '.join(states)}"] if states else []


def hints(figures: dict[str, Any]) -> list[str]:
    queue, dead = figures["queue"], figures["dead_letter_queue"]["unreviewed"]
    found = []
    if queue["due"] and not figures["workers"]["alive"]:
        found.append("! jobs wait and no worker runs       → qctl work")
    elif queue["oldest_pending_age"] is not None and queue["oldest_pending_age"] > 300:
        from qctl.rules.clock import human

        found.append(f"! the oldest has waited {human(queue['oldest_pending_age'])}       → qctl work -c 8")
    if dead:
        found.append(f"! {dead:,} dead letter{'s' if dead > 1 else ''} to review       → qctl dlq list")
    return found


STATS = Command(
    "stats",
    "Show how the queue does.",
    run,
    Option("--since", metavar="DURATION", help="The window of rates and percentiles (default 1h)."),
    Option("--type", "-t", metavar="TYPE", multiple=True, help="Only this type; may be repeated.", complete="types"),
    epilog=("qctl stats --since 1d", "qctl stats --json | jq .queue.pending"),
)
