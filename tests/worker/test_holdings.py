"""What a worker holds is what it runs; and who lost its lease, or its file, stops."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from qctl.store.sqlite import spool
from tests.worker.conftest import until

Work = Callable[..., Any]


def test_a_lease_that_nobody_runs_goes_back(queue: Queue, work: Work) -> None:
    """The answer to the commit of a claim may be lost though the commit was not."""
    queue.store.set_setting("stale_after", "1s")  # it beats thrice as often
    number = queue.enqueue(command=["true"], delay="1h")
    work("--quiet")
    worker = until(lambda: queue.workers())[0]["id"]
    with queue.store.write() as connection:
        connection.execute(
            "UPDATE jobs SET status = 'processing', attempts = 1, token = 1, locked_by = ? WHERE number = ?",
            (worker, number),
        )
    until(lambda: queue.get(number).status == "pending")
    assert (queue.get(number).attempts, queue.history(number)) == (0, [])


def test_a_run_whose_lease_is_gone_is_ended_and_its_result_dropped(queue: Queue, work: Work, tmp_path: Path) -> None:
    queue.store.set_setting("stale_after", "1s")
    number = queue.enqueue(shell=f"trap 'echo told > {tmp_path}/told; exit 0' TERM; while :; do sleep 0.02; done")
    worker = work("--log-format", "json")
    until(lambda: queue.get(number).status == "processing")
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET status = 'completed', locked_by = NULL, result = '1' WHERE number = 1")
    until((tmp_path / "told").exists)
    worker.send_signal(signal.SIGTERM)
    _out, err = worker.communicate(timeout=20)
    lines = [json.loads(line) for line in err.splitlines()]
    (late,) = [line for line in lines if line["event"] == "ended"]
    assert late["status"] is None, "dropped, and said so"
    assert any("was taken away while it ran" in line.get("message", "") for line in lines)
    assert (queue.get(number).status, queue.get(number).result) == ("completed", 1)


def test_a_worker_that_was_taken_for_dead_stops_with_all_it_runs(queue: Queue, work: Work, tmp_path: Path) -> None:
    queue.store.set_setting("stale_after", "1s")
    queue.enqueue(shell=f"echo $$ > {tmp_path}/pid; exec sleep 60")
    worker = work()
    pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    with queue.store.write() as connection:
        connection.execute("DELETE FROM qctl_workers")
    _out, err = worker.communicate(timeout=20)
    assert worker.returncode == 1
    assert "was taken for dead by others" in err and "Traceback" not in err
    until(lambda: not Path(f"/proc/{pid}").exists(), 5)


def test_a_worker_whose_file_is_replaced_stops_in_one_line_and_leaves_the_new_file_alone(
    queue: Queue, work: Work, db: Path, tmp_path: Path
) -> None:
    queue.enqueue(shell="exec sleep 60")
    worker = work("--quiet")
    until(lambda: queue.get(1).status == "processing")
    with Queue(tmp_path / "other.db") as other:
        other.enqueue("kept")
    before = (tmp_path / "other.db").read_bytes()
    os.replace(tmp_path / "other.db", db)
    _out, err = worker.communicate(timeout=20)
    assert worker.returncode == 4
    assert len(err.splitlines()) == 1 and "was deleted or replaced" in err
    assert db.read_bytes() == before


def test_a_frozen_worker_loses_its_jobs_after_its_lease_and_the_second_result_stands(
    queue: Queue, work: Work, tmp_path: Path
) -> None:
    queue.store.set_setting("stale_after", "1s")
    runs = tmp_path / "runs"
    queue.enqueue(shell=f"echo $QCTL_LEASE >> {runs}; [ $QCTL_LEASE = 2 ] || exec sleep 60")
    frozen = work("--quiet")
    until(lambda: runs.exists())
    frozen.send_signal(signal.SIGSTOP)
    second = work()
    until(lambda: queue.get(1).status == "completed")
    frozen.send_signal(signal.SIGCONT)
    assert frozen.wait(10) == -signal.SIGKILL, "ended before its jobs were taken"
    assert runs.read_text().split() == ["1", "2"]
    job = queue.get(1)
    assert (job.token, job.attempts, job.rescues) == (2, 1, 0)
    assert [run["outcome"] for run in queue.history(1)] == ["lost", "completed"]
    second.send_signal(signal.SIGTERM)
    assert "gave no sign of life" in second.communicate(timeout=20)[1]


def test_a_worker_that_is_only_busy_is_not_taken_for_frozen(queue: Queue, work: Work) -> None:
    queue.store.set_setting("stale_after", "1s")
    queue.enqueue(shell="sleep 2.5")
    first = work("--quiet")
    until(lambda: queue.get(1).status == "processing")
    work("--quiet")
    until(lambda: queue.get(1).status == "completed")
    assert first.poll() is None
    assert [run["outcome"] for run in queue.history(1)] == ["completed"]


def test_what_ended_while_the_queue_could_not_be_written_is_in_the_spool_when_the_worker_is_killed(
    queue: Queue, work: Work, tmp_path: Path, db: Path
) -> None:
    import sqlite3

    os.mkfifo(tmp_path / "go")
    queue.enqueue(shell=f"echo out; read -r line < {tmp_path}/go; echo more", max_attempts=1)
    worker = work("--busy-timeout", "300ms")
    until(lambda: queue.get(1).status == "processing")
    foreign = sqlite3.connect(db, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    (tmp_path / "go").write_text("now\n")
    left = Path(str(db) + spool.MARK + queue.workers()[0]["id"])
    until(lambda: left.exists() and left.read_bytes().endswith(b"\n"))
    worker.kill()
    worker.wait()
    foreign.execute("ROLLBACK")
    foreign.close()
    begun = time.monotonic()
    work("--once", "--quiet").communicate(timeout=20)
    job = queue.get(1)
    assert (job.status, job.attempts, job.rescues, job.token) == ("completed", 1, 0, 1)
    assert b"".join(data for *_row, data in queue.output(1, 1)) == b"out\nmore\n"
    assert not left.exists()
    assert time.monotonic() - begun < 5


def test_a_worker_that_is_told_to_stop_leaves_what_it_cannot_write_in_the_spool(
    queue: Queue, work: Work, tmp_path: Path, db: Path
) -> None:
    import sqlite3

    os.mkfifo(tmp_path / "go")
    queue.enqueue(shell=f"read -r line < {tmp_path}/go; exit 1", max_attempts=1)
    worker = work("--busy-timeout", "200ms")
    until(lambda: queue.get(1).status == "processing")
    foreign = sqlite3.connect(db, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    (tmp_path / "go").write_text("now\n")
    until(lambda: list(tmp_path.glob("*-spool-*")))
    worker.send_signal(signal.SIGTERM)
    _out, err = worker.communicate(timeout=20)
    assert worker.returncode == 5 and "Traceback" not in err
    foreign.execute("ROLLBACK")
    foreign.close()
    assert queue.get(1).status == "processing"
    work("--once", "--quiet").communicate(timeout=20)
    assert queue.get(1).status == "failed"
    assert [run["outcome"] for run in queue.history(1)] == ["failed"]


def test_a_worker_that_was_stopped_with_the_lock_in_its_hand_does_not_stop_the_others(
    queue: Queue, work: Work, db: Path
) -> None:
    import subprocess
    import sys

    queue.store.set_setting("stale_after", "1s")
    holder = (
        "import sys, time; from qctl.store.sqlite import workers; from qctl.store.sqlite.store import SQLiteStore\n"
        "store = SQLiteStore(sys.argv[1]); workers.register(store, 'w-stopped', 1, time.time(), 1.0)\n"
        "store.begin(); print('held', flush=True); time.sleep(60)"
    )
    number = queue.enqueue(command=["true"], delay="2s")
    other = work("--busy-timeout", "300ms")
    until(queue.live_workers)
    stopped = subprocess.Popen([sys.executable, "-c", holder, str(db)], stdout=subprocess.PIPE, text=True)
    try:
        assert stopped.stdout is not None and stopped.stdout.readline() == "held\n"
        stopped.send_signal(signal.SIGSTOP)
        assert stopped.wait(20) == -signal.SIGKILL
        until(lambda: queue.get(number).status == "completed")
        until(lambda: len(queue.workers()) == 1)
    finally:
        stopped.kill()
        stopped.communicate()
    other.send_signal(signal.SIGTERM)
    assert "stopped while it held the lock" in other.communicate(timeout=20)[1]


def test_a_frozen_worker_is_ended_by_its_number_where_there_is_nothing_better(queue: Queue, work: Work) -> None:
    from qctl.store.sqlite import workers
    from qctl.worker.burial import end_by_number

    other = work("--quiet")
    until(queue.live_workers)
    store = queue.store
    workers.register(store, "w-me", 1, time.time())
    ((number, _id, pid),) = workers.frozen_workers(store, "w-me", time.monotonic() + 1000)
    assert pid == other.pid
    other.send_signal(signal.SIGSTOP)
    assert not end_by_number(store, number, os.getpid()), "that process does not hold the lock"
    assert end_by_number(store, number, pid)
    assert other.wait(10) == -signal.SIGKILL


def test_a_log_that_was_deleted_is_copied_into_the_file_by_the_worker_that_has_it(
    queue: Queue, db: Path, work: Work
) -> None:
    """The jobs stand in it alone: whoever opened the file next would not find them, and give their numbers out again."""
    worker = work()
    until(lambda: queue.workers())
    number = queue.enqueue(shell="sleep 30", max_attempts=3)
    until(lambda: queue.get(number).status == "processing")
    numbers = [queue.enqueue("later") for _ in range(3)]
    queue.close()
    os.unlink(f"{db}-wal")
    _out, err = worker.communicate(timeout=20)
    assert worker.returncode == 4
    assert "was deleted while" in err and "what its log held was copied into it: it stops" in err
    with Queue(db) as again:
        assert {again.get(one).status for one in numbers} == {"pending"}
        assert again.store.read("PRAGMA integrity_check") == [("ok",)]
        assert again.enqueue("later") > numbers[-1]
        assert again.get(number).token == 1
