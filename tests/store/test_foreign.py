"""Programs that know nothing of qctl work on the same table with the course's plain SQL: nothing is lost or doubled."""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from typing import Any

import pytest

from qctl.model import COMPLETED, FAILED, PENDING, PROCESSING, NewJob
from qctl.rules import ending
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite.store import SQLiteStore
from qctl.store.sqlite.workers import STALE_AFTER, rescue_stale
from tests.store.conftest import NOW, Acts, Everything

ENQUEUE = "INSERT INTO jobs (id, type, payload, priority, max_attempts) VALUES (?, ?, ?, ?, ?)"
CLAIM = """
    UPDATE jobs SET status = 'processing', attempts = attempts + 1, locked_by = ?, locked_at = datetime('now'),
      updated_at = datetime('now')
    WHERE id = (
      SELECT id FROM jobs WHERE status = 'pending' AND scheduled_at <= datetime('now')
      ORDER BY priority DESC, scheduled_at ASC LIMIT 1
    )
    RETURNING id
"""
COMPLETE = """
    UPDATE jobs SET status = 'completed', completed_at = datetime('now'), updated_at = datetime('now'),
      locked_by = NULL, locked_at = NULL
    WHERE id = ?
"""
RETRY = """
    UPDATE jobs SET status = 'pending', last_error = ?, scheduled_at = datetime('now', '+' || (attempts * 30) || ' seconds'),
      locked_by = NULL, locked_at = NULL, updated_at = datetime('now')
    WHERE id = ?
"""
FAIL = "UPDATE jobs SET status = 'failed', last_error = ?, locked_by = NULL, locked_at = NULL, updated_at = datetime('now') WHERE id = ?"
BURY = """
    INSERT INTO dead_letter_jobs (id, original_job_id, type, payload, attempts, last_error)
    SELECT ?, id, type, payload, attempts, ? FROM jobs WHERE id = ?
"""


def claim(plain: sqlite3.Connection, worker: str = "worker-0badcafe") -> str | None:
    """The course's dequeue; the id of the job that it got."""
    rows = plain.execute(CLAIM, (worker,)).fetchall()
    return str(rows[0][0]) if rows else None


def fail(plain: sqlite3.Connection, id_: str, error: str) -> None:
    """The course's fail: a retry while there are attempts, then the dead letter queue."""
    attempts, most = plain.execute("SELECT attempts, max_attempts FROM jobs WHERE id = ?", (id_,)).fetchone()
    if attempts < most:
        plain.execute(RETRY, (error, id_))
    else:
        plain.execute(FAIL, (error, id_))
        plain.execute(BURY, (str(uuid.uuid4()), error, id_))


def present() -> float:
    return time.time() + 2  # what plain SQL inserted just now is due, whatever the roundings


def past() -> float:
    return time.time() - 2  # due for the course's worker, which knows no parts of a second


# -- their jobs, our workers; our jobs, theirs --------------------------------------------------------------------


def test_a_job_of_theirs_is_run_by_our_worker(acts: Acts, plain: sqlite3.Connection) -> None:
    plain.execute(ENQUEUE, ("order-1", "send_email", '{"to":"a@b.c"}', 10, 2))
    (lease,) = acts.claim(now=present())
    assert (lease.id, lease.type, lease.payload, lease.max_attempts) == ("order-1", "send_email", '{"to":"a@b.c"}', 2)
    acts.end(lease, ending.SUCCEEDED, now=present())
    assert plain.execute("SELECT status FROM jobs WHERE completed_at > datetime('now', '-1 hour')").fetchall() == [
        (COMPLETED,)
    ]


def test_a_job_of_ours_is_run_by_their_worker(acts: Acts, plain: sqlite3.Connection) -> None:
    (number,) = acts.put("x", now=past(), id="ours-1")
    assert claim(plain) == "ours-1"
    assert acts.claim(now=present()) == []
    plain.execute(COMPLETE, ("ours-1",))
    row = acts.row(number)
    assert (row["status"], row["attempts"], row["locked_by"]) == (COMPLETED, 1, None)
    assert acts.claim(now=present()) == []


def test_their_retry_is_seen_by_us_when_it_is_due_and_not_before(acts: Acts, plain: sqlite3.Connection) -> None:
    acts.put("x", now=past(), id="ours-1")
    assert claim(plain)
    fail(plain, "ours-1", "boom")
    row = acts.row(1)
    assert (row["status"], row["attempts"], row["last_error"]) == (PENDING, 1, "boom")
    due = from_text(row["scheduled_at"])
    assert abs(due - time.time() - 30) < 5
    assert row["scheduled_at"] == to_text(due)
    assert acts.claim(now=due - 0.001) == []
    (lease,) = acts.claim(now=due)
    assert lease.attempts == 2


def test_their_dead_letter_is_one_of_ours_and_can_be_replayed(acts: Acts, plain: sqlite3.Connection) -> None:
    from qctl.store.sqlite.dead import replay_dead

    acts.put("x", now=past(), id="ours-1", max_attempts=1)
    claim(plain)
    fail(plain, "ours-1", "boom")
    assert acts.row(1)["status"] == FAILED
    assert acts.letters() == [("ours-1", "x", "{}", 1, "boom", 0)]
    (letter,) = acts.store.read("SELECT id FROM dead_letter_jobs")[0]
    assert replay_dead(acts.store, [letter], time.time()) == [1]
    (lease,) = acts.claim(now=present())
    acts.end(lease, ending.SUCCEEDED, now=present())
    assert acts.row(1)["status"] == COMPLETED
    assert [row[5] for row in acts.letters()] == [1]


def test_attempts_are_counted_together(acts: Acts, plain: sqlite3.Connection) -> None:
    acts.put("x", now=past(), id="ours-1", max_attempts=2, backoff="fixed:0s")
    acts.end(acts.claim(now=past())[0], ending.ERROR, now=past(), error="ours")
    assert claim(plain)
    fail(plain, "ours-1", "theirs")
    assert acts.row(1)["status"] == FAILED
    assert [letter[3:5] for letter in acts.letters()] == [(2, "theirs")]


# -- the fence holds against them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [ending.SUCCEEDED, ending.ERROR, ending.DEAD, ending.CANCEL, ending.STOPPED])
def test_our_late_result_never_touches_their_run(acts: Acts, plain: sqlite3.Connection, how: str) -> None:
    """They do not know of tokens: the name in `locked_by` is the fence."""
    acts.put("x", now=past(), id="ours-1")
    (lease,) = acts.claim(now=past())
    acts.end(lease, ending.LOST, now=past())
    assert claim(plain) == "ours-1"
    before = acts.row(1)
    assert acts.end(lease, how, now=present()).move is None
    assert acts.row(1) == before


def test_our_late_result_never_touches_what_they_finished(acts: Acts, plain: sqlite3.Connection) -> None:
    acts.put("x", now=past(), id="ours-1")
    (lease,) = acts.claim(now=present())
    plain.execute(COMPLETE, ("ours-1",))
    before = acts.row(1)
    assert acts.end(lease, ending.ERROR, now=present(), error="late").move is None
    assert acts.row(1) == before
    assert acts.letters() == []


# -- stale locks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000+00:00"])
def test_a_foreign_lock_is_stale_after_the_limit_and_not_before(
    acts: Acts, plain: sqlite3.Connection, form: str
) -> None:
    acts.put("x", now=past(), id="ours-1")
    claim(plain)
    locked = float(int(time.time()) - 1000)
    plain.execute("UPDATE jobs SET locked_at = ?", (time.strftime(form, time.gmtime(locked)),))
    assert rescue_stale(acts.store, locked + STALE_AFTER - 0.01, STALE_AFTER, lambda: 0.0) == []
    assert acts.row(1)["status"] == PROCESSING
    (outcome,) = rescue_stale(acts.store, locked + STALE_AFTER + 0.01, STALE_AFTER, lambda: 0.0)
    assert outcome.move is not None and outcome.move.status == PENDING
    row = acts.row(1)
    assert (row["status"], row["locked_by"], row["locked_at"], row["rescues"]) == (PENDING, None, None, 1)
    assert row["last_error"]
    assert [lease.number for lease in acts.claim(now=present())] == [1]


@pytest.mark.parametrize("locked_at", [None, "", "some time ago", "1760000000000"])
def test_a_lock_without_a_time_that_can_be_read_does_not_hold_for_ever(
    acts: Acts, plain: sqlite3.Connection, locked_at: object
) -> None:
    acts.put("x", now=past(), id="ours-1")
    claim(plain)
    plain.execute("UPDATE jobs SET locked_at = ?", (locked_at,))
    assert rescue_stale(acts.store, time.time() + STALE_AFTER - 10, STALE_AFTER, lambda: 0.0) == []
    assert len(rescue_stale(acts.store, time.time() + STALE_AFTER + 10, STALE_AFTER, lambda: 0.0)) == 1
    assert acts.row(1)["status"] == PENDING


def test_a_lock_of_the_far_future_counts_from_its_last_change(acts: Acts, plain: sqlite3.Connection) -> None:
    acts.put("x", now=past(), id="ours-1")
    claim(plain)
    plain.execute("UPDATE jobs SET locked_at = '9999-01-01 00:00:00'")
    assert rescue_stale(acts.store, time.time() + STALE_AFTER - 10, STALE_AFTER, lambda: 0.0) == []
    assert len(rescue_stale(acts.store, time.time() + STALE_AFTER + 10, STALE_AFTER, lambda: 0.0)) == 1


@pytest.mark.parametrize("worker", ["worker-0badcafe", None])
@pytest.mark.parametrize("when", ["some time ago", "9999-01-01 00:00:00", "12345"])
def test_a_lock_that_tells_no_time_at_all_counts_from_when_it_is_seen(
    acts: Acts, plain: sqlite3.Connection, when: str, worker: str | None
) -> None:
    acts.put("x", now=past(), id="ours-1")
    claim(plain)
    plain.execute("UPDATE jobs SET locked_at = ?, updated_at = ?, locked_by = ?", (when, when, worker))
    seen = time.time()
    for later in (0, STALE_AFTER - 0.01):
        assert rescue_stale(acts.store, seen + later, STALE_AFTER, lambda: 0.0) == []
        assert acts.row(1)["status"] == PROCESSING
    assert len(rescue_stale(acts.store, seen + STALE_AFTER + 0.01, STALE_AFTER, lambda: 0.0)) == 1
    assert acts.row(1)["status"] == PENDING


def test_a_rescued_run_of_theirs_began_when_they_locked_it(acts: Acts, plain: sqlite3.Connection) -> None:
    """Not when our own run before it began."""
    acts.put("x", now=past() - 100, id="ours-1", backoff="fixed:0s")
    acts.end(acts.claim(now=past() - 100)[0], ending.ERROR, now=past() - 100)
    claim(plain)
    locked = from_text(plain.execute("SELECT strftime('%Y-%m-%d %H:%M:%f', locked_at) FROM jobs").fetchone()[0])
    rescue_stale(acts.store, locked + 1000, STALE_AFTER, lambda: 0.0)
    rows = acts.store.read("SELECT started_at FROM qctl_history ORDER BY token")
    assert len(rows) == 2 and rows[1] == (to_text(locked),)


def test_a_run_of_ours_whose_worker_is_unknown_is_rescued_under_its_own_token(acts: Acts) -> None:
    """Its output stands under that token."""
    acts.put("x")
    (lease,) = acts.claim("w-forgotten")
    assert len(rescue_stale(acts.store, NOW + STALE_AFTER + 1, STALE_AFTER, lambda: 0.0)) == 1
    assert acts.store.read("SELECT job, token, outcome FROM qctl_history") == [(1, lease.token, "lost")]


def test_a_job_in_processing_that_names_nobody_is_rescued_too(acts: Acts, plain: sqlite3.Connection) -> None:
    plain.execute("INSERT INTO jobs (type, status) VALUES ('x', 'processing')")
    assert rescue_stale(acts.store, time.time() + STALE_AFTER - 10, STALE_AFTER, lambda: 0.0) == []
    assert len(rescue_stale(acts.store, time.time() + STALE_AFTER + 10, STALE_AFTER, lambda: 0.0)) == 1
    assert acts.row(1)["status"] == PENDING


def test_the_lock_of_a_worker_of_ours_is_never_stale_by_age(acts: Acts) -> None:
    from qctl.store.sqlite.workers import register

    acts.put("x", now=time.time())
    register(acts.store, "w-1", 1, time.time())
    acts.claim("w-1", now=present())
    assert rescue_stale(acts.store, time.time() + 10**6, STALE_AFTER, lambda: 0.0) == []
    assert acts.row(1)["status"] == PROCESSING


def test_what_was_rescued_from_them_keeps_the_history_of_our_own_runs(acts: Acts, plain: sqlite3.Connection) -> None:
    """They do not let the token grow, so their run must not take the place of ours in the history."""
    acts.put("x", now=past(), id="ours-1", backoff="fixed:0s")
    now = past()
    acts.end(acts.claim(now=now)[0], ending.ERROR, now=now, error="ours")
    for _ in range(2):
        assert claim(plain) == "ours-1"
        now += 1000
        assert len(rescue_stale(acts.store, now, STALE_AFTER, lambda: 0.0)) == 1
        plain.execute("UPDATE jobs SET scheduled_at = datetime('now', '-2 seconds')")
    assert [entry[1:3] for entry in acts.history(1)] == [
        ("w-1", "failed"),
        ("worker-0badcafe", "lost"),
        ("worker-0badcafe", "lost"),
    ]


def test_a_job_that_keeps_killing_foreign_workers_comes_to_an_end(acts: Acts, plain: sqlite3.Connection) -> None:
    acts.put("x", now=past(), id="ours-1")
    now = time.time()
    for _ in range(50):
        if claim(plain) is None:
            break
        now += 1000
        rescue_stale(acts.store, now, STALE_AFTER, lambda: 0.0)
        plain.execute("UPDATE jobs SET scheduled_at = datetime('now', '-2 seconds')")
    assert acts.row(1)["status"] == FAILED
    assert len(acts.letters()) == 1


# -- all at once --------------------------------------------------------------------------------------------------

JOBS = 120


def test_side_by_side_every_job_is_run_exactly_once(file_store: SQLiteStore) -> None:
    file_store.insert([NewJob("x", id=f"job-{n}", max_attempts=2) for n in range(JOBS)], to_text(past()))
    ran: list[tuple[str, str]] = []  # who, which
    faults: list[BaseException] = []
    all_have_one = threading.Barrier(4)

    def fails(id_: str) -> bool:
        return int(id_.removeprefix("job-")) % 5 == 0

    def theirs(name: str) -> None:
        plain = sqlite3.connect(file_store.path, timeout=30, isolation_level=None)
        is_first = True
        while id_ := claim(plain, name):
            ran.append((name, id_))
            if is_first:
                all_have_one.wait(20)
                is_first = False
            if fails(id_):
                plain.execute("BEGIN IMMEDIATE")
                fail(plain, id_, "boom")
                plain.execute("COMMIT")
            else:
                plain.execute(COMPLETE, (id_,))
        plain.close()

    def ours(name: str) -> None:
        store = SQLiteStore(file_store.path)
        acts = Acts(store)
        is_first = True
        while leases := store.claim(name, 2, to_text(time.time()), handlers=Everything()):
            ran.extend((name, lease.id) for lease in leases)
            if is_first:
                all_have_one.wait(20)
                is_first = False
            for lease in leases:
                how = ending.ERROR if fails(lease.id) else ending.SUCCEEDED
                assert acts.end(lease, how, name, time.time(), error="boom").move is not None
        store.close()

    def guarded(work: Any, name: str) -> None:
        try:
            work(name)
        except BaseException as fault:
            faults.append(fault)

    plan = [(theirs, "theirs-1"), (ours, "ours-1"), (theirs, "theirs-2"), (ours, "ours-2")]
    threads = [threading.Thread(target=guarded, args=one) for one in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(id_ for _, id_ in ran) == sorted(f"job-{n}" for n in range(JOBS))
    rows = file_store.read("SELECT id, status, attempts, locked_by FROM jobs")
    assert {(id_, status) for id_, status, _, _ in rows} == {
        (f"job-{n}", PENDING if fails(f"job-{n}") else COMPLETED) for n in range(JOBS)
    }
    assert {(attempts, locked) for _, _, attempts, locked in rows} == {(1, None)}
    assert file_store.read("PRAGMA integrity_check") == [("ok",)]
