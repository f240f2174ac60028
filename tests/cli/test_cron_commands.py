"""`qctl cron`: adding, looking at and steering schedules."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from qctl.model import BadValue, NotFound
from qctl.queue import Queue

Cli = Callable[..., Any]
ADD = ("cron", "add")


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Etc/UTC")


def listed(cli: Cli) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cli("cron", "list", "--json").out.splitlines()]


def test_add_prints_the_name_which_is_the_type_made_unique(cli: Cli) -> None:
    assert [cli(*ADD, "send", "@daily").out, cli(*ADD, "send", "@hourly").out] == ["send\n", "send-2\n"]
    assert cli(*ADD, "send", "0 3 * * *", "--name", "nightly").out == "nightly\n"
    assert [(row["name"], row["type"], row["cron_expression"]) for row in listed(cli)] == [
        ("nightly", "send", "0 3 * * *"),
        ("send", "send", "@daily"),
        ("send-2", "send", "@hourly"),
    ]
    taken = cli(*ADD, "send", "@daily", "--name", "nightly")
    assert (taken.code, taken.err.count("\n")) == (2, 1)


def test_a_typed_job_with_all_it_may_say(cli: Cli) -> None:
    options = ["--tz", "Europe/Berlin", "--catch-up", "all", "--overlap", "allow", "-p", "high", "-q", "mail", "--tag", "t",
               "--max-attempts", "2", "--backoff", "fixed:5s", "--timeout", "1m"]  # fmt: skip
    result = cli(*ADD, "send", "30 2 * * mon", "to=ana", "n:=3", *options, "--json")
    row = json.loads(result.out)
    assert result.code == 0
    expected = {"name": "send", "payload": {"to": "ana", "n": 3}, "time_zone": "Europe/Berlin", "catch_up": "all",
                "overlap": "allow", "priority": 10, "queue": "mail", "tags": ["t"], "max_attempts": 2, "timeout": 60.0,
                "backoff": "fixed:5s", "is_active": True, "command": None, "last_status": None}  # fmt: skip
    assert {key: row[key] for key in expected} == expected
    assert row["next_run_at"] > row["created_at"]


def test_commands_with_and_without_a_type(cli: Cli, tmp_path: Path) -> None:
    assert (
        cli(*ADD, "*/5 * * * *", "--cwd", str(tmp_path), "--env", "A=secret", "--", "echo", "--json", "x").out
        == "command\n"
    )
    assert cli(*ADD, "sync", "@hourly", "--shell", "echo a | cat").out == "sync\n"
    rows = listed(cli)
    assert (rows[0]["command"], rows[0]["cwd"]) == (["echo", "--json", "x"], str(tmp_path))
    assert (rows[1]["type"], rows[1]["command"]) == ("sync", ["/bin/sh", "-c", "echo a | cat"])
    assert "secret" not in cli("cron", "list", "--json").out + cli("cron", "show", "command").out


def test_six_fields_with_seconds(cli: Cli) -> None:
    assert cli(*ADD, "tick", "* * * * * */10", "--seconds").code == 0
    ticks = [json.loads(line)["at"] for line in cli("cron", "next", "tick", "--count", "2", "--json").out.splitlines()]
    assert [at[-5:] for at in ticks] == [".000Z"] * 2 and all(at[18] == "0" for at in ticks)


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (["x"], "say what and when"),
        ([], "say what and when"),
        (["x", "nonsense"], "use five fields"),
        (["x", "* * * * * *"], "--seconds"),
        (["x", "0 0 31 2 *"], "never comes"),
        (["x", "61 * * * *"], "use five fields"),
        (["x", "@daily", "--tz", "Mars/Olympus"], "Europe/Berlin"),
        (["x", "@daily", "--catch-up", "some"], "latest"),
        (["x", "@daily", "--overlap", "maybe"], "skip"),
        (["x", "@daily", "[1]"], "object"),
        (["x", "@daily", "--name", "-x"], "dash"),
        (["x", "*", "*", "*", "*", "*"], "in quotes"),
        (["@daily", "--", "no-such-program-here"], "was not found"),
        (["@daily", "--"], "no command"),
        (["--", "true"], "before a command"),
        (["x", "@daily", "--shell", "a", "--", "b"], "exclude"),
    ],
)
def test_what_is_not_accepted_is_said_in_one_line_and_nothing_is_stored(cli: Cli, argv: list[str], part: str) -> None:
    result = cli(*ADD, *argv)
    assert (result.code, result.out) == (2, "")
    assert part in result.err and result.err.count("\n") == 1
    assert listed(cli) == []


def test_next_tells_both_clocks(cli: Cli) -> None:
    cli(*ADD, "x", "30 1 * * *", "--tz", "America/New_York")
    result = cli("cron", "next", "x", "--after", "2026-10-31T12:00", "--count", "2", "--json")
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [(row["at"], row["local"]) for row in rows] == [
        ("2026-11-01T05:30:00.000Z", "2026-11-01T01:30:00-04:00"),
        ("2026-11-02T06:30:00.000Z", "2026-11-02T01:30:00-05:00"),
    ]
    assert all(datetime.fromisoformat(row["at"]) == datetime.fromisoformat(row["local"]) for row in rows)
    assert len(cli("cron", "next", "x").out.splitlines()) == 5
    assert cli("cron", "next", "x", "--after", "2026-10-31T12:00").out.startswith(
        "2026-11-01T05:30:00.000Z\t2026-11-01T01:30:00-04:00\n"
    )
    assert cli("cron", "next", "x", "--count", "0").code == 2
    assert cli("cron", "next", "x", "--after", "whenever").code == 2


@pytest.mark.parametrize("verb", ["show", "next", "pause", "resume", "run", "remove"])
def test_a_schedule_that_is_not_there_is_exit_3(cli: Cli, verb: str) -> None:
    cli(*ADD, "report", "@daily")
    result = cli("cron", verb, "reprt")
    assert (result.code, result.out) == (3, "")
    assert "did you mean report?" in result.err


def test_pause_resume_run_and_remove(cli: Cli, queue: Queue) -> None:
    cli(*ADD, "x", "@daily", "a=b")
    assert cli("cron", "pause", "x").code == cli("cron", "pause", "x").code == 0
    assert listed(cli)[0]["state"] == "paused"
    assert json.loads(cli("cron", "resume", "x", "--json").out) == {"name": "x", "state": "on"}
    assert listed(cli)[0]["state"] == "on"
    assert [cli("cron", "run", "x").out, json.loads(cli("cron", "run", "x", "--json").out)["number"]] == ["1\n", 2]
    assert (queue.get(2).payload, queue.get(2).status) == ({"a": "b"}, "pending")
    assert (listed(cli)[0]["last_job"], listed(cli)[0]["last_status"]) == (2, "pending")
    assert cli("cron", "remove", "x", "y").code == 3
    assert cli("cron", "remove", "x").code == 0
    assert listed(cli) == [] and queue.count() == 2


def test_list_and_show_in_a_pipe_and_on_a_terminal(cli: Cli, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("cron").code == 0
    cli(*ADD, "x", "0 3 * * *", "--tz", "Europe/Berlin")
    row = cli("cron", "list").out.rstrip("\n").split("\t")
    assert row[:3] == ["x", "0 3 * * *", "Europe/Berlin"] and row[3].endswith("Z") and row[5:7] == ["on", ""]
    assert row[7] == "no worker is running"
    connection = sqlite3.connect(db)
    connection.execute("INSERT INTO cron_schedules (type, cron_expression) VALUES ('bare', '* * * * *')")
    connection.commit()
    connection.close()
    assert "when\t* * * * *\n" in cli("cron", "show", "bare").out
    assert len(cli("cron", "next", "bare").out.splitlines()) == 5
    from qctl.cli import render, table, terminal

    monkeypatch.setenv("NO_COLOR", "1")
    for module in (render, table, terminal):
        monkeypatch.setattr(module, "is_terminal", lambda _stream: True)
    result = cli("cron", "list")
    assert result.out.split()[:6] == ["NAME", "WHEN", "ZONE", "NEXT", "LAST", "STATE"]
    assert max(map(len, result.out.splitlines())) <= 80
    assert "! x: no worker is running" in result.err
    assert "Europe/Berlin" in cli("cron", "show", "x").out
    assert "EUROPE/BERLIN" in cli("cron", "next", "x").out


def test_from_python(queue: Queue) -> None:
    assert queue.add_schedule("x", "0 3 * * *", {"a": 1}, time_zone="Europe/Berlin", priority="high") == "x"
    assert queue.add_schedule(None, "@hourly", command=["true"]) == "command"
    row = queue.schedule("x")
    assert (row["payload"], row["priority"], row["warning"]) == ('{"a":1}', 10, "no worker is running")
    assert queue.next_ticks("x", 2, after=1_800_000_000.0) == [1_800_064_800.0, 1_800_151_200.0]
    assert queue.pause_schedule("x") and queue.resume_schedule("x") and not queue.resume_schedule("x")
    assert queue.get(queue.run_schedule("x")).type == "x"
    queue.remove_schedule("x")
    with pytest.raises(NotFound):
        queue.schedule("x")
    for wrong in ({"at": "12:00"}, {"id": "a"}, {"catch_up": "x"}, {"time_zone": "x"}):
        with pytest.raises(BadValue):
            queue.add_schedule("x", "@daily", **wrong)


@pytest.mark.parametrize(
    ("tz", "name"), [("Europe/Berlin", "Europe/Berlin"), ("UTC0", "UTC"), (":Asia/Tokyo", "Asia/Tokyo")]
)
def test_the_zone_of_this_machine_is_stored_by_its_name(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tz: str, name: str
) -> None:
    import time

    monkeypatch.setenv("TZ", tz)
    time.tzset()
    try:
        cli(*ADD, "x", "@daily")
        assert listed(cli)[0]["time_zone"] == name
        monkeypatch.setenv("TZ", "XYZ-3")
        time.tzset()
        result = cli(*ADD, "x", "@daily")
        assert (result.code, "--tz" in result.err) == (2, True)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_zones_are_known_where_the_system_has_none(db: Path) -> None:
    environment = {**os.environ, "PYTHONTZPATH": "", "TZ": "America/New_York"}
    for argv, told in (
        (["cron", "add", "x", "30 2 * * *", "--tz", "Europe/Berlin"], "x\n"),
        (["cron", "next", "x", "--after", "2027-03-27T12:00Z", "-n", "1", "--json"],
         '{"at":"2027-03-28T01:00:00.000Z","local":"2027-03-28T03:00:00+02:00","time_zone":"Europe/Berlin"}\n'),
        (["cron", "add", "y", "@daily"], "y\n"),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "qctl", "--db", str(db), *argv], env=environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout.replace(", ", ",").replace(": ", ":")) == (0, told), done.stderr
    with Queue(db) as queue:
        assert queue.schedule("y")["time_zone"] == "America/New_York"
