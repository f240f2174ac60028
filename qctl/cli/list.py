"""`qctl list`."""

from __future__ import annotations

import time

from qctl.cli.filters import FILTERS, filter_of, limit_of, note_of, public, state_of, when_of
from qctl.cli.options import look_at_queue
from qctl.cli.spec import Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from qctl.cli.spec import Values


def run(values: Values) -> int:
    from qctl.cli.render import number, table

    now = time.time()
    filter, limit = filter_of(values, now), limit_of(values)
    if values["flow"] is not None:
        from qctl.rules.newjob import whole

        filter.flow = whole("--flow", values["flow"], 1, 2**63 - 1)
    queue = look_at_queue(values)
    jobs = queue.find(filter, limit=limit)
    if values["json"]:
        table(COLUMNS, (public(job) for job in jobs), json=True)
        return 0
    import sys

    from qctl.cli.terminal import is_terminal

    if not is_terminal(sys.stdout):
        table(PIPE, (job.data for job in jobs))
        return 0
    found = list(jobs)
    waiting = queue.waits_for([job.number for job in found if job.status == "blocked"])
    count = table(COLUMNS, list(rows(found, now, waiting)))
    total = queue.count(filter)
    from qctl.cli.render import hint

    if not total:
        hint("no jobs" + (" that fit" if filter else " yet: `qctl enqueue -- echo hello` makes one"))
    elif count < total:
        hint(f"{count} of {number(total)} · --limit 0 for all, `qctl list --help` for filters")
    from qctl.cli.pause import paused_hint

    paused = paused_hint(queue.paused())
    if paused:
        hint(paused)
    return 0


def waits_text(needs: list[int]) -> str:
    """`after 12, 13, 14 and 7 more`."""
    more = f" and {len(needs) - 3} more" if len(needs) > 3 else ""
    return "after " + ", ".join(map(str, needs[:3])) + more


def rows(jobs: Any, now: float, waiting: Mapping[int, list[int]] | None = None) -> Iterator[dict[str, Any]]:
    from qctl.cli.terminal import COLOURS, glyph

    for job in jobs:
        state = state_of(job, now)
        data = job.data
        colour = COLOURS.get(state)
        yield {
            **data,
            "shown": {
                "glyph": glyph(state),
                "status": data["status"],
                "attempts": f"{data['attempts']}/{data['max_attempts']}",
                "scheduled_at": when_of(job, state, now),
                "last_error": waits_text(waiting[job.number])
                if waiting and job.number in waiting
                else note_of(job, state),
            },
            "style": {"glyph": colour, "status": colour},
        }


def pipe_columns() -> list[Any]:
    from qctl.cli.table import Column

    keys = (
        "number",
        "id",
        "type",
        "status",
        "attempts",
        "max_attempts",
        "priority",
        "queue",
        "scheduled_at",
        "last_error",
    )
    return [Column(key, key) for key in keys]


def people_columns() -> list[Any]:
    from qctl.cli.table import Column

    return [
        Column("", "glyph", people=True),
        Column("JOB", "number", right=True),
        Column("TYPE", "type", flex=True, minimum=10),
        Column("STATUS", "status"),
        Column("TRY", "attempts", right=True),
        Column("WHEN", "scheduled_at"),
        Column("NOTE", "last_error", flex=True, minimum=12),
    ]


PIPE = pipe_columns()
COLUMNS = people_columns()

LIST = Command(
    "list",
    "List jobs.",
    run,
    *FILTERS,
    Option("--flow", metavar="N", help="Only the steps of this flow."),
    Option("--limit", "-n", metavar="N", help="At most so many, newest first (default 20; 0: all)."),
    epilog=(
        "qctl list --status failed --since 1d",
        "qctl list --type send_email --limit 0 --json",
        "in a pipe: number, id, type, status, attempts, max_attempts, priority, queue, scheduled_at, last_error",
    ),
)
