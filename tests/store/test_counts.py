"""Counting jobs: in the index of each status, and the same as counting the rows."""

from __future__ import annotations

import itertools
import sqlite3

import pytest

from qctl.model import STATUSES
from qctl.rules.when import from_text
from qctl.store.sqlite import figures
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
    found = counted.execute(sql("count_by_type")).fetchall() + counted.execute(sql("count_completed")).fetchall()
    assert sorted(found) == sorted(row for row in rows if row[1] != "pending")
    (pending,) = counted.execute(sql("count_pending")).fetchone()
    assert pending == sum(row[2] for row in rows if row[1] == "pending")


def test_who_is_brief_counts_completed_jobs_while_they_are_few(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    Acts(store).put("a", "b")
    store.connection.execute("UPDATE jobs SET status = 'completed', completed_at = ? WHERE type = 'a'", (PAST,))

    def seen(brief: bool) -> list[str]:
        return [row["status"] for row in figures.stats(store, from_text(NOW), 3600.0, brief=brief)["by_type"]]

    assert seen(True) == seen(False) == ["completed", "pending"]
    monkeypatch.setattr(figures, "MANY", 0)
    assert (seen(True), seen(False)) == (["pending"], ["completed", "pending"])


def test_what_waits_by_type(counted: sqlite3.Connection) -> None:
    counted.execute(
        "UPDATE jobs SET command = '[]', priority = number % 3, queue = 'q' || number % 2 WHERE number % 5 < 2"
    )
    rows = counted.execute(
        "SELECT type, sum(scheduled_at <= ?), sum(scheduled_at > ? AND attempts > 0), sum(scheduled_at > ? AND attempts"
        " = 0), min(scheduled_at) FROM jobs WHERE status = 'pending' GROUP BY type ORDER BY type",
        (NOW, NOW, NOW),
    )
    assert counted.execute(sql("count_waiting"), {"now": NOW}).fetchall() == rows.fetchall()


def test_the_oldest_that_waits(counted: sqlite3.Connection) -> None:
    (oldest,) = counted.execute("SELECT min(scheduled_at) FROM jobs WHERE status = 'pending'").fetchone()
    assert counted.execute(sql("oldest_pending")).fetchone() == (oldest,)


@pytest.mark.parametrize("verb", ["count_by_type", "count_completed", "count_pending", "completed_count"])
def test_no_row_of_the_table_is_read(store: SQLiteStore, verb: str) -> None:
    Acts(store).put("a")
    (table,) = store.read("SELECT rootpage FROM sqlite_master WHERE name = 'jobs'")[0]
    steps = store.read("EXPLAIN " + sql(verb), (NOW,) if "?" in sql(verb) else ())
    opened = [step[3] for step in steps if step[1] == "OpenRead"]
    assert opened and table not in opened
