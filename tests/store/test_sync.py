"""A worker's commits: on disk within 10 ms, though none waits for it."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path

import pytest

from qctl.model import QueueFileError
from qctl.store.sqlite import sync
from qctl.store.sqlite.store import SQLiteStore


class Disk:
    """Notes when it is asked to sync, and takes until `free`; each time `done` is set. With `fault` it refuses."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.free = threading.Event()
        self.free.set()
        self.times: list[float] = []
        self.fault: OSError | None = None

    def sync(self, _fd: int) -> None:
        self.times.append(time.monotonic())
        self.done.set()
        assert self.free.wait(5)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(sync, "fdatasync", disk.sync)
    return disk


def write(store: SQLiteStore, value: str) -> None:
    with store.write() as connection:
        connection.execute("INSERT OR REPLACE INTO qctl_settings VALUES ('ageing', ?)", (value,))


def level(store: SQLiteStore) -> int:
    return int(store.read("PRAGMA synchronous")[0][0])


def test_a_commit_is_followed_by_a_sync_within_10_ms(tmp_path: Path, disk: Disk) -> None:
    store = SQLiteStore(str(tmp_path / "q.db"))
    store.sync_later(lambda _error: None)
    waits = []
    for n in range(20):
        disk.done.clear()
        write(store, f"{n + 1}h")
        committed = time.monotonic()
        assert disk.done.wait(5)
        waits.append(disk.times[-1] - committed)
    assert sorted(waits)[10] < 0.01
    store.close()


def test_commits_share_a_sync_and_the_last_is_synced_before_the_close_returns(tmp_path: Path, disk: Disk) -> None:
    store = SQLiteStore(str(tmp_path / "q.db"))
    store.sync_later(lambda _error: None)
    disk.free.clear()
    for n in range(50):
        write(store, f"{n + 1}h")
    disk.free.set()
    closing = time.monotonic()
    store.close()
    assert 1 <= len(disk.times) <= 3
    assert disk.times[-1] >= closing


def test_a_disk_that_refuses_is_told_and_each_commit_waits_for_it_from_then_on(tmp_path: Path, disk: Disk) -> None:
    told: list[OSError] = []
    heard = threading.Event()
    disk.fault = OSError(errno.EIO, "Input/output error")
    store = SQLiteStore(str(tmp_path / "q.db"))
    store.sync_later(lambda error: (told.append(error), heard.set())[0])
    assert level(store) == 1
    write(store, "1h")
    assert heard.wait(5)
    write(store, "2h")
    assert told == [disk.fault]
    assert level(store) == 2
    store.close()


def test_a_disk_that_refuses_at_the_close_is_an_error_of_one_line(tmp_path: Path, disk: Disk) -> None:
    store = SQLiteStore(str(tmp_path / "q.db"))
    store.sync_later(lambda _error: None)
    disk.fault = OSError(errno.EIO, "Input/output error")
    with pytest.raises(QueueFileError, match="Input/output error"):
        store.close()


def test_enqueuers_wait_for_the_disk(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "q.db"))
    assert level(store) == 2
    store.close()
