"""The contract suite: every test that takes `store` is run against every store there is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qctl.model import Lease, NewJob
from qctl.rules.ending import Ending, Facts
from qctl.rules.when import to_text
from qctl.store.sqlite.connection import MEMORY
from qctl.store.sqlite.finish import Outcome
from qctl.store.sqlite.look import history_of
from qctl.store.sqlite.store import SQLiteStore
from tests.conftest import lay

NOW = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC


class Everything:
    """Contains everything: a worker that has a handler for every type."""

    def __contains__(self, _thing: object) -> bool:
        return True


class Acts:
    """The moves of a job on a store, in few words. Times are seconds since the epoch; NOW unless given."""

    def __init__(self, store: SQLiteStore) -> None:
        self.store = store

    def put(self, *types: str, now: float = NOW, **options: Any) -> list[int]:
        """Enqueue one job of each type; their numbers."""
        return self.store.insert([NewJob(type_, **options) for type_ in types], to_text(now))

    def claim(self, worker: str = "w-1", limit: int = 1, now: float = NOW, **options: Any) -> list[Lease]:
        options.setdefault("handlers", Everything())
        return self.store.claim(worker, limit, to_text(now), **options)

    def ending(self, lease: Lease, how: str, now: float = NOW, **options: Any) -> tuple[Ending, Facts]:
        ended = Ending(lease.number, lease.token, how, started_at=now, finished_at=now, **options)
        return ended, Facts(lease.attempts, lease.max_attempts, lease.backoff, lease.rescues)

    def end(self, lease: Lease, how: str, worker: str = "w-1", now: float = NOW, **options: Any) -> Outcome:
        """End the run of a lease; what became of it."""
        ended = [self.ending(lease, how, now, **options)]
        return self.store.finish(worker, ended, to_text(now), lambda: 0.0)[0]

    def row(self, number: int) -> dict[str, Any]:
        """The job's row by column name."""
        cursor = self.store.connection.execute("SELECT * FROM jobs WHERE number = ?", (number,))
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))

    def history(self, number: int) -> list[tuple[Any, ...]]:
        """(attempt, worker, outcome, error) of each run that ended, oldest first."""
        keys = ("attempt", "worker", "outcome", "error")
        runs = [tuple(entry[key] for key in keys) for entry in history_of(self.store, number)]
        return [run for run in runs if run[2] != "running"]

    def letters(self) -> list[tuple[Any, ...]]:
        """(original_job_id, type, payload, attempts, last_error, reviewed) of all dead letters, oldest first."""
        return self.store.read(
            "SELECT original_job_id, type, payload, attempts, last_error, reviewed FROM dead_letter_jobs ORDER BY rowid"
        )


@pytest.fixture(params=["file", MEMORY])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SQLiteStore]:
    one = SQLiteStore(str(lay(tmp_path / "queue.db")) if request.param == "file" else MEMORY)
    yield one
    one.close()


@pytest.fixture
def acts(store: SQLiteStore) -> Acts:
    return Acts(store)


@pytest.fixture
def plain(store: SQLiteStore) -> Iterator[sqlite3.Connection]:
    """A bare sqlite3 connection of another program to the same tables (to a queue in memory there is but one)."""
    if store.path == MEMORY:
        yield store.connection
        return
    connection = sqlite3.connect(store.path, isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SQLiteStore]:
    """A store in a file, for what a queue in memory has not: locks, a log, other processes."""
    one = SQLiteStore(str(lay(tmp_path / "queue.db")))
    yield one
    one.close()
