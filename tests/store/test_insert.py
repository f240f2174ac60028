"""Putting rows in: complete, in order, all or none, and on disk before anybody is told."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qctl.model import BadValue, NewJob, QueueFileError
from qctl.rules.when import to_text
from qctl.store.sqlite.insert import IdTaken, new_id
from qctl.store.sqlite.room import readings
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts

TEXT = to_text(NOW)


def test_a_stored_job_has_every_field_that_was_given(store: SQLiteStore, acts: Acts) -> None:
    job = NewJob(
        "resize",
        '{"n":1}',
        id="order-1",
        priority=-7,
        max_attempts=3,
        scheduled_at="2030-01-01 00:00:00.000",
        queue="images",
        command='["convert"]',
        cwd="/srv",
        env='{"A":"b"}',
        tags='["t"]',
        timeout=2.5,
        backoff="fixed:1s",
    )
    (number,) = store.insert([job], TEXT)
    row = acts.row(number)
    for name in set(NewJob.__slots__) - {"more"}:
        assert row[name] == getattr(job, name), name
    assert (row["status"], row["attempts"], row["token"], row["attempts_set"]) == ("pending", 0, 0, 1)
    assert row["created_at"] == row["updated_at"] == TEXT


def test_what_is_not_given_is_as_after_a_plain_insert(
    store: SQLiteStore, acts: Acts, plain: sqlite3.Connection
) -> None:
    (ours,) = store.insert([NewJob("x")], TEXT)
    plain.execute("INSERT INTO jobs (type, payload) VALUES ('x', '{}')")
    differing = {"number", "id", "scheduled_at", "created_at", "updated_at"}
    left, right = acts.row(ours), acts.row(ours + 1)
    assert {k: v for k, v in left.items() if k not in differing} == {
        k: v for k, v in right.items() if k not in differing
    }
    assert acts.row(ours)["scheduled_at"] == TEXT


@pytest.mark.parametrize("count", [1, 2, 500])
def test_numbers_come_back_in_the_order_given(store: SQLiteStore, count: int) -> None:
    store.insert([NewJob("before")], TEXT)
    numbers = store.insert([NewJob(f"t{index}") for index in range(count)], TEXT)
    assert numbers == list(range(2, count + 2))
    assert store.read("SELECT type FROM jobs WHERE number > 1 ORDER BY number") == [(f"t{i}",) for i in range(count)]


def test_nothing_to_store_is_no_error(store: SQLiteStore) -> None:
    assert store.insert([], TEXT) == []


def test_our_ids_grow_with_time_and_are_of_the_form_that_the_schema_makes(store: SQLiteStore) -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    fronts = [id_[:13] for id_ in ids]
    assert fronts == sorted(fronts)
    store.connection.execute("INSERT INTO jobs (type) VALUES ('x')")
    theirs = store.read("SELECT id FROM jobs")[0][0]
    assert [len(part) for part in theirs.split("-")] == [len(part) for part in ids[0].split("-")]
    assert theirs[14] == ids[0][14] == "7"
    assert {theirs[19], ids[0][19]} <= set("89ab")
    assert theirs[:6] == ids[-1][:6]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_an_id_that_is_taken_is_named_and_nothing_of_the_call_is_stored(store: SQLiteStore, size: int) -> None:
    store.insert([NewJob("x", id="mine")], TEXT)
    jobs = [NewJob("y") for _ in range(size - 1)] + [NewJob("y", id="mine")]
    with pytest.raises(IdTaken) as taken:
        store.insert(jobs, TEXT)
    assert isinstance(taken.value, BadValue)
    assert taken.value.exit_code == 2
    assert taken.value.index == size - 1
    assert "'mine'" in str(taken.value)
    assert store.read("SELECT type FROM jobs") == [("x",)]
    assert not store.connection.in_transaction


def test_the_same_id_twice_in_one_call_is_refused(store: SQLiteStore) -> None:
    with pytest.raises(IdTaken) as taken:
        store.insert([NewJob("x", id="twin"), NewJob("x", id="twin")], TEXT)
    assert taken.value.index == 1
    assert store.read("SELECT count(*) FROM jobs") == [(0,)]


def test_a_number_is_not_lost_by_a_refused_insert(store: SQLiteStore) -> None:
    store.insert([NewJob("x", id="mine")], TEXT)
    with pytest.raises(IdTaken):
        store.insert([NewJob("x", id="mine")], TEXT)
    assert store.insert([NewJob("x")], TEXT) == [2]


def test_an_id_of_digits_is_refused_by_the_schema_itself(store: SQLiteStore) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.insert([NewJob("x", id="1234")], TEXT)
    assert store.read("SELECT count(*) FROM jobs") == [(0,)]


def test_a_job_is_seen_by_others_as_soon_as_its_number_is_known(file_store: SQLiteStore) -> None:
    other = sqlite3.connect(file_store.path)
    for _ in range(3):
        (number,) = file_store.insert([NewJob("x")], TEXT)
        assert other.execute("SELECT max(number) FROM jobs").fetchone() == (number,)
    other.close()


KILLED = """
import os, sys
from qctl.model import NewJob
from qctl.store.sqlite.store import SQLiteStore
store = SQLiteStore(sys.argv[1])
while True:
    print(*store.insert([NewJob("x"), NewJob("y")], "2027-01-15 08:00:00.000"), flush=True)
"""


def test_a_number_that_was_said_is_a_job_stored_whatever_kills_us_next(tmp_path: Path) -> None:
    path = str(tmp_path / "queue.db")
    process = subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(20)]
    process.kill()
    said += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    whole = [int(number) for line in said if line.endswith("\n") for number in line.split()]
    assert len(whole) >= 40
    store = SQLiteStore(path)
    stored = [row[0] for row in store.read("SELECT number FROM jobs ORDER BY number")]
    assert set(whole) <= set(stored)
    assert len(stored) % 2 == 0  # each call stored both of its jobs or none
    assert store.read("PRAGMA integrity_check") == [("ok",)]
    store.close()


# -- the caller's own transaction ---------------------------------------------------------------------------------


def test_where_the_file_is_gone_that_is_said_and_not_how_the_system_puts_it(file_store: SQLiteStore) -> None:
    Path(file_store.path).unlink()
    with pytest.raises(QueueFileError, match="was deleted or replaced since it was opened"):
        file_store.insert([NewJob("x")], to_text(NOW))
    with pytest.raises(QueueFileError, match="cannot use .*: No such file"):
        readings(file_store)


@pytest.mark.parametrize("isolation_level", [None, "", "IMMEDIATE"])
def test_a_job_joins_the_callers_transaction_and_shares_its_fate(file_store: SQLiteStore, isolation_level: Any) -> None:
    caller = sqlite3.connect(file_store.path, isolation_level=isolation_level)
    for keep in (False, True):
        if isolation_level is None:
            caller.execute("BEGIN")
        (number,) = file_store.insert([NewJob("x")], TEXT, caller)
        assert caller.in_transaction
        assert file_store.read("SELECT count(*) FROM jobs") == [(0,)]  # nobody else sees it yet
        if keep:
            caller.commit()
        else:
            caller.rollback()
        assert file_store.read("SELECT number FROM jobs") == ([(number,)] if keep else [])
    caller.close()


def test_an_id_that_is_taken_leaves_the_callers_transaction_open_and_usable(file_store: SQLiteStore) -> None:
    file_store.insert([NewJob("x", id="mine")], TEXT)
    caller = sqlite3.connect(file_store.path)
    caller.execute("INSERT INTO jobs (type) VALUES ('theirs')")
    with pytest.raises(IdTaken):
        file_store.insert([NewJob("y", id="mine")], TEXT, caller)
    caller.commit()
    assert file_store.read("SELECT type FROM jobs ORDER BY number") == [("x",), ("theirs",)]
    caller.close()


def test_many_jobs_in_the_callers_transaction_are_all_or_none_too(file_store: SQLiteStore) -> None:
    file_store.insert([NewJob("x", id="mine")], TEXT)
    caller = sqlite3.connect(file_store.path)
    caller.execute("INSERT INTO jobs (type) VALUES ('theirs')")
    with pytest.raises(IdTaken):
        file_store.insert([NewJob("y"), NewJob("y", id="mine")], TEXT, caller)
    caller.commit()
    assert file_store.read("SELECT type FROM jobs ORDER BY number") == [("x",), ("theirs",)]
    caller.close()
