"""`qctl types`: what holds for the jobs of a type, checked where it is said, listed, and taken back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl import handlers
from qctl.model import BadValue
from qctl.queue import Queue
from qctl.rules import ending
from tests.states import run_one

Cli = Callable[..., Any]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture
def schema(tmp_path: Path) -> str:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(SCHEMA))
    return str(file)


@pytest.fixture(autouse=True)
def no_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "registry", {})


def listed(cli: Cli) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in map(json.loads, cli("types", "list", "--json").out.splitlines())}


def test_what_is_set_is_listed_and_can_be_taken_back(cli: Cli, schema: str) -> None:
    done = cli(
        "types", "set", "mail", "--timeout", "30s", "--max-attempts", "3", "--backoff", "fixed:1s", "--priority", "high",
        "--output-limit", "8192", "--retention", "2d", "--command", "cat -n 'a b'", "--schema", schema, "--rate", "30/m",
        "--rate-burst", "5", "--rate-key", "customer", "--concurrency", "2", "--concurrency-key", "customer",
    )  # fmt: skip
    assert (done.code, done.out, done.err) == (0, "", "")
    row = listed(cli)["mail"]
    assert {key: row[key] for key in ("timeout", "max_attempts", "backoff", "priority", "output_limit", "retention")} == {
        "timeout": 30.0, "max_attempts": 3, "backoff": "fixed:1s", "priority": 10, "output_limit": 8192,
        "retention": 172_800.0,
    }  # fmt: skip
    assert (row["command"], row["schema"]) == (["cat", "-n", "a b"], SCHEMA)
    assert (row["rate"], int(row["rate_burst"]), row["rate_key"], row["concurrency"]) == ("30/m", 5, "customer", 2)
    assert cli("types").out.startswith("mail\ttype\ttimeout 30s, max-attempts 3, ")
    assert cli("types", "unset", "mail", "timeout", "max-attempts", "rate").code == 0
    row = listed(cli)["mail"]
    assert (row["timeout"], row["max_attempts"], row["rate"], row["backoff"]) == (
        None, None, None, "fixed:1s",
    )  # fmt: skip
    assert cli("types", "set", "mail", "--schema", "none").code == 0
    assert listed(cli)["mail"]["schema"] is None
    assert cli("types", "unset", "mail").code == 0
    assert listed(cli) == {}


def test_a_queue_has_limits(cli: Cli) -> None:
    assert cli("types", "set", "--queue", "slow", "--rate", "5/s", "--concurrency", "1").code == 0
    row = listed(cli)["slow"]
    assert (row["scope"], row["rate"], row["concurrency"]) == ("queue", "5/s", 1)
    assert cli("types", "unset", "--queue", "slow", "rate").code == 0
    assert (listed(cli)["slow"]["rate"], listed(cli)["slow"]["concurrency"]) == (None, 1)
    assert cli("types", "unset", "--queue", "slow").code == 0
    assert listed(cli) == {}


def test_a_pause_outlives_the_limits_beside_it(cli: Cli, queue: Queue) -> None:
    cli("types", "set", "mail", "--concurrency", "1")
    with queue.store.write() as connection:
        connection.execute("UPDATE qctl_limits SET paused_at = '2027-01-01 00:00:00.000'")
    assert cli("types", "unset", "mail").code == 0
    assert listed(cli)["mail"]["paused_at"] == "2027-01-01 00:00:00.000"


BAD = {
    "nothing to say of what": (["set", "--timeout", "1s"], 2, "TYPE"),
    "a type and a queue": (["set", "a", "--queue", "q", "--rate", "1/s"], 2, "TYPE, or --queue"),
    "nothing to set": (["set", "a"], 2, "--timeout"),
    "a queue with a timeout": (["set", "--queue", "q", "--timeout", "1s"], 2, "--timeout: it is for types"),
    "a bad timeout": (["set", "a", "--timeout", "soon"], 2, "timeout"),
    "a bad rate beside a good timeout": (
        ["set", "a", "--timeout", "1s", "--rate", "fast"],
        2,
        "rate",
    ),
    "a bad name": (["set", "", "--timeout", "1s"], 2, "type"),
    "a program that is not there": (["set", "a", "--command", "no-such-program x"], 2, "was not found"),
    "a schema file that is not there": (["set", "a", "--schema", "/nowhere/x.json"], 2, "/nowhere/x.json"),
    "unset of nothing": (["unset"], 2, "TYPE"),
    "unset of an unknown type": (["unset", "a"], 3, "nothing is set for type 'a'"),
    "unset of an unknown queue": (["unset", "--queue", "q"], 3, "queue 'q'"),
    "unset of what a type has not": (["unset", "known", "colour"], 2, "'colour' is nothing a type has"),
    "unset of what a queue has not": (["unset", "--queue", "q", "timeout"], 2, "'timeout' is no limit"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_line_and_changes_nothing(cli: Cli, case: str) -> None:
    cli("types", "set", "known", "--timeout", "1s")
    before = listed(cli)
    argv, code, words = BAD[case]
    done = cli("types", *argv)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert done.err.count("\n") == 1
    assert listed(cli) == before


def test_payloads_are_checked_at_enqueue_single_and_bulk(cli: Cli, queue: Queue, schema: str, tmp_path: Path) -> None:
    assert cli("types", "set", "mail", "--schema", schema).code == 0
    done = cli("enqueue", "mail", "n=x")
    assert (done.code, done.out) == (2, "")
    assert done.err == "qctl: payload.n: 'x' is not of type 'integer' (schema of type mail)\n"
    assert cli("enqueue", "mail", "--dry-run").code == 2
    assert cli("enqueue", "mail", "n:=1").code == 0
    file = tmp_path / "jobs"
    for line in ('{"type": "mail", "payload": {"n": []}}', '{"type": "mail", "priority": 1}'):
        file.write_text(f'{{"type": "mail", "payload": {{"n": 2}}}}\n{{"type": "other"}}\n{line}\n')
        done = cli("enqueue", "--from", str(file))
        assert done.code == 2
        assert "line 3: payload" in done.err
        assert "2 jobs were stored before it" in done.err
    with pytest.raises(BadValue, match="payload: 'n' is a required property"):
        queue.enqueue_many([{"type": "mail", "payload": {"n": 1}}, {"type": "mail"}])
    assert queue.count() == 5
    assert cli("edit", "1", "--payload", '{"n": "x"}').code == 2
    assert cli("edit", "1", "--payload", '{"n": 7}').code == 0
    assert cli("enqueue", "--type", "mail", "--", "true").code == 0  # a command brings its own meaning


def test_a_schema_that_contradicts_waiting_jobs_says_how_many(cli: Cli, queue: Queue, schema: str) -> None:
    queue.enqueue_many([{"type": "mail", "payload": {"n": n}} for n in [1, "x", None, 2]] + [{"type": "other"}])
    done = cli("types", "set", "mail", "--schema", schema)
    assert done.code == 0
    assert "2 waiting jobs do not fit the schema" in done.err


def test_the_priority_of_a_type_holds_where_the_job_says_none(cli: Cli, queue: Queue) -> None:
    cli("types", "set", "mail", "--priority", "high")
    jobs = [queue.enqueue("mail"), queue.enqueue("mail", priority=0), queue.enqueue("other")]
    jobs += queue.enqueue_many([{"type": "mail"}])
    assert [queue.get(job).priority for job in jobs] == [10, 0, 0, 10]


def test_set_outranks_the_handler_and_the_job_outranks_both(queue: Queue) -> None:
    @handlers.handler("mail", max_attempts=7, timeout=7, priority=7, backoff="fixed:7s")
    def mail() -> None:
        raise ValueError("no")

    first = queue.enqueue("mail")
    assert queue.get(first).priority == 7
    queue.set_type("mail", max_attempts=2, priority=2)
    jobs = [first, queue.enqueue("mail"), queue.enqueue("mail", max_attempts=4, priority=4)]
    queue.run_inline()
    assert [queue.get(job).max_attempts for job in jobs] == [2, 2, 4]
    assert [queue.get(job).priority for job in jobs] == [7, 2, 4]


def test_annotations_refuse_a_payload_at_enqueue_and_at_run(queue: Queue) -> None:
    @handlers.handler("mail")
    def mail(to: str, n: int = 1) -> str:
        return to * n

    with pytest.raises(BadValue, match=r"payload\.to: it is missing"):
        queue.enqueue("mail")
    with pytest.raises(BadValue, match=r"payload\.n: use a whole number, not '2'"):
        queue.enqueue_many([{"type": "mail", "payload": {"to": "a", "n": "2"}}])
    assert queue.count() == 0
    with queue.store.write() as connection:
        connection.execute("INSERT INTO jobs (type, payload) VALUES ('mail', '{\"to\": 1}')")
    queue.enqueue("mail", {"to": "a", "n": 2})
    bad, good = sorted(queue.run_inline(), key=lambda job: int(job.number))
    assert (bad.status, bad.last_error) == ("failed", "payload.to: use text, not 1")
    assert (good.status, good.result) == ("completed", "aa")


def test_a_type_keeps_its_completed_jobs_as_long_as_it_says(queue: Queue) -> None:
    day = 86_400.0
    now = time.time()
    jobs = {}
    for type_, days in (("long", 20), ("long", 40), ("short", 2), ("short", 0), ("other", 2), ("other", 8)):
        jobs[type_, days] = job = queue.enqueue(type_)
        run_one(queue, int(job), ending.SUCCEEDED, now - days * day)
    died = queue.enqueue("short")
    run_one(queue, int(died), ending.DEAD, now - 2 * day)
    queue.set_type("long", retention="30d")
    queue.set_type("short", retention="1d")
    assert queue.purge(dry_run=True)["deleted"] == 3
    assert queue.purge()["deleted"] == 3
    kept = {int(jobs["long", 20]), int(jobs["short", 0]), int(jobs["other", 2]), int(died)}
    assert {job.number for job in queue.find()} == kept
