"""`qctl flow`: run, list, show, cancel, replay."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.cli.terminal import cell_width
from qctl.cli.tree import arranged, lines, note, timed
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


# -- how it looks ----------------------------------------------------------------------------------------------------

MIXED = """
name = "mixed"
[steps.list]
shell = 'echo "[1, 2, 3]" > "$QCTL_RESULT"'
[steps.each]
foreach = "${steps.list.result}"
command = ["sh", "-c", 'echo "$0" > "$QCTL_RESULT"; test "$0" != 2', "${item}"]
max_attempts = 1
[steps.never]
when = "count(steps.list.result) > 3"
shell = "false"
[steps.sum]
needs = ["each"]
command = ["echo", "${steps.each.result}"]
[steps.tidy]
shell = "echo tidied"
"""


def test_a_step_that_failed_is_cleaned_up_after_and_show_tells_why(cli: Cli, file: str) -> None:
    Path(file).write_text(MIXED)
    cli("flow", "run", file, "--on-failure", "tidy")
    assert cli("work", "--drain", "--max-time", "30s").code == 1
    rows = [line.split("\t") for line in cli("flow", "show", "1").out.splitlines()]
    assert {row[0]: row[3] for row in rows} == {
        "list": "completed", "each": "failed", "never": "completed", "sum": "blocked", "tidy": "completed",
        "each[0]": "completed", "each[1]": "failed", "each[2]": "completed",
    }  # fmt: skip
    notes = {row[0]: row[4] for row in rows}
    assert notes["each"] == "1 of its 3 jobs did not complete: 7" and notes["sum"] == "after 2"
    assert notes["never"] == "skipped: `count(steps.list.result) > 3` does not hold"
    cli("flow", "run", file)
    assert [line.split("\t")[:3] for line in cli("flow", "list", "--limit", "1").out.splitlines()] == [
        ["2", "mixed", "running"]
    ]


def test_follow_in_a_pipe_is_a_line_for_each_change_and_its_exit_code_that_of_wait(cli: Cli, file: str) -> None:
    Path(file).write_text(ORDER)
    worker = threading.Timer(0.3, lambda: subprocess.run(
        [sys.executable, "-m", "qctl", "--db", str(Path(file).parent.resolve() / "queue.db"), "work", "--drain", "--quiet"],
        check=False, capture_output=True,
    ))  # fmt: skip
    worker.start()
    done = cli("flow", "run", file, "--follow", "--wait-timeout", "30s")
    worker.join()
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert lines[0] == ["1"] and done.code == 1 and "flow 1 is failed: 1 failed, 1 blocked" in done.err
    last = {row[1]: row[3] for row in lines[1:]}
    assert last == {"charge": "completed", "pack": "completed", "mail": "failed"}
    assert [row[0] for row in lines[1:]] == sorted(row[0] for row in lines[1:])


def test_show_draws_where_a_step_stands_and_what_its_templates_became(cli: Cli, file: str) -> None:
    Path(file).write_text(MIXED.replace("!= 2", "!= 9"))
    cli("flow", "run", file)
    assert "flow\t1 mixed\n" in cli("show", "3").out and "for each\tsteps.list.result\n" in cli("show", "3").out
    cli("work", "--drain", "--max-time", "30s")
    shown = cli("show", "5").out
    assert 'ran command\t["echo", "[1,2,3]"]\n' in shown and "${steps.each.result}" in shown
    assert json.loads(cli("show", "5", "--json").out)["plan"]["templates"] is True
    assert "skipped\t`count(steps.list.result) > 3` does not hold\n" in cli("show", "4").out
    assert json.loads(cli("stats", "--json").out)["flows"] == {
        "enqueued": 1, "running": 0, "completed": 1, "failed": 0, "cancelled": 0,
    }  # fmt: skip
    row = json.loads(cli("flow", "list", "--json").out)
    assert row["ended_at"] is not None and row["steps"] == 8
    assert json.loads(cli("flow", "show", "1", "--json").out)["jobs"][2]["plan"]["total"] == 3


def steps_for(queue: Queue, flow: dict[str, Any], room: int = 80, most: int | None = None) -> list[str]:
    number = queue.run_flow(flow) or 0
    return lines(queue.flow(number), queue.standing(number), time.time(), room, most)


def test_a_tree_hangs_each_step_under_the_last_it_needs(queue: Queue) -> None:
    steps = {
        "charge": {"type": "t"}, "confirm": {"type": "t", "needs": ["charge"]}, "invoice": {"type": "t", "needs": ["charge"]},
        "sync": {"type": "t", "needs": ["invoice"]}, "notify": {"type": "t", "needs": ["confirm", "sync"]},
        "tidy": {"type": "t"}, "undo": {"type": "t"},
    }  # fmt: skip
    steps["charge"]["on_failure"] = ["undo"]
    found = steps_for(queue, {"name": "order", "steps": steps, "on_failure": "tidy"})
    assert [line.rstrip() for line in found[1:]] == [
        "○ charge",
        "├◌ confirm            waits for charge",
        "├◌ invoice            waits for charge",
        "│└◌ sync              waits for invoice",
        "│ └◌ notify           waits for confirm, sync",
        "└◌ undo               if charge fails",
        "◌ tidy                if a step fails",
    ]
    assert found[0].startswith("● order   running ") and "0 of 7 done" in found[0]


def test_a_tree_fits_whatever_its_names_and_depth_are(queue: Queue) -> None:
    steps: dict[str, Any] = {}
    for n in range(300):
        steps[f"s{n} " + "é世" * (n % 40) + "x"] = {"type": "t", "needs": list(steps)[-1:]}
    found = steps_for(queue, {"steps": steps}, 60, 20)
    assert len(found) == 20 and "… 281 more" in found[-1].replace("282", "281").replace("280", "281")
    assert max(map(cell_width, found)) <= 60


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[steps.a]\ntype="t"\npayload={x="${steps.b.result}"}', "step 'a': there is no step 'b'"),
        ('[steps.a]\ntype="t"\npayload={x="${steps.a.result}"}', "step 'a' needs itself"),
        ('[steps.a]\ntype="t"\npayload={x="${steps.a}"}', "step 'a': payload: 'steps.a' is no result of a step"),
        ('[steps.a]\ntype="t"\npayload={x="${item}"}', "step 'a': ${item}: this step has no foreach"),
        ('[steps.a]\ntype="t"\nforeach="x"', "step 'a': foreach: use the list in the result of a step"),
        ('[steps.a]\ntype="t"\nforeach=[1]', "step 'a': foreach: use the list in the result of a step"),
        ('[steps.a]\ntype="t"\nwhen="x"', "step 'a': column 1: 'x' is no result"),
        ('[steps.a]\ntype="t"\nwhen=3', "step 'a': when: use a condition"),
        ('[steps.a]\nshell="echo ${steps.b.result}"', "a result is never pasted into a shell line"),
        (
            '[steps.a]\ncommand=["${steps.b.result}"]\n[steps.b]\ntype="t"',
            "which program runs is no matter of a result",
        ),
        ('on_failure="x"\n[steps.a]\ntype="t"', "on_failure: there is no step 'x'"),
        ('on_failure="b"\n[steps.a]\ntype="t"\n[steps.b]\ntype="t"\nneeds=["a"]', "it has no needs of its own"),
        ('[steps.a]\ntype="t"\non_failure="b"\n[steps.b]\ntype="t"\nneeds=["a"]', "it cannot need it in another way"),
        (
            '[steps.a]\ntype="t"\nwhen="steps.b.result"\n[steps.b]\ntype="t"\nneeds=["a"]',
            "in a circle: a needs b needs a",
        ),
        ('["steps"."a[0]"]\ntype="t"', "a name has no ["),
        ("steps = 1", "there are no steps"),
    ],
)
def test_a_flow_that_asks_for_what_cannot_be_is_refused(cli: Cli, file: str, text: str, says: str) -> None:
    Path(file).write_text(text)
    done = cli("flow", "run", file)
    assert done.code == 2 and says in done.err and done.err.count("\n") == 1
    assert cli("list").out == ""


@pytest.mark.parametrize("shape", ["chain", "fan", "random"])
def test_10_000_steps_are_stored_in_under_two_seconds_and_each_is_let_go_for_the_same(queue: Queue, shape: str) -> None:
    count, chance = 10_000, random.Random(5)
    needs: list[list[str]] = {
        "chain": [[f"s{n - 1}"] if n else [] for n in range(count)],
        "fan": [[] for _ in range(count - 1)] + [[f"s{n}" for n in range(count - 1)]],
        "random": [sorted({f"s{chance.randrange(n)}" for _ in range(chance.randrange(4))}) if n else [] for n in range(count)],
    }[shape]  # fmt: skip
    begun = time.process_time()
    queue.run_flow({"steps": {f"s{n}": {"type": "t", "needs": one} for n, one in enumerate(needs)}})
    assert time.process_time() - begun < 2.0
    if shape == "random":
        return
    early, late = machine_steps(queue, 10), machine_steps(queue, 9_900)
    assert late <= early * 1.3


def machine_steps(queue: Queue, number: int) -> int:
    """What SQLite does to complete a job, counted in its own instructions: the same on any machine, at any load."""
    connection, count = queue.store.connection, 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE jobs SET status = 'completed' WHERE number < ?", (number,))
    connection.set_progress_handler(tick, 1)
    connection.execute("UPDATE jobs SET status = 'completed' WHERE number = ?", (number,))
    connection.set_progress_handler(None, 1)
    connection.execute("ROLLBACK")
    return count


def test_the_tree_shows_what_steps_added_under_them() -> None:
    def one(number: int, step: str | None, parent: int | None = None, needs: tuple[int, ...] = ()) -> dict[str, Any]:
        return {
            "number": number, "step": step, "type": "mail", "status": "completed", "parent": parent, "plan": {},
            "needs": needs, "waits_for": [], "started_at": None, "last_error": None, "attempts": 1,
        }  # fmt: skip

    few = [one(1, "a"), one(2, "b", needs=(1,)), one(3, None, 1, (1,)), one(4, None, 1, (1, 3))]
    assert [(branch, step["number"]) for branch, step in arranged(few)] == [("", 1), ("├", 2), ("└", 3), (" └", 4)]
    many = timed([one(1, "a"), *[one(number, None, 1, (1,)) for number in range(2, 12)]])
    assert [step["number"] for _branch, step in arranged(many)] == [1]
    assert note(many[0], {}, many) == "added 10 jobs"
