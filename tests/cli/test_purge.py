"""`purge`: old jobs go, nothing else does, and the space comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.store.sqlite.sql import sql
from tests.states import dead

Cli = Callable[..., Any]


def old(queue: Queue, count: int, status: str = "completed", days: int = 8, payload: str = "{}") -> None:
    with queue.store.write() as connection:
        connection.executemany(
            "INSERT INTO jobs (type, status, payload, completed_at, updated_at)"
            " VALUES ('a', ?, ?, datetime('now', ?), datetime('now', ?))",
            [(status, payload, f"-{days} days", f"-{days} days")] * count,
        )


def test_it_deletes_what_completed_over_a_week_ago_on_one_line(cli: Cli, queue: Queue) -> None:
    old(queue, 1204)
    old(queue, 5, days=6)
    old(queue, 5, status="failed")
    queue.enqueue("a")
    done = cli("purge")
    assert done.code == 0
    assert done.out.count("\n") == 1
    assert "1,204" in done.out
    assert done.err == ""
    assert queue.count() == 11
    again = cli("purge")
    assert again.out.count("\n") == 1
    assert "nothing" in again.out


def test_age_status_and_keep_bound_it(cli: Cli, queue: Queue) -> None:
    old(queue, 10, status="cancelled", days=2)
    old(queue, 10, days=2)
    old(queue, 10, days=3)

    def deleted(*argv: str) -> int:
        return int(json.loads(cli("purge", "--json", *argv).out)["deleted"])

    assert deleted("--older-than", "60h") == 10
    assert deleted("--older-than", "1d", "--keep", "4") < 10  # those that ended at the same time as the last kept stay
    assert deleted("--older-than", "1d", "--status", "cancelled") == 10
    assert deleted("--older-than", "1d", "--status", "completed", "--keep", "1000") == 0
    assert deleted("--older-than", "1d") == 10


def test_a_dry_run_deletes_nothing(cli: Cli, queue: Queue) -> None:
    old(queue, 7)
    assert "7 jobs" in cli("purge", "--dry-run").out
    assert queue.count() == 7


def test_failed_jobs_stay_until_their_letter_is_reviewed(cli: Cli, queue: Queue) -> None:
    first, second = dead(queue), dead(queue)
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET updated_at = datetime('now', '-8 days')")
    cli("dlq", "review", str(first))
    done = cli("purge", "--status", "failed")
    assert done.code == 0
    assert "1 failed left" in done.out
    assert [job.number for job in queue.find()] == [second]
    assert len(list(queue.dead_letters(reviewed=None))) == 1


@pytest.mark.parametrize(
    "argv",
    [["--status", "pending"], ["--status", "x"], ["--older-than", "5"], ["--keep", "-1"], ["--max-time", "x"], ["x"]],
)
def test_bad_words_delete_nothing(cli: Cli, queue: Queue, argv: list[str]) -> None:
    old(queue, 3)
    done = cli("purge", *argv)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert queue.count() == 3


def test_everything_that_failed_goes_only_with_a_yes(cli: Cli, queue: Queue) -> None:
    old(queue, 3, status="failed")
    assert cli("purge", "--status", "failed", "--older-than", "0s").code == 2
    assert queue.count() == 3
    assert cli("purge", "--status", "failed", "--older-than", "0s", "--yes").code == 0
    assert queue.count() == 0


def test_max_time_stops_it_and_the_next_goes_on(queue: Queue) -> None:
    old(queue, 2000)
    done = queue.purge(max_time=0.0)
    assert (done["deleted"], done["is_complete"]) == (0, False)
    assert queue.purge()["deleted"] == 2000


def test_two_at_once_delete_each_job_once(queue: Queue, db: Path) -> None:
    old(queue, 3000)
    counts: list[int] = []

    def purge() -> None:
        with Queue(db) as own:
            counts.append(own.purge()["deleted"])

    threads = [threading.Thread(target=purge) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 3000
    assert queue.count() == 0


def test_the_space_goes_back_to_the_file_system_but_for_a_reserve(queue: Queue, db: Path) -> None:
    old(queue, 3000, payload=json.dumps({"a": "x" * 3000}))
    queue.store.tidy(0)
    before = db.stat().st_size
    done = queue.purge()
    assert db.stat().st_size < before / 3
    assert done["bytes_returned"] == before - db.stat().st_size
    free = queue.store.read("PRAGMA freelist_count")[0][0]
    assert free >= 200
    assert queue.store.read("PRAGMA integrity_check") == [("ok",)]


def test_its_statements_ride_on_an_index(queue: Queue) -> None:
    from qctl.store.sqlite.purge import parameters, selection

    for status, index in (("completed", "jobs_completed"), ("failed", "jobs_ended"), ("cancelled", "jobs_ended")):
        for retained in ({}, {"a": "y"}):
            plan = queue.store.read(
                f"EXPLAIN QUERY PLAN SELECT number FROM jobs WHERE {selection(status, None, retained)}",
                parameters("x", None, retained),
            )
            assert plan[0][3].startswith("SEARCH jobs USING") and f"INDEX {index} (" in plan[0][3], plan


def test_it_does_not_look_through_what_workers_completed_for_what_others_did(queue: Queue) -> None:
    """SQLite would, at each chunk: a purge of 300,000 jobs took six minutes."""
    plan = queue.store.read(f"EXPLAIN QUERY PLAN {sql('any_elsewhere')}")
    assert "INDEX jobs_elsewhere (" in plan[0][3], plan


def test_space_that_there_was_no_time_to_give_back_goes_with_the_next_purge(
    cli: Cli, queue: Queue, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qctl.store.sqlite import purge, space

    monkeypatch.setattr(purge, "UNDOABLE", 0)
    old(queue, 3000, payload=json.dumps({"a": "x" * 3000}))
    queue.store.tidy(0)
    with monkeypatch.context() as patch:
        patch.setattr(space, "GIVING", 0.0)
        patch.setattr(space, "GIVING_PART", 1e9)
        assert "more by the next purge" in cli("purge").out
    before = db.stat().st_size
    assert "nothing to purge" in (said := cli("purge").out) and "given back" in said
    assert db.stat().st_size < before / 3
    assert "given back" not in cli("purge").out


def test_free_pages_that_the_jobs_of_tomorrow_need_stay_in_the_file(queue: Queue, db: Path) -> None:
    """To give those back, too, would move the jobs of today, while others wait."""
    old(queue, 1500, payload=json.dumps({"a": "x" * 3000}))
    queue.enqueue_many([{"type": "a", "payload": {"a": "x" * 3000}}] * 1000)
    queue.store.tidy(0)
    before = db.stat().st_size
    queue.purge()
    free, all_ = (queue.store.read(f"PRAGMA {name}")[0][0] for name in ("freelist_count", "page_count"))
    assert db.stat().st_size < before
    assert abs(free - (all_ - free)) < 50


def test_what_lies_between_old_jobs_stays(queue: Queue) -> None:
    """Numbers are deleted in ranges, which hold others."""
    kept = []
    for n in range(60):
        old(queue, 1)
        if n % 3 == 0:
            kept.append(int(queue.enqueue("a")))
        if n % 5 == 0:
            old(queue, 1, days=2)
            kept.append(max(job.number for job in queue.find()))
    assert queue.purge()["deleted"] == 60
    assert sorted(job.number for job in queue.find()) == sorted(kept)


def test_it_says_what_it_did_when_that_is_on_disk(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its chunks are synced together, as a deletion that was lost is only made again."""
    from qctl.store.sqlite import sync

    left: list[int] = []
    monkeypatch.setattr(sync, "SYNC", lambda _fd: left.append(queue.count()))
    old(queue, 3000)
    assert queue.purge()["deleted"] == 3000
    assert 1 <= len(left) <= 2 and not any(left)
    assert queue.store.sync is not None
    queue.enqueue("a")
    assert left[-1] == 1, "and whoever comes after is told of each commit when it is on disk"


def test_what_is_enqueued_while_it_tells_how_far_it_is_is_on_disk_at_once(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qctl.store.sqlite import sync

    synced: list[int] = []
    monkeypatch.setattr(sync, "SYNC", lambda _fd: synced.append(queue.count()))
    old(queue, 1200)
    told: list[bool] = []

    def enqueue(_gone: int) -> None:
        queue.enqueue("b")
        told.append(synced[-1:] == [queue.count()])

    assert queue.purge(progress=enqueue)["deleted"] == 1200
    assert len(told) > 1 and all(told)
    chunks = len(synced) - len(told)
    assert chunks <= 2, "but its own chunks are still synced together"


def test_spans_hold_every_number_and_few_others() -> None:
    from qctl.store.sqlite.purge import GAP, spans

    numbers = [1, 2, 3, 5, 5 + GAP, 6 + 2 * GAP, 1000, 1001]
    assert spans(numbers) == [(1, 5 + GAP), (6 + 2 * GAP, 6 + 2 * GAP), (1000, 1001)]


def test_what_was_done_once_is_forgotten_when_the_setting_says_so_and_never_before(cli: Cli, queue: Queue) -> None:
    """Whoever comes again after that does it again: so nobody forgets unasked."""
    with queue.store.write() as connection:
        connection.executemany(
            "INSERT INTO processed_jobs (job_id, processed_at) VALUES (?, datetime('now', ?))",
            [(f"old-{n}", "-100 days") for n in range(5001)] + [(f"new-{n}", "-10 days") for n in range(10)],
        )
    count = "SELECT count(*) FROM processed_jobs"
    assert "once" not in cli("purge").out
    assert queue.store.read(count) == [(5011,)]
    assert cli("config", "purge.once", "soon").code == 2
    assert cli("config", "purge.once", "90d").code == 0
    assert "would forget 5,001 done once" in cli("purge", "--dry-run").out
    assert queue.store.read(count) == [(5011,)]
    assert "forgot 5,001 done once" in cli("purge").out
    assert queue.store.read(count) == [(10,)]
    assert queue.done_at("old-7") is None and queue.done_at("new-7") is not None
    assert json.loads(cli("purge", "--json").out)["forgotten"] == 0
    assert cli("config", "purge.once", "1d").code == 0
    assert queue.purge(max_time=0.0)["forgotten"] == 0
    with queue.store.write() as connection:
        connection.execute("DROP TABLE processed_jobs")
    assert queue.purge()["forgotten"] == 0
