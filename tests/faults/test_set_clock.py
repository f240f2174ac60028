"""The clock of the day is set under live workers: a day or an hour on or back, back across a tick, through both changes of
summer time, and past a sleep of the machine. No stampede, no tick lost or doubled, no job of a living runner taken away."""

from __future__ import annotations

import calendar
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules.when import from_text, to_text
from tests.faults.preload import NEEDS, compiled
from tests.worker import conftest

pytestmark = NEEDS
HOUR, DAY = 3600.0, 86_400.0
JUMPS = {"a day on": DAY, "a day back": -DAY, "an hour on": HOUR, "an hour back": -HOUR, "back across a tick": -2.0}
CHANGES = {
    "summer time ends": ((2026, 11, 1, 5), "30 1 * * *", (2026, 11, 1, 5, 30)),  # 01:30, the first of two
    "summer time begins": ((2027, 3, 14, 6), "30 2 * * *", (2027, 3, 14, 7)),  # at 03:00, as there is no 02:30
}
KINDS = [*JUMPS, "a sleep", *CHANGES]
NEW_YORK = "America/New_York"


def until(what: Callable[[], Any]) -> None:
    """In the long form the machine may have other things to do."""
    conftest.until(what, 60)


def epoch(*when: int) -> float:
    return float(calendar.timegm((*when, 0, 0, 0)[:6]))


class Day:
    """A queue whose processes have a clock that can be set."""

    def __init__(self, folder: Path, library: Path, start: float) -> None:
        self.db, self.file = folder / "queue.db", folder / "clock"
        self.lead = 0.0
        self.file.write_bytes(bytes(8))
        self.set(start)
        self.env = dict(os.environ, LD_PRELOAD=str(library), CLOCK_FILE=str(self.file))
        self.queue = Queue(self.db)
        self.workers = [self.start("work", "-c", "4", "--quiet") for _ in range(2)]
        until(lambda: self.queue.store.read("SELECT count(*) FROM qctl_workers") == [(2,)])

    def set(self, now: float) -> None:
        self.lead = now - time.time()
        with self.file.open("r+b") as file:  # in place: it is mapped
            file.write(int(self.lead * 1e9).to_bytes(8, sys.byteorder, signed=True))

    def now(self) -> float:
        return time.time() + self.lead

    def start(self, *argv: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "qctl", "--db", str(self.db), *argv],
            env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
        )  # fmt: skip

    def enqueue(self, *jobs: dict[str, Any]) -> list[int]:
        lines = "".join(json.dumps(job) + "\n" for job in jobs)
        out, err = self.start("enqueue", "--from", "-", stdin=subprocess.PIPE).communicate(lines, timeout=30)
        assert not err, err
        return [int(line) for line in out.split()]

    def schedule(self, name: str, line: str, catch_up: str) -> None:
        with self.queue.store.write() as connection:
            connection.execute(
                "INSERT INTO cron_schedules (name, type, command, cron_expression, time_zone, catch_up, overlap)"
                " VALUES (?, ?, '[\"true\"]', ?, ?, ?, 'allow')",
                (name, name, line, NEW_YORK, catch_up),
            )

    def ticks(self, name: str) -> list[float]:
        """The ticks of a schedule that became jobs, in the order they did."""
        rows = self.queue.store.read("SELECT tick FROM jobs WHERE type = ? ORDER BY number", (name,))
        return [from_text(row[0]) for row in rows]

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.terminate()
            assert worker.wait(30) == 0, worker.communicate()
        self.queue.close()


@contextmanager
def day(folder: Path, library: Path, start: float) -> Iterator[Day]:
    folder.mkdir()
    one = Day(folder, library, start)
    try:
        yield one
    finally:
        one.close()


def jump(folder: Path, library: Path, kind: str) -> None:
    """Set the clock behind a tick at noon, while jobs run, wait, and are in the hands of a stranger."""
    noon = epoch(2026, 11, 25, 12)
    with day(folder, library, noon - 20) as one:
        one.schedule("minutes", "* * * * *", "latest")
        one.schedule("hours", "0 * * * *", "all")
        go = folder / "go"
        line = f"while [ ! -e '{go}' ]; do sleep 0.05; done"
        running = one.enqueue(*[{"shell": line, "timeout": "10m", "max_attempts": 1}] * 4)
        (delayed,) = one.enqueue({"shell": "true", "in": "30m"})
        (foreign,) = one.enqueue({"type": "foreign"})
        with one.queue.store.write() as connection:
            connection.execute(
                "UPDATE jobs SET status = 'processing', locked_by = 'stranger', locked_at = ? WHERE number = ?",
                (to_text(one.now()), foreign),
            )
        until(lambda: {one.queue.get(number).status for number in running} == {"processing"})
        one.set(noon - 0.1)
        until(lambda: one.ticks("minutes") and one.ticks("hours"))
        if kind == "a sleep":
            for worker in one.workers:
                worker.send_signal(signal.SIGSTOP)
        leap = JUMPS.get(kind, 8 * HOUR)
        before = one.now()
        one.set(before + leap)
        if kind == "a sleep":
            time.sleep(0.2)
            for worker in one.workers:
                worker.send_signal(signal.SIGCONT)
        late = one.enqueue(*[{"shell": "true"}] * 5)
        until(lambda: {one.queue.get(number).status for number in late} == {"completed"})
        hours = [noon + n * HOUR for n in range(int(max(leap, 0.0) // HOUR) + 1)]
        until(lambda: len(one.ticks("hours")) >= len(hours))
        if leap > 0:
            until(lambda: one.queue.get(delayed).status == "completed")
        time.sleep(1.3)  # they look around once a second: what should not come has had its time
        assert {one.queue.get(number).status for number in running} == {"processing"}
        go.touch()
        until(lambda: {one.queue.get(number).status for number in running} == {"completed"})
        for number in running + late:
            assert [run["outcome"] for run in one.queue.history(number)] == ["completed"], "taken away"
        assert one.queue.get(foreign).locked_by == "stranger", "taken from one that lives"
        if leap < 0:
            assert one.queue.get(delayed).status == "pending"
        assert one.ticks("hours") == hours, "lost, doubled, or out of order"
        minutes = one.ticks("minutes")
        assert minutes[0] == noon and minutes == sorted(set(minutes)) and minutes[-1] <= max(before, one.now())
        if leap == -2.0:
            until(lambda: one.now() > noon + 0.5)
        assert len(minutes) == (1 if leap < 0 else 2), "a stampede"


def change(folder: Path, library: Path, kind: str) -> None:
    """Through a change of summer time, in steps of half an hour."""
    begin, line, once = CHANGES[kind]
    start = epoch(*begin)
    with day(folder, library, start + 1) as one:
        one.schedule("halves", "*/30 * * * *", "all")
        one.schedule("daily", line, "latest")
        until(lambda: one.queue.store.read("SELECT count(*) FROM cron_schedules WHERE next_run_at IS NULL") == [(0,)])
        for step in range(1, 7):
            one.set(start + step * HOUR / 2 + 1)
            until(lambda step=step: len(one.ticks("halves")) >= step)
        time.sleep(1.3)
        assert one.ticks("halves") == [start + n * HOUR / 2 for n in range(1, 7)]
        assert one.ticks("daily") == [epoch(*once)]


@pytest.mark.parametrize(
    ("kinds", "rounds"),
    [
        (["a day on", "an hour back", "back across a tick", "summer time ends"], 1),
        pytest.param(KINDS, 13, marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
    ids=["short", "long"],
)
def test_a_clock_that_is_set_costs_no_tick_and_no_job(
    tmp_path: Path, report: Callable[[str, int, str], None], kinds: list[str], rounds: int
) -> None:
    library = compiled(tmp_path, "clock")
    trials = [(kind, n) for n in range(rounds) for kind in kinds]

    def one(trial: tuple[str, int]) -> None:
        kind, n = trial
        (change if kind in CHANGES else jump)(tmp_path / f"{kind} {n}", library, kind)

    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(one, trials):
            pass
    report(
        "clock set",
        len(trials),
        f"{', '.join(kinds)}: no stampede, no tick lost or doubled, no job taken from a living runner",
    )


def test_the_clock_of_a_process_is_set(tmp_path: Path) -> None:
    """The control: Python, SQLite and the system's own functions have the clock of the file; waiting goes on as before."""
    file = tmp_path / "clock"
    file.write_bytes(int(-DAY * 1e9).to_bytes(8, sys.byteorder, signed=True))
    code = (
        "import sqlite3, time; t = time.time(); time.sleep(0.01); "
        "print(t, sqlite3.connect(':memory:').execute(\"SELECT strftime('%s', 'now')\").fetchone()[0])"
    )
    env = dict(os.environ, LD_PRELOAD=str(compiled(tmp_path, "clock")), CLOCK_FILE=str(file))
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=10, check=True)
    for word in out.stdout.split():
        assert abs(time.time() - DAY - float(word)) < 10
