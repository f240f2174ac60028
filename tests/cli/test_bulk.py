"""`qctl enqueue --from`: many jobs, in chunks, and a bad line that says where it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue

Cli = Callable[..., Any]


def run(db: Path, data: bytes, *argv: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "qctl", "--db", str(db), "enqueue", "--from", "-", *argv],
        input=data,
        capture_output=True,
        timeout=30,
        check=False,
    )


def count(db: Path) -> int:
    with Queue(db) as queue:
        return queue.count()


def test_every_line_becomes_a_job_and_its_number_a_line(db: Path) -> None:
    lines = [
        '{"type": "a"}',
        '{"type": "b", "payload": {"x": "é"}, "priority": "high", "in": "1h", "tags": ["t"], "max_attempts": 2}',
        "",
        '{"command": ["echo", "hi"]}',
        '{"shell": "echo hi | cat", "timeout": 5, "backoff": "fixed:1s"}',
    ]
    done = run(db, "\n".join(lines).encode())
    assert done.stderr == b""
    assert done.stdout == b"1\n2\n3\n4\n"
    with Queue(db) as queue:
        assert [queue.get(n).type for n in (1, 2, 3, 4)] == ["a", "b", "command", "command"]
        assert queue.get(2).payload == {"x": "é"}
        assert queue.get(2).priority == 10
        assert queue.get(2).max_attempts == 2
        assert queue.get(3).command == ["echo", "hi"]
        assert queue.get(4).timeout == 5


def test_options_beside_it_hold_for_lines_that_say_nothing_themselves(cli: Cli, db: Path, tmp_path: Path) -> None:
    file = tmp_path / "jobs.ndjson"
    file.write_text('{"payload": {}}\n{"type": "own", "priority": 1}\n')
    assert cli("enqueue", "mine", "--from", str(file), "--priority", "high").code == 0
    with Queue(db) as queue:
        assert [(queue.get(n).type, queue.get(n).priority) for n in (1, 2)] == [("mine", 10), ("own", 1)]


@pytest.mark.parametrize(
    "line, said",
    [
        (b"nonsense", "column 1"),
        (b"[1]", "array"),
        (b'{"payload": {}}', "type"),
        (b'{"type": "a", "payload": [1]}', "payload"),
        (b'{"type": "a", "colour": 1}', "colour"),
        (b'{"command": ["a\\u0000b"]}', "NUL"),
        (b'{"type": "a", "payload": {"x": NaN}}', "NaN"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"type": "a", "colour": "red"}', "colour"),
        (b"[" * 100_000, "deep"),
        (b'{"type": 5}', "type"),
        (b'{"type": "a", "at": "never"}', "at"),
    ],
)
def test_a_bad_line_stops_it_by_its_number_and_what_was_stored_before_is_said(db: Path, line: bytes, said: str) -> None:
    done = run(db, b'{"type": "a"}\n{"type": "b"}\n' + line + b'\n{"type": "c"}\n')
    assert done.returncode == 2
    text = done.stderr.decode()
    assert text.count("\n") == 1
    assert "line 3" in text
    assert said in text
    assert "2 jobs were stored" in text
    assert done.stdout == b"1\n2\n"
    assert count(db) == 2


def test_atomic_stores_all_or_nothing(db: Path) -> None:
    done = run(db, b'{"type": "a"}\nbad\n', "--atomic")
    assert done.returncode == 2
    assert b"nothing was stored" in done.stderr
    assert done.stdout == b""
    assert count(db) == 0
    assert run(db, b'{"type": "a"}\n{"type": "b"}\n', "--atomic").stdout == b"1\n2\n"


def test_an_id_that_is_taken_is_a_bad_line_too(db: Path) -> None:
    data = b'{"type": "a", "id": "one"}\n{"type": "a", "id": "two"}\n{"type": "a", "id": "one"}\n'
    done = run(db, data)
    assert done.returncode == 2
    assert b"line 3" in done.stderr
    assert count(db) == 2
    assert run(db, data.replace(b"one", b"x").replace(b"two", b"y"), "--atomic").returncode == 2
    assert count(db) == 2


def test_lines_of_a_slow_producer_are_not_held_back(db: Path) -> None:
    argv = [sys.executable, "-m", "qctl", "--db", str(db), "enqueue", "--from", "-"]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    process.stdin.write(b'{"type": "a"}\n')
    process.stdin.flush()
    assert process.stdout.readline() == b"1\n"  # while the producer goes on
    process.stdin.write(b'{"type": "b"}')
    process.stdin.close()
    assert process.stdout.read() == b"2\n"
    assert process.wait(10) == 0
    process.stdout.close()


def test_ten_thousand_lines_are_all_there_in_order(db: Path) -> None:
    data = b"".join(b'{"type":"a","payload":{"i":%d}}\n' % i for i in range(10_000))
    done = run(db, data, "--json")
    assert done.returncode == 0
    numbers = [json.loads(line)["number"] for line in done.stdout.splitlines()]
    assert numbers == list(range(1, 10_001))
    with Queue(db) as queue:
        assert queue.get(7_777).payload == {"i": 7_776}


def test_dry_run_checks_and_stores_nothing(db: Path) -> None:
    assert run(db, b'{"type": "a"}\n', "--dry-run").returncode == 0
    assert run(db, b'{"type": "a"}\nbad\n', "--dry-run").returncode == 2
    assert not db.exists()


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle(db: Path) -> None:
    assert run(db, b'\xef\xbb\xbf{"type": "a"}\r\n{"type": "b"}\r\n').stdout == b"1\n2\n"


@pytest.mark.parametrize("option", [["--id", "x"], ["--wait"], ["--", "echo"], ["--shell", "x"]])
def test_options_for_one_job_do_not_go_with_it(cli: Cli, db: Path, option: list[str]) -> None:
    assert cli("enqueue", "--from", os.devnull, *option).code == 2
    assert not db.exists()


def ndjson(folder: Path, *lines: dict[str, Any]) -> str:
    """A file of these lines; its path."""
    file = folder / "jobs.ndjson"
    file.write_text("\n".join(map(json.dumps, lines)))
    return str(file)


def test_keys_may_be_spelled_as_the_options_are(
    cli: Cli, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", "here")
    lines = [
        {"type": "a", "tag": "one", "max-attempts": 3},
        {"type": "a", "tag": ["one", "two"], "in": "5m"},
        {"type": "a", "tags": "one"},
        {"shell": "true", "env": "A=1"},
        {"shell": "true", "env": ["A=1", "PLACE"]},
        {"shell": "true", "env": {"A": "1"}},
    ]
    assert cli("enqueue", "--from", ndjson(tmp_path, *lines)).code == 0
    jobs = list(queue.find(newest_first=False))
    assert [job.tags for job in jobs[:3]] == [["one"], ["one", "two"], ["one"]]
    assert jobs[0].max_attempts == 3
    assert [job.env for job in jobs[3:]] == [{"A": "1"}, {"A": "1", "PLACE": "here"}, {"A": "1"}]


@pytest.mark.parametrize(
    "line", [{"tag": "a", "tags": ["b"]}, {"env": [5]}, {"env": ["NO_SUCH_VARIABLE"]}, {"tag": 5}, {"in": 5, "at": 5}]
)
def test_keys_that_make_no_sense_are_refused(cli: Cli, queue: Queue, tmp_path: Path, line: dict[str, Any]) -> None:
    done = cli("enqueue", "--from", ndjson(tmp_path, {"shell": "true", **line}))
    assert (done.code, done.out) == (2, "")
    assert "line 1" in done.err
    assert queue.count() == 0


def test_options_beside_it_hold_where_they_can(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    lines = [{"type": "a"}, {"shell": "true"}, {"type": "a", "at": "2031-01-01T00:00Z"}, {"type": "a", "tag": "own"}]
    argv = [
        "enqueue",
        "--from",
        ndjson(tmp_path, *lines),
        "--cwd",
        str(tmp_path),
        "--env",
        "A=1",
        "--in",
        "5m",
        "--tag",
        "all",
    ]
    assert cli(*argv).code == 0
    typed, command, later, own = queue.find(newest_first=False)
    assert (typed.cwd, typed.env) == (None, None)
    assert (command.cwd, command.env) == (str(tmp_path), {"A": "1"})
    assert later.scheduled_at == "2031-01-01 00:00:00.000"
    assert (own.tags, later.tags) == (["own"], ["all"])


def test_a_directory_is_no_file_of_jobs(cli: Cli, tmp_path: Path) -> None:
    done = cli("enqueue", "--from", str(tmp_path))
    assert done.code == 2
    assert str(tmp_path) in done.err


def test_a_number_of_too_many_digits_is_refused_in_few_words(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "jobs.ndjson"
    file.write_text('{"type":"a","payload":{"n":' + "9" * 5000 + "}}")
    done = cli("enqueue", "--from", str(file))
    assert done.code == 2
    assert "line 1: a number in it has too many digits" in done.err


def test_where_a_line_is_no_json_is_said_in_whole_words(cli: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "jobs"
    file.write_text('{"bad')
    text = "not JSON: Unterminated string starting at column 2"
    assert text in cli("enqueue", "--from", str(file)).err
    assert text in cli("enqueue", "x", '{"bad').err
