"""The figures as they were at some time: from the history, and from what the jobs that are still there tell of it."""

from __future__ import annotations

from qctl.model import PENDING
from qctl.rules.when import to_text
from qctl.store.sqlite.figures import Snapshot, assemble
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

HOUR = 3600.0


def stats_at(store: SQLiteStore, at: float, window: float, now: float) -> dict[str, Any]:
    """As `figures.stats`, at `at`. What is not known any more is None: workers, pauses, limits, schedules."""
    text = to_text(at)
    found = Snapshot()
    for type_, was, count, due, retry, oldest in store.read(sql("states_at"), {"at": text}):
        found.by_type.append({"type": type_, "status": was, "count": count})
        if was == PENDING:
            found.waiting.append((type_, due, retry, count - due - retry, oldest))
    for type_, unreviewed, total in store.read(sql("dead_at"), {"at": text}):
        found.dead_total += total
        if unreviewed:
            found.dead[type_] = unreviewed
    bounds = to_text(at - HOUR), text
    found.hour = store.read(sql("completed_between"), bounds)[0][0]
    figures = assemble(store, at, window, found, now)
    return {**figures, "at": text, "workers": None, "schedules": None, "paused": None, "throttled": None}
