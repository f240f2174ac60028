"""The history: figures that commit with the jobs they count, outlive them, and are thinned by age."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import COMPLETED, NewJob
from qctl.rules import ending
from qctl.rules.ending import Ending, Facts, Move
from qctl.rules.sketch import quantile
from qctl.rules.tally import Tally
from qctl.rules.when import to_text
from qctl.store.sqlite import ledger, purge, upkeep, workers
from qctl.store.sqlite.connection import MEMORY
from qctl.store.sqlite.finish import Outcome
from qctl.store.sqlite.store import SQLiteStore
from qctl.store.sqlite.window import read_window
from tests.profile import examples
from tests.store.conftest import NOW, Acts

DAY = 86_400.0


def whole(store: SQLiteStore, since: float = NOW - DAY, until: float = NOW + DAY) -> Tally:
    return read_window(store, since, until, 8).whole()


def counts(tally: Tally) -> tuple[float, ...]:
    return (tally.completed, tally.failed, tally.retried, tally.dead, tally.cancelled)


def test_ends_are_counted_by_what_they_were(acts: Acts) -> None:
    acts.put(*"aaaaa", max_attempts=2)
    first, second, third, fourth, fifth = acts.claim(limit=5)
    acts.end(first, ending.SUCCEEDED)
    acts.end(second, ending.ERROR)
    acts.end(third, ending.DEAD)
    acts.end(fourth, ending.CANCEL)
    acts.end(fifth, ending.STOPPED)
    assert counts(whole(acts.store)) == (1, 2, 1, 1, 1)


def test_a_wait_counts_from_when_the_job_was_due_and_a_run_from_its_start(acts: Acts) -> None:
    acts.put("a", now=NOW - 100)
    (lease,) = acts.claim(now=NOW - 60)
    done = Ending(lease.number, lease.token, ending.SUCCEEDED, started_at=NOW - 60, finished_at=NOW - 50)
    acts.store.finish("w-1", [(done, Facts(1, 5, None))], to_text(NOW - 50), lambda: 0.0)
    found = whole(acts.store)
    assert quantile(found.wait, 0.5) == pytest.approx(40, rel=0.0101)
    assert quantile(found.run, 0.5) == pytest.approx(10, rel=0.0101)


def test_the_lease_tells_type_and_time_so_that_nothing_is_looked_up(acts: Acts) -> None:
    acts.put("a", now=NOW - 5)
    (lease,) = acts.claim(now=NOW)
    assert (lease.type, lease.due) == ("a", to_text(NOW - 5))


def test_figures_commit_with_the_jobs_and_a_rollback_takes_them_along(acts: Acts) -> None:
    store = acts.store
    acts.put("a", "a")
    leases = acts.claim(limit=2)
    with pytest.raises(RuntimeError, match="fault"), store.write():
        store.finish("w-1", [acts.ending(leases[0], ending.SUCCEEDED)], to_text(NOW), lambda: 0.0)
        raise RuntimeError("fault")
    assert whole(store).completed == 0
    for lease in leases:
        acts.end(lease, ending.SUCCEEDED)
    assert whole(store).completed == 2


def test_a_late_result_is_not_counted(acts: Acts) -> None:
    acts.put("a")
    (lease,) = acts.claim()
    acts.end(lease, ending.SUCCEEDED)
    acts.end(lease, ending.SUCCEEDED)
    assert whole(acts.store).completed == 1


def test_a_busy_worker_writes_seldom_and_leaves_nothing_unwritten_at_its_end(
    acts: Acts, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = acts.store
    workers.register(store, "w-1", 1, NOW)
    monkeypatch.setattr(ledger, "SHARE", 1e9)
    acts.put(*"aaaa")
    for place, lease in enumerate(acts.claim(limit=4)):
        with store.write():
            store.finish("w-1", [acts.ending(lease, ending.SUCCEEDED)], to_text(NOW), lambda: 0.0)
        assert whole(store).completed == 1, f"all but the first wait, at {place}"
    workers.unregister(store, "w-1")
    assert whole(store).completed == 4


def test_what_waits_is_written_within_a_second_of_the_next_look(acts: Acts, monkeypatch: pytest.MonkeyPatch) -> None:
    store = acts.store
    monkeypatch.setattr(ledger, "SHARE", 1e9)
    acts.put("a", "a")
    for lease in acts.claim(limit=2):
        with store.write():
            store.finish("w-1", [acts.ending(lease, ending.SUCCEEDED)], to_text(NOW), lambda: 0.0)
    ledger.write_rest(store)
    assert whole(store).completed == 2


def test_two_workers_add_to_the_same_minute(file_store: SQLiteStore) -> None:
    other = SQLiteStore(file_store.path)
    acts, others = Acts(file_store), Acts(other)
    acts.put(*"aaaa")
    for one, leases in ((acts, acts.claim(limit=2)), (others, others.claim("w-2", limit=2))):
        for lease in leases:
            one.end(lease, ending.SUCCEEDED, "w-1" if one is acts else "w-2")
    other.close()
    assert whole(file_store).completed == 4


def test_a_worker_that_died_left_failed_attempts(file_store: SQLiteStore) -> None:
    acts = Acts(file_store)
    acts.put("a")
    workers.register(file_store, "w-1", 1, NOW)
    acts.claim()
    workers.bury(file_store, [workers.Dead("w-1", "it died")], NOW, lambda: 0.0)
    assert counts(whole(file_store)) == (0, 1, 1, 0, 0)


# -- what was enqueued -------------------------------------------------------------------------------------------------


def test_whoever_enqueued_it_is_counted_before_and_after_the_upkeep(acts: Acts, plain: sqlite3.Connection) -> None:
    now = time.time()
    acts.put("a", "b", now=now)
    plain.execute("INSERT INTO jobs (type) VALUES ('b')")
    plain.execute("INSERT INTO jobs (type, created_at) VALUES ('b', datetime('now', '-1 hour'))")
    for _ in range(3):
        window = read_window(acts.store, now - 7200, now + 60, 8)
        assert {name: round(one.enqueued) for name, one in window.types.items()} == {"a": 1, "b": 3}
        while not upkeep.upkeep(acts.store, now + 1):  # a slow disk leaves it time for a part only
            pass


def test_what_many_enqueue_is_counted_in_steps(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "CHUNK", 7)
    monkeypatch.setattr(upkeep, "LONGEST", 0.0)
    store.insert([NewJob("a") for _ in range(50)], to_text(NOW))
    steps = 1
    while not upkeep.upkeep(store, NOW):
        steps += 1
        assert round(whole(store).enqueued) == 50
    assert steps == 8


def test_many_new_jobs_are_estimated_from_some_of_them(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from qctl.store.sqlite import window

    monkeypatch.setattr(window, "TAIL", 100)
    monkeypatch.setattr(window, "ASKED", 100)
    store.insert([NewJob("ab"[place % 2]) for place in range(999)], to_text(NOW))
    assert whole(store).enqueued == pytest.approx(999, rel=0.02)


# -- thinned -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory() -> Iterator[SQLiteStore]:
    one = SQLiteStore(MEMORY)
    yield one
    one.close()


def put_minutes(store: SQLiteStore, minutes: dict[float, dict[str, int]], source: str = "x") -> None:
    """So many completed in the minutes that began so many seconds before NOW."""
    for age, types in minutes.items():
        for type_, completed in types.items():
            one = Tally()
            one.completed, one.run = completed, {500: completed}
            at = int(NOW - age) // 60 * 60
            with store.write() as connection:
                connection.execute(ledger.sql("put_figures"), (at, type_, source, *one.row()))


ages = st.integers(0, int(29 * DAY)).map(float)


@settings(max_examples=examples(40))
@given(st.dictionaries(ages, st.dictionaries(st.sampled_from("ab"), st.integers(1, 9), max_size=2), max_size=25))
def test_thinning_loses_nothing_within_thirty_days(minutes: dict[float, dict[str, int]]) -> None:
    store = SQLiteStore(MEMORY)
    put_minutes(store, minutes)
    put_minutes(store, minutes, source="y")
    before = {name: counts(one) for name, one in read_window(store, NOW - 31 * DAY, NOW + 60, 8).types.items()}
    while not upkeep.upkeep(store, NOW):
        pass
    after = read_window(store, NOW - 31 * DAY, NOW + 60, 8)
    assert {name: pytest.approx(counts(one)) for name, one in after.types.items()} == before
    assert upkeep.next_task(store, int(NOW)) is None
    store.close()


def spans(store: SQLiteStore) -> list[Any]:
    return store.read("SELECT span, count(*) FROM qctl_figures GROUP BY span ORDER BY span")


def test_minutes_become_ten_minutes_then_hours_then_nothing(memory: SQLiteStore) -> None:
    hour = 3600.0
    put_minutes(memory, {age * 60: {"a": 1} for age in range(240)})
    put_minutes(memory, {age * 60: {"a": 1} for age in range(240)}, source="y")
    now = NOW
    while not upkeep.upkeep(memory, now):
        pass
    assert [span for span, _count in spans(memory)] == [60, 600]
    assert memory.read(
        "SELECT max(n) FROM (SELECT count(*) n FROM qctl_figures WHERE at < ? GROUP BY at)", (NOW - 700,)
    ) == [(1,)]
    now += 3 * DAY
    while not upkeep.upkeep(memory, now):
        pass
    assert [span for span, _count in spans(memory)] == [3600]
    assert round(whole(memory, NOW - 6 * hour).completed) == 480
    now += 28 * DAY
    while not upkeep.upkeep(memory, now):
        pass
    assert spans(memory) == []


def test_a_window_counts_of_a_stretch_only_the_part_that_lies_in_it(memory: SQLiteStore) -> None:
    at = int(NOW) // 3600 * 3600
    one = Tally()
    one.completed = 60
    with memory.write() as connection:
        connection.execute(ledger.sql("add_figures"), (3600, at, "a", *one.row()))
    assert whole(memory, at + 1800, at + 7200).completed == 30
    assert whole(memory, at - 7200, at).completed == 0
    assert sum(read_window(memory, at, at + 7200, 8).history["a"][:4]) == 60


# -- and it outlives the jobs ------------------------------------------------------------------------------------------


def test_a_purge_takes_jobs_and_leaves_the_figures(acts: Acts, plain: sqlite3.Connection) -> None:
    store = acts.store
    acts.put(*"aaa", now=NOW - 100)
    for lease in acts.claim(limit=3, now=NOW - 90):
        acts.end(lease, ending.SUCCEEDED, now=NOW - 90)
    plain.execute(
        "INSERT INTO jobs (type, status, started_at, completed_at) VALUES ('b', 'completed', ?, ?)",
        (to_text(NOW - 80), to_text(NOW - 70)),
    )
    before = {name: counts(one) for name, one in read_window(store, NOW - 3600, NOW, 8).types.items()}
    assert before["b"][0] == 1
    assert purge.purge(store, NOW, ["completed"], 0.0, 0, None, False, None)["deleted"] == 4
    after = read_window(store, NOW - 3600, NOW, 8)
    assert {name: counts(one) for name, one in after.types.items()} == before
    assert quantile(after.types["b"].run, 0.5) == pytest.approx(10, rel=0.0101)


@pytest.mark.parametrize("runs", [20_000, pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_percentiles_of_recorded_runs_are_within_two_percent(memory: SQLiteStore, runs: int) -> None:
    """Through all that a run goes through: counted by a ledger, written by minutes and sources, thinned, read."""
    chance = random.Random(7)
    kept, took = ledger.Ledger(), []
    batch = runs // 50
    for part in range(50):
        ended, outcomes = [], []
        for _ in range(batch):
            seconds = chance.lognormvariate(-2, 1.5) if chance.random() < 0.9 else chance.expovariate(1 / 60)
            took.append(seconds)
            at = NOW + part * 60 + 1
            one = Ending(0, 0, ending.SUCCEEDED, started_at=at - seconds, finished_at=at)
            ended.append((one, Facts(1, 1, None, type="a", due=to_text(at - seconds))))
            outcomes.append(Outcome(one, Move(COMPLETED, 1, 0, None, None)))
        with memory.write() as connection:
            kept.note(connection, ended, outcomes)
            kept.write(connection, force=True)
        kept.settle(True)
        if part % 10 == 9:
            kept.renew()
    took.sort()

    def check() -> None:
        found = whole(memory, NOW - 60, NOW + 4000)
        assert found.completed == runs
        for share in (0.5, 0.95, 0.99):
            exact = took[int(runs * share) - 1]
            assert quantile(found.run, share) == pytest.approx(exact, rel=0.02)

    check()
    while not upkeep.upkeep(memory, NOW + 3 * 3600):
        pass
    assert memory.read("SELECT DISTINCT span FROM qctl_figures") == [(600,)]
    check()
