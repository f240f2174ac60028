"""`undo`: what a command changed is as it was, once, and never over what happened since."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from qctl.cli import cancel, render, replay
from qctl.keeping import undoable
from qctl.queue import Queue
from qctl.rules import ending
from qctl.store.sqlite import chunks
from qctl.store.sqlite.window import read_window
from tests.states import dead, lease, run_one

Cli = Callable[..., Any]
TABLES = ("jobs", "dead_letter_jobs", "qctl_history", "qctl_output")


def contents(queue: Queue) -> dict[str, Any]:
    return {table: sorted(map(repr, queue.store.read(f"SELECT * FROM {table}"))) for table in TABLES}


@pytest.fixture
def mixed(queue: Queue) -> Queue:
    queue.enqueue_many([{"type": "a"}] * 450 + [{"type": "later", "delay": "1h"}])
    for _ in range(3):
        number = dead(queue, "charge")
        with queue.store.write() as connection:
            connection.execute("INSERT INTO qctl_output VALUES (?, 1, 0, 1, x'00ff')", (number,))
    return queue


@pytest.mark.parametrize(
    "command",
    [
        ("cancel", "--type", "a", "--yes"),
        ("retry", "--type", "charge", "--type", "later", "--yes"),
        ("edit", "451", "--priority", "7"),
        ("dlq", "replay", "--all", "--yes"),
        ("dlq", "discard", "--all", "--yes"),
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_it_takes_back(cli: Cli, mixed: Queue, command: tuple[str, ...]) -> None:
    before = contents(mixed)
    assert cli(*command).code == 0
    assert contents(mixed) != before
    done = cli("undo", "--json")
    assert done.code == 0
    assert json.loads(done.out)["left"] == 0
    assert contents(mixed) == before
    assert cli("undo").code == 3


def test_the_list_has_the_newest_first_and_each_can_be_named(cli: Cli, mixed: Queue) -> None:
    before = contents(mixed)
    assert cli("cancel", "1").code == 0
    assert cli("cancel", "2", "3").code == 0
    rows = [json.loads(line) for line in cli("undo", "--list", "--json").out.splitlines()]
    assert [row["jobs"] for row in rows] == [2, 1]
    assert cli("undo", str(rows[1]["action"])).code == 0
    assert cli("undo", str(rows[1]["action"])).code == 3
    assert cli("undo").code == 0
    assert contents(mixed) == before


def test_a_job_that_went_on_is_left_as_it_is(cli: Cli, mixed: Queue) -> None:
    number = dead(mixed, "charge")
    assert cli("dlq", "replay", str(number)).code == 0
    lease(mixed, number, 1_800_000_000.0)
    done = cli("undo")
    assert done.code == 1
    assert "changed since" in done.err
    assert mixed.get(number).status == "processing"


def test_a_key_that_has_gone_to_another_stays_there(cli: Cli, queue: Queue) -> None:
    first = queue.enqueue("a", key="k")
    queue.cancel([first])
    queue.enqueue("a", key="k")
    assert cli("undo").code == 1
    assert queue.get(first).status == "cancelled"


def test_it_is_kept_for_as_long_as_the_setting_says(cli: Cli, queue: Queue) -> None:
    queue.enqueue_many([{"type": "a"}] * 2)
    assert cli("cancel", "1").code == 0
    with queue.store.write() as connection:
        connection.execute("UPDATE qctl_undo SET made_at = datetime('now', '-25 hours')")
    assert cli("undo").code == 3
    assert cli("cancel", "2").code == 0
    assert queue.store.read("SELECT count(*) FROM qctl_undo") == [(1,)]
    assert cli("config", "undo_for", "0s").code == 0
    queue.enqueue("a")
    assert cli("cancel", "3").code == 0
    assert queue.store.read("SELECT count(*) FROM qctl_undo") == [(1,)]


def test_what_was_not_changed_is_not_kept(cli: Cli, queue: Queue) -> None:
    number = dead(queue, "a")
    cli("cancel", str(number))
    cli("retry", str(int(queue.enqueue("a"))))
    assert queue.store.read("SELECT count(*) FROM qctl_undo") == [(0,)]


def test_what_a_cancellation_let_go_waits_again(cli: Cli, queue: Queue) -> None:
    first, second = queue.enqueue("a"), queue.enqueue("a")
    queue.enqueue("b", after_any=[first])
    queue.enqueue("b", after_any=[first, second], delay="1h")
    before, needs = contents(queue), queue.store.read("SELECT * FROM qctl_needs")
    assert cli("cancel", "1").code == 0
    assert [job.status for job in queue.find(newest_first=False)] == ["cancelled", "pending", "pending", "blocked"]
    assert cli("undo").code == 0
    assert contents(queue) == before
    assert queue.store.read("SELECT * FROM qctl_needs") == needs


def test_of_what_had_been_cancelled_before_the_need_stands_as_it_did(cli: Cli, queue: Queue) -> None:
    first = queue.enqueue("a")
    queue.enqueue("b", after_any=[first])
    assert cli("cancel", "2").code == 0
    assert cli("cancel", "1").code == 0
    assert cli("undo").code == 0
    assert queue.store.read("SELECT met FROM qctl_needs") == [(0,)]


def test_what_was_let_go_and_has_begun_since_goes_on(cli: Cli, queue: Queue) -> None:
    first = queue.enqueue("a")
    second = queue.enqueue("b", after_any=[first])
    assert cli("cancel", "1").code == 0
    lease(queue, second, 1_800_000_000.0)
    assert cli("undo").code == 0
    assert [job.status for job in queue.find(newest_first=False)] == ["pending", "processing"]
    assert queue.needs(second)[0]["met"] == 1


def test_a_discarded_job_comes_back_with_what_it_needed(cli: Cli, queue: Queue) -> None:
    first = queue.enqueue("a")
    number = dead(queue, "b")
    with queue.store.write() as connection:
        connection.execute("INSERT INTO qctl_needs VALUES (?, ?, 'ended', 1)", (number, first))
    assert cli("dlq", "discard", str(number), "--yes").code == 0
    assert queue.store.read("SELECT * FROM qctl_needs") == []
    assert cli("undo").code == 0
    assert queue.store.read("SELECT * FROM qctl_needs") == [(number, first, "ended", 1)]


def test_an_edit_of_a_dead_job_is_taken_back_and_no_other_action_has_its_number(cli: Cli, queue: Queue) -> None:
    number = dead(queue)
    before = queue.get(number).payload
    assert cli("dlq", "edit", str(number), "--set", "x=55").code == 0
    assert queue.get(number).payload != before
    first = queue.store.read("SELECT max(action) FROM qctl_undo")[0][0]
    assert cli("undo").code == 0
    assert queue.get(number).payload == before
    assert queue.store.read("SELECT DISTINCT payload FROM dead_letter_jobs") == [(queue.get(number).data["payload"],)]
    assert cli("dlq", "replay", str(number)).code == 0
    assert queue.store.read("SELECT max(action) FROM qctl_undo")[0][0] > first


@pytest.mark.parametrize("argv", [("dlq", "replay", "--all"), ("dlq", "discard", "--all"), ("retry", "--status", "failed"),
                                  ("dlq", "edit", "--all", "--set", "order:=2")])  # fmt: skip
def test_what_one_command_did_in_many_chunks_is_taken_back_at_once(
    cli: Cli, queue: Queue, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    for module in (replay, cancel, chunks):
        monkeypatch.setattr(module, "CHUNK", 2)
    numbers = [dead(queue) for _ in range(7)]
    before = [dict(queue.get(number).data) for number in numbers]
    assert cli(*argv, "--yes").code == 0
    assert [one["jobs"] for one in undoable(queue)] == [7]
    assert cli("undo").code == 0
    assert [dict(queue.get(number).data) for number in numbers] == before


@pytest.mark.parametrize("verb", ["replay", "discard", "edit"])
def test_an_interruption_says_what_was_done_and_the_same_command_goes_on(
    cli: Cli, queue: Queue, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 2)
    monkeypatch.setattr(chunks, "CHUNK", 2)
    numbers = [dead(queue) for _ in range(7)]
    argv = ["dlq", verb, "--all", "--yes", *(["--set", "order:=2"] if verb == "edit" else [])]
    advanced: list[int] = []

    def advance(_bar: Any, by: int = 1) -> None:
        advanced.append(by)
        if len(advanced) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(render.Progress, "advance", advance)
        stopped = cli(*argv)
    assert stopped.code == 130
    assert "4 of 7 " in stopped.err and "goes on with the rest" in stopped.err
    done = set(map(int, stopped.out.split()))
    assert cli(*argv).code == 0
    changed = queue.store.read("SELECT status, payload FROM jobs ORDER BY number")
    if verb == "replay":
        assert len(done) == 4 and {row[0] for row in changed} == {"pending"}
        assert sum(one["jobs"] for one in undoable(queue)) == len(numbers), "none was replayed twice"
    elif verb == "discard":
        assert changed == []
    else:
        assert {row[1] for row in changed} == {'{"order":2}'}


@pytest.mark.parametrize("command", [("cancel", "--type", "a", "--yes"), ("dlq", "discard", "--all", "--yes")])
def test_what_one_command_did_is_one_action_however_much_it_was(
    cli: Cli, queue: Queue, command: tuple[str, ...]
) -> None:
    """It goes on in chunks, and is said in pieces; taken back it is at once."""
    queue.enqueue_many([{"type": "a"}] * 1201)
    with queue.store.write() as connection:
        if command[0] == "dlq":
            connection.execute("UPDATE jobs SET status = 'failed', attempts = 1")
            connection.execute("INSERT INTO dead_letter_jobs (original_job_id, type) SELECT id, type FROM jobs")
    before = contents(queue)
    assert cli(*command).code == 0
    assert [json.loads(line)["jobs"] for line in cli("undo", "--list", "--json").out.splitlines()] == [1201]
    assert cli("undo").code == 0
    assert contents(queue) == before


def test_what_is_remembered_has_a_bound_and_the_oldest_goes_first(cli: Cli, queue: Queue) -> None:
    def kept() -> int:
        return int(queue.store.read("SELECT sum(length(before)) FROM qctl_undo")[0][0])

    assert cli("config", "undo_size", "1k").code == 2
    assert cli("config", "undo_size", "64k").code == 0
    queue.enqueue_many([{"type": "a", "payload": {"fill": "x" * 400}}] * 40 + [{"type": "b"}] * 600)
    assert "undo has no room" not in cli("cancel", "--type", "a", "--yes").err
    done = cli("cancel", "--type", "b", "--yes")
    assert kept() <= 64 << 10
    (row,) = [json.loads(line) for line in cli("undo", "--list", "--json").out.splitlines()]
    assert f"undo has no room for the first {600 - row['jobs']} of them" in done.err, "and nothing of the one before"
    assert 40 < row["jobs"] < 600
    assert f"{row['jobs']} jobs" in cli("undo").err
    assert [job.status for job in queue.find()].count("pending") == row["jobs"]
    queue.enqueue("c")
    assert cli("cancel", "--type", "c", "--yes").err.count("undo") == 0


def test_a_purge_is_taken_back_with_all_that_went_with_its_jobs(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a", {"n": 1})
    queue.enqueue("b", {"n": 2})
    run_one(queue, 1, ending.ERROR, time.time() - 9 * 86_400, error="x")
    run_one(queue, 1, ending.SUCCEEDED, time.time() - 9 * 86_400)
    number = dead(queue, now=time.time() - 9 * 86_400)
    queue.review([letter["id"] for letter in queue.dead_letters()])
    with queue.store.write() as connection:  # one that another program completed
        connection.execute(
            "UPDATE jobs SET status = 'completed', completed_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '-9 days') WHERE type = 'b'"
        )

    def completed() -> float:
        now = time.time()
        return sum(one.completed for one in read_window(queue.store, now - 20 * 86_400, now, 8).types.values())

    before, counted = contents(queue), completed()
    said = cli("purge", "--status", "completed", "--status", "failed")
    assert "purged 3 jobs" in said.out and "`qctl undo` takes it back" in said.out
    assert queue.count() == 0 and not list(queue.dead_letters())
    assert cli("undo").code == 0
    assert queue.get(number).data["status"] == "failed"
    assert completed() == counted == 2, "and none is counted twice"
    with queue.store.write() as connection:
        assert connection.execute("UPDATE jobs SET worker = NULL WHERE worker = ''").rowcount == 1
    assert contents(queue) == before


@pytest.mark.parametrize("most", ["jobs", "bytes"])
def test_a_purge_of_more_than_can_be_remembered_says_that_it_is_final(
    cli: Cli, queue: Queue, monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    from qctl.store.sqlite import purge

    if most == "jobs":
        monkeypatch.setattr(purge, "UNDOABLE", 1)
    else:
        assert cli("config", "undo_size", "64k").code == 0
        with queue.store.write() as connection:
            connection.execute("INSERT INTO qctl_output VALUES (1, 1, 0, 1, zeroblob(16000))")
    with queue.store.write() as connection:
        connection.execute(
            "INSERT INTO jobs (type, status, completed_at) SELECT 'a', 'completed', datetime('now', '-9 days') FROM (VALUES (1), (2))"
        )
    assert "undo" not in cli("purge").out
    assert cli("undo").code == 3


def test_what_is_let_go_for_want_of_room_is_counted_once_and_in_steps(
    cli: Cli, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qctl.store.sqlite import undo

    monkeypatch.setattr(undo, "FORGET", 1)  # ten rows at a time
    assert cli("config", "undo_size", "64k").code == 0
    queue.enqueue_many([{"type": "a", "payload": {"fill": "x" * 20_000}}] + [{"type": "a"}] * 300)
    said = cli("cancel", "--type", "a", "--yes").err
    kept = json.loads(cli("undo", "--list", "--json").out)["jobs"]
    assert f"the first {301 - kept} of them" in said
    (bytes_,) = queue.store.read("SELECT sum(length(before)) FROM qctl_undo")[0]
    assert bytes_ <= 64 << 10
