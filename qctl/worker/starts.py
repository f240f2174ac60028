"""The starts of jobs that count against a rate: each counts from when its job says that it begins."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Container

    from qctl.store.sqlite.gates import Starts

LOOK = 1.0  # seconds after a claim until what began is written down, if no other transaction comes before
EARLY = 0.25  # the same for short periods: this part of the time that a job has to begin
NEVER = float("inf")


class Begun:
    """What one worker claimed of such jobs. Handler processes write into the pipe `told` when they begin one; nobody is
    woken by that, as a start counts for long enough anyhow until it is written down."""

    __slots__ = ("claimed", "heard", "hears", "look_at", "news", "told", "waiting")

    def __init__(self) -> None:
        self.hears, self.told = os.pipe()
        os.set_blocking(self.hears, False)
        self.heard = b""
        self.claimed: list[Starts] = []  # in the open transaction
        self.waiting: dict[int, Starts] = {}  # by number: claimed, and not known to have begun
        self.news: list[tuple[Starts, int, float | None]] = []  # to write down: when a job began, None for never
        self.look_at = NEVER  # monotonic seconds: when news have to be written

    def latest(self, number: int) -> float | None:
        """Until when a job may begin, epoch seconds; None for one that counts against no rate."""
        starts = self.waiting.get(number)
        return None if starts is None else starts.latest(number)

    def hear(self) -> None:
        """Read what the processes said."""
        try:
            self.heard += os.read(self.hears, 1 << 16)
        except BlockingIOError:
            return
        *lines, self.heard = self.heard.split(b"\n")
        for line in lines:
            number, _space, at = line.partition(b" ")
            self.settle(int(number), float(at))

    def keep(self, held: Callable[[], Container[int]]) -> None:
        """Learn which of the jobs have begun. Those that the worker does not hold any more never did: their starts are
        free again."""
        if self.waiting:
            self.hear()
            ours = held()
            for number in [one for one in self.waiting if one not in ours]:
                self.settle(number, None)

    def settle(self, number: int, at: float | None) -> None:
        """A job, if it is one of them, began at `at`, epoch seconds; None: it never will."""
        starts = self.waiting.pop(number, None)
        if starts is not None:
            self.news.append((starts, number, at))

    def write(self, connection: sqlite3.Connection) -> None:
        """Write down the news in a new transaction; `written` says that it stands."""
        self.claimed.clear()
        for starts, number, at in self.news:
            starts.move(connection, number, at)

    def written(self) -> None:
        """The transaction stands: the news are written, and what was claimed is to begin."""
        if not (self.news or self.claimed or self.waiting):
            return
        self.news.clear()
        for starts in self.claimed:
            self.waiting.update(dict.fromkeys(starts.rated, starts))
        self.claimed.clear()
        soonest = min((one.latest(number) - one.now for number, one in self.waiting.items()), default=NEVER)
        self.look_at = time.monotonic() + min(LOOK, soonest * EARLY) if self.waiting else NEVER

    def close(self) -> None:
        os.close(self.hears)
        os.close(self.told)
