"""kill -9 over flows, at random moments, of workers, handler processes and commands: no step is lost, none is doubled, each
runs only after its needs, and every job of a foreach is made once.

The steps write their own history, a line at each start and end, to a file opened for appending.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from tests.faults.harness import descendants
from tests.worker.conftest import until, work

__all__ = ["work"]  # the fixture
Work = Callable[..., Any]
BUSY = "SELECT 1 FROM jobs WHERE status = 'processing' LIMIT 1"

HANDLERS = """
import os, time
from qctl import Dead, handler

def write(line):
    fd = os.open({trace!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (line + "\\n").encode())
    os.close(fd)

@handler("step", backoff="fixed:0s")
def step(job, took, give=None, fails=False, inputs=None):
    write(f"start {{job.number}}")
    time.sleep(took)
    write(f"end {{job.number}}")
    if fails:
        raise Dead("as told")
    return give
"""


def mixed_flow(chance: random.Random, trace: Path, fails: bool) -> dict[str, Any]:
    """A flow of every kind of step: a list, a foreach over it, a gathering, a condition, commands, a clean-up."""
    count = chance.randrange(1, 7)

    def step(**more: Any) -> dict[str, Any]:
        payload = {"took": chance.choice([0, 0.001, 0.03]), **more.pop("payload", {})}
        return {"type": "step", "max_attempts": 100, "payload": payload, **more}

    line = f"echo start $QCTL_JOB >> {trace}; sleep {chance.choice([0, 0.02])}; echo end $QCTL_JOB >> {trace}"
    return {
        "name": "mixed",
        "on_failure": "tidy",
        "steps": {
            "list": step(payload={"give": {"items": list(range(count)), "go": chance.random() < 0.5}}),
            "each": step(payload={"give": "${item}"}, foreach="${steps.list.result.items}"),
            "sum": step(payload={"give": "${steps.each.result}", "fails": fails}),
            "maybe": step(when="steps.list.result.go"),
            "line": {"shell": line, "needs": ["list"], "max_attempts": 100, "backoff": "fixed:0s"},
            "last": step(needs=["sum", "maybe", "line"]),
            "tidy": step(),
        },
    }


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("kills", [10, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_a_kill_at_any_moment_loses_no_step_and_runs_none_before_its_needs(
    queue: Queue, work: Work, tmp_path: Path, kills: int
) -> None:
    trace, module = tmp_path / "trace", tmp_path / "jobs.py"
    module.write_text(HANDLERS.format(trace=str(trace)))
    chance = random.Random(kills)
    fails = {number for number in range(1, kills + 9) if chance.random() < 0.2}
    for number in range(1, kills + 9):
        assert queue.run_flow(mixed_flow(chance, trace, number in fails)) == number
    argv = ("-c", "2", "--handlers", str(module), "--quiet")
    workers = [work(*argv), work(*argv)]
    done, unfinished = 0, "SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing')"
    while done < kills:
        if queue.store.read(unfinished) == [(0,)]:
            more = len(queue.flows()) + 1
            assert queue.run_flow(mixed_flow(chance, trace, False)) == more
        patience = time.monotonic() + 2
        while not queue.store.read(BUSY) and time.monotonic() < patience:
            time.sleep(0.01)  # a kill is to hit a worker at work, not one that starts
        time.sleep(chance.uniform(0, 0.1))
        index = chance.randrange(2)
        victims = [workers[index].pid, *descendants(workers[index].pid)]
        what = chance.choice(["worker", "child", "all"])
        chosen = victims[:1] if what == "worker" else [chance.choice(victims)] if what == "child" else victims
        for pid in chosen:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        done += 1
        if workers[index].pid in chosen:
            workers[index].communicate()
            workers[index] = work(*argv)
    until(lambda: queue.store.read(unfinished) == [(0,)], 60 + kills)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)
    check(queue, trace, fails)


def check(queue: Queue, trace: Path, fails: set[int]) -> None:
    """What the steps wrote and what the file says are one story."""
    assert queue.store.read("PRAGMA integrity_check") == [("ok",)]
    starts: dict[int, list[int]] = defaultdict(list)
    ends: dict[int, list[int]] = defaultdict(list)
    for place, line in enumerate(trace.read_text().splitlines()):
        word, number = line.split()
        (starts if word == "start" else ends)[int(number)].append(place)
    for flow in queue.flows():
        jobs = named(queue, flow["number"])
        failed = flow["number"] in fails
        count = len(jobs["list"].result["items"])
        made = [jobs[f"each[{n}]"] for n in range(count)]
        assert len(jobs) == 7 + count and [job.result for job in made] == list(range(count))
        assert Counter(job.step for job in made).most_common(1)[0][1] == 1
        assert jobs["each"].result == list(range(count))
        assert {name: job.status for name, job in jobs.items() if job.status != "completed"} == (
            {"sum": "failed", "last": "blocked"} if failed else {}
        )
        assert flow["status"] == ("failed" if failed else "completed")
        ran = {name: job.number for name, job in jobs.items() if job.number in ends}
        skipped = (
            {"each"} | ({"maybe"} if not jobs["list"].result["go"] else set()) | ({"last"} if failed else {"tidy"})
        )
        assert set(ran) == set(jobs) - skipped
        before = {"each": ["list"], "sum": [job.step for job in made], "line": ["list"], "maybe": ["list"],
                  "last": ["sum", "maybe", "line"], "tidy": ["sum", "line", "maybe"]}  # fmt: skip
        before |= {job.step: ["list"] for job in made}
        for name, needs in before.items():
            for need in needs:
                if name in ran and need in ran:
                    assert min(starts[ran[name]]) > min(ends[ran[need]]), (flow["number"], name, need)
        for name, number in ran.items():
            outcomes = [run["outcome"] for run in queue.history(number)]
            assert outcomes.count("completed") == (0 if name == "sum" and failed else 1), (name, outcomes)
            assert len(ends[number]) <= len(outcomes)


def named(queue: Queue, number: int) -> dict[str, Any]:
    return {job.step: job for job in map(queue.get, queue.steps(number))}
