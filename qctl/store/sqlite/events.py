"""What happened in a queue, derived from its jobs and their history."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

KEYS = ("at", "event", "number", "type", "attempt", "worker", "exit_code", "error", "token")

ENQUEUED = "SELECT created_at, 'enqueued', number, type, NULL, NULL, NULL, NULL, 0 FROM jobs WHERE "
CREATED = ENQUEUED + "created_at >= ?"  # reads all jobs
ABOVE = ENQUEUED + "number > ?"  # reads what is new

# Each reads what happened since a time, by an index on it.
SOURCES = (
    "SELECT started_at, 'started', number, type, attempts, locked_by, NULL, NULL, token FROM jobs"
    " WHERE status = 'processing' AND started_at >= ?",
    "SELECT completed_at, 'completed', number, type, attempts, worker, exit_code, NULL, token FROM jobs"
    " WHERE status = 'completed' AND completed_at >= ?",
    "SELECT updated_at, 'cancelled', number, type, NULL, NULL, NULL, last_error, token FROM jobs"
    " WHERE status = 'cancelled' AND updated_at >= ?",
    "SELECT h.finished_at, h.outcome, h.job, j.type, h.attempt, h.worker, h.exit_code, h.error, h.token"
    " FROM qctl_history h JOIN jobs j ON j.number = h.job WHERE h.finished_at >= ?",
)


def events_since(store: SQLiteStore, since: str, above: int | None = None) -> list[dict[str, Any]]:
    """See Queue.events."""
    rows: list[tuple[Any, ...]] = store.read(CREATED, (since,)) if above is None else store.read(ABOVE, (above,))
    for source in SOURCES:
        rows += store.read(source, (since,))
    rows.sort(key=lambda row: (str(row[0]), row[2], row[8], row[1] != "enqueued"))
    return [dict(zip(KEYS, row, strict=True)) for row in rows]
