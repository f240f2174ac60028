"""Reading what the further checks of health judge."""

from __future__ import annotations

import os

from qctl.rules.vitals import FEWEST, VITALS, Readings, limit
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite.connection import MEMORY
from qctl.store.sqlite.room import readings
from qctl.store.sqlite.sql import sql
from qctl.store.sqlite.takers import Takers
from qctl.store.sqlite.window import ended_between

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qctl.store.sqlite.store import SQLiteStore

HOUR = 3600.0


def vitals(store: SQLiteStore, now: float) -> Readings:
    """How the queue file, its workers and its running jobs are."""
    found = Readings()
    values = found.values
    done, failed = ended_between(store, now - HOUR, now)
    if done + failed >= FEWEST:
        values["max_failure_rate"] = failed / (done + failed)
    values["max_running"] = age(store.read("SELECT min(started_at) FROM jobs WHERE status = 'processing'")[0][0], now)
    served(store, now, found)
    overdue(store, now, found)
    for name, beat in store.read("SELECT id, beat_at FROM qctl_workers ORDER BY beat_at LIMIT 1"):
        found.silent, values["max_silence"] = name, age(beat, now)
    if store.path != MEMORY:
        try:
            values["max_wal"] = float(os.stat(store.path + "-wal").st_size)
        except OSError:
            values["max_wal"] = 0.0  # there is none
        free, low = readings(store)
        values["min_disk"] = float(free)
        found.is_short = free < low
    return found


def served(store: SQLiteStore, now: float, found: Readings) -> None:
    """The oldest due job that no live worker can run."""
    takers, text, left = Takers(store, now), to_text(now), []
    for *lane, queue, type_ in store.read(sql("lanes")):  # a seek or two for each, however many jobs wait there
        for typed in (0, 1):
            if takers.reason(queue, type_, is_command=not typed):
                head = store.read(sql("lane_head"), (*lane, queue, type_, typed))
                if head and head[0][0] <= text:
                    left.append((head[0][0], type_))
    if left:
        due, found.unserved = min(left)
        found.values["max_unserved"] = age(due, now)


def overdue(store: SQLiteStore, now: float, found: Readings) -> None:
    """The active schedule whose tick has waited longest."""
    for name, due in store.read(
        "SELECT name, due FROM (SELECT coalesce(name, type) AS name, min(next_run_at) AS due FROM cron_schedules"
        " WHERE is_active <> 0) WHERE due IS NOT NULL"
    ):
        found.overdue, found.values["max_overdue"] = name, age(due, now)


def age(text: str | None, now: float) -> float | None:
    try:
        return None if text is None else max(0.0, now - from_text(text))
    except ValueError:
        return None  # an UPDATE from elsewhere may have written anything


def vital_limits(store: SQLiteStore, given: Mapping[str, float | None]) -> dict[str, float | None]:
    """The limits: those given, over the settings of the queue, over the defaults."""
    limits: dict[str, float | None] = {}
    for name, (_kind, default, *_rest) in VITALS.items():
        setting = store.setting(f"health.{name}")
        limits[name] = given[name] if name in given else limit(name, setting or default, f"health.{name}")
    return limits
