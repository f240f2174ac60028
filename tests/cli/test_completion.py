"""Completion: the scripts are current, parse in their shells, and complete what can stand there."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.cli.commands import COMMANDS, GROUPS, HIDDEN
from qctl.cli.completion import FILES, script
from qctl.cli.shells import fish, grammar, powershell
from qctl.queue import Queue

ROOT = Path(__file__).parent.parent.parent
SHOWN = [name for name in COMMANDS if name not in HIDDEN]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on the PATH with a `qctl` that runs this very code."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "qctl"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m qctl "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def full(db: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A queue with some jobs, which $QCTL_DB names."""
    with Queue(db) as queue:
        queue.enqueue("send_email", tags=["a", "two words"])
        queue.enqueue("mail:digest", queue="slow")
        queue.enqueue("$(touch pwned)", queue="default")
        queue.enqueue(command=["true"], tags=["a", "b"])
    monkeypatch.setenv("QCTL_DB", str(db))
    return db


# -- the files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shell", "name"), FILES.items())
def test_the_file_is_what_the_command_prints(shell: str, name: str, cli: Callable[..., Any]) -> None:
    stored = (ROOT / "completions" / name).read_text(encoding="utf-8")
    assert stored == script(shell), "run: python -m qctl.cli.completion completions"
    result = cli("completion", shell)
    assert (result.code, result.out, result.err) == (0, stored, "")


def test_one_command_writes_all_files(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "qctl.cli.completion", str(tmp_path)], env=dict(os.environ, PYTHONPATH=str(ROOT)),
        check=True, timeout=30,
    )  # fmt: skip
    assert {file.name for file in tmp_path.iterdir() if file.is_file()} >= set(FILES.values())
    assert (tmp_path / "_qctl").read_text(encoding="utf-8") == script("zsh")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_parses_in_its_shell(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    done = subprocess.run([shell, "-n", str(ROOT / "completions" / FILES[shell])], capture_output=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_script_for_powershell_parses() -> None:
    if shutil.which("pwsh") is None:
        pytest.skip("there is no pwsh here")
    file = ROOT / "completions" / FILES["powershell"]
    check = f"$e = $null; [System.Management.Automation.Language.Parser]::ParseFile('{file}', [ref]$null, [ref]$e); $e.Count"
    done = subprocess.run(["pwsh", "-NoProfile", "-Command", check], capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[-1] == "0", done.stdout


def test_what_stands_in_the_powershell_script_is_closed_again() -> None:
    text = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"", "''", re.sub(r"^\s*#.*$", "", script("powershell"), flags=re.M))
    for left, right in ("{}", "()", "[]"):
        assert text.count(left) == text.count(right)


@pytest.mark.parametrize("shell", FILES)
def test_every_command_and_option_is_in_every_script(shell: str) -> None:
    text = script(shell)
    for place in grammar.places():
        assert all(re.search(rf"\b{sub}\b", text) for sub in place.subs)
        for option in place.options:
            for name in option.names:
                bare = f"-{'l' if name.startswith('--') else 's'} {name.lstrip('-')}" if shell == "fish" else name
                assert bare in text
            if shell != "bash":
                shown = {"fish": fish.quoted, "powershell": powershell.quoted}.get(shell, lambda one: one)(option.help)
                assert shown in text.replace("\\[", "[").replace("\\]", "]").replace("\\:", ":").replace("'\\''", "'")
    assert all(name not in text.replace("_values ", "") for name in HIDDEN if name != "_values")


# -- qctl completion -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "shell"),
    [("/bin/zsh", "zsh"), ("/usr/bin/fish", "fish"), ("/bin/bash", "bash"), ("/bin/tcsh", "bash"), ("", "bash")],
)
def test_without_a_shell_it_guesses_and_says_how_to_install_it(
    path: str, shell: str, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", path)
    result = cli("completion")
    assert (result.code, result.out) == (0, script(shell))
    assert f"qctl completion {shell}" in result.err


def test_an_unknown_shell_is_refused(cli: Callable[..., Any]) -> None:
    result = cli("completion", "tcsh")
    assert (result.code, result.out) == (2, "")
    assert "bash, zsh, fish, powershell" in result.err
    assert cli("completion", "pwsh").out == script("powershell")


# -- qctl _values ----------------------------------------------------------------------------------------------------


def test_values_lists_what_is_in_the_queue(full: Path, cli: Callable[..., Any]) -> None:
    def lines(*argv: str) -> list[str]:
        result = cli("_values", *argv)
        assert (result.code, result.err) == (0, "")
        return str(result.out).splitlines()

    assert lines("types") == ["$(touch pwned)", "command", "mail:digest", "send_email"]
    assert lines("types", "ma") == ["mail:digest"]
    assert lines("queues") == ["default", "slow"]
    assert lines("tags") == ["a", "b", "two words"]
    assert lines("jobs")[0] == "4\tcommand pending"
    assert [line.partition("\t")[0] for line in lines("jobs")] == ["4", "3", "2", "1"]
    assert lines("dead") == []
    assert [line.partition("\t")[0] for line in lines("settings", "max")] == [
        "max_payload",
        "max_inputs",
        "max_foreach",
    ]
    assert lines("shells") == list(FILES)
    assert "exit-codes\tWhat the exit status of each command means" in lines("topics")
    assert lines("nothing-of-the-kind") == []
    assert lines("types", "--", "-x") == []


def test_values_lists_dead_letters_that_nobody_reviewed(full: Path, cli: Callable[..., Any]) -> None:
    with Queue(full) as queue, queue.store.write() as connection:
        connection.execute("UPDATE jobs SET status = 'failed' WHERE number IN (1, 2)")
        for number, reviewed in ((1, 0), (2, 1)):
            connection.execute(
                "INSERT INTO dead_letter_jobs (original_job_id, type, last_error, reviewed)"
                " SELECT id, type, 'no\x1b[31m route', ? FROM jobs WHERE number = ?", (reviewed, number),
            )  # fmt: skip
    assert cli("_values", "dead").out == "1\tsend_email no [31m route\n"


def test_values_offers_no_more_than_the_newest_jobs(full: Path, cli: Callable[..., Any]) -> None:
    with Queue(full) as queue:
        queue.enqueue_many([{"type": "many"}] * 100)
    assert [line.partition("\t")[0] for line in cli("_values", "jobs").out.splitlines()] == [
        str(n) for n in range(104, 54, -1)
    ]


def test_values_keeps_hostile_names_from_the_terminal(full: Path, cli: Callable[..., Any]) -> None:
    with Queue(full) as queue, queue.store.write() as connection:
        connection.execute("INSERT INTO jobs (type) VALUES ('a\x1b[31mb'), ('two\nlines'), ('tab\there')")
    assert cli("_values", "types").out == "$(touch pwned)\ncommand\nmail:digest\nsend_email\n"
    assert "\x1b" not in cli("_values", "jobs").out


@pytest.mark.parametrize("content", [None, b"", b"no database\n" * 100])
def test_values_prints_nothing_where_there_is_no_queue(
    content: bytes | None, db: Path, cli: Callable[..., Any]
) -> None:
    if content is not None:
        db.write_bytes(content)
    for kind in ("types", "jobs", "tags"):
        result = cli("_values", kind)
        assert (result.code, result.out, result.err) == (0, "", "")
    assert db.exists() == (content is not None)
    assert [file.name for file in db.parent.iterdir()] == ([] if content is None else [db.name])
    assert cli("_values", "types", db=Path("postgres://host/db")).out == ""


def test_values_does_not_wait_for_a_writer(full: Path, cli: Callable[..., Any]) -> None:
    with Queue(full) as queue, queue.store.write():
        begun = time.monotonic()
        assert cli("_values", "types").out != ""
        assert time.monotonic() - begun < 5  # and not the 30 s of a Queue


def test_values_reads_the_file_that_db_names(full: Path, tmp_path: Path, cli: Callable[..., Any]) -> None:
    other = tmp_path / "100% ?#.db"
    with Queue(other) as queue:
        queue.enqueue("elsewhere")
    assert cli("--db", str(other), "_values", "types").out == "elsewhere\n"
    assert cli("_values", "types", "--db", str(other)).out == "elsewhere\n"
    before = sorted((file.name, file.stat().st_mtime_ns) for file in tmp_path.iterdir() if file.suffix == ".db")
    cli("--db", str(other), "_values", "jobs")
    assert before == sorted((file.name, file.stat().st_mtime_ns) for file in tmp_path.iterdir() if file.suffix == ".db")


# -- in bash ---------------------------------------------------------------------------------------------------------

DRIVER = r"""
source "$1"
shift
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=$2
shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_qctl qctl
for word in "${COMPREPLY[@]}"; do printf '%s\n' "$word"; done
"""


def in_bash(line: str, listing: bool = False) -> list[str]:
    """What bash would offer at the end of this line. It parts words at = : and @ as bash does."""
    words = [word for word in re.findall(r"[=:@]+|[^\s=:@]+|\s+", line) if not word.isspace()] + [""] * line.endswith(
        " "
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", DRIVER, "bash", str(ROOT / "completions" / "qctl.bash"), line, "63" if listing else "9", *words],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")


@bash
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("qctl ", SHOWN),
        ("qctl enq", ["enqueue"]),
        ("qctl --json st", ["stats"]),
        ("qctl --db /nowhere wa", ["wait"]),
        ("qctl --db=/nowhere wa", ["wait"]),
        ("qctl enqueue --prio", ["--priority"]),
        ("qctl enqueue --priority ", ["low", "normal", "high", "critical"]),
        ("qctl enqueue -p h", ["high"]),
        ("qctl enqueue --priority=h", ["high"]),
        ("qctl enqueue --priority=", ["low", "normal", "high", "critical"]),
        ("qctl enqueue x --timeout ", []),
        ("qctl list --status com", ["completed"]),
        ("qctl list --status pending --status f", ["failed"]),
        ("qctl work --log-format ", ["text", "json"]),
        ("qctl dlq ", list(GROUPS["dlq"])),
        ("qctl dlq re", ["review", "replay"]),
        ("qctl dlq replay --dry", ["--dry-run"]),
        ("qctl dlq --err", ["--error"]),
        ("qctl completion ", ["bash", "zsh", "fish", "powershell"]),
        ("qctl completion bash ", []),
        ("qctl --vers", ["--version"]),
        ("qctl list --help", ["--help"]),
        ("qctl nothing ", None),
        ("qctl enqueue -- ech", ["echo"]),
        ("qctl enqueue x -- --pri", []),
        ("qctl list -- --pri", []),
    ],
)
def test_bash_completes_commands_options_and_choices(line: str, offered: list[str] | None) -> None:
    found = in_bash(line)
    if offered is not None:
        assert found == offered


@bash
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("qctl enqueue se", ["send_email"]),
        ("qctl enqueue mail:", ["digest"]),
        ("qctl enqueue mail:d", ["digest"]),
        ("qctl enqueue --type=mail:d", ["digest"]),
        ("qctl enqueue --type se", ["send_email"]),
        ("qctl list --type se", ["send_email"]),
        ("qctl list --queue ", ["default", "slow"]),
        ("qctl list --tag t", ["two\\ words"]),
        ("qctl enqueue $", ["\\$\\(touch\\ pwned\\)"]),
        ("qctl show ", ["4", "3", "2", "1"]),
        ("qctl cancel 1 2 ", ["4", "3", "2", "1"]),
        ("qctl show 1 ", []),
        ("qctl config max_p", ["max_payload"]),
        ("qctl help ti", ["times"]),
    ],
)
def test_bash_completes_what_is_in_the_queue(line: str, offered: list[str], full: Path, tools: Path) -> None:
    assert in_bash(line) == offered
    assert not Path("pwned").exists()


@bash
def test_bash_says_what_jobs_are_when_it_lists_them(full: Path, tools: Path) -> None:
    assert in_bash("qctl show ", listing=True)[-1] == "1  send_email pending"
    assert in_bash("qctl show 4", listing=True) == ["4"]


@bash
def test_bash_asks_the_queue_that_stands_on_the_line(full: Path, tools: Path, tmp_path: Path) -> None:
    with Queue(tmp_path / "other.db") as queue:
        queue.enqueue("elsewhere")
    other = str(tmp_path / "other.db")
    for line in (f"qctl --db {other} enqueue ", f"qctl --db={other} enqueue ", f"qctl enqueue --db {other} ",
                 f"qctl enqueue --json --db='{other}' "):  # fmt: skip
        assert in_bash(line) == ["elsewhere"]
    assert in_bash("qctl --db /nowhere/at/all enqueue ") == []


@bash
def test_bash_completes_files_behind_an_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mail one.json").touch()
    assert in_bash("qctl enqueue x @ma") == ["@mail\\ one.json"]


@bash
def test_bash_starts_nothing_for_commands_and_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = tmp_path / "qctl"
    spy.write_text("#!/bin/sh\ntouch called\n")
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    for line in ("qctl ", "qctl enq", "qctl enqueue --", "qctl enqueue --priority "):
        assert in_bash(line)
    assert not Path("called").exists()
    in_bash("qctl enqueue ")
    assert Path("called").exists()


# -- in fish ---------------------------------------------------------------------------------------------------------

fish_here = pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")


def in_fish(line: str) -> list[str]:
    """What fish offers at the end of this line, without the descriptions."""
    done = subprocess.run(
        ["fish", "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', str(ROOT / "completions" / "qctl.fish"), line],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return [found.partition("\t")[0] for found in done.stdout.splitlines()]


@fish_here
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("qctl ", sorted(SHOWN)),
        ("qctl enq", ["enqueue"]),
        ("qctl --db /nowhere wa", ["wait"]),
        ("qctl enqueue --prio", ["--priority"]),
        ("qctl enqueue --priority h", ["high"]),
        ("qctl enqueue --priority=h", ["--priority=high"]),
        ("qctl dlq re", ["replay", "review"]),
        ("qctl dlq replay --dry", ["--dry-run"]),
        ("qctl dlq --err", ["--error"]),
        ("qctl enqueue se", ["send_email"]),
        ("qctl enqueue mail:", ["mail:digest"]),
        ("qctl list --queue ", ["default", "slow"]),
        ("qctl list --tag t", ["two words"]),
        ("qctl show ", ["4", "3", "2", "1"]),
        ("qctl show 1 ", []),
        ("qctl help ti", ["times"]),
        ("qctl --db /nowhere/at/all enqueue ", []),
        ("qctl enqueue -- qctl sta", ["stats"]),
    ],
)
def test_fish_completes_what_can_stand_there(line: str, offered: list[str], full: Path, tools: Path) -> None:
    assert in_fish(line) == offered


# -- in zsh ----------------------------------------------------------------------------------------------------------


class Terminal:
    """A zsh at a terminal, to which keys are typed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / ".zshrc").write_text(
            f"PS1='> '\nautoload -U compinit\ncompinit -u -D\nsource {ROOT / 'completions' / '_qctl'}\nunsetopt beep\n"
        )
        self.fd, theirs = pty.openpty()
        environment = dict(os.environ, ZDOTDIR=str(folder), TERM="dumb", COLUMNS="200")
        self.process = subprocess.Popen(
            ["zsh", "-i", "-d"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.read("> ")

    def read(self, until: str) -> str:
        text, deadline = "", time.monotonic() + 20
        while until not in text:
            ready, _, _ = select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"zsh did not say {until!r} but {text!r}"
            text += os.read(self.fd, 4096).decode("utf-8", "replace")
        return text

    def completed(self, keys: str, into: str) -> None:
        """Type keys, press TAB, and wait until the line has become this."""
        os.write(self.fd, keys.encode() + b"\t")
        self.read(into.removeprefix(keys) or into)
        os.write(self.fd, b"\x15")  # ^U: a new line

    def close(self) -> None:
        os.close(self.fd)
        self.process.kill()
        self.process.wait()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_zsh_completes_what_can_stand_there(full: Path, tools: Path, tmp_path: Path) -> None:
    zsh = Terminal(tmp_path / "zsh")
    try:
        zsh.completed("qctl enq", "qctl enqueue")
        zsh.completed("qctl enqueue --prio", "qctl enqueue --priority")
        zsh.completed("qctl enqueue --priority h", "qctl enqueue --priority high")
        zsh.completed("qctl enqueue se", "qctl enqueue send_email")
        zsh.completed("qctl enqueue mail:", "qctl enqueue mail:digest")
        zsh.completed("qctl dlq repl", "qctl dlq replay")
        zsh.completed("qctl list --tag t", "qctl list --tag two\\ words")
        zsh.completed("qctl enqueue -- qctl sta", "qctl enqueue -- qctl stats")
    finally:
        zsh.close()
