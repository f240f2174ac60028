"""The entry point: commands are found, errors are one line and an exit code, and nothing else reaches a user."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl import __version__
from qctl.cli import spec
from qctl.cli.commands import COMMANDS, ELSEWHERE, GROUPS, HIDDEN, load
from qctl.cli.main import run
from qctl.model import BadValue, NotFound, QueueFileError, QueueLocked, TimedOut

ROOT = Path(__file__).parent.parent.parent
PATHS = [[name] for name in COMMANDS if name not in GROUPS]
PATHS += [[name, sub] for name, subs in GROUPS.items() for sub in subs]


def one_line(result: Any) -> str:
    """The line on stderr, which is all that there is."""
    assert result.out == ""
    assert result.err.startswith("qctl: ") and result.err.endswith("\n") and result.err.count("\n") == 1, result
    assert "Traceback" not in result.err
    assert result.err[:-1].isprintable()
    return str(result.err)


def process(*argv: str | bytes, **more: Any) -> subprocess.Popen[bytes]:
    environment = dict(os.environ, PYTHONPATH=str(ROOT), **more.pop("env", {}))
    return subprocess.Popen([sys.executable, "-m", "qctl", *argv], env=environment, **more)


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `qctl list` raise this."""

    def fail(_values: spec.Values) -> int:
        raise error

    monkeypatch.setattr(load("list"), "run", fail)


# -- usage errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(["enqueu", "x"], "enqueue"), (["lsit"], "list"), (["purg"], "purge"), (["dlq", "repaly", "1"], "replay"),
     (["--json", "stat"], "stats"), (["--db", "x", "heatlh"], "health")],
)  # fmt: skip
def test_an_unknown_command_is_guessed(typed: list[str], meant: str, cli: Callable[..., Any]) -> None:
    result = cli(*typed)
    assert result.code == 2
    assert f"did you mean {meant}" in one_line(result)


@pytest.mark.parametrize(
    "argv", [["qqqq"], ["dlq", "qqqq"], [""], ["--", "lst", "x"], ["dlq", "7"], ["\udcff"], ["\x1b[31m"]]
)
def test_an_unknown_command_is_a_usage_error(argv: list[str], cli: Callable[..., Any]) -> None:
    result = cli(*argv)
    assert result.code == 2
    assert "there is no command" in one_line(result)
    assert "--help`)" in result.err


@pytest.mark.parametrize(
    ("word", "meant"), [("status", "did you mean list?"), ("add", "did you mean enqueue?"), ("kill", "did you mean cancel?"),
                        ("uname", "to run that program as a job, `qctl enqueue -- uname`")]
)  # fmt: skip
def test_the_words_of_other_queues_and_a_program_without_its_command_lead_on(
    word: str, meant: str, cli: Callable[..., Any]
) -> None:
    assert meant in one_line(cli(word))


def test_every_word_of_other_queues_leads_to_a_command() -> None:
    assert set(ELSEWHERE.values()) <= set(COMMANDS) and not set(ELSEWHERE) & set(COMMANDS)


def test_hidden_commands_are_not_guessed(cli: Callable[..., Any]) -> None:
    for name in HIDDEN:
        assert name not in cli(name[:-1]).err.partition("did you mean")[2]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["enqueue", "a", "--pririty", "3"], "there is no option --pririty: did you mean --priority?"),
        (["list", "--jsn"], "there is no option --jsn: did you mean --json"),
        (["list", "-Z"], "there is no option -Z"),
        (["list", "--limit"], "--limit wants a value"),
        (["--db"], "--db wants a value"),
        (["list", "--json=1"], "--json is a switch"),
        (["show"], "JOB is missing"),
        (["wait"], "JOB is missing"),
        (["show", "1", "2", "3"], "this is too much: 2 3"),
        (["dlq", "--nothing"], "there is no option --nothing"),
        (["--nothing", "list"], "there is no option --nothing"),
        (["enqueue", "ls", "-Z"], "there is no option -Z: a program and its own options stand behind --"),
        (["enqueue", "echo", "hello"], "to run a program: qctl enqueue -- echo hello"),
        (["enqueue", "tar", "czf", "a.tgz"], "to run a program: qctl enqueue -- tar czf a.tgz"),
    ],
)
def test_usage_errors_say_in_one_line_what_is_wrong(argv: list[str], said: str, cli: Callable[..., Any]) -> None:
    result = cli(*argv)
    assert result.code == 2
    assert said in one_line(result)


@pytest.mark.parametrize("path", PATHS, ids="-".join)
def test_every_command_refuses_an_unknown_option_and_says_where_to_read_on(
    path: list[str], cli: Callable[..., Any]
) -> None:
    result = cli(*path, "--no-such-option-anywhere")
    assert result.code == 2
    assert one_line(result).endswith(f"(see `qctl {' '.join(path)} --help`)\n")


# -- the options of every command ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS, ids="-".join)
def test_db_and_json_stand_before_or_after_the_command_alike(path: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    command = load(*path)
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(command, "run", lambda values: seen.append(dict(values)) or 0)
    rest = ["1" for _ in command.arguments]
    for argv in (
        ["--db", "a.db", "--json", *path, *rest],
        [*path, *rest, "--json", "--db=a.db"],
        ["--json", *path, "--db", "a.db", *rest],
        [path[0], "--json", "--db", "a.db", *path[1:], *rest],
        ["--db", "b.db", *path, "--db", "a.db", "--json", *rest],
    ):
        assert run(argv) == 0
    assert seen[0]["db"] == "a.db" and seen[0]["json"] is True
    assert all(values == seen[0] for values in seen)


def test_a_group_alone_means_its_usual_command(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(load("dlq", "list"), "run", lambda values: seen.append(dict(values)) or 0)
    for argv in (["dlq"], ["dlq", "--all"], ["--db", "a", "dlq", "--db", "b"], ["dlq", "-n5"]):
        assert run(argv) == 0
    assert [one["all"] for one in seen] == [False, True, False, False]
    assert [one["db"] for one in seen] == [None, None, "b", None]
    assert seen[3]["limit"] == "5"  # this one was read by Typer


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BadValue("priority: it is odd"), 2, "priority: it is odd"),
        (NotFound("there is no job 7"), 3, "there is no job 7"),
        (QueueFileError("it is no queue"), 4, "it is no queue"),
        (QueueLocked("it stayed locked"), 5, "it stayed locked"),
        (TimedOut("waited 5s"), 124, "waited 5s"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "mail.json"), 2, "mail.json: No such file"),
        (PermissionError(errno.EACCES, "Permission denied", b"m\xff"), 2, "m\\xff: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), 4, "No space left"),
        (ZeroDivisionError("division by zero"), 70, "a fault in qctl: ZeroDivisionError: division by zero"),
        (NotFound("two\nlines \x1b[31m"), 3, "two\\nlines \\x1b[31m"),
        (RecursionError("too deep"), 70, "RecursionError"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else None,
)
def test_every_error_is_one_line_and_its_exit_code(
    error: Exception, code: int, said: str, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(error, monkeypatch)
    for argv in (["list"], ["list", "-n1"]):  # the second one is read by Typer
        result = cli(*argv)
        assert result.code == code
        assert said in one_line(result)


def test_a_fault_shows_its_traceback_to_those_who_ask(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    raising(ZeroDivisionError("division by zero"), monkeypatch)
    assert "QCTL_TRACEBACK=1" in cli("list").err
    monkeypatch.setenv("QCTL_TRACEBACK", "1")
    result = cli("list")
    assert result.code == 70
    assert "Traceback" in result.err


def test_an_interrupt_ends_it_without_a_word(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    raising(KeyboardInterrupt(), monkeypatch)
    for argv in (["list"], ["list", "-n1"]):
        result = cli(*argv)
        assert (result.code, result.out, result.err) == (130, "", "")


def test_ctrl_c_in_the_middle_of_a_command_is_130(db: Path) -> None:
    waiting = process(
        "--db", str(db), "enqueue", "--wait", "--", "true", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == b"1\n"  # from here on it waits
    waiting.send_signal(signal.SIGINT)
    _out, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 130
    assert b"Traceback" not in err


@pytest.mark.parametrize(
    "argv", [["help", "files"], ["--help"], ["enqueue", "--help"], ["list"], ["list", "-n0"], ["--version"]]
)
def test_a_reader_that_goes_away_is_no_error(argv: list[str], db: Path, cli: Callable[..., Any]) -> None:
    assert cli("enqueue", "send_email").code == 0
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        writer = process("--db", str(db), *argv, stdout=write_end, stderr=subprocess.PIPE)
    finally:
        os.close(write_end)
    _out, err = writer.communicate(timeout=20)
    assert (writer.returncode, err) == (0, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_do_no_harm(closed: str, db: Path, cli: Callable[..., Any]) -> None:
    argv = [
        "sh",
        "-c",
        f'exec "$@" {closed}',
        "sh",
        sys.executable,
        "-m",
        "qctl",
        "--db",
        str(db),
        "enqueue",
        "send_email",
    ]
    done = subprocess.run(
        argv, env=dict(os.environ, PYTHONPATH=str(ROOT)), capture_output=True, timeout=20, check=False
    )
    assert done.returncode == (2 if ">&-" in closed.replace("2>&-", "") else 0)
    assert done.stderr in (b"", b"qctl: stdout: Bad file descriptor; job 1 is stored all the same\n")
    assert cli("list").out.startswith("1\t")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize("argv", [["help"], ["--version"], ["list"], ["--help"]], ids=" ".join)
def test_output_that_cannot_be_written_is_an_error(argv: list[str], db: Path, cli: Callable[..., Any]) -> None:
    assert cli("enqueue", "send_email").code == 0
    with open("/dev/full", "wb") as full:
        writer = process("--db", str(db), *argv, stdout=full, stderr=subprocess.PIPE)
        _out, err = writer.communicate(timeout=20)
    assert (writer.returncode, err) == (4, b"qctl: stdout: No space left on device\n")


# -- what people and programs give -----------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["postgres://host/db", "postgresql://user:secret@host/db"])
@pytest.mark.parametrize(
    "argv", [["enqueue", "a"], ["list"], ["stats"], ["work", "--once"], ["show", "1"]], ids=" ".join
)
def test_a_postgresql_url_is_refused_in_one_line(url: str, argv: list[str], cli: Callable[..., Any]) -> None:
    result = cli("--db", url, *argv)
    assert result.code == 2
    assert "SQLite" in one_line(result)
    assert "secret" not in result.err
    assert cli(*argv, db=url).code == 2


def test_an_empty_path_is_refused(cli: Callable[..., Any]) -> None:
    for argv in (["--db", "", "list"], ["list", "--db="], ["--db=", "list", "-n1"]):
        result = cli(*argv)
        assert result.code == 2
        assert "--db" in one_line(result)


@pytest.mark.parametrize("argv", [["--version"], ["-V"], ["--db", "x", "--version"], ["--json", "-V"]], ids=" ".join)
def test_the_version(argv: list[str], cli: Callable[..., Any]) -> None:
    result = cli(*argv)
    assert (result.code, result.out, result.err) == (0, f"qctl {__version__}\n", "")


def test_words_that_are_no_utf_8_are_kept_or_refused_in_one_line(db: Path, tmp_path: Path) -> None:
    strange = tmp_path / "qu\udce9ue.db"  # a name in Latin-1

    def call(*argv: str | bytes) -> tuple[int, bytes, bytes]:
        running = process("--db", os.fsencode(strange), *argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = running.communicate(timeout=20)
        return running.returncode, out, err

    assert call("enqueue", "--", "echo", b"caf\xe9") == (0, b"1\n", b"")
    assert strange.exists()
    code, out, _err = call("work", "--once", "--quiet")
    assert code == 0
    assert call("logs", "1")[:2] == (0, b"caf\xe9\n")
    for argv in (
        ["enqueue", b"t\xff"],
        ["enqueue", "a", "--tag", b"\xff"],
        [b"\xff"],
        ["show", b"\xff"],
        ["list", b"--\xff"],
    ):
        code, out, err = call(*argv)
        assert code in (2, 3) and out == b""
        assert err.count(b"\n") == 1 and err.startswith(b"qctl: ") and b"Traceback" not in err
        assert b"\\xff" in err or b"\\udcff" in err


def test_without_a_locale_text_still_comes_out(db: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for argv in (["help", "workers"], ["enqueue", "ü"], ["list"], ["show", "1"], ["show", "ü"]):
        running = process("--db", str(db), *argv, env=plain, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = running.communicate(timeout=20)
        assert running.returncode in (0, 2, 3)
        assert b"Traceback" not in err and b"fault" not in err
