"""Values that a shell may offer: types, queues, tags, jobs. Read in passing, without a write or a wait."""

from __future__ import annotations

import sqlite3

from qctl.store.sqlite.claim import lanes
from qctl.store.sqlite.connection import uri
from qctl.store.sqlite.sql import sql

KINDS = ("types", "queues", "tags", "jobs", "dead", "schedules")
RECENT = 500  # jobs that are looked at for types, queues and tags, besides what is pending
SHOWN = 50  # jobs that are offered
PATIENCE = 0.2  # seconds


def suggest(path: str, kind: str) -> list[tuple[str, str]]:
    """Values of a kind in the queue file at `path`, each with a description or "". Raises sqlite3.Error."""
    connection = sqlite3.connect(f"file:{uri(path)}?mode=ro", timeout=PATIENCE, uri=True)
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        if kind == "jobs":
            rows = connection.execute(sql("newest_jobs"), (SHOWN,)).fetchall()
            return [(str(number), f"{type_} {status}") for number, type_, status, _queue, _tags in rows]
        if kind == "dead":
            rows = connection.execute(sql("newest_dead"), (SHOWN,)).fetchall()
            return [(str(number), f"{type_} {error or ''}".strip()) for number, type_, error in dict.fromkeys(rows)]
        if kind == "schedules":
            found = connection.execute("SELECT coalesce(name, type), cron_expression FROM cron_schedules LIMIT 500")
            return [(str(name), str(expression)) for name, expression in found.fetchall()]
        return [(name, "") for name in sorted(names(connection, kind))]
    finally:
        connection.close()


def names(connection: sqlite3.Connection, kind: str) -> set[str]:
    found: set[str] = set()
    recent = connection.execute(sql("newest_jobs"), (RECENT,)).fetchall()
    for _number, type_, _status, queue, tags in recent:
        if kind == "tags":
            if tags:
                import json

                found.update(tag for tag in json.loads(tags) if isinstance(tag, str))
        else:
            found.add(type_ if kind == "types" else queue)
    if kind != "tags":
        found.update(type_ if kind == "types" else queue for _priority, queue, type_ in lanes(connection))
    return found
