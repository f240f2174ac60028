"""A store whose file is not the queue any more, or whose process is not the one that opened it, stores nothing and says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qctl.model import QueueFileError
from qctl.queue import Queue
from qctl.store.sqlite import syncer


@pytest.mark.parametrize("again", [False, True])
def test_nothing_is_enqueued_into_a_file_that_was_deleted_or_replaced(tmp_path: Path, again: bool) -> None:
    """The number would be that of a job which nobody ever finds."""
    path = tmp_path / "queue.db"
    with Queue(path) as queue:
        queue.enqueue("a")
        for end in ("", "-wal", "-shm"):
            os.unlink(f"{path}{end}")
        other = Queue(path) if again else None
        for act in (lambda: queue.enqueue("b"), lambda: queue.enqueue_many([{"type": "b"}] * 2)):
            with pytest.raises(QueueFileError, match=r"was deleted or replaced .* nothing was stored"):
                act()
        if other is not None:
            assert other.count() == 0
            assert other.enqueue("c") == 1
            other.close()


def test_nothing_is_enqueued_behind_a_log_that_was_deleted(tmp_path: Path) -> None:
    with Queue(tmp_path / "queue.db") as queue:
        queue.enqueue("a")
        syncer.sync_behind(queue.store)  # as in a worker, which has the log open
        assert queue.store.is_still_there()
        os.unlink(f"{queue.path}-wal")
        assert not queue.store.is_still_there()


def test_a_copy_of_the_process_that_opened_a_queue_writes_nothing(tmp_path: Path) -> None:
    """SQLite's locks are not inherited: the last to close, who thinks itself alone, takes the log away under the others."""
    with Queue(tmp_path / "queue.db") as queue:
        queue.enqueue("a")
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                queue.enqueue("b")
                said = "stored"
            except QueueFileError as error:
                said = str(error)
            os.write(write, said.encode())
            os._exit(0)
        os.waitpid(pid, 0)
        assert f"was opened by process {os.getpid()}, of which this is a copy" in os.read(read, 1000).decode()
        assert queue.count() == 1
        assert queue.enqueue("c") == 2
        os.close(read)
        os.close(write)
