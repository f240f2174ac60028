"""A worker that dies: what it ran at that moment is charged with it, and nothing that only waited in it, or had ended."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.store.sqlite.marks import MARK
from tests.worker.conftest import drain, until, work

__all__ = ["drain", "work"]  # the fixtures
Work = Callable[..., Any]

MODULE = """
import os, signal, time
from qctl import handler

@handler("tiny", max_attempts=1)
def tiny(kills=None):
    if kills and not os.path.exists(kills):
        open(kills, "w").close()
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)

@handler("quiet", max_attempts=1)
async def quiet(kills=None):
    tiny(kills)
"""


@pytest.mark.parametrize("kind", ["tiny", "command", "quiet"])
def test_only_what_ran_is_charged_with_the_death_of_its_worker(
    queue: Queue, work: Work, drain: Work, tmp_path: Path, kind: str
) -> None:
    module, flag = tmp_path / "deadly.py", tmp_path / "flag"
    module.write_text(MODULE)
    worker = work("-c", "1", "--coroutines", "1", "--handlers", str(module), "--quiet")
    usual: dict[str, Any] = {"shell": "true"} if kind == "command" else {"type": kind}
    deadly: dict[str, Any] = {"type": kind, "payload": {"kills": str(flag)}}
    if kind == "command":
        deadly = {"shell": f"[ -e {flag} ] || {{ touch {flag}; kill -9 $PPID; sleep 60; }}", "max_attempts": 1}
    first = queue.enqueue_many([usual] * 60)  # from which it learns that they are short
    until(lambda: queue.get(first[-1]).status == "completed")
    numbers = queue.enqueue_many([*[usual] * 10, deadly, *[usual] * 30])
    assert worker.wait(20) == -9
    drain("-c", "1", "--coroutines", "1", "--handlers", str(module), "--quiet", code=0)
    runs = {number: [run["outcome"] for run in queue.history(number)] for number in numbers}
    assert runs.pop(numbers[10]) == ["lost", "completed"]
    assert {tuple(one) for one in runs.values()} <= {("completed",), ("released", "completed")}
    seen = Counter(one[0] for one in runs.values())
    assert seen["released"] or kind == "quiet", "nothing lay behind it"
    assert {queue.get(number).attempts for number in numbers} == {1}
    assert not [name for name in os.listdir(tmp_path) if MARK in name]


def test_a_worker_that_stops_leaves_no_table_behind(queue: Queue, work: Work, drain: Work, tmp_path: Path) -> None:
    module = tmp_path / "deadly.py"
    module.write_text(MODULE)
    queue.enqueue("tiny")
    queue.enqueue(shell=f"ls {tmp_path}")
    drain("--handlers", str(module), code=0)
    assert MARK.encode() in b"".join(data for *_, data in queue.output(2, 1)), "it is there while it works"
    assert not [name for name in os.listdir(tmp_path) if MARK in name]
    module.write_text("nonsense")
    assert work("--once", "--handlers", str(module)).wait(20) == 2
    assert not [name for name in os.listdir(tmp_path) if MARK in name]


def test_the_table_of_a_worker_that_died_before_it_was_entered_is_taken_away_by_a_later_one(
    queue: Queue, drain: Work, tmp_path: Path
) -> None:
    old, new = (tmp_path / f"queue.db{MARK}worker-{end}" for end in ("old", "new"))
    for path, age in ((old, 1000), (new, 100)):
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    drain(code=0)
    assert (old.exists(), new.exists()) == (False, True)
