"""`qctl stats`: how the queue does, at one glance."""

from __future__ import annotations

import sys
import time

from qctl.cli.options import look_at_queue
from qctl.cli.spec import Command, Option
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values

BARS = "▁▂▃▄▅▆▇█"
HOUR = 3600.0
ROOMY = 100  # columns


def run(values: Values) -> int:
    from qctl.rules.newjob import seconds

    window = HOUR if values["since"] is None else seconds("--since", values["since"])
    if window <= 0:
        raise BadValue("--since: the window must be longer than 0s")
    at = moment_of(values["at"])
    if values["watch"]:
        if at is not None or values["json"]:
            raise BadValue("--watch shows the present to a person: leave out --at and --json")
        from qctl.cli.watch import watch

        return watch(look_at_queue(values), window, values["type"])
    queue = look_at_queue(values)
    figures = queue.stats(window, at=at, brief=not values["json"])
    figures["flows"] = queue.flow_counts(window) if at is None else None
    show(figures, values["type"], window, json=values["json"])
    return 0


def moment_of(text: str | None) -> float | None:
    """The time that --at means; a duration counts back from now."""
    from qctl.cli.filters import moment

    now = time.time()
    at = moment("--at", text, now)
    if at is not None and at > now:
        raise BadValue("--at: this is yet to come: use a time that is over, such as 2h or yesterday 09:00")
    return at


def show(figures: dict[str, Any], only: list[str], window: float, *, json: bool = False) -> None:
    """Write the figures to stdout, and what they tell one to do to stderr."""
    from qctl.cli.render import hint, object_json, table
    from qctl.cli.terminal import is_terminal, width

    if only:
        figures["types"] = [one for one in figures["types"] if one["type"] in only]
    if json:
        sys.stdout.write(object_json(figures) + "\n")
        return
    seen = is_terminal(sys.stdout)
    rows = [row_of(one, mark_of(one["type"], figures) if seen else "") for one in figures["types"]]
    if not only:
        rows.append(row_of(total_of(figures)))
    if not figures["types"] and seen:
        sys.stdout.write(nothing(figures, only, window) + "\n")
    else:
        table(columns(window, blocked=seen and shows_blocked(figures, width(sys.stdout))), rows)
    if not seen:
        return
    from qctl.cli.render import line

    for text in [] if only else summary(figures, window):
        line(text)
    sys.stdout.flush()
    from qctl.cli.pause import paused_hint

    paused = paused_hint([(one["scope"], one["name"]) for one in figures["paused"] or ()])
    for text in [*([paused] if paused else []), *hints(figures)]:
        hint(text)


def nothing(figures: dict[str, Any], only: list[str], window: float) -> str:
    """What to say where there is no row: of jobs that were not counted, not that there are none."""
    from qctl.rules.clock import human

    if "is_brief" not in figures:
        return "no job of this type" if only else "the queue is empty"
    return f"nothing{' of this type' if only else ''} waits, and nothing was done in {human(window)}"


def shows_blocked(figures: dict[str, Any], columns: int) -> bool:
    """Whether blocked jobs have a column: where there are any, and room beside what more people look for."""
    return bool(figures["queue"]["blocked"]) and columns >= ROOMY


def mark_of(type_: str, figures: dict[str, Any]) -> str:
    """What stands behind the name of a type that is paused, or throttled."""
    from qctl.cli.terminal import GLYPHS

    if any(one["scope"] == "type" and one["name"] == type_ for one in figures["paused"] or ()):
        return " " + GLYPHS["paused"]
    if any(one["scope"] == "type" and one["name"] == type_ for one in figures["throttled"] or ()):
        return " ~"
    return ""


def columns(window: float, *, blocked: bool = False) -> list[Any]:
    """The columns; `blocked`: with that of blocked jobs. In a pipe they are always the same."""
    from qctl.cli.table import Column
    from qctl.rules.clock import duration_text

    name = duration_text(window)
    return [
        Column("TYPE", "type", flex=True, minimum=12),
        Column("PENDING", "pending", right=True),
        Column("RUN", "processing", right=True),
        Column("RETRY", "retry", right=True),
        Column("LATER", "delayed", right=True),
        *([Column("BLOCKED", "blocked", right=True)] if blocked else []),
        Column("DEAD", "dead", right=True),
        Column("OLDEST", "oldest_age", right=True),
        Column(f"DONE/{name}", "completed", right=True),
        Column("FAIL", "failure_rate", right=True),
        Column("p50", "p50", right=True, optional=True),
        Column("p95", "p95", right=True, optional=True),
        Column(f"LAST {name}", "history", optional=True),
        Column("p99", "p99", right=True, optional=True),
        Column("WAIT p50", "wait_p50", right=True, optional=True),
        Column("p95", "wait_p95", right=True, optional=True),
        Column("p99", "wait_p99", right=True, optional=True),
        Column(f"NEW/{name}", "enqueued", right=True, optional=True),
    ]


def row_of(one: dict[str, Any], mark: str = "") -> dict[str, Any]:
    from qctl.cli.render import number, percent
    from qctl.rules.clock import human

    def count(key: str) -> str:
        return number(one[key]) if one[key] else "-"

    def time_of(value: float | None) -> str:
        return "-" if value is None else human(value)

    keys = (
        "type",
        "pending",
        "processing",
        "retry",
        "delayed",
        "blocked",
        "dead",
        "oldest_age",
        "completed",
        "failure_rate",
        "enqueued",
    )
    row = {key: one[key] for key in keys}
    times = {name: one["run"][name] for name in ("p50", "p95", "p99")}
    times |= {f"wait_{name}": one["wait"][name] for name in ("p50", "p95", "p99")}
    row |= times
    row["history"] = " ".join(map(str, one["history"]))
    row["shown"] = {
        "type": one["type"] + mark,
        **{
            key: count(key)
            for key in ("pending", "processing", "retry", "delayed", "blocked", "dead", "completed", "enqueued")
        },
        "oldest_age": time_of(one["oldest_age"]),
        "failure_rate": percent(one["failure_rate"]),
        **{name: time_of(value) for name, value in times.items()},
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
        "blocked": queue["blocked"],
        "dead": figures["dead_letter_queue"]["unreviewed"],
        "oldest_age": queue["oldest_pending_age"],
        "completed": figures["completed"],
        "failure_rate": figures["failure_rate"],
        "run": figures["run"],
        "wait": figures["wait"],
        "enqueued": figures["enqueued"],
        "history": [sum(column) for column in zip(*[one["history"] for one in types], strict=True)],
    }


def spark(counts: list[int]) -> str:
    top = max(counts, default=0)
    return "".join(BARS[-(-count * 8 // top) - 1] if count else " " for count in counts) if top else ""


def summary(figures: dict[str, Any], window: float) -> list[str]:
    """What stands below the table: workers and speed, depth and its trend, schedules and what is held back."""
    from qctl.cli.render import number
    from qctl.rules.clock import clock, human
    from qctl.rules.when import from_text

    lines = []
    workers, queue, rate = figures["workers"], figures["queue"], figures["rate_per_minute"]
    parts = []
    if workers is None:
        parts.append(f"as it was {clock(from_text(figures['at']), time.time())}")
    else:
        alive = workers["alive"]
        text = "no worker" if not alive else "1 worker" if alive == 1 else f"{alive} workers"
        parts.append(f"{text}, {queue['processing']} of {workers['slots']} slots busy" if alive else text)
    parts.append(f"{number(round(rate))} a minute" if rate >= 1 or not rate else f"{rate:.2g} a minute")
    if queue["due"] and rate and workers and workers["alive"]:
        parts.append(f"empty in {human(queue['due'] / rate * 60)} at this rate")
    lines.append(" · ".join(parts))
    depth = figures["depth"]
    if any(depth):
        change = depth[-1] - depth[0]
        text = f"{'+' if change > 0 else '-'}{number(abs(change))}" if change else "no change"
        blocked = f", {number(queue['blocked'])} of them blocked," if queue["blocked"] else ""
        lines.append(f"{number(depth[-1])} to do{blocked} {spark(depth)} {text} in {human(window)}")
    schedules = figures["schedules"]
    if schedules and schedules["total"]:
        text = f"{schedules['total']} schedule{'s' if schedules['total'] > 1 else ''}"
        if schedules["next_at"]:
            text += f", next {clock(from_text(schedules['next_at']), time.time())}"
        text += f", {schedules['paused']} paused" if schedules["paused"] else ""
        lines.append(text)
    if figures["throttled"]:
        lines.append("~ " + ", ".join(limit_text(one) for one in figures["throttled"]))
    return lines + flows_text(figures.get("flows") or {})


def limit_text(one: dict[str, Any]) -> str:
    """What is limited, and to what, in a few words."""
    from qctl.rules.clock import duration_text

    limits = []
    if one["rate"] is not None:
        limits.append(f"{one['rate']}/{duration_text(one['rate_period']).removeprefix('1')}")
    if one["concurrency"] is not None:
        limits.append(f"{one['concurrency']} at once")
    return f"{one['name'] or 'all'}: {', '.join(limits)}"


def flows_text(flows: dict[str, int]) -> list[str]:
    """`3 flows: 1 running, 2 completed`, if there were any in the window."""
    states = [f"{count:,} {state}" for state, count in flows.items() if state != "enqueued" and count]
    many = f"{flows.get('enqueued', 0):,} flow" + ("" if flows.get("enqueued") == 1 else "s")
    return [f"{many}: {', '.join(states)}"] if states else []


def hints(figures: dict[str, Any]) -> list[str]:
    queue, dead = figures["queue"], figures["dead_letter_queue"]["unreviewed"]
    found = []
    if figures["workers"] is None:
        return []
    if queue["due"] and not figures["workers"]["alive"]:
        found.append("! jobs wait and no worker runs       → qctl work")
    elif queue["oldest_pending_age"] is not None and queue["oldest_pending_age"] > 300:
        from qctl.rules.clock import human

        found.append(f"! the oldest has waited {human(queue['oldest_pending_age'])}       → qctl work -c 8")
    if dead:
        found.append(f"! {dead:,} dead letter{'s' if dead > 1 else ''} to review       → qctl dlq groups")
    schedules = figures["schedules"]
    if schedules["failing"] or schedules["overdue"]:
        found.append(f"! {schedules['failing'] + schedules['overdue']} schedules do not tick       → qctl cron list")
    return found


STATS = Command(
    "stats",
    "Show how the queue does.",
    run,
    Option("--since", metavar="DURATION", help="The window of rates and percentiles (default 1h)."),
    Option("--at", metavar="TIME", help="As it was then: 2h (ago), 09:00, yesterday 09:00. Rates go by whole minutes."),
    Option("--watch", "-w", help="Full screen and live; ? shows the keys."),
    Option("--type", "-t", metavar="TYPE", multiple=True, help="Only this type; may be repeated.", complete="types"),
    epilog=(
        "qctl stats --since 1d",
        "qctl stats --at 2h",
        "qctl stats --watch",
        "qctl stats --json | jq .queue.pending",
    ),
)
