"""Schedules in a queue: each tick one job, none before the last, whatever the clock and other programs do."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import pytest

from qctl.model import BadValue, NewJob
from qctl.rules import ending
from qctl.rules.when import to_text
from qctl.store.sqlite import cron, tick
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts

HOUR = 3600.0


def add(store: SQLiteStore, expression: str = "*/15 * * * *", *, now: float = NOW, type: str = "x", **plan: Any) -> str:
    """A schedule; its name. NOW is 08:00 in UTC."""
    usual = {"zone": "UTC", "seconds": False, "catch_up": "latest", "overlap": "allow", "name": None}
    return cron.add_schedule(store, NewJob(type), {**usual, "expression": expression, **plan}, now)


def ticks(store: SQLiteStore) -> list[str]:
    """The times of day of the ticks that have a job, in the order of the jobs."""
    return [row[0][11:16] for row in store.read("SELECT tick FROM jobs WHERE tick IS NOT NULL ORDER BY number")]


def fire(store: SQLiteStore, now: float) -> tick.Fired:
    return tick.fire(store, now, "UTC")


def one(store: SQLiteStore, name: str = "x", now: float = NOW) -> dict[str, Any]:
    return cron.find_schedule(store, name, now)


def test_each_tick_makes_one_job_however_often_it_is_looked_at(store: SQLiteStore) -> None:
    add(store)
    assert tick.next_at(store) == NOW + 900
    for second in range(0, 1900, 50):
        fire(store, NOW + second)
        fire(store, NOW + second)
    assert ticks(store) == ["08:15", "08:30"]
    assert fire(store, NOW + 1900).next_at == NOW + 2700


def test_its_job_is_as_the_schedule_says(store: SQLiteStore, acts: Acts) -> None:
    job = NewJob("command", '{"a":1}', priority=7, queue="q", command='["true"]', cwd="/", env='{"A":"b"}', tags='["t"]',
                 max_attempts=2, timeout=9.0, backoff="fixed:1s")  # fmt: skip
    plan = {
        "expression": "@hourly",
        "zone": "UTC",
        "seconds": False,
        "catch_up": "latest",
        "overlap": "skip",
        "name": "n",
    }
    cron.add_schedule(store, job, plan, NOW)
    (number,) = fire(store, NOW + HOUR + 0.5).numbers
    row = acts.row(number)
    for key in ("type", "payload", "priority", "queue", "command", "cwd", "env", "tags", "max_attempts", "timeout"):
        assert row[key] == getattr(job, key)
    assert (row["attempts_set"], row["backoff"], row["status"]) == (1, "fixed:1s", "pending")
    assert (row["schedule"], row["tick"]) == (one(store, "n")["id"], to_text(NOW + HOUR))
    assert (one(store, "n")["last_job"], one(store, "n")["last_run_at"]) == (number, to_text(NOW + HOUR + 0.5))


@pytest.mark.parametrize(
    ("policy", "made"),
    [
        ("latest", ["10:00"]),
        ("all", ["08:15", "08:30", "08:45", "09:00", "09:15", "09:30", "09:45", "10:00"]),
        ("none", []),
    ],
)
def test_after_a_downtime_it_catches_up_as_it_was_told(store: SQLiteStore, policy: str, made: list[str]) -> None:
    add(store, catch_up=policy, overlap="skip")
    fire(store, NOW + 2 * HOUR + 100)
    assert ticks(store) == made
    fire(store, NOW + 2 * HOUR + 901)
    assert ticks(store) == [*made, "10:15"] if policy == "none" else made  # the one before has not ended: skipped


def test_all_is_bounded(store: SQLiteStore) -> None:
    add(store, "* * * * *", catch_up="all")
    assert len(fire(store, NOW + 1000 * 60).numbers) == 100
    assert fire(store, NOW + 1000 * 60).numbers == []


def test_a_tick_is_skipped_while_an_earlier_job_has_not_ended(store: SQLiteStore, acts: Acts) -> None:
    add(store, overlap="skip")
    fire(store, NOW + 900)
    fire(store, NOW + 1800)
    assert (ticks(store), one(store)["skipped"]) == (["08:15"], 1)
    acts.end(acts.claim(now=NOW + 1900)[0], ending.SUCCEEDED, now=NOW + 1900)
    fire(store, NOW + 2700)
    assert (ticks(store), one(store)["skipped"]) == (["08:15", "08:45"], 1)


def test_a_clock_set_back_makes_no_tick_again_and_one_set_forward_makes_no_stampede(store: SQLiteStore) -> None:
    add(store)
    fire(store, NOW + 905)
    for now in (NOW - 86_400, NOW + 100, NOW + 899):
        tick.forget_ticks(store, now)
        fire(store, now)
        assert tick.next_at(store) == NOW + 1800
    fire(store, NOW + 905)
    assert ticks(store) == ["08:15"]
    fire(store, NOW + 86_400)
    assert ticks(store) == ["08:15", "08:00"]
    assert tick.next_at(store) == NOW + 86_400 + 900


def test_a_next_tick_worked_out_by_a_clock_that_was_wrong_is_worked_out_anew(store: SQLiteStore) -> None:
    add(store, now=NOW + 86_400)
    tick.forget_ticks(store, NOW)
    fire(store, NOW)
    assert tick.next_at(store) == NOW + 900


def test_a_job_that_was_purged_does_not_bring_its_tick_back(store: SQLiteStore) -> None:
    add(store)
    fire(store, NOW + 900)
    with store.write() as connection:
        connection.execute("DELETE FROM jobs")
        connection.execute("UPDATE cron_schedules SET next_run_at = ?", (to_text(NOW + 900),))
    assert fire(store, NOW + 910).numbers == []
    assert tick.next_at(store) == NOW + 1800


def test_a_pause_is_not_caught_up(store: SQLiteStore) -> None:
    add(store)
    assert cron.pause_schedule(store, one(store)["id"])
    assert not cron.pause_schedule(store, one(store)["id"])
    assert fire(store, NOW + HOUR).next_at is None
    assert cron.resume_schedule(store, one(store), "UTC", NOW + HOUR + 10)
    assert fire(store, NOW + HOUR + 20).numbers == []
    assert tick.next_at(store) == NOW + HOUR + 900


def test_run_makes_a_job_apart_from_the_ticks(store: SQLiteStore) -> None:
    add(store)
    row = one(store)
    numbers = [cron.run_schedule(store, row, NOW + 900) for _ in range(3)]
    assert len(set(numbers)) == 3
    assert len(fire(store, NOW + 900).numbers) == 1
    assert one(store)["last_job"] == numbers[-1] + 1


def test_names_are_the_type_made_unique_or_ones_own(store: SQLiteStore) -> None:
    assert [add(store), add(store), add(store, name="mine"), add(store)] == ["x", "x-2", "mine", "x-3"]
    with pytest.raises(BadValue, match="already"):
        add(store, name="x-2")


# -- plain SQL -------------------------------------------------------------------------------------------------------


def test_a_type_and_an_expression_by_plain_sql_are_a_schedule(store: SQLiteStore, plain: sqlite3.Connection) -> None:
    plain.execute("INSERT INTO cron_schedules (type, cron_expression) VALUES ('x', '*/15 * * * *'), ('x', '@hourly')")
    assert tick.next_at(store) == 0.0
    assert tick.fire(store, NOW, "Europe/Berlin").numbers == []
    rows = cron.schedules(store, NOW)
    assert [(row["name"], row["time_zone"]) for row in rows] == [("x", "Europe/Berlin"), ("x-2", "Europe/Berlin")]
    assert rows[0]["next_run_at"] == to_text(NOW + 900)
    assert len(fire(store, NOW + HOUR).numbers) == 2


@pytest.mark.parametrize("text", ["2027-01-15T08:05:00Z", "2027-01-15 08:05:00", "2027-01-15 09:05+01:00"])
def test_a_next_tick_of_ones_own_counts_in_any_form(store: SQLiteStore, plain: sqlite3.Connection, text: str) -> None:
    plain.execute("INSERT INTO cron_schedules (type, cron_expression, next_run_at) VALUES ('x', '@daily', ?)", (text,))
    assert fire(store, NOW + 299).numbers == []
    assert len(fire(store, NOW + 300).numbers) == 1
    assert tick.next_at(store) == NOW + 16 * HOUR


@pytest.mark.parametrize(
    ("columns", "values", "why"),
    [
        ("cron_expression", ("nonsense",), "1 field"),
        ("cron_expression", ("0 0 31 2 *",), "never comes"),
        ("cron_expression, time_zone", ("* * * * *", "Nowhere"), "is not known here"),
        ("cron_expression, time_zone", ("* * * * *", b"\xff"), "is not known here"),
        ("cron_expression, payload", ("* * * * *", b"{}"), "are text"),
        ("cron_expression, priority", ("* * * * *", "high"), "its job is refused"),
        ("cron_expression, last_tick", ("* * * * *", "soon"), "not a stored time"),
    ],
)
def test_a_row_that_cannot_tick_is_reported_and_harms_no_other(
    store: SQLiteStore, plain: sqlite3.Connection, columns: str, values: tuple[Any, ...], why: str
) -> None:
    plain.execute(
        f"INSERT INTO cron_schedules (type, {columns}) VALUES ('bad', {', '.join('?' * len(values))})", values
    )
    add(store, "* * * * *")
    errors = fire(store, NOW).errors + fire(store, NOW + 60).errors + fire(store, NOW + 120).errors
    assert [name for name, _why in errors] == ["bad"]
    assert why in errors[0][1] and why in one(store, "bad")["warning"]
    assert ticks(store) == ["08:01", "08:02"]
    plain.execute(
        "UPDATE cron_schedules SET cron_expression = '*/2 * * * *', time_zone = 'UTC', type = 'good' WHERE type = 'bad'"
    )
    assert one(store, "good")["error"] is None


def test_another_expression_or_the_end_of_a_pause_by_sql_is_another_next_tick(
    store: SQLiteStore, plain: sqlite3.Connection
) -> None:
    add(store)
    for change in ("cron_expression = '@daily'", "time_zone = 'Europe/Berlin'", "is_active = 0", "is_active = 1"):
        plain.execute(f"UPDATE cron_schedules SET {change}")
        fire(store, NOW)
    assert tick.next_at(store) == NOW + 15 * HOUR


# -- warnings --------------------------------------------------------------------------------------------------------


def test_what_does_not_do_its_duty_is_told(store: SQLiteStore) -> None:
    from qctl.store.sqlite import workers

    add(store)
    assert one(store)["warning"] == "no worker is running"
    workers.register(store, "w-1", 1, NOW + 2000)
    workers.tell_types(store, "w-1", ["y", 'odd "name" é'])
    assert one(store, now=NOW + 2000)["warning"] == "no live worker has a handler for x"
    workers.tell_types(store, "w-1", ["x"])
    assert one(store, now=NOW + 2000)["warning"] == "it has not fired when it should"
    fire(store, NOW + 2000)
    assert one(store, now=NOW + 2000)["warning"] is None


# -- the cost --------------------------------------------------------------------------------------------------------


def test_ten_thousand_schedules_cost_a_tick_and_an_idle_look_next_to_nothing(store: SQLiteStore) -> None:
    with store.write() as connection:
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
            " INSERT INTO cron_schedules (type, cron_expression, next_run_at, name, time_zone)"
            " SELECT 'x', '0 3 * * *', '2027-01-16 03:00:00.000', 'n-' || i, 'UTC' FROM n"
        )
    add(store, "* * * * *", type="due")
    fire(store, NOW + 60)
    begun = time.process_time()
    assert len(fire(store, NOW + 120).numbers) == 1
    assert time.process_time() - begun < 0.05
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    store.connection.set_progress_handler(step, 1)
    assert tick.next_at(store) == NOW + 180
    store.connection.set_progress_handler(None, 1)
    assert count < 60


def test_ten_thousand_ticks_at_once_come_in_short_transactions(store: SQLiteStore) -> None:
    with store.write() as connection:
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
            " INSERT INTO cron_schedules (type, cron_expression, next_run_at, name, time_zone)"
            " SELECT 'x', '0 8 * * *', '2027-01-15 08:00:00.000', 'n-' || i, 'UTC' FROM n"
        )
    rounds, made = 0, 0
    while (fired := fire(store, NOW + 1)).numbers:
        rounds += 1
        made += len(fired.numbers)
    assert made == 1000
    assert rounds > 2
