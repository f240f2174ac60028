"""How runs end: one transaction moves the job, writes its history and its dead letter, behind the fence of the lease."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from qctl.model import CANCELLED, COMPLETED, FAILED, PENDING
from qctl.rules import ending
from qctl.rules.ending import Ending, Facts
from qctl.rules.when import to_text
from qctl.store.sqlite.store import SQLiteStore
from qctl.store.sqlite.workers import hand_back
from tests.store.conftest import NOW, Acts

HOWS = (
    ending.SUCCEEDED, ending.ERROR, ending.TIMEOUT, ending.CRASH, ending.RETRY, ending.SNOOZE, ending.DEAD,
    ending.CANCEL, ending.STOPPED, ending.LOST,
)  # fmt: skip
WHOLE = "SELECT * FROM jobs ORDER BY number"


def everything(store: SQLiteStore) -> list[Any]:
    return [store.read(f"SELECT * FROM {table}") for table in ("jobs", "qctl_history", "dead_letter_jobs")]


# -- each way to end ----------------------------------------------------------------------------------------------


def test_success_completes_the_job_with_its_result(acts: Acts) -> None:
    acts.put("x")
    (lease,) = acts.claim()
    outcome = acts.end(lease, ending.SUCCEEDED, now=NOW + 2, result='{"n":1}', exit_code=0)
    assert outcome.move is not None and outcome.move.status == COMPLETED
    row = acts.row(1)
    assert (row["status"], row["completed_at"], row["updated_at"]) == (COMPLETED, to_text(NOW + 2), to_text(NOW + 2))
    assert (row["result"], row["exit_code"], row["attempts"]) == ('{"n":1}', 0, 1)
    assert (row["locked_by"], row["locked_at"]) == (None, None)
    assert acts.history(1) == [(1, "w-1", "completed", None)]
    assert acts.letters() == []


@pytest.mark.parametrize("how", [ending.ERROR, ending.TIMEOUT, ending.CRASH])
def test_a_failed_attempt_waits_30_s_more_each_time_and_the_fifth_is_death(acts: Acts, how: str) -> None:
    acts.put("x", payload='{"to":"ana"}')
    now, id_ = NOW, acts.row(1)["id"]
    for attempt in range(1, 6):
        (lease,) = acts.claim(now=now)
        assert lease.attempts == attempt
        acts.end(lease, how, now=now, error=f"boom {attempt}", exit_code=1)
        row = acts.row(1)
        assert (row["attempts"], row["last_error"], row["exit_code"]) == (attempt, f"boom {attempt}", 1)
        assert (row["locked_by"], row["locked_at"], row["completed_at"]) == (None, None, None)
        if attempt < 5:
            assert row["status"] == PENDING
            assert row["scheduled_at"] == to_text(now + 30 * attempt)
            assert acts.claim(now=now + 30 * attempt - 0.001) == []
            assert acts.letters() == []
            now += 30 * attempt
    assert acts.row(1)["status"] == FAILED
    assert acts.letters() == [(id_, "x", '{"to":"ana"}', 5, "boom 5", 0)]
    assert acts.store.read("SELECT failed_at FROM dead_letter_jobs") == [(to_text(now),)]
    assert acts.history(1) == [(attempt, "w-1", how, f"boom {attempt}") for attempt in range(1, 6)]
    assert acts.claim(now=now + 10**6) == []


def test_a_job_that_says_that_nothing_helps_dies_at_once(acts: Acts) -> None:
    acts.put("x")
    acts.end(acts.claim()[0], ending.DEAD, error="no such customer")
    assert acts.row(1)["status"] == FAILED
    assert [letter[3:5] for letter in acts.letters()] == [(1, "no such customer")]


def test_a_cancelled_run_leaves_no_dead_letter(acts: Acts) -> None:
    acts.put("x")
    acts.end(acts.claim()[0], ending.CANCEL, error="cancelled while it ran")
    row = acts.row(1)
    assert (row["status"], row["cancel_asked"], row["locked_by"]) == (CANCELLED, 0, None)
    assert acts.letters() == []
    assert acts.history(1) == [(1, "w-1", "cancelled", "cancelled while it ran")]


@pytest.mark.parametrize("how", [ending.STOPPED, ending.LOST, ending.SNOOZE])
def test_what_is_not_the_jobs_fault_uses_no_attempt(acts: Acts, how: str) -> None:
    acts.put("x", max_attempts=1)
    for round_ in range(3):
        (lease,) = acts.claim(now=NOW + round_)
        assert lease.attempts == 1
        acts.end(lease, how, now=NOW + round_, after=1.0 if how == ending.SNOOZE else None)
        row = acts.row(1)
        assert (row["status"], row["attempts"], row["locked_by"]) == (PENDING, 0, None)
    assert len(acts.history(1)) == 3


def test_a_job_that_outlives_ten_workers_is_given_up_with_a_dead_letter(acts: Acts) -> None:
    acts.put("x", max_attempts=3)
    for death in range(1, 11):
        (lease,) = acts.claim()
        acts.end(lease, ending.LOST, error="its worker died")
        assert acts.row(1)["rescues"] == death
    assert acts.row(1)["status"] == FAILED
    ((_, _, _, _, error, _),) = acts.letters()
    assert "10 times" in error
    assert acts.claim() == []


def test_a_wait_that_the_job_asks_for_wins_over_its_backoff(acts: Acts) -> None:
    acts.put("x", backoff="fixed:1h")
    acts.end(acts.claim()[0], ending.RETRY, after=2.5)
    row = acts.row(1)
    assert (row["status"], row["attempts"], row["scheduled_at"]) == (PENDING, 1, to_text(NOW + 2.5))


def test_a_retry_without_an_attempt_left_is_death(acts: Acts) -> None:
    acts.put("x", max_attempts=1)
    acts.end(acts.claim()[0], ending.RETRY, after=2.5, error="later")
    assert acts.row(1)["status"] == FAILED
    assert len(acts.letters()) == 1


@pytest.mark.parametrize("backoff", ["nonsense", "linear:", "linear:5", "", '{"a":1}'])
def test_a_backoff_that_nobody_can_read_counts_as_none(acts: Acts, plain: sqlite3.Connection, backoff: str) -> None:
    plain.execute("INSERT INTO jobs (type, backoff, scheduled_at) VALUES ('x', ?, '2020-01-01')", (backoff,))
    acts.end(acts.claim()[0], ending.ERROR)
    assert acts.row(1)["scheduled_at"] == to_text(NOW + 30)


@pytest.mark.parametrize("how", HOWS)
def test_every_end_gives_the_lock_back_and_stands_in_the_history_once(acts: Acts, how: str) -> None:
    acts.put("x")
    acts.end(acts.claim()[0], how)
    row = acts.row(1)
    assert row["status"] in (PENDING, COMPLETED, FAILED, CANCELLED)
    assert (row["locked_by"], row["locked_at"], row["cancel_asked"]) == (None, None, 0)
    assert [entry[:3] for entry in acts.history(1)] == [(1, "w-1", how)]
    assert len(acts.letters()) == (row["status"] == FAILED)


@pytest.mark.parametrize("text", ["bad \udcff name", "nul \0 in it", "two\nlines", "\x1b[31m", "é" * 5000])
def test_any_error_text_can_be_written_down(acts: Acts, text: str) -> None:
    """Python's names of files that are not UTF-8 hold lone surrogates, which SQLite cannot store."""
    acts.put("x", max_attempts=1)
    acts.end(acts.claim()[0], ending.ERROR, error=text)
    row = acts.row(1)
    assert row["status"] == FAILED
    assert row["last_error"].startswith(text[:3])
    assert acts.history(1)[0][3] == acts.letters()[0][4] == row["last_error"]


# -- the fence ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", HOWS)
@pytest.mark.parametrize("second", HOWS)
def test_a_second_end_of_one_lease_changes_nothing(store: SQLiteStore, acts: Acts, first: str, second: str) -> None:
    acts.put("x")
    (lease,) = acts.claim()
    assert acts.end(lease, first, error="first").move is not None
    before = everything(store)
    assert acts.end(lease, second, now=NOW + 9, error="second", result="{}").move is None
    assert everything(store) == before


@pytest.mark.parametrize("how", HOWS)
def test_a_late_end_never_touches_the_run_that_follows(store: SQLiteStore, acts: Acts, how: str) -> None:
    acts.put("x")
    (old,) = acts.claim("w-1")
    acts.end(old, ending.LOST)
    (new,) = acts.claim("w-2")
    before = everything(store)
    assert acts.end(old, how, "w-1", error="late").move is None
    assert everything(store) == before
    assert acts.end(new, ending.SUCCEEDED, "w-2").move is not None
    assert acts.row(1)["status"] == COMPLETED


def test_a_late_end_is_fenced_off_even_when_the_same_worker_runs_the_job_again(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x")
    (old,) = acts.claim("w-1")
    acts.end(old, ending.STOPPED)
    acts.claim("w-1")
    before = everything(store)
    assert acts.end(old, ending.SUCCEEDED, "w-1").move is None
    assert everything(store) == before


def test_nobody_ends_the_run_of_another(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x")
    (lease,) = acts.claim("w-1")
    before = everything(store)
    assert acts.end(lease, ending.SUCCEEDED, "w-2").move is None
    assert everything(store) == before


def test_the_end_of_a_job_that_was_deleted_leaves_nothing_behind(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x")
    (lease,) = acts.claim()
    store.connection.execute("DELETE FROM jobs")
    assert acts.end(lease, ending.ERROR, error="boom").move is None
    assert everything(store) == [[], [], []]


@pytest.mark.parametrize("status", [CANCELLED, COMPLETED, FAILED, PENDING])
def test_what_plain_sql_did_to_a_running_job_stands(store: SQLiteStore, acts: Acts, status: str) -> None:
    acts.put("x")
    (lease,) = acts.claim()
    store.connection.execute("UPDATE jobs SET status = ?", (status,))
    before = everything(store)
    assert acts.end(lease, ending.ERROR).move is None
    assert everything(store) == before


# -- several at once, all or none ---------------------------------------------------------------------------------


def test_many_ends_are_told_apart_and_come_back_in_order(store: SQLiteStore, acts: Acts) -> None:
    acts.put(*["x"] * 4, max_attempts=1)
    leases = acts.claim(limit=4)
    acts.end(leases[1], ending.LOST)  # somebody was quicker
    hows = [ending.SUCCEEDED, ending.SUCCEEDED, ending.ERROR, ending.SNOOZE]
    ended = [acts.ending(lease, how) for lease, how in zip(leases, hows, strict=True)]
    outcomes = store.finish("w-1", [*ended, ended[0]], to_text(NOW), lambda: 0.0)
    assert [outcome.move and outcome.move.status for outcome in outcomes] == [COMPLETED, None, FAILED, PENDING, None]
    assert [row[0] for row in store.read("SELECT status FROM jobs")] == [COMPLETED, PENDING, FAILED, PENDING]
    assert len(acts.letters()) == 1


def test_an_end_is_whole_or_not_at_all(file_store: SQLiteStore) -> None:
    """The move, the history and the dead letter are one transaction."""
    acts = Acts(file_store)
    acts.put("x", max_attempts=1)
    (lease,) = acts.claim()
    before = everything(file_store)
    file_store.connection.execute(
        "CREATE TEMP TRIGGER fault BEFORE INSERT ON qctl_history BEGIN SELECT 1 / 0, raise(ABORT, 'fault'); END"
    )
    with pytest.raises(sqlite3.IntegrityError):
        acts.end(lease, ending.ERROR)
    assert everything(file_store) == before
    assert not file_store.connection.in_transaction
    file_store.connection.execute("DROP TRIGGER fault")
    assert acts.end(lease, ending.ERROR).move is not None
    assert acts.row(1)["status"] == FAILED


def test_a_second_death_adds_a_second_dead_letter_and_the_history_goes_on(store: SQLiteStore, acts: Acts) -> None:
    from qctl.store.sqlite.dead import replay_dead

    acts.put("x", max_attempts=1)
    acts.end(acts.claim()[0], ending.ERROR, error="one")
    (id_,) = store.read("SELECT id FROM dead_letter_jobs")[0]
    assert replay_dead(store, [id_], NOW) == [1]
    row = acts.row(1)
    assert (row["status"], row["attempts"]) == (PENDING, 0)
    acts.end(acts.claim()[0], ending.ERROR, error="two")
    assert [letter[4:] for letter in acts.letters()] == [("one", 1), ("two", 0)]
    assert [entry[3] for entry in acts.history(1)] == ["one", "two"]


# -- cancel, and leases that were never begun ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", [ending.ERROR, ending.TIMEOUT, ending.CRASH, ending.RETRY, ending.SNOOZE, ending.STOPPED, ending.LOST]
)
def test_a_job_that_somebody_cancelled_while_it_ran_does_not_go_back_to_pending(acts: Acts, how: str) -> None:
    """`cancel` said that it will end: an end of another kind that comes first must not bring it back."""
    acts.put("x")
    (lease,) = acts.claim()
    acts.store.connection.execute("UPDATE jobs SET cancel_asked = 1")
    outcome = acts.end(lease, how)
    row = acts.row(1)
    assert (row["status"], row["cancel_asked"], row["last_error"]) == (CANCELLED, 0, "cancelled")
    assert acts.history(1)[0][2] == how, "what happened is what the history says"
    assert outcome.move is not None and outcome.move.status == CANCELLED
    assert acts.claim(now=NOW + 10**6) == []


@pytest.mark.parametrize(("how", "status"), [(ending.SUCCEEDED, COMPLETED), (ending.DEAD, FAILED)])
def test_a_job_that_ended_before_its_cancel_came_is_what_it_became(acts: Acts, how: str, status: str) -> None:
    acts.put("x")
    (lease,) = acts.claim()
    acts.store.connection.execute("UPDATE jobs SET cancel_asked = 1")
    acts.end(lease, how)
    assert (acts.row(1)["status"], acts.row(1)["cancel_asked"]) == (status, 0)


def test_a_lease_handed_back_uses_no_attempt_and_keeps_its_place(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x", "x", "x")
    leases = acts.claim(limit=3)
    due = acts.row(2)["scheduled_at"]
    assert hand_back(store, "w-1", [(lease.number, lease.token) for lease in leases[1:]], NOW + 5) == 2
    row = acts.row(2)
    assert (row["status"], row["attempts"], row["locked_by"], row["locked_at"]) == (PENDING, 0, None, None)
    assert row["scheduled_at"] == due
    assert acts.history(2) == []
    again = acts.claim("w-2", limit=5)
    assert [lease.number for lease in again] == [2, 3]
    assert [lease.token for lease in again] == [2, 2]


def test_a_lease_handed_back_after_its_cancel_is_cancelled(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x")
    (lease,) = acts.claim()
    store.connection.execute("UPDATE jobs SET cancel_asked = 1")
    assert hand_back(store, "w-1", [(lease.number, lease.token)], NOW) == 1
    row = acts.row(1)
    assert (row["status"], row["attempts"], row["cancel_asked"], row["locked_by"]) == (CANCELLED, 0, 0, None)
    assert acts.claim(now=NOW + 10**6) == []


def test_the_last_attempt_of_a_cancelled_job_is_death_as_ever(acts: Acts) -> None:
    """It would not have run again anyway: its dead letter says why it failed."""
    acts.put("x", max_attempts=1)
    (lease,) = acts.claim()
    acts.store.connection.execute("UPDATE jobs SET cancel_asked = 1")
    acts.end(lease, ending.ERROR, error="boom")
    assert (acts.row(1)["status"], acts.row(1)["cancel_asked"]) == (FAILED, 0)
    assert [letter[4] for letter in acts.letters()] == ["boom"]


def test_only_ones_own_present_lease_can_be_handed_back(store: SQLiteStore, acts: Acts) -> None:
    acts.put("x", "x")
    first, second = acts.claim(limit=2)
    acts.end(first, ending.LOST)
    acts.claim("w-2")
    before = store.read(WHOLE)
    assert hand_back(store, "w-1", [(first.number, first.token)], NOW) == 0
    assert hand_back(store, "w-2", [(second.number, second.token)], NOW) == 0
    assert hand_back(store, "w-1", [(99, 1)], NOW) == 0
    assert store.read(WHOLE) == before


def crash(acts: Acts, now: float) -> dict[str, Any]:
    """One run whose handler process dies; the job's row then."""
    (lease,) = acts.claim(now=now)
    done = Ending(lease.number, lease.token, ending.CRASH, started_at=now, finished_at=now, error="killed by signal 11")
    facts = Facts(lease.attempts, lease.max_attempts, lease.backoff, lease.rescues, crashes=0)
    acts.store.finish("w-1", [(done, facts)], to_text(now), lambda: 0.0)
    return acts.row(1)


def test_the_third_death_of_its_process_ends_a_job_and_a_replay_begins_anew(store: SQLiteStore, acts: Acts) -> None:
    from qctl.store.sqlite.dead import replay_dead

    acts.put("x", max_attempts=50, backoff="fixed:0s")
    assert crash(acts, NOW)["status"] == PENDING
    acts.end(acts.claim()[0], ending.ERROR, error="an error between")
    acts.end(acts.claim()[0], ending.LOST)
    assert crash(acts, NOW + 1)["status"] == PENDING
    row = crash(acts, NOW + 2)
    assert (row["status"], row["attempts"]) == (FAILED, 4)
    assert row["last_error"] == "killed by signal 11 (3 times: given up)"
    replay_dead(store, [store.read("SELECT id FROM dead_letter_jobs")[0][0]], NOW + 3)
    assert [crash(acts, NOW + again)["status"] for again in (4, 5, 6)] == [PENDING, PENDING, FAILED]
    assert len(acts.letters()) == 2
