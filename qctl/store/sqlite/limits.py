"""Setting limits and pauses, and telling what they are."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.limits import LEVEL, NO_KEY, check_limits, parse_limits, path_text, rate_text
from qctl.rules.when import to_text
from qctl.store.sqlite.gates import COLUMNS, SELECT
from qctl.store.sqlite.sql import read, sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

CHUNK = 2000  # numbers that one transaction gives keys to
SCOPES = ("type", "queue", "all")
TRIGGERS = ("jobs_key_inserted", "jobs_key_updated")


def set_limits(store: SQLiteStore, scope: str, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """See Queue.set_limits."""
    check_scope(scope, name)
    if scope == "all":
        raise BadValue("scope: a limit is one of a type or a queue; only a pause holds for everything")
    columns = parse_limits(fields)
    with store.write() as connection:
        before = row_of(connection, scope, name)
        after = {**before, **columns}
        check_limits(scope, after)
        if after != before:
            keep(connection, scope, name, after)
            carry_starts(connection, scope, name, before, after)
        old, new = key_of(before), key_of(after)
        if old != new:
            set_triggers(connection)
    if old != new:
        key_jobs(store, name, new)
    return shown(after)


def is_limited(store: SQLiteStore, scope: str, name: str) -> bool:
    """Whether a type or queue has a limit, or is paused."""
    return bool(store.read("SELECT 1 FROM qctl_limits WHERE scope = ? AND name = ?", (scope, name)))


def check_scope(scope: str, name: str) -> None:
    if scope not in SCOPES:
        raise BadValue(f"scope: {scope[:40]!r} is none: use {', '.join(SCOPES)}")
    if (scope == "all") != (name == ""):
        raise BadValue("name: a type or queue has one, and everything has none")


def row_of(connection: sqlite3.Connection, scope: str, name: str) -> dict[str, Any]:
    row = connection.execute(SELECT + " WHERE scope = ? AND name = ?", (scope, name)).fetchone()
    return dict(zip(COLUMNS, row or (scope, name, *[None] * (len(COLUMNS) - 2)), strict=True))


def keep(connection: sqlite3.Connection, scope: str, name: str, row: Mapping[str, Any]) -> None:
    """Store a row, or delete it when it says nothing."""
    if all(row[column] is None for column in COLUMNS[2:]):
        connection.execute("DELETE FROM qctl_limits WHERE scope = ? AND name = ?", (scope, name))
        return
    marks = ", ".join("?" * len(COLUMNS))
    connection.execute(
        f"INSERT OR REPLACE INTO qctl_limits ({', '.join(COLUMNS)}) VALUES ({marks})", [row[one] for one in COLUMNS]
    )


def carry_starts(
    connection: sqlite3.Connection, scope: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """What started of late counts against the new rate, too: slots are as long as its period says."""
    if before["rate"] is None or after["rate"] is None or before["rate_key"] != after["rate_key"]:
        connection.execute("DELETE FROM qctl_starts WHERE scope = ? AND name = ?", (scope, name))
    elif before["rate_period"] != after["rate_period"]:
        rows = connection.execute(
            "SELECT key, slot, count FROM qctl_starts WHERE scope = ? AND name = ? AND slot <> ?", (scope, name, LEVEL)
        ).fetchall()
        connection.execute("DELETE FROM qctl_starts WHERE scope = ? AND name = ?", (scope, name))
        ratio = before["rate_period"] / after["rate_period"]
        connection.executemany(
            sql("add_starts"), [(scope, name, key, int((slot + 1) * ratio), count) for key, slot, count in rows]
        )


def key_of(row: Mapping[str, Any]) -> str | None:
    """The path by which a type is limited."""
    path: str | None = row["rate_key"] or row["concurrency_key"]
    return path


def set_triggers(connection: sqlite3.Connection) -> None:
    """Have the triggers that give jobs their keys, while any type is limited by key."""
    from qctl.store.sqlite.migrate import statements

    if connection.execute("SELECT 1 FROM qctl_limits WHERE coalesce(rate_key, concurrency_key) IS NOT NULL").fetchone():
        for statement in statements(read("keyed.sql")):
            connection.execute(statement)
    else:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")


def key_jobs(store: SQLiteStore, type_: str, path: str | None) -> None:
    """Give the jobs there are the key of the new path, in chunks. What is enqueued meanwhile has got it already."""
    first, last = store.read("SELECT coalesce(min(number), 0), coalesce(max(number), 0) FROM jobs")[0]
    for start in range(first - 1, last, CHUNK):
        with store.write() as connection:
            if path is None:
                connection.execute(sql("unkey_jobs"), (start, start + CHUNK, type_))
            else:
                connection.execute(sql("key_jobs"), (path, start, start + CHUNK, type_))
        store.tidy()


def pause(store: SQLiteStore, scope: str, name: str, now: float) -> bool:
    """Pause; False when it was paused already."""
    check_scope(scope, name)
    with store.write() as connection:
        row = row_of(connection, scope, name)
        if row["paused_at"] is not None:
            return False
        keep(connection, scope, name, {**row, "paused_at": to_text(now)})
        return True


def resume(store: SQLiteStore, scope: str, name: str) -> bool:
    """End a pause; False when there was none."""
    check_scope(scope, name)
    with store.write() as connection:
        row = row_of(connection, scope, name)
        if row["paused_at"] is None:
            return False
        keep(connection, scope, name, {**row, "paused_at": None})
        return True


def limits_of(store: SQLiteStore) -> list[dict[str, Any]]:
    """See Queue.limits."""
    return [shown(dict(zip(COLUMNS, row, strict=True))) for row in store.read(SELECT + " ORDER BY scope, name")]


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as people read it: rate as text, paths as they were typed."""
    return {
        "scope": row["scope"],
        "name": row["name"],
        "rate": None if row["rate"] is None else rate_text(row["rate"], row["rate_period"]),
        "rate_burst": row["rate_burst"],
        "rate_key": None if row["rate_key"] is None else path_text(row["rate_key"]),
        "concurrency": row["concurrency"],
        "concurrency_key": None if row["concurrency_key"] is None else path_text(row["concurrency_key"]),
        "paused_at": row["paused_at"],
    }


def without_key(store: SQLiteStore, type_: str) -> int:
    """How many waiting jobs of a type limited by key have none, and so share the bucket NO_KEY."""
    count: int = store.read(
        "SELECT count(*) FROM jobs WHERE status = 'pending' AND limit_key = ? AND type = ?", (NO_KEY, type_)
    )[0][0]
    return count
