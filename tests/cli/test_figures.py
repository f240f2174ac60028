"""`stats` and `health`: true figures, the lesson's limits, and exit codes that scripts can trust."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.when import to_text
from tests.states import dead, lease, run_one

Cli = Callable[..., Any]


def test_every_state_is_counted_once(cli: Cli, queue: Queue) -> None:
    now = time.time()
    for _ in range(7):
        queue.enqueue("a")
    queue.enqueue("a", delay="1h")  # delayed
    lease(queue, 1, now)  # processing
    run_one(queue, 2, ending.SUCCEEDED, now - 5)
    run_one(queue, 3, ending.ERROR, now - 5, error="x")  # to be retried
    run_one(queue, 4, ending.DEAD, now - 5, error="x")
    cli("cancel", "5")
    figures = json.loads(cli("stats", "--json").out)
    queue_figures = figures["queue"]
    assert {key: queue_figures[key] for key in ("due", "delayed", "retry", "processing", "completed", "failed", "cancelled")} == {
        "due": 2, "delayed": 1, "retry": 1, "processing": 1, "completed": 1, "failed": 1, "cancelled": 1,
    }  # fmt: skip
    assert queue_figures["pending"] == 4
    assert figures["failure_rate"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["rate_per_minute"] == 1
    assert figures["run"] == {
        "p50": pytest.approx(1.0, abs=0.01),
        "p95": pytest.approx(1.0, abs=0.01),
        "p99": pytest.approx(1.0, abs=0.01),
    }
    row = figures["types"][0]
    assert (row["pending"], row["processing"], row["retry"], row["delayed"], row["dead"]) == (2, 1, 1, 1, 1)
    assert sum(row["history"]) == 1


def test_percentiles_of_what_other_programs_completed_are_within_a_hundredth(queue: Queue) -> None:
    now = time.time()
    with queue.store.write() as connection:
        connection.executemany(
            "INSERT INTO jobs (type, status, started_at, completed_at)"
            " VALUES ('a', 'completed', strftime('%Y-%m-%d %H:%M:%f', ?, 'unixepoch'), strftime('%Y-%m-%d %H:%M:%f', ?, 'unixepoch'))",
            [(now - 60, now - 60 + n / 10) for n in range(1, 101)],
        )
    run = queue.stats()["run"]
    assert [run[name] for name in ("p50", "p95", "p99")] == pytest.approx([5.0, 9.5, 9.9], rel=0.0101)


def test_the_window_bounds_what_is_counted(cli: Cli, queue: Queue) -> None:
    number = int(queue.enqueue("a"))
    run_one(queue, number, ending.SUCCEEDED, time.time() - 7200)
    assert json.loads(cli("stats", "--json").out)["completed"] == 0
    assert json.loads(cli("stats", "--json", "--since", "3h").out)["completed"] == 1
    for bad in ("x", "0s", "5"):
        assert cli("stats", "--since", bad).code == 2


def test_figures_tell_what_came_and_what_was_to_be_retried(cli: Cli, queue: Queue) -> None:
    now = time.time()
    for _ in range(4):
        queue.enqueue("a")
    queue.enqueue("b")
    run_one(queue, 1, ending.SUCCEEDED, now - 5)
    run_one(queue, 2, ending.ERROR, now - 5, error="x")
    run_one(queue, 3, ending.DEAD, now - 5, error="x")
    figures = json.loads(cli("stats", "--json").out)
    assert [figures[key] for key in ("enqueued", "completed", "failed_attempts", "retried", "died")] == [5, 1, 2, 1, 1]
    assert [one["enqueued"] for one in figures["types"]] == [4, 1]
    assert figures["types"][0]["failure_rate"] == figures["failure_rate"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["depth"][-1] == 3


def test_depth_is_reckoned_back_from_the_present(queue: Queue) -> None:
    now = time.time()
    with queue.store.write() as connection:
        connection.executemany(
            "INSERT INTO jobs (type, created_at) VALUES ('a', strftime('%Y-%m-%d %H:%M:%f', ?, 'unixepoch'))",
            [(now - 3600 + (part + 0.5) * 450,) for part in range(8) for _ in range(part)],
        )
    assert queue.stats()["depth"] == [0, 1, 3, 6, 10, 15, 21, 28]


def test_stats_at_a_time_are_as_they_were(cli: Cli, queue: Queue) -> None:
    now = time.time()
    with queue.store.write() as connection:
        connection.executemany(
            "INSERT INTO jobs (type, created_at, scheduled_at) VALUES ('a', datetime(?, 'unixepoch'), datetime(?, 'unixepoch'))",
            [(now - age, now - age) for age in (9000, 9000, 9000, 60)],
        )
    run_one(queue, 1, ending.SUCCEEDED, now - 8000)
    run_one(queue, 2, ending.SUCCEEDED, now - 30)
    run_one(queue, 3, ending.DEAD, now - 30, error="x")
    queue.purge(older_than=0.0)
    figures = json.loads(cli("stats", "--json", "--at", "2h").out)
    assert (figures["completed"], figures["failed_attempts"], figures["enqueued"]) == (1, 0, 3)
    assert figures["queue"]["due"] == 1, "of the two that waited then one is purged"
    assert figures["depth"][-1] == 1
    assert figures["workers"] is None
    before = json.loads(cli("stats", "--json", "--at", "1d").out)
    assert (before["completed"], before["queue"]["pending"], before["types"]) == (0, 0, [])
    for bad in ("+1h", "nonsense"):
        assert cli("stats", "--at", bad).code == 2


def test_what_is_paused_and_throttled_is_told(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    queue.set_limits("type", "a", rate="30/m")
    queue.pause("type", "b")
    figures = json.loads(cli("stats", "--json").out)
    assert [(one["scope"], one["name"], one["rate"]) for one in figures["throttled"]] == [("type", "a", 30)]
    assert [one["name"] for one in figures["paused"]] == ["b"]
    cli("cron", "add", "c", "* * * * *")
    assert json.loads(cli("stats", "--json").out)["schedules"]["total"] == 1


def test_an_empty_queue_has_figures_too(cli: Cli, queue: Queue) -> None:
    figures = json.loads(cli("stats", "--json").out)
    assert figures["queue"]["oldest_pending"] is None
    assert figures["failure_rate"] is None
    assert figures["run"]["p50"] is None
    assert cli("stats").out.startswith("total\t0")


def test_of_many_completed_jobs_the_types_are_told_though_nobody_counts_them(
    cli: Cli, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qctl.store.sqlite.figures.MANY", 2)
    now, day = time.time(), 86400
    for type_, worker, ago in (("a", "w", 40 * day), ("b", None, 5 * day), ("c", "w", 5 * day), ("d", "w", 5 * day)):
        with queue.store.write() as connection:
            connection.execute(
                "INSERT INTO jobs (type, status, worker, created_at, completed_at) VALUES (?, 'completed', ?, ?, ?)",
                (type_, worker, to_text(now - ago), to_text(now - ago)),
            )
    with queue.store.write() as connection:
        connection.execute(
            "INSERT INTO qctl_figures (span, at, type, completed) VALUES (60, ?, 'c', 1)", (now - 5 * day,)
        )
    assert [row.split("\t")[0] for row in cli("stats").out.splitlines()] == ["a", "b", "c", "total"]
    assert cli("stats", "--type", "b").out.startswith("b\t0\t")
    monkeypatch.setattr("qctl.cli.terminal.is_terminal", lambda _stream: True)
    assert "nothing of this type waits, and nothing was done in 1h" in cli("stats", "--type", "d").out
    with queue.store.write() as connection:
        connection.execute(
            "INSERT INTO jobs (type, status, created_at, completed_at)"
            " SELECT type, status, created_at, completed_at FROM jobs WHERE type = 'b'"
        )
    assert cli("stats", "--type", "d").out.startswith("d\t"), "others complete so many that all jobs are looked through"
    with queue.store.write() as connection:
        connection.execute("DELETE FROM jobs WHERE type < 'd'")
        connection.execute("DELETE FROM qctl_figures")
    assert "no job of this type" in cli("stats", "--type", "b").out, "so few are counted"


def test_the_oldest_is_the_oldest_that_is_due(cli: Cli, db: Path, queue: Queue) -> None:
    connection = sqlite3.connect(db)
    with connection:
        connection.execute("INSERT INTO jobs (type, scheduled_at) VALUES ('a', datetime('now', '+1 hour'))")
        connection.execute("INSERT INTO jobs (type, scheduled_at) VALUES ('a', datetime('now', '-2 hours'))")
    connection.close()
    age = json.loads(cli("stats", "--json").out)["queue"]["oldest_pending_age"]
    assert 7190 < age < 7300


def health(cli: Cli, *argv: str) -> tuple[int, str, int]:
    done = cli("health", "--json", *argv)
    verdict = json.loads(done.out)
    return done.code, verdict["status"], len(verdict["issues"])


def test_healthy_degraded_unhealthy_by_the_number_of_issues(cli: Cli, db: Path, queue: Queue) -> None:
    assert health(cli) == (0, "healthy", 0)
    connection = sqlite3.connect(db)
    with connection:
        connection.execute("INSERT INTO jobs (type, scheduled_at) VALUES ('a', datetime('now', '-31 minutes'))")
    connection.close()
    assert health(cli) == (1, "degraded", 1)
    assert health(cli, "--max-age", "1h") == (0, "healthy", 0)
    for _ in range(11):
        dead(queue)
    assert health(cli) == (1, "degraded", 2)
    assert health(cli, "--max-pending", "0") == (2, "unhealthy", 3)


def test_limits_are_passed_only_above_them(cli: Cli, queue: Queue) -> None:
    for _ in range(10):
        dead(queue)
    queue.enqueue("a")
    assert health(cli)[0] == 0
    assert health(cli, "--max-dead", "9", "--max-pending", "1") == (1, "degraded", 1)


def test_the_issues_are_in_the_words_of_the_lesson(cli: Cli, db: Path, queue: Queue) -> None:
    connection = sqlite3.connect(db)
    with connection:
        connection.execute("INSERT INTO jobs (type, scheduled_at) VALUES ('a', datetime('now', '-42 minutes'))")
    connection.close()
    issues = json.loads(cli("health", "--json", "--max-pending", "0").out)["issues"]
    assert issues == ["Queue depth: 1 pending jobs", "Oldest pending job is 42 minutes old"]


def test_limits_may_live_in_the_queue_file(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    assert cli("config", "health.max_pending", "0").code == 0
    assert health(cli)[0] == 1
    assert health(cli, "--max-pending", "5")[0] == 0


def test_what_cannot_be_read_is_unknown(cli: Cli, db: Path) -> None:
    assert health(cli) == (3, "unknown", 1)
    assert cli("health").code == 3
    assert not db.exists()
    db.write_text("no queue" * 1000)
    assert health(cli) == (3, "unknown", 1)
    assert cli("health", "--max-age", "x").code == 2


def test_health_in_a_pipe_is_a_row_for_each_check_and_the_word(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    done = cli("health", "--max-pending", "0")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert done.code == 1
    assert ["depth", "1", "0", "false"] in rows and rows[-1] == ["degraded"]
    assert {len(row) for row in rows[:-1]} == {4}


def test_depth_in_the_past_heeds_what_was_replayed_and_what_was_taken_back(cli: Cli, queue: Queue) -> None:
    now = time.time()
    for _ in range(4):
        queue.enqueue("a")
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET created_at = ?, scheduled_at = created_at", (to_text(now - 3000),))
    run_one(queue, 1, ending.DEAD, now - 2000, error="x")
    run_one(queue, 2, ending.DEAD, now - 2000, error="x")
    run_one(queue, 3, ending.SUCCEEDED, now - 2000)
    before = queue.stats()["depth"]
    assert before == [0, 4, 4, 1, 1, 1, 1, 1]
    assert cli("dlq", "replay", "1").code == 0
    assert cli("retry", "2", "3").code == 0
    assert queue.stats()["depth"] == [*before[:-1], 4]
    assert cli("undo").code == 0
    assert queue.stats()["depth"] == [*before[:-1], 2]
    run_one(queue, 1, ending.DEAD, now - 1, error="x")
    assert queue.stats()["depth"] == before


def test_an_edit_of_a_dead_job_leaves_the_time_of_its_death(cli: Cli, queue: Queue) -> None:
    number = dead(queue, now=time.time() - 7200)
    died = queue.get(number).data["updated_at"]
    assert cli("dlq", "edit", str(number), "--set", "order=2").code == 0
    assert queue.get(number).data["updated_at"] == died
    assert cli("undo").code == 0
    assert json.loads(queue.get(number).data["payload"]) == {"order": 1}


@pytest.mark.parametrize("runs_again", [False, True])
def test_a_job_that_was_dead_then_is_told_so_though_it_was_replayed(cli: Cli, queue: Queue, runs_again: bool) -> None:
    now = time.time()
    number = dead(queue, now=now - 4000)
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET created_at = ?", (to_text(now - 5000),))
    assert cli("dlq", "replay", str(number)).code == 0
    if runs_again:
        run_one(queue, number, ending.SUCCEEDED, now - 5)
    then = json.loads(cli("stats", "--json", "--at", "30m").out)
    assert then["by_type"] == [{"type": "charge", "status": "failed", "count": 1}]
    assert then["dead_letter_queue"] == {"unreviewed": 1, "total": 1}
    earlier = json.loads(cli("stats", "--json", "--at", "75m").out)
    assert earlier["by_type"] == [{"type": "charge", "status": "pending", "count": 1}]
    assert earlier["dead_letter_queue"] == {"unreviewed": 0, "total": 0}
