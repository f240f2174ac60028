"""The quick parser and the Typer face read every argv alike."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qctl.cli import face
from qctl.cli.commands import COMMANDS, GROUPS, load
from qctl.cli.main import run
from qctl.cli.parse import parse
from qctl.cli.spec import Command, Option
from qctl.queue import Queue
from tests.profile import examples

PATHS = [(name, None) for name in COMMANDS if name not in GROUPS]
PATHS += [(name, sub) for name, subs in GROUPS.items() for sub in subs]
IDS = ["-".join(filter(None, path)) for path in PATHS]
ODD = [
    "",
    "-",
    "--",
    "---",
    "-1",
    "-5s",
    "=",
    "--=",
    "--=x",
    "ü",
    "日本",
    "a b",
    "\udcff",
    "\x1b[31m",
    "@nothing",
    "{}",
]
UNREADABLE = object()


@cache
def leaf(name: str, sub: str | None) -> face.Leaf:
    return face.leaf(load(name, sub))


def by_typer(command: face.Leaf, argv: list[str]) -> Any:
    """The values as the Typer face reads them; UNREADABLE when it shows help or an error."""
    out = sys.stdout
    sys.stdout = io.StringIO()
    try:
        with command.make_context("test", list(argv)) as context:
            return command.invoke(context)[1]
    except typer.Exit as leave:
        assert leave.exit_code == 0
        return UNREADABLE
    except Exception as error:
        assert face.complaint(error).endswith("--help`)"), error
        return UNREADABLE
    finally:
        sys.stdout = out


def words_of(command: Command) -> st.SearchStrategy[list[str]]:
    """Command lines that a person may mean, and those that nobody means."""
    value = st.one_of(st.text(max_size=5), st.sampled_from([*ODD, "5m", "3", "low", "json"]))
    names = [name for option in command.options for name in option.names]
    long = [name for name in names if name.startswith("--")]

    def of(option: Option) -> st.SearchStrategy[list[str]]:
        name = st.sampled_from(option.names)
        if option.metavar is None:
            return name.map(lambda one: [one])
        return st.one_of(
            st.tuples(name, value).map(list),
            st.tuples(name, value).map(lambda pair: [f"{pair[0]}={pair[1]}"]),
            st.tuples(name, value).map(lambda pair: [f"{pair[0]}{pair[1]}"]),
        )

    known = st.one_of([of(option) for option in command.options])
    odd = st.one_of(
        st.sampled_from(["--help", "-h", "--", "-Z", "--no-such", "--no-json", "--json=1", *names]).map(
            lambda one: [one]
        ),
        st.sampled_from(long).map(lambda one: [one[:-1]]),
        st.tuples(st.sampled_from(names), st.sampled_from(names)).map(lambda pair: [pair[0] + pair[1].lstrip("-")]),
    )
    free = value.map(lambda one: [one])
    parts = st.lists(st.one_of(known, known, known, free, free, odd), max_size=6)
    return parts.map(lambda lists: [word for words in lists for word in words])


@pytest.mark.parametrize(("name", "sub"), PATHS, ids=IDS)
def test_both_read_any_argv_alike(name: str, sub: str | None) -> None:
    command = load(name, sub)

    @settings(max_examples=examples(25))
    @given(words_of(command))
    def check(argv: list[str]) -> None:
        quick = parse(command, argv, {})
        slow = by_typer(leaf(name, sub), argv)
        assert quick is None or quick == slow

    check()


@pytest.mark.parametrize(("name", "sub"), PATHS, ids=IDS)
def test_what_is_plainly_right_needs_no_typer(name: str, sub: str | None) -> None:
    command = load(name, sub)
    argv = [
        word for option in command.options for word in (option.names[-1], "1")[: 1 if option.metavar is None else 2]
    ]
    argv += [
        f"{option.names[0]}=x" for option in command.options if option.metavar and option.names[0].startswith("--")
    ]
    argv += ["1" for _ in command.arguments] + (["--", "echo", "--db"] if command.tail else [])
    quick = parse(command, argv, {})
    assert quick is not None
    assert quick == by_typer(leaf(name, sub), argv)


@pytest.mark.parametrize(("name", "sub"), PATHS, ids=IDS)
def test_only_the_last_argument_takes_all_that_is_left(name: str, sub: str | None) -> None:
    command = load(name, sub)
    assert not any(one.multiple for one in command.arguments[:-1])
    names = [name for option in command.options for name in option.names]
    assert len(names) == len(set(names))
    keys = [one.key for one in [*command.arguments, *command.options]] + ["tail"]
    assert len(keys) == len(set(keys))


BEFORE = [
    ["--db", "a.db"], ["--db=a.db"], ["--db", ""], ["--json"], ["--busy-timeout", "1s"], ["--db", "a", "--json", "--db", "b"],
]  # fmt: skip


@pytest.mark.parametrize("before", BEFORE, ids=" ".join)
@pytest.mark.parametrize(
    "line", [["list", "-s", "failed"], ["dlq"], ["dlq", "show", "1"], ["enqueue", "a", "--db", "c"]]
)
def test_options_before_the_command_are_read_alike(
    before: list[str], line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    argvs = [[*before, *line]] + ([[line[0], *before, *line[1:]]] if line[0] == "dlq" else [])
    for argv in argvs:
        with caught(monkeypatch, line) as seen:
            assert run(argv) == 0
        with caught(monkeypatch, line) as slowly, monkeypatch.context() as patch:
            patch.setattr("qctl.cli.parse.parse", lambda *_: None)
            assert run(argv) == 0
        assert seen == slowly
        assert seen[0]["db"] is not None or "--db" not in " ".join(argv)


@contextmanager
def caught(monkeypatch: pytest.MonkeyPatch, line: list[str]) -> Iterator[list[dict[str, Any]]]:
    """The values that the command is run with, instead of running it."""
    command = load("dlq", (line[1:] or ["list"])[0]) if line[0] == "dlq" else load(line[0])
    seen: list[dict[str, Any]] = []
    with monkeypatch.context() as patch:
        patch.setattr(command, "run", lambda values: seen.append(dict(values)) or 0)
        yield seen


# -- enqueue, all the way to the row --------------------------------------------------------------------------------

NOW = 1_800_000_000.25
VALUES = {
    "--priority": ["low", "HIGH", "-3", "7", "x", "", str(2**63), "1.5"],
    "-p": ["critical", "--", "9"],
    "--in": ["5m", "0", "-1s", "1h30m", "x"],
    "--at": ["2030-01-01", "+1h", "25:00", ""],
    "--queue": ["fast", "", "-x", "ü"],
    "--tag": ["a", "b c", "\x00", "-"],
    "--id": ["own", "12", "a b", ""],
    "--type": ["named", "--"],
    "--payload": ["{}", '{"a": 1}', "[]", "{", "@/nothing/there", "NaN"],
    "--max-attempts": ["3", "0", "-1", "x", "1e3"],
    "--backoff": ["fixed:1s", "linear:30s,max=1h", "x", "fixed:"],
    "--timeout": ["5s", "none", "0", "-5s"],
    "--cwd": ["/", "/nothing/there", ""],
    "--env": ["A=1", "A", "=", "NOT_SET_ANYWHERE"],
    "--shell": ["true", "", "echo 'a b'"],
    "--wait-timeout": ["1s"],
    "--db": ["other.db", ""],
}
FLAGS = ["--json", "--exit-code", "--atomic", "--dry-run", "--nothing", "--help", "-x"]
FREE = ["send_email", "", "-", "ü", "{}", '{"to": "a@b.c", "n": 1e5}', "to=ana", "n:=3", "n:=", "{broken", "[1]", "a b"]
TAILS = [["echo", "a", "--", "-x"], [], ["nothing-like-this-anywhere"], [""], ["true", "ü", "\udcff"]]


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    argv: list[str] = []
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            name = draw(st.sampled_from(sorted(VALUES)))
            value = draw(st.sampled_from(VALUES[name]))
            argv += [f"{name}={value}"] if draw(st.booleans()) and name.startswith("--") else [name, value]
        else:
            argv.append(draw(st.sampled_from(FREE if draw(st.booleans()) else FLAGS)))
    if draw(st.booleans()):
        argv.insert(0, draw(st.sampled_from(FREE)))
    if draw(st.integers(0, 2)) == 0:
        argv += ["--", *draw(st.sampled_from(TAILS))]
    return argv


def test_enqueue_stores_the_same_job_or_says_the_same_error_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    stored = 0

    @settings(max_examples=examples(120))
    @given(lines())
    @example(["send_email", "to=ana", "--priority", "high", "--in=5m", "--tag", "a", "--tag=b"])
    @example(["--type", "named", "--env", "A=1", "--", "echo", "--json"])
    def check(argv: list[str]) -> None:
        nonlocal stored
        quick = enqueued(monkeypatch, argv, None)
        slow = enqueued(monkeypatch, argv, lambda *_: None)
        assert quick == slow
        code, _out, err, rows = quick
        assert code in (0, 2) and len(rows) <= 1
        assert err == "" or code == 0 or (err.count("\n") == 1 and err.startswith("qctl: "))
        stored += len(rows)

    check()
    assert stored > 5


def enqueued(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], parser: Callable[..., None] | None
) -> tuple[int, str, str, list[dict[str, Any]]]:
    """Exit code, output, and the rows that `qctl enqueue ARGV` leaves in a new queue."""
    queue = Queue(":memory:")
    out, err = io.StringIO(), io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr("qctl.cli.enqueue.open_queue", lambda values, create: opened(queue, values))
        patch.setattr("qctl.cli.options.look_at_queue", lambda values: opened(queue, values))
        patch.setattr("qctl.store.sqlite.insert.new_id", lambda: "new")
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"from": "stdin"}')))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        if parser is not None:
            patch.setattr("qctl.cli.parse.parse", parser)
        code = run(["enqueue", *argv])
    rows = [job.data for job in queue.find()]
    queue.close()
    return code, out.getvalue(), err.getvalue(), rows


def opened(queue: Queue, values: dict[str, Any]) -> Queue:
    from qctl.cli.options import queue_path

    queue_path(values)
    return queue
