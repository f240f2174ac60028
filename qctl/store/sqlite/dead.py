"""Dead letters: one row per death, which people review, note down, replay or discard."""

from __future__ import annotations

from qctl.rules.when import to_text
from qctl.store.sqlite.chunks import CHUNK, chunks
from qctl.store.sqlite.insert import key_rival
from qctl.store.sqlite.look import LAST_CHARACTER, conditions
from qctl.store.sqlite.needs import revive
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from qctl.model import Filter
    from qctl.store.sqlite.store import SQLiteStore

SHORTEST, WHOLE = 8, 32  # characters of a letter's id: the fewest that name one, and all of them
KEYS = (
    "number", "id", "original_job_id", "type", "payload", "attempts", "last_error", "failed_at", "reviewed", "notes",
    "status", "queue",
)  # fmt: skip
SELECT = (
    "SELECT d.rowid, j.number, d.id, d.original_job_id, d.type, d.payload, d.attempts, d.last_error, d.failed_at,"
    " d.reviewed, d.notes, j.status, j.queue"
    " FROM dead_letter_jobs d LEFT JOIN jobs j ON j.id = d.original_job_id"
)


def find_dead(store: SQLiteStore, filter: Filter, reviewed: bool | None) -> Iterator[dict[str, Any]]:
    """See Queue.dead_letters."""
    parts, parameters = conditions(filter, job="j.", own="d.", time="failed_at")
    if reviewed is not None:
        parts.append("d.reviewed <> 0" if reviewed else "d.reviewed = 0")
    below = 2**63 - 1
    while True:
        where = " AND ".join([*parts, "d.rowid < ?"])
        rows = store.read(f"{SELECT} WHERE {where} ORDER BY d.rowid DESC LIMIT ?", [*parameters, below, CHUNK])
        for row in rows:
            yield dict(zip(KEYS, row[1:], strict=True))
        if len(rows) < CHUNK:
            return
        below = rows[-1][0]


def letters_of(store: SQLiteStore, job_id: str) -> list[dict[str, Any]]:
    """All dead letters of a job, newest first."""
    rows = store.read(f"{SELECT} WHERE d.original_job_id = ? ORDER BY d.rowid DESC", (job_id,))
    return [dict(zip(KEYS, row[1:], strict=True)) for row in rows]


def letter(store: SQLiteStore, id: str) -> dict[str, Any] | None:
    """The dead letter with this id, or with the only id that begins so.

    Digits are a job's number, and a beginning of less than SHORTEST characters is none of a letter's: what a person
    means by it is a job, and a letter that happens to begin so belongs to another.
    """
    if id.isdigit() and len(id) < WHOLE:
        return None
    end = id if len(id) < SHORTEST else id + LAST_CHARACTER
    rows = store.read(f"{SELECT} WHERE d.id BETWEEN ? AND ? ORDER BY d.id LIMIT 2", (id, end))
    if len(rows) == 1 or (rows and rows[0][2] == id):
        return dict(zip(KEYS, rows[0][1:], strict=True))
    return None


def note_dead(store: SQLiteStore, ids: Iterable[str], text: str) -> int:
    """See Queue.note."""
    return changed(store, "note_letter", ((text, id_) for id_ in ids))


def review_dead(store: SQLiteStore, ids: Iterable[str]) -> int:
    """See Queue.review."""
    return changed(store, "review_letter", ((id_,) for id_ in ids))


def changed(store: SQLiteStore, verb: str, rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    for chunk in chunks(rows):
        with store.write() as connection:
            count += connection.executemany(sql(verb), chunk).rowcount
    return count


def replay_dead(store: SQLiteStore, ids: Iterable[str], now: float) -> list[int]:
    """See Queue.replay. A job that is not dead any more, or whose key has gone to another, is left as it is."""
    from qctl.store.sqlite.hooks import go_on
    from qctl.store.sqlite.ledger import count_revived
    from qctl.store.sqlite.undo import memory_of

    text = to_text(now)
    memory = memory_of(store, "replay", now)
    numbers: list[int] = []
    for chunk in chunks(ids):
        with store.write() as connection:
            types: list[str] = []
            flows: set[int] = set()
            for id_ in chunk:
                row = connection.execute(sql("replayable"), (id_,)).fetchone()
                if row is None:
                    continue
                number, job_id, type_, flow = row
                if key_rival(connection, number) is not None:
                    continue
                memory.keep(connection, number)
                connection.execute(sql("replay_job"), (text, text, number))
                connection.execute(sql("review_letters"), (job_id,))
                types += [type_, *revive(connection, number, text, memory)]
                numbers.append(number)
                if flow is not None:
                    flows.add(flow)
            count_revived(store, types, now)
            if flows:
                go_on(connection, flows)
    return numbers


def discard_dead(store: SQLiteStore, ids: Iterable[str]) -> int:
    """See Queue.discard."""
    from qctl.store.sqlite.undo import memory_of

    memory = memory_of(store, "discard", store.now())
    count = 0
    for chunk in chunks(ids):
        with store.write() as connection:
            for id_ in chunk:
                row = connection.execute("SELECT original_job_id FROM dead_letter_jobs WHERE id = ?", (id_,)).fetchone()
                if row is None:
                    continue
                job = connection.execute("SELECT number FROM jobs WHERE id = ? AND status = 'failed'", row).fetchone()
                memory.keep(connection, job[0] if job else None, id_)
                connection.execute("DELETE FROM jobs WHERE id = ? AND status = 'failed'", row)
                count += connection.execute("DELETE FROM dead_letter_jobs WHERE id = ?", (id_,)).rowcount
    return count
