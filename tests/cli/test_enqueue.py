"""`qctl enqueue`: one job, durable, and every bad word answered in one line with nothing stored."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue

Cli = Callable[..., Any]


def jobs(db: Path, columns: str = "*") -> list[tuple[Any, ...]]:
    if not db.exists():
        return []
    connection = sqlite3.connect(db)
    rows = connection.execute(f"SELECT {columns} FROM jobs ORDER BY number").fetchall()
    connection.close()
    return rows


def test_a_typed_job_prints_its_number_and_nothing_else(cli: Cli, db: Path) -> None:
    first, second = cli("enqueue", "send_email", '{"to": "ana@example.com"}'), cli("enqueue", "send_email")
    assert (first.code, first.out, first.err) == (0, "1\n", "")
    assert second.out == "2\n"
    assert jobs(db, "type, payload, status, priority, max_attempts") == [
        ("send_email", '{"to":"ana@example.com"}', "pending", 0, 5),
        ("send_email", "{}", "pending", 0, 5),
    ]


def test_json_tells_number_id_type_status_and_duplicate(cli: Cli) -> None:
    row = json.loads(cli("enqueue", "x", "--json").out)
    assert list(row) == ["number", "id", "type", "status", "duplicate"]
    assert row["number"] == 1
    assert row["status"] == "pending"
    assert row["duplicate"] is False


def test_the_queue_file_is_private(cli: Cli, db: Path) -> None:
    before = os.umask(0)
    try:
        cli("enqueue", "x")
    finally:
        os.umask(before)
    assert [oct(path.stat().st_mode & 0o777) for path in sorted(db.parent.glob("queue.db*"))][0] == "0o600"
    assert all(path.stat().st_mode & 0o077 == 0 for path in db.parent.glob("queue.db*"))


def test_a_command_keeps_its_words_apart_and_its_directory(
    cli: Cli, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("enqueue", "--", "echo", "two words", "--db", "-x", "").code == 0
    assert cli("enqueue", "--type", "backup", "--cwd", "/", "--env", "A=1", "--", "echo").code == 0
    assert jobs(db, "type, command, cwd, env") == [
        ("command", '["echo","two words","--db","-x",""]', str(tmp_path), None),
        ("backup", '["echo"]', "/", '{"A":"1"}'),
    ]


def test_a_shell_line_is_run_by_sh(cli: Cli, db: Path) -> None:
    assert cli("enqueue", "--shell", "a | b > 'c d'").code == 0
    assert json.loads(jobs(db, "command")[0][0]) == ["/bin/sh", "-c", "a | b > 'c d'"]


def test_an_argument_that_is_not_utf_8_survives(db: Path) -> None:
    argv: list[Any] = [sys.executable, "-m", "qctl", "--db", str(db), "enqueue", "--", "echo", b"\xff\xfe"]
    subprocess.run(argv, check=True, capture_output=True)
    words = json.loads(jobs(db, "command")[0][0])
    assert os.fsencode(words[1]) == b"\xff\xfe"


def test_the_payload_may_come_as_fields_from_a_file_and_from_stdin(cli: Cli, db: Path, tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"from": "file"}')
    cli("enqueue", "x", "to=ana@example.com", "n:=3", 'tags:=["a"]')
    cli("enqueue", "x", f"@{file}")
    cli("enqueue", "x", "-", input='{"from": "stdin"}')
    cli("enqueue", "--payload", '{"for": "stdin of cat"}', "--", "cat")
    assert [json.loads(row[0]) for row in jobs(db, "payload")] == [
        {"to": "ana@example.com", "n": 3, "tags": ["a"]},
        {"from": "file"},
        {"from": "stdin"},
        {"for": "stdin of cat"},
    ]


def test_every_option_reaches_the_row(cli: Cli, db: Path) -> None:
    done = cli(
        "enqueue", "x", "--priority", "critical", "--queue", "slow", "--tag", "a", "--tag", "b", "--id", "order-7",
        "--max-attempts", "3", "--backoff", "exponential:10s,max=1h", "--timeout", "1h30m", "--at", "2099-01-31T12:00Z",
    )  # fmt: skip
    assert done.code == 0
    assert jobs(db, "priority, queue, tags, id, max_attempts, timeout, scheduled_at") == [
        (20, "slow", '["a","b"]', "order-7", 3, 5400.0, "2099-01-31 12:00:00.000")
    ]
    assert jobs(db, "backoff")[0][0].startswith("exponential:10s,max=1h")


def test_a_time_that_is_past_runs_now_and_says_so(cli: Cli, db: Path) -> None:
    done = cli("enqueue", "x", "--at", "2020-01-01T00:00Z")
    assert done.code == 0
    assert "past" in done.err and "now" in done.err
    assert done.err.count("\n") == 1


def test_dry_run_shows_the_job_and_makes_no_file(cli: Cli, db: Path) -> None:
    done = cli("enqueue", "x", "a=1", "--env", "S=secret", "--dry-run")
    assert done.code == 2  # env is for commands
    done = cli("enqueue", "--env", "S=secret", "--dry-run", "--", "echo")
    assert done.code == 0
    assert json.loads(done.out)["command"] == ["echo"]
    assert "secret" not in done.out + done.err
    assert not db.exists()


BAD = {
    "broken JSON": (["x", '{"a": 1'], "column"),
    "an array": (["x", "[1]"], "array"),
    "a number": (["x", "3"], "number"),
    "NaN": (["x", '{"a": NaN}'], "JSON"),
    "no field": (["x", "a=1", "b"], "'b'"),
    "a field twice": (["x", "a=1", "a:=2"], "twice"),
    "raw field that is no JSON": (["x", "a:=b"], "a:="),
    "no such file": (["x", "@/nonexistent.json"], "/nonexistent.json"),
    "no type": ([], "TYPE"),
    "an empty type": ([""], "type"),
    "a type of control characters": (["\x1b[31m"], "\\x1b"),
    "both kinds": (["x", "--", "echo"], "either"),
    "no command": (["--"], "command"),
    "a command that does not exist": (["--", "no-such-program-here"], "no-such-program-here"),
    "a directory as program": (["--", "/"], "'/'"),
    "a directory that is gone": (["--cwd", "/nonexistent", "--", "echo"], "/nonexistent"),
    "cwd without a command": (["x", "--cwd", "/"], "cwd"),
    "an unknown variable": (["--env", "NOT_THERE", "--", "echo"], "NOT_THERE"),
    "an unknown priority": (["x", "--priority", "urgent"], "critical"),
    "a priority beyond 64 bits": (["x", "--priority", "9223372036854775808"], "range"),
    "negative attempts": (["x", "--max-attempts", "-1"], "range"),
    "attempts that are no number": (["x", "--max-attempts", "many"], "number"),
    "a delay without unit": (["x", "--in", "5"], "5m"),
    "a negative delay": (["x", "--in", "-5m"], "negative"),
    "no time": (["x", "--at", "whenever"], "ISO 8601"),
    "both times": (["x", "--in", "5m", "--at", "12:00"], "exclude"),
    "no backoff": (["x", "--backoff", "quadratic:1s"], "linear"),
    "an id of digits": (["x", "--id", "1234"], "digits"),
    "wait timeout alone": (["x", "--wait-timeout", "5s"], "--wait"),
    "atomic alone": (["x", "--atomic"], "--from"),
    "an unknown option": (["x", "--colour", "red"], "--colour"),
    "a key that is none": (["x", "--key", ""], "key:"),
    "a key with a line break": (["x", "--key", "a\nb"], "key:"),
    "a time of keys without a key": (["x", "--key-for", "1h"], "key_for: it goes with a key"),
    "a time of keys that is none": (["x", "--key", "a", "--key-for", "soon"], "key_for:"),
    "an expiry that is none": (["x", "--expires", "soon"], "expires:"),
    "an expiry at once": (["x", "--expires", "0"], "expires:"),
    "an expiry before it may run": (["x", "--in", "2h", "--expires", "1h"], "expires:"),
    "a value that is missing": (["x", "--priority"], "--priority"),
    "a negative number in the wrong place": (["x", "-5"], "-5"),
    "PostgreSQL": (["x", "--db", "postgresql://localhost/queue"], "SQLite"),
}


@pytest.mark.parametrize("argv, said", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_in_one_line_and_nothing_is_stored(cli: Cli, db: Path, argv: list[str], said: str) -> None:
    done = cli("enqueue", *argv)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("qctl: ")
    assert done.err.count("\n") == 1
    assert said in done.err
    assert "\x1b" not in done.err
    assert jobs(db) == []


def test_a_payload_over_the_limit_is_refused_and_the_limit_can_be_raised(cli: Cli, db: Path, tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    file.write_text(json.dumps({"a": "x" * 20_000_000}))
    done = cli("enqueue", "x", f"@{file}")
    assert done.code == 2
    assert "1,048,576" in done.err
    assert jobs(db) == []
    assert cli("config", "max_payload", "30000000").code == 0
    assert cli("enqueue", "x", f"@{file}").code == 0


def test_an_id_is_given_out_once(cli: Cli, db: Path) -> None:
    assert cli("enqueue", "x", "--id", "order-7").code == 0
    done = cli("enqueue", "x", "--id", "order-7")
    assert done.code == 2
    assert "order-7" in done.err
    assert len(jobs(db)) == 1


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda path: path.write_text("not a queue\n" * 100), "SQLite"),
        (lambda path: path.mkdir(), "directory"),
        (lambda path: os.mkfifo(path), "regular"),
        (lambda path: path.symlink_to(path), "cannot use"),
        (lambda path: sqlite3.connect(path).executescript("CREATE TABLE mine (a)").close(), "qctl init"),
    ],
    ids=["text file", "directory", "FIFO", "symlink loop", "other database"],
)
def test_a_file_that_is_no_queue_is_refused_and_left_alone(
    cli: Cli, db: Path, make: Callable[[Path], Any], said: str
) -> None:
    make(db)
    before = db.read_bytes() if db.is_file() else None
    done = cli("enqueue", "x")
    assert done.code == 4
    assert said in done.err
    assert done.err.count("\n") == 1
    assert before is None or db.read_bytes() == before
    assert sorted(path.name for path in db.parent.iterdir() if path.name.startswith("queue")) == ["queue.db"]


def test_a_queue_of_a_newer_version_is_refused_untouched(cli: Cli, db: Path) -> None:
    with Queue(db) as queue:
        queue.enqueue("x")
    connection = sqlite3.connect(db)
    connection.execute("UPDATE qctl_settings SET value = '999' WHERE name = 'schema_version'")
    connection.commit()
    connection.close()
    before = db.read_bytes()
    done = cli("enqueue", "x")
    assert done.code == 4
    assert "999" in done.err
    assert db.read_bytes() == before


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_refused(cli: Cli, db: Path) -> None:
    cli("enqueue", "x")
    db.chmod(0o400)
    assert cli("enqueue", "x").code == 4


def test_a_file_that_stays_locked_is_given_up_after_the_busy_timeout(cli: Cli, db: Path) -> None:
    cli("enqueue", "x")
    holder = sqlite3.connect(db, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    done = cli("enqueue", "x", "--busy-timeout", "200ms")
    holder.execute("ROLLBACK")
    holder.close()
    assert done.code == 5
    assert done.err.count("\n") == 1
    assert len(jobs(db)) == 1


@pytest.mark.parametrize("payload", ['{"a":"\udcff"}', "a=\udcff", 'a:="\udcff"'])
def test_a_payload_that_is_not_utf_8_is_said_to_be(cli: Cli, queue: Queue, payload: str) -> None:
    done = cli("enqueue", "x", payload)
    assert done.code == 2
    assert "UTF-8" in done.err
    assert queue.count() == 0


def test_a_payload_file_needs_a_name(cli: Cli) -> None:
    done = cli("enqueue", "x", "@")
    assert (done.code, done.err) == (2, "qctl: payload: there is no file name after @\n")


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_job_whose_number_cannot_be_written_is_said_to_be_stored(db: Path, option: list[str]) -> None:
    with open("/dev/full", "w") as full:
        argv = [sys.executable, "-m", "qctl", "--db", str(db), "enqueue", "x", *option]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr == "qctl: stdout: No space left on device; job 1 is stored all the same\n"
    assert Queue(db).get(1).status == "pending"
