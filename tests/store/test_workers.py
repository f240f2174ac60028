"""Workers in the queue file: who lives, and what becomes of the jobs of one that died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qctl.model import CANCELLED, FAILED, PENDING, PROCESSING
from qctl.rules import ending
from qctl.rules.when import to_text
from qctl.store.sqlite import marks, workers
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts

WORKER = """
import sys
from qctl.store.sqlite import workers
from qctl.store.sqlite.store import SQLiteStore
store = SQLiteStore(sys.argv[1])
workers.register(store, sys.argv[2], 2, float(sys.argv[3]))
store.claim(sys.argv[2], 2, sys.argv[4], handlers={"x"})
print("working", flush=True)
sys.stdin.readline()
"""


@contextmanager
def worker(store: SQLiteStore, id_: str) -> Iterator[subprocess.Popen[str]]:
    """Another process: a worker of this queue that holds two jobs."""
    argv = [sys.executable, "-c", WORKER, store.path, id_, str(NOW), to_text(NOW)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "working\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def enter(store: SQLiteStore, id_: str, **columns: Any) -> None:
    """A worker's row as it stands in the file, without a process behind it."""
    row = {"id": id_, "host": "elsewhere", "boot": "b", "pid": 1, "concurrency": 1, "started_at": to_text(NOW)}
    row |= {"beat_at": to_text(NOW)} | columns
    marks = ", ".join("?" * len(row))
    store.connection.execute(f"INSERT INTO qctl_workers ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def dead(store: SQLiteStore, now: float = NOW, stale_after: float = 300.0) -> list[str]:
    return [one.id for one in workers.dead_workers(store, "w-me", now, stale_after)]


def statuses(store: SQLiteStore) -> list[str]:
    return [row[0] for row in store.read("SELECT status FROM jobs ORDER BY number")]


# -- who is dead --------------------------------------------------------------------------------------------------


def test_a_worker_of_this_machine_is_dead_when_its_process_is_and_not_before(file_store: SQLiteStore) -> None:
    Acts(file_store).put(*["x"] * 4)
    workers.register(file_store, "w-me", 1, NOW)
    with worker(file_store, "w-1") as first, worker(file_store, "w-2"):
        assert dead(file_store) == []
        assert dead(file_store, NOW + 10**7) == [], "however old its beat"
        first.kill()
        first.wait()
        (found,) = workers.dead_workers(file_store, "w-me", NOW, 300.0)
        assert found.id == "w-1"
        assert str(first.pid) in found.why
    assert sorted(dead(file_store)) == ["w-1", "w-2"]


def test_a_frozen_worker_of_this_machine_is_not_dead(file_store: SQLiteStore) -> None:
    Acts(file_store).put("x")
    workers.register(file_store, "w-me", 1, NOW)
    with worker(file_store, "w-1") as other:
        other.send_signal(signal.SIGSTOP)
        assert dead(file_store, NOW + 10**7) == []
        other.send_signal(signal.SIGCONT)


def test_a_worker_of_another_machine_is_dead_when_it_was_silent_for_too_long(store: SQLiteStore) -> None:
    workers.register(store, "w-me", 1, NOW)
    enter(store, "w-far", beat_at=to_text(NOW))
    assert dead(store, NOW + 300) == []
    assert dead(store, NOW + 300.001) == ["w-far"]
    assert workers.beat(store, "w-far", NOW + 200)
    assert dead(store, NOW + 300.001) == []


def test_a_worker_from_before_a_restart_of_this_machine_is_dead(store: SQLiteStore) -> None:
    workers.register(store, "w-me", 1, NOW)
    enter(store, "w-old", host=os.uname().nodename, boot="an earlier boot")
    assert dead(store) == ["w-old"]


def test_nobody_takes_itself_for_dead(store: SQLiteStore) -> None:
    workers.register(store, "w-me", 1, NOW)
    store.connection.execute("UPDATE qctl_workers SET boot = 'b', host = 'h'")
    assert dead(store, NOW + 10**7) == []


def test_a_worker_whose_row_is_gone_learns_it_from_its_beat(store: SQLiteStore) -> None:
    workers.register(store, "w-me", 1, NOW)
    assert workers.beat(store, "w-me", NOW + 10)
    assert store.read("SELECT beat_at FROM qctl_workers") == [(to_text(NOW + 10),)]
    workers.unregister(store, "w-me")
    assert not workers.beat(store, "w-me", NOW + 20)


def test_the_number_of_a_worker_is_never_given_out_again(store: SQLiteStore) -> None:
    """It is the byte that says who lives: a later worker must not stand in for an earlier one."""
    first = workers.register(store, "w-1", 1, NOW)
    workers.unregister(store, "w-1")
    assert workers.register(store, "w-2", 1, NOW) > first


# -- what becomes of its jobs -------------------------------------------------------------------------------------


def test_the_jobs_of_a_worker_that_was_killed_run_again_and_lose_no_attempt(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put(*["x"] * 3, max_attempts=1)
    workers.register(file_store, "w-me", 1, NOW)
    with worker(file_store, "w-1") as other:
        assert statuses(file_store) == [PROCESSING, PROCESSING, PENDING]
        other.kill()
        other.wait()
    found = workers.dead_workers(file_store, "w-me", NOW + 1, 300.0)
    outcomes = workers.bury(file_store, found, NOW + 1, lambda: 0.0)
    assert [outcome.move and outcome.move.status for outcome in outcomes] == [PENDING, PENDING]
    assert file_store.read("SELECT id FROM qctl_workers") == [("w-me",)]
    row = acts.row(1)
    assert (row["attempts"], row["rescues"], row["locked_by"], row["locked_at"]) == (0, 1, None, None)
    assert [entry[:3] for entry in acts.history(1)] == [(1, "w-1", "lost")]
    assert [lease.number for lease in acts.claim(limit=5, now=NOW + 1)] == [3, 1, 2]
    assert acts.letters() == []


def test_the_dead_are_buried_once_whoever_comes(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x")
    enter(file_store, "w-1")
    (lease,) = acts.claim("w-1")
    other = SQLiteStore(file_store.path)
    found = [workers.Dead("w-1", "it died")]
    assert len(workers.bury(file_store, found, NOW, lambda: 0.0)) == 1
    assert acts.claim("w-2")
    assert workers.bury(other, found, NOW, lambda: 0.0) == []
    assert acts.row(1)["locked_by"] == "w-2"
    assert acts.end(lease, ending.SUCCEEDED, "w-1").move is None
    other.close()


def test_a_cancelled_job_of_a_dead_worker_is_cancelled_and_not_run_again(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x")
    enter(store, "w-1")
    acts.claim("w-1")
    store.connection.execute("UPDATE jobs SET cancel_asked = 1")
    workers.bury(store, [workers.Dead("w-1", "it died")], NOW, lambda: 0.0)
    assert (acts.row(1)["status"], acts.row(1)["cancel_asked"]) == (CANCELLED, 0)
    assert acts.claim() == []


def test_the_tenth_worker_that_dies_with_a_job_is_the_last(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x")
    for death in range(1, ending.MAX_RESCUES + 1):
        enter(store, f"w-{death}")
        assert len(acts.claim(f"w-{death}")) == 1
        workers.bury(store, [workers.Dead(f"w-{death}", "it died")], NOW, lambda: 0.0)
    assert acts.row(1)["status"] == FAILED
    assert len(acts.letters()) == 1
    assert len(acts.history(1)) == ending.MAX_RESCUES


def test_a_death_is_charged_to_what_ran_and_to_nothing_that_waited_in_the_worker(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x", "x", "x", max_attempts=1)
    enter(file_store, "w-1")
    ran, ended, _waited = acts.claim("w-1", limit=3)
    table = marks.Marks(file_store.path, "w-1")
    for lease in (ran, ended):
        table.add(lease.number)
    table.drop(ended.number)
    workers.bury(file_store, [workers.Dead("w-1", "it died")], NOW, lambda: 0.0)
    assert [(acts.row(n)["attempts"], acts.row(n)["rescues"]) for n in (1, 2, 3)] == [(0, 1), (0, 0), (0, 0)]
    assert [acts.history(n)[0][2] for n in (1, 2, 3)] == ["lost", "released", "released"]
    assert not os.path.exists(table.path)
    table.close()


def test_where_it_cannot_be_told_what_ran_all_of_it_is_charged(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x", "x")
    for name, data in (("w-1", None), ("w-2", b"cut"), ("w-3", (1).to_bytes(8, "little") + bytes(8 * marks.PLACES))):
        enter(file_store, name)
        acts.claim(name, limit=2)
        if data is not None:
            Path(file_store.path + marks.MARK + name).write_bytes(data)
        workers.bury(file_store, [workers.Dead(name, "it died")], NOW, lambda: 0.0)
    assert [acts.row(n)["rescues"] for n in (1, 2)] == [3, 3]


def test_a_job_is_not_let_go_for_ever_by_workers_that_die_while_it_does_not_run(file_store: SQLiteStore) -> None:
    """Of the end of a job a worker may die, too: of a result that is too large for it, say."""
    acts = Acts(file_store)
    acts.put("x")
    for death in range(2 * ending.MAX_RESCUES):
        name = f"w-{death}"
        enter(file_store, name)
        assert len(acts.claim(name)) == 1
        marks.Marks(file_store.path, name).take()
        workers.bury(file_store, [workers.Dead(name, "it died")], NOW, lambda: 0.0)
    assert acts.row(1)["status"] == FAILED
    assert len(acts.letters()) == 1


def test_more_jobs_than_there_are_places_leave_it_open_what_runs(tmp_path: Path) -> None:
    table = marks.Marks(str(tmp_path / "queue.db"), "w-1")
    for number in range(1, marks.PLACES):
        table.add(number)
    assert marks.running(str(tmp_path / "queue.db"), "w-1") == set(range(1, marks.PLACES))
    table.add(marks.PLACES)
    assert marks.running(str(tmp_path / "queue.db"), "w-1") is None
    table.drop(marks.PLACES)
    table.drop(1)
    table.close()


def test_a_job_that_completes_in_between_begins_its_count_anew(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x")
    for _ in range(3):
        acts.end(acts.claim()[0], ending.LOST)
    (lease,) = acts.claim()
    assert lease.rescues == 3
    acts.end(lease, ending.SUCCEEDED)
    assert acts.row(1)["rescues"] == 0


def test_a_restart_of_the_machine_is_charged_to_no_job(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x", max_attempts=1)
    for restart in range(ending.MAX_RESCUES + 1):
        enter(store, f"w-{restart}", host=os.uname().nodename, boot="an earlier boot")
        acts.claim(f"w-{restart}")
        workers.bury(store, workers.dead_workers(store, "w-me", NOW, 300.0), NOW, lambda: 0.0)
    row = acts.row(1)
    assert (row["status"], row["attempts"], row["rescues"]) == (PENDING, 0, 0)
    assert {entry[2] for entry in acts.history(1)} == {"restarted"}


def test_a_worker_knows_what_it_holds_by_the_file(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x", "x", "x")
    acts.claim("w-1", limit=2)
    acts.claim("w-2")
    assert workers.held_leases(store, "w-1") == {(1, 1), (2, 1)}
    assert workers.held_leases(store, "w-9") == set()


def test_a_worker_is_frozen_when_its_lease_is_over_by_the_machines_own_clock(file_store: SQLiteStore) -> None:
    import time

    Acts(file_store).put("x")
    workers.register(file_store, "w-me", 1, NOW)
    with worker(file_store, "w-1") as other:
        clock = time.monotonic()
        assert workers.frozen_workers(file_store, "w-me", clock) == []
        ((_number, id_, pid),) = workers.frozen_workers(file_store, "w-me", clock + workers.STALE_AFTER + 1)
        assert (id_, pid) == ("w-1", other.pid)
        assert workers.beat(file_store, "w-1", NOW, 1000.0)
        assert workers.frozen_workers(file_store, "w-me", clock + workers.STALE_AFTER + 1) == []
        other.kill()
        other.wait()
    assert workers.frozen_workers(file_store, "w-me", clock + 10**6) == [], "it is dead, which is told otherwise"


@pytest.mark.parametrize("started_at", [None, "", "at noon", "2027-01-15T07:59:00Z"])
def test_what_stands_in_started_at_keeps_no_rescue_from_happening(
    store: SQLiteStore, acts: Acts, started_at: object
) -> None:
    acts.put("x")
    enter(store, "w-1")
    acts.claim("w-1")
    store.connection.execute("UPDATE jobs SET started_at = ?", (started_at,))
    assert len(workers.bury(store, [workers.Dead("w-1", "it died")], NOW, lambda: 0.0)) == 1
    assert acts.row(1)["status"] == PENDING
