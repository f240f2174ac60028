"""A worker's commits: on disk right behind their maker, all of them at the end, and a disk that fails is told."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
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


def fail(_fd: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


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
    monkeypatch.setattr(syncer, "sync", fail)
    syncer.sync_behind(store)
    store.insert([NewJob("x")], TEXT)
    assert store.syncer is not None
    assert store.syncer.ended.acquire(timeout=10)
    store.syncer.ended.release()
    for _ in range(2):  # for as long as it is so: what would be committed now stood behind a gap
        with pytest.raises(DiskFault, match="Input/output error"):
            store.insert([NewJob("x")], TEXT)
    assert durability(store) == 2
    monkeypatch.setattr(syncer, "sync", os.fsync)
    assert store.insert([NewJob("x")], TEXT) == [2]
    assert store.syncer is None
    store.close()


@pytest.mark.parametrize("folder", ["plain", "100%41 #1?"])
def test_after_a_sync_that_fails_the_log_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """The system takes the pages for written, and the syncs of others end well, though their jobs stand behind a gap."""
    store = SQLiteStore(str(tmp_path / folder / "queue.db"))
    calls: list[str] = []
    failed = threading.Event()

    def sync(fd: int) -> None:
        calls.append("sync")
        if len(calls) == 1:
            failed.wait(10)
            raise OSError(errno.EIO, "Input/output error")
        os.fsync(fd)

    def pwrite(fd: int, data: bytes, at: int, real: Callable[[int, bytes, int], int] = os.pwrite) -> int:
        calls.append(f"{at} to {at + len(data)} of {os.fstat(fd).st_size}")
        return real(fd, data, at)

    monkeypatch.setattr(syncer, "sync", sync)
    monkeypatch.setattr(os, "pwrite", pwrite)
    syncer.sync_behind(store)
    with store.write():  # it waits for its turn to do so
        store.insert([NewJob("x")], TEXT, store.connection)
    store.insert([NewJob("x")], TEXT)
    failed.set()
    assert store.syncer is not None
    thread = store.syncer
    syncer.sync_first(store)
    size = os.stat(store.path + "-wal").st_size
    assert calls[:3] == ["sync", f"0 to {size} of {size}", "sync"]
    assert thread.mended is not None and thread.error is None
    assert store.read("SELECT count(*) FROM jobs") == [(2,)]
    store.close()


def test_whatever_ends_the_thread_is_told_and_what_it_left_is_synced(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No memory for the log that is to be written again, say."""

    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(syncer, "sync", fail)
    monkeypatch.setattr(syncer, "write_again", no_memory)
    syncer.sync_behind(store)
    store.insert([NewJob("x")], TEXT)
    assert store.syncer is not None
    store.syncer.end()
    assert isinstance(store.syncer.error, MemoryError)
    monkeypatch.undo()
    monkeypatch.setattr(syncer, "sync", fail)
    with pytest.raises(DiskFault, match="MemoryError"):
        store.insert([NewJob("x")], TEXT)
    monkeypatch.undo()
    assert store.insert([NewJob("x")], TEXT) == [2]
    assert store.syncer is None and durability(store) == 2
    store.close()


def test_where_the_queue_was_taken_away_a_sync_that_fails_makes_no_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "100%41 #1?"
    store = SQLiteStore(str(folder / "queue.db"))
    taken = threading.Event()

    def fail(_fd: int) -> None:
        taken.wait(10)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(syncer, "sync", fail)
    syncer.sync_behind(store)
    store.insert([NewJob("x")], TEXT)
    for path in folder.iterdir():
        path.unlink()
    taken.set()
    assert store.syncer is not None
    store.syncer.end()
    assert store.syncer.error is not None
    assert list(folder.iterdir()) == []
    store.syncer = None
    store.close()


def test_a_store_whose_last_commits_cannot_be_brought_to_disk_says_so_when_it_is_closed(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncer, "sync", fail)
    syncer.sync_behind(store)
    store.insert([NewJob("x")], TEXT)
    assert store.syncer is not None
    fd = store.syncer.fd
    with pytest.raises(DiskFault, match="the last results may not be on it"):
        store.close()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(fd)


def test_a_queue_in_memory_has_nothing_to_sync() -> None:
    store = SQLiteStore(MEMORY)
    syncer.sync_behind(store)
    assert store.syncer is None
    store.insert([NewJob("x")], TEXT)
    store.close()
