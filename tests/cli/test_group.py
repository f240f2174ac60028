"""Dead letters in numbers: groups, mending payloads, replays at a pace and with a trial."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.fingerprint import fingerprint
from tests.states import dead, run_one

Cli = Callable[..., Any]


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def fill(queue: Queue) -> tuple[str, str]:
    """Three letters of one error, in two types, and one of another; the names of the groups."""
    dead(queue, "charge", "order 1 declined", 1_790_000_000.0)
    dead(queue, "charge", "order 22 declined", 1_790_000_100.0)
    dead(queue, "refund", "order 333 declined", 1_790_000_200.0)
    dead(queue, "ship", "no route", 1_790_000_300.0)
    return fingerprint("order 1 declined"), fingerprint("no route")


def test_groups_have_count_types_first_last_and_a_sample(cli: Cli, queue: Queue) -> None:
    declined, route = fill(queue)
    first, second = lines(cli("dlq", "groups", "--json").out)
    assert first == {
        "group": declined, "count": 3, "type": "charge", "error": "order <n> declined",
        "first": "2026-09-21 14:13:21.000", "last": "2026-09-21 14:16:41.000", "jobs": [3, 2, 1],
        "types": ["charge", "refund"], "sample": "order 333 declined",
    }  # fmt: skip
    assert (second["group"], second["count"], second["jobs"]) == (route, 1, [4])
    assert cli("dlq", "groups").out.splitlines()[1].split("\t")[:4] == [route, "1", "ship", "no route"]
    assert [one["count"] for one in lines(cli("dlq", "groups", "--type", "refund", "--json").out)] == [1]


def test_in_a_pipe_the_times_of_a_group_are_iso_8601(cli: Cli, queue: Queue) -> None:
    dead(queue)
    row = cli("dlq", "groups").out.rstrip("\n").split("\t")
    assert row[4] == row[5] == "2026-09-21T14:13:21.000Z"


def test_every_command_takes_a_group(cli: Cli, queue: Queue) -> None:
    declined, route = fill(queue)
    assert [one["number"] for one in lines(cli("dlq", "list", "--group", declined, "--json").out)] == [3, 2, 1]
    assert [one["number"] for one in lines(cli("dlq", "export", "--group", declined[:4], "--json").out)] == [3, 2, 1]
    assert json.loads(cli("dlq", "show", "--group", route, "--json").out)["number"] == 4
    assert cli("dlq", "note", "--group", declined, "the bank").code == 0
    assert {one["notes"] for one in lines(cli("dlq", "list", "--group", declined, "--json").out)} == {"the bank"}
    assert cli("dlq", "edit", "--group", declined, "--set", "order=9", "--dry-run").out.split() == ["3", "2", "1"]
    assert cli("dlq", "review", "--group", route).code == 0
    assert cli("dlq", "replay", "--group", declined, "--type", "refund").out.split() == ["3"]
    assert cli("dlq", "discard", "--group", declined, "--yes").code == 0
    assert queue.count() == 2


def test_a_group_that_is_none_is_said_and_nothing_is_touched(cli: Cli, queue: Queue) -> None:
    fill(queue)
    for verb in ("replay", "review", "discard", "show"):
        assert cli("dlq", verb, "--group", "00000000").code == 3
        assert cli("dlq", verb, "--group", "xyz").code == 2
        assert cli("dlq", verb, "1", "--group", "00000000").code == 2
    assert cli("dlq", "show").code == 2
    assert len(list(queue.dead_letters())) == 4


def test_edit_mends_the_payload_that_the_replay_runs_with(cli: Cli, queue: Queue) -> None:
    number = str(dead(queue))
    assert cli("dlq", "edit", number, "--set", "order=2", "--set", "to.city=Oslo").code == 0
    assert queue.get(number).payload == {"order": 2, "to": {"city": "Oslo"}}
    assert json.loads(cli("dlq", "show", number, "--json").out)["payload"] == {"order": 2, "to": {"city": "Oslo"}}
    assert queue.get(number).status == "failed"
    assert cli("dlq", "edit", number, "--payload", '{"a":1}').code == 0
    cli("dlq", "replay", number)
    assert (queue.get(number).status, queue.get(number).payload) == ("pending", {"a": 1})
    for bad in (["--set", "a"], ["--payload", "[1]"], ["--payload", "{}", "--set", "a=1"], []):
        done = cli("dlq", "edit", str(dead(queue)), *bad)
        assert (done.code, done.err.count("\n")) == (2, 1), bad
    assert cli("dlq", "edit", number, "--set", "a=2").code == 2  # it waits by now
    assert queue.get(number).payload == {"a": 1}


def test_export_has_letters_whole(cli: Cli, queue: Queue) -> None:
    dead(queue)
    (row,) = lines(cli("dlq", "export").out)
    assert (row["payload"], row["last_error"], row["history"][0]["outcome"]) == ({"order": 1}, "card declined", "dead")


def test_a_rate_spreads_a_replay(cli: Cli, queue: Queue) -> None:
    for _ in range(9):
        dead(queue)
    started = time.monotonic()
    assert len(cli("dlq", "replay", "--all", "--rate", "20/s").out.splitlines()) == 9
    assert 0.3 < time.monotonic() - started < 5
    for bad in ("0/s", "x", "5"):
        done = cli("dlq", "replay", "--all", "--rate", bad)
        assert done.code == 2 and "--rate" in done.err


def end_first(db: Path, how: list[str]) -> threading.Thread:
    """Plays a worker that ends as many replayed jobs as `how` says, and in which way."""

    def play() -> None:
        with Queue(db) as own:
            until = time.monotonic() + 10
            left = list(how)
            while left and time.monotonic() < until:
                for job in list(own.find()):
                    if job.status == "pending" and left:
                        run_one(own, job.number, left.pop(0), time.time(), error="again")
                time.sleep(0.02)

    thread = threading.Thread(target=play)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("how", "options", "code", "replayed"),
    [
        ([ending.SUCCEEDED, ending.SUCCEEDED], [], 0, 5),
        ([ending.SUCCEEDED, ending.DEAD], [], 1, 2),
        ([ending.SUCCEEDED, ending.DEAD], ["--abort-if", "50%"], 0, 5),
        ([ending.DEAD, ending.DEAD], ["--abort-if", "0.5"], 1, 2),
    ],
)
def test_a_few_go_first_and_decide(
    cli: Cli, db: Path, queue: Queue, how: list[str], options: list[str], code: int, replayed: int
) -> None:
    for _ in range(5):
        dead(queue)
    thread = end_first(db, how)
    done = cli("dlq", "replay", "--all", "--canary", "2", *options)
    thread.join()
    assert (done.code, len(done.out.splitlines())) == (code, replayed), done.err
    assert queue.count() == 5
    waiting = sum(job.status == "pending" for job in queue.find())
    assert waiting == (3 if code == 0 else 0)


def test_the_first_ones_are_not_waited_for_beyond_the_timeout(cli: Cli, queue: Queue) -> None:
    for _ in range(3):
        dead(queue)
    done = cli("dlq", "replay", "--all", "--canary", "1", "--wait-timeout", "100ms")
    assert (done.code, len(done.out.splitlines())) == (124, 1)
    assert len(list(queue.dead_letters())) == 2
    assert cli("dlq", "replay", "--all", "--abort-if", "0.1").code == 2
    assert cli("dlq", "replay", "--all", "--canary", "1", "--abort-if", "2").code == 2
