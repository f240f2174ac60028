"""Health beyond the lesson: each check fires above its limit, counts as an issue, and names what to run."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.when import to_text
from tests.states import dead, lease, run_one

Cli = Callable[..., Any]


def verdict(cli: Cli, *argv: str) -> Any:
    return json.loads(cli("health", "--json", *argv).out)


def test_the_lessons_three_come_first_and_a_new_queue_is_healthy(cli: Cli, queue: Queue) -> None:
    found = verdict(cli)
    assert [one["name"] for one in found["checks"]][:3] == ["depth", "oldest", "dead letters"]
    assert (found["status"], found["issues"], found["notes"]) == ("healthy", [], [])


def test_a_failure_rate_is_noted_and_an_issue_when_a_limit_is_set(cli: Cli, queue: Queue) -> None:
    for _ in range(9):
        dead(queue, now=time.time() - 5)
    assert verdict(cli)["notes"] == []  # too few to say
    dead(queue, now=time.time() - 5)
    assert "failed" in verdict(cli)["notes"][0]["text"]
    assert verdict(cli)["status"] == "healthy"
    assert verdict(cli, "--max-failure-rate", "20%")["issues"] == ["100% of the attempts of the last hour failed"]


def test_a_job_that_runs_long_is_an_issue(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    lease(queue, 1, time.time() - 7200)
    assert verdict(cli)["issues"] == []
    assert verdict(cli, "--max-running", "1h")["issues"][0].startswith("A job has been running for 2h")


def test_a_type_nobody_can_run_is_noted_or_an_issue(cli: Cli, queue: Queue) -> None:
    now = time.time()
    queue.enqueue("mail")
    queue.enqueue(shell="true")
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET scheduled_at = ?", (to_text(now - 600),))
        connection.execute(
            "INSERT INTO qctl_workers (id, host, boot, pid, concurrency, started_at, beat_at, handlers)"
            " VALUES ('w', 'h', 'b', 1, 1, ?, ?, '[\"other\"]')",
            (to_text(now), to_text(now)),
        )
    assert "No worker can run type mail" in verdict(cli)["notes"][0]["text"]
    assert verdict(cli, "--max-unserved", "5m")["status"] == "degraded"
    assert verdict(cli, "--max-unserved", "1h")["status"] == "healthy"
    with queue.store.write() as connection:
        connection.execute("UPDATE qctl_workers SET handlers = '[\"mail\"]'")
    assert verdict(cli, "--max-unserved", "5m")["issues"] == []
    with queue.store.write() as connection:
        connection.execute("UPDATE qctl_workers SET beat_at = ?", (to_text(now - 900),))
    issues = verdict(cli, "--max-unserved", "5m")["issues"]
    assert any("Worker w has been silent for 15m" in one for one in issues) and len(issues) == 2


def test_a_schedule_that_is_late_to_fire_is_noted_or_an_issue(cli: Cli, queue: Queue) -> None:
    queue.add_schedule("report", "@daily")
    queue.add_schedule("other", "@daily")
    assert verdict(cli, "--max-overdue", "1m")["issues"] == []
    with queue.store.write() as connection:
        connection.execute(
            "UPDATE cron_schedules SET next_run_at = ? WHERE name = 'report'", (to_text(time.time() - 600),)
        )
    assert [note["text"] for note in verdict(cli)["notes"]] == ["Schedule report should have fired 10m ago"]
    assert verdict(cli)["status"] == "healthy"
    assert verdict(cli, "--max-overdue", "5m")["issues"] == ["Schedule report should have fired 10m ago"]
    assert verdict(cli, "--max-overdue", "1h")["issues"] == []
    queue.pause_schedule("report")
    assert verdict(cli, "--max-overdue", "5m")["issues"] == []


def test_log_and_disk_have_limits(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    issues = verdict(cli, "--max-wal", "1", "--min-disk", "1000t")["issues"]
    assert [one.split()[1] for one in issues] == ["write-ahead", "disk"]
    assert verdict(cli, "--max-wal", "off", "--min-disk", "off")["issues"] == []


def test_limits_live_in_the_queue_file(cli: Cli, queue: Queue) -> None:
    assert cli("config", "health.min_disk", "1000t").code == 0
    assert verdict(cli)["status"] == "degraded"
    for bad in (("health.max_failure_rate", "2"), ("health.max_wal", "x"), ("health.max_running", "x")):
        assert cli("config", *bad).code == 2
    assert cli("health", "--max-failure-rate", "200%").code == 2


@pytest.mark.parametrize(("extra", "code", "word"), [((), 0, "OK"), (("--min-disk", "1000t"), 1, "WARNING")])
def test_nagios_gets_one_line_with_performance_data(
    cli: Cli, queue: Queue, extra: tuple[str, ...], code: int, word: str
) -> None:
    run_one(queue, int(queue.enqueue("a")), ending.SUCCEEDED, time.time() - 5)
    done = cli("health", "--nagios", *extra)
    assert done.code == code
    assert re.fullmatch(rf"QCTL {word} - [^|\n]+ \| 'depth'=0;1000 .*'disk'=[0-9.]+;[0-9.]+:\n", done.out), done.out
    assert cli("health", "--nagios", db=None).out.startswith("QCTL UNKNOWN - ")
