"""`cancel`, `retry`, `edit`, `wait`: jobs are steered by name or by filter, and never half."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from tests.states import dead, lease, run_one

Cli = Callable[..., Any]


def statuses(queue: Queue) -> list[str]:
    return [job.status for job in queue.find(newest_first=False)]


def test_cancel_ends_what_waits_and_asks_what_runs(cli: Cli, queue: Queue) -> None:
    for _ in range(3):
        queue.enqueue("a")
    lease(queue, 2, time.time())
    done = cli("cancel", "1-2")
    assert (done.code, done.out) == (0, "1\n2\n")
    assert statuses(queue) == ["cancelled", "processing", "pending"]
    assert queue.get(2).cancel_asked == 1
    run_one(queue, 3, ending.SUCCEEDED, time.time())
    late = cli("cancel", "3")
    assert (late.code, late.out) == (0, "")
    assert "completed" in late.err


def test_cancel_and_retry_want_to_be_told_which(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    for verb in ("cancel", "retry"):
        assert cli(verb).code == 2
        assert cli(verb, "1", "--type", "a").code == 2
        assert cli(verb, "99").code == 3
        assert cli(verb, "1", "99").code == 3
    assert statuses(queue) == ["pending"]


def test_filters_cancel_many_and_a_dry_run_none(cli: Cli, queue: Queue) -> None:
    queue.enqueue_many([{"type": "even" if index % 2 else "odd"} for index in range(1200)])
    assert len(cli("cancel", "--type", "even", "--dry-run").out.splitlines()) == 600
    assert set(statuses(queue)) == {"pending"}
    assert cli("cancel", "--type", "even").code == 0
    assert statuses(queue).count("cancelled") == 600


def test_retry_lets_a_delayed_job_run_now_and_a_dead_one_again(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a", delay="1h")
    number = dead(queue)
    assert cli("retry", "1", str(number)).out == f"1\n{number}\n"
    assert queue.get(1).scheduled_at <= queue.get(1).updated_at
    job = queue.get(number)
    assert (job.status, job.attempts, job.last_error) == ("pending", 0, "card declined")
    assert list(queue.dead_letters()) == []


def test_retry_runs_a_completed_job_again(cli: Cli, queue: Queue) -> None:
    number = int(queue.enqueue("a"))
    run_one(queue, number, ending.SUCCEEDED, time.time())
    assert cli("retry", str(number)).code == 0
    job = queue.get(number)
    assert (job.status, job.attempts, job.completed_at) == ("pending", 0, None)


def test_edit_changes_what_it_is_told_and_nothing_else(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a", {"x": 1}, priority=3)
    assert cli("edit", "1", "--payload", '{"x": 2}', "--max-attempts", "9", "--at", "2099-01-01T00:00Z").code == 0
    job = queue.get(1)
    assert (job.payload, job.max_attempts, job.priority) == ({"x": 2}, 9, 3)
    assert job.scheduled_at == "2099-01-01 00:00:00.000"
    assert cli("edit", "1", "--tag", "t", "--queue", "slow", "--priority", "high", "--backoff", "fixed:1s").code == 0
    job = queue.get(1)
    assert (job.tags, job.queue, job.priority, job.backoff) == (["t"], "slow", 10, "fixed:1s")


def test_edit_refuses_what_is_bad_and_what_runs_or_has_ended(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a", {"x": 1})
    for argv in ([], ["--payload", "[1]"], ["--priority", "x"], ["--in", "1h", "--at", "12:00"]):
        done = cli("edit", "1", *argv)
        assert (done.code, done.err.count("\n")) == (2, 1)
    lease(queue, 1, time.time())
    assert "running" in cli("edit", "1", "--priority", "1").err
    number = dead(queue)
    assert "ended" in cli("edit", str(number), "--priority", "1").err
    assert queue.get(1).payload == {"x": 1}


def test_wait_tells_by_its_exit_code(cli: Cli, queue: Queue) -> None:
    good = int(queue.enqueue("a"))
    run_one(queue, good, ending.SUCCEEDED, time.time())
    bad = dead(queue)
    queue.enqueue("a")
    assert cli("wait", str(good)).code == 0
    done = cli("wait", str(good), str(bad))
    assert done.code == 1
    assert "card declined" in done.err
    late = cli("wait", "3", "--wait-timeout", "20ms")
    assert late.code == 124
    assert "no worker is running" in late.err
    assert cli("wait", "99").code == 3


@pytest.mark.parametrize("how", ["cancel", "retry"])
def test_json_says_what_became_of_each(cli: Cli, queue: Queue, how: str) -> None:
    queue.enqueue("a", delay="1h")
    row = json.loads(cli(how, "1", "--json").out)
    assert row == {"number": 1, "result": {"cancel": "cancelled", "retry": "due"}[how]}


def test_wait_as_json_is_a_line_for_each_job_that_ended(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    run_one(queue, 1, ending.SUCCEEDED, time.time())
    number = dead(queue)
    done = cli("wait", "1", str(number), "--json")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1
    assert [(row["number"], row["status"], row["last_error"]) for row in rows] == [
        (1, "completed", None),
        (number, "failed", "card declined"),
    ]


def test_an_id_that_looks_like_a_range_is_an_id_where_there_is_one(cli: Cli, queue: Queue) -> None:
    with queue.store.write() as connection:
        connection.execute("INSERT INTO jobs (id, type) VALUES ('01993047-1234-7abc', 'a'), ('5-7', 'a'), ('x', 'a')")
    assert cli("cancel", "01993047-1234").out == "1\n"
    assert cli("cancel", "5-7").out == "2\n"
    assert cli("cancel", "2-3").out == "2\n3\n"
    assert cli("cancel", "7-5").code == 2
    refused = cli("enqueue", "a", "--id", "1-3")
    assert refused.code == 2
    assert "range" in refused.err
