"""Schedules and real workers: each tick one job, whoever fires it and whoever dies."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules.when import from_text, to_text
from tests.worker.conftest import until

Work = Callable[..., Any]


def ticks(queue: Queue) -> list[float]:
    rows = queue.store.read("SELECT tick FROM jobs WHERE tick IS NOT NULL ORDER BY tick")
    return [from_text(row[0]) for row in rows]


def test_two_workers_make_one_job_a_tick_also_when_one_is_killed(queue: Queue, work: Work) -> None:
    queue.add_schedule("tick", "* * * * * *", seconds=True, overlap="allow", shell="true")
    first, second = work("--quiet"), work("--quiet")
    until(lambda: queue.live_workers() == 2 and len(ticks(queue)) >= 2)
    os.kill(first.pid, signal.SIGKILL)
    seen = len(ticks(queue))
    until(lambda: len(ticks(queue)) >= seen + 2)
    second.send_signal(signal.SIGTERM)
    second.wait(timeout=20)
    found = ticks(queue)
    assert found == [found[0] + n for n in range(len(found))], "no tick twice, none left out"
    assert Counter(job.status for job in queue.find())["failed"] == 0


def test_ticks_come_on_time(queue: Queue, work: Work) -> None:
    queue.add_schedule("tick", "* * * * * *", seconds=True, overlap="allow", shell="true")
    work("--quiet")
    until(lambda: len(ticks(queue)) >= 4)
    rows = queue.store.read("SELECT tick, created_at FROM jobs ORDER BY number")[1:]
    delays = sorted(from_text(created) - from_text(tick) for tick, created in rows)
    assert delays[0] >= 0 and delays[len(delays) // 2] < 0.5


def test_a_worker_sees_what_is_inserted_by_sql_while_it_runs(db: Path, queue: Queue, work: Work) -> None:
    process = work("--log-format", "json")
    until(queue.live_workers)
    connection = sqlite3.connect(db)
    connection.execute("INSERT INTO cron_schedules (type, cron_expression) VALUES ('report', '@daily'), ('bad', 'x')")
    connection.commit()
    connection.close()
    until(lambda: all(row["next_run_at"] or row["error"] for row in queue.schedules()))
    bad, report = queue.schedules()
    assert "use five fields" in bad["warning"]
    assert report["warning"] == "no live worker has a handler for report"
    assert from_text(report["next_run_at"]) > time.time()
    process.send_signal(signal.SIGTERM)
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert err.count("stands still") == 1


def test_any_worker_cleans_up_completed_jobs(queue: Queue, drain: Work) -> None:
    queue.enqueue_many([{"type": "x"}] * 5)
    with queue.store.write() as connection:
        for number, age in ((1, 30), (2, 8), (3, 6), (4, 1)):
            done = to_text(time.time() - age * 86_400)
            connection.execute(
                "UPDATE jobs SET status = 'completed', completed_at = ? WHERE number = ?", (done, number)
            )
    queue.add_schedule("cleanup_completed_jobs", "0 3 * * *")
    number = queue.run_schedule("cleanup_completed_jobs")
    queue.cancel([5])
    process = drain(code=0)
    assert "handler" not in process.err
    job = queue.get(number)
    assert (job.status, job.result["deleted"]) == ("completed", 2)
    assert [job.number for job in queue.find(newest_first=False)] == [3, 4, 5, number]
    assert [run["outcome"] for run in queue.history(number)] == ["completed"]
    assert queue.schedule("cleanup_completed_jobs")["last_status"] == "completed"
    queue.store.set_setting("purge.older_than", "5d")
    second, third = (
        queue.enqueue("cleanup_completed_jobs"),
        queue.enqueue("cleanup_completed_jobs", {"older_than": "12h"}),
    )
    drain(code=0)
    assert [queue.get(one).result["deleted"] for one in (second, third)] == [1, 1]


def test_a_handler_of_ones_own_comes_before_the_built_in_one(queue: Queue, drain: Work, tmp_path: Path) -> None:
    module = tmp_path / "own.py"
    module.write_text("from qctl import handler\n@handler('cleanup_completed_jobs')\ndef mine():\n    return 'mine'\n")
    queue.enqueue("cleanup_completed_jobs")
    process = drain("--handlers", str(module), code=0)
    assert queue.get(1).result == "mine"
    assert "1 handler from" in process.err


@pytest.mark.parametrize("lead", [-7200.0, 7200.0])
def test_a_clock_that_jumps_makes_no_stampede(queue: Queue, monkeypatch: pytest.MonkeyPatch, lead: float) -> None:
    from qctl.worker.log import Log
    from qctl.worker.schedules import Schedules

    queue.add_schedule("x", "* * * * *", overlap="allow", time_zone="UTC")
    clock = [time.time()]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    schedules = Schedules(queue.store, Log("none"))

    def pass_(seconds: int) -> None:
        for _ in range(seconds):
            clock[0] += 1
            schedules.look()
            schedules.fire()

    pass_(300)
    before = ticks(queue)
    assert 4 <= len(before) <= 5
    clock[0] += lead
    pass_(300)
    after = ticks(queue)
    if lead < 0:
        assert after == before, "these ticks are before the last that fired"
        pass_(7200)
        assert len(ticks(queue)) >= len(before) + 3
    else:
        assert len(before) + 4 <= len(after) <= len(before) + 6
