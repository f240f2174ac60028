"""`events`: every enqueue, start and end, once, in order, as it happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from qctl.rules import ending
from tests.states import dead, lease, run_one

Cli = Callable[..., Any]


def test_what_happened_is_told_in_order(cli: Cli, queue: Queue) -> None:
    for _ in range(4):
        queue.enqueue("mail")
    time.sleep(0.01)
    now = time.time()
    run_one(queue, 1, ending.SUCCEEDED, now)
    run_one(queue, 2, ending.DEAD, now + 1, error="no route")
    lease(queue, 3, now + 3)
    cli("cancel", "4")
    rows = [json.loads(line) for line in cli("events").out.splitlines()]
    told = {number: [one["event"] for one in rows if one["number"] == number] for number in (1, 2, 3, 4)}
    assert told[1] == ["enqueued", "completed"]
    assert told[2] == ["enqueued", "dead"]
    assert told[3] == ["enqueued", "started"]
    assert told[4] == ["enqueued", "cancelled"]
    assert [one["at"] for one in rows] == sorted(one["at"] for one in rows)
    assert next(one for one in rows if one["event"] == "dead")["error"] == "no route"


def test_since_and_type_bound_it(cli: Cli, queue: Queue) -> None:
    dead(queue, "old", now=1_790_000_000.0)
    queue.enqueue("new")
    rows = [json.loads(line) for line in cli("events", "--since", "10m").out.splitlines()]
    assert [(one["event"], one["type"]) for one in rows] == [("enqueued", "old"), ("enqueued", "new")]
    assert len(cli("events", "--type", "new").out.splitlines()) == 1
    assert cli("events", "--since", "x").code == 2


def test_follow_tells_each_event_once_as_it_happens(queue: Queue, db: Path) -> None:
    command = [sys.executable, "-m", "qctl", "--db", str(db), "events", "-f", "--since", "1h"]
    queue.enqueue("a")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    queue.enqueue("b")
    second = json.loads(process.stdout.readline())
    process.terminate()
    process.communicate()
    assert [(one["event"], one["number"]) for one in (first, second)] == [("enqueued", 1), ("enqueued", 2)]


def test_who_follows_reads_only_what_is_new(queue: Queue) -> None:
    from qctl.store.sqlite.events import ABOVE, SOURCES

    for statement in (ABOVE, *SOURCES):
        steps = [row[3] for row in queue.store.read("EXPLAIN QUERY PLAN " + statement, ("x",))]
        assert not [step for step in steps if step.startswith("SCAN") and "jobs_processing" not in step], steps


def test_a_job_with_a_time_of_its_own_is_new_all_the_same_to_who_follows(queue: Queue) -> None:
    newest = queue.newest()
    with queue.store.write() as connection:
        connection.execute("INSERT INTO jobs (type, created_at) VALUES ('old', '2020-01-01')")
    assert [one["event"] for one in queue.events("2026-01-01", above=newest)] == ["enqueued"]
    assert queue.events("2026-01-01", above=queue.newest()) == []
