"""`assert`: exit codes over true figures, and waiting for what is not yet true."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from qctl.rules import ending
from tests.states import dead, run_one

Cli = Callable[..., Any]


def test_true_is_0_false_is_1_and_nonsense_is_2(cli: Cli, queue: Queue) -> None:
    assert cli("assert", "dlq == 0 and p95(run, 1h) < 30s").code == 0
    dead(queue)
    done = cli("assert", "dlq == 0 and p95(run, 1h) < 30s")
    assert (done.code, done.out) == (1, "")
    assert "dlq is 1" in done.err
    done = cli("assert", "dlq = 0")
    assert (done.code, done.out) == (2, "")
    assert "column 5" in done.err and "dlq →= 0" in done.err and done.err.count("\n") == 1


def test_every_figure_is_the_one_that_stats_says(cli: Cli, queue: Queue) -> None:
    for _ in range(3):
        queue.enqueue("mail")
    queue.enqueue("mail", delay="1h")
    run_one(queue, 1, ending.SUCCEEDED, time.time() - 5)
    run_one(queue, 2, ending.ERROR, time.time() - 5, error="x")
    dead(queue, "other")
    for true in (
        "pending == 3", "pending(mail) == 3", "due == 1", "due(mail) == 1", "delayed(mail) == 1", "retry(mail) == 1",
        "completed(mail) == 1", "completed(other) == 0", "failed == 1", "failed(other) == 1", "dlq(other) == 1",
        "dead == dlq", "done(1h, mail) == 1", "rate > 0", "rate(1h, mail) > 0", "0.99 < p50(run, 1h, mail) < 1.01",
        "p95(run, 1h, nothing) == 0", "failure_rate == 50%", "failure_rate(1h, mail) == 50%", "workers == 0",
        "slots == 0", "total == 5", "oldest < 1m", "oldest(mail) <= oldest",
    ):  # fmt: skip
        done = cli("assert", true)
        assert done.code == 0, (true, done.err)


def test_as_json_it_tells_the_figures(cli: Cli, queue: Queue) -> None:
    dead(queue)
    done = cli("assert", "dlq == 0 or pending > 1", "--json")
    assert done.code == 1
    assert json.loads(done.out) == {
        "result": False, "expression": "dlq == 0 or pending > 1", "figures": {"dlq": 1, "pending": 0},
    }  # fmt: skip


def test_wait_ends_when_it_becomes_true_and_says_no_when_it_does_not(cli: Cli, db: Path, queue: Queue) -> None:
    assert cli("assert", "pending == 1", "--wait", "100ms").code == 1
    assert cli("assert", "pending == 1", "--wait", "x").code == 2

    def later() -> None:
        with Queue(db) as own:
            own.enqueue("a")

    timer = threading.Timer(0.15, later)
    timer.start()
    started = time.monotonic()
    assert cli("assert", "pending == 1", "--wait", "20s").code == 0
    assert time.monotonic() - started < 10
    timer.join()
