"""Older files are brought to the present schema in place, all or nothing; the course's tables become a queue."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.model import QueueFileError
from qctl.queue import Queue
from qctl.store.sqlite import connection as opening
from qctl.store.sqlite import migrate

Cli = Callable[..., Any]

COURSE = """
CREATE TABLE jobs (id TEXT PRIMARY KEY, type TEXT NOT NULL, payload TEXT NOT NULL DEFAULT '{}',
  status TEXT NOT NULL DEFAULT 'pending', priority INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER NOT NULL DEFAULT 5, last_error TEXT, scheduled_at TEXT NOT NULL DEFAULT (datetime('now')),
  created_at TEXT NOT NULL DEFAULT (datetime('now')), updated_at TEXT NOT NULL DEFAULT (datetime('now')),
  completed_at TEXT, locked_by TEXT, locked_at TEXT);
CREATE INDEX idx_jobs_poll ON jobs (status, scheduled_at);
CREATE TABLE dead_letter_jobs (id TEXT PRIMARY KEY, original_job_id TEXT NOT NULL, type TEXT NOT NULL,
  payload TEXT NOT NULL, attempts INTEGER NOT NULL, last_error TEXT, failed_at TEXT NOT NULL DEFAULT (datetime('now')),
  reviewed INTEGER NOT NULL DEFAULT 0, notes TEXT);
CREATE TABLE cron_schedules (id TEXT PRIMARY KEY, type TEXT NOT NULL, payload TEXT NOT NULL DEFAULT '{}',
  cron_expression TEXT NOT NULL, last_run_at TEXT, next_run_at TEXT, is_active INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (datetime('now')));
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT);
INSERT INTO orders VALUES (1, 'ana');
INSERT INTO jobs (id, type, payload, status, priority, attempts, scheduled_at, created_at) VALUES
  ('a-1', 'mail', '{"to":"ana"}', 'pending', 10, 2, '2026-01-02T03:04:05Z', '2026-01-01 00:00:00'),
  ('a-2', 'mail', '{}', 'failed', 0, 5, '2026-01-01 00:00:00', '2026-01-01 00:00:01');
INSERT INTO jobs (id, type, status, completed_at, created_at) VALUES
  ('a-3', 'mail', 'completed', '2026-01-03 00:00:00', '2026-01-01 00:00:02');
INSERT INTO dead_letter_jobs (id, original_job_id, type, payload, attempts, last_error, reviewed, notes)
  VALUES ('d-1', 'a-2', 'mail', '{}', 5, 'boom', 1, 'seen');
INSERT INTO cron_schedules (id, type, cron_expression) VALUES ('c-1', 'report', '0 0 * * *');
"""


def build(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def schema(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    connection.close()
    return [(name, " ".join(text.split())) for name, text in rows]


def test_the_courses_tables_become_a_queue_and_nothing_is_lost(cli: Cli, db: Path, tmp_path: Path) -> None:
    build(db, COURSE)
    refused = cli("list")
    assert refused.code == 4
    assert "qctl init" in refused.err
    assert cli("init").code == 0
    with Queue(db, create=False) as queue:
        jobs = {job.id: job for job in queue.find()}
        assert [(jobs[i].status, jobs[i].attempts, jobs[i].priority) for i in ("a-1", "a-2", "a-3")] == [
            ("pending", 2, 10), ("failed", 5, 0), ("completed", 0, 0),
        ]  # fmt: skip
        assert jobs["a-1"].payload == {"to": "ana"}
        assert jobs["a-1"].scheduled_at == "2026-01-02 03:04:05.000"
        assert jobs["a-3"].completed_at == "2026-01-03 00:00:00.000"
        letters = list(queue.dead_letters(reviewed=None))
        assert [(one["id"], one["notes"], one["reviewed"]) for one in letters] == [("d-1", "seen", 1)]
        assert queue.store.read("SELECT id, cron_expression FROM cron_schedules") == [("c-1", "0 0 * * *")]
        assert queue.store.read("SELECT customer FROM orders") == [("ana",)]
        assert queue.store.read("PRAGMA integrity_check") == [("ok",)]
    fresh = tmp_path / "fresh.db"
    Queue(fresh).close()
    assert [row for row in schema(db) if row[0] != "orders"] == schema(fresh)
    assert cli("init").code == 0  # again changes nothing


def test_a_queue_is_added_beside_the_tables_of_an_application(cli: Cli, db: Path) -> None:
    build(db, "CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (7);")
    assert cli("enqueue", "x").code == 4
    assert cli("init").code == 0
    assert cli("enqueue", "x").out == "1\n"
    with Queue(db) as queue:
        assert queue.store.read("SELECT id FROM orders") == [(7,)]


def test_a_name_that_is_taken_is_refused_and_nothing_changed(cli: Cli, db: Path) -> None:
    build(db, "CREATE TABLE jobs (title TEXT, salary INTEGER); INSERT INTO jobs VALUES ('cook', 1);")
    before = db.read_bytes()
    done = cli("init")
    assert (done.code, done.err.count("\n")) == (4, 1)
    assert "jobs" in done.err
    assert db.read_bytes() == before
    assert [path.name for path in db.parent.iterdir() if path.name.startswith(db.name)] == [db.name]


def test_init_by_a_symlink_makes_the_queue_where_it_leads(cli: Cli, db: Path) -> None:
    real = db.with_name("real.db")
    db.symlink_to(real)
    assert cli("init").code == 0
    assert real.stat().st_mode & 0o777 == 0o600
    build(db.with_name("shop.db"), "CREATE TABLE orders (id INTEGER PRIMARY KEY);")
    db.unlink()
    db.symlink_to("shop.db")
    assert cli("init").code == 0
    assert cli("enqueue", "x").out == "1\n"
    assert not list(db.parent.glob(db.name + "-*")), "locks and log stand beside the file, not beside its name"


STEP = """
ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL DEFAULT 'none';
CREATE TRIGGER jobs_colour AFTER UPDATE OF colour ON jobs
BEGIN
  SELECT 1;
END;
UPDATE jobs SET colour = 'red' WHERE type = 'a';
"""


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Pretend that this qctl knows a schema after the present one, which the script leads to."""
    version = opening.SCHEMA_VERSION + 1

    def pretend(script: str) -> None:
        monkeypatch.setattr(opening, "SCHEMA_VERSION", version)
        monkeypatch.setattr(migrate, "steps", lambda: {version: "step"})
        read = migrate.read
        monkeypatch.setattr(migrate, "read", lambda path: script if path == "step" else read(path))

    return pretend


def test_an_older_file_is_led_to_the_present_schema_with_all_it_holds(
    db: Path, next_version: Callable[[str], None]
) -> None:
    with Queue(db) as queue:
        queue.enqueue("a", {"x": 1})
        queue.enqueue("b")
    next_version(STEP)
    with Queue(db) as queue:
        assert queue.store.read("SELECT type, payload, colour FROM jobs ORDER BY number") == [
            ("a", '{"x":1}', "red"),
            ("b", "{}", "none"),
        ]
        assert queue.store.setting("schema_version") == str(opening.SCHEMA_VERSION)


def test_a_migration_that_fails_in_the_middle_changes_nothing(db: Path, next_version: Callable[[str], None]) -> None:
    with Queue(db) as queue:
        queue.enqueue("a")
    before = schema(db)
    next_version(STEP + "INSERT INTO no_such_table VALUES (1);\n")
    with pytest.raises(QueueFileError):
        Queue(db)
    assert schema(db) == before
    connection = sqlite3.connect(db)
    assert connection.execute("SELECT value FROM qctl_settings WHERE name = 'schema_version'").fetchone() == ("1",)
    connection.close()


def test_many_who_open_at_once_migrate_once(db: Path, next_version: Callable[[str], None]) -> None:
    Queue(db).close()
    next_version(STEP)
    faults: list[Exception] = []

    def look() -> None:
        try:
            Queue(db).close()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_of_many_who_make_the_file_at_once_all_find_it_whole(db: Path) -> None:
    argv = [sys.executable, "-m", "qctl", "--db", str(db), "enqueue", "x"]
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(12)]
    numbers = sorted(int(process.communicate(timeout=30)[0]) for process in processes)
    assert numbers == list(range(1, 13))
