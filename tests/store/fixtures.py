"""The released schemas, each as a script that makes a queue file with one of everything: released/N.sql.

`python -m tests.store.fixtures` writes that of the present version anew, as long as it is not released; then it stays.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

from qctl.store.sqlite.connection import SCHEMA_VERSION
from qctl.store.sqlite.needs import set_trigger
from qctl.store.sqlite.store import SQLiteStore

FOLDER = Path(__file__).parent / "released"
ROWS = """
INSERT INTO jobs (number, id, type, payload, status, priority, attempts, max_attempts, last_error, scheduled_at, created_at,
  updated_at, completed_at, locked_by, locked_at, queue, token, started_at, worker, exit_code, result, key, expires_at, flow, step)
VALUES
  (1, 'j-1', 'mail', '{"to":"ana"}', 'pending', 10, 0, 5, NULL, '2026-01-02 00:00:00.000', '2026-01-01 00:00:00.000',
   '2026-01-01 00:00:00.000', NULL, NULL, NULL, 'default', 0, NULL, NULL, NULL, NULL, 'k', '2030-01-01 00:00:00.000', NULL, NULL),
  (2, 'j-2', 'mail', '{}', 'processing', 0, 2, 5, 'first', '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000',
   '2026-01-01 00:01:00.000', NULL, 'worker-1', '2026-01-01 00:01:00.000', 'slow', 7, '2026-01-01 00:01:00.000', NULL, NULL,
   NULL, NULL, NULL, NULL, NULL),
  (3, 'j-3', 'charge', '{"n":1.5}', 'completed', 0, 1, 5, NULL, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000',
   '2026-01-01 00:02:00.000', '2026-01-01 00:02:00.000', NULL, NULL, 'default', 1, '2026-01-01 00:01:59.000', 'worker-1', 0,
   '{"ok":true}', NULL, NULL, 1, 'charge'),
  (4, 'j-4', 'charge', '{}', 'failed', 0, 3, 3, 'declined', '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000',
   '2026-01-01 00:03:00.000', NULL, NULL, NULL, 'default', 3, '2026-01-01 00:02:59.000', NULL, 1, NULL, NULL, NULL, NULL, NULL),
  (5, 'j-5', 'ship', '{}', 'blocked', 0, 0, 5, NULL, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000',
   '2026-01-01 00:00:00.000', NULL, NULL, NULL, 'default', 0, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'ship'),
  (6, 'j-6', 'ship', '{}', 'cancelled', 0, 0, 5, 'cancelled', '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000',
   '2026-01-01 00:04:00.000', NULL, NULL, NULL, 'default', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO jobs (number, id, type, command, cwd, env, tags, timeout, backoff, attempts_set, scheduled_at, created_at, updated_at)
VALUES (7, 'j-7', 'command', '["echo","hello"]', '/tmp', '{"A":"b"}', '["x"]', 30.0, 'fixed:1s', 1, '2030-01-01 00:00:00.000',
  '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000');
INSERT INTO dead_letter_jobs VALUES ('d-1', 'j-4', 'charge', '{}', 3, 'declined', '2026-01-01 00:03:00.000', 1, 'seen');
INSERT INTO cron_schedules (id, type, cron_expression, next_run_at, created_at, name, time_zone, last_tick, last_job)
VALUES ('c-1', 'report', '0 3 * * *', '2030-01-01 03:00:00.000', '2026-01-01 00:00:00.000', 'report', 'Europe/Berlin',
  '2026-01-01 02:00:00.000', 3);
INSERT INTO qctl_history (job, token, attempt, worker, started_at, finished_at, outcome, exit_code, error)
VALUES (2, 6, 1, 'worker-1', '2026-01-01 00:00:01.000', '2026-01-01 00:00:02.000', 'error', 1, 'first');
INSERT INTO qctl_output VALUES (3, 1, 0, 1, x'00ff41');
INSERT INTO qctl_needs (job, needs, kind, met) VALUES (5, 3, 'completed', 1), (5, 2, 'completed', 0);
INSERT INTO qctl_unheeded (job) VALUES (4);
INSERT INTO qctl_flows (number, name, created_at) VALUES (1, 'order', '2026-01-01 00:00:00.000');
INSERT INTO qctl_types (type, max_attempts, backoff, timeout, command) VALUES ('ship', 2, 'fixed:5s', 60.0, '["ship"]');
INSERT INTO qctl_limits (scope, name, rate, rate_period, concurrency, paused_at)
VALUES ('type', 'charge', 30, 60.0, 2, '2026-01-01 00:00:00.000');
INSERT INTO qctl_figures (span, at, type, completed) VALUES (60, 1767225600, 'charge', 1);
INSERT INTO processed_jobs VALUES ('j-3', '2026-01-01 00:02:00.000');
INSERT INTO qctl_settings VALUES ('undo_for', '2d');
INSERT INTO qctl_undo (number, action, verb, made_at, before)
VALUES (1, 1, 'cancel', '2026-01-01 00:04:00.000', '{"job":null,"letters":[]}');
"""
"""One of everything; a later schema adds what it has, in a fixture of its own."""


def script() -> str:
    """The present schema with one of everything in it, as SQL."""
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "queue.db")
        SQLiteStore(path).close()
        connection = sqlite3.connect(path)
        set_trigger(connection)  # there are needs
        connection.executescript(ROWS)
        text = "\n".join(connection.iterdump())
        connection.close()
    return text + "\n"


def build(version: int, path: Path) -> None:
    """The queue file of a released schema."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA application_id=0x7163746C")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript((FOLDER / f"{version}.sql").read_text(encoding="utf-8"))
    connection.close()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{SCHEMA_VERSION}.sql").write_text(script(), encoding="utf-8")
