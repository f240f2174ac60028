"""A foreach and the jobs of a handler where the store refuses: ids that are taken, and a disk that fails in the middle."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from qctl import JobContext, Queue, flow, handlers, item, step
from qctl.handlers import handler
from qctl.model import DiskFault, NewJob
from qctl.rules import ending
from qctl.rules.when import to_text
from qctl.store.sqlite import fan, insert
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setattr(handlers, "registry", {})

    @handler("give")
    def give(it: Any = None) -> Any:
        return it

    @handler("parent", max_attempts=1)
    def parent(job: JobContext) -> None:
        job.enqueue("give", {"it": 1})
        job.enqueue("give", {"it": 2}, id="taken")

    with Queue(":memory:") as one:
        yield one


def made(queue: Queue) -> list[str]:
    return sorted(job.step for job in queue.find() if job.parent is not None)


@pytest.mark.parametrize("place", [0, 5])
def test_a_foreach_whose_ids_are_taken_fails_with_the_reason_and_stops_nobody(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr(fan, "CHUNK", 4)  # so that the second id is met when some of the jobs are there
    give = step("give", {"it": list(range(7))}, name="give")
    queue.run_flow(flow("f", give, step("give", {"it": item}, name="each", foreach=give.result)))
    each = next(job for job in queue.find() if job.step == "each")
    taker = queue.enqueue("give", id=f"{each.id}/{place}", delay=9e6)
    queue.enqueue("give", {"it": "another"}, priority=-1)
    queue.run_inline()
    after = queue.get(each.number)
    assert after.status == "failed"
    assert after.last_error == f"id: '{each.id}/{place}' is taken by another job: the jobs of a foreach are called so"
    assert made(queue) == [f"each[{n}]" for n in range(4 if place else 0)]
    assert [job.result for job in queue.find() if job.priority == -1] == ["another"]
    with queue.store.write() as connection:
        connection.execute("DELETE FROM jobs WHERE number = ?", (taker.number,))
    queue.retry([each.number])
    queue.run_inline()
    assert queue.get(each.number).result == list(range(7)) and len(made(queue)) == 7


def test_a_job_to_add_whose_id_is_taken_fails_the_attempt_and_adds_none(queue: Queue) -> None:
    queue.enqueue("give", id="taken", delay=9e6)
    parent = queue.enqueue("parent")
    queue.run_inline()
    job = queue.get(parent.number)
    assert job.status == "failed" and "'taken' is taken by another job" in job.last_error
    assert queue.count() == 2


def broken(connection: sqlite3.Connection, *_rest: Any) -> list[int]:
    """What SQLite does when the disk fails in a statement: it ends the transaction, and every savepoint in it."""
    connection.execute("ROLLBACK")
    raise sqlite3.OperationalError("disk I/O error")


def test_a_disk_that_fails_while_children_are_stored_is_named_and_the_run_can_be_ended_again(
    acts: Acts, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts.put("parent")
    (lease,) = acts.claim()
    with monkeypatch.context() as patch:
        patch.setattr(insert, "insert_jobs", broken)
        with pytest.raises(DiskFault, match="disk I/O error"):
            acts.end(lease, ending.SUCCEEDED, children=[NewJob("child")])
    assert acts.row(1)["status"] == "processing" and acts.store.read("SELECT count(*) FROM jobs") == [(1,)]
    acts.end(lease, ending.SUCCEEDED, children=[NewJob("child")])
    assert acts.store.read("SELECT status FROM jobs ORDER BY number") == [("completed",), ("pending",)]


def test_a_disk_that_fails_in_the_callers_transaction_is_named(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = store.connection
    monkeypatch.setattr(insert, "insert_jobs", broken)
    connection.execute("BEGIN")
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        store.insert([NewJob("a"), NewJob("b")], to_text(NOW), connection)
    assert not connection.in_transaction


def test_a_file_that_is_full_ends_a_run_with_children_whole_or_not_at_all(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("parent")
    (lease,) = acts.claim()
    pages = file_store.read("PRAGMA page_count")[0][0]
    file_store.connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    many = [NewJob("child", '{"x":"' + "y" * 3000 + '"}') for _ in range(99)]
    with pytest.raises(DiskFault):
        acts.end(lease, ending.SUCCEEDED, children=many)
    assert not file_store.connection.in_transaction
    assert file_store.read("SELECT status, count(*) FROM jobs GROUP BY status") == [("processing", 1)]
    file_store.connection.execute("PRAGMA max_page_count = 1073741823")
    acts.end(lease, ending.SUCCEEDED, children=many)
    assert acts.row(1)["status"] == "completed" and file_store.read("SELECT count(*) FROM jobs") == [(100,)]
