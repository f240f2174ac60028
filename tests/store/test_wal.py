"""The write-ahead log: how much it holds, and checkpoints of our own that are never passive."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from qctl.model import NewJob
from qctl.rules.when import to_text
from qctl.store.sqlite import wal
from qctl.store.sqlite.connection import MEMORY, tune
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW

TEXT = to_text(NOW)
SOURCE = Path(__file__).parents[2] / "qctl"


@pytest.fixture
def base(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database of its own with one table, in WAL mode; it stands at tmp_path / "a.db"."""
    connection = tune(sqlite3.connect(tmp_path / "a.db", isolation_level=None))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (data)")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield connection
    connection.close()


def write(connection: sqlite3.Connection, pages: int) -> None:
    """Let one transaction change at least so many pages."""
    connection.execute("INSERT INTO t VALUES (randomblob(?))", (pages * 4096,))


def truth(connection: sqlite3.Connection, path: Path) -> int:
    """What SQLite itself says: frames in the log, of this round."""
    other = sqlite3.connect(path)
    other.execute("PRAGMA wal_autocheckpoint=0")
    held = other.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    other.close()
    return int(held[1])


# -- how much it holds --------------------------------------------------------------------------------------------


def test_without_a_log_there_are_no_pages(tmp_path: Path) -> None:
    assert wal.pages(str(tmp_path / "none.db")) == 0
    assert not wal.is_large(str(tmp_path / "none.db"), 0)
    (tmp_path / "b.db-wal").write_bytes(b"short")
    assert wal.pages(str(tmp_path / "b.db")) == 0


def test_pages_are_those_since_the_log_was_last_started_anew(base: sqlite3.Connection, tmp_path: Path) -> None:
    """The file never shrinks, so most of what it holds may be of an earlier round."""
    path = tmp_path / "a.db"
    assert wal.pages(str(path)) == 0
    for big, small in ((60, 3), (10, 1), (3, 5), (200, 2)):
        write(base, big)
        count = wal.pages(str(path))
        assert count >= big
        assert count == truth(base, path)
        assert wal.pages(str(path)) == count, "a checkpoint alone starts nothing anew"
        write(base, small)  # the next write does
        count = wal.pages(str(path))
        assert small <= count < small + 8
        size = (path.parent / "a.db-wal").stat().st_size
        assert size >= big * 4096
        assert count == truth(base, path)


def test_pages_are_counted_after_each_way_to_checkpoint(base: sqlite3.Connection, tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    for mode, left in (("FULL", None), ("RESTART", None), ("TRUNCATE", 0)):
        write(base, 40)
        before = wal.pages(path)
        assert before >= 40
        assert wal.checkpoint(base, mode)
        assert wal.pages(path) == (before if left is None else left)
        write(base, 2)
        assert 2 <= wal.pages(path) < 10


@pytest.mark.parametrize("size", [512, 1024, 16384, 65536])
def test_pages_of_any_size_are_counted(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.db"
    connection = tune(sqlite3.connect(path, isolation_level=None))
    connection.execute(f"PRAGMA page_size={size}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (data)")
    for blob in (200_000, 1000, 70_000):
        connection.execute("INSERT INTO t VALUES (randomblob(?))", (blob,))
        assert wal.pages(str(path)) == truth(connection, path)
    connection.close()


def test_large_means_more_pages_than_the_limit(base: sqlite3.Connection, tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    write(base, 50)
    count = wal.pages(path)
    assert wal.is_large(path, count - 1)
    assert not wal.is_large(path, count)
    wal.checkpoint(base)
    write(base, 1)
    assert not wal.is_large(path, 20), "a large file of an earlier round is not a large log"


# -- checkpoints --------------------------------------------------------------------------------------------------


def test_no_checkpoint_is_ever_passive() -> None:
    """Passive ones can corrupt the file on SQLite before 3.51.3; `PRAGMA wal_checkpoint` alone is one."""
    modes = []
    for path in [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.sql")]:
        text = path.read_text(encoding="utf-8")
        modes += [(path.name, mode) for mode in re.findall(r"wal_checkpoint(\([^)]*\))?", text)]
        modes += [(path.name, mode) for mode in re.findall(r"wal\.checkpoint\([^,()]*,\s*\"(\w+)\"", text)]
    assert ("wal.py", "({mode})") in modes
    assert {mode.strip("()") for _, mode in modes} <= {"{mode}", "FULL", "RESTART", "TRUNCATE"}
    assert wal.checkpoint.__defaults__ == ("FULL",)


def test_nothing_turns_automatic_checkpoints_on_or_durability_down() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"wal_autocheckpoint\s*=\s*(\w+)", text)) <= {"0"}, path.name
        # A copy is made durable once, when it is whole; a store that syncs by itself, after each commit; a worker's, by a
        # thread right behind it.
        kinds = {"backup.py": {"OFF"}, "sync.py": {"NORMAL"}, "syncer.py": {"NORMAL", "FULL"}}.get(path.name, {"FULL"})
        assert set(re.findall(r"PRAGMA synchronous\s*=\s*(\w+)", text)) <= kinds, path.name


def test_a_log_never_checkpoints_by_itself(file_store: SQLiteStore) -> None:
    payload = '{"pad":"' + "a" * 50_000 + '"}'
    file_store.insert([NewJob("x", payload) for _ in range(200)], TEXT)
    assert wal.pages(file_store.path) > 2000
    assert Path(file_store.path).stat().st_size < 2000 * 4096


def test_tidy_copies_a_large_log_and_leaves_a_small_one(file_store: SQLiteStore) -> None:
    file_store.insert([NewJob("x", '{"pad":"' + "a" * 50_000 + '"}') for _ in range(40)], TEXT)
    size = Path(file_store.path).stat().st_size
    assert not file_store.tidy(10_000)
    assert Path(file_store.path).stat().st_size == size
    assert file_store.tidy(100)
    assert Path(file_store.path).stat().st_size > size + 40 * 50_000
    file_store.insert([NewJob("x")], TEXT)
    assert wal.pages(file_store.path) < 20
    assert not file_store.tidy(100)


def test_tidy_waits_for_nobody(file_store: SQLiteStore) -> None:
    file_store.insert([NewJob("x", '{"pad":"' + "a" * 50_000 + '"}') for _ in range(40)], TEXT)
    other = SQLiteStore(file_store.path)
    with other.write():
        assert not file_store.tidy(100), "somebody writes"
    reader = sqlite3.connect(file_store.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM jobs").fetchone()
    other.insert([NewJob("x")], TEXT)
    assert not file_store.tidy(100), "a reader still needs the log"
    reader.execute("COMMIT")
    assert file_store.tidy(100)
    assert file_store.read("PRAGMA busy_timeout") == [(30_000,)], "the wait of others' connections is as before"
    reader.close()
    other.close()


def test_a_writer_keeps_the_log_bounded(file_store: SQLiteStore) -> None:
    payload = '{"pad":"' + "a" * 20_000 + '"}'
    most = 0
    for _ in range(60):
        file_store.insert([NewJob("x", payload) for _ in range(10)], TEXT)
        file_store.tidy(200)
        most = max(most, wal.pages(file_store.path))
    assert 200 < most < 400
    assert file_store.read("PRAGMA integrity_check") == [("ok",)]


def test_a_queue_in_memory_has_no_log() -> None:
    store = SQLiteStore(MEMORY)
    assert not store.tidy(0)
    store.close()
