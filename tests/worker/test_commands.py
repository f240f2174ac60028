"""Commands, as seen from their worker: nothing that one does holds the others up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.worker.pool import Pool
from tests.worker.conftest import until

Work = Callable[..., Any]

SOCKET = "import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ['QCTL_RESULT'])"


def test_a_result_that_is_no_file_is_complained_of_and_never_waited_for(queue: Queue, drain: Work) -> None:
    for make in (
        "mkfifo $QCTL_RESULT",
        "mkdir $QCTL_RESULT",
        "ln -s /dev/zero $QCTL_RESULT",
        f'{sys.executable} -c "{SOCKET}"',
    ):
        queue.enqueue(shell=make)
    after = queue.enqueue(shell="echo 1 > $QCTL_RESULT")
    drain(code=1)
    assert [queue.get(number).last_error for number in range(1, 5)] == ["its result is no regular file"] * 4
    assert queue.get(after).result == 1


@pytest.fixture
def without_waitid(tmp_path: Path) -> dict[str, str]:
    """The environment of a worker on a system where Python has no waitid: macOS, before 3.13."""
    folder = tmp_path / "site"
    folder.mkdir()
    names = ("waitid", "P_ALL", "P_PID", "WEXITED", "WNOWAIT")
    folder.joinpath("sitecustomize.py").write_text(f"import os\nfor name in {names}:\n    delattr(os, name)\n")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ["PYTHONPATH"]])}


def test_a_worker_without_waitid_learns_how_its_commands_end(
    queue: Queue, drain: Work, without_waitid: dict[str, str]
) -> None:
    for shell in ("exit 0", "exit 3", "kill -9 $$", "sleep 5 & exit 0"):
        queue.enqueue(shell=shell, max_attempts=1)
    drain("-c", "2", code=1, env=without_waitid)
    assert [queue.history(number)[0]["exit_code"] for number in range(1, 5)] == [0, 3, -9, 0]


def test_a_worker_without_waitid_learns_of_the_death_of_a_handler_process_whose_socket_lives_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qctl.worker.ended.CAN_ASK", False)
    monkeypatch.delattr(os, "waitid", raising=False)
    statuses: list[int] = []
    with subprocess.Popen(["sh", "-c", "read line; exit 3"], stdin=subprocess.PIPE) as process:
        one = SimpleNamespace(process=process, dead=False)

        def bury(_one: object) -> None:
            one.dead = True
            statuses.append(process.wait())

        pool: Any = SimpleNamespace(processes=[one], ended=[], receive=lambda _one: None, bury=bury)
        Pool.look(pool)
        assert statuses == []
        assert process.stdin is not None
        process.stdin.close()
        until(lambda: Pool.look(pool) or statuses)
    assert statuses == [3]
