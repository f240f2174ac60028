"""Files of every released schema, and the way to a next one: nothing is lost, all or nothing, old workers step aside."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.keeping import export
from qctl.model import Outdated
from qctl.queue import Queue
from qctl.store.sqlite import connection as opening
from qctl.store.sqlite import migrate
from tests.store import fixtures
from tests.store.test_migrate import next_version, schema
from tests.worker.conftest import until, work

__all__ = ["next_version", "work"]  # fixtures
RELEASED = sorted(int(path.stem) for path in fixtures.FOLDER.glob("*.sql"))
NEXT = opening.SCHEMA_VERSION + 1
STEP = """
ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL DEFAULT 'none';
CREATE INDEX jobs_colour ON jobs (colour) WHERE colour <> 'none';
UPDATE jobs SET colour = 'red' WHERE type = 'mail';
CREATE TRIGGER jobs_coloured AFTER UPDATE OF colour ON jobs
BEGIN
  SELECT 1;
END;
"""


def rows(path: Path) -> dict[str, list[Any]]:
    """Every row of every table, as other programs see them."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    found = {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}
    connection.close()
    return found


def test_there_is_a_fixture_of_the_present_schema_and_it_is_up_to_date() -> None:
    assert opening.SCHEMA_VERSION in RELEASED
    text = (fixtures.FOLDER / f"{opening.SCHEMA_VERSION}.sql").read_text(encoding="utf-8")
    assert text == fixtures.script(), "not released yet? Then: python -m tests.store.fixtures"


@pytest.mark.parametrize("version", RELEASED)
def test_a_file_of_every_released_schema_opens_with_all_that_it_held(db: Path, tmp_path: Path, version: int) -> None:
    fixtures.build(version, db)
    before = rows(db)
    assert all(before[name] for name in before if name not in ("qctl_workers", "qctl_starts")), "one of everything"
    with Queue(db) as queue:
        assert queue.store.read("PRAGMA integrity_check") == [("ok",)]
        records = list(export(queue, output=True))
        assert sum(record["record"] == "job" for record in records) == 7
    after = rows(db)
    for name, old in before.items():
        new = [{key: row[key] for key in old[0]} for row in after[name]] if old else []
        assert new == old or name == "qctl_settings", name
    fresh = tmp_path / "fresh.db"
    Queue(fresh).close()
    with Queue(fresh) as queue:
        queue.enqueue("b", after=[int(queue.enqueue("a"))])  # so that what is made on demand is there
    assert schema(db) == schema(fresh)


@pytest.mark.parametrize("version", RELEASED)
def test_it_can_be_worked_on(db: Path, work: Callable[..., Any], version: int) -> None:
    fixtures.build(version, db)
    assert work("--once", "--quiet").wait(30) == 0
    with Queue(db) as queue:
        assert queue.enqueue("new") == 8


def test_a_next_schema_keeps_everything_and_tells_how_it_goes(
    db: Path, next_version: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fixtures.build(opening.SCHEMA_VERSION, db)
    before = rows(db)
    told: list[str] = []
    monkeypatch.setattr(opening, "announce", told.append)
    monkeypatch.setattr(migrate, "MANY", 5)
    monkeypatch.setattr(migrate, "STEPS", 1)
    monkeypatch.setattr(migrate, "EVERY", 0.0)
    next_version(STEP)
    Queue(db).close()
    after = rows(db)
    assert [{**row, "colour": None} for row in before["jobs"]] == [{**row, "colour": None} for row in after["jobs"]]
    assert [row["colour"] for row in after["jobs"]] == ["red", "red", *["none"] * 5]
    assert {name for name in before if before[name] != after[name]} == {"jobs", "qctl_settings"}
    assert "7 jobs" in told[0] and "done in" in told[-1] and len(told) > 3
    told.clear()
    Queue(db).close()
    assert told == []


def test_a_step_that_fails_is_undone_whole(db: Path, next_version: Callable[[str], None]) -> None:
    fixtures.build(opening.SCHEMA_VERSION, db)
    before = rows(db)
    next_version(STEP + "INSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(Exception, match="nowhere"):
        Queue(db)
    assert rows(db) == before


def test_an_old_worker_lets_what_runs_end_and_stops_with_one_line(
    db: Path, work: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    with Queue(db) as old:
        old.enqueue(shell=f"while ! test -e {go}; do sleep 0.02; done")
        worker = work("--quiet")
        until(lambda: old.get(1).status == "processing")
        with monkeypatch.context() as patch:
            migrate_to_next(patch, db)
        old.enqueue("a")  # what was open goes on: a step adds before it takes away
        with pytest.raises(Outdated, match="newer qctl"):
            old.store.claim("w", 1, "2030-01-01 00:00:00.000", handlers={"a"})
        time.sleep(0.1)
        assert worker.poll() is None, "what it runs may end"
        go.touch()
        assert worker.wait(20) == 4
        assert old.get(1).status == "completed"
        assert old.get(2).status == "pending"
    said = worker.stderr.read()
    assert said.count("\n") == 1 and "newer qctl" in said and "Traceback" not in said
    late = subprocess.run(
        [sys.executable, "-m", "qctl", "--db", str(db), "list"], capture_output=True, text=True, check=False
    )
    assert (late.returncode, late.stdout, late.stderr.count("\n")) == (4, "", 1)


def migrate_to_next(patch: pytest.MonkeyPatch, db: Path) -> None:
    read = migrate.read
    patch.setattr(opening, "SCHEMA_VERSION", NEXT)
    patch.setattr(migrate, "steps", lambda: {NEXT: "step"})
    patch.setattr(migrate, "read", lambda path: STEP if path == "step" else read(path))
    Queue(db).close()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_million_jobs_are_migrated_within_30_seconds(db: Path, next_version: Callable[[str], None]) -> None:
    Queue(db).close()
    connection = sqlite3.connect(db)
    connection.execute(
        "INSERT INTO jobs (type, payload, scheduled_at, created_at, updated_at, status)"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
        " SELECT 'mail', '{\"n\":' || i || '}', '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000',"
        " '2026-01-01 00:00:00.000', 'pending' FROM n"
    )
    connection.commit()
    connection.close()
    next_version(STEP)
    begun = time.monotonic()
    Queue(db).close()
    took = time.monotonic() - begun
    print(f"1,000,000 jobs migrated in {took:.1f} s")
    assert took < 30
    assert Path(f"{db}-wal").stat().st_size == 0 if Path(f"{db}-wal").exists() else True
