"""What jobs wrote, into the queue file."""

from __future__ import annotations

from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


def write_output(
    connection: sqlite3.Connection,
    number: int,
    token: int,
    rows: Sequence[tuple[int, int, bytes]],
    gone: Sequence[int] | None,
    limit: int | None,
) -> None:
    """Write down rows (position, stream, data) of a run, in the open transaction.

    `gone`: the range of positions (from, below) whose rows go. `limit`: at the end of the run, the bytes that all runs of
    the job may keep together; None before.
    """
    if gone is not None:
        connection.execute(sql("delete_output"), (number, token, *gone))
    connection.executemany(sql("insert_output"), [(*row, number, token) for row in rows])
    if limit is not None and token > 1:
        connection.execute(sql("trim_output"), (number, token, number, limit))
