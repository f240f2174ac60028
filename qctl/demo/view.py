"""How `qctl demo orders` is watched: a live table on a terminal, lines in a pipe."""

from __future__ import annotations

import sys
import time
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

STEPS = (
    "process_order", "send_order_confirmation", "generate_invoice", "sync_inventory", "notify_warehouse", "send_follow_up",
    "daily_sales_report", "cleanup_completed_jobs",
)  # fmt: skip
STATES = ("waiting", "delayed", "blocked", "running", "completed", "failed")
STYLES = {"running": "cyan", "completed": "green", "failed": "red"}
EVENTS = 6  # lines of what happened that stay in sight
PAUSE = 2.0  # seconds between two lines of progress in a pipe


class View:
    """`with View() as view: view.show(counts); view.say("...")`. `counts`: by type and state, how many jobs."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.events: deque[str] = deque(maxlen=EVENTS)
        self.counts: dict[tuple[str, str], int] = {}
        self.live: Any = None
        self.told_at = self.begun

    def __enter__(self) -> View:
        if sys.stdout.isatty():
            from rich.live import Live

            self.live = Live(get_renderable=self.table, refresh_per_second=10)
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live is not None:
            self.live.stop()

    @property
    def clock(self) -> str:
        return f"{time.monotonic() - self.begun:4.1f}s"

    def say(self, text: str) -> None:
        """Something happened."""
        self.events.append(f"{self.clock}  {text}")
        if self.live is None:
            self.line(self.events[-1])

    def show(self, counts: dict[tuple[str, str], int]) -> None:
        self.counts = counts
        now = time.monotonic()
        if self.live is None and now >= self.told_at + PAUSE:
            self.told_at = now
            total = {state: sum(n for (_type, one), n in counts.items() if one == state) for state in STATES}
            self.line(f"{self.clock}  " + ", ".join(f"{n} {state}" for state, n in total.items() if n))

    def line(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def table(self) -> Any:
        """Fits 80 columns and 24 lines: a row a step, and what happened of late."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("STEP", no_wrap=True)
        for state in STATES[:4]:
            table.add_column(state.upper(), justify="right", no_wrap=True)
        table.add_column("DONE", justify="right", no_wrap=True)
        table.add_column("DEAD", justify="right", no_wrap=True)
        for step in STEPS:
            row = [Text(step)]
            for state in STATES:
                count = self.counts.get((step, state), 0)
                row.append(Text(str(count) if count else "-", style=STYLES.get(state, "") if count else "dim"))
            table.add_row(*row)
        head = Text(f"qctl demo orders, {self.clock.strip()}", style="bold")
        what = Text(
            "A shop and its queue in one SQLite file: an order is a job, and each job adds the next", style="dim"
        )
        return Group(
            head,
            what,
            Text(""),
            table,
            Text(""),
            *[Text(text, no_wrap=True, overflow="ellipsis") for text in self.events],
        )
