"""`qctl flow`: run, list, show, cancel, replay."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue

Cli = Callable[..., Any]

ORDER = """
name = "order"
[vars]
number = "1"
[steps.pack]
shell = "echo packed ${vars.number}"
needs = ["charge"]
[steps.charge]
command = ["true"]
[steps.mail]
shell = "test -e mended"
max_attempts = 1
needs = ["charge"]
[steps.both]
command = ["true"]
needs = ["pack", "mail"]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "order.toml").write_text(ORDER)
    return "order.toml"


def test_a_flow_goes_on_from_its_failed_step_and_repeats_none(cli: Cli, file: str, tmp_path: Path) -> None:
    assert cli("flow", "run", file, "--set", "number=7").out == "1\n"
    assert cli("work", "--drain", "--max-time", "20s").code == 1
    shown = json.loads(cli("flow", "show", "1", "--json").out)
    assert shown["status"] == "failed"
    assert {job["step"]: (job["status"], job["waits_for"]) for job in shown["jobs"]} == {
        "charge": ("completed", []), "pack": ("completed", []), "mail": ("failed", []), "both": ("blocked", [3]),
    }  # fmt: skip
    assert cli("logs", "2").out == "packed 7\n"
    (tmp_path / "mended").touch()
    assert cli("flow", "replay", "1").out == "3\n"
    cli("work", "--drain", "--max-time", "20s")
    assert json.loads(cli("flow", "list", "--json").out)["status"] == "completed"
    assert json.loads(cli("show", "1", "--json").out)["attempts"] == 1


def test_a_flow_that_is_wrong_anywhere_stores_nothing(cli: Cli, file: str) -> None:
    Path(file).write_text(ORDER + '[steps.late]\ntype = "t"\nbackoff = "nix"\n')
    done = cli("flow", "run", file)
    assert (done.code, done.out) == (2, "")
    assert "order.toml: step 'late': backoff: " in done.err
    assert cli("list").out == "" and cli("flow", "list").out == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [("steps = [", "it is no TOML"), ('[steps.a]\ntype="t"\nneeds=["b"]', "there is no step 'b'"), ("", "no steps")],
)
def test_what_is_no_flow_is_a_usage_error(cli: Cli, file: str, text: str, says: str) -> None:
    Path(file).write_text(text)
    done = cli("flow", "run", file)
    assert done.code == 2 and says in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize("verb", ["show", "cancel", "replay"])
@pytest.mark.parametrize("number", ["9", "nix"])
def test_an_unknown_flow_is_exit_3(cli: Cli, file: str, verb: str, number: str) -> None:
    cli("flow", "run", file)
    done = cli("flow", verb, number)
    assert done.code == 3 and f"there is no flow {number if number == '9' else repr(number)}" in done.err


def test_cancel_ends_a_flow_and_wait_says_how_it_ended(cli: Cli, file: str) -> None:
    assert cli("flow", "run", file, "--wait", "--wait-timeout", "0s").code == 124
    assert cli("flow", "cancel", "1").out == "1\n2\n3\n4\n"
    assert json.loads(cli("flow", "show", "1", "--json").out)["status"] == "cancelled"
    assert cli("flow", "run", file, "--dry-run").out == ""
    assert len(cli("flow", "list").out.splitlines()) == 1
    cli("enqueue", "t")
    assert [line.split("\t")[0] for line in cli("list", "--flow", "1").out.splitlines()] == ["4", "3", "2", "1"]
    assert cli("list", "--flow", "x").code == 2


def test_a_flow_of_10_000_steps_into_one_is_stored_in_under_two_seconds(queue: Queue) -> None:
    steps: dict[str, Any] = {f"s{n}": {"type": "t"} for n in range(10_000)}
    steps["last"] = {"type": "t", "needs": list(steps)}
    begun = time.process_time()
    number = queue.run_flow({"steps": steps})
    assert time.process_time() - begun < 2.0
    assert queue.flow(number or 0)["blocked"] == 1


HANDLERS = """
from qctl import handler

@handler("sum")
def total(inputs, start: int):
    return start + sum(inputs.values())
"""


def test_steps_are_given_the_results_of_those_they_need(cli: Cli, file: str, tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(HANDLERS)
    Path(file).write_text(
        """
[steps]
one.shell = 'echo 1 >"$QCTL_RESULT"'
two.shell = 'echo 2 >"$QCTL_RESULT"'
sum = {type = "sum", payload = {start = 10}, needs = ["one", "two"]}
out = {shell = 'cat "$QCTL_INPUTS"', needs = ["sum"]}
"""
    )
    cli("flow", "run", file)
    cli("enqueue", "--shell", 'cat "$QCTL_INPUTS"', "--after", "3")
    assert cli("work", "--drain", "--handlers", "jobs.py", "--max-time", "30s").code == 0
    assert cli("logs", "4").out.strip() == '{"sum":13}'
    assert cli("logs", "5").out.strip() == '{"3":13}'
