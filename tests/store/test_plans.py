"""What the statements cost: each rides on its index, and a claim costs the same however much stands in its way."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qctl.model import NewJob
from qctl.rules import ending
from qctl.rules.when import to_text
from qctl.store.sqlite import workers
from qctl.store.sqlite.connection import MEMORY
from qctl.store.sqlite.insert import new_id
from qctl.store.sqlite.sql import FOLDER, sql
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts

QUERIES = sorted(path.stem for path in Path(FOLDER, "queries").glob("*.sql"))

WHOLE = {
    "count_by_type": "stats: counts in the index of each status",
    "schedules": "cron list: all schedules, by name",
    "live_workers": "explain, cron list: the workers, a few",
    "count_completed": "stats: groups what is completed, where that is few, or asked for",
    "count_waiting": "stats: counts what is pending",
    "types_completed": "stats, where too many are completed to count them: some thousands of figures, and old jobs",
    "types_elsewhere": "the same: 20,000 at most",
    "more_than": "stats: walks 20,000 entries at most",
    "elsewhere": "stats: groups what ended in the window",
    "arrivals_between": "upkeep: groups 10,000 new jobs at most, in one range of numbers",
    "types_between": "the same",
    "arrivals_among": "stats: groups 2,000 jobs, each found by its number",
    "schedule_figures": "stats: all schedules",
    "states_at": "stats --at: true of every job that is still there, so it reads them",
    "dead_at": "the same, of dead letters",
    "running_of_type": "a claim under a limit on concurrency: what runs, no more than there are slots",
    "running_of_queue": "the same",
    "running_keys": "the same",
    "unheeded": "steps that other programs ended since the last look: hardly ever any",
}
"""What looks at many rows because it counts them. Nothing that a worker or an enqueue runs where no concurrency is limited is among them."""


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    bare = re.sub(r"--[^\n]*", "", statement)
    names = re.findall(r":(\w+)", bare)
    count = max(map(int, re.findall(r"\?(\d+)", bare)), default=bare.count("?"))
    rows = connection.execute("EXPLAIN QUERY PLAN " + statement, dict.fromkeys(names) if names else (None,) * count)
    return [row[3] for row in rows]


@pytest.fixture(scope="module")
def schema() -> Iterator[sqlite3.Connection]:
    store = SQLiteStore(MEMORY)
    yield store.connection
    store.close()


@pytest.mark.parametrize("verb", QUERIES)
def test_every_statement_says_what_it_rides_on(verb: str) -> None:
    assert sql(verb).startswith("-- ") or sql(verb).startswith("INSERT"), "the first line names the index"
    assert ";" not in re.sub(r"--[^\n]*", "", sql(verb)), "one statement each"


@pytest.mark.parametrize("verb", [verb for verb in QUERIES if verb not in WHOLE])
def test_no_statement_scans_or_sorts(schema: sqlite3.Connection, verb: str) -> None:
    steps = plan(schema, sql(verb))
    assert not [step for step in steps if "TEMP B-TREE" in step]
    # The last two are a list of numbers that is passed, and two constants.
    fine = ("SCAN (subquery", "SCAN lane", "SCAN json_each", "SCAN 2 CONST")
    scans = [step for step in steps if step.startswith("SCAN") and not step.startswith(fine)]
    if re.search(r"ORDER BY \S+ DESC LIMIT \?\s*$", sql(verb)):  # the newest few, along an index from its end
        scans = [step for step in scans if step != "SCAN jobs" and "USING INDEX" not in step]
    assert scans == []


@pytest.mark.parametrize(
    ("verb", "index"),
    [
        ("lanes", "jobs_claim (status=? AND priority=? AND queue=? AND type<?)"),
        ("lanes", "jobs_claim (status=? AND priority=? AND queue<?)"),
        ("lanes", "jobs_claim (status=? AND priority<?)"),
        ("lane_due", "jobs_claim (status=? AND priority=? AND queue=? AND type=? AND <expr>=? AND scheduled_at<?)"),
        (
            "key_due",
            "jobs_keyed (status=? AND type=? AND queue=? AND priority=? AND limit_key=? AND <expr>=? AND scheduled_at>? AND scheduled_at<?)",
        ),
        ("key_head", "jobs_keyed (status=? AND type=? AND queue=? AND priority=? AND limit_key=? AND <expr>=?)"),
        ("next_key", "jobs_keyed (status=? AND type=? AND queue=? AND priority=? AND limit_key>?)"),
        ("starts_of", "PRIMARY KEY (scope=? AND name=? AND key=?)"),
        ("expired", "jobs_expiring (expires_at<?)"),
        ("lane_head", "jobs_claim (status=? AND priority=? AND queue=? AND type=? AND <expr>=?)"),
        ("lease_range", "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        ("lease_job", "INTEGER PRIMARY KEY (rowid=?)"),
        ("complete_job", "INTEGER PRIMARY KEY (rowid=?)"),
        ("move_job", "INTEGER PRIMARY KEY (rowid=?)"),
        ("meet_needs", "PRIMARY KEY (needs=?)"),
        ("needing", "PRIMARY KEY (needs=?)"),
        ("let_go", "INTEGER PRIMARY KEY (rowid=?)"),
        ("let_go", "qctl_needs_unmet (job=?)"),
        ("inputs", "qctl_needs_job (job=?)"),
        ("hand_back", "INTEGER PRIMARY KEY (rowid=?)"),
        ("held_jobs", "jobs_processing (locked_by=?)"),
        ("held_runs", "jobs_processing (locked_by=?)"),
        ("earlier_runs", "PRIMARY KEY (job=? AND token<?)"),
        ("cancels_asked", "jobs_processing (locked_by=?)"),
        ("stale_jobs", "jobs_processing (locked_by>?)"),
        ("stale_jobs", "jobs_processing (locked_by=?)"),
        ("next_schedule", "cron_schedules_due (next_run_at=?)"),
        ("next_schedule", "cron_schedules_due (next_run_at>?)"),
        ("due_schedules", "cron_schedules_due (next_run_at=?)"),
        ("due_schedules", "cron_schedules_due (next_run_at<?)"),
        ("jobs_of_schedule", "jobs_tick (schedule=?)"),
        ("count_waiting", "jobs_claim (status=? AND priority=? AND queue=? AND type=?)"),
        (
            "count_waiting",
            "jobs_claim (status=? AND priority=? AND queue=? AND type=? AND <expr>=? AND scheduled_at>?)",
        ),
        (
            "count_waiting",
            "jobs_claim (status=? AND priority=? AND queue=? AND type=? AND <expr>=? AND scheduled_at<?)",
        ),
        ("oldest_pending", "jobs_claim (status=? AND priority=? AND queue=? AND type=? AND <expr>=?)"),
        ("count_pending", "jobs_claim (status=?)"),
        ("completed_count", "jobs_completed (completed_at>?)"),
    ],
)
def test_the_hot_statements_ride_on_the_index_meant_for_them(schema: sqlite3.Connection, verb: str, index: str) -> None:
    assert any(step.endswith(index) for step in plan(schema, sql(verb))), plan(schema, sql(verb))


def test_the_lessons_cleanup_and_the_lock_of_the_course_ride_on_an_index(schema: sqlite3.Connection) -> None:
    for statement in (
        "DELETE FROM jobs WHERE status = 'completed' AND completed_at < datetime('now', '-7 days')",
        "UPDATE jobs SET status = 'completed' WHERE id = ?",
        "SELECT * FROM jobs WHERE status = 'processing' AND locked_by = ?",
    ):
        assert not [step for step in plan(schema, statement) if step.startswith("SCAN")]


# -- the cost of a claim ------------------------------------------------------------------------------------------

IN_THE_WAY = 200_000
LANES = [  # type, due, queue: what a worker with a handler for `x` on the queue `default` cannot run now
    ("x", "2999-01-01 00:00:00.000", "default"),
    ("other", "2020-01-01 00:00:00.000", "default"),
    ("x", "2020-01-01 00:00:00.000", "elsewhere"),
    ("another", "2999-01-01 00:00:00.000", "elsewhere"),
]
FILL = """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO jobs (id, type, priority, scheduled_at, created_at, updated_at, queue)
    SELECT ? || i, ?, 20, ?, '2020-01-01 00:00:00.000', '2020-01-01 00:00:00.000', ? FROM n
"""


def crowded(each: int) -> SQLiteStore:
    """A queue with so many jobs in each lane ahead of 40 that can be run."""
    store = SQLiteStore(MEMORY)
    for index, (type_, due, queue) in enumerate(LANES):
        store.connection.execute(FILL, (each, f"{index}-", type_, due, queue))
    store.insert([NewJob("x", id=new_id()) for _ in range(40)], to_text(NOW))
    return store


def steps(store: SQLiteStore, move: Callable[[], Any]) -> tuple[int, Any]:
    """How many instructions SQLite's machine takes for a move: the same on any computer, at any load."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    store.connection.set_progress_handler(tick, 1)
    try:
        result = move()
    finally:
        store.connection.set_progress_handler(None, 1)
    return count, result


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[SQLiteStore, SQLiteStore]]:
    """A queue with one job in each lane that is in the way, and one with 200,000 in all."""
    stores = crowded(1), crowded(IN_THE_WAY // len(LANES))
    yield stores
    for store in stores:
        store.close()


def test_200_000_jobs_that_cannot_run_make_no_claim_dearer(pair: tuple[SQLiteStore, SQLiteStore]) -> None:
    def claim(store: SQLiteStore, limit: int) -> list[int]:
        leases = store.claim("w", limit, to_text(NOW), handlers={"x"}, queues={"default"}, commands=False)
        return [lease.number - store.read("SELECT max(number) FROM jobs")[0][0] + 40 for lease in leases]

    for limit in (1, 10, 1):
        (few, first), (many, second) = (steps(store, lambda s=store, n=limit: claim(s, n)) for store in pair)  # type: ignore[misc]
        assert len(first) == limit and first == second
        assert many <= few * 1.2


def test_200_000_jobs_that_cannot_run_make_the_other_moves_no_dearer(pair: tuple[SQLiteStore, SQLiteStore]) -> None:
    def finish(store: SQLiteStore) -> Any:
        acts = Acts(store)
        (lease,) = acts.claim(handlers={"x"}, queues={"default"}, commands=False)
        return acts.end(lease, ending.ERROR, error="boom").move is not None

    moves: dict[str, Callable[[SQLiteStore], Any]] = {
        "next_due": lambda store: store.next_due(handlers={"x"}, types=None, queues={"default"}),
        "nothing due": lambda store: store.claim("w", 5, "2000-01-01 00:00:00.000", handlers={"x"}),
        "insert": lambda store: len(store.insert([NewJob("x")], to_text(NOW))),
        "finish": finish,
        "stale": lambda store: workers.rescue_stale(store, NOW, 300.0, lambda: 0.0),
        "beat": lambda store: workers.beat(store, "w", NOW),
    }
    for name, move in moves.items():
        (few, first), (many, second) = (steps(store, lambda s=store, m=move: m(s)) for store in pair)  # type: ignore[misc]
        assert first == second, name
        assert many <= few * 1.2, name


def test_the_measure_would_show_a_claim_that_reads_what_is_in_its_way(pair: tuple[SQLiteStore, SQLiteStore]) -> None:
    naive = (
        "SELECT number FROM jobs WHERE status = 'pending' AND type = 'x' AND queue = 'default' AND scheduled_at <= ?"
        " ORDER BY priority DESC, scheduled_at, number LIMIT 1"
    )
    (few, _), (many, _) = (steps(store, lambda s=store: s.read(naive, (to_text(NOW),))) for store in pair)  # type: ignore[misc]
    assert many > few * 1.2
