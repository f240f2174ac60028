"""Setting limits, and telling what they are."""

from __future__ import annotations

from qctl.rules.limits import parse_limits, rate_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

COLUMNS = ("rate", "rate_period", "rate_burst", "rate_key", "concurrency", "concurrency_key", "paused_at")


def limits_of(store: SQLiteStore) -> list[dict[str, Any]]:
    """What is limited or paused: `scope`, `name`, and the limits, the rate as text."""
    rows = store.read(f"SELECT scope, name, {', '.join(COLUMNS)} FROM qctl_limits ORDER BY scope, name")
    found = []
    for row in rows:
        limit = dict(zip(("scope", "name", *COLUMNS), row, strict=True))
        period = limit.pop("rate_period")
        limit["rate"] = None if period is None else rate_text(limit["rate"], period)
        found.append(limit)
    return found


def set_limits(store: SQLiteStore, scope: str, name: str, fields: Mapping[str, Any]) -> None:
    """Set limits and leave the others; the row goes with the last of them, unless it is a pause as well."""
    columns = parse_limits(fields)
    with store.write() as connection:
        connection.execute(
            f"INSERT INTO qctl_limits (scope, name, {', '.join(columns)})"
            f" VALUES (?, ?, {', '.join('?' * len(columns))}) ON CONFLICT (scope, name)"
            f" DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in columns)}",
            (scope, name, *columns.values()),
        )
        empty = " AND ".join(f"{column} IS NULL" for column in COLUMNS)
        connection.execute(f"DELETE FROM qctl_limits WHERE scope = ? AND name = ? AND {empty}", (scope, name))
