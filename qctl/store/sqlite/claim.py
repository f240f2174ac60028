"""The claim: which due jobs a worker gets next, and their leases.

Pending jobs stand in lanes, one per (priority, queue, type). A claim walks the lanes from the highest priority down,
skips those it may not take with one seek each, and merges the others by scheduled_at and number. So a million jobs of
a type that nobody here can run, or that are not due, cost as much as one.
"""

from __future__ import annotations

from heapq import merge
from itertools import chain, islice

from qctl.model import Lease
from qctl.store.sqlite.needs import give_inputs, has_needs
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Container, Mapping
    from typing import Any

    from qctl.model import TypeDefaults
    from qctl.store.sqlite.gates import Limits


def lanes(connection: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Every lane that has pending jobs, from the highest priority down."""
    return connection.execute(sql("lanes")).fetchall()


def claim_jobs(
    connection: sqlite3.Connection,
    worker: str,
    limit: int,
    now: str,
    *,
    handlers: Container[str],
    types: Container[str] | None,
    queues: Container[str] | None,
    defaults: Mapping[str, TypeDefaults],
    commands: bool = True,
    limits: Limits,
    ready: int | None = None,
) -> list[Lease]:
    """Lease up to `limit` due jobs to `worker`, in the caller's transaction, best first.

    `handlers`: types of typed jobs it can run; `commands`: whether it runs commands. `types`, `queues`: None means all.
    `ready`: how many of them start at once. A limited job is taken only as one of those; when it began is told by what
    `limits.starts` then is. None: all of them begin at `now`.
    """
    kinds = runnable(handlers, types, queues, commands)
    if limits.is_free and not limits.has_expired:
        rows = due_rows(connection, limit, now, kinds)
    else:
        from qctl.store.sqlite.gated import careful_rows

        rows = careful_rows(connection, limit, now, kinds, limits, ready)
    leases: list[Lease] = []
    changed: list[tuple[Any, ...]] = []  # leases that change max_attempts, too
    plain: list[int] = []
    for row in rows:
        lease = Lease()
        (
            lease.due,
            lease.number,
            lease.id,
            lease.type,
            lease.payload,
            lease.priority,
            lease.queue,
            attempts,
            lease.max_attempts,
            attempts_set,
            token,
            lease.rescues,
            lease.backoff,
            lease.timeout,
            lease.command,
            lease.cwd,
            lease.env,
            lease.created_at,
        ) = row
        lease.inputs = lease.verdict = None
        lease.attempts = attempts + 1
        lease.token = token + 1
        leases.append(lease)
        default = defaults.get(lease.type)
        if default is not None:
            if lease.backoff is None:
                lease.backoff = default.backoff
            if lease.timeout is None:
                lease.timeout = default.timeout
            if default.max_attempts is not None and not attempts_set and default.max_attempts != lease.max_attempts:
                lease.max_attempts = default.max_attempts
                changed.append((worker, now, now, now, lease.max_attempts, lease.number))
                continue
        plain.append(lease.number)
    if changed:
        connection.executemany(sql("lease_job"), changed)
    if plain:
        connection.executemany(
            sql("lease_range"), [(worker, now, now, now, first, last) for first, last in ranges(sorted(plain))]
        )
    if leases and has_needs(connection):
        give_inputs(connection, leases, ranges(sorted([lease.number for lease in leases])))
    return leases


def ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Ascending numbers as ranges (first, last): jobs in order of arrival are leased in one statement."""
    found: list[tuple[int, int]] = []
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            found.append((first, last))
            first = number
        last = number
    found.append((first, last))
    return found


def runnable(
    handlers: Container[str], types: Container[str] | None, queues: Container[str] | None, commands: bool = True
) -> Callable[[str, str], tuple[int, ...]]:
    """Which kinds of jobs of a (queue, type) a worker takes: 0 commands, 1 those that need a handler."""

    def kinds(queue: str, type_: str) -> tuple[int, ...]:
        if (queues is not None and queue not in queues) or (types is not None and type_ not in types):
            return ()
        if type_ in handlers:
            return (0, 1) if commands else (1,)
        return (0,) if commands else ()

    return kinds


def due_rows(
    connection: sqlite3.Connection,
    limit: int,
    now: str,
    kinds: Callable[[str, str], tuple[int, ...]],
) -> list[tuple[Any, ...]]:
    """Up to `limit` due jobs where nothing is limited and nothing expires."""
    lane_due = sql("lane_due")
    rows: list[tuple[Any, ...]] = []
    walk = connection.execute(sql("lanes"))
    lane: Any = walk.fetchone()
    while lane and len(rows) < limit:
        priority = lane[0]
        cursors = []
        while lane and lane[0] == priority:
            for kind in kinds(lane[1], lane[2]):
                cursors.append(connection.execute(lane_due, (*lane, kind, now)))
            lane = walk.fetchone()
        rows += best_of(cursors, limit - len(rows))
        for cursor in cursors:
            cursor.close()
    walk.close()
    return rows


def best_of(cursors: list[sqlite3.Cursor], limit: int) -> list[tuple[Any, ...]]:
    """The first `limit` rows of all, which begin with (scheduled_at, number): read one by one as the merge asks for them,
    or at once where only one has any."""
    heads = [(row, cursor) for cursor in cursors if (row := cursor.fetchone())]
    if len(heads) == 1:
        row, cursor = heads[0]
        return [row, *cursor.fetchmany(limit - 1)] if limit > 1 else [row]
    return list(islice(merge(*[chain((row,), cursor) for row, cursor in heads]), limit))


def next_due(
    connection: sqlite3.Connection,
    kinds: Callable[[str, str], tuple[int, ...]],
    limits: Limits,
    now: float,
) -> str | None:
    """When the next pending job that `kinds` takes may run, past times included; None when there is none.

    Paused jobs are none; `now` (seconds since the epoch) is used where limits are.
    """
    if not limits.is_free:
        from qctl.store.sqlite.gated import next_open
        from qctl.store.sqlite.gates import Gates

        return next_open(connection, kinds, Gates(connection, limits, now))
    head = sql("lane_head")
    soonest: str | None = None
    for lane in lanes(connection):
        for kind in kinds(lane[1], lane[2]):
            row = connection.execute(head, (*lane, kind)).fetchone()
            if row and (soonest is None or row[0] < soonest):
                soonest = row[0]
    return soonest
