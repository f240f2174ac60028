"""The claim: who gets which job, in which order, under which lease."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from qctl.model import STATUSES, TypeDefaults
from qctl.rules import ending
from qctl.rules.when import to_text
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts, Everything


def numbers(leases: list[Any]) -> list[int]:
    return [lease.number for lease in leases]


# -- order --------------------------------------------------------------------------------------------------------


def test_the_highest_priority_comes_first_then_the_oldest_due_then_the_lowest_number(acts: Acts) -> None:
    early, late = to_text(NOW - 60), to_text(NOW - 30)
    plan = [(0, early), (10, late), (0, early), (10, early), (-5, early), (2**63 - 1, late), (-(2**63), early)]
    for priority, due in plan:
        acts.put("x", priority=priority, scheduled_at=due)
    assert numbers(acts.claim(limit=10)) == [6, 4, 2, 1, 3, 5, 7]


def test_types_and_queues_of_one_priority_stand_in_one_line(acts: Acts) -> None:
    for index, (type_, queue) in enumerate([("b", "q2"), ("a", "q1"), ("b", "q1"), ("a", "q2"), ("a", "q1")]):
        acts.put(type_, queue=queue, scheduled_at=to_text(NOW - 100 + index))
    assert numbers(acts.claim(limit=3)) == [1, 2, 3]
    assert numbers(acts.claim(limit=3)) == [4, 5]


def test_commands_and_typed_jobs_of_one_type_stand_in_one_line(acts: Acts) -> None:
    for command in ('["ls"]', None, '["ls"]', None):
        acts.put("x", command=command)
    assert numbers(acts.claim(limit=10)) == [1, 2, 3, 4]


def test_one_at_a_time_gives_the_same_order_as_all_at_once(acts: Acts) -> None:
    for index in range(12):
        acts.put("abc"[index % 3], priority=index % 2, queue="qr"[index % 2 == 0], scheduled_at=to_text(NOW - index))
    expected = [
        row[0] for row in acts.store.read("SELECT number FROM jobs ORDER BY priority DESC, scheduled_at, number")
    ]
    got = []
    while leases := acts.claim():
        got += numbers(leases)
    assert got == expected


# -- what is due --------------------------------------------------------------------------------------------------


def test_a_job_is_due_from_its_very_millisecond_on(acts: Acts) -> None:
    acts.put("x", scheduled_at=to_text(NOW))
    assert acts.claim(now=NOW - 0.001) == []
    assert numbers(acts.claim(now=NOW)) == [1]


def test_only_pending_jobs_are_claimed(acts: Acts, plain: sqlite3.Connection) -> None:
    for status in STATUSES:
        plain.execute("INSERT INTO jobs (type, status, scheduled_at) VALUES ('x', ?, '2020-01-01')", (status,))
    assert numbers(acts.claim(limit=10)) == [STATUSES.index("pending") + 1]


def test_nothing_is_claimed_where_nothing_is_wanted(acts: Acts) -> None:
    acts.put("x", "x")
    assert acts.claim(limit=0) == []
    assert acts.row(1)["status"] == "pending"


def test_a_delayed_job_ahead_does_not_keep_others_waiting(acts: Acts) -> None:
    acts.put("x", priority=20, scheduled_at=to_text(NOW + 3600))
    acts.put("x", priority=0)
    assert numbers(acts.claim(limit=5)) == [2]


# -- who may take what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"handlers": ()}, [3, 4]),
        ({"handlers": {"a"}}, [1, 3, 4]),
        ({"handlers": {"a", "b"}}, [1, 2, 3, 4, 5]),
        ({"handlers": {"a", "b"}, "commands": False}, [1, 2, 5]),
        ({"handlers": (), "commands": False}, []),
        ({"handlers": {"a", "b"}, "types": {"b"}}, [2, 4, 5]),
        ({"handlers": {"a"}, "types": {"b"}}, [4]),
        ({"handlers": {"a", "b"}, "queues": {"other"}}, [5]),
        ({"handlers": {"a", "b"}, "queues": {"default"}}, [1, 2, 3, 4]),
        ({"handlers": {"a", "b"}, "queues": {"default"}, "types": {"a"}}, [1, 3]),
        ({"handlers": {"a", "b"}, "queues": {"none"}}, []),
    ],
)
def test_a_worker_gets_what_it_can_run_and_was_told_to(
    acts: Acts, options: dict[str, Any], expected: list[int]
) -> None:
    acts.put("a", "b")
    acts.put("a", "b", command='["ls"]')
    acts.put("b", queue="other")
    assert numbers(acts.claim(limit=10, **options)) == expected
    others = set(range(1, 6)) - set(expected)
    assert all(acts.row(number)["status"] == "pending" for number in others)


def test_names_of_any_script_and_case_are_lanes_of_their_own(acts: Acts) -> None:
    names = ["a", "A", "é", "日本", "z" * 200, "a'b", "%"]
    acts.put(*names)
    for name in names:
        assert [lease.type for lease in acts.claim(handlers={name})] == [name]


# -- the lease ----------------------------------------------------------------------------------------------------


def test_a_lease_says_all_that_a_worker_needs(acts: Acts) -> None:
    acts.put(
        "x",
        payload='{"a":1}',
        id="i-1",
        priority=3,
        queue="q",
        max_attempts=7,
        timeout=2.5,
        backoff="fixed:1s",
        command='["ls"]',
        cwd="/srv",
        env='{"A":"b"}',
    )
    (lease,) = acts.claim()
    expected = {
        "number": 1, "id": "i-1", "type": "x", "payload": '{"a":1}', "priority": 3, "queue": "q", "attempts": 1,
        "max_attempts": 7, "token": 1, "rescues": 0, "backoff": "fixed:1s", "timeout": 2.5, "command": '["ls"]',
        "cwd": "/srv", "env": '{"A":"b"}', "created_at": to_text(NOW),
    }  # fmt: skip
    assert {name: getattr(lease, name) for name in expected} == expected


def test_a_claimed_job_says_who_runs_it_and_since_when(acts: Acts) -> None:
    acts.put("x")
    acts.claim("w-7", now=NOW + 5)
    row = acts.row(1)
    assert (row["status"], row["attempts"], row["token"], row["locked_by"]) == ("processing", 1, 1, "w-7")
    assert row["locked_at"] == row["started_at"] == row["updated_at"] == to_text(NOW + 5)


def test_no_job_is_leased_twice(acts: Acts) -> None:
    acts.put(*["x"] * 10)
    first, second = acts.claim("w-1", limit=6), acts.claim("w-2", limit=6)
    assert (numbers(first), numbers(second)) == ([1, 2, 3, 4, 5, 6], [7, 8, 9, 10])
    assert acts.claim("w-3", limit=6) == []
    holders = [row[0] for row in acts.store.read("SELECT locked_by FROM jobs ORDER BY number")]
    assert holders == ["w-1"] * 6 + ["w-2"] * 4


def test_gaps_between_claimed_numbers_are_left_alone(acts: Acts) -> None:
    acts.put("a", "b", "a", "a", "c", "a")
    assert numbers(acts.claim(limit=10, handlers={"a"})) == [1, 3, 4, 6]
    assert [row[0] for row in acts.store.read("SELECT number FROM jobs WHERE status = 'pending'")] == [2, 5]


def test_the_token_grows_with_every_claim_whatever_ended_the_last(acts: Acts) -> None:
    acts.put("x", max_attempts=20, backoff="fixed:0s")
    tokens = []
    for how in (ending.ERROR, ending.STOPPED, ending.LOST, ending.SNOOZE, ending.TIMEOUT, ending.SUCCEEDED):
        (lease,) = acts.claim()
        tokens.append(lease.token)
        acts.end(lease, how, after=0.0 if how == ending.SNOOZE else None)
    assert tokens == sorted(set(tokens))


def test_two_connections_never_get_the_same_job(file_store: SQLiteStore) -> None:
    Acts(file_store).put(*["x"] * 40)
    other = SQLiteStore(file_store.path)
    got: list[int] = []
    stores = [file_store, other]
    while leases := stores[0].claim("w", 3, to_text(NOW), handlers=Everything()):
        got += numbers(leases)
        stores.reverse()
    other.close()
    assert got == list(range(1, 41))


# -- what a type says ---------------------------------------------------------------------------------------------


def test_a_types_defaults_hold_where_the_job_says_nothing(acts: Acts) -> None:
    acts.put("x")
    (lease,) = acts.claim(defaults={"x": TypeDefaults(2, "fixed:9s", 1.5)})
    assert (lease.max_attempts, lease.backoff, lease.timeout) == (2, "fixed:9s", 1.5)
    assert acts.row(1)["max_attempts"] == 2  # everybody who looks sees how many there will be
    assert (acts.row(1)["status"], acts.row(1)["attempts"], acts.row(1)["token"]) == ("processing", 1, 1)


def test_what_the_job_says_itself_wins_over_its_type(acts: Acts) -> None:
    acts.put("x", max_attempts=5, backoff="fixed:1s", timeout=0.0)
    (lease,) = acts.claim(defaults={"x": TypeDefaults(2, "fixed:9s", 1.5)})
    assert (lease.max_attempts, lease.backoff, lease.timeout) == (5, "fixed:1s", 0.0)


def test_jobs_with_and_without_defaults_are_claimed_together(acts: Acts) -> None:
    acts.put("x", "y", "x", "y")
    leases = acts.claim(limit=4, defaults={"y": TypeDefaults(9)})
    assert [(lease.number, lease.max_attempts) for lease in leases] == [(1, 5), (2, 9), (3, 5), (4, 9)]
    rows = acts.store.read("SELECT status, attempts, token, locked_by, max_attempts FROM jobs ORDER BY number")
    assert rows == [("processing", 1, 1, "w-1", most) for most in (5, 9, 5, 9)]


# -- when to come back --------------------------------------------------------------------------------------------


def test_next_due_is_the_soonest_job_that_the_worker_takes(store: SQLiteStore, acts: Acts) -> None:
    def next_due(**options: Any) -> str | None:
        return store.next_due(**{"handlers": {"x"}, "types": None, "queues": None, **options})

    assert next_due() is None
    acts.put("other", scheduled_at=to_text(NOW + 1))
    assert next_due() is None
    acts.put("x", scheduled_at=to_text(NOW + 30), priority=20)
    acts.put("x", scheduled_at=to_text(NOW + 20), priority=0)
    acts.put("x", scheduled_at=to_text(NOW + 10), queue="q")
    assert next_due() == to_text(NOW + 10)
    assert next_due(queues={"default"}) == to_text(NOW + 20)
    assert next_due(handlers={"x", "other"}) == to_text(NOW + 1)
    assert next_due(types={"none"}) is None


def test_a_claim_that_fails_in_the_middle_leases_nothing(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x", "x")
    with pytest.raises(ZeroDivisionError), file_store.write():
        assert len(acts.claim(limit=2)) == 2
        raise ZeroDivisionError
    assert file_store.read("SELECT status, attempts, token FROM jobs") == [("pending", 0, 0)] * 2
    assert numbers(acts.claim(limit=2)) == [1, 2]
