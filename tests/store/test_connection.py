"""Opening a queue file: checked before it is used, made whole and private, and left as it was when it is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qctl.model import NewJob, QctlError, QueueFileError, QueueLocked
from qctl.rules.when import to_text
from qctl.store.sqlite.connection import MEMORY, SCHEMA_VERSION
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts

TEXT = to_text(NOW)


def make(path: Path, jobs: int = 0) -> bytes:
    """A queue file with some jobs, closed; its bytes."""
    store = SQLiteStore(str(path))
    if jobs:
        store.insert([NewJob("x", '{"pad":"' + "a" * 900 + '"}') for _ in range(jobs)], TEXT)
    store.close()
    return path.read_bytes()


def refused(path: Path, *, create: bool = True) -> QctlError:
    """Open and use what is no queue; the error, which must be one line that names the file."""
    with pytest.raises(QctlError) as refusal:
        store = SQLiteStore(str(path), create=create, busy_timeout=1.0)
        try:
            store.read("SELECT * FROM jobs")
            store.insert([NewJob("x")], TEXT)
        finally:
            store.close()
    text = str(refusal.value)
    assert "\n" not in text
    assert str(path) in text
    return refusal.value


# -- settings of every connection ---------------------------------------------------------------------------------


def test_a_commit_is_on_disk_checkpoints_are_ours_and_the_file_is_not_trusted(tmp_path: Path) -> None:
    path = str(tmp_path / "queue.db")
    for _ in range(2):  # the one that makes the file, and the one that finds it
        store = SQLiteStore(path)
        pragmas = ("synchronous", "wal_autocheckpoint", "trusted_schema", "journal_mode", "auto_vacuum")
        values = [store.read(f"PRAGMA {name}")[0][0] for name in pragmas]
        assert values == [2, 0, 0, "wal", 2]
        store.close()
    memory = SQLiteStore(MEMORY)
    assert memory.read("PRAGMA trusted_schema") == [(0,)]
    memory.close()


def test_every_connection_that_may_write_is_tuned_when_it_is_opened() -> None:
    """A connection with automatic checkpoints can corrupt the file (reliability.md): there may be none in the store."""
    folder = Path(__file__).parents[2] / "qctl"
    opened = [
        (path.relative_to(folder).as_posix(), line.strip())
        for path in sorted(folder.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "sqlite3.connect(" in line and path.parts[-2] not in ("demo", "topics")
    ]
    assert len(opened) >= 4
    untuned = [one for one in opened if "tune(sqlite3.connect(" not in one[1]]
    assert all("mode=ro" in line or "(opening.MEMORY)" in line for _path, line in untuned), untuned


def test_what_hides_in_a_schema_is_not_run_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    make(path)
    hostile = sqlite3.connect(path)
    hostile.create_function("evil", 0, lambda: 1)
    hostile.execute("CREATE VIEW spy AS SELECT load_extension('/x') AS x")
    hostile.commit()
    hostile.close()
    store = SQLiteStore(str(path))
    with pytest.raises(QueueFileError, match="unsafe use"):
        store.read("SELECT * FROM spy")
    store.close()


# -- making the file ----------------------------------------------------------------------------------------------


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}


@pytest.mark.usefixtures("open_umask")
def test_the_file_and_all_beside_it_are_private_even_with_an_open_umask(tmp_path: Path) -> None:
    from qctl.store.sqlite.workers import register

    store = SQLiteStore(str(tmp_path / "new" / "queue.db"))
    store.insert([NewJob("x")], TEXT)
    register(store, "w-1", 1, NOW)
    found = modes(tmp_path / "new")
    assert {"queue.db", "queue.db-wal", "queue.db-shm", "queue.db-lock", "queue.db-workers"} <= set(found)
    assert set(found.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    store.close()


@pytest.mark.usefixtures("open_umask")
def test_a_file_made_through_a_symlink_is_private_too(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    store = SQLiteStore(str(tmp_path / "link.db"))
    store.insert([NewJob("x")], TEXT)
    assert set(modes(tmp_path).values()) == {0o600}
    store.close()


NEIGHBOUR = """
import sys
from qctl.store.sqlite.store import SQLiteStore
from qctl.store.sqlite.workers import register
store = SQLiteStore(sys.argv[1])
register(store, "w-neighbour", 1, 1.0)
print("registered", flush=True)
sys.stdin.readline()
with store.write():
    print("writing", flush=True)
    sys.stdin.readline()
"""


def test_a_file_is_the_same_queue_under_every_name(tmp_path: Path) -> None:
    """The locks and the log belong to the file, not to its name: else a live worker would be taken for dead."""
    from qctl.store.sqlite import wal
    from qctl.store.sqlite.workers import dead_workers, register

    make(tmp_path / "real.db")
    (tmp_path / "link.db").symlink_to("real.db")
    argv = [sys.executable, "-c", NEIGHBOUR, str(tmp_path / "link.db")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as neighbour:
        assert neighbour.stdin is not None and neighbour.stdout is not None
        assert neighbour.stdout.readline() == "registered\n"
        store = SQLiteStore(str(tmp_path / "real.db"))
        register(store, "w-here", 1, NOW)
        dead = dead_workers(store, "w-here", NOW, 1e9)
        neighbour.stdin.write("\n")
        neighbour.stdin.flush()
        assert neighbour.stdout.readline() == "writing\n"
        assert store.lock is not None
        is_alone = store.lock.acquire(0.0)
    store.close()
    linked = SQLiteStore(str(tmp_path / "link.db"))
    linked.insert([NewJob("x")], TEXT)
    pages = wal.pages(linked.path)
    linked.close()
    assert (dead, is_alone, pages > 0) == ([], False, True)


def test_a_store_knows_when_its_symlink_leads_elsewhere(tmp_path: Path) -> None:
    for name in ("one.db", "two.db"):
        make(tmp_path / name)
    link = tmp_path / "link.db"
    link.symlink_to("one.db")
    store = SQLiteStore(str(link))
    assert store.is_still_there()
    link.unlink()
    link.symlink_to("two.db")
    assert not store.is_still_there()
    store.close()


def test_a_missing_file_is_made_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "queue.db"
    assert refused(path, create=False).exit_code == 4
    assert list(tmp_path.iterdir()) == []
    SQLiteStore(str(path)).close()
    assert path.exists()


def test_an_empty_file_becomes_a_queue_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    path.touch()
    assert refused(path, create=False).exit_code == 4
    assert path.read_bytes() == b""
    SQLiteStore(str(path)).close()
    assert path.read_bytes()[:15] == b"SQLite format 3"


def test_a_blank_database_becomes_a_queue(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    blank = sqlite3.connect(path)
    blank.execute("PRAGMA user_version = 7")
    blank.commit()
    blank.close()
    store = SQLiteStore(str(path))
    assert store.insert([NewJob("x")], TEXT) == [1]
    store.close()


FIRST = """
import sys
from qctl.model import NewJob
from qctl.store.sqlite.store import SQLiteStore
sys.stdin.readline()
store = SQLiteStore(sys.argv[1])
print(*store.insert([NewJob("x")], "2027-01-15 08:00:00.000"), flush=True)
"""


def test_of_eight_processes_that_open_a_missing_file_at_once_all_succeed(tmp_path: Path) -> None:
    for round_ in range(3):
        path = str(tmp_path / f"queue-{round_}.db")
        argv = [sys.executable, "-c", FIRST, path]
        crowd = [
            subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(8)
        ]
        for process in crowd:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=30) for process in crowd]
        assert [err for _, err in said if err] == []
        assert sorted(int(out) for out, _ in said) == list(range(1, 9))
        store = SQLiteStore(path, create=False)
        assert store.read("PRAGMA integrity_check") == [("ok",)]
        assert store.read("PRAGMA auto_vacuum") == [(2,)]
        store.close()


def test_threads_that_open_a_missing_file_at_once_all_succeed(tmp_path: Path) -> None:
    path = str(tmp_path / "queue.db")
    numbers: list[int] = []
    start = threading.Barrier(6)

    def first() -> None:
        start.wait()
        store = SQLiteStore(path)
        numbers.extend(store.insert([NewJob("x")], TEXT))
        store.close()

    threads = [threading.Thread(target=first) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 7))


# -- what is no queue ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [b"x", b"\n", b"to do: buy milk\n", b"{" * 5000, bytes(5000), b"SQLite format 3\0" + b"x" * 4080]
)
@pytest.mark.parametrize("create", [True, False])
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path: Path, text: bytes, create: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(text)
    assert refused(path, create=create).exit_code == 4
    assert path.read_bytes() == text


def test_a_directory_is_refused_with_a_better_name(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert error.exit_code == 4
    assert "directory" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    shop = sqlite3.connect(path)
    shop.executescript("CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1);")
    shop.close()
    before = path.read_bytes()
    for create in (True, False):
        error = refused(path, create=create)
        assert error.exit_code == 4
        assert "qctl init" in str(error)
        assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.3, 0.5, 0.9])
def test_a_truncated_file_is_refused_and_left_as_it_is(tmp_path: Path, share: float) -> None:
    path = tmp_path / "queue.db"
    whole = make(path, 200)
    part = whole[: int(len(whole) * share)]
    path.write_bytes(part)
    assert refused(path).exit_code == 4
    assert path.read_bytes() == part


def test_a_damaged_index_is_said_to_be_damage_when_a_write_meets_it(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    make(path, 200)
    look = sqlite3.connect(path)
    (page,) = look.execute("SELECT rootpage FROM sqlite_master WHERE name = 'jobs_claim'").fetchone()
    look.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    store = SQLiteStore(str(path))
    with pytest.raises(QueueFileError, match="damaged"):
        store.insert([NewJob("x")], TEXT)
    with pytest.raises(QueueFileError, match="damaged"):
        Acts(store).claim()
    assert not store.connection.in_transaction
    store.close()


def test_a_damaged_index_is_said_to_be_damage_by_every_way_to_it(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    make(path, 200)
    store = SQLiteStore(str(path))
    (page,) = store.read("SELECT rootpage FROM sqlite_master WHERE name = 'jobs_claim'")[0]
    store.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    store = SQLiteStore(str(path))
    with pytest.raises(QueueFileError, match="damaged"):
        store.next_due(handlers={"x"}, types=None, queues=None)
    with pytest.raises(QueueFileError, match="damaged"):
        store.read("SELECT type FROM jobs WHERE status = 'pending' ORDER BY priority, queue, type")
    store.close()


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    make(path, 3)
    newer = sqlite3.connect(path)
    newer.execute("UPDATE qctl_settings SET value = ? WHERE name = 'schema_version'", (str(SCHEMA_VERSION + 1),))
    newer.commit()
    newer.close()
    before = path.read_bytes()
    error = refused(path)
    assert error.exit_code == 4
    assert "newer" in str(error) and str(SCHEMA_VERSION + 1) in str(error)
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", ["", "one", "1.5", "0", "-1"])
def test_a_schema_version_that_is_none_is_refused_and_left_as_it_is(tmp_path: Path, version: str) -> None:
    path = tmp_path / "queue.db"
    make(path)
    odd = sqlite3.connect(path)
    odd.execute("UPDATE qctl_settings SET value = ? WHERE name = 'schema_version'", (version,))
    odd.commit()
    odd.close()
    before = path.read_bytes()
    assert refused(path).exit_code == 4
    assert path.read_bytes() == before


def test_a_fifo_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    os.mkfifo(path)
    assert refused(path).exit_code == 4
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_loop_of_symlinks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert refused(tmp_path / "a").exit_code == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert refused(tmp_path / "file" / "queue.db").exit_code == 4


def test_a_refused_file_has_nothing_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    whole = make(path, 50)
    for beside in tmp_path.glob("queue.db-*"):
        beside.unlink()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path)
    path.with_name("notes.txt").write_text("to do")
    refused(path.with_name("notes.txt"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "queue.db"]


# -- permissions --------------------------------------------------------------------------------------------------


@contextmanager
def nobody() -> Iterator[Path]:
    """A folder that is open to all, and no privileges while in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if is_root:
                os.seteuid(0)


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "warm-up.db", 1)  # loads what is imported late
    with nobody() as folder:
        path = folder / "queue.db"
        make(path, 1)
        path.chmod(0)
        assert refused(path).exit_code == 4
        path.chmod(0o600)
        path.unlink()


def test_a_file_that_may_not_be_written_can_be_refused_in_one_line(tmp_path: Path) -> None:
    make(tmp_path / "warm-up.db", 1)
    with nobody() as folder:
        path = folder / "queue.db"
        make(path, 1)
        path.chmod(0o400)
        assert refused(path).exit_code == 4
        path.chmod(0o600)
        for beside in folder.iterdir():
            beside.unlink()


def test_a_folder_that_may_not_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    """The locks and the log stand beside the file."""
    make(tmp_path / "warm-up.db", 1)
    with nobody() as folder:
        home = folder / "home"
        home.mkdir()
        make(home / "queue.db", 1)
        for beside in home.glob("queue.db-*"):
            beside.unlink()
        before = (home / "queue.db").read_bytes()
        home.chmod(0o500)
        try:
            assert refused(home / "queue.db").exit_code == 4
            assert refused(home / "new.db").exit_code == 4
            assert (home / "queue.db").read_bytes() == before
        finally:
            home.chmod(0o700)
            (home / "queue.db").unlink()
            home.rmdir()


# -- while others hold it -----------------------------------------------------------------------------------------


def test_a_file_that_stays_locked_ends_in_exit_5(file_store: SQLiteStore) -> None:
    stranger = sqlite3.connect(file_store.path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    hasty = SQLiteStore(file_store.path, busy_timeout=0.05)
    with pytest.raises(QueueLocked) as refusal:
        hasty.insert([NewJob("x")], TEXT)
    assert refusal.value.exit_code == 5
    assert hasty.read("SELECT count(*) FROM jobs") == [(0,)], "readers are not kept out"
    stranger.execute("ROLLBACK")
    assert hasty.insert([NewJob("x")], TEXT) == [1]
    hasty.close()
    stranger.close()


def test_a_failed_transaction_gives_the_writers_lock_back(file_store: SQLiteStore) -> None:
    with pytest.raises(ZeroDivisionError), file_store.write():
        raise ZeroDivisionError
    with pytest.raises(QueueFileError), file_store.write() as connection:
        connection.execute("SELECT * FROM no_such_table")
    other = SQLiteStore(file_store.path, busy_timeout=0.0)
    assert other.insert([NewJob("x")], TEXT) == [1]
    other.close()


def test_an_interrupt_while_waiting_gives_the_writers_lock_back(
    file_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        in_transaction = False

        def execute(self, *_: object) -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(file_store, "connection", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            file_store.begin()
    other = SQLiteStore(file_store.path, busy_timeout=0.0)
    assert other.insert([NewJob("x")], TEXT) == [1]
    other.close()


def test_an_interrupt_at_the_commit_leaves_no_transaction_open(
    file_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def __init__(self, real: sqlite3.Connection) -> None:
            self.real = real

        @property
        def in_transaction(self) -> bool:
            return self.real.in_transaction

        def execute(self, statement: str) -> object:
            if statement == "COMMIT":
                raise KeyboardInterrupt
            return self.real.execute(statement)

    with monkeypatch.context() as patch:
        patch.setattr(file_store, "connection", Interrupted(file_store.connection))
        with pytest.raises(KeyboardInterrupt), file_store.write():
            pass
    assert file_store.insert([NewJob("x")], TEXT) == [1]
    other = SQLiteStore(file_store.path, busy_timeout=0.0)
    assert other.insert([NewJob("x")], TEXT) == [2]
    other.close()


def test_a_store_knows_when_its_file_is_another(file_store: SQLiteStore, tmp_path: Path) -> None:
    assert file_store.is_still_there()
    os.rename(file_store.path, tmp_path / "moved.db")
    assert not file_store.is_still_there()
    make(Path(file_store.path))
    assert not file_store.is_still_there()
