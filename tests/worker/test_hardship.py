"""A disk that cannot be written: the worker keeps what ran, says so, and goes on when it can."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

from qctl.queue import Queue
from tests.worker.conftest import until


def test_a_result_that_cannot_be_written_is_kept_and_stored_later(work: Callable[..., Any], queue: Queue) -> None:
    number = queue.enqueue(
        command=["sh", "-c", "echo before; read -r line < go; echo after"], cwd=queue.path[: -len("/queue.db")]
    )
    import os

    fifo = queue.path[: -len("queue.db")] + "go"
    os.mkfifo(fifo)
    worker = work("--once")
    until(lambda: queue.output(number, 1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
    with open(fifo, "w", encoding="ascii") as file:
        file.write("now\n")
    said = until(lambda: "results are kept" in worker.stderr.readline())
    assert said
    assert queue.get(number).status == "processing"
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, limits)
    until(lambda: queue.get(number).status == "completed")
    assert b"".join(data for *_row, data in queue.output(number, 1)) == b"before\nafter\n"
    assert queue.history(number)[-1]["attempt"] == 1
    assert worker.wait(10) == 0
