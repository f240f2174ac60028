"""Pauses, rates, concurrency, expiry and ageing, as the claim keeps them."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from qctl.model import BadValue, Lease
from qctl.rules import ending
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite import limits
from qctl.store.sqlite.gates import forget_starts
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts, Everything


def numbers(leases: list[Lease]) -> list[int]:
    return [lease.number for lease in leases]


def limit(store: SQLiteStore, name: str = "x", scope: str = "type", **fields: Any) -> None:
    limits.set_limits(store, scope, name, fields)


def next_due(store: SQLiteStore, now: float) -> float | None:
    """When the store says that a worker of everything may claim again."""
    store.now = lambda: now  # type: ignore[method-assign]
    text = store.next_due(handlers=Everything(), types=None, queues=None)
    return None if text is None else from_text(text)


# -- pauses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "name", "left"),
    [("type", "x", [2]), ("queue", "default", [3]), ("queue", "none", [1, 2, 3]), ("all", "", [])],
)
def test_what_is_paused_is_not_claimed_and_the_rest_is(
    acts: Acts, store: SQLiteStore, scope: str, name: str, left: list[int]
) -> None:
    acts.put("x", "y")
    acts.put("x" if scope == "queue" else "z", queue="other") if scope == "queue" else None
    if scope != "queue":
        acts.put("x", queue="other")
    if name == "none":
        left = [1, 2, 3]
    assert limits.pause(store, scope, name, NOW)
    assert not limits.pause(store, scope, name, NOW)
    assert numbers(acts.claim(limit=9)) == left
    assert limits.resume(store, scope, name)
    assert not limits.resume(store, scope, name)
    assert numbers(acts.claim(limit=9)) == [n for n in (1, 2, 3) if n not in left]


def test_a_pause_lets_running_jobs_finish(acts: Acts, store: SQLiteStore) -> None:
    acts.put("x")
    (lease,) = acts.claim()
    limits.pause(store, "all", "", NOW)
    acts.end(lease, ending.SUCCEEDED)
    assert acts.row(1)["status"] == "completed"


def test_nothing_is_due_where_all_is_paused(acts: Acts, store: SQLiteStore) -> None:
    acts.put("x")
    limits.pause(store, "type", "x", NOW)
    assert next_due(store, NOW) is None


def test_a_pause_of_another_process_is_seen_at_the_next_claim(file_store: SQLiteStore) -> None:
    acts, other = Acts(file_store), SQLiteStore(file_store.path)
    acts.put("x", "x")
    assert numbers(acts.claim()) == [1]
    limits.pause(other, "type", "x", NOW)
    assert acts.claim() == []
    other.close()


def test_plain_sql_may_pause(acts: Acts, plain: sqlite3.Connection) -> None:
    acts.put("x")
    plain.execute("INSERT INTO qctl_limits (scope, name, paused_at) VALUES ('type', 'x', '2026-01-01')")
    assert acts.claim() == []
    plain.execute("DELETE FROM qctl_limits")
    assert numbers(acts.claim()) == [1]


# -- rates --------------------------------------------------------------------------------------------------------


def test_a_rate_holds_over_all_workers_and_says_when_the_next_may_start(acts: Acts, store: SQLiteStore) -> None:
    acts.put(*["x"] * 10)
    limit(store, rate="3/m")
    assert numbers(acts.claim("w-1", limit=2)) == [1, 2]
    assert numbers(acts.claim("w-2", limit=9, now=NOW + 20)) == [3]
    assert acts.claim("w-3", limit=9, now=NOW + 30) == []
    due = next_due(store, NOW + 30)
    assert due is not None
    assert NOW + 60 < due < NOW + 63
    assert acts.claim(limit=9, now=due - 1) == []
    assert numbers(acts.claim(limit=9, now=due)) == [4, 5]


def test_what_is_not_limited_passes_what_is(acts: Acts, store: SQLiteStore) -> None:
    acts.put("x", "x", "y", "x", "y")
    limit(store, rate="1/h")
    assert numbers(acts.claim(limit=9)) == [1, 3, 5]


def test_limited_jobs_are_taken_only_for_slots_that_are_free(acts: Acts, store: SQLiteStore) -> None:
    acts.put(*["x"] * 5, "y", "y")
    limit(store, rate="100/s")
    assert numbers(acts.claim(limit=9, ready=2)) == [1, 2, 6, 7]
    assert acts.claim(limit=9, ready=0) == []


def test_a_burst_lets_more_start_at_once_but_not_in_the_long_run(acts: Acts, store: SQLiteStore) -> None:
    acts.put(*["x"] * 100)
    limit(store, rate="2/s", rate_burst="6")
    assert len(acts.claim(limit=99)) == 8
    later = sum(len(acts.claim(limit=99, now=NOW + step / 10)) for step in range(1, 101))
    assert 18 <= later <= 20


def test_a_queue_has_a_rate_of_its_own(acts: Acts, store: SQLiteStore) -> None:
    acts.put("x", "y", "z", queue="slow")
    acts.put("x")
    limit(store, "slow", "queue", rate="2/m")
    assert numbers(acts.claim(limit=9)) == [1, 2, 4]


def test_a_claim_that_is_rolled_back_uses_up_nothing(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("x")
    limit(file_store, rate="1/h")
    with pytest.raises(ZeroDivisionError), file_store.write():
        assert len(acts.claim()) == 1
        raise ZeroDivisionError
    assert numbers(acts.claim()) == [1]


def test_starts_that_count_no_more_are_forgotten(acts: Acts, store: SQLiteStore) -> None:
    acts.put(*["x"] * 50)
    limit(store, rate="5/s")
    for step in range(50):
        acts.claim(limit=1, now=NOW + step / 4)
    assert store.read("SELECT count(*) FROM qctl_starts")[0][0] <= 5


def test_starts_of_keys_that_never_come_again_are_forgotten_too(acts: Acts, store: SQLiteStore) -> None:
    limit(store, rate="5/m", rate_key="c", rate_burst="2")
    put_keys(acts, "a", "b", "c")
    assert len(acts.claim(limit=9)) == 3
    forget_starts(store, NOW + 30)
    assert store.read("SELECT count(*) FROM qctl_starts WHERE slot > 0") == [(3,)]
    forget_starts(store, NOW + 63)
    assert store.read("SELECT count(*) FROM qctl_starts") == [(0,)]


def test_another_period_forgets_no_start(acts: Acts, store: SQLiteStore) -> None:
    acts.put(*["x"] * 9)
    limit(store, rate="4/m")
    assert len(acts.claim(limit=4)) == 4
    limit(store, rate="4/h")
    assert acts.claim(limit=9, now=NOW + 120) == []


def test_a_start_counts_from_when_the_job_began(acts: Acts, store: SQLiteStore) -> None:
    acts.put(*["x"] * 9)
    limit(store, rate="3/s")
    assert len(acts.claim(limit=3, ready=3)) == 3
    starts = store.taken_starts()
    assert starts is not None
    assert store.taken_starts() is None
    assert starts.latest(1) == NOW + 1
    with store.write() as connection:
        starts.move(connection, 1, NOW + 0.01)
        starts.move(connection, 2, NOW + 0.5)
    assert acts.claim(limit=9, now=NOW + 1.01) == []
    assert len(acts.claim(limit=9, now=NOW + 1.03)) == 1
    assert len(acts.claim(limit=9, now=NOW + 1.52)) == 1
    # Of the third it was never told: it counts as one that began as late as it might.
    assert acts.claim(limit=9, now=NOW + 2.0) == []
    assert len(acts.claim(limit=9, now=NOW + 2.02)) == 1


def test_a_job_that_never_began_leaves_its_place_to_another(acts: Acts, store: SQLiteStore) -> None:
    acts.put("x", "x")
    limit(store, rate="1/h")
    (lease,) = acts.claim(ready=1)
    starts = store.taken_starts()
    assert starts is not None
    assert acts.claim(now=NOW + 1) == []
    with store.write() as connection:
        starts.move(connection, lease.number, None)
    assert numbers(acts.claim(now=NOW + 2)) == [2]


def test_a_rate_set_anew_while_a_job_is_about_to_begin_gives_no_room_away(acts: Acts, store: SQLiteStore) -> None:
    acts.put(*["x"] * 5)
    limit(store, rate="2/m")
    acts.claim(limit=2, ready=2)
    starts = store.taken_starts()
    assert starts is not None
    limit(store, rate="2/h")
    with store.write() as connection:
        for number in (1, 2):
            starts.move(connection, number, NOW + 1)
    assert acts.claim(limit=9, now=NOW + 100) == []
    assert store.read("SELECT min(count) FROM qctl_starts")[0][0] >= 0


# -- by key -------------------------------------------------------------------------------------------------------


def put_keys(acts: Acts, *keys: str) -> None:
    for key in keys:
        acts.put("x", payload=f'{{"c":"{key}"}}')


def test_each_key_has_a_rate_of_its_own_and_keeps_its_order(acts: Acts, store: SQLiteStore) -> None:
    limit(store, rate="2/m", rate_key="c")
    put_keys(acts, *"aaaab", "c", "b", "b")
    assert numbers(acts.claim(limit=9)) == [1, 2, 5, 6, 7]
    assert acts.claim(limit=9, now=NOW + 30) == []
    assert numbers(acts.claim(limit=9, now=NOW + 62)) == [3, 4, 8]


def test_a_long_row_of_one_key_does_not_hide_the_others(acts: Acts, store: SQLiteStore) -> None:
    limit(store, concurrency="1", concurrency_key="c")
    put_keys(acts, *["a"] * 40, "b", "c", "b")
    assert numbers(acts.claim(limit=9)) == [1, 41, 42]
    assert acts.claim(limit=9) == []


def test_jobs_that_were_there_before_get_their_key_and_lose_it_with_the_limit(acts: Acts, store: SQLiteStore) -> None:
    put_keys(acts, "a", "b")
    acts.put("x", payload='{"c":null}')
    acts.put("x", payload='{"c":7}')
    acts.put("y")
    limit(store, rate="1/m", rate_key="c")
    keys = "SELECT limit_key FROM jobs ORDER BY number"
    assert store.read(keys) == [("a",), ("b",), ("none",), ("7",), (None,)]
    assert limits.without_key(store, "x") == 1
    limit(store, rate="")
    assert store.read(keys) == [(None,)] * 5


def test_a_payload_without_the_key_falls_in_the_named_bucket(
    acts: Acts, store: SQLiteStore, plain: sqlite3.Connection
) -> None:
    insert = "INSERT INTO jobs (type, payload, scheduled_at) VALUES ('x', ?, '2020-01-01')"
    plain.execute(insert, ("no json",))
    limit(store, concurrency="1", concurrency_key="c")
    for payload in ("{}", '{"c":""}', '{"c":null}', '{"c":{"d":1}}', '{"c":[1]}', '{"c":7}'):
        plain.execute(insert, (payload,))
    keys = ["none"] * 4 + ['{"d":1}', "[1]", "7"]
    assert [row[0] for row in store.read("SELECT limit_key FROM jobs")] == keys
    assert numbers(acts.claim(limit=9)) == [1, 5, 6, 7]
    with pytest.raises(sqlite3.Error, match="malformed JSON"):
        plain.execute(insert, ("no json",))


def test_an_edited_payload_counts_against_its_new_key(
    acts: Acts, store: SQLiteStore, plain: sqlite3.Connection
) -> None:
    limit(store, rate="1/m", rate_key="c")
    put_keys(acts, "a")
    plain.execute("""UPDATE jobs SET payload = '{"c":"b"}'""")
    assert acts.row(1)["limit_key"] == "b"


def test_no_trigger_is_left_where_nothing_is_limited_by_key(acts: Acts, store: SQLiteStore) -> None:
    triggers = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'jobs_key_%'"
    assert store.read(triggers) == [(0,)]
    limit(store, rate="1/m", rate_key="c")
    assert store.read(triggers) == [(2,)]
    limit(store, rate="", concurrency="2")
    assert store.read(triggers) == [(0,)]


def test_more_keys_than_a_claim_looks_at_all_get_their_turn(acts: Acts, store: SQLiteStore, monkeypatch: Any) -> None:
    from qctl.store.sqlite import gated

    monkeypatch.setattr(gated, "KEYS", 5)
    limit(store, concurrency="1", concurrency_key="c")
    keys = [f"k{index:02}" for index in range(30)]
    put_keys(acts, *["k15"] * 20, *keys)
    got: set[str] = set()
    for _ in range(20):
        for lease in acts.claim(limit=3):
            got.add(acts.row(lease.number)["limit_key"])
        due = next_due(store, NOW)
        if len(got) < 30:
            assert due is not None and due <= NOW + 0.1
    assert got == set(keys)


# -- concurrency --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", [ending.SUCCEEDED, ending.ERROR, ending.DEAD, ending.LOST, ending.STOPPED, ending.CANCEL]
)
def test_a_place_is_free_again_after_any_end(acts: Acts, store: SQLiteStore, how: str) -> None:
    acts.put(*["x"] * 4, backoff="fixed:1h")
    limit(store, concurrency="2")
    leases = acts.claim(limit=9)
    assert numbers(leases) == [1, 2]
    assert acts.claim("w-2", limit=9) == []
    acts.end(leases[0], how)
    assert len(acts.claim("w-2", limit=9)) == 1


def test_concurrency_holds_per_queue(acts: Acts, store: SQLiteStore) -> None:
    acts.put("x", "y", "x", queue="slow")
    acts.put("x", "x")
    limit(store, "slow", "queue", concurrency="1")
    assert numbers(acts.claim(limit=9)) == [1, 4, 5]


def test_jobs_that_others_claimed_by_plain_sql_hold_a_place_too(
    acts: Acts, store: SQLiteStore, plain: sqlite3.Connection
) -> None:
    acts.put("x", "x")
    limit(store, concurrency="1")
    plain.execute(
        "UPDATE jobs SET status = 'processing', locked_by = 'theirs', locked_at = '2026-01-01' WHERE number = 1"
    )
    assert acts.claim() == []
    due = next_due(store, NOW)
    assert due is not None and NOW < due <= NOW + 2


# -- expiry -------------------------------------------------------------------------------------------------------


def test_a_job_whose_time_is_over_is_cancelled_and_says_so(acts: Acts) -> None:
    acts.put("x", more={"expires_at": to_text(NOW + 5)})
    acts.put("x", more={"expires_at": to_text(NOW + 50)})
    assert numbers(acts.claim(limit=9, now=NOW + 5)) == [2]
    row = acts.row(1)
    assert (row["status"], row["attempts"]) == ("cancelled", 0)
    assert row["last_error"] == f"expired: not started by {to_text(NOW + 5)} UTC"


@pytest.mark.parametrize("is_limited", [False, True])
def test_many_expired_jobs_ahead_are_cancelled_step_by_step(acts: Acts, store: SQLiteStore, is_limited: bool) -> None:
    if is_limited:
        limit(store, "other", concurrency="1")
    acts.put(*["x"] * 1200, more={"expires_at": to_text(NOW)})
    acts.put("x")
    claims = [numbers(acts.claim(now=NOW + 1)) for _ in range(3)]
    assert claims == [[], [], [1201]]


def test_an_idle_worker_cancels_what_expires_even_where_it_cannot_run_it(acts: Acts, store: SQLiteStore) -> None:
    acts.put("x", more={"expires_at": to_text(NOW + 5)})
    assert store.expire(to_text(NOW)) == 0
    assert store.expire(to_text(NOW + 5)) == 1
    assert acts.row(1)["status"] == "cancelled"


# -- ageing -------------------------------------------------------------------------------------------------------


def test_with_ageing_a_long_wait_makes_up_for_priority(acts: Acts, store: SQLiteStore) -> None:
    acts.put("x", priority=0, scheduled_at=to_text(NOW - 500))
    acts.put("x", priority=10, scheduled_at=to_text(NOW - 10))
    acts.put("y", priority=10, scheduled_at=to_text(NOW - 490))
    assert numbers(acts.claim(limit=1)) == [3]
    store.set_setting("ageing", "30s")
    assert numbers(acts.claim(limit=9)) == [1, 2]
    acts.put("x", priority=0, scheduled_at=to_text(NOW - 200))
    acts.put("x", priority=10, scheduled_at=to_text(NOW))
    assert numbers(acts.claim(limit=9)) == [5, 4]
    store.set_setting("ageing", None)
    assert store.limits().is_free


# -- what is said -------------------------------------------------------------------------------------------------


def test_limits_are_told_as_they_were_typed(store: SQLiteStore) -> None:
    limit(store, rate="30/m", rate_burst="5", rate_key="order.id", concurrency="4")
    limits.pause(store, "queue", "slow", NOW)
    queue, type_ = limits.limits_of(store)
    assert (queue["scope"], queue["name"], queue["paused_at"]) == ("queue", "slow", to_text(NOW))
    assert type_ == {"scope": "type", "name": "x", "rate": "30/m", "rate_burst": 5, "rate_key": "order.id",
                     "concurrency": 4, "concurrency_key": None, "paused_at": None}  # fmt: skip
    limit(store, rate="", concurrency="")
    limits.resume(store, "queue", "slow")
    assert limits.limits_of(store) == []


@pytest.mark.parametrize(("scope", "name"), [("thing", "x"), ("type", ""), ("all", "x"), ("all", "")])
def test_a_limit_of_nothing_is_refused(store: SQLiteStore, scope: str, name: str) -> None:
    with pytest.raises(BadValue):
        limits.set_limits(store, scope, name, {"rate": "1/s"})
    assert limits.limits_of(store) == []
