"""A worker's commits: on disk right behind their maker, all of them at the end, and a disk that fails is told."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from qctl.model import DiskFault, NewJob
from qctl.store.sqlite import syncer
from qctl.store.sqlite.store import MEMORY, SQLiteStore

TEXT = "2026-01-01 00:00:00.000"


@pytest.fixture
def store(tmp_path: Path) -> SQLiteStore:
    return SQLiteStore(str(tmp_path / "queue.db"))


def durability(store: SQLiteStore) -> int:
    """2 is FULL, 1 is NORMAL."""
    return int(store.read("PRAGMA synchronous")[0][0])


def test_each_commit_is_followed_by_a_sync_of_its_log(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = threading.Event()
    inodes = []

    def sync(fd: int) -> None:
        os.fsync(fd)
        inodes.append(os.fstat(fd).st_ino)
        synced.set()

    monkeypatch.setattr(syncer, "sync", sync)
    syncer.sync_behind(store)
    assert durability(store) == 1
    for _ in range(3):
        synced.clear()
        store.insert([NewJob("x")], TEXT)
        assert synced.wait(10)
    assert set(inodes) == {os.stat(store.path + "-wal").st_ino}
    store.close()


def test_at_the_end_nothing_is_left_that_is_not_on_disk(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    go = threading.Event()

    def slow(fd: int) -> None:
        go.wait(10)
        sizes.append(os.fstat(fd).st_size)

    monkeypatch.setattr(syncer, "sync", slow)
    syncer.sync_behind(store)
    for _ in range(3):  # the later ones are committed while the first is being synced
        store.insert([NewJob("x")], TEXT)
    size = os.stat(store.path + "-wal").st_size
    go.set()
    syncer.sync_first(store)
    assert sizes[-1] == size
    assert durability(store) == 2
    store.close()


def test_a_sync_that_fails_is_told_and_from_then_on_a_commit_waits_for_the_disk(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(syncer, "sync", fail)
    syncer.sync_behind(store)
    store.insert([NewJob("x")], TEXT)
    assert store.syncer is not None
    assert store.syncer.ended.acquire(timeout=10)
    store.syncer.ended.release()
    with pytest.raises(DiskFault, match="Input/output error"):
        store.insert([NewJob("x")], TEXT)
    assert durability(store) == 2
    assert store.insert([NewJob("x")], TEXT) == [2]
    store.close()


def test_a_queue_in_memory_has_nothing_to_sync() -> None:
    store = SQLiteStore(MEMORY)
    syncer.sync_behind(store)
    assert store.syncer is None
    store.insert([NewJob("x")], TEXT)
    store.close()
