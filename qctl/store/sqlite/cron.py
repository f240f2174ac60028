"""Schedules in the queue file: putting them in, finding, changing and listing them. What they make is in tick.py."""

from __future__ import annotations

import sqlite3

from qctl.model import BadValue, NotFound
from qctl.rules.cron import cron
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite.sql import sql
from qctl.store.sqlite.takers import Takers
from qctl.store.sqlite.tick import KEYS, free_name, make_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.model import NewJob
    from qctl.store.sqlite.store import SQLiteStore

MORE = (
    "is_active", "created_at", "last_run_at", "last_job", "skipped", "error", "last_status", "last_started_at",
    "last_error",
)  # fmt: skip
OVERDUE = 60.0  # seconds after which a tick that did not fire is worth a warning


def add_schedule(store: SQLiteStore, job: NewJob, plan: dict[str, Any], now: float) -> str:
    """Store a schedule that makes jobs like `job`; its name. `plan`: expression, zone, seconds, catch_up, overlap, name."""
    first = cron(plan["expression"], plan["zone"], plan["seconds"]).next(now)
    with store.write() as connection:
        name = plan["name"] or free_name(connection, job.type)
        try:
            connection.execute(
                sql("insert_schedule"),
                (
                    job.type, job.payload, plan["expression"], to_text(first), to_text(now), name, plan["zone"],
                    plan["catch_up"], plan["overlap"], int(plan["seconds"]), job.queue, job.priority or 0,
                    job.max_attempts, job.timeout, job.backoff, job.tags, job.command, job.cwd, job.env,
                ),
            )  # fmt: skip
        except sqlite3.IntegrityError as error:
            if "cron_schedules.name" not in str(error):
                raise
            raise BadValue(
                f"name: there is a schedule {name!r} already: remove it first, or give another --name"
            ) from None
    return str(name)


def schedules(store: SQLiteStore, now: float) -> list[dict[str, Any]]:
    """All schedules by name: the row of each, `last_status`, `last_started_at` and `last_error` of its latest job, and
    `warning`, which is None when all is well."""
    takers = Takers(store, now)
    found = []
    for values in store.read(sql("schedules")):
        row = dict(zip((*KEYS, *MORE), values, strict=True))
        row["warning"] = warning(row, now, takers)
        found.append(row)
    return found


def warning(row: dict[str, Any], now: float, takers: Takers) -> str | None:
    """What a person should know of a schedule."""
    if row["error"]:
        return str(row["error"])
    if not row["is_active"]:
        return None
    left = takers.reason(row["queue"], str(row["type"]), is_command=row["command"] is not None)
    if left is not None:
        return left[0]
    if row["next_run_at"] and from_text(row["next_run_at"]) < now - OVERDUE:
        return "it has not fired when it should"
    return None


def find_schedule(store: SQLiteStore, reference: str, now: float) -> dict[str, Any]:
    """The schedule of this name, id, or type if it is the only one of that type. Raises NotFound."""
    every = schedules(store, now)
    for key in ("name", "id", "type"):
        found = [row for row in every if row[key] == reference]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(row["name"] or row["id"]) for row in found[:5])
            raise BadValue(f"type {reference[:40]!r} has several schedules: use {names}")
    from difflib import get_close_matches

    close = get_close_matches(reference, [str(row["name"] or row["type"]) for row in every], 1)
    guess = f"did you mean {close[0]}?" if close else "`qctl cron list` shows them"
    raise NotFound(f"there is no schedule {reference[:40]!r}: {guess}")


def pause_schedule(store: SQLiteStore, id: str) -> bool:
    """See Queue.pause_schedule."""
    with store.write() as connection:
        changed = connection.execute("UPDATE cron_schedules SET is_active = 0 WHERE id = ? AND is_active <> 0", (id,))
        return changed.rowcount > 0


def resume_schedule(store: SQLiteStore, row: dict[str, Any], zone: str, now: float) -> bool:
    """See Queue.resume_schedule."""
    from qctl.store.sqlite.tick import next_after

    following = to_text(next_after(row, zone, now))
    with store.write() as connection:
        changed = connection.execute(
            "UPDATE cron_schedules SET is_active = 1, next_run_at = ?, error = NULL WHERE id = ?"
            " AND (is_active = 0 OR error IS NOT NULL)",
            (following, row["id"]),
        )
        return changed.rowcount > 0


def remove_schedule(store: SQLiteStore, id: str) -> bool:
    """See Queue.remove_schedule."""
    with store.write() as connection:
        return connection.execute("DELETE FROM cron_schedules WHERE id = ?", (id,)).rowcount > 0


def run_schedule(store: SQLiteStore, row: dict[str, Any], now: float) -> int:
    """See Queue.run_schedule."""
    at = now
    with store.write() as connection:
        while True:
            # Never the very time of a tick, whose job it would be taken for.
            text = to_text(at if round(at * 1000) % 1000 else at + 0.001)
            numbers = make_job(connection, row, text, now)
            if numbers:
                connection.execute("UPDATE cron_schedules SET last_job = ? WHERE id = ?", (numbers[0], row["id"]))
                return numbers[0]
            at += 0.001
