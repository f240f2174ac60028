"""A power cut at every point of a recorded run: the file opens, what was acknowledged is there, every job ends once."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.ending import Ending, Facts
from qctl.rules.when import to_text
from qctl.store.sqlite import workers
from tests.faults.powercut import Disk, Event, events
from tests.faults.preload import NEEDS, compiled

NOT_YET = ("pending", "processing")
SHARES = (0.0, 1.0, 0.5, 0.8, 0.2)
"""Parts of what is not sure that an image has: nothing, all, and any."""

ENQUEUER = """
import sys
from qctl.queue import Queue
path, count, level, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
queue = Queue(path)
queue.store.connection.execute("PRAGMA synchronous=" + level)
for n in range(count):
    number = queue.enqueue("bad" if n % 7 == seed else "good", {"n": n, "fill": "x" * (n * 37 % 900)})
    print(number, flush=True)
    if n % 20 == 19:
        queue.store.tidy(50)
"""
BEHIND = """
import os, sys, time
from qctl.model import NewJob
from qctl.queue import Queue
from qctl.store.sqlite import syncer
from qctl.store.sqlite.store import SQLiteStore
queue, store = Queue(sys.argv[1]), SQLiteStore(sys.argv[1])
queue.enqueue("good")
syncer.sync_behind(store)
print(0, flush=True)
store.insert([NewJob("good")], "2026-01-01 00:00:00.000")
while store.syncer.mended is None and len(sys.argv) > 2:
    time.sleep(0.001)
for n in range(3):
    print(queue.enqueue("good"), flush=True)
os._exit(0)
"""
HANDLERS = """
from qctl import Dead, handler

@handler("good")
def good(n, fill):
    return n

@handler("bad")
def bad(n, fill):
    raise Dead("no")
"""
ENDED = re.compile(r" ([✓✗+x]) +(\d+) ")


def record(folder: Path, count: int, level: str = "FULL") -> tuple[Path, list[Event]]:
    """Two enqueuers and a worker on a new queue, in processes of their own; what they did to it, in order."""
    library = compiled(folder)
    db, log, module = folder / "run" / "queue.db", folder / "log", folder / "jobs.py"
    db.parent.mkdir()
    module.write_text(HANDLERS)
    env = dict(
        os.environ, LD_PRELOAD=str(library), RECORD_DB=str(db), RECORD_LOG=str(log), RECORD_SAID="1", PYTHONUTF8="1"
    )

    def start(*argv: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *argv], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        )

    enqueuers = [start("-c", ENQUEUER, str(db), str(count // 2), level, str(seed)) for seed in (1, 2)]
    worker = start("-m", "qctl", "--db", str(db), "work", "-c", "2", "--handlers", str(module))
    for process in enqueuers:
        assert process.wait(60) == 0
    last = start("-m", "qctl", "--db", str(db), "work", "--drain", "--handlers", str(module))
    last.wait(60)
    worker.terminate()
    assert worker.wait(30) == 0
    return db, list(events(log))


class Said:
    """What was promised so far: numbers printed, and ends that the worker told."""

    def __init__(self) -> None:
        self.numbers: set[int] = set()
        self.ended: dict[int, str] = {}

    def take(self, event: Event) -> None:
        text = event.data.decode()
        if event.name == "stdout":
            self.numbers |= {int(word) for word in text.split()}
            return
        for mark, number in ENDED.findall(text):
            self.ended[int(number)] = "completed" if mark in "✓+" else "failed"


def cut_everywhere(history: list[Event], folder: Path, every: int, images: int) -> tuple[int, list[str]]:
    """Cut before each `every`th event, `images` times; how many images were looked at, and what was wrong with any."""
    disk, said, chance = Disk(), Said(), random.Random(1)
    count, faults = 0, []
    for at, event in enumerate([*history, None]):
        if at % every == 0 or event is None:
            for share in SHARES[:images]:
                count += 1
                fault = look(folder / "image", disk.cut(chance, share), said)
                if fault:
                    faults.append(f"event {at}, {share:.0%} of what was not sure: {fault}")
        if event is not None:
            (said if event.kind == "A" else disk).take(event)
    return count, faults


def look(folder: Path, files: dict[str, bytearray], said: Said) -> str | None:
    """What is wrong with a queue after the power came back; None: nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    db = folder / "queue.db"
    for name, data in files.items():
        (folder / ("queue.db" + name.removeprefix("db"))).write_bytes(data)
    (folder / "queue.db-shm").write_bytes(b"what was left in memory" * 1424)
    with Queue(db) as queue:
        found = queue.store.read("PRAGMA integrity_check")
        if found != [("ok",)]:
            return f"damaged: {found}"
        stored = dict(queue.store.read("SELECT number, status FROM jobs"))
        lost = said.numbers - stored.keys()
        if lost:
            return f"acknowledged and lost: {sorted(lost)}"
        # A worker's commits reach the disk right behind it: what ended at the very last may run again, as after its death.
        other = {number for number, status in said.ended.items() if stored.get(number) not in (status, *NOT_YET)}
        if other:
            return f"said to have ended, and ended otherwise: {sorted(other)}"
        tokens = dict(queue.store.read("SELECT number, token FROM jobs WHERE status IN ('completed', 'failed')"))
        finish_all(queue)
        return unlike_sentence_two(queue, tokens)


def finish_all(queue: Queue) -> None:
    """What a worker does that comes after the cut: give back what the dead one held, then run everything."""
    store, now = queue.store, 4_000_000_000.0
    workers.register(store, "after", 1, now)
    workers.bury(store, workers.dead_workers(store, "after", now, 300.0), now, lambda: 0.0)
    while leases := store.claim("after", 100, to_text(now), handlers={"good", "bad"}):
        ended = [
            (
                Ending(
                    one.number, one.token, ending.SUCCEEDED if one.type == "good" else ending.DEAD, started_at=now,
                    finished_at=now, error=None if one.type == "good" else "no",
                ),
                Facts(one.attempts, one.max_attempts, one.backoff, one.rescues),
            )
            for one in leases
        ]  # fmt: skip
        store.finish("after", ended, to_text(now), lambda: 0.0)


def unlike_sentence_two(queue: Queue, tokens: dict[int, int]) -> str | None:
    """Every job ends exactly once; what had ended before the cut has not run again."""
    letters = Counter(row[0] for row in queue.store.read("SELECT original_job_id FROM dead_letter_jobs"))
    known = queue.store.read("SELECT number, id, type, status, token FROM jobs")
    for number, id_, type_, status, token in known:
        if (status, letters.pop(id_, 0)) != (("completed", 0) if type_ == "good" else ("failed", 1)):
            return f"job {number} ended as {status}"
        if tokens.get(number, token) != token:
            return f"job {number} had ended, and ran again"
    return f"letters of no job: {letters}" if letters else None


@NEEDS
def test_whenever_the_power_goes_what_was_acknowledged_is_there_and_every_job_ends_once(tmp_path: Path) -> None:
    _db, history = record(tmp_path, 60)
    kinds = Counter(event.kind for event in history)
    assert kinds["W"] > 300 and kinds["E"] > 60 and kinds["A"] > 60
    assert any(event.kind == "E" and event.name == "db" for event in history), "no checkpoint was among it"
    count, faults = cut_everywhere(history, tmp_path, every=len(history) // 40, images=3)
    assert count > 100
    assert faults == []


@NEEDS
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_power_cut_at_every_write_of_a_run_of_200_jobs(tmp_path: Path) -> None:
    _db, history = record(tmp_path, 200)
    count, faults = cut_everywhere(history, tmp_path, every=1, images=len(SHARES))
    print(f"{count} images of {len(history)} events")
    assert faults == []


@NEEDS
def test_the_cuts_catch_an_enqueue_that_does_not_sync(tmp_path: Path) -> None:
    """The control: with synchronous=NORMAL a number is printed before its job is on disk, and the harness sees that."""
    _db, history = record(tmp_path, 30, "NORMAL")
    _count, faults = cut_everywhere(history, tmp_path, every=max(1, len(history) // 60), images=1)
    assert any("acknowledged and lost" in fault for fault in faults), faults


def record_behind(folder: Path, fail: str | None) -> list[Event]:
    """A store that syncs behind its commits, and one that does so before it tells of them, in one process."""
    db, log = folder / "run" / "queue.db", folder / "log"
    shutil.rmtree(db.parent, ignore_errors=True)
    db.parent.mkdir()
    log.unlink(missing_ok=True)
    env = dict(os.environ, LD_PRELOAD=str(compiled(folder)), RECORD_DB=str(db), RECORD_LOG=str(log), RECORD_SAID="1")
    argv = [str(db)] if fail is None else [str(db), fail]
    subprocess.run([sys.executable, "-c", BEHIND, *argv], env=env | {"FAIL": fail or ""}, timeout=60, check=True)
    return list(events(log))


@NEEDS
def test_what_stands_behind_a_failed_sync_is_on_disk_once_the_log_was_written_again(tmp_path: Path) -> None:
    """The system takes pages for written whose sync failed: a job that was synced behind them would be lost with them."""
    history = record_behind(tmp_path, None)
    ready = next(at for at, event in enumerate(history) if event.kind == "A")
    syncs = sum(1 for event in history[:ready] if event.kind == "B")
    history = record_behind(tmp_path, f"S,{syncs + 1},1")
    (failed,) = [at for at, event in enumerate(history) if event.kind == "F"]
    mended = next(at for at in range(failed, len(history)) if history[at].kind == "E")
    again = [event for event in history[failed:mended] if event.kind == "W" and event.name == "-wal"]
    assert len(again) == 1, "the log, in one piece"
    assert lost_after(history, tmp_path / "image") == []
    # The control: without that, the harness sees the loss.
    assert lost_after([event for event in history if event is not again[0]], tmp_path / "image")


def lost_after(history: list[Event], folder: Path) -> list[str]:
    """What is wrong after a cut behind each line printed, that takes all which is not sure."""
    disk, said, chance = Disk(), Said(), random.Random(1)
    faults = []
    for event in history:
        (said if event.kind == "A" else disk).take(event)
        if event.kind == "A" and event.data.strip() != b"0":
            fault = look(folder, disk.cut(chance, 0.0), said)
            faults += [fault] if fault else []
        said.numbers.discard(0)
    return faults
