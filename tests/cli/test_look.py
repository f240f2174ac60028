"""`list`, `show` and `logs`: what is there is shown, to people, to pipes and to programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from tests.states import dead, lease, run_one, write_output

Cli = Callable[..., Any]


def test_a_pipe_gets_one_line_of_tabs_a_job_newest_first(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a", {"x": 1}, tags=["t"])
    queue.enqueue(command=["echo", "tab\there"])
    lines = cli("list").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["2", "1"]
    assert all(line.count("\t") == 9 for line in lines)
    assert lines[1].split("\t")[2:6] == ["a", "pending", "0", "5"]
    assert lines[1].split("\t")[8].endswith("Z")


def test_json_gives_rows_with_values_decoded_and_variables_masked(cli: Cli, queue: Queue) -> None:
    queue.enqueue(command=["echo"], env={"TOKEN": "secret"}, tags=["t"])
    done = cli("list", "--json")
    row = json.loads(done.out)
    assert row["command"] == ["echo"]
    assert row["tags"] == ["t"]
    assert row["env"] == {"TOKEN": "***"}
    assert "secret" not in done.out + cli("show", "1", "--json").out + cli("show", "1").out


def test_filters_narrow_and_limit_counts(cli: Cli, queue: Queue) -> None:
    for index in range(30):
        queue.enqueue("even" if index % 2 == 0 else "odd", queue="slow" if index < 3 else "default")
    dead(queue, "charge", "card declined")

    def numbers(*argv: str) -> list[int]:
        return [int(line.split("\t")[0]) for line in cli("list", *argv).out.splitlines()]

    assert len(numbers()) == 20
    assert len(numbers("--limit", "0")) == 31
    assert len(numbers("-n", "3")) == 3
    assert numbers("--queue", "slow") == [3, 2, 1]
    assert set(numbers("--type", "odd", "--limit", "0")) == set(range(2, 31, 2))
    assert numbers("--status", "failed") == [31]
    assert numbers("--search", "DECLINED") == [31]
    assert numbers("--tag", "none") == []
    assert numbers("--since", "1h", "--limit", "1") == [31]
    assert numbers("--until", "1h") == []


@pytest.mark.parametrize(
    "argv", [["--status", "done"], ["--limit", "x"], ["--limit", "-1"], ["--since", "x"], ["extra"]]
)
def test_a_bad_filter_is_a_usage_error(cli: Cli, queue: Queue, argv: list[str]) -> None:
    done = cli("list", *argv)
    assert (done.code, done.err.count("\n")) == (2, 1)


def test_reading_a_queue_that_is_not_there_makes_none_and_says_so(cli: Cli, db: Any) -> None:
    for command in (["list"], ["stats"], ["dlq", "list"]):
        done = cli(*command)
        assert done.code == 0
        assert "no queue file" in done.err
    assert not db.exists()
    assert cli("show", "1").code == 3
    assert cli("cancel", "1").code == 4


def test_a_job_is_named_by_number_id_and_beginning_of_its_id(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a", id="order-one")
    queue.enqueue("b", id="order-two")

    def shown(reference: str) -> Any:
        return json.loads(cli("show", reference, "--json").out)["number"]

    assert [shown(reference) for reference in ("1", "order-two", "order-o")] == [1, 2, 1]
    ambiguous = cli("show", "order-")
    assert (ambiguous.code, ambiguous.err.count("\n")) == (2, 1)
    assert "order-one" in ambiguous.err and "order-two" in ambiguous.err
    for reference in ("3", "0", "nobody", "9" * 40, "%", "order_"):
        assert cli("show", reference).code == 3


def test_a_job_that_was_deleted_is_said_to_be_gone(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    with queue.store.write() as connection:
        connection.execute("DELETE FROM jobs")
    assert "gone" in cli("show", "1").err


def test_show_json_has_the_row_and_every_attempt_the_running_one_too(cli: Cli, queue: Queue) -> None:
    now = time.time()
    number = int(queue.enqueue("a", max_attempts=3))
    run_one(queue, number, ending.ERROR, now - 10, error="first", exit_code=1)
    lease(queue, number, now)
    row = json.loads(cli("show", str(number), "--json").out)
    assert row["status"] == "processing"
    assert [list(one) for one in row["history"]] == [
        ["attempt", "worker", "started_at", "finished_at", "outcome", "exit_code", "error"]
    ] * 2
    assert [(one["attempt"], one["outcome"], one["error"]) for one in row["history"]] == [
        (1, "failed", "first"),
        (2, "running", None),
    ]
    assert row["history"][1]["finished_at"] is None


def test_history_outlives_a_replay(cli: Cli, queue: Queue) -> None:
    number = dead(queue)
    cli("dlq", "replay", str(number))
    run_one(queue, number, ending.SUCCEEDED, time.time())
    row = json.loads(cli("show", str(number), "--json").out)
    assert row["status"] == "completed"
    assert [one["outcome"] for one in row["history"]] == ["dead", "completed"]


def test_nothing_of_a_job_reaches_a_terminal_raw(cli: Cli, queue: Queue) -> None:
    evil = "\x1b]52;c;aGk=\x07\u202e\x9b31m"
    queue.store.connection.execute(
        "INSERT INTO jobs (type, payload, queue, last_error) VALUES (?, ?, ?, ?)", (evil, evil, evil, evil)
    )
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET status = 'failed'")
        connection.execute("INSERT INTO dead_letter_jobs (original_job_id, type, payload, last_error, notes)"
                           " SELECT id, type, payload, last_error, type FROM jobs")  # fmt: skip
    for argv in (["list"], ["show", "1"], ["dlq", "list"], ["dlq", "show", "1"], ["stats"], ["list", "--json"]):
        done = cli(*argv)
        assert done.code == 0, done
        assert all(c.isprintable() or c in "\n\t" for c in done.err)
        if "--json" not in argv:
            assert all(c.isprintable() or c in "\n\t" for c in done.out), argv


def test_logs_gives_the_bytes_as_they_are_and_says_what_was_cut(cli: Cli, queue: Queue) -> None:
    number = int(queue.enqueue("a"))
    lease(queue, number, time.time())
    write_output(queue, number, (0, 1, b"out\n"), (4, 2, b"err\n"), (1008, 1, b"tail\n"))
    done = cli("logs", str(number))
    assert done.out == "out\nerr\ntail\n"
    assert "1,000 bytes cut" in done.err
    assert cli("logs", str(number), "--stdout").out == "out\ntail\n"
    assert cli("logs", str(number), "--stderr").out == "err\n"
    rows = [json.loads(line) for line in cli("logs", str(number), "--json").out.splitlines()]
    assert rows[1] == {"position": 4, "stream": "stderr", "text": "err\n"}


def test_logs_of_an_attempt_are_told_apart(cli: Cli, queue: Queue) -> None:
    number = int(queue.enqueue("a"))
    lease(queue, number, 1.0)
    write_output(queue, number, (0, 1, b"first\n"))
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET status = 'pending'")
    run_one(queue, number, ending.ERROR, 2.0)
    write_output(queue, number, (0, 1, b"second\n"))
    with queue.store.write() as connection:
        connection.execute(
            "INSERT INTO qctl_history (job, token, attempt, outcome) VALUES (?, 1, 1, 'lost')", (number,)
        )
    assert cli("logs", str(number)).out == "second\n"
    assert cli("logs", str(number), "--attempt", "1").out == "first\n"
    assert cli("logs", str(number), "--attempt", "7").code == 3
    assert cli("logs", "99").code == 3


def test_a_time_that_another_program_garbled_does_not_break_who_looks(cli: Cli, queue: Queue) -> None:
    number = int(queue.enqueue("a"))
    run_one(queue, number, ending.SUCCEEDED, time.time())
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET completed_at = 'garbage', updated_at = 'garbage'")
    for argv in (["list"], ["list", "--json"], ["show", "1"], ["show", "1", "--json"], ["stats"], ["health"]):
        assert cli(*argv).code == 0, argv
