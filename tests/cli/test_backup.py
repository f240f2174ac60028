"""`backup`: a whole copy or none, while the queue goes on."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from tests.states import damaged

Cli = Callable[..., Any]


def test_the_copy_is_a_queue_with_everything_in_it(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    numbers = [int(queue.enqueue("a", {"n": n})) for n in range(50)]
    done = cli("backup", str(tmp_path / "copy.db"), "--json")
    assert done.code == 0
    assert json.loads(done.out)["jobs"] == 50
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("copy")) == ["copy.db"]
    with Queue(tmp_path / "copy.db", create=False) as copy:
        assert copy.numbers([f"{numbers[0]}-{numbers[-1]}"]) == numbers
        assert copy.store.read("PRAGMA journal_mode") == [("wal",)]
        assert copy.enqueue("b") == numbers[-1] + 1


def test_it_overwrites_only_with_force(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    queue.enqueue("a")
    target = tmp_path / "copy.db"
    target.write_text("precious")
    refused = cli("backup", str(target))
    assert refused.code == 2
    assert "--force" in refused.err
    assert target.read_text() == "precious"
    assert cli("backup", str(target), "--force").code == 0
    with Queue(target, create=False) as copy:
        assert copy.count() == 1


def test_it_never_writes_over_the_queue_nor_one_in_use(cli: Cli, queue: Queue, db: Path, tmp_path: Path) -> None:
    queue.enqueue("a")
    for own in (db, tmp_path / "queue.db-wal", tmp_path / "queue.db-lock"):
        assert cli("backup", str(own), "--force").code == 2
    with Queue(tmp_path / "other.db") as other:
        other.enqueue("b")
        assert cli("backup", str(tmp_path / "other.db"), "--force").code == 2
    assert queue.count() == 1


def test_a_dash_streams_it(cli: Cli, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    from qctl.cli.main import run

    queue.enqueue("a")
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("QCTL_DB", queue.path)
    assert run(["backup", "-"]) == 0
    assert isinstance(out.buffer, io.BytesIO)
    (tmp_path / "streamed.db").write_bytes(out.buffer.getvalue())
    with Queue(tmp_path / "streamed.db", create=False) as copy:
        assert copy.count() == 1


def test_it_is_consistent_while_others_write(cli: Cli, queue: Queue, db: Path, tmp_path: Path) -> None:
    """Pairs are stored in one transaction each: a copy with half a pair would be torn."""
    stop = threading.Event()

    def write() -> None:
        with Queue(db) as own:
            while not stop.is_set():
                own.enqueue_many([{"type": "left"}, {"type": "right"}])

    queue.enqueue_many([{"type": "filler", "payload": {"x": "y" * 2000}}] * 3000)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(3):
            assert cli("backup", str(tmp_path / f"{turn}.db")).code == 0
    finally:
        stop.set()
        writer.join()
    for turn in range(3):
        connection = sqlite3.connect(tmp_path / f"{turn}.db")
        counts = dict(connection.execute("SELECT type, count(*) FROM jobs GROUP BY type"))
        connection.close()
        assert counts.get("left") == counts.get("right")
        assert counts["filler"] == 3000


def test_what_cannot_be_written_is_exit_4_and_leaves_nothing(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    import resource

    queue.enqueue_many([{"type": "filler", "payload": {"x": "y" * 2000}}] * 500)
    assert cli("backup", str(tmp_path / "no" / "copy.db")).code == 4
    before = sorted(tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        done = cli("backup", str(tmp_path / "copy.db"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.code == 4
    assert done.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_of_a_damaged_queue_there_is_no_backup(cli: Cli, db: Path, tmp_path: Path) -> None:
    damaged(db)
    done = cli("backup", str(tmp_path / "copy.db"))
    assert done.code == 4
    assert not (tmp_path / "copy.db").exists()
