"""Children: what a run adds to its own job is there once it completes it, once, and not otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import BadValue, Lease, NewJob
from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.when import to_text
from qctl.store.sqlite.children import Late
from qctl.store.sqlite.store import SQLiteStore
from tests.profile import examples
from tests.store.conftest import NOW, Acts

BAD = [ending.ERROR, ending.SNOOZE, ending.STOPPED, ending.LOST, ending.DEAD, ending.CANCEL, ending.TIMEOUT]


@pytest.fixture
def lease(acts: Acts) -> Lease:
    acts.put("parent")
    return acts.claim()[0]


def child(store: SQLiteStore, lease: Lease, **more: object) -> int:
    """What `qctl enqueue` in the run of this lease stores."""
    job = NewJob("child", more={"parent": lease.number, "lease": lease.token, "status": "blocked", **more})
    return store.insert([job], to_text(NOW))[0]


def test_what_a_command_adds_waits_for_its_completion_and_comes_with_it(
    store: SQLiteStore, acts: Acts, lease: Lease
) -> None:
    number = child(store, lease)
    assert acts.row(number)["status"] == "blocked" and not acts.claim()
    acts.end(lease, ending.SUCCEEDED, result='{"n":1}')
    assert acts.row(number)["status"] == "pending"
    claimed = acts.claim()[0]
    assert (claimed.number, claimed.inputs) == (number, '{"1":{"n":1}}')


@pytest.mark.parametrize("how", BAD)
def test_a_run_that_does_not_complete_takes_along_what_it_added_and_the_next_adds_it_again(
    store: SQLiteStore, acts: Acts, lease: Lease, how: str
) -> None:
    first = child(store, lease, key="k")
    second = store.insert([NewJob("t", more={"needs": [("ended", [first])], "status": "blocked"})], to_text(NOW))[0]
    acts.end(lease, how, after=0.0)
    row = acts.row(first)
    assert (row["status"], row["key"]) == ("cancelled", None)
    assert "the run of job 1" in row["last_error"]
    assert acts.row(second)["status"] == "pending"
    if acts.row(1)["status"] == "pending":
        again = next(one for one in acts.claim(limit=9, now=NOW + 99) if one.number == 1)
        third = child(store, again, key="k", key_since=to_text(0.0))
        assert third not in (first, second)
        acts.end(again, ending.SUCCEEDED, now=NOW + 99)
        assert acts.row(third)["status"] == "pending"
    assert acts.row(first)["status"] == "cancelled"


def test_a_run_that_lost_its_lease_adds_nothing(store: SQLiteStore, acts: Acts, lease: Lease) -> None:
    acts.end(lease, ending.LOST)
    with pytest.raises(Late, match="--now"):
        child(store, lease)
    assert acts.claim()[0].number == 1
    with pytest.raises(Late):
        child(store, lease)
    assert store.read("SELECT count(*) FROM jobs") == [(1,)]


def test_after_its_completion_a_run_adds_jobs_at_once(store: SQLiteStore, acts: Acts, lease: Lease) -> None:
    acts.end(lease, ending.SUCCEEDED)
    assert acts.row(child(store, lease))["status"] == "pending"
    store.connection.execute("DELETE FROM jobs WHERE number = 1")
    assert acts.row(child(store, lease))["status"] == "pending"


def test_a_child_that_somebody_else_asked_for_by_its_key_stays_when_its_run_fails(
    store: SQLiteStore, acts: Acts, lease: Lease
) -> None:
    number = child(store, lease, key="k")
    assert child(store, lease, key="k") == number and acts.row(number)["status"] == "blocked"
    assert store.insert([NewJob("child", more={"key": "k"})], to_text(NOW)) == [number]
    acts.end(lease, ending.DEAD)
    assert acts.row(number)["status"] == "pending"


def test_a_child_may_wait_for_others_too_but_for_no_other_end_of_its_own_job(
    store: SQLiteStore, acts: Acts, lease: Lease
) -> None:
    other = acts.put("other")[0]
    number = child(store, lease, needs=[("ended", [other]), ("completed", [lease.number])])
    acts.end(lease, ending.SUCCEEDED)
    assert acts.row(number)["status"] == "blocked"
    acts.end(acts.claim()[0], ending.DEAD)
    assert acts.row(number)["status"] == "pending"
    with pytest.raises(BadValue, match="--now"):
        child(store, lease, needs=[("failed", [lease.number])])


def test_a_child_is_no_dependant_that_a_cancel_asks_about(queue: Queue, acts: Acts) -> None:
    one = Acts(queue.store)
    one.put("parent")
    child(queue.store, one.claim()[0])
    assert queue.left_behind([1]) == []


# -- the children of handlers -----------------------------------------------------------------------------------------


def test_what_a_handler_adds_is_stored_with_its_completion(store: SQLiteStore, acts: Acts, lease: Lease) -> None:
    children = [
        NewJob("a", id="a-1"), NewJob("b", more={"needs": [("completed", ["a-1"])], "status": "blocked"}),
    ]  # fmt: skip
    acts.end(lease, ending.SUCCEEDED, result="[1]", children=children)
    assert [(acts.row(n)["parent"], acts.row(n)["status"]) for n in (2, 3)] == [(1, "pending"), (1, "blocked")]
    assert acts.claim()[0].inputs == '{"1":[1]}'


def test_a_later_child_waits_for_the_job_that_the_key_of_an_earlier_one_led_to(
    store: SQLiteStore, acts: Acts, lease: Lease
) -> None:
    held = store.insert([NewJob("a", more={"key": "k"})], to_text(NOW))[0]
    children = [
        NewJob("a", id="a-1", more={"key": "k"}), NewJob("b", more={"needs": [("completed", ["a-1"])], "status": "blocked"}),
    ]  # fmt: skip
    acts.end(lease, ending.SUCCEEDED, children=children)
    assert store.read("SELECT needs FROM qctl_needs WHERE job = 3 ORDER BY needs") == [(1,), (held,)]


@pytest.mark.parametrize(
    "wrong", [NewJob("b", more={"needs": [("completed", [77])], "status": "blocked"}), NewJob("b", id="a-1")]
)
def test_a_child_that_cannot_be_stored_fails_the_attempt_of_its_parent_and_no_other_job(
    store: SQLiteStore, acts: Acts, lease: Lease, wrong: NewJob
) -> None:
    acts.put("other")
    other = acts.claim()[0]
    ended = [
        acts.ending(lease, ending.SUCCEEDED, children=[NewJob("a", id="a-1"), wrong]),
        acts.ending(other, ending.SUCCEEDED),
    ]
    outcomes = store.finish("w-1", ended, to_text(NOW), lambda: 0.0)
    assert [one.move and one.move.status for one in outcomes] == ["pending", "completed"]
    assert acts.row(1)["last_error"].startswith("a job it adds: ")
    assert store.read("SELECT count(*) FROM jobs") == [(2,)]
    assert acts.row(2)["status"] == "completed"


def test_a_late_completion_adds_nothing(store: SQLiteStore, acts: Acts, lease: Lease) -> None:
    acts.end(lease, ending.LOST)
    acts.claim("w-2")
    assert acts.end(lease, ending.SUCCEEDED, children=[NewJob("a")]).move is None
    assert store.read("SELECT count(*) FROM jobs") == [(1,)]


@given(st.lists(st.tuples(st.sampled_from([*BAD, ending.SUCCEEDED]), st.integers(0, 3), st.booleans()), max_size=12))
@settings(max_examples=examples(40))
def test_of_any_runs_the_completing_one_alone_adds_jobs(runs: list[tuple[str, int, bool]]) -> None:
    """A model: what is there in the end is what the runs that completed had added, by whichever way."""
    with Queue(":memory:") as queue:
        acts = Acts(queue.store)
        expected = 0
        for how, count, by_command in runs:
            number = acts.put("parent", max_attempts=2)[0]
            lease = acts.claim(types={"parent"}, now=NOW + 999)[0]
            if by_command:
                for _ in range(count):
                    child(queue.store, lease)
            plain = [] if by_command else [NewJob("child") for _ in range(count)]
            acts.end(lease, how, after=None, now=NOW + 999, children=plain if how == ending.SUCCEEDED else [])
            expected += count if how == ending.SUCCEEDED else 0
            queue.cancel([number, lease.number])
        found = queue.store.read("SELECT status, count(*) FROM jobs WHERE type = 'child' GROUP BY status")
        assert dict(found).get("pending", 0) == expected
        assert "blocked" not in dict(found)
