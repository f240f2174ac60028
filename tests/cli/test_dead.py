"""`dlq`: dead letters are listed, noted, reviewed, replayed and discarded, each once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from qctl.rules import ending
from tests.states import all_dead, dead, run_one

Cli = Callable[..., Any]


def test_one_death_one_letter_and_the_job_stays(cli: Cli, queue: Queue) -> None:
    number = dead(queue)
    rows = [json.loads(line) for line in cli("dlq", "list", "--json").out.splitlines()]
    assert len(rows) == 1
    assert rows[0]["number"] == number
    assert rows[0]["original_job_id"] == queue.get(number).id
    assert (rows[0]["attempts"], rows[0]["last_error"], rows[0]["reviewed"]) == (1, "card declined", False)
    assert queue.get(number).status == "failed"
    assert cli("dlq").out == cli("dlq", "list").out


def test_a_note_is_added_below_the_earlier_ones(cli: Cli, queue: Queue) -> None:
    number = str(dead(queue))
    assert cli("dlq", "note", number, "first").code == 0
    assert cli("dlq", "note", number, "second").code == 0
    assert json.loads(cli("dlq", "show", number, "--json").out)["notes"] == "first\nsecond"
    assert cli("dlq", "note", number).code == 2
    assert cli("dlq", "note", "99", "x").code == 3


def test_review_takes_it_off_the_list(cli: Cli, queue: Queue) -> None:
    number = str(dead(queue))
    assert cli("dlq", "review", number).code == 0
    assert cli("dlq", "list").out == ""
    assert len(cli("dlq", "list", "--all").out.splitlines()) == 1
    assert queue.get(int(number)).status == "failed"


def test_replay_sends_the_same_job_back_and_a_second_death_is_a_second_letter(cli: Cli, queue: Queue) -> None:
    number = dead(queue)
    done = cli("dlq", "replay", str(number))
    assert (done.code, done.out) == (0, f"{number}\n")
    job = queue.get(number)
    assert (job.status, job.attempts) == ("pending", 0)
    assert list(queue.dead_letters()) == []
    run_one(queue, number, ending.DEAD, time.time(), error="again")
    assert len(queue.letters(job.id)) == 2
    assert [one["reviewed"] for one in queue.letters(job.id)] == [0, 1]


def test_bulk_takes_filters_or_all_and_says_what_it_would_do(cli: Cli, queue: Queue) -> None:
    all_dead(queue, (("charge" if index % 2 else "ship", f"error {index}") for index in range(1100)))
    assert cli("dlq", "replay").code == 2
    assert len(cli("dlq", "replay", "--type", "ship", "--dry-run").out.splitlines()) == 550
    assert len(list(queue.dead_letters())) == 1100
    assert len(cli("dlq", "replay", "--type", "ship").out.splitlines()) == 550
    assert cli("dlq", "replay", "--error", "ERROR 1099").out.split() == ["1100"]
    assert cli("dlq", "replay", "--type", "charge", "1").code == 2
    assert len(cli("dlq", "replay", "--all").out.splitlines()) == 549
    assert queue.count() == 1100
    assert {job.status for job in queue.find()} == {"pending"}


def test_two_who_replay_at_once_replay_each_job_once(queue: Queue, db: Path) -> None:
    all_dead(queue, [("charge", "card declined")] * 200)
    ids = [one["id"] for one in queue.dead_letters()]
    done: list[list[int]] = []

    def replay() -> None:
        with Queue(db) as own:
            done.append(own.replay(ids))

    threads = [threading.Thread(target=replay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for numbers in done for number in numbers) == list(range(1, 201))


def test_discard_deletes_the_letter_and_its_job_and_wants_a_yes(cli: Cli, queue: Queue) -> None:
    first, second = dead(queue), dead(queue)
    assert cli("dlq", "discard", "--all").code == 2
    assert cli("dlq", "discard", str(first)).code == 0
    assert cli("show", str(first)).code == 3
    assert cli("dlq", "discard", "--all", "--yes").code == 0
    assert queue.count() == 0
    assert second and list(queue.dead_letters(reviewed=None)) == []


def test_a_letter_whose_job_is_gone_is_said_to_be(cli: Cli, queue: Queue) -> None:
    with queue.store.write() as connection:
        connection.execute(
            "INSERT INTO dead_letter_jobs (id, original_job_id, type, payload) VALUES ('letter-1', 'gone', 'x', '{}')"
        )
    done = cli("dlq", "replay", "letter-1")
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "qctl enqueue x" in done.err
    assert cli("dlq", "replay", "--all").code == 0
    assert cli("dlq", "show", "letter-1").code == 0


def test_a_job_that_is_not_dead_has_no_letter(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    for verb in ("show", "replay", "review", "discard"):
        done = cli("dlq", verb, "1")
        assert (done.code, done.err.count("\n")) == (3, 1)


def test_show_in_a_pipe_has_iso_times_and_the_command(cli: Cli, queue: Queue) -> None:
    queue.enqueue(shell="exit 3")
    run_one(queue, 1, ending.DEAD, 1_790_000_000.0, error="exit status 3")
    rows = [line.split("\t") for line in cli("dlq", "show", "1").out.splitlines()]
    assert ["command", "exit 3"] in rows
    assert ["history", "#1 dead  2026-09-21T14:13:21.000Z  exit status 3"] in rows


def test_note_as_json_names_job_and_letter(cli: Cli, queue: Queue) -> None:
    number = dead(queue)
    row = json.loads(cli("dlq", "note", str(number), "seen", "--json").out)
    letter = next(queue.dead_letters())
    assert row == {"number": number, "id": letter["original_job_id"], "letter": letter["id"]}


def test_a_number_is_a_job_and_never_the_beginning_of_another_jobs_letter(cli: Cli, queue: Queue) -> None:
    number = dead(queue)
    with queue.store.write() as connection:
        connection.execute("UPDATE dead_letter_jobs SET id = '9abcdef0' || substr(id, 9)")
    letter = next(queue.dead_letters())["id"]
    for verb in (["show"], ["review"], ["replay"], ["discard", "--yes"]):
        assert cli("dlq", *verb, "9").code == 3
        assert cli("dlq", *verb, "9abc").code == 3
    assert cli("dlq", "note", "9", "x").code == 3
    assert (queue.get(number).status, next(queue.dead_letters())["notes"]) == ("failed", None)
    for name in (letter, letter[:8], str(number)):
        assert json.loads(cli("dlq", "show", name, "--json").out)["id"] == letter


def test_letters_are_found_by_what_became_of_their_jobs_and_by_command(cli: Cli, queue: Queue) -> None:
    queue.enqueue(shell="echo needle")
    run_one(queue, 1, ending.DEAD, 1_790_000_000.0, error="exit status 3")
    dead(queue)
    cli("retry", "2")
    assert cli("dlq", "--all", "--status", "failed", "--json").out.count("\n") == 1
    assert json.loads(cli("dlq", "list", "--all", "--status", "pending", "--json").out)["number"] == 2
    assert json.loads(cli("dlq", "list", "--search", "needle", "--json").out)["number"] == 1


def test_review_and_discard_as_json_say_how_many(cli: Cli, queue: Queue) -> None:
    first, second = dead(queue), dead(queue)
    assert json.loads(cli("dlq", "review", str(first), "--json").out) == {"reviewed": 1}
    assert json.loads(cli("dlq", "discard", str(second), "--json").out) == {"discarded": 1}
