"""The ledger of one store: what ended by it, counted in memory, and written with the transactions it makes anyway.

A row of `qctl_figures` belongs to one ledger, by its `source`, and is written whole each time: writing it again does no harm.
What a process that is killed has counted and not written is at most a second's work, mostly none.
"""

from __future__ import annotations

import os
import time

from qctl.model import COMPLETED, FAILED
from qctl.rules.ending import SUCCEEDED, Ending, Facts, Move
from qctl.rules.tally import MINUTE, Tally, tallies
from qctl.rules.when import from_text
from qctl.store.sqlite.finish import Outcome, finish_jobs
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from qctl.store.sqlite.store import SQLiteStore

    Key = tuple[int, str]  # the minute and the type

PATIENCE = 1.0  # seconds that a count waits for the next write, at most
SHARE = 200  # and at most one part in so many of a worker's time goes into writing
LIFE = 240.0  # seconds that a source is used: its rows are added up with others' only long after that
KNOWN = 4096  # times that are kept as read


class Ledger:
    """Counts of what ended. `note` and `write` inside a transaction, `settle` after it."""

    def __init__(self) -> None:
        self.kept: dict[Key, Tally] = {}  # as they stand for this source
        self.fresh: dict[Key, Tally] = {}  # what the open transaction adds to that, if it is committed
        self.unwritten: set[Key] = set()
        self.wrote = False
        self.written_at = self.cost = 0.0
        self.times: dict[str, float] = {}
        self.renew()

    def renew(self) -> None:
        """Begin a new source: nothing is added to the rows of the old one any more."""
        self.source = os.urandom(6).hex()
        self.born = time.monotonic()
        self.kept.clear()

    def note(
        self, connection: sqlite3.Connection, ended: Sequence[tuple[Ending, Facts]], outcomes: Sequence[Outcome]
    ) -> None:
        """Count runs that ended in the open transaction."""

        def look_up(number: int) -> tuple[str, str] | None:
            row: tuple[str, str] | None = connection.execute(sql("type_and_due"), (number,)).fetchone()
            return row

        self.put(tallies(ended, outcomes, self.seconds, look_up))

    def put(self, found: dict[Key, Tally]) -> None:
        """Count what else was found in the open transaction."""
        for key, tally in found.items():
            add_to(self.fresh, key, tally)

    def write(self, connection: sqlite3.Connection, *, force: bool = False) -> None:
        """Write what is not written yet, if it is time for that, or with `force`."""
        now = time.monotonic()
        if not force and now - self.written_at < min(PATIENCE, self.cost * SHARE):
            return
        rows = [(*key, self.source, *tally.row()) for key, tally in self.waiting()]
        if rows:
            connection.executemany(sql("put_figures"), rows)
            self.wrote = True
            self.written_at = time.monotonic()
            self.cost = self.written_at - now

    def waiting(self) -> Iterable[tuple[Key, Tally]]:
        for key in self.fresh.keys() | self.unwritten:
            kept, fresh = self.kept.get(key), self.fresh.get(key)
            if kept is None or fresh is None:
                yield key, kept or fresh or Tally()
                continue
            whole = Tally()
            whole.add(kept)
            whole.add(fresh)
            yield key, whole

    def settle(self, committed: bool) -> None:
        """The transaction is over."""
        if not self.fresh and not self.wrote:
            return
        if committed:
            for key, tally in self.fresh.items():  # the few buckets of one transaction are added to the many there are
                add_to(self.kept, key, tally)
            if self.wrote:
                self.unwritten.clear()
            else:
                self.unwritten.update(self.fresh)
        self.fresh = {}
        self.wrote = False
        if not self.unwritten and time.monotonic() - self.born > LIFE:
            self.renew()

    def seconds(self, text: str | None) -> float | None:
        """A stored time, read quickly: jobs that came together have the same one, or the same second at least."""
        if text is None:
            return None
        known = self.times.get(text)
        if known is None:
            try:
                second = self.times.get(text[:19])
                if second is None or len(text) != 23:
                    second = from_text(text[:19]) if len(text) == 23 else from_text(text)
                    self.times[text[:19]] = second
                known = second + float(text[19:]) if len(text) == 23 else second
            except ValueError:
                return None
            if len(self.times) > KNOWN:
                self.times.clear()
            self.times[text] = known
        return known


def add_to(counts: dict[Key, Tally], key: Key, tally: Tally) -> None:
    """Add a tally to those of its key; it is taken over where there are none."""
    before = counts.get(key)
    if before is None:
        counts[key] = tally
    else:
        before.add(tally)


def of(store: SQLiteStore) -> Ledger:
    """The ledger of a store."""
    if store.ledger is None:
        store.ledger = Ledger()
    return store.ledger


def finish_and_count(
    store: SQLiteStore,
    worker: str,
    ended: Sequence[tuple[Ending, Facts]],
    now: str,
    random: Callable[[], float],
    *,
    at_once: bool = False,
) -> list[Outcome]:
    """`finish_jobs` in the open transaction, and count what it did; `at_once`: write that down in it, too."""
    outcomes = finish_jobs(store.connection, worker, ended, now, random)
    ledger = of(store)
    ledger.note(store.connection, ended, outcomes)
    ledger.write(store.connection, force=at_once)
    return outcomes


def count_rescued(store: SQLiteStore, outcomes: list[Outcome]) -> list[Outcome]:
    """Count runs that ended with their worker, in the open transaction."""
    ledger = of(store)
    ledger.note(store.connection, [(outcome.ending, Facts(0, 0, None)) for outcome in outcomes], outcomes)
    ledger.write(store.connection, force=True)
    return outcomes


def was_counted(status: str, worker: str | None) -> bool:
    """Whether the end of a job stands in the figures: what others completed, and what was cancelled, the jobs tell."""
    return status == FAILED or (status == COMPLETED and worker is not None)


def count_revived(store: SQLiteStore, types: Iterable[str], now: float, each: int = 1) -> None:
    """Count jobs that had ended and are to run again, in the open transaction; `each` -1: that was taken back."""
    found: dict[Key, Tally] = {}
    minute = int(now // MINUTE) * MINUTE
    for type_ in types:
        found.setdefault((minute, type_), Tally()).revived += each
    if found:
        ledger = of(store)
        ledger.put(found)
        ledger.write(store.connection, force=True)


def write_rest(store: SQLiteStore) -> None:
    """Write down what is only in memory yet, in the open transaction, or in one of its own."""
    ledger = store.ledger
    if ledger is None or not (ledger.fresh or ledger.unwritten):
        return
    if store.connection.in_transaction:
        ledger.write(store.connection, force=True)
        return
    with store.write() as connection:
        ledger.write(connection, force=True)


def count_elsewhere(store: SQLiteStore, rows: Iterable[tuple[str, str, str | None, str | None]]) -> None:
    """Count jobs that other programs completed and that are deleted in the open transaction: when, type, due, started."""
    ledger = of(store)
    ended, outcomes = [], []
    for completed_at, type_, due, started_at in rows:
        finished = ledger.seconds(completed_at)
        started = finished if started_at is None else ledger.seconds(started_at)
        if finished is not None and started is not None:
            ending = Ending(0, 0, SUCCEEDED, started_at=started, finished_at=finished)
            ended.append((ending, Facts(1, 1, None, type=type_, due=due)))
            outcomes.append(Outcome(ending, Move(COMPLETED, 1, 0, None, None)))
    ledger.note(store.connection, ended, outcomes)
    ledger.write(store.connection, force=True)
