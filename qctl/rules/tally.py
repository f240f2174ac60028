"""What is counted of the jobs of one type in one stretch of time: the history that outlives the jobs."""

from __future__ import annotations

from collections import defaultdict
from math import log

from qctl.model import CANCELLED, COMPLETED, FAILED, PENDING
from qctl.rules import sketch
from qctl.rules.ending import CRASH, DEAD, ERROR, LOST, RETRY, TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from qctl.rules.ending import Ending, Facts

FAILURES = frozenset((ERROR, TIMEOUT, CRASH, RETRY, DEAD, LOST))
"""The ends of an attempt that count as failures."""

MINUTE = 60
COUNTS = ("enqueued", "completed", "failed", "retried", "dead", "cancelled", "revived")


class Tally:
    """Counts: jobs enqueued, completed, dead, cancelled; attempts that failed, and how many of them were to be retried;
    jobs that had ended and were to run again.

    `wait`, `run`: sketches of how long completed jobs had been due before they started, and ran.
    """

    __slots__ = ("cancelled", "completed", "dead", "enqueued", "failed", "retried", "revived", "run", "wait")

    def __init__(self) -> None:
        self.enqueued: float = 0
        self.completed: float = 0
        self.failed: float = 0
        self.retried: float = 0
        self.dead: float = 0
        self.cancelled: float = 0
        self.revived: float = 0
        self.wait: dict[int, Any] = defaultdict(int)
        self.run: dict[int, Any] = defaultdict(int)

    def add(self, other: Tally, share: float = 1) -> None:
        """Add another one, or a share of it."""
        self.enqueued += other.enqueued * share
        self.completed += other.completed * share
        self.failed += other.failed * share
        self.retried += other.retried * share
        self.dead += other.dead * share
        self.cancelled += other.cancelled * share
        self.revived += other.revived * share
        sketch.add(self.wait, other.wait, share)
        sketch.add(self.run, other.run, share)

    def row(self) -> tuple[Any, ...]:
        """As it is stored: COUNTS, then the two sketches."""
        counts = (self.enqueued, self.completed, self.failed, self.retried, self.dead, self.cancelled, self.revived)
        return (*counts, sketch.packed(self.wait), sketch.packed(self.run))

    @classmethod
    def read(cls, row: tuple[Any, ...]) -> Tally:
        """The one that `row` was made of."""
        one = cls()
        one.enqueued, one.completed, one.failed, one.retried, one.dead, one.cancelled, one.revived, wait, run = row
        one.wait, one.run = sketch.unpacked(wait), sketch.unpacked(run)
        return one


def tallies(
    ended: Iterable[tuple[Ending, Facts]],
    outcomes: Iterable[Any],
    due_at: Callable[[str | None], float | None],
    look_up: Callable[[int], tuple[str, str] | None],
) -> dict[tuple[int, str], Tally]:
    """What ended, counted by minute (epoch seconds of its beginning) and type; an outcome's `move` says how.

    `due_at` reads a stored time; `look_up` tells type and due time of a job where the facts do not. Run for every job.
    """
    found: dict[tuple[int, str], Tally] = {}
    begin = end = 0
    type_: str | None = None
    due_text: str | None = None
    due: float | None = None
    tally = Tally()
    runs, waits = tally.run, tally.wait
    done = waited = 0  # what is counted, and not yet in the tally
    place, low, high = 0, 1.0, 0.0  # the bucket of the latest wait, and its bounds: jobs that end together waited alike
    per_e, offset, least = sketch.PER_E, sketch.OFFSET, sketch.LEAST
    for (ending, facts), outcome in zip(ended, outcomes, strict=True):
        move = outcome.move
        if move is None:
            continue
        finished = ending.finished_at
        if facts.type != type_ or not begin <= finished < end:
            tally.completed += done
            if waited:
                waits[place] += waited
            done = waited = 0
            if facts.type is None:
                facts.type, facts.due = look_up(ending.number) or (None, None)
            if facts.type is None:
                type_ = None
                continue
            type_ = facts.type
            begin = int(finished // MINUTE) * MINUTE
            end = begin + MINUTE
            tally = found.setdefault((begin, type_), Tally())
            runs, waits = tally.run, tally.wait
        if move.status == COMPLETED:
            done += 1
            started = ending.started_at
            took = finished - started
            runs[int(log(took) * per_e + offset) if took > least else 0] += 1  # sketch.bucket, without the call
            if facts.due != due_text:
                due_text = facts.due
                due = due_at(due_text)
            if due is not None:
                if not low <= started - due < high:
                    if waited:
                        waits[place] += waited
                        waited = 0
                    place = sketch.bucket(started - due)
                    low, high = sketch.bounds(place)
                waited += 1
            continue
        status = move.status
        if ending.how in FAILURES and status != CANCELLED:
            tally.failed += 1
            tally.retried += status == PENDING
        tally.dead += status == FAILED
        tally.cancelled += status == CANCELLED
    tally.completed += done
    if waited:
        waits[place] += waited
    return found
