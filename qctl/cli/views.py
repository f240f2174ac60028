"""What `stats --watch` shows: the types, the jobs of one, and one job with its output. Each reads anew, and keeps nothing open."""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from qctl.cli.table import Column
    from qctl.queue import Queue

    Row = Mapping[str, Any]

MOST = 500  # jobs that are listed, the newest
TAIL = 2000  # lines of output that can be scrolled through


class Rows(ABC):
    """A list of rows. `sorts`: what it can be sorted by, as (title, key, whether the greatest is first)."""

    title = ""
    sorts: Sequence[tuple[str, str, bool]] = ()

    def __init__(self, queue: Queue, window: float) -> None:
        self.queue = queue
        self.window = window
        self.rows: list[dict[str, Any]] = []
        self.head: list[str] = []
        self.place = 0  # the row that is chosen, and what it is
        self.held: Any = None
        self.sort = 0
        self.filter = ""
        self.is_reversed = False

    @abstractmethod
    def columns(self) -> list[Column]: ...

    @abstractmethod
    def read(self) -> None:
        """Learn how things are."""

    def visible(self) -> list[dict[str, Any]]:
        """The rows that the filter leaves, sorted."""
        text = self.filter.casefold()
        rows = [row for row in self.rows if not text or text in self.words(row).casefold()]
        _title, key, falls = self.sorts[self.sort]
        rows.sort(key=lambda row: rank(row.get(key)), reverse=falls != self.is_reversed)
        return rows

    def words(self, row: Row) -> str:
        return " ".join(str(row.get(key) or "") for key in ("type", "number", "status", "last_error"))

    def chosen(self) -> dict[str, Any] | None:
        """The row that is chosen: it stays so, wherever it goes as things change."""
        rows = self.visible()
        names = [self.name(row) for row in rows]
        if self.held in names:
            self.place = names.index(self.held)
        return self.hold(rows, self.place)

    def move(self, step: int) -> None:
        """Choose another row."""
        self.chosen()
        self.hold(self.visible(), self.place + step)

    def hold(self, rows: list[dict[str, Any]], place: int) -> dict[str, Any] | None:
        self.place = max(0, min(place, len(rows) - 1))
        self.held = self.name(rows[self.place]) if rows else None
        return rows[self.place] if rows else None

    def name(self, row: Row) -> Any:
        """What tells a row from all others."""
        return row.get("number", row["type"])

    def lines(self, columns: int, height: int, *, coloured: bool, drawn: bool) -> list[str]:
        """What is shown: the head, and as many rows as fit around the one that is chosen."""
        from qctl.cli.table import layout
        from qctl.cli.terminal import cut, escape

        rows = self.visible()
        self.chosen()
        found = [cut(escape(line), columns) for line in self.head]
        if not rows:
            return [*found, "", "  nothing fits the filter" if self.rows else "  nothing yet"]
        room = max(1, height - len(found) - 2)
        first = max(0, min(self.place - room // 2, len(rows) - room))
        titles = self.columns()
        some = rows[first : first + room]
        plain, painted = (
            list(layout(titles, some, columns - 2, coloured=paints, drawn=drawn)) for paints in (False, coloured)
        )
        found += ["", "  " + painted[0].rstrip("\n")]
        for offset in range(len(some)):
            if first + offset == self.place:
                text = "> " + plain[offset + 1].rstrip("\n")
                found.append(f"\x1b[7m{text.ljust(columns)}\x1b[0m" if coloured else text)
            else:
                found.append("  " + painted[offset + 1].rstrip("\n"))
        return found


def rank(value: Any) -> tuple[bool, float, str]:
    """What rows are sorted by: numbers by size, text by letters, nothing first."""
    if isinstance(value, str):
        return True, 0.0, value
    return value is not None, float(value or 0), ""


class Types(Rows):
    """How each type does."""

    title = "types"
    sorts = (("name", "type", False), ("pending", "pending", True), ("dead", "dead", True), ("done", "completed", True),
             ("failing", "failure_rate", True), ("p95", "p95", True), ("oldest", "oldest_age", True))  # fmt: skip

    def __init__(self, queue: Queue, window: float, only: Sequence[str]) -> None:
        super().__init__(queue, window)
        self.only = only
        self.blocks = False

    def columns(self) -> list[Column]:
        from qctl.cli.stats import columns

        return columns(self.window, blocked=self.blocks)

    def read(self) -> None:
        from qctl.cli.stats import hints, mark_of, row_of, shows_blocked, summary
        from qctl.cli.terminal import width

        figures = self.queue.stats(self.window, brief=True)
        kept = [one for one in figures["types"] if not self.only or one["type"] in self.only]
        self.rows = [row_of(one, mark_of(one["type"], figures)) for one in kept]
        self.blocks = shows_blocked(figures, width(sys.stdout))
        self.head = [*summary(figures, self.window), *hints(figures)]


class Jobs(Rows):
    """The newest jobs of a type."""

    sorts = (("newest", "number", True), ("status", "status", False), ("tries", "attempts", True))

    def __init__(self, queue: Queue, window: float, type_: str) -> None:
        super().__init__(queue, window)
        self.title = self.type = type_

    def columns(self) -> list[Column]:
        from qctl.cli.list import COLUMNS

        return COLUMNS

    def read(self) -> None:
        from qctl.cli.list import rows
        from qctl.model import Filter

        found = list(self.queue.find(Filter(types=[self.type]), limit=MOST))
        self.rows = list(rows(found, time.time()))
        more = f" (the newest {MOST:,})" if len(found) == MOST else ""
        self.head = [f"{self.type}: {len(found):,} jobs{more}"]


class OneJob:
    """One job: what `show` says, and the end of what its latest run wrote. There is nothing to sort or to filter."""

    def __init__(self, queue: Queue, number: int) -> None:
        self.queue = queue
        self.number = number
        self.title = f"job {number}"
        self.head: list[str] = []
        self.output: list[str] = []
        self.place = 0  # lines of output below the screen
        self.job: dict[str, Any] = {}

    def chosen(self) -> dict[str, Any] | None:
        return self.job or None

    def move(self, step: int) -> None:
        """Scroll through the output."""
        self.place = max(0, self.place - step)

    def read(self) -> None:
        from qctl.cli.filters import state_of, when_of
        from qctl.cli.show import neighbours, pairs
        from qctl.cli.terminal import escape_bytes, glyph

        job, now = self.queue.get(self.number), time.time()
        state = state_of(job, now)
        self.job = dict(job.data)
        history = self.queue.history(job.number)
        self.head = [f"{glyph(state)} {job.number} {job.type}  {job.status}  {when_of(job, state, now)}", ""]
        size = self.queue.output_size(job.number)
        for label, value, *better in [*pairs(job, history, size, now), *neighbours(self.queue, job.number)]:
            shown = better[0] if better and better[0] is not None else value
            for place, text in enumerate(shown if isinstance(shown, list) else [shown]):
                self.head.append(f"{'' if place else label:>10}  {text}")
        runs = self.queue.runs(job.number)
        rows = self.queue.output(job.number, runs[-1][0]) if runs else []
        text = escape_bytes(b"".join(data for _position, _stream, data in rows))
        self.output = text.expandtabs(8).splitlines()[-TAIL:]

    def lines(self, columns: int, height: int, *, coloured: bool, drawn: bool) -> list[str]:
        from qctl.cli.terminal import cut, escape, paint

        head = [cut(escape(line), columns) for line in self.head]
        most = max(2, height // 2) if self.output else height
        if len(head) > most:
            head = [*head[: most - 1], "..."]
        if not self.output:
            return [*head, "", "  no output"][:height]
        room = max(1, height - len(head) - 2)
        self.place = max(0, min(self.place, len(self.output) - room))  # lines scrolled up, from the end
        last = len(self.output) - self.place
        title = f"output, lines {max(1, last - room + 1):,} to {last:,} of {len(self.output):,}"
        return [
            *head,
            "",
            paint(title, "dim") if coloured else title,
            *[cut(line, columns) for line in self.output[max(0, last - room) : last]],
        ]


def can_show() -> bool:
    """Whether there is a terminal to take over."""
    import os

    from qctl.cli.terminal import is_terminal

    return is_terminal(sys.stdin) and is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"
