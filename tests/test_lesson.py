"""The course's monitoring lesson: its SQL runs verbatim on a queue file, and its three exercises hold."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from qctl.rules import ending
from qctl.web.app import Application
from tests.states import run_one

Cli = Callable[..., Any]

STATS = """
      SELECT
        COUNT(*) FILTER (WHERE status = 'pending') AS pending,
        COUNT(*) FILTER (WHERE status = 'processing') AS processing,
        COUNT(*) FILTER (WHERE status = 'completed' AND completed_at > datetime('now', '-1 hour')) AS completed_last_hour,
        COUNT(*) FILTER (WHERE status = 'failed') AS failed,
        MIN(CASE WHEN status = 'pending' THEN scheduled_at END) AS oldest_pending
      FROM jobs
"""
DEAD = "SELECT COUNT(*) AS count FROM dead_letter_jobs WHERE reviewed = 0"
BY_TYPE = """
      SELECT type, status, COUNT(*) AS count
      FROM jobs
      GROUP BY type, status
      ORDER BY type
"""
CLEANUP = "DELETE FROM jobs WHERE status = 'completed' AND completed_at < datetime('now', '-7 days')"


def served(db: Path) -> dict[str, Any]:
    """What the lesson's endpoint tells."""
    answer = Application(str(db)).answer({"PATH_INFO": "/admin/queue/stats", "REQUEST_METHOD": "GET"})
    assert answer[0] == "200 OK"
    found: dict[str, Any] = json.loads(answer[2])
    return found


def test_exercise_1_depth_before_and_after_the_worker(cli: Cli, db: Path, queue: Queue) -> None:
    numbers = queue.enqueue_many([{"type": "work", "payload": {"n": n}} for n in range(50)])
    connection = sqlite3.connect(db)
    oldest = connection.execute("SELECT min(scheduled_at) FROM jobs").fetchone()[0]
    assert connection.execute(STATS).fetchone() == (50, 0, 0, 0, oldest)
    assert json.loads(cli("stats", "--json").out)["queue"]["pending"] == 50
    assert served(db)["queue"]["pending"] == 50
    full = cli("health", "--max-pending", "49", "--json")
    assert (full.code, json.loads(full.out)["issues"]) == (1, ["Queue depth: 50 pending jobs"])
    assert cli("health").code == 0
    for number in numbers:
        run_one(queue, int(number), ending.SUCCEEDED, queue.store.now() - 1)
    assert connection.execute(STATS).fetchone() == (0, 0, 50, 0, None)
    assert connection.execute(BY_TYPE).fetchall() == [("work", "completed", 50)]
    figures = json.loads(cli("stats", "--json").out)
    assert figures["queue"]["pending"] == 0
    assert figures["queue"]["completed_last_hour"] == 50
    assert figures["by_type"] == [{"type": "work", "status": "completed", "count": 50}]
    shape = served(db)
    assert (shape["queue"]["pending"], shape["queue"]["completedLastHour"]) == (0, 50)
    assert shape["byType"] == figures["by_type"] and shape["queue"]["oldestPending"] is None
    assert cli("health", "--max-pending", "0").code == 0
    connection.close()


def test_exercise_2_failure_rate_and_dead_letters(cli: Cli, db: Path, queue: Queue) -> None:
    for index in range(10):
        number = int(queue.enqueue("work", max_attempts=1))
        how = ending.ERROR if index < 4 else ending.SUCCEEDED
        run_one(queue, number, how, queue.store.now() - 1, error="boom" if index < 4 else None)
    connection = sqlite3.connect(db)
    assert connection.execute(STATS).fetchone()[3] == 4
    assert connection.execute(DEAD).fetchone() == (4,)
    connection.close()
    figures = json.loads(cli("stats", "--json").out)
    assert figures["failure_rate"] == 0.4
    assert figures["dead_letter_queue"]["unreviewed"] == 4
    assert figures["queue"]["failed"] == 4
    shape = served(db)
    assert (shape["queue"]["failed"], shape["deadLetterQueue"]["unreviewed"], shape["failureRate"]) == (4, 4, 0.4)
    assert cli("health").code == 0
    bad = cli("health", "--max-dead", "3", "--max-failure-rate", "20%", "--json")
    assert (bad.code, json.loads(bad.out)["status"]) == (1, "degraded")
    assert json.loads(bad.out)["issues"] == [
        "4 unreviewed dead letter jobs", "40% of the attempts of the last hour failed",
    ]  # fmt: skip


def test_exercise_3_a_cleanup_deletes_old_completed_jobs_and_what_belongs_to_them(db: Path, queue: Queue) -> None:
    connection = sqlite3.connect(db)
    with connection:
        connection.execute(
            "INSERT INTO jobs (type, status, completed_at) VALUES ('a', 'completed', datetime('now', '-8 days'))"
        )
        connection.execute(
            "INSERT INTO jobs (type, status, completed_at) VALUES ('a', 'completed', datetime('now', '-6 days'))"
        )
        connection.execute("INSERT INTO jobs (type) VALUES ('a')")
        connection.execute("INSERT INTO qctl_history (job, token, attempt, outcome) VALUES (1, 1, 1, 'completed')")
        connection.execute("INSERT INTO qctl_output (job, token, position, stream, data) VALUES (1, 1, 0, 1, x'00')")
    assert served(db)["byType"][0] == {"type": "a", "status": "completed", "count": 2}
    with connection:
        assert connection.execute(CLEANUP).rowcount == 1
    assert served(db)["byType"][0] == {"type": "a", "status": "completed", "count": 1}
    assert connection.execute("SELECT number FROM jobs ORDER BY number").fetchall() == [(2,), (3,)]
    assert connection.execute("SELECT count(*) FROM qctl_history").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM qctl_output").fetchone() == (0,)
    connection.close()
