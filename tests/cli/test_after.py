"""`enqueue --after` and kin at the command line: what is said, shown and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


def test_a_job_waits_for_others_by_options_and_by_keys_of_ndjson(cli: Cli, tmp_path: Path) -> None:
    for _ in range(3):
        cli("enqueue", "t")
    done = json.loads(cli("enqueue", "t", "--after", "1,2", "--after", "3", "--json").out)
    assert done["status"] == "blocked"
    (tmp_path / "jobs").write_text('{"type": "t", "after": [1, "2"], "after-any": "3"}\n')
    done = cli("enqueue", "--from", str(tmp_path / "jobs"))
    assert (done.code, done.out) == (0, "5\n")
    needs = json.loads(cli("show", "5", "--json").out)["needs"]
    assert [(one["number"], one["kind"]) for one in needs] == [(1, "completed"), (2, "completed"), (3, "ended")]


@pytest.mark.parametrize("option", ["--after", "--after-any", "--after-failed"])
def test_an_unknown_job_is_exit_3_and_nothing_is_stored(cli: Cli, option: str) -> None:
    cli("enqueue", "t")
    done = cli("enqueue", "t", option, "7")
    assert (done.code, done.out) == (3, "")
    assert "there is no job 7" in done.err
    assert cli("list").out.count("\n") == 1


def test_a_line_that_waits_for_nobody_is_named_by_its_number(cli: Cli, tmp_path: Path) -> None:
    lines = '{"type": "t"}\n{"type": "t", "after": 1}\n{"type": "t", "after": 40}\n'
    (tmp_path / "jobs").write_text(lines)
    done = cli("enqueue", "--from", str(tmp_path / "jobs"))
    assert done.code == 2
    assert "line 3: after: there is no job 40; 2 jobs were stored before it" in done.err
    assert done.out == "1\n2\n"


def test_show_and_explain_name_the_neighbours(cli: Cli) -> None:
    cli("enqueue", "fetch")
    cli("enqueue", "pack", "--after", "1")
    cli("enqueue", "tidy", "--after-any", "2")
    shown = cli("show", "2").out
    assert "after\t1 fetch (pending)\n" in shown
    assert "before\t3 tidy (blocked), however it ends\n" in shown
    assert "until job 1 is completed: that is pending" in cli("explain", "2").out


def test_cancel_says_who_could_then_not_run_and_cascade_takes_them_along(cli: Cli) -> None:
    cli("enqueue", "a")
    cli("enqueue", "b", "--after", "1")
    cli("enqueue", "c", "--after", "2")
    assert cli("cancel", "1", "--cascade", "--dry-run").out == "1\n2\n3\n"
    done = cli("cancel", "1")
    assert (done.code, done.out) == (0, "1\n")
    assert "2 jobs could then not run (2, 3): --cascade cancels them, too" in done.err
    assert cli("cancel", "2", "--cascade").out == "2\n3\n"


def test_retry_leaves_a_blocked_job(cli: Cli) -> None:
    cli("enqueue", "a")
    cli("enqueue", "b", "--after", "1")
    done = cli("retry", "2")
    assert "job 2 is blocked: it is left as it is" in done.err


def test_drain_ends_although_jobs_stay_blocked(cli: Cli) -> None:
    cli("enqueue", "--max-attempts", "1", "--", "false")
    cli("enqueue", "--after", "1", "--", "true")
    cli("enqueue", "--after-failed", "1", "--", "true")
    assert cli("work", "--drain", "--max-time", "20s").code == 1
    assert [line.split("\t")[3] for line in cli("list").out.splitlines()] == ["completed", "blocked", "failed"]
