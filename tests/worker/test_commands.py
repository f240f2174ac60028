"""Commands, as seen from their worker: nothing that one does holds the others up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
