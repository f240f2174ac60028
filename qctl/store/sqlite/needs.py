"""Jobs that wait for jobs. The trigger jobs_end lets them go; here they are tied, looked up and cancelled together."""

from __future__ import annotations

from qctl.model import BadValue, NotFound
from qctl.rules.ending import DEAD
from qctl.rules.needs import KINDS
from qctl.store.sqlite.insert import MissingNeed
from qctl.store.sqlite.sql import read, sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from typing import Any

    from qctl.model import Lease
    from qctl.rules.needs import Needs
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.store.sqlite.undo import Memory

FIELD = {kind: field for field, kind in KINDS.items()}


class Reader:
    """Reads within the caller's transaction, as `look.resolve` wants it: it sees the jobs stored just before."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def read(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, parameters).fetchall()


def needed(connection: sqlite3.Connection, needs: Needs, index: int, own: int) -> dict[int, str]:
    """The numbers that the references mean, each with its kind. Raises MissingNeed, BadValue."""
    from qctl.store.sqlite.look import resolve

    reader: Any = Reader(connection)
    kinds: dict[int, str] = {}
    for kind, references in needs:
        try:
            numbers = resolve(reader, references)
        except NotFound as error:
            raise MissingNeed(f"{FIELD[kind]}: {error}", index) from None
        except BadValue as error:
            raise BadValue(f"{FIELD[kind]}: {error}") from None
        for number in numbers:
            if number == own:
                raise MissingNeed(f"{FIELD[kind]}: there is no job {own} yet: it would be the new one itself", index)
            if kinds.setdefault(number, kind) != kind:
                raise BadValue(f"job {number} is in both {FIELD[kinds[number]]} and {FIELD[kind]}: give it once")
    return kinds


def tie(connection: sqlite3.Connection, number: int, kinds: dict[int, str]) -> bool:
    """Let a blocked job that was just stored wait for others. False when all have ended already: it is pending now."""
    insert_needs(connection, [(number, kind, kind, needs) for needs, kind in kinds.items()])
    return not connection.execute(sql("unblock_met"), (number,)).rowcount


def insert_needs(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str, int]]) -> None:
    """Store what waits for what, as `insert_need.sql` takes it, and have the trigger that lets it go."""
    set_trigger(connection)
    connection.executemany(sql("insert_need"), rows)


def set_trigger(connection: sqlite3.Connection) -> None:
    """Have the trigger that lets jobs go when what they wait for ends."""
    connection.execute(read("needed.sql"))


def needs_of_job(store: SQLiteStore, number: int) -> list[dict[str, Any]]:
    """What a job waits or waited for: number, kind, met, and its type, step and status (None: it is gone)."""
    keys = ("number", "kind", "met", "type", "step", "status")
    return [dict(zip(keys, row, strict=True)) for row in store.read(sql("needs_of_job"), (number,))]


def needed_by(store: SQLiteStore, number: int) -> list[dict[str, Any]]:
    """The jobs that wait or waited for a job: number, kind, met, type, step, status."""
    keys = ("number", "kind", "met", "type", "step", "status")
    return [dict(zip(keys, row, strict=True)) for row in sorted(store.read(sql("needed_by"), (number,)))]


def has_needs(connection: sqlite3.Connection) -> bool:
    """Whether any job waits or waited for another."""
    return connection.execute("SELECT 1 FROM qctl_needs LIMIT 1").fetchone() is not None


def let_go(connection: sqlite3.Connection, ended: Iterable[int], now: str) -> None:
    """Let go what waits for nothing any more, now that the needs of those behind these jobs have been marked as met."""
    waiting = {job for (job,) in connection.execute(sql("needing"), (f"[{','.join(map(str, ended))}]",))}
    connection.executemany(sql("let_go"), [(now, job) for job in sorted(waiting)])


def left_behind(store: SQLiteStore, numbers: Iterable[int]) -> list[int]:
    """The blocked jobs that could not run if these were cancelled, directly or through one another, in order."""
    if not has_needs(store.connection):
        return []
    named = set(numbers)
    found: set[int] = set()
    left = list(named)
    while left:
        for (number,) in store.read(sql("left_behind"), (left.pop(),)):
            if number not in found and number not in named:
                found.add(number)
                left.append(number)
    return sorted(found)


def waits_for(store: SQLiteStore, numbers: Iterable[int]) -> dict[int, list[int]]:
    """For those of the jobs that wait for others: the numbers that each still waits for."""
    found = {number: sorted(row[0] for row in store.read(sql("waits_for"), (number,))) for number in numbers}
    return {number: needs for number, needs in found.items() if needs}


def give_inputs(connection: sqlite3.Connection, leases: Iterable[Lease], ranges: Iterable[tuple[int, int]]) -> None:
    """Give claimed jobs the results of those they waited for, and steps of flows what their plan makes of those.
    `ranges`: the numbers of the leases, from first to last."""
    plans = dict(row for one in ranges for row in connection.execute(sql("steps_claimed"), one))
    if not plans:
        return
    from qctl.store.sqlite.steps import inputs_of, make_ready

    given = inputs_of(connection, plans)
    for lease in leases:
        if lease.number not in plans:
            continue
        plan, inputs = plans[lease.number], given[lease.number]
        lease.inputs = inputs.text
        if inputs.complaint is not None:
            lease.verdict = (DEAD, inputs.complaint, None)
        elif plan is not None:
            make_ready(connection, lease, plan, inputs)


def revive(connection: sqlite3.Connection, number: int, now: str, memory: Memory) -> list[str]:
    """A job that runs again may be one of a foreach that failed because of it: that waits for it again. Returns the types
    of what it brought back, which is to be counted as revived, too."""
    row = connection.execute(sql("foreach_of_child"), (number,)).fetchone()
    if row is None:
        return []
    step, id_, type_ = row
    memory.keep(connection, step)
    connection.execute(sql("wait_again"), (step, step))
    connection.execute(sql("replay_job"), (now, now, step))
    connection.execute(sql("review_letters"), (id_,))
    return [type_]
