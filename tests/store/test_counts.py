"""Counting jobs: in the index of each status, and the same as counting the rows."""

from __future__ import annotations

import itertools
import sqlite3

import pytest

from qctl.model import STATUSES
from qctl.store.sqlite.sql import sql
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import Acts

PAST, NOW, LATER = "2026-01-01 00:00:00.000", "2027-01-01 00:00:00.000", "2028-01-01 00:00:00.000"


@pytest.fixture
def counted(store: SQLiteStore) -> sqlite3.Connection:
    """Jobs of every status, some due and some not, some tried before."""
    rows = [
        (type_, status, when, tried, PAST if status == "completed" else None)
        for n, (type_, status, when, tried) in enumerate(
            itertools.product("abc", sorted(STATUSES), (PAST, NOW, LATER), (0, 1))
        )
        for _ in range(n % 4)
    ]
    store.connection.executemany(
        "INSERT INTO jobs (type, status, scheduled_at, attempts, completed_at) VALUES (?, ?, ?, ?, ?)", rows
    )
    return store.connection


def test_by_type_and_status(counted: sqlite3.Connection) -> None:
    rows = counted.execute("SELECT type, status, count(*) FROM jobs GROUP BY type, status").fetchall()
    assert counted.execute(sql("count_by_type")).fetchall() == sorted(rows)


def test_what_waits_by_type(counted: sqlite3.Connection) -> None:
    rows = counted.execute(
        "SELECT type, sum(scheduled_at <= ?), sum(scheduled_at > ? AND attempts > 0), sum(scheduled_at > ? AND attempts"
        " = 0), min(scheduled_at) FROM jobs WHERE status = 'pending' GROUP BY type ORDER BY type",
        (NOW, NOW, NOW),
    )
    assert counted.execute(sql("count_waiting"), (NOW, NOW)).fetchall() == rows.fetchall()


@pytest.mark.parametrize("verb", ["count_by_type", "depth", "completed_count"])
def test_no_row_of_the_table_is_read(store: SQLiteStore, verb: str) -> None:
    Acts(store).put("a")
    (table,) = store.read("SELECT rootpage FROM sqlite_master WHERE name = 'jobs'")[0]
    steps = store.read("EXPLAIN " + sql(verb), (NOW,) if "?" in sql(verb) else ())
    opened = [step[3] for step in steps if step[1] == "OpenRead"]
    assert opened and table not in opened
