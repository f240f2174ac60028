"""Commands, as seen from their worker: nothing that one does holds the others up."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue

Work = Callable[..., Any]

SOCKET = "import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ['QCTL_RESULT'])"


def test_a_result_that_is_no_file_is_complained_of_and_never_waited_for(queue: Queue, drain: Work) -> None:
    for make in ("mkfifo $QCTL_RESULT", "mkdir $QCTL_RESULT", "ln -s /dev/zero $QCTL_RESULT", f'python3 -c "{SOCKET}"'):
        queue.enqueue(shell=make)
    after = queue.enqueue(shell="echo 1 > $QCTL_RESULT")
    drain(code=1)
    assert [queue.get(number).last_error for number in range(1, 5)] == ["its result is no regular file"] * 4
    assert queue.get(after).result == 1


LEAVE = """
import os, subprocess
from qctl import handler
@handler("leave", max_attempts=1)
def leave():
    subprocess.Popen(["sleep", "5"], close_fds=False, start_new_session=True)
    os.kill(os.getpid(), 9)
"""


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


def test_a_worker_without_waitid_learns_of_the_death_of_a_handler_process(
    queue: Queue, drain: Work, tmp_path: Path, without_waitid: dict[str, str]
) -> None:
    module = tmp_path / "leaves.py"
    module.write_text(LEAVE)
    number = queue.enqueue("leave")
    drain("--handlers", str(module), code=1, env=without_waitid)
    assert "SIGKILL" in queue.get(number).last_error
