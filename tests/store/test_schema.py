"""The queue file is an open format: a plain INSERT is a complete enqueue, and the schema itself keeps its promises."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import STATUSES
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite.connection import MEMORY
from qctl.store.sqlite.store import SQLiteStore
from tests.profile import examples

COURSE_JOBS = {
    "id", "type", "payload", "status", "priority", "attempts", "max_attempts", "last_error", "scheduled_at",
    "created_at", "updated_at", "completed_at", "locked_by", "locked_at",
}  # fmt: skip
COURSE_DEAD = {"id", "original_job_id", "type", "payload", "attempts", "last_error", "failed_at", "reviewed", "notes"}
COURSE_CRON = {"id", "type", "payload", "cron_expression", "last_run_at", "next_run_at", "is_active", "created_at"}
STORED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def insert(connection: sqlite3.Connection, **columns: Any) -> int:
    columns.setdefault("type", "x")
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO jobs ({', '.join(columns)}) VALUES ({marks})"
    return connection.execute(statement, tuple(columns.values())).lastrowid or 0


def one(connection: sqlite3.Connection, what: str, number: int) -> Any:
    return connection.execute(f"SELECT {what} FROM jobs WHERE number = ?", (number,)).fetchone()[0]


# -- a complete enqueue -------------------------------------------------------------------------------------------


def test_type_and_payload_make_a_complete_job_with_the_courses_defaults(plain: sqlite3.Connection) -> None:
    before = time.time()
    plain.execute("""INSERT INTO jobs(type, payload) VALUES ('send_email', '{"to":"a@b.c"}')""")
    after = time.time()
    cursor = plain.execute("SELECT * FROM jobs")
    row = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
    assert row["number"] == 1
    assert (row["type"], row["payload"], row["status"]) == ("send_email", '{"to":"a@b.c"}', "pending")
    assert (row["priority"], row["attempts"], row["max_attempts"]) == (0, 0, 5)
    assert (row["last_error"], row["completed_at"], row["locked_by"], row["locked_at"]) == (None, None, None, None)
    for column in ("scheduled_at", "created_at", "updated_at"):
        assert STORED.fullmatch(row[column])
        assert before - 0.002 <= from_text(row[column]) <= after + 0.002
    assert UUID7.fullmatch(row["id"])


def test_a_type_alone_is_enough_and_has_an_empty_object_as_payload(plain: sqlite3.Connection) -> None:
    number = insert(plain, type="x")
    assert one(plain, "payload", number) == "{}"


@pytest.mark.parametrize(
    ("table", "columns"),
    [("jobs", COURSE_JOBS | {"number"}), ("dead_letter_jobs", COURSE_DEAD), ("cron_schedules", COURSE_CRON)],
)
def test_the_courses_columns_are_all_there_and_what_is_ours_has_a_default(
    store: SQLiteStore, table: str, columns: set[str]
) -> None:
    info = {row[1]: row for row in store.read(f"PRAGMA table_info({table})")}
    assert columns <= set(info)
    for name in set(info) - columns:
        _, _, _, is_required, default, _ = info[name]
        assert default is not None or not is_required, name


def test_dead_letters_and_schedules_have_the_courses_defaults(plain: sqlite3.Connection) -> None:
    plain.execute("INSERT INTO dead_letter_jobs (original_job_id, type) VALUES ('j', 'x')")
    row = plain.execute("SELECT id, payload, attempts, last_error, failed_at, reviewed, notes FROM dead_letter_jobs")
    id_, payload, attempts, error, failed_at, reviewed, notes = row.fetchone()
    assert (payload, attempts, error, reviewed, notes) == ("{}", 0, None, 0, None)
    assert id_ and STORED.fullmatch(failed_at)
    plain.execute("INSERT INTO cron_schedules (type, cron_expression) VALUES ('report', '0 3 * * *')")
    row = plain.execute("SELECT id, payload, is_active, last_run_at, next_run_at, created_at FROM cron_schedules")
    id_, payload, is_active, last, following, created = row.fetchone()
    assert (payload, is_active, last, following) == ("{}", 1, None, None)
    assert id_ and STORED.fullmatch(created)


def test_the_sqlite_shell_can_enqueue(file_store: SQLiteStore) -> None:
    if subprocess.run(["which", "sqlite3"], capture_output=True, check=False).returncode:
        pytest.skip("there is no sqlite3 shell here")
    statement = "INSERT INTO jobs(type, payload) VALUES ('x', '{}') RETURNING number"
    done = subprocess.run(["sqlite3", file_store.path, statement], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert [lease.number for lease in file_store.claim("w", 1, to_text(time.time() + 1), handlers={"x"})] == [1]


# -- checks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_the_model_is_accepted(plain: sqlite3.Connection, status: str) -> None:
    assert one(plain, "status", insert(plain, status=status)) == status


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "done"},
        {"status": "PENDING"},
        {"status": ""},
        {"status": None},
        {"type": ""},
        {"type": None},
        {"payload": None},
        {"priority": "high"},
        {"priority": 1.5},
        {"priority": None},
        {"priority": 1e30},
        {"attempts": "many"},
        {"max_attempts": 2.5},
        {"max_attempts": None},
        {"queue": ""},
        {"timeout": -1},
        {"id": "12345"},
        {"id": ""},
        {"id": None},
        {"scheduled_at": None},
        {"created_at": None},
    ],
    ids=str,
)
def test_a_row_that_breaks_a_rule_is_refused_and_nothing_is_stored(
    plain: sqlite3.Connection, columns: dict[str, Any]
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert(plain, **columns)
    assert plain.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_a_status_that_is_none_is_refused_on_update_too(plain: sqlite3.Connection) -> None:
    number = insert(plain)
    with pytest.raises(sqlite3.IntegrityError):
        plain.execute("UPDATE jobs SET status = 'paused' WHERE number = ?", (number,))
    assert one(plain, "status", number) == "pending"


def test_an_id_is_given_out_once(plain: sqlite3.Connection) -> None:
    insert(plain, id="order-7")
    with pytest.raises(sqlite3.IntegrityError):
        insert(plain, id="order-7")


@pytest.mark.parametrize("priority", [-(2**63), -1, 0, 20, 2**63 - 1])
def test_priorities_are_whole_numbers_of_64_bits(plain: sqlite3.Connection, priority: int) -> None:
    assert one(plain, "priority", insert(plain, priority=priority)) == priority


# -- numbers and ids ----------------------------------------------------------------------------------------------


def test_numbers_grow_strictly_in_order_of_insertion(plain: sqlite3.Connection) -> None:
    assert [insert(plain) for _ in range(5)] == [1, 2, 3, 4, 5]


def test_a_number_is_never_given_out_again(plain: sqlite3.Connection) -> None:
    for _ in range(3):
        insert(plain)
    plain.execute("DELETE FROM jobs WHERE number >= 2")
    assert insert(plain) == 4
    plain.execute("DELETE FROM jobs")
    assert insert(plain) == 5


def test_ids_are_unique_and_carry_the_time_at_their_front(plain: sqlite3.Connection) -> None:
    before = time.time()
    for _ in range(300):
        insert(plain)
    after = time.time()
    ids = [row[0] for row in plain.execute("SELECT id FROM jobs ORDER BY number")]
    assert len(set(ids)) == 300
    assert all(UUID7.fullmatch(id_) for id_ in ids)
    stamps = [int(id_.replace("-", "")[:12], 16) / 1000 for id_ in ids]
    assert stamps == sorted(stamps)
    assert before - 0.002 <= stamps[0] and stamps[-1] <= after + 0.002


# -- times --------------------------------------------------------------------------------------------------------

FORMS = [
    ("2027-01-15 08:00:00.000", "2027-01-15 08:00:00.000"),
    ("2027-01-15 08:00:00", "2027-01-15 08:00:00.000"),
    ("2027-01-15 08:00", "2027-01-15 08:00:00.000"),
    ("2027-01-15", "2027-01-15 00:00:00.000"),
    ("2027-01-15T08:00:00", "2027-01-15 08:00:00.000"),
    ("2027-01-15T08:00:00Z", "2027-01-15 08:00:00.000"),
    ("2027-01-15T08:00:00.123Z", "2027-01-15 08:00:00.123"),
    ("2027-01-15 08:00:00.5", "2027-01-15 08:00:00.500"),
    ("2027-01-15T08:00:00+02:00", "2027-01-15 06:00:00.000"),
    ("2027-01-15 08:00:00-11:30", "2027-01-15 19:30:00.000"),
    ("2027-01-15T23:30:00-01:00", "2027-01-16 00:30:00.000"),
    (2461420.75, "2027-01-15 06:00:00.000"),
    ("2461420.75", "2027-01-15 06:00:00.000"),
]
COLUMNS = ["scheduled_at", "created_at", "updated_at", "completed_at", "locked_at"]


@pytest.mark.parametrize(("given", "stored"), FORMS, ids=[str(form[0]) for form in FORMS])
@pytest.mark.parametrize("column", COLUMNS)
def test_every_form_that_sqlite_understands_is_brought_to_the_one_form(
    plain: sqlite3.Connection, column: str, given: object, stored: str
) -> None:
    number = insert(plain, **{column: given})
    assert one(plain, column, number) == stored
    for other in ("scheduled_at", "created_at", "updated_at"):
        assert STORED.fullmatch(one(plain, other, number))


def test_an_expression_of_sqlites_own_is_normalised(plain: sqlite3.Connection) -> None:
    before = time.time()
    plain.execute("INSERT INTO jobs (type, scheduled_at) VALUES ('x', datetime('now', '+1 hour'))")
    due = one(plain, "scheduled_at", 1)
    assert STORED.fullmatch(due)
    assert before + 3600 - 1 <= from_text(due) <= time.time() + 3600
    plain.execute("INSERT INTO jobs (type, scheduled_at) VALUES ('x', 'now')")
    assert before - 0.002 <= from_text(one(plain, "scheduled_at", 2)) <= time.time() + 0.002


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    "given", ["tomorrow", "", "2027-13-01", "15/01/2027", "2027-01-15T25:00", 1.8e9, 1.8e12, b"\0"]
)
def test_a_time_that_sqlite_does_not_understand_is_refused_and_nothing_is_stored(
    plain: sqlite3.Connection, column: str, given: object
) -> None:
    with pytest.raises(sqlite3.IntegrityError) as refusal:
        insert(plain, **{column: given})
    assert column in str(refusal.value)
    assert plain.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


@pytest.mark.parametrize("given", [0, 1, 1800.5, "-4713-11-24 12:00:00"])
def test_a_time_before_the_year_0_which_does_not_sort_as_text_is_never_stored(
    plain: sqlite3.Connection, given: object
) -> None:
    """`scheduled_at = 0` is somebody's epoch, and a julian day to SQLite: one such row must not break who reads."""
    try:
        insert(plain, scheduled_at=given)
    except sqlite3.IntegrityError:
        assert plain.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    else:
        assert STORED.fullmatch(one(plain, "scheduled_at", 1))


def test_a_refused_time_takes_the_whole_statement_with_it(plain: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        plain.execute("INSERT INTO jobs (type, scheduled_at) VALUES ('a', 'now'), ('b', 'never')")
    assert plain.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


@pytest.mark.parametrize(("given", "stored"), FORMS, ids=[str(form[0]) for form in FORMS])
def test_a_new_scheduled_at_is_normalised_too(plain: sqlite3.Connection, given: object, stored: str) -> None:
    number = insert(plain)
    plain.execute("UPDATE jobs SET scheduled_at = ? WHERE number = ?", (given, number))
    assert one(plain, "scheduled_at", number) == stored


@pytest.mark.parametrize("given", ["later", "", 1.8e9, 0])
def test_a_new_scheduled_at_that_is_no_time_is_refused_and_the_old_one_stays(
    plain: sqlite3.Connection, given: object
) -> None:
    number = insert(plain, scheduled_at="2027-01-15")
    with pytest.raises(sqlite3.IntegrityError):
        plain.execute("UPDATE jobs SET scheduled_at = ? WHERE number = ?", (given, number))
    assert one(plain, "scheduled_at", number) == "2027-01-15 00:00:00.000"


def test_no_millisecond_is_lost_or_won_by_normalising(plain: sqlite3.Connection) -> None:
    texts = [to_text(1_799_999_999 + ms / 1000) for ms in range(1000)]
    plain.executemany("INSERT INTO jobs (type, scheduled_at) VALUES ('x', ?)", [(text,) for text in texts])
    plain.executemany(
        "INSERT INTO jobs (type, scheduled_at) VALUES ('x', ?)", [(text.replace(" ", "T") + "Z",) for text in texts]
    )
    stored = [row[0] for row in plain.execute("SELECT scheduled_at FROM jobs ORDER BY number")]
    assert stored == texts * 2


@settings(max_examples=examples(40))
@given(
    moment=st.integers(0, 253_402_300_799_999),
    form=st.sampled_from(["{0} {1}", "{0}T{1}", "{0}T{1}Z"]),
)
def test_any_time_of_the_years_1970_to_9999_is_stored_as_it_is(moment: int, form: str) -> None:
    text = to_text(moment / 1000)
    NORMALISER.execute("DELETE FROM jobs")
    number = insert(NORMALISER, scheduled_at=form.format(*text.split()))
    assert one(NORMALISER, "scheduled_at", number) == text


NORMALISER = SQLiteStore(MEMORY).connection


def test_times_compare_with_sqlites_own_now(plain: sqlite3.Connection) -> None:
    """The course's bug: text with a T compared with datetime('now') waits until the next day."""
    soon, past = time.gmtime(time.time() + 3600), time.gmtime(time.time() - 5)
    insert(plain, type="past", scheduled_at=time.strftime("%Y-%m-%dT%H:%M:%S.000Z", past))
    insert(plain, type="soon", scheduled_at=time.strftime("%Y-%m-%dT%H:%M:%S.000Z", soon))
    due = plain.execute("SELECT type FROM jobs WHERE scheduled_at <= datetime('now')").fetchall()
    assert due == [("past",)]


# -- deletion, and an application's own database -------------------------------------------------------------------


def test_what_belongs_to_a_job_goes_with_it_whoever_deletes_it(plain: sqlite3.Connection) -> None:
    for number in (1, 2):
        insert(plain)
        plain.execute("INSERT INTO qctl_history (job, token, attempt, outcome) VALUES (?, 1, 1, 'failed')", (number,))
        plain.execute("INSERT INTO qctl_output (job, token, position, stream, data) VALUES (?, 1, 0, 1, '')", (number,))
    plain.execute("DELETE FROM jobs WHERE number = 1")
    assert plain.execute("SELECT job FROM qctl_history").fetchall() == [(2,)]
    assert plain.execute("SELECT job FROM qctl_output").fetchall() == [(2,)]


def test_a_queue_lives_beside_the_tables_of_an_application(tmp_path: Path) -> None:
    from qctl.store.sqlite.migrate import initialise

    path = str(tmp_path / "shop.db")
    shop = sqlite3.connect(path)
    shop.executescript(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER); INSERT INTO orders VALUES (1, 90);"
    )
    initialise(path, 5.0)
    with shop:
        shop.execute("INSERT INTO orders VALUES (2, 120)")
        shop.execute("""INSERT INTO jobs (type, payload) VALUES ('receipt', '{"order":2}')""")
    with pytest.raises(ZeroDivisionError), shop:
        shop.execute("INSERT INTO jobs (type) VALUES ('never')")
        raise ZeroDivisionError
    shop.close()
    store = SQLiteStore(path, create=False)
    leases = store.claim("w", 5, to_text(time.time() + 1), handlers={"receipt", "never"})
    assert [(lease.type, lease.payload) for lease in leases] == [("receipt", '{"order":2}')]
    assert store.read("SELECT id, total FROM orders") == [(1, 90), (2, 120)]
    store.close()


def test_ids_of_one_statement_grow_as_the_numbers_do(plain: sqlite3.Connection) -> None:
    """Time stands still in it, and ids in no order would make each later change of them one to another page."""
    plain.execute("INSERT INTO jobs (type) VALUES ('x'), ('y')")
    plain.execute("INSERT INTO jobs (type) SELECT 'z' FROM jobs a, jobs b, jobs c, jobs d, jobs e")
    ids = [row[0] for row in plain.execute("SELECT id FROM jobs WHERE type = 'z' ORDER BY number")]
    assert len(ids) == 32
    assert ids == sorted(ids)
    assert all(UUID7.fullmatch(one) for one in ids)
