"""The spool: ends that the queue file could not take are not lost, and change nothing that has gone on without them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from qctl.model import COMPLETED, PENDING, PROCESSING, NewJob
from qctl.rules import ending
from qctl.rules.ending import Ending, Facts
from qctl.rules.when import to_text
from qctl.store.sqlite import doctor, spool, workers
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts

NOTHING: dict[str, Any] = {"rows": [], "gone": None, "limit": 100}


def enter(store: SQLiteStore, worker: str) -> None:
    columns = (worker, os.uname().nodename, "an earlier boot", 1, 1, to_text(NOW), to_text(NOW), None)
    marks = ", ".join("?" * len(columns))
    store.connection.execute(
        "INSERT INTO qctl_workers (id, host, boot, pid, concurrency, started_at, beat_at, lease_until)"
        f" VALUES ({marks})",
        columns,
    )


def kept(store: SQLiteStore, lease: Any, worker: str = "w-1", how: str = ending.SUCCEEDED, **more: Any) -> spool.Spool:
    """A worker that could not write how its run ended."""
    one = spool.Spool(store.path, worker)
    end = Ending(lease.number, lease.token, how, started_at=NOW, finished_at=NOW + 1, **more)
    facts = Facts(lease.attempts, lease.max_attempts, lease.backoff, lease.rescues)
    output = {"rows": [(0, 1, b"\x00\xff\n"), (3, 2, b"e")], "gone": None, "limit": 100}
    one.keep([(end, facts, output)])
    return one


def test_what_a_dead_worker_had_spooled_is_written_down_before_its_jobs_are_given_back(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x", "x")
    enter(file_store, "w-1")
    first, _second = acts.claim("w-1", limit=2)
    one = kept(file_store, first, result='{"n":1}', exit_code=0)
    assert stat.S_IMODE(os.stat(one.path).st_mode) == 0o600
    dead = workers.dead_workers(file_store, "w-2", NOW + 2, 300.0)
    workers.bury(file_store, dead, NOW + 2, lambda: 0.0)
    row = acts.row(1)
    assert (row["status"], row["result"], row["exit_code"], row["worker"]) == (COMPLETED, '{"n":1}', 0, "w-1")
    assert (row["attempts"], row["rescues"]) == (1, 0)
    assert acts.row(2)["status"] == PENDING, "this one had not ended"
    output = file_store.read("SELECT position, stream, data FROM qctl_output ORDER BY position")
    assert output == [(0, 1, b"\x00\xff\n"), (3, 2, b"e")]
    assert not os.path.exists(one.path)


def test_a_spool_that_comes_too_late_changes_nothing(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x")
    enter(file_store, "w-1")
    (lease,) = acts.claim("w-1")
    one = kept(file_store, lease)
    file_store.connection.execute("UPDATE jobs SET status = 'pending', locked_by = NULL")  # somebody gave it back
    (again,) = acts.claim("w-2")
    before = acts.row(1)
    outcomes = spool.replay_leftovers(file_store, NOW + 5, lambda: 0.0)
    assert outcomes == [], "its worker is entered: it may still live"
    workers.unregister(file_store, "w-1")
    (outcome,) = spool.replay_leftovers(file_store, NOW + 5, lambda: 0.0)
    assert outcome.move is None
    assert acts.row(1) == before
    assert before["token"] == again.token
    assert file_store.read("SELECT * FROM qctl_output") == [], "nor does its output"
    assert not os.path.exists(one.path)


def test_a_spool_is_replayed_once_however_often(file_store: SQLiteStore) -> None:
    """A worker may die between the commit and the deletion of its spool."""
    acts = Acts(file_store)
    acts.put("x", max_attempts=3)
    (lease,) = acts.claim("w-1")
    one = kept(file_store, lease, how=ending.ERROR, error="b\udcffoom")
    text = Path(one.path).read_bytes()
    spool.replay_leftovers(file_store, NOW + 5, lambda: 0.0)
    row, history = acts.row(1), acts.history(1)
    assert (row["status"], row["attempts"]) == (PENDING, 1)
    Path(one.path).write_bytes(text)
    spool.replay_leftovers(file_store, NOW + 9, lambda: 0.0)
    assert (acts.row(1), acts.history(1)) == (row, history)


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_half_a_line_was_never_acknowledged_and_is_none(file_store: SQLiteStore, cut: int) -> None:
    acts = Acts(file_store)
    acts.put("x", "x")
    first, second = acts.claim("w-1", limit=2)
    one = kept(file_store, first)
    other = spool.Spool(file_store.path, "w-1")
    other.keep(
        [(Ending(2, second.token, ending.SUCCEEDED, started_at=NOW, finished_at=NOW), Facts(1, 5, None), NOTHING)]
    )
    data = Path(one.path).read_bytes()
    Path(one.path).write_bytes(data[:-cut])
    assert len(spool.replay_leftovers(file_store, NOW + 5, lambda: 0.0)) == 1
    assert [acts.row(number)["status"] for number in (1, 2)] == [COMPLETED, PROCESSING]


def test_what_is_kept_is_kept_once_and_gone_when_it_is_written(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x")
    (lease,) = acts.claim("w-1")
    one = kept(file_store, lease)
    size = os.path.getsize(one.path)
    end = Ending(1, lease.token, ending.SUCCEEDED, started_at=NOW, finished_at=NOW)
    one.keep([(end, Facts(1, 5, None), NOTHING)])
    assert os.path.getsize(one.path) == size
    assert one.holds([end])
    one.clear()
    assert not os.path.exists(one.path)
    assert not one.holds([end])


def test_a_spool_that_is_a_link_is_not_followed(file_store: SQLiteStore, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    one = spool.Spool(file_store.path, "w-1")
    os.symlink(victim, one.path)
    with pytest.raises(OSError):
        one.keep([(Ending(1, 1, ending.SUCCEEDED, started_at=NOW, finished_at=NOW), Facts(1, 5, None), NOTHING)])
    assert victim.read_text() == "precious"
    assert spool.read(file_store.path, "w-1") == []


def test_doctor_names_what_dead_workers_left_and_writes_it_down(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x")
    (lease,) = acts.claim("w-1")
    kept(file_store, lease)
    (finding,) = doctor.spools(file_store, NOW)
    assert (finding.level, finding.mend) == (doctor.WRONG, "qctl doctor --fix")
    assert "w-1" in finding.found and "1 results" in finding.found
    assert finding.fix is not None
    finding.fix()
    assert list(doctor.spools(file_store, NOW)) == []
    assert acts.row(1)["status"] == COMPLETED


@pytest.mark.parametrize("worker", ["../elsewhere", "a\0b", "", "a/b"])
def test_a_worker_that_is_called_like_a_path_leads_nowhere(
    file_store: SQLiteStore, tmp_path: Path, worker: str
) -> None:
    """Whoever can write rows of qctl_workers cannot have files read, or removed, elsewhere."""
    target = Path(str(file_store.path) + "-spool-")
    target.mkdir()
    victim = tmp_path / "elsewhere"
    victim.write_text("{}\n")
    assert spool.read(file_store.path, worker) == []
    spool.remove(file_store.path, worker)
    assert victim.exists()


def test_children_go_through_the_spool_with_the_end_that_brings_them(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("parent")
    (lease,) = acts.claim("w-1")
    kept(file_store, lease, children=[NewJob("child", '{"n":1}', id="child-1")])
    rows = spool.read(file_store.path, "w-1")
    with file_store.write() as connection:
        spool.replay(connection, "w-1", rows, NOW, lambda: 0.0)
    assert file_store.read("SELECT type, status, parent FROM jobs ORDER BY number") == [
        ("parent", COMPLETED, None),
        ("child", PENDING, 1),
    ]


def test_a_line_that_cannot_be_taken_keeps_nobody_from_the_others(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("a")
    (lease,) = acts.claim("w-1")
    kept(file_store, lease)
    rows = [{"rows": []}, *spool.read(file_store.path, "w-1")]
    with file_store.write() as connection:
        spool.replay(connection, "w-1", rows, NOW, lambda: 0.0)
    assert acts.row(1)["status"] == COMPLETED
