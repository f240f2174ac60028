"""Waiting for a flow: `flow run --wait`, and `--follow`, a live tree on a terminal and a line per change in a pipe."""

from __future__ import annotations

import sys
import time

from qctl.model import NO, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue

FASTEST, SLOWEST = 0.1, 1.0  # seconds between two looks
SHARE = 10  # a look takes no more than one part in so many of the time


def ended(queue: Queue, number: int, values: Values) -> int:
    """Wait for the end of a flow: 0 when it is completed, 1 when not. Raises TimedOut (124)."""
    from qctl.cli.render import say
    from qctl.cli.terminal import is_terminal
    from qctl.cli.wait import deadline_of, warn_without_worker

    until = deadline_of(values)
    warn_without_worker(queue)
    if not values["follow"]:
        done = watched(queue, number, until, None)
    elif is_terminal(sys.stdout) and not values["json"]:
        done = drawn(queue, number, until)
    else:
        done = watched(queue, number, until, Changes(as_json=values["json"]))
    row = queue.flow(number)
    if not done:
        raise TimedOut(f"waited {values['wait_timeout']}, and flow {number} has not ended; it goes on")
    if row["status"] == "completed":
        return 0
    say(
        f"flow {number} is {row['status']}: {row['failed']} failed, {row['blocked']} blocked, {row['cancelled']} cancelled"
    )
    return NO


def watched(queue: Queue, number: int, until: float | None, changes: Changes | None) -> bool:
    """Look until the flow has ended; False when the time ran out."""
    while True:
        begun = time.monotonic()
        status = queue.flow(number)["status"]
        if changes is not None:
            changes.tell(queue.standing(number))
        if status != "running":
            return True
        if until is not None and time.monotonic() >= until:
            return False
        rest(begun, until)


def rest(begun: float, until: float | None) -> None:
    now = time.monotonic()
    pause = min(SLOWEST, max(FASTEST, (now - begun) * SHARE))
    time.sleep(pause if until is None else max(0.0, min(pause, until - now)))


class Changes:
    """A line for each step that has come to another state since the last look: time, step, job, status, error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.known: dict[int, str] = {}

    def tell(self, steps: list[dict[str, Any]]) -> None:
        from qctl.cli.render import Column, table

        rows = []
        for step in steps:
            if self.known.get(step["number"], "blocked") != step["status"]:
                keys = ("updated_at", "step", "number", "status", "last_error")
                rows.append({key: step[key] for key in keys})
            self.known[step["number"]] = step["status"]
        rows.sort(key=lambda row: (str(row["updated_at"]), int(row["number"])))
        columns = [Column(key, key) for key in ("updated_at", "step", "number", "status", "last_error")]
        if rows:
            table(columns, rows, json=self.as_json)


def drawn(queue: Queue, number: int, until: float | None) -> bool:
    """The tree, drawn anew in its place as the flow goes on; it stays when that has ended."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from qctl.cli.terminal import colour
    from qctl.cli.tree import lines

    console = Console(force_terminal=True, no_color=not colour(sys.stdout), highlight=False)

    def picture(most: int | None) -> tuple[str, Any]:
        row = queue.flow(number)
        text = "\n".join(lines(row, queue.standing(number), time.time(), console.width, most))
        return row["status"], Text.from_ansi(text, no_wrap=True, overflow="crop")

    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            begun = time.monotonic()
            status, text = picture(max(4, console.height - 2))
            live.update(text, refresh=True)
            if status != "running":
                return True
            if until is not None and time.monotonic() >= until:
                return False
            rest(begun, until)
