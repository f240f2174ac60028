"""`--help` of every command, and the topics of `qctl help`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.cli.commands import COMMANDS, GROUPS, HIDDEN, load
from qctl.cli.help import FOLDER, topics
from qctl.rules.settings import SETTINGS

ROOT = Path(__file__).parent.parent.parent
SHOWN = [name for name in COMMANDS if name not in HIDDEN]
PATHS = [[name] for name in COMMANDS if name not in GROUPS]
PATHS += [[name, sub] for name, subs in GROUPS.items() for sub in subs]
TOPICS = [
    "children",
    "commands",
    "cron",
    "exit-codes",
    "figures",
    "files",
    "flows",
    "handlers",
    "keys",
    "limits",
    "monitoring",
    "payloads",
    "retries",
    "schemas",
    "times",
    "workers",
]


def text_of(topic: str) -> str:
    return Path(FOLDER, topic + ".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PATHS, ids="-".join)
def test_every_command_has_a_page_that_fits_80_columns(path: list[str], cli: Callable[..., Any]) -> None:
    command = load(*path)
    for word in ("--help", "-h"):
        result = cli(*path, word)
        assert (result.code, result.err) == (0, "")
    page = result.out
    assert page.startswith(f"Usage: qctl {' '.join(path)} ")
    assert command.summary in page
    assert max(map(len, page.splitlines())) <= 80
    plain = " ".join(page.split())
    for item in [*command.arguments, *command.options]:
        assert item.help and item.help in plain
    for option in command.options:
        assert f"{', '.join(sorted(option.names, key=len))}{' ' + option.metavar if option.metavar else ''} " in plain
    for line in command.epilog:
        assert f"  {line}\n" in page or "qctl " not in line


@pytest.mark.parametrize("path", [["list"], ["dlq"], ["dlq", "show"]], ids="-".join)
def test_a_page_is_shown_by_the_module_too(path: list[str], cli: Callable[..., Any]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "qctl", *path, "--help"], capture_output=True, text=True, timeout=30,
        env=dict(os.environ, PYTHONPATH=str(ROOT), COLUMNS="80"), check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == cli(*path, "--help").out


def test_help_alone_lists_the_commands_in_their_order(cli: Callable[..., Any]) -> None:
    for argv in ([], ["--help"], ["-h"], ["--db", "x", "--help"]):
        result = cli(*argv)
        assert (result.code, result.err) == (0, "")
        listed = re.findall(r"^  (\w+) +\S.*$", result.out.partition("Commands:\n")[2].partition("\n\n")[0], re.M)
        assert listed == SHOWN
        assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_commands(group: str, cli: Callable[..., Any]) -> None:
    result = cli(group, "--help")
    assert result.code == 0
    for name, (_module, _attribute, summary) in GROUPS[group].items():
        assert re.search(rf"^  {name} +{re.escape(summary)}$", result.out, re.M)
    if group not in TOPICS:  # `cron` is both, and the topic says more
        assert result.out == cli("help", group).out


def test_pages_are_as_wide_as_the_terminal_up_to_a_readable_width(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = cli("enqueue", "--help").out
    monkeypatch.setenv("COLUMNS", "300")
    wide = cli("enqueue", "--help").out
    assert len(wide.splitlines()) < len(narrow.splitlines())
    assert max(map(len, wide.splitlines())) <= 100


def test_the_summary_in_the_list_is_that_of_the_command() -> None:
    for name, entry in COMMANDS.items():
        if name not in HIDDEN and name not in GROUPS:
            assert load(name).summary == entry[2]
            assert load(name).name == name
    for name, subs in GROUPS.items():
        for sub, entry in subs.items():
            assert (load(name, sub).summary, load(name, sub).name) == (entry[2], sub)


# -- topics ----------------------------------------------------------------------------------------------------------


def test_help_lists_the_topics(cli: Callable[..., Any]) -> None:
    result = cli("help")
    assert result.code == 0
    assert list(topics()) == TOPICS
    for name, title in topics().items():
        assert re.search(rf"^  {name} +{re.escape(title)}$", result.out, re.M)
    assert "qctl COMMAND --help" in result.out


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_printed_whole_and_fits_a_screen(topic: str, cli: Callable[..., Any]) -> None:
    result = cli("help", topic)
    assert (result.code, result.err) == (0, "")
    assert result.out == text_of(topic)
    lines = result.out.splitlines()
    assert lines[0] == f"{topic} - {topics()[topic]}"
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 78


def test_on_a_terminal_headings_stand_out_and_nothing_else_changes(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = cli("help", "files")
    assert "\x1b[1mTABLES\x1b[0m\n" in result.out
    assert re.sub(r"\x1b\[\d+m", "", result.out) == text_of("files")


def test_help_of_a_command_is_its_page(cli: Callable[..., Any]) -> None:
    assert cli("help", "purge").out == cli("purge", "--help").out
    assert cli("help", "dlq", "replay").out == cli("dlq", "replay", "--help").out


@pytest.mark.parametrize(
    ("words", "guess"),
    [(["fils"], "files"), (["exitcodes"], "exit-codes"), (["purg"], "purge"), (["dlq", "repaly"], "dlq replay")],
)
def test_an_unknown_topic_is_guessed(words: list[str], guess: str, cli: Callable[..., Any]) -> None:
    result = cli("help", *words)
    assert (result.code, result.out) == (3, "")
    assert result.err.count("\n") == 1
    assert f"did you mean {guess}?" in result.err


@pytest.mark.parametrize("words", [["qqqq"], ["files", "more"], ["_values"], [""], ["../topics/files"], ["\x1b[31m"]])
def test_what_is_no_topic_is_refused_in_one_line(words: list[str], cli: Callable[..., Any]) -> None:
    result = cli("help", *words)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("qctl: there is no topic or command ")
    assert result.err.count("\n") == 1
    assert result.err[:-1].isprintable()


# -- what they say is true -------------------------------------------------------------------------------------------


def everything() -> str:
    return "\n".join(text_of(topic) for topic in TOPICS)


def test_topics_name_only_commands_and_options_that_there_are() -> None:
    known = {name for path in PATHS for option in load(*path).options for name in option.names} | {"--help"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", everything()))
    assert named - known == set()
    commands = set(re.findall(r"(?:`|^ +|/bin/)qctl ([a-z]+)", everything(), re.M))
    assert commands - set(SHOWN) == set()
    assert len(commands) > 12


def test_topics_name_every_column_of_jobs(queue: Any) -> None:
    for (name,) in queue.store.read("SELECT name FROM pragma_table_info('jobs')"):
        assert re.search(rf"\b{name}\b", text_of("files")), name


def test_topics_name_only_settings_that_there_are() -> None:
    named = set(re.findall(r"\b(?:health|purge)\.[a-z_]+\b", everything()))
    named |= set(re.findall(r"setting ([a-z_]+)", everything()))
    assert named <= set(SETTINGS)
    assert "health.max_age" in named


def test_the_inserts_of_the_topic_on_files_work(queue: Any) -> None:
    import sqlite3

    statements = re.findall(r"INSERT INTO jobs.*?;", text_of("files"), re.S)
    assert len(statements) == 2
    connection = sqlite3.connect(queue.path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    assert queue.get(1).payload == {"to": "ana@example.com"}
    assert queue.get(2).command == ["echo", "hello"]
    assert queue.get(2).scheduled_at > queue.get(1).scheduled_at
    assert queue.get(2).scheduled_at[-4:] == ".000"


def test_the_keys_of_the_topic_on_figures_are_those_of_stats(queue: Any) -> None:
    text = " ".join(text_of("figures").partition("Keys of `stats --json`:")[2].partition("\n\n")[0].split())
    stats = queue.stats()
    for key, value in stats.items():
        assert re.search(rf"\b{key}\b", text), key
        for inner in value if isinstance(value, dict) else ():
            assert re.search(rf"\b{inner}\b", text), inner


def test_the_python_of_the_topics_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, db: Path) -> None:
    from qctl import handlers

    monkeypatch.setattr(handlers, "registry", {})
    monkeypatch.setenv("QCTL_DB", str(db))
    monkeypatch.chdir(tmp_path)
    text = text_of("handlers")
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.M)
    python = [block for block in blocks if re.search(r"^    (from|queue|with|assert|@)", block, re.M)]
    code = "import sqlite3\n" + "\n".join(re.sub(r"^    ", "", block, flags=re.M) for block in python)
    assert code.count("queue.enqueue") == 5
    Path("shop.db").touch()
    from qctl.queue import Queue

    with Queue("shop.db"):
        pass
    connection = sqlite3_connect("shop.db")
    connection.execute("CREATE TABLE orders (customer TEXT)")
    connection.commit()
    connection.close()
    exec(compile(code.replace('Queue("queue.db")', 'Queue("shop.db")'), "topic", "exec"), {})
    with Queue("shop.db") as queue:
        assert queue.count() == 5


def test_the_flow_of_the_topic_runs(
    cli: Callable[..., Any], db: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from qctl import handlers
    from qctl.queue import Queue

    monkeypatch.setattr(handlers, "registry", {})
    monkeypatch.chdir(tmp_path)

    @handlers.handler("charge")
    def charge(order: int) -> Any:
        return {"receipt": 41, "parts": [{"name": "lid"}, {"name": "pot"}], "total": 90 + int(order)}

    @handlers.handler("label")
    def label(receipt: int) -> None:
        assert receipt == 41

    @handlers.handler("gift")
    @handlers.handler("alarm")
    def never() -> None:
        raise AssertionError("its step is skipped")

    text = text_of("flows")
    lines = text.partition("This is order.toml:\n")[2].splitlines()
    toml = "\n".join(
        line[4:] for line in lines[: next(n for n, line in enumerate(lines) if not line.startswith("    "))]
    )
    Path("order.toml").write_text(toml)
    (command,) = re.findall(r"qctl (flow run order.toml .*) --follow", text)
    assert cli(*command.split()).out == "1\n"
    assert cli("work", "--drain", "--max-time", "1s").code == 0  # commands alone: nothing is due for them
    queue = Queue(db)
    queue.run_inline()
    assert cli("work", "--drain", "--max-time", "20s").code == 0
    queue.run_inline()
    jobs = {job.step: job for job in queue.find()}
    assert (jobs["charge"].status, jobs["label"].status, jobs["ship"].status) == ("completed", "completed", "completed")
    assert jobs["pack[1]"].command == ["echo", "pot", "1"] and cli("logs", str(jobs["pack[1]"].number)).out == "pot 1\n"
    assert jobs["gift"].last_error.startswith("skipped: ") and jobs["alarm"].last_error.startswith("skipped: ")
    python = re.findall(r"^    (from qctl .*\n(?:    .*\n)+)", text, re.M)[0]
    code = python.replace("\n    ", "\n").replace("Queue()", f"Queue({str(db)!r})")
    exec(compile(code, "topic", "exec"), {})
    queue.run_inline()
    assert {job.step: job.status for job in queue.find() if job.flow == 2}["label"] == "completed"
    queue.close()


def sqlite3_connect(path: str) -> Any:
    import sqlite3

    return sqlite3.connect(path)


def test_colours_change_no_word_and_no_line_break(monkeypatch: pytest.MonkeyPatch) -> None:
    from qctl.cli import face

    def page() -> str:
        made: Any = face.leaf(load("enqueue"))
        context = made.context_class(made, info_name="qctl enqueue", **face.STYLE)
        return str(made.get_help(context))

    monkeypatch.setenv("COLUMNS", "80")
    plain = page()
    monkeypatch.setenv("FORCE_COLOR", "1")
    painted = page()
    assert painted.startswith("\x1b[1mUsage:\x1b[0m qctl enqueue ")
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain
