"""The figures of a window of time, put together from tallies of stretches of it."""

from __future__ import annotations

from qctl.rules import sketch
from qctl.rules.tally import Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

QUANTILES = (50, 95, 99)


class Window:
    """What happened from `since` to `until`, seconds since the epoch, by type. `parts`: in how many parts `history` is.

    A stretch that lies only partly in the window counts by that part of it.
    """

    def __init__(self, since: float, until: float, parts: int) -> None:
        self.since = since
        self.until = until
        self.parts = parts
        self.types: dict[str, Tally] = {}
        self.history: dict[str, list[float]] = {}  # completed, in each part of the window
        self.arrived: dict[str, list[float]] = {}  # enqueued, or back
        self.left: dict[str, list[float]] = {}  # completed or dead
        self.cancelled = [0] * parts
        self.first: float | None = None  # since when anything completed

    def share(self, begin: float, end: float) -> float:
        """How much of a stretch lies in the window; one that goes on into the future has got only as far as now."""
        end = max(min(end, self.until), begin)
        if end <= self.since or begin >= self.until:
            return 0.0
        return (end - max(begin, self.since)) / (end - begin) if end > begin else 1.0

    def add(self, type_: str, begin: float, end: float, tally: Tally) -> None:
        """Add what was counted from `begin` to `end`."""
        share = self.share(begin, end)
        if not share:
            return
        self.of(type_).add(tally, share)
        if tally.completed and (self.first is None or begin < self.first):
            self.first = begin
        came, went = tally.enqueued + tally.revived, tally.completed + tally.dead
        for lists, count in ((self.history, tally.completed), (self.arrived, came), (self.left, went)):
            if count:
                self.spread(lists[type_], begin, end, count * share)

    def take(self, type_: str, begin: float, end: float, row: Sequence[Any]) -> None:
        """As `add`, of a stored row: there may be thousands in a window, each with two sketches."""
        share = 1.0 if self.since <= begin and end <= self.until else self.share(begin, end)
        if not share:
            return
        tally = self.types.get(type_) or self.of(type_)
        enqueued, completed, failed, retried, dead, cancelled, revived, wait, run = row
        tally.enqueued += enqueued * share
        tally.completed += completed * share
        tally.failed += failed * share
        tally.retried += retried * share
        tally.dead += dead * share
        tally.cancelled += cancelled * share
        tally.revived += revived * share
        sketch.gather(tally.wait, wait, share)
        sketch.gather(tally.run, run, share)
        if completed and (self.first is None or begin < self.first):
            self.first = begin
        came, went = enqueued + revived, completed + dead
        for lists, count in ((self.history, completed), (self.arrived, came), (self.left, went)):
            if count:
                self.spread(lists[type_], begin, end, count * share)

    def of(self, type_: str) -> Tally:
        """The tally of a type."""
        if type_ not in self.types:
            self.types[type_] = Tally()
            for lists in (self.history, self.arrived, self.left):
                lists[type_] = [0.0] * self.parts
        return self.types[type_]

    def spread(self, parts: list[float], begin: float, end: float, count: float) -> None:
        """Lay a count on the parts that it belongs to: whole where it fits in one, evenly over several."""
        length = (self.until - self.since) / self.parts
        begin, end = max(begin, self.since), min(end, self.until)
        first = self.part(begin, length)
        last = self.part(end, length)
        if first == last or end - begin <= length:
            parts[self.part((begin + end) / 2, length)] += count
            return
        for place in range(first, last + 1):
            low, high = self.since + place * length, self.since + (place + 1) * length
            parts[place] += count * max(0.0, min(high, end) - max(low, begin)) / (end - begin)

    def part(self, at: float, length: float) -> int:
        return min(max(int((at - self.since) / length), 0), self.parts - 1)

    def whole(self) -> Tally:
        """All types together."""
        total = Tally()
        for tally in self.types.values():
            total.add(tally)
        return total

    def span(self) -> float:
        """Seconds over which rates are taken: from the first job that completed, one minute at least."""
        length = self.until - self.since
        return length if self.first is None else max(60.0, min(length, self.until - self.first))


def figures(tally: Tally, span: float, window: float) -> dict[str, Any]:
    """What a tally says: what was done by the minute over `span` seconds, what came over the whole window."""
    done, failed = round(tally.completed), round(tally.failed)
    return {
        "enqueued": round(tally.enqueued),
        "completed": done,
        "failed_attempts": failed,
        "retried": round(tally.retried),
        "died": round(tally.dead),
        "rate_per_minute": round(tally.completed / span * 60, 3),
        "enqueued_per_minute": round(tally.enqueued / window * 60, 3),
        "failure_rate": round(tally.failed / (tally.completed + tally.failed), 6) if done + failed else None,
        "wait": percentiles(tally.wait),
        "run": percentiles(tally.run),
    }


def percentiles(counts: dict[int, Any]) -> dict[str, float | None]:
    """p50, p95, p99 in seconds."""
    found = {f"p{one}": sketch.quantile(counts, one / 100) for one in QUANTILES}
    return {name: None if value is None else round(value, 6) for name, value in found.items()}


def rounded(parts: list[float]) -> list[int]:
    return [round(one) for one in parts]


def depths(window: Window, present: int) -> list[int]:
    """How many jobs had not ended at the end of each part of the window, reckoned back from how many have not now."""
    found = [float(present)]
    for place in range(window.parts - 1, 0, -1):
        came = sum(parts[place] for parts in window.arrived.values())
        went = sum(parts[place] for parts in window.left.values()) + window.cancelled[place]
        found.append(max(0.0, found[-1] - came + went))
    return rounded(found[::-1])
