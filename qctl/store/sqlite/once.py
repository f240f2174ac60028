"""Once only: marks in `processed_jobs` of what was done, which commit together with it."""

from __future__ import annotations

import sqlite3

from qctl.model import BadValue
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore


def mark(connection: sqlite3.Connection, key: str) -> bool:
    """Mark `key` as done in the connection's own transaction; False when it was before. See JobContext.once."""
    if not connection.in_transaction:
        if connection.isolation_level is None or getattr(connection, "autocommit", -1) is True:
            raise BadValue("once: begin a transaction first: the mark has to commit together with what it stands for")
        connection.execute(f"BEGIN {connection.isolation_level}")
    try:
        return connection.execute(sql("mark_done"), (key,)).rowcount == 1
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
    connection.execute(sql("make_processed_jobs"))
    return connection.execute(sql("mark_done"), (key,)).rowcount == 1


def done_at(store: SQLiteStore, key: str) -> str | None:
    """When `key` was done (UTC text); None when it was not."""
    rows = store.read(sql("done_at"), (key,))
    return rows[0][0] if rows else None


def mark_done(store: SQLiteStore, key: str) -> bool:
    """Mark `key` as done, on disk when this returns; False when it was before."""
    with store.write() as connection:
        return connection.execute(sql("mark_done"), (key,)).rowcount == 1
