"""Workers: what runs, in which order, how it ends, and how they stop."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from tests.worker.conftest import HANDLERS, seconds_until, until

Work = Callable[..., Any]


def output(queue: Queue, number: int) -> bytes:
    return b"".join(data for _position, _stream, data in queue.output(number, queue.get(number).token))


def test_typed_jobs_run_their_handlers_and_keep_results_and_output(queue: Queue, drain: Work) -> None:
    queue.enqueue("echo", {"text": "héllo", "n": [1]})
    queue.enqueue("coroutine", {"n": 1})
    queue.enqueue("context")
    drain("--handlers", HANDLERS, code=0)
    assert queue.get(1).result == {"text": "héllo", "n": [1]}
    assert output(queue, 1) == "héllo\n".encode()
    assert queue.get(2).result == 2
    assert queue.get(3).result == {"number": 3, "attempt": 1, "max": 5, "db": queue.path}


def test_output_goes_to_the_job_that_wrote_it_also_when_jobs_are_tiny(queue: Queue, drain: Work) -> None:
    queue.enqueue_many([{"type": "echo", "payload": {"text": f"text {n}"}} for n in range(300)])
    queue.enqueue_many([{"type": "raw", "payload": {"n": n}} for n in range(20)])
    drain("--handlers", HANDLERS, "-c", "2", code=0)
    assert [output(queue, n + 1) for n in range(300)] == [b"text %d\n" % n for n in range(300)]
    for n in range(20):
        rows = queue.output(301 + n, queue.get(301 + n).token)
        assert {(stream, data) for _position, stream, data in rows} == {(1, b"raw %d\n" % n), (2, b"child %d\n" % n)}


def test_priority_then_time_then_number(queue: Queue, drain: Work, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for name, priority, delay in (("d", 0, 0), ("b", 5, 0), ("c", 5, 0), ("a", 10, 0), ("late", 10, 2.5)):
        line = f"echo {name} >> {trace}"
        queue.enqueue(shell=line, priority=priority, **({"delay": delay} if delay else {}))
    drain(code=0)
    assert trace.read_text().split() == ["a", "b", "c", "d", "late"]


def test_plain_sql_from_elsewhere_is_run(db: Path, queue: Queue, drain: Work) -> None:
    connection = sqlite3.connect(db)
    with connection:
        connection.execute("INSERT INTO jobs (type, payload) VALUES ('echo', '{\"text\": \"sql\"}')")
        connection.execute("INSERT INTO jobs (type, scheduled_at) VALUES ('echo', datetime('now', '+1 hour'))")
    connection.close()
    drain_once = drain("--handlers", HANDLERS, "--max-time", "1s")
    assert drain_once.returncode == 0
    assert queue.get(1).result == {"text": "sql"}
    assert queue.get(2).status == "pending"


@pytest.mark.parametrize(
    "type_, status, attempts, error",
    [
        ("fail", "failed", 2, "ValueError: no"),
        ("dead", "failed", 1, "cannot ever"),
        ("crash", "failed", 1, "signal 11 (SIGSEGV): last words"),
        ("leave", "failed", 1, "exit status 7"),
        ("hang", "failed", 1, "timed out after 300ms"),
        ("retry_then_good", "completed", 3, None),
        ("unprintable", "failed", 1, "JSON"),
        ("closes", "completed", 1, None),
    ],
)
def test_every_way_a_handler_can_end(
    queue: Queue, drain: Work, type_: str, status: str, attempts: int, error: str | None
) -> None:
    queue.enqueue(type_)
    queue.enqueue("echo", {"text": "after"})
    drain("--handlers", HANDLERS, code=1 if status == "failed" else 0)
    job = queue.get(1)
    assert (job.status, job.attempts) == (status, attempts)
    assert error is None or error in job.last_error
    assert queue.get(2).status == "completed"
    assert len(queue.history(1)) == attempts
    assert len(list(queue.dead_letters())) == (1 if status == "failed" else 0)


def test_a_timeout_lets_a_handler_clean_up(queue: Queue, drain: Work) -> None:
    queue.enqueue("hang")
    drain("--handlers", HANDLERS, code=1)
    assert output(queue, 1) == b"cleaned up\n"


def test_a_snooze_uses_no_attempt(queue: Queue, drain: Work, tmp_path: Path) -> None:
    queue.enqueue("snooze", {"path": str(tmp_path / "flag")})
    drain("--handlers", HANDLERS, code=0)
    job = queue.get(1)
    assert (job.status, job.attempts, job.token) == ("completed", 1, 2)
    assert [one["outcome"] for one in queue.history(1)] == ["snoozed", "completed"]


def test_the_codes_of_commands(queue: Queue, drain: Work, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    queue.enqueue(shell="exit 0")
    queue.enqueue(shell="exit 65")
    queue.enqueue(shell="exit 78")
    queue.enqueue(shell="exit 3", max_attempts=2, backoff="fixed:0s")
    queue.enqueue(shell=f"test -e {flag} || {{ touch {flag}; exit 75; }}", backoff="fixed:0s")
    queue.enqueue(shell="kill -9 $$", max_attempts=1)
    drain(code=1)
    found = [(job.status, job.attempts, job.exit_code) for job in queue.find(newest_first=False)]
    assert found == [
        ("completed", 1, 0),
        ("failed", 1, 65),
        ("failed", 1, 78),
        ("failed", 2, 3),
        ("completed", 1, 0),
        ("failed", 1, -9),
    ]
    assert "SIGKILL" in queue.get(6).last_error


def test_a_command_is_told_who_it_is_and_reads_its_payload(queue: Queue, drain: Work) -> None:
    queue.enqueue(payload={"a": 1}, shell='env | grep ^QCTL_ | sort; cat; echo "{\\"ok\\": true}" > "$QCTL_RESULT"')
    queue.enqueue(payload={"a": "x" * 500_000}, shell="wc -c", env={"A": "b"})
    queue.enqueue(shell="echo nonsense > $QCTL_RESULT")
    drain(code=1)
    lines = output(queue, 1).decode().splitlines()
    variables = dict(line.split("=", 1) for line in lines if line.startswith("QCTL_"))
    assert variables["QCTL_JOB"] == "1"
    assert variables["QCTL_JOB_ID"] == queue.get(1).id
    assert (variables["QCTL_TYPE"], variables["QCTL_ATTEMPT"], variables["QCTL_MAX_ATTEMPTS"]) == ("command", "1", "5")
    assert variables["QCTL_DB"] == queue.path
    assert '{"a":1}' in lines[-1]
    assert queue.get(1).result == {"ok": True}
    assert int(output(queue, 2)) == 500_008
    assert "not JSON" in queue.get(3).last_error


def test_output_is_bounded_head_and_tail_and_bytes(queue: Queue, drain: Work) -> None:
    queue.store.set_setting("output_limit", "8192")
    queue.enqueue(shell="printf 'first\\377'; head -c 3000000 /dev/zero; printf 'last'")
    drain(code=0)
    rows = queue.output(1, 1)
    assert sum(len(data) for _position, _stream, data in rows) == 8192
    assert rows[0][2].startswith(b"first\xff")
    assert rows[-1][2].endswith(b"last")
    assert rows[-1][0] + len(rows[-1][2]) == 3_000_010


def test_a_timeout_ends_the_whole_group(queue: Queue, drain: Work, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    queue.enqueue(shell=f"sleep 60 & echo $! > {file}; wait", timeout="300ms", max_attempts=1)
    drain(code=1)
    assert "timed out" in queue.get(1).last_error
    until(lambda: not Path(f"/proc/{file.read_text().strip()}").exists())


def test_a_grandchild_that_keeps_the_output_open_does_not_hold_the_job(queue: Queue, drain: Work) -> None:
    queue.enqueue(shell="sleep 60 & echo done")
    begun = time.monotonic()
    drain(code=0)
    assert time.monotonic() - begun < 10
    assert output(queue, 1) == b"done\n"


def test_what_is_gone_when_it_runs_is_a_failed_attempt(queue: Queue, drain: Work, tmp_path: Path) -> None:
    place, tool = tmp_path / "place", tmp_path / "tool"
    place.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    queue.enqueue(command=["true"], cwd=str(place), max_attempts=1)
    queue.enqueue(command=[str(tool)], max_attempts=1)
    place.rmdir()
    tool.unlink()
    drain(code=1)
    assert "directory is gone" in queue.get(1).last_error
    assert (queue.get(2).exit_code, "not found" in queue.get(2).last_error) == (127, True)


def test_a_type_that_nobody_here_can_run_is_left_pending(queue: Queue, drain: Work) -> None:
    queue.enqueue("unknown", priority="critical")
    queue.enqueue(shell="true")
    drain("--handlers", HANDLERS, code=0)
    assert [job.status for job in queue.find(newest_first=False)] == ["pending", "completed"]


def test_queue_and_type_narrow_what_a_worker_takes(queue: Queue, drain: Work) -> None:
    queue.enqueue(shell="true", queue="slow")
    queue.enqueue(shell="true", type="backup")
    queue.enqueue(shell="true")
    drain("--queue", "slow", code=0)
    assert [job.status for job in queue.find(newest_first=False)] == ["completed", "pending", "pending"]
    drain("--type", "backup", code=0)
    assert [job.status for job in queue.find(newest_first=False)] == ["completed", "completed", "pending"]


def test_once_leaves_what_is_not_due_and_max_jobs_stops(queue: Queue, work: Work) -> None:
    for _ in range(3):
        queue.enqueue(shell="true")
    queue.enqueue(shell="true", delay="1h")
    process = work("--max-jobs", "2")
    process.communicate(timeout=20)
    assert queue.count() - sum(job.status == "pending" for job in queue.find()) == 2
    process = work("--once")
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert [job.status for job in queue.find(newest_first=False)] == ["completed"] * 3 + ["pending"]


def test_stopping_hands_back_and_uses_no_attempt(queue: Queue, work: Work) -> None:
    queue.enqueue(shell="sleep 60")
    process = work("--grace", "200ms")
    until(lambda: queue.get(1).status == "processing")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    job = queue.get(1)
    assert (job.status, job.attempts) == ("pending", 0)
    assert queue.history(1)[0]["outcome"] == "stopped"
    assert queue.store.read("SELECT count(*) FROM qctl_workers") == [(0,)]


def test_grace_lets_a_job_end_and_a_second_signal_does_not(queue: Queue, work: Work) -> None:
    queue.enqueue(shell="sleep 0.5")
    process = work()
    until(lambda: queue.get(1).status == "processing")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert (process.returncode, queue.get(1).status) == (130, "completed")
    queue.enqueue(shell="trap '' TERM; sleep 60")
    process = work()
    until(lambda: queue.get(2).status == "processing")
    process.send_signal(signal.SIGTERM)
    until(lambda: os.read(process.stderr.fileno(), 4096).count(b"again to stop now"))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=5)
    assert (queue.get(2).status, queue.get(2).attempts) == ("pending", 0)


def test_a_running_job_is_cancelled_within_a_second(queue: Queue, work: Work) -> None:
    queue.enqueue(shell="sleep 60")
    queue.enqueue("hang", timeout="1m")
    work("-c", "2", "--handlers", HANDLERS)
    until(lambda: [job.status for job in queue.find()] == ["processing"] * 2)
    queue.cancel([1, 2])
    assert seconds_until(lambda: [job.status for job in queue.find()] == ["cancelled"] * 2) < 1


def test_a_sleeping_worker_is_woken_by_a_commit_of_anybody(db: Path, queue: Queue, work: Work) -> None:
    work()
    until(lambda: queue.live_workers())
    time.sleep(0.3)
    connection = sqlite3.connect(db)
    with connection:
        connection.execute("""INSERT INTO jobs (type, command) VALUES ('command', '["true"]')""")
    assert seconds_until(lambda: queue.get(1).status == "completed") < 1
    connection.close()


def test_output_of_a_running_job_can_be_followed(queue: Queue, work: Work, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    queue.enqueue(shell=f"echo early; while ! test -e {flag}; do sleep 0.05; done; echo late")
    work()
    until(lambda: queue.get(1).token and output(queue, 1) == b"early\n")
    flag.touch()
    until(lambda: queue.get(1).status == "completed")
    assert output(queue, 1) == b"early\nlate\n"


def test_json_lines_tell_every_event(queue: Queue, drain: Work) -> None:
    queue.enqueue(shell="exit 1", max_attempts=1)
    lines = [json.loads(line) for line in drain("--log-format", "json", code=1).err.splitlines()]
    events = [line["event"] for line in lines]
    assert events == ["worker", "started", "ended", "worker"]
    assert (lines[2]["job"], lines[2]["status"], lines[2]["outcome"], lines[2]["exit_code"]) == (
        1,
        "failed",
        "failed",
        1,
    )


@pytest.mark.parametrize(
    "source, said",
    [
        ("import no_such_module_here\n", "no_such_module_here"),
        ("x = (\n", "SyntaxError"),
        ("from qctl import handler\n@handler('a')\ndef f(): pass\n@handler('a')\ndef g(): pass\n", "two handlers"),
        ("x = 1\n", "no @handler"),
        ("import os\nos._exit(3)\n", "died"),
    ],
)
def test_handlers_that_cannot_be_loaded_are_named_on_one_line(
    queue: Queue, work: Work, tmp_path: Path, source: str, said: str
) -> None:
    file = tmp_path / "bad_jobs.py"
    file.write_text(source)
    process = work("--once", "--handlers", str(file))
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert err.count("\n") == 1
    assert said in err and "bad_jobs" in err
    assert queue.store.read("SELECT count(*) FROM qctl_workers") == [(0,)]


def test_a_traceback_of_the_users_own_is_shown_only_when_asked_for(queue: Queue, work: Work, tmp_path: Path) -> None:
    file = tmp_path / "bad_jobs.py"
    file.write_text("def f():\n    raise RuntimeError('deep')\nf()\n")
    _out, err = work("--once", "--handlers", str(file)).communicate(timeout=20)
    assert "Traceback" not in err and "line 2" in err
    _out, err = work("--once", "--verbose", "--handlers", str(file)).communicate(timeout=20)
    assert "Traceback" in err and "RuntimeError: deep" in err


def test_a_worker_whose_file_was_deleted_stops(queue: Queue, db: Path, work: Work) -> None:
    process = work()
    assert "1 slot" in process.stderr.readline()  # it is through with its start
    db.unlink()
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 4
    assert "deleted or replaced" in err


def test_enqueue_follow_shows_output_and_leaves_with_its_status(queue: Queue, work: Work, db: Path) -> None:
    work()
    until(lambda: queue.live_workers())
    done = subprocess.run(
        [os.sys.executable, "-m", "qctl", "--db", str(db), "enqueue", "--follow", "--exit-code", "--max-attempts", "1",  # type: ignore[attr-defined]
         "--shell", "echo out; exit 9"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 9
    assert done.stdout == "1\nout\n"


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_timeout_shorter_than_it_takes_to_load_the_handlers_lets_the_job_run(
    queue: Queue, work: Callable[..., Any], tmp_path: Path, kind: str
) -> None:
    """Loading is not the job's time: else its process would be ended before the job begins, again and again."""
    module = tmp_path / "slow.py"
    module.write_text(
        "import os, time\nfrom qctl import handler\ntime.sleep(0.6)\n"
        f"@handler('quick', timeout='200ms', max_attempts=1)\n{kind} quick(die): os._exit(1) if die else None\n"
    )
    queue.enqueue("quick", {"die": True})  # the process that comes after it has to load first
    number = queue.enqueue("quick", {"die": False})
    work("--quiet", "--once", "--handlers", str(module)).communicate(timeout=30)
    assert queue.get(number).status == "completed" or "left with exit status 1" in queue.get(number).last_error
    again = queue.enqueue("quick", {"die": False})
    work("--quiet", "--once", "--handlers", str(module)).communicate(timeout=30)
    assert (queue.get(again).status, queue.get(again).token) == ("completed", 1)
