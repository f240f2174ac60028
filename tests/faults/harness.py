"""Real workers on a mixed load, faults at random moments, and then the four sentences, from what the jobs wrote themselves.

A job appends a line to one file when it starts and when it ends, and holds a lock of its own for as long as any process
of it lives, so that a second runner of the same job shows itself.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from qctl.rules.ending import MAX_CRASHES, MAX_RESCUES

LOCK_WAIT = 0.2
"""Seconds that the processes of a killed run may take to vanish once the kernel was told to end them."""

MODULE = """
import fcntl, os, time
from qctl import handler

def write(line):
    fd = os.open({trace!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (line + "\\n").encode())
    os.close(fd)

def lock(number):
    fd = os.open({locks!r} + "/" + str(number), os.O_RDWR | os.O_CREAT)
    end = time.monotonic() + {wait}
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError:
            if time.monotonic() > end:
                write("double " + str(number))
                return fd
            time.sleep(0.005)

@handler("job", backoff="fixed:0s", max_attempts=1000)
def work(took, job):
    fd = lock(job.number)
    write("start " + str(job.number))
    time.sleep(took)
    write("end " + str(job.number))
    os.close(fd)

@handler("coroutine", backoff="fixed:0s", max_attempts=1000)
async def coroutine(took, job):
    import asyncio
    write("start " + str(job.number))
    await asyncio.sleep(took)
    write("end " + str(job.number))
"""

LINE = (
    "exec 9>{locks}/$QCTL_JOB; flock -w {wait} 9 || echo double $QCTL_JOB >> {trace};"
    " echo start $QCTL_JOB >> {trace}; {work}; echo end $QCTL_JOB >> {trace}"
)


class Broken(AssertionError):
    """One of the four sentences does not hold."""


class Ground:
    """A queue, its workers, and what their jobs wrote."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.db = folder / "queue.db"
        self.trace = folder / "trace"
        self.locks = folder / "locks"
        self.locks.mkdir()
        self.trace.touch()
        names = {"trace": str(self.trace), "locks": str(self.locks), "wait": LOCK_WAIT}
        self.module = folder / "faulty_jobs.py"
        self.module.write_text(MODULE.format(**names))
        self.names = names
        self.queue = Queue(self.db)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.numbers: list[int] = []
        self.recoveries: list[float] = []
        self.dying: dict[int, float] = {}  # pid of a worker that was killed: when
        self.since: dict[int, float] = {}  # pid of a living worker: since when it is known to be at work

    # -- load -----------------------------------------------------------------------------------------------------

    def line(self, work: str) -> str:
        return LINE.format(work=work, **self.names)

    def load(self, count: int) -> None:
        """No-ops, short and long handlers, coroutines, commands, sleepers, and flows of two."""
        jobs: list[dict[str, Any]] = []
        for n in range(count):
            kind, long = n % 6, n % 60 < 6
            if kind < 3:
                took = 0.4 if long else self.chance.choice([0, 0, 0.002, 0.05])
                jobs.append({"type": "job", "payload": {"took": took}})
            elif kind == 3:
                jobs.append({"type": "coroutine", "payload": {"took": self.chance.choice([0, 0.05])}})
            else:
                work = "sleep 0.5" if n % 30 < 6 else self.chance.choice(["true", "true", "sleep 0.02"])
                jobs.append({"shell": self.line(work), "max_attempts": 1000, "backoff": "fixed:0s"})
        self.numbers += self.queue.enqueue_many(jobs)
        for parent in self.chance.sample(self.numbers, count // 20):
            self.numbers.append(self.queue.enqueue("job", {"took": 0}, after_any=[parent]))

    def start(self, *argv: str, files: int | None = None) -> subprocess.Popen[bytes]:
        """A worker; `files`: how many descriptors it may have."""
        command = [sys.executable, "-m", "qctl", "--db", str(self.db), "work", "--quiet", *argv]
        if files is not None:
            command = ["/bin/sh", "-c", f'ulimit -Sn {files} && exec "$@"', "sh", *command]
        with (self.folder / "stderr").open("ab") as err:
            worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, start_new_session=True)
        self.workers.append(worker)
        return worker

    def start_mixed(self) -> subprocess.Popen[bytes]:
        return self.start("-c", "2", "--handlers", str(self.module))

    # -- faults ---------------------------------------------------------------------------------------------------

    def kill(self) -> str:
        """Kill -9 something of one worker, or of all of them; what it was."""
        what = self.chance.choice(["worker", "child", "command", "all"])
        marks = {"child": b"QCTL_CHILD=", "command": b"QCTL_LEASE="}
        commands: list[int] = []
        handlers: list[int] = []
        for index in self.chance.sample(range(len(self.workers)), len(self.workers)):
            worker = self.workers[index]
            below = descendants(worker.pid)
            commands = [pid for pid in below if marks["command"] in environment(pid)]
            handlers = [pid for pid in below if marks["child"] in environment(pid)]
            if {"child": handlers, "command": commands}.get(what, [worker.pid]):
                break
        victims = {
            "worker": [worker.pid],
            "child": handlers and [self.chance.choice(handlers)],
            "command": commands and [self.chance.choice(commands)],
            "all": [worker.pid, *below],
        }[what]
        if not victims:
            what, victims = "worker", [worker.pid]
        for pid in victims:
            signal_to(pid, signal.SIGKILL)
        if worker.pid in victims:
            self.dying[worker.pid] = time.monotonic()
            worker.wait()
            del self.workers[index]
            self.start_mixed()
        return what

    def watch(self) -> None:
        """See which of the killed workers have been buried by now."""
        there = {row[0] for row in self.queue.store.read("SELECT pid FROM qctl_workers")}
        now = time.monotonic()
        alive = {worker.pid for worker in self.workers} & there
        self.since = {pid: self.since.get(pid, now) for pid in alive}
        for pid in [pid for pid in self.dying if pid not in there]:
            # It can only be buried by somebody who lives: those who died while they were at it do not count.
            begun = max(self.dying.pop(pid), min(self.since.values(), default=now))
            self.recoveries.append(now - begun)

    def finish(self, seconds: float) -> None:
        """Wait until nothing is left to run, and stop the workers."""
        end = time.monotonic() + seconds
        left = "SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing', 'blocked')"
        while self.queue.store.read(left) != [(0,)]:
            self.watch()
            if time.monotonic() > end:
                rows = self.queue.store.read(
                    "SELECT number, status, locked_by FROM jobs WHERE status <> 'completed' LIMIT 5"
                )
                raise Broken(f"something waits for ever: {rows}; {(self.folder / 'stderr').read_text()[-2000:]}")
            time.sleep(0.05)
        while self.dying and time.monotonic() < end:
            self.watch()
            time.sleep(0.05)
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(30)

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
        self.queue.close()

    # -- the four sentences ---------------------------------------------------------------------------------------

    def check(self) -> dict[str, int]:
        """Raises Broken where one of the four sentences does not hold; counts what was seen."""
        read = self.queue.store.read
        if read("PRAGMA integrity_check") != [("ok",)]:
            raise Broken("the file is damaged")
        # 1. A number printed is a job on disk.
        status = dict(read("SELECT number, status FROM jobs"))
        lost = set(self.numbers) - status.keys()
        if lost:
            raise Broken(f"lost: {sorted(lost)[:5]}")
        lines = [line.split() for line in self.trace.read_text().splitlines()]
        starts = Counter(int(line[1]) for line in lines if line[0] == "start")
        ends = Counter(int(line[1]) for line in lines if line[0] == "end")
        doubles = [line[1] for line in lines if line[0] == "double"]
        # 3. One runner at a time.
        if doubles:
            raise Broken(f"two runners at once: {doubles[:5]}")
        for number in self.numbers:
            self.check_job(number, status[number], starts[number], ends[number])
        if read("SELECT count(*) FROM jobs WHERE locked_by IS NOT NULL") != [(0,)]:
            raise Broken("somebody still holds a job")
        self.check_order(lines)
        # 4. Nothing waits for ever.
        if self.recoveries and max(self.recoveries) > 5.0:
            raise Broken(f"the jobs of a killed worker waited for {max(self.recoveries):.1f} s")
        left = orphans(self.db)
        if left:
            raise Broken(f"orphans: {left[:5]}")
        return {"jobs": len(self.numbers), "runs": starts.total(), "again": starts.total() - len(starts)}

    def check_job(self, number: int, status: str, starts: int, ends: int) -> None:
        """2. It ended exactly once, and ran more than once only where its history says why."""
        runs = [run["outcome"] for run in self.queue.history(number)]
        letters = self.queue.store.read(
            "SELECT count(*) FROM dead_letter_jobs WHERE original_job_id = (SELECT id FROM jobs WHERE number = ?)",
            (number,),
        )[0][0]
        if status == "completed":
            good = runs.count("completed") == 1 and runs[-1] == "completed" and ends >= 1 and not letters
        else:
            is_poison = runs.count("crashed") >= MAX_CRASHES or runs.count("lost") >= MAX_RESCUES
            good = status == "failed" and letters == 1 and is_poison
        if not good:
            raise Broken(f"job {number}: {status}, {runs}, {ends} ends, {letters} letters")
        if starts > len(runs) or ends > starts:
            raise Broken(f"job {number} started {starts} times and ended {ends} times: {runs}")

    def check_order(self, lines: list[list[str]]) -> None:
        """What waits for another job begins after that has ended."""
        ended: set[int] = set()
        needs = dict(self.queue.store.read("SELECT job, needs FROM qctl_needs"))
        failed = {row[0] for row in self.queue.store.read("SELECT number FROM jobs WHERE status = 'failed'")}
        for word, number, *_ in lines:
            if word == "end":
                ended.add(int(number))
            elif word == "start" and int(number) in needs and needs[int(number)] not in ended | failed:
                raise Broken(f"job {number} began before {needs[int(number)]} had ended")


def environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def descendants(pid: int) -> list[int]:
    """Processes below `pid`, by their parents."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found, look = [], [pid]
    while look:
        below = parents.get(look.pop(), [])
        found += below
        look += below
    return found


def signal_to(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def orphans(db: Path, seconds: float = 5.0) -> list[int]:
    """Processes that were started for jobs of this queue and still live after `seconds`."""
    mark = b"QCTL_DB=" + os.fsencode(db)
    end = time.monotonic() + seconds
    while True:
        found = [
            int(entry)
            for entry in os.listdir("/proc")
            if entry.isdigit() and int(entry) != os.getpid() and mark in environment(int(entry)).split(b"\0")
        ]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.05)


def numbers_in(db: Path, above: int) -> set[int]:
    """The numbers of the jobs that came after number `above`: numbers only grow."""
    connection = sqlite3.connect(db)
    try:
        return {row[0] for row in connection.execute("SELECT number FROM jobs WHERE number > ?", (above,))}
    finally:
        connection.close()


def last_number(db: Path) -> int:
    """The highest number that was ever given out."""
    connection = sqlite3.connect(db)
    try:
        return int((connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").fetchone() or (0,))[0])
    finally:
        connection.close()
