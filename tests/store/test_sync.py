"""Durable together: writers that stand in line wait for the disk side by side, and are told of nothing before."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qctl.model import DiskFault
from qctl.queue import Queue
from qctl.store.sqlite import sync
from qctl.store.sqlite.store import FEW_WAITS, SQLiteStore
from tests.store.conftest import Acts


def failing(times: int) -> Callable[[int], None]:
    """A sync of which the first so many fail, as they do when the disk does."""
    left = [times]

    def one(fd: int) -> None:
        if left[0]:
            left[0] -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fsync(fd)

    return one


@pytest.fixture
def shared(file_store: SQLiteStore) -> SQLiteStore:
    """A store that has had to wait for others so often that it syncs after it has given the turn on."""
    Acts(file_store).put("a")
    assert file_store.lock is not None
    file_store.lock.waits = FEW_WAITS + 1
    Acts(file_store).put("a")
    assert file_store.sync is not None
    return file_store


def mode(store: SQLiteStore) -> int:
    return int(store.read("PRAGMA synchronous")[0][0])


def test_who_never_waited_has_each_commit_synced_by_sqlite(file_store: SQLiteStore) -> None:
    Acts(file_store).put("a")
    assert file_store.sync is None
    assert mode(file_store) == 2


def test_who_had_to_wait_gives_the_turn_on_and_returns_when_the_log_is_synced(
    shared: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    other = SQLiteStore(shared.path)

    def watch(fd: int) -> None:
        assert os.fstat(fd).st_ino == os.stat(shared.path + "-wal").st_ino
        Acts(other).put("b")  # has its turn meanwhile
        os.fsync(fd)
        said.append("synced")

    monkeypatch.setattr(sync, "SYNC", watch)
    assert mode(shared) == 1
    numbers = Acts(shared).put("a")
    said.append("told")
    assert said == ["synced", "told"]
    assert numbers[0] < other.read("SELECT max(number) FROM jobs")[0][0]
    other.close()


def test_a_transaction_that_was_taken_back_waits_for_no_disk(
    shared: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "SYNC", failing(9))
    with pytest.raises(ZeroDivisionError), shared.write():
        raise ZeroDivisionError


def test_when_a_sync_fails_the_log_is_written_again_and_synced(
    shared: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system takes the pages for written after a failed sync: a second sync alone would lie."""
    written: list[tuple[int, int]] = []
    before = Path(shared.path + "-wal").read_bytes()

    def pwrite(fd: int, data: bytes, at: int, real: Callable[[int, bytes, int], int] = os.pwrite) -> int:
        written.append((at, len(data)))
        return real(fd, data, at)

    monkeypatch.setattr(sync, "SYNC", failing(1))
    monkeypatch.setattr(os, "pwrite", pwrite)
    Acts(shared).put("a")
    log = Path(shared.path + "-wal").read_bytes()
    assert written and sum(length for _at, length in written) == len(log) > len(before)
    assert log.startswith(before)
    assert shared.read("SELECT count(*) FROM jobs")[0][0] == 3
    assert shared.read("PRAGMA integrity_check") == [("ok",)]
    assert shared.lock is not None and shared.lock.depth == 0


def test_when_the_disk_goes_on_failing_nothing_is_told_as_stored(
    shared: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "SYNC", failing(2))
    with pytest.raises(DiskFault, match="whether the last change was stored is unknown"):
        Acts(shared).put("a")
    assert not shared.connection.in_transaction
    assert shared.lock is not None and shared.lock.depth == 0
    assert Acts(shared).put("a"), "and it goes on when the disk does"


def test_a_job_of_somebody_else_is_named_only_when_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who enqueued it may still wait for the disk; to tell its number is to say that it is there."""
    with Queue(tmp_path / "queue.db") as queue:
        first = queue.enqueue("a", key="k")
        synced: list[int] = []
        monkeypatch.setattr(sync, "SYNC", lambda fd: synced.append(os.fstat(fd).st_ino))
        assert queue.enqueue("a", key="k") == first
        assert synced == [os.stat(queue.path + "-wal").st_ino]
        queue.enqueue("a", key="another")
        assert len(synced) == 1
        monkeypatch.setattr(sync, "SYNC", failing(1))
        with pytest.raises(DiskFault):
            queue.enqueue("a", key="k")


def test_without_a_log_to_open_each_commit_is_synced_by_sqlite(
    file_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_store: SQLiteStore) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    assert file_store.lock is not None
    monkeypatch.setattr(sync, "Sync", refuse)
    file_store.lock.waits = FEW_WAITS + 1
    Acts(file_store).put("a")
    assert file_store.sync is None
    assert mode(file_store) == 2


def test_the_log_is_let_go_with_the_store(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "queue.db"))
    assert store.lock is not None
    store.lock.waits = FEW_WAITS + 1
    Acts(store).put("a")
    assert store.sync is not None
    fd = store.sync.fd
    store.close()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(fd)
