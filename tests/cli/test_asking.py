"""Destructive commands ask on a terminal, and need --yes elsewhere when nothing says which jobs are meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from tests.states import dead, run_one

Cli = Callable[..., Any]

LONG_AGO = 1_600_000_000.0


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is there to answer."""
    for module in ("dlq", "filters"):
        monkeypatch.setattr(f"qctl.cli.{module}.can_be_asked", lambda: True)


def one_of_each(queue: Queue) -> None:
    """1 waits, 2 completed long ago, 3 is dead."""
    queue.enqueue("a")
    queue.enqueue("b")
    run_one(queue, 2, ending.SUCCEEDED, LONG_AGO)
    dead(queue)


def statuses(queue: Queue) -> list[str]:
    return [job.status for job in queue.find(newest_first=False)]


ASKED = [
    (["cancel", "--type", "a"], "cancel 1 job? [y/N] "),
    (["cancel"], "cancel 1 job? [y/N] "),
    (["retry", "--type", "charge"], "retry 1 job? [y/N] "),
    (["purge"], "purge 1 job completed over 1w ago? [y/N] "),
    (["dlq", "discard", "3"], "discard 1 dead letter? [y/N] "),
    (["dlq", "discard", "--all"], "discard 1 dead letter? [y/N] "),
    (["dlq", "replay", "--type", "charge"], "replay 1 dead letter? [y/N] "),
]


@pytest.mark.parametrize(("argv", "question"), ASKED, ids=[" ".join(argv) for argv, _question in ASKED])
@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_a_yes_nothing_changes(
    cli: Cli, queue: Queue, person: None, argv: list[str], question: str, answer: str
) -> None:
    one_of_each(queue)
    done = cli(*argv, input=answer)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(question)
    assert statuses(queue) == ["pending", "completed", "failed"]


@pytest.mark.parametrize(("argv", "question"), ASKED, ids=[" ".join(argv) for argv, _question in ASKED])
@pytest.mark.parametrize("how", ["answer", "option"])
def test_a_yes_lets_it_go_on(cli: Cli, queue: Queue, person: None, argv: list[str], question: str, how: str) -> None:
    one_of_each(queue)
    done = cli(*argv, "--yes") if how == "option" else cli(*argv, input="y\n")
    assert done.code == 0
    assert ("[y/N]" in done.err) == (how == "answer")
    assert statuses(queue) != ["pending", "completed", "failed"]


def test_where_nothing_is_to_be_done_nobody_is_asked(cli: Cli, queue: Queue, person: None) -> None:
    for argv in (["cancel"], ["purge"], ["dlq", "discard", "--all"], ["dlq", "replay", "--all"]):
        done = cli(*argv)
        assert done.code == 0
        assert "[y/N]" not in done.err


@pytest.mark.parametrize("argv", [["cancel"], ["retry"], ["dlq", "discard"], ["dlq", "discard", "--all"]])
def test_in_a_script_all_are_meant_only_with_a_yes(cli: Cli, queue: Queue, argv: list[str]) -> None:
    one_of_each(queue)
    refused = cli(*argv)
    assert (refused.code, refused.out) == (2, "")
    assert "--yes" in refused.err or "--all" in refused.err
    assert statuses(queue) == ["pending", "completed", "failed"]
    assert cli(*argv, "--yes").code == 0
    if argv != ["retry"]:
        assert statuses(queue) != ["pending", "completed", "failed"]


@pytest.mark.parametrize("argv", [["cancel"], ["dlq", "discard"], ["dlq", "review"], ["dlq", "replay"]])
def test_a_dry_run_of_all_needs_no_yes_and_may_be_json(cli: Cli, queue: Queue, argv: list[str]) -> None:
    one_of_each(queue)
    number = 1 if argv == ["cancel"] else 3
    assert cli(*argv, "--dry-run").out == f"{number}\n"
    assert json.loads(cli(*argv, "--dry-run", "--json").out) == {"number": number}
    assert statuses(queue) == ["pending", "completed", "failed"]


def test_a_number_is_not_called_many_when_it_is_one(cli: Cli, queue: Queue) -> None:
    one_of_each(queue)
    assert cli("cancel", "--type", "a").err == "1 job: cancelled\n"
    assert cli("cancel", "--type", "a").err == "0 jobs: nothing to do\n"
