"""What the queue says of types: defaults, schemas, programs. And the limits that stand beside them."""

from __future__ import annotations

from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from qctl.model import TypeDefaults
    from qctl.store.sqlite.store import SQLiteStore

COLUMNS = (
    "type", "timeout", "max_attempts", "backoff", "priority", "output_limit", "retention", "command", "schema",
)  # fmt: skip
CHUNK = 500


def types_version(store: SQLiteStore) -> str:
    """A text that differs after each change of types; one seek."""
    rows = store.read(sql("types_version"))
    return rows[0][0] if rows else ""


def all_types(store: SQLiteStore) -> list[dict[str, Any]]:
    """Every type of which something is said, by name."""
    said = " OR ".join(f"{name} IS NOT NULL" for name in COLUMNS[1:])
    rows = store.read(f"SELECT {', '.join(COLUMNS)} FROM qctl_types WHERE {said} ORDER BY type")
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def at_enqueue(store: SQLiteStore, type_: str) -> tuple[int | None, str | None] | None:
    """(priority, schema) of a type; None when nothing is said of it."""
    rows = store.read(sql("type_at_enqueue"), (type_,))
    return (rows[0][0], rows[0][1]) if rows else None


def set_type(store: SQLiteStore, type_: str, columns: Mapping[str, Any]) -> None:
    """Set columns of a type; NULL takes one back, and the row goes with the last."""
    names = ", ".join(columns)
    marks = ", ".join("?" * len(columns))
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns)
    empty = " AND ".join(f"{name} IS NULL" for name in (*COLUMNS[1:], "own_retention"))
    with store.write() as connection:
        connection.execute(
            f"INSERT INTO qctl_types (type, {names}) VALUES (?, {marks}) ON CONFLICT (type) DO UPDATE SET {sets}",
            (type_, *columns.values()),
        )
        connection.execute(f"DELETE FROM qctl_types WHERE type = ? AND {empty}", (type_,))
        connection.execute(sql("bump_types"))


def keep_retentions(store: SQLiteStore, handlers: Mapping[str, TypeDefaults]) -> None:
    """Write down how long handlers want the completed jobs of their types kept: a purge may have none of them."""
    known = dict(store.read("SELECT type, own_retention FROM qctl_types WHERE own_retention IS NOT NULL"))
    changed = [(type_, one.retention) for type_, one in handlers.items() if one.retention != known.get(type_)]
    if changed:
        with store.write() as connection:
            connection.executemany(sql("keep_retention"), changed)


def waiting_payloads(store: SQLiteStore, type_: str) -> Iterator[tuple[int, str]]:
    """(number, payload) of the typed jobs of a type that wait to run, in short reads."""
    after = -1
    while True:
        rows = store.read(sql("waiting_payloads"), (after, type_, CHUNK))
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < CHUNK:
            return
        after = rows[-1][0]
