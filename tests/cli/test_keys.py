"""Keys: while an unfinished job has a key there is no second one, whoever asks, however many at once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.when import to_text
from tests.profile import examples
from tests.states import dead, lease, run_one

Cli = Callable[..., Any]

RACER = """
import sys
from qctl.queue import Queue
path, rounds = sys.argv[1], int(sys.argv[2])
with Queue(path) as queue:
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for number in range(rounds):
        job = queue.enqueue("x", key=f"round-{number}")
        sys.stdout.write(f"{int(job)} {int(job.duplicate)}\\n")
"""


def test_the_same_key_is_the_same_job_as_long_as_it_is_unfinished(cli: Cli, queue: Queue) -> None:
    first = cli("enqueue", "report", "--key", "july")
    again = cli("enqueue", "report", '{"other": 1}', "--key", "july", "--json")
    assert (first.code, again.code) == (0, 0)
    row = json.loads(again.out)
    assert (row["number"], row["duplicate"], row["status"]) == (1, True, "pending")
    assert row["id"] == queue.get(1).id
    lease(queue, 1, time.time())
    assert json.loads(cli("enqueue", "other", "--key", "july", "--json").out)["status"] == "processing"
    assert cli("enqueue", "report", "--key", "june").out == "2\n"
    assert queue.get(1).payload == {}


def test_a_key_is_free_again_when_its_job_has_ended(queue: Queue) -> None:
    now = time.time()
    for how in (ending.SUCCEEDED, ending.DEAD):
        job = queue.enqueue("a", key="k")
        assert not job.duplicate
        run_one(queue, int(job), how, now)
    job = queue.enqueue("a", key="k")
    queue.cancel([job])
    assert not queue.enqueue("a", key="k").duplicate


def test_key_for_also_covers_jobs_that_ended_of_late(queue: Queue) -> None:
    job = queue.enqueue("a", key="k")
    run_one(queue, int(job), ending.SUCCEEDED, time.time())
    again = queue.enqueue("a", key="k", key_for="1h")
    assert (int(again), again.duplicate, again.status) == (int(job), True, "completed")
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET created_at = ?", (to_text(time.time() - 3601),))
    assert not queue.enqueue("a", key="k", key_for="1h").duplicate
    assert queue.enqueue("a", key="k", key_for=0).duplicate  # the unfinished one counts at any age


def test_bulk_tells_for_each_line_whose_number_it_is(cli: Cli, queue: Queue, db: Path) -> None:
    lines = [{"type": "a", "key": "x"}, {"type": "a"}, {"type": "a", "key": "x"}, {"type": "a", "key": "y"}]
    file = db.with_name("jobs.ndjson")
    file.write_text("\n".join(map(json.dumps, lines)))
    done = cli("enqueue", "--from", str(file), "--key-for", "1h", "--json")
    assert done.code == 0
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [(row["number"], row["duplicate"]) for row in rows] == [(1, False), (2, False), (1, True), (3, False)]
    assert cli("enqueue", "--from", str(file), "--key", "z").code == 2
    many = queue.enqueue_many([{"type": "a", "key": "y"}, {"type": "a", "key": "z"}, {"type": "a", "key": "z"}])
    assert [(int(job), job.duplicate) for job in many] == [(3, True), (4, False), (4, True)]


def test_a_job_of_a_key_is_found_by_it(cli: Cli, queue: Queue) -> None:
    for key in ("a", "b", "c"):
        queue.enqueue("x", key=key)
    queue.enqueue("x")
    assert [json.loads(line)["key"] for line in cli("list", "--key", "a", "--key", "c", "--json").out.splitlines()] == [
        "c",
        "a",
    ]
    assert cli("cancel", "--key", "b").code == 0
    assert queue.get(2).status == "cancelled"


def test_looking_for_a_key_rides_on_its_index(queue: Queue) -> None:
    plan = queue.store.read(
        "EXPLAIN QUERY PLAN SELECT number FROM jobs WHERE key IN (?) AND number < ? ORDER BY number DESC", ("k", 9)
    )
    assert "jobs_key_ended" in plan[0][3]


def test_an_ended_job_does_not_run_again_beside_the_one_that_has_its_key(cli: Cli, queue: Queue) -> None:
    first = queue.enqueue("a", key="k")
    run_one(queue, int(first), ending.DEAD, time.time(), error="no")
    free = dead(queue)
    second = queue.enqueue("a", key="k")
    for verb in (["retry"], ["dlq", "replay"]):
        done = cli(*verb, str(int(first)))
        assert done.code == 1
        assert f"job {int(first)} is kept from running, as its key is held by job {int(second)}" in done.err
        assert "Traceback" not in done.err
    bulk = cli("dlq", "replay", "--all", "--yes")
    assert (bulk.code, bulk.out) == (0, f"{free}\n")
    assert "1 left: another unfinished job has their key" in bulk.err
    run_one(queue, free, ending.DEAD, time.time())
    bulk = cli("retry", "--status", "failed", "--yes")
    assert (bulk.code, bulk.out) == (0, f"{free}\n")
    assert "1 were left" in bulk.err
    assert queue.get(first).status == "failed"
    queue.cancel([second])
    assert cli("retry", str(int(first))).code == 0
    assert queue.get(first).status == "pending"


@pytest.mark.parametrize("isolation", ["", None, "IMMEDIATE"])
def test_a_key_holds_inside_a_transaction_of_the_callers(db: Path, queue: Queue, isolation: str | None) -> None:
    held = queue.enqueue("a", key="held")
    own = sqlite3.connect(db, isolation_level=isolation)  # type: ignore[arg-type]
    if isolation is None:
        own.execute("BEGIN")
    assert queue.enqueue("a", key="held", connection=own) == held
    mine = queue.enqueue("a", key="mine", connection=own)
    again = queue.enqueue("a", key="mine", connection=own)
    assert (int(again), again.duplicate) == (int(mine), True)
    own.execute("ROLLBACK")
    own.close()
    assert queue.count() == 1
    assert not queue.enqueue("a", key="mine").duplicate


def test_a_job_asked_for_in_the_callers_transaction_waits_for_a_racer_and_sees_it(db: Path, queue: Queue) -> None:
    """Its look for the key comes after the write lock: what another stored meanwhile is found, ended or not."""
    own = sqlite3.connect(db, isolation_level=None)
    job = queue.enqueue("a", key="k")
    run_one(queue, int(job), ending.SUCCEEDED, time.time())
    own.execute("BEGIN")
    assert queue.enqueue("a", key="k", key_for="1h", connection=own) == job
    other = sqlite3.connect(db, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("INSERT INTO jobs (type, key) VALUES ('a', 'k')")
    other.close()
    own.execute("COMMIT")
    own.close()


@pytest.mark.parametrize("rounds", [200, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_sixteen_racers_on_a_key_get_one_job_and_its_number(db: Path, queue: Queue, rounds: int) -> None:
    queue.store.connection.execute("PRAGMA synchronous=OFF")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(db), str(rounds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(16)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [racer.communicate(timeout=3600)[0].split("\n")[:-1] for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 16
    for given_ in zip(*answers, strict=True):
        numbers = {line.partition(" ")[0] for line in given_}
        assert len(numbers) == 1
        assert sum(line.endswith(" 0") for line in given_) == 1
    assert queue.count() == rounds


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "put for", "end", "retry"])), max_size=30))
def test_no_order_of_moves_gives_a_key_two_unfinished_jobs(moves: list[tuple[str, str]]) -> None:
    queue = Queue(":memory:")
    holder: dict[str, int] = {}
    ended: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    for key, move in moves:
        if move == "put":
            job = queue.enqueue("x", key=key)
            assert job.duplicate == (key in holder)
            assert int(job) == holder.setdefault(key, int(job))
        elif move == "put for":
            job = queue.enqueue("x", key=key, key_for="1h")
            assert job.duplicate == (key in holder or bool(ended[key]))
            if not job.duplicate:
                holder[key] = int(job)
        elif move == "end" and key in holder:
            run_one(queue, holder[key], ending.SUCCEEDED, time.time())
            ended[key].append(holder.pop(key))
        elif move == "retry" and ended[key]:
            number = ended[key][0]
            done = queue.retry([number])[number]
            assert (done == "pending") == (key not in holder)
            if key not in holder:
                holder[key] = ended[key].pop(0)
    queue.close()


def test_an_expiry_is_stored_as_a_time(cli: Cli, queue: Queue, db: Path) -> None:
    before = time.time()
    assert cli("enqueue", "a", "--in", "1m", "--expires", "10m").code == 0
    assert to_text(before + 600) <= queue.get(1).expires_at <= to_text(time.time() + 600)
    file = db.with_name("jobs.ndjson")
    file.write_text('{"type": "a", "expires": 60}')
    assert cli("enqueue", "--from", str(file)).code == 0
    assert queue.get(2).expires_at <= to_text(time.time() + 60)
    dry = json.loads(cli("enqueue", "a", "--expires", "10m", "--key", "k", "--dry-run").out)
    assert (dry["key"], "expires_at" in dry) == ("k", True)
