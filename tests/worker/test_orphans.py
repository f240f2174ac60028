"""No orphan: what a job let go ends with it when it is brought to an end, and stays when the job ended by itself."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.worker.sweep import started_at, sweep
from tests.worker.conftest import until

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")

Work = Callable[..., Any]

DAEMON = """
import os, sys, time
def daemon(path):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in range(3):
                os.close(fd)
            with open(path + ".new", "w") as file:
                file.write(str(os.getpid()))
            os.rename(path + ".new", path)
            time.sleep(60)
        os._exit(0)
    os.wait()
    while not os.path.exists(path):
        time.sleep(0.005)
"""
COMMAND = DAEMON + "daemon(sys.argv[1]); time.sleep(float(sys.argv[2])); sys.exit(int(sys.argv[3]))\n"
HANDLERS = (
    DAEMON
    + """
from qctl import handler
@handler("daemonise", max_attempts=1, timeout="700ms")
def daemonise(path, then):
    daemon(path)
    if then == "sleep":
        time.sleep(60)
    if then == "die":
        os.abort()
"""
)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def pid(tmp_path: Path) -> Any:
    """The process of the daemon, once there is one; it ends with the test."""
    path = tmp_path / "pid"

    def read() -> int:
        return int(until(lambda: path.exists() and path.read_text()))

    read.path = str(path)  # type: ignore[attr-defined]
    yield read
    if path.exists() and alive(read()):
        os.kill(read(), signal.SIGKILL)


def command(pid: Any, seconds: float, status: int = 0) -> list[str]:
    return [sys.executable, "-c", COMMAND, pid.path, str(seconds), str(status)]


def test_the_daemon_of_a_command_that_is_cancelled_ends_with_it(queue: Queue, work: Work, pid: Any) -> None:
    number = queue.enqueue(command=command(pid, 60))
    work("--quiet")
    daemon = pid()
    assert os.getsid(daemon) != os.getsid(0) and alive(daemon)
    queue.cancel([number])
    until(lambda: queue.get(number).status == "cancelled")
    until(lambda: not alive(daemon), 1)


def test_the_daemon_of_a_command_that_timed_out_ends_with_it(queue: Queue, drain: Work, pid: Any) -> None:
    queue.enqueue(command=command(pid, 60), timeout="500ms", max_attempts=1)
    drain("--quiet", code=1)
    assert not alive(pid())


@pytest.mark.parametrize(("status", "last"), [(0, "completed"), (3, "failed")])
def test_a_command_that_ends_by_itself_leaves_the_daemon_that_it_meant_to_leave(
    queue: Queue, work: Work, pid: Any, status: int, last: str
) -> None:
    number = queue.enqueue(command=command(pid, 0, status), max_attempts=1)
    worker = work("--quiet")
    until(lambda: queue.get(number).status == last)
    assert alive(pid())
    worker.kill()  # nor does it end with the worker
    worker.wait()
    work("--once", "--quiet").communicate(timeout=20)
    assert alive(pid())


def test_the_daemon_of_a_command_ends_when_the_worker_is_killed_though_no_other_worker_comes(
    queue: Queue, work: Work, pid: Any
) -> None:
    queue.enqueue(command=command(pid, 60))
    worker = work("--quiet")
    daemon = pid()
    worker.kill()
    until(lambda: not alive(daemon), 5)


@pytest.mark.parametrize(("then", "how"), [("sleep", "timeout"), ("die", "crashed")])
def test_the_daemon_of_a_handler_that_is_brought_to_an_end_ends_with_it(
    queue: Queue, drain: Work, tmp_path: Path, pid: Any, then: str, how: str
) -> None:
    module = tmp_path / "daemons.py"
    module.write_text(HANDLERS)
    number = queue.enqueue("daemonise", {"path": pid.path, "then": then})
    drain("--quiet", "--handlers", str(module), code=1)
    assert [run["outcome"] for run in queue.history(number)] == [how]
    assert not alive(pid())


def test_the_daemon_of_a_handler_ends_before_the_job_of_a_killed_worker_runs_again(
    queue: Queue, work: Work, tmp_path: Path, pid: Any
) -> None:
    module = tmp_path / "daemons.py"
    module.write_text(HANDLERS.replace("700ms", "60s"))
    number = queue.enqueue("daemonise", {"path": pid.path, "then": "sleep"})
    worker = work("--quiet", "--handlers", str(module))
    daemon = pid()
    worker.kill()
    worker.wait()
    work("--quiet")  # without handlers: it gives the job back, and cannot run it
    until(lambda: queue.get(number).status == "pending")
    assert not alive(daemon)


def test_a_sweep_takes_only_what_carries_the_very_run(tmp_path: Path) -> None:
    import subprocess
    import time

    def process(**variables: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "60"], env=os.environ | variables, start_new_session=True)

    mine = {"QCTL_WORKER": "worker-a", "QCTL_JOB": "7", "QCTL_LEASE": "2"}
    run = process(**mine)
    others = [
        process(**mine | {"QCTL_LEASE": "1"}),  # an earlier run of the job, which ended well
        process(**mine | {"QCTL_JOB": "8"}),
        process(**mine | {"QCTL_WORKER": "worker-ab"}),
        process(QCTL_WORKER="worker-a"),
        process(QCTL_WORKER="worker-a", QCTL_CHILD="c1"),  # started before the time that is meant
        process(NOTE="QCTL_WORKER=worker-a", QCTL_JOB="7", QCTL_LEASE="2"),
    ]
    try:
        until(lambda: all(b"QCTL_" in Path(f"/proc/{one.pid}/environ").read_bytes() for one in (run, *others)))
        assert abs(started_at(run.pid) - time.time()) < 10
        assert sweep("worker-a", {(7, 2)}, {"c1": started_at(others[4].pid) + 1}) == 1
        assert run.wait(5) == -signal.SIGKILL
        assert [one.poll() for one in others] == [None] * 6
        assert sweep("worker-a", (), {None: started_at(others[4].pid) - 1}) == 1
        assert others[4].wait(5) == -signal.SIGKILL
    finally:
        for one in (run, *others):
            one.kill()
            one.wait()


FORKS = """
import os, subprocess, time
from qctl import handler
@handler("fork", max_attempts=1)
def fork():
    if os.fork() == 0:
        return "the copy"
    return "the process"

@handler("leave", max_attempts=1)
def leave():
    subprocess.Popen(["sleep", "60"], close_fds=False, start_new_session=True)
    os.kill(os.getpid(), 9)
"""


def test_a_handler_that_forks_and_returns_in_both_counts_once(queue: Queue, drain: Work, tmp_path: Path) -> None:
    module = tmp_path / "forks.py"
    module.write_text(FORKS)
    numbers = [queue.enqueue("fork") for _ in range(20)]
    drain("--quiet", "--handlers", str(module), code=0)
    assert {queue.get(number).result for number in numbers} == {"the process"}


def test_the_death_of_a_handler_process_shows_though_something_it_started_lives_on(
    queue: Queue, drain: Work, tmp_path: Path
) -> None:
    module = tmp_path / "forks.py"
    module.write_text(FORKS)
    number = queue.enqueue("leave")
    drain("--quiet", "--handlers", str(module), code=1)
    assert "SIGKILL" in queue.get(number).last_error
