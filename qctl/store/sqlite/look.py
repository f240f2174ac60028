"""Reading jobs: by reference, by filter, their history and output."""

from __future__ import annotations

from qctl.model import BadValue, Job, NotFound
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from qctl.model import Filter
    from qctl.store.sqlite.store import SQLiteStore

    Conditions = tuple[list[str], list[Any]]

CHUNK = 500
WIDEST = 1_000_000
COLUMNS = (
    "number", "id", "type", "payload", "status", "priority", "attempts", "max_attempts", "last_error", "scheduled_at",
    "created_at", "updated_at", "completed_at", "locked_by", "locked_at", "queue", "command", "cwd", "env", "tags",
    "timeout", "backoff", "token", "rescues", "cancel_asked", "started_at", "worker", "exit_code", "result", "key",
    "expires_at", "limit_key", "parent", "flow", "step", "schedule", "tick", "plan",
)  # fmt: skip
SELECT = "SELECT " + ", ".join(COLUMNS) + " FROM jobs"
LAST_CHARACTER = "\U0010ffff"


def job_of(row: tuple[Any, ...]) -> Job:
    return Job(dict(zip(COLUMNS, row, strict=True)))


def get_job(store: SQLiteStore, reference: int | str) -> Job:
    """See Queue.get."""
    number = number_of(store, reference)
    rows = store.read(SELECT + " WHERE number = ?", (number,))
    if not rows:
        raise gone(store, number)
    return job_of(rows[0])


def number_of(store: SQLiteStore, reference: int | str) -> int:
    """The number that a reference means; that of a number is itself, whether there is such a job or not."""
    if isinstance(reference, int):
        return int(reference)
    text = reference.strip()
    if text.isascii() and text.isdigit():
        return min(int(text), 2**63 - 1) if len(text) < 30 else 2**63 - 1
    rows = store.read(sql("ids_from"), (text, text + LAST_CHARACTER)) if text else []
    exact = [number for number, id_ in rows if id_ == text]
    if exact:
        return int(exact[0])
    if not rows:
        raise NotFound(f"there is no job {text[:60]!r}: use a number, an id or the beginning of one")
    if len(rows) > 1:
        some = ", ".join(f"{number} ({id_})" for number, id_ in rows[:3])
        raise BadValue(f"job {text[:60]!r} is ambiguous: it begins the ids of {some}")
    return int(rows[0][0])


def gone(store: SQLiteStore, number: int) -> NotFound:
    highest = store.read("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'")
    if highest and 0 < number <= highest[0][0]:
        return NotFound(f"job {number} is gone: it was purged or deleted")
    return NotFound(f"there is no job {number}")


def resolve(store: SQLiteStore, references: Iterable[int | str]) -> list[int]:
    """See Queue.numbers."""
    found: dict[int, None] = {}
    for reference in references:
        bounds = None if is_id(store, reference) else range_of(reference)
        if bounds is None:
            number = number_of(store, reference)
            if not store.read("SELECT 1 FROM jobs WHERE number = ?", (number,)):
                raise gone(store, number)
            found[number] = None
            continue
        rows = store.read("SELECT number FROM jobs WHERE number BETWEEN ? AND ? ORDER BY number", bounds)
        if not rows:
            raise NotFound(f"there are no jobs {bounds[0]}-{bounds[1]}")
        found.update(dict.fromkeys(row[0] for row in rows))
    return list(found)


def is_id(store: SQLiteStore, reference: int | str) -> bool:
    """Whether this is an id that looks like a range: other programs may give out such ids, and so may chance."""
    if isinstance(reference, int) or "-" not in reference:
        return False
    text = reference.strip()
    if text.startswith("0"):  # no number begins so, but the ids that we give out do
        return bool(store.read(sql("ids_from"), (text, text + LAST_CHARACTER)))
    return bool(store.read("SELECT 1 FROM jobs WHERE id = ?", (text,)))


def range_of(reference: int | str) -> tuple[int, int] | None:
    if isinstance(reference, int):
        return None
    first, mark, last = reference.strip().partition("-")
    if not mark or not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        return None
    low, high = int(first[:20]), int(last[:20])
    if low > high or high - low > WIDEST or high >= 2**63:
        raise BadValue(f"{reference[:60]!r} is no range: use FIRST-LAST, at most {WIDEST:,} jobs")
    return low, high


def conditions(filter: Filter, *, job: str = "jobs.", own: str = "jobs.", time: str = "created_at") -> Conditions:
    """The filter as SQL conditions and their parameters. `job` stands before the columns of the job, `own` before those
    that a dead letter has as well, and `time` is what `since` and `until` are about."""
    from qctl.rules.when import to_text

    parts: list[str] = []
    parameters: list[Any] = []
    for column, values in (
        (f"{job}status", filter.statuses),
        (f"{own}type", filter.types),
        (f"{job}queue", filter.queues),
        (f"{job}key", filter.keys),
    ):
        if values:
            parts.append(f"{column} IN ({', '.join('?' * len(values))})")
            parameters += values
    if filter.flow is not None:
        parts.append(f"{job}flow = ? AND {job}flow IS NOT NULL")  # in the words of jobs_flow
        parameters.append(filter.flow)
    for tag in filter.tags:
        parts.append(f"EXISTS (SELECT 1 FROM json_each({job}tags) WHERE value = ?)")
        parameters.append(tag)
    for compared, moment in ((">=", filter.since), ("<=", filter.until)):
        if moment is not None:
            parts.append(f"{own}{time} {compared} ?")
            parameters.append(to_text(moment))
    error = f"coalesce({own}last_error, '')"
    for text, within in (
        (filter.search, f"{own}type || ' ' || {own}payload || ' ' || coalesce({job}command, '') || ' ' || {error}"),
        (filter.error, error),
    ):
        if text:
            parts.append(f"instr(lower({within}), lower(?))")
            parameters.append(text)
    return parts, parameters


def find_jobs(store: SQLiteStore, filter: Filter, limit: int | None, newest_first: bool) -> Iterator[Job]:
    """See Queue.find."""
    parts, parameters = conditions(filter)
    order, compare = ("DESC", "<") if newest_first else ("ASC", ">")
    after = 2**63 - 1 if newest_first else -(2**63)
    left = limit
    while left is None or left > 0:
        size = CHUNK if left is None else min(CHUNK, left)
        where = " AND ".join([*parts, f"number {compare} ?"])
        rows = store.read(f"{SELECT} WHERE {where} ORDER BY number {order} LIMIT ?", [*parameters, after, size])
        for row in rows:
            yield job_of(row)
        if len(rows) < size:
            return
        after = rows[-1][0]
        left = None if left is None else left - size


def count_jobs(store: SQLiteStore, filter: Filter) -> int:
    """See Queue.count."""
    parts, parameters = conditions(filter)
    where = " WHERE " + " AND ".join(parts) if parts else ""
    count: int = store.read(f"SELECT count(*) FROM jobs{where}", parameters)[0][0]
    return count


def history_of(store: SQLiteStore, number: int) -> list[dict[str, Any]]:
    """See Queue.history."""
    keys = ("attempt", "worker", "started_at", "finished_at", "outcome", "exit_code", "error")
    history = [dict(zip(keys, row, strict=True)) for row in store.read(sql("history"), (number,))]
    for row in store.read(sql("latest_run"), (number,)):
        history.append(dict(zip(keys, row[1:], strict=True)))
    return history


def runs_of(store: SQLiteStore, number: int) -> list[tuple[int, int]]:
    """(token, attempt) of every run that ended or is going on, oldest first."""
    rows = store.read("SELECT token, attempt FROM qctl_history WHERE job = ? ORDER BY token", (number,))
    return [(row[0], row[1]) for row in [*rows, *store.read(sql("latest_run"), (number,))]]


def output_after(store: SQLiteStore, number: int, token: int, position: int) -> list[tuple[int, int, bytes]]:
    """What a run wrote from a position on: (position, stream, data), in order."""
    return [(row[0], row[1], row[2]) for row in store.read(sql("output_after"), (number, token, position))]


def key_rival(store: SQLiteStore, number: int) -> int | None:
    """See Inspection.key_rival."""
    rows = store.read(sql("key_rival"), (number,))
    return rows[0][0] if rows else None


def output_size(store: SQLiteStore, number: int) -> int:
    """See Queue.output_size."""
    size: int = store.read("SELECT coalesce(sum(length(data)), 0) FROM qctl_output WHERE job = ?", (number,))[0][0]
    return size
