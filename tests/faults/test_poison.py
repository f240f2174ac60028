"""Jobs that harm what runs them: each uses its attempts and becomes a dead letter, the worker lives, the others go on."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import Ground, orphans
from tests.worker.conftest import until

Report = Callable[[str, int, str], None]
LONG = [pytest.mark.long, pytest.mark.timeout(3600)]
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")

MODULE = """
import ctypes, os, signal, subprocess, sys, time
from qctl import handler

def poison(function):
    return handler(function.__name__, max_attempts=2, backoff="fixed:0s", timeout="300ms")(function)

@poison
def segfaults():
    ctypes.string_at(0)

@poison
def exits():
    os._exit(0)

@poison
def leaves():
    sys.exit(3)

@poison
def swallows():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(0.01)

@poison
def daemonises():
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        time.sleep(60)
        os._exit(0)
    time.sleep(60)

@poison
def closes():
    os.closerange(0, 256)
    raise SystemError("closed all")

@handler("eats", max_attempts=2, backoff="fixed:0s", timeout="60s")
def eats():
    hold = []
    while True:
        hold.append(bytearray(1 << 24))

@poison
def babbles():
    sys.stdout.buffer.write(b"\\0\\xff\\xfe\\x1b]0;title\\a\\x1b[2J\\r\\n" * 50)
    sys.stdout.flush()
    raise ValueError("\\0 \\x1b[31mred\\x1b[0m \\ud800")

@poison
def recurses():
    recurses()

@handler("good")
def good():
    return 1
"""
KINDS = ("segfaults", "exits", "leaves", "swallows", "daemonises", "closes", "eats", "babbles", "recurses")
COMMANDS = {
    "closes all": "exec 0<&- 1>&- 2>&-; sleep 0.05; exit 1",
    "ignores SIGTERM": "trap '' TERM; while :; do sleep 0.05; done",
    "leaves a daemon": "setsid sh -c 'sleep 60' & sleep 60",
    "kills itself": "kill -SEGV $$",
    "kills its group": "kill -9 0",
    "babbles": "printf '\\0\\377\\033]0;t\\007\\033[2J'; printf '\\033[31mred\\377' >&2; exit 1",
    "cannot be found": "exec /nowhere/at/all",
}


@linux
@pytest.mark.parametrize("times", [1, pytest.param(20, marks=LONG)])
def test_a_poison_job_costs_itself_and_nobody_else(ground: Callable[[int], Ground], report: Report, times: int) -> None:
    one = ground(0)
    module = one.folder / "poison.py"
    module.write_text(MODULE)
    attempts = 1 if times == 1 else 2  # some of them take their time to die
    bad = [one.queue.enqueue(kind, max_attempts=attempts) for kind in KINDS for _ in range(times)]
    bad += [
        one.queue.enqueue(shell=line, max_attempts=attempts, backoff="fixed:0s", timeout="300ms")
        for line in COMMANDS.values()
        for _ in range(times)
    ]
    good = [one.queue.enqueue("good") for _ in range(20 * times)]
    good += [one.queue.enqueue(shell="echo fine") for _ in range(10 * times)]
    worker = one.start("-c", "8", "--handlers", str(module), "--memory", "512m")
    read = one.queue.store.read
    until(
        lambda: read("SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing')") == [(0,)], 30 + 30 * times
    )
    assert worker.poll() is None, "it lives"
    assert {one.queue.get(number).status for number in good} == {"completed"}
    for number in bad:
        job = one.queue.get(number)
        assert (job.status, job.attempts) == ("failed", attempts), (job.type, job.command, one.queue.history(number))
        assert job.last_error
        assert len(read("SELECT 1 FROM dead_letter_jobs WHERE original_job_id = ?", (job.id,))) == 1
    errors = {one.queue.get(number).type: one.queue.get(number).last_error for number in bad}
    assert "SIGSEGV" in errors["segfaults"]
    assert "MemoryError" in errors["eats"]
    assert read("PRAGMA integrity_check") == [("ok",)]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert orphans(one.db) == []
    assert (one.folder / "stderr").read_text() == ""
    kinds = len(KINDS) + len(COMMANDS)
    report(
        "poison",
        len(bad),
        f"{kinds} kinds x {times}: attempts used, a dead letter each, worker alive, {len(good)} good jobs beside them"
        " completed, no orphan",
    )


@linux
@pytest.mark.parametrize("size", [64 << 20, pytest.param(1 << 30, marks=LONG)])
def test_a_flood_of_output_is_bounded_and_keeps_nobody_else_from_running(
    ground: Callable[[int], Ground], report: Report, size: int
) -> None:
    one = ground(0)
    worker = one.start("-c", "2")
    until(one.queue.live_workers)
    flood = one.queue.enqueue(command=["head", "-c", str(size), "/dev/zero"])
    until(lambda: one.queue.get(flood).status == "processing")
    slowest, count = 0.0, 0
    while one.queue.get(flood).status == "processing" and count < 2000:
        number, begun = one.queue.enqueue(command=["true"]), time.monotonic()
        until(lambda number=number: one.queue.get(number).status == "completed")
        slowest, count = max(slowest, time.monotonic() - begun), count + 1
    until(lambda: one.queue.get(flood).status == "completed", 60)
    kept = one.queue.store.read("SELECT sum(length(data)) FROM qctl_output WHERE job = ?", (flood,))[0][0]
    assert kept <= 1 << 20
    disk = sum(file.stat().st_size for file in one.folder.glob("queue.db*"))
    assert disk < 64 << 20
    memory = int(
        next(row for row in Path(f"/proc/{worker.pid}/status").read_text().splitlines() if "VmHWM" in row).split()[1]
    )
    assert memory < 200_000, "kB"
    assert slowest < 5.0
    report(
        f"{size >> 20:,} MB of output",
        1,
        f"{kept:,} bytes kept, {disk >> 20} MB on disk, worker at {memory >> 10} MB; {count} jobs beside it,"
        f" the slowest {slowest * 1000:.0f} ms",
    )


@linux
@pytest.mark.parametrize("times", [1, pytest.param(10, marks=LONG)])
def test_a_worker_at_its_limit_of_descriptors_fails_no_job(
    ground: Callable[[int], Ground], report: Report, times: int
) -> None:
    jobs = 0
    for limit in (42, 56) * times:
        one = ground(limit)
        numbers = [one.queue.enqueue(shell=one.line("sleep 0.1"), max_attempts=1) for _ in range(14)]
        numbers += [one.queue.enqueue("job", {"took": 0.05}, max_attempts=1) for _ in range(8)]
        numbers += [one.queue.enqueue("coroutine", {"took": 0.05}, max_attempts=1) for _ in range(8)]
        one.numbers = numbers
        worker = one.start("-c", "16", "--handlers", str(one.module), files=limit)
        read = one.queue.store.read
        until(
            lambda read=read: read("SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing')") == [(0,)], 60
        )
        assert worker.poll() is None
        one.finish(30)
        assert {one.queue.get(number).status for number in numbers} == {"completed"}
        one.check()
        one.close()
        jobs += len(numbers)
    report("limit of descriptors", 2 * times, f"{jobs} jobs at 42 and 56 descriptors: all completed, no attempt lost")


@linux
@pytest.mark.parametrize("count", [12, pytest.param(200, marks=LONG)])
def test_many_workers_at_once_share_a_queue(ground: Callable[[int], Ground], report: Report, count: int) -> None:
    one = ground(0)
    one.load(count * 6)
    for _ in range(count):
        one.start("--handlers", str(one.module))
    until(
        lambda: (
            one.queue.live_workers() == count
            or one.queue.store.read("SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing')") == [(0,)]
        ),
        300,
    )
    one.finish(300)
    assert {worker.returncode for worker in one.workers} == {0}
    assert (one.folder / "stderr").read_text() == ""
    seen = one.check()
    assert seen["again"] == 0
    report(f"{count} workers at once", 1, f"the four sentences over {seen['jobs']:,} jobs, each run once, no error")


@linux
@pytest.mark.parametrize("rounds", [1, pytest.param(25, marks=LONG)])
def test_frozen_workers_are_fenced_and_thawed_ones_go_on(
    ground: Callable[[int], Ground], report: Report, rounds: int
) -> None:
    """Half of them sleep past their lease, half wake in time. What they ran ends once, and never twice at the same time."""
    killed = 0
    for round_ in range(rounds):
        one = ground(round_)
        one.queue.store.set_setting("stale_after", "1s")
        frozen = [one.start("--handlers", str(one.module), "--busy-timeout", "1s") for _ in range(8)]
        until(lambda one=one: one.queue.live_workers() == 8, 60)
        one.numbers = [
            one.queue.enqueue("job", {"took": 0.4}) if n % 2 else one.queue.enqueue(shell=one.line("sleep 0.4"))
            for n in range(8)
        ]
        until(lambda one=one: len(one.trace.read_text().splitlines()) >= 6)
        for worker in frozen:
            worker.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        for worker in frozen[:4]:
            worker.send_signal(signal.SIGCONT)
        one.start("-c", "2", "--handlers", str(one.module), "--busy-timeout", "1s")
        over = lambda one=one: one.queue.store.read(  # noqa: E731
            "SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing')") == [(0,)]  # fmt: skip
        until(over, 30)
        until(lambda one=one: one.queue.live_workers() == 5, 30)
        for worker in frozen[4:]:
            worker.send_signal(signal.SIGCONT)
            killed += worker.wait(20) == -signal.SIGKILL
        one.finish(30)
        one.check()
        assert [worker.returncode for worker in frozen[:4]] == [0] * 4, "they woke in time"
        one.close()
    assert killed == 4 * rounds
    report(
        "worker frozen",
        8 * rounds,
        f"the four sentences; {killed} past their lease were ended before their jobs were taken",
    )
