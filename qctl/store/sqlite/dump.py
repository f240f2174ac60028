"""Export: every row of a queue as JSON objects, in one read transaction. A job carries its history and what it needs."""

from __future__ import annotations

import sqlite3
from binascii import b2a_base64

from qctl.store.sqlite.connection import SCHEMA_VERSION, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

FORMAT = 1
RECORDS = {
    "setting": "qctl_settings",
    "type": "qctl_types",
    "limit": "qctl_limits",
    "flow": "qctl_flows",
    "job": "jobs",
    "dead_letter": "dead_letter_jobs",
    "schedule": "cron_schedules",
    "processed": "processed_jobs",
}
"""What a line can be, in the order they are written, and the table it stands for."""

OWN = ("schema_version", "limits_version", "types_version")  # of a file, not of a queue
HISTORY = ("token", "attempt", "worker", "started_at", "finished_at", "outcome", "exit_code", "error")
OUTPUT = ("token", "position", "stream", "data")


def dump(store: SQLiteStore, *, output: bool = False) -> Iterator[dict[str, Any]]:
    """The header, then a record for every row, as of one moment; `output`: also what jobs wrote."""
    connection = store.connection
    factory, connection.text_factory = connection.text_factory, lossless
    try:
        connection.execute("BEGIN")
        try:
            yield {"record": "qctl", "format": FORMAT, "schema": SCHEMA_VERSION, "jobs": count(connection)}
            for record, table in RECORDS.items():
                for row in rows_of(connection, table):
                    if record == "setting" and row["name"] in OWN:
                        continue
                    one = {"record": record, **{key: plain(value) for key, value in row.items()}}
                    if record == "job":
                        one |= belongings(connection, row["number"], output)
                    yield one
        finally:
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise explain(error, store.path) from error
    finally:
        connection.text_factory = factory


def lossless(data: bytes) -> str | bytes:
    """Text as text; bytes that are no UTF-8, which plain SQL may have stored, as bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def count(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
    return number


def rows_of(connection: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    order = " ORDER BY number" if table == "jobs" else " ORDER BY rowid" if table == "dead_letter_jobs" else ""
    cursor = connection.execute(f"SELECT * FROM {table}{order}")
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def plain(value: Any) -> Any:
    """A value as JSON can have it."""
    if isinstance(value, bytes):
        return {"base64": b2a_base64(value, newline=False).decode()}
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return None
    return value


def belongings(connection: sqlite3.Connection, number: int, output: bool) -> dict[str, Any]:
    """What goes with a job; a job is needed by its id, as its number may be another one elsewhere."""
    found: dict[str, Any] = {}

    def add(name: str, keys: tuple[str, ...], statement: str) -> None:
        rows = connection.execute(statement, (number,)).fetchall()
        if rows:
            found[name] = [dict(zip(keys, map(plain, row), strict=True)) for row in rows]

    add("history", HISTORY, f"SELECT {', '.join(HISTORY)} FROM qctl_history WHERE job = ? ORDER BY token")
    add(
        "needs",
        ("id", "kind", "met"),
        "SELECT jobs.id, kind, met FROM qctl_needs JOIN jobs ON jobs.number = needs WHERE job = ? ORDER BY needs",
    )
    if output:
        add(
            "output",
            OUTPUT,
            f"SELECT {', '.join(OUTPUT)} FROM qctl_output WHERE job = ? ORDER BY token, position",
        )
    return found
