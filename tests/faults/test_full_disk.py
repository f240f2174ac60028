"""A disk of a few MB that fills up: at enqueue, claim, finish, output, purge and backup. Nothing is lost, nothing half done."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.model import DiskFault, QueueFileError
from qctl.queue import Queue
from tests.faults.conftest import SIZE, Disk
from tests.store.test_migrate import next_version
from tests.store.test_upgrade import NEXT, STEP
from tests.worker.conftest import until, work

__all__ = ["next_version", "work"]  # fixtures
Work = Callable[..., Any]

TRIALS = [2, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
"""How often each is tried: a short form, and the long one."""


def qctl(db: Path, *argv: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "qctl", "--db", str(db), *argv],
        input=input,
        capture_output=True,
        timeout=60,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[bytes]) -> bool:
    """Whether it says that it could not, in the way it has to."""
    assert done.returncode in (0, 4), done
    assert done.stderr.count(b"\n") <= 1 and b"Traceback" not in done.stderr, done.stderr
    if done.returncode:
        assert done.stdout == b"" and (b"full" in done.stderr or b"No space" in done.stderr), done
    return done.returncode == 4


def sound(queue: Queue) -> bool:
    return queue.store.read("PRAGMA integrity_check") == [("ok",)]


@pytest.fixture
def bold(queue: Queue) -> Queue:
    """A queue that works on to the last byte, so that the disk itself says no."""
    queue.store.set_setting("min_free", "0")
    queue.store.set_setting("undo_for", "0s")  # what it keeps would fill so small a disk
    return queue


def fill_jobs(count: int) -> bytes:
    return b"".join(b'{"type":"a","payload":{"i":%d,"fill":"%s"}}\n' % (i, b"x" * 500) for i in range(count))


@pytest.mark.parametrize("trials", TRIALS)
def test_enqueue_on_a_full_disk_says_so_in_one_line_and_stores_nothing(
    small_disk: Disk, bold: Queue, db: Path, trials: int
) -> None:
    chance = random.Random(trials)
    no = 0
    for trial in range(trials):
        small_disk.empty()
        bold.purge(statuses=["cancelled"], older_than=-60)  # what the last round stored
        before = bold.count()
        small_disk.fill(chance.choice([0, 4096, 20_000, 60_000]))
        if trial % 2:
            done = (
                qctl(db, "enqueue", "a", input=b"")
                if trial % 4 == 1
                else qctl(db, "enqueue", "a", f'{{"x":"{"y" * 60_000}"}}')
            )
            count = 1
        else:
            done = qctl(db, "enqueue", "--from", "-", "--atomic", input=fill_jobs(2000))
            count = 2000
        no += refused(done)
        assert bold.count() - before == (0 if done.returncode else count)
        assert len(done.stdout.split()) == (0 if done.returncode else count)
        assert sound(bold)
        bold.cancel([job.number for job in bold.find()])
    assert no, "the disk was never full"


def test_a_new_queue_on_a_full_disk_is_refused_and_leaves_none(small_disk: Disk, db: Path) -> None:
    small_disk.fill()
    assert refused(qctl(db, "enqueue", "a"))
    small_disk.empty()
    assert qctl(db, "enqueue", "a").stdout == b"1\n"


@pytest.mark.parametrize("trials", TRIALS)
def test_a_worker_outlives_a_full_disk_and_every_job_ends_once(
    small_disk: Disk, bold: Queue, work: Work, tmp_path: Path, trials: int
) -> None:
    chance = random.Random(trials)
    trace = tmp_path / "trace"
    numbers: list[int] = []
    for trial in range(trials):
        size = chance.choice([10, 3000, 60_000])
        line = f"echo $QCTL_JOB >> {trace}; head -c {size} /dev/zero | tr '\\0' x; sleep 0.0{chance.randrange(9)}"
        new = list(map(int, bold.enqueue_many([{"shell": line, "max_attempts": 3} for _ in range(30)])))
        numbers += new
        one_round(small_disk, bold, work("-c", "2", "--drain"), new[chance.randrange(20)], says=trial % 2 == 1)
        assert sound(bold)
        assert {bold.get(number).status for number in new} == {"completed"}
        assert Counter(trace.read_text().split()) == Counter(map(str, numbers)), "each ran once"
        assert [bold.output_size(number) for number in new] == [size] * 30
        bold.purge(older_than=-60)


def one_round(disk: Disk, queue: Queue, worker: Any, trigger: int, *, says: bool) -> None:
    """Fill the disk when a job has completed, and empty it again, after the worker has noticed if it is to."""
    until(lambda: queue.get(trigger).status == "completed")
    disk.fill()
    if says:
        until(lambda: "kept" in worker.stderr.readline() or worker.poll() is not None)
    disk.empty()
    assert worker.wait(60) == 0, worker.stderr.read()
    assert "Traceback" not in worker.stderr.read()


def test_results_land_on_a_disk_without_a_free_byte(small_disk: Disk, bold: Queue, work: Work) -> None:
    fifo = small_disk.folder / "go"
    os.mkfifo(fifo)
    numbers = bold.enqueue_many([{"shell": f"echo begun; read x < {fifo}; echo done"} for _ in range(8)])
    worker = work("-c", "8", "--quiet")
    until(lambda: {job.status for job in bold.find()} == {"processing"} and bold.output_size(numbers[-1]))
    small_disk.fill()
    assert small_disk.free == 0
    with fifo.open("w") as file:
        file.write("x\n" * 8)
    until(lambda: {job.status for job in bold.find()} == {"completed"})
    assert small_disk.free == 0
    assert [bold.output_size(number) for number in numbers] == [11] * 8
    small_disk.empty()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


def test_below_the_mark_nothing_is_taken_in_and_nothing_started_until_there_is_room(
    small_disk: Disk, queue: Queue, db: Path, work: Work
) -> None:
    queue.enqueue(shell="true")
    small_disk.fill(1_000_000)  # the mark of so small a disk is a tenth of it
    worker = work("--once")
    assert until(lambda: "no job is started until there is room" in worker.stderr.readline())
    assert queue.get(1).status == "pending"
    with pytest.raises(DiskFault, match="nearly full"):
        queue.enqueue("a")
    done = qctl(db, "enqueue", "a")
    assert refused(done) and b"min_free" in done.stderr
    assert qctl(db, "health").returncode == 1
    assert b"workers start nothing" in qctl(db, "health", "--json").stdout
    small_disk.empty()
    assert worker.wait(30) == 0
    assert "goes on" in worker.stderr.read()
    assert queue.get(1).status == "completed"


def test_between_the_marks_jobs_are_run_but_none_taken_in(small_disk: Disk, queue: Queue, work: Work) -> None:
    queue.enqueue(shell="true")
    worker = work("--quiet")
    until(lambda: queue.get(1).status == "completed")
    small_disk.fill(int(SIZE / 10 * 1.15))
    with pytest.raises(DiskFault):
        queue.enqueue("a")
    queue.retry([1])
    until(lambda: queue.get(1).token == 2 and queue.get(1).status == "completed")
    assert worker.poll() is None


@pytest.mark.parametrize("trials", TRIALS)
def test_a_purge_on_a_full_disk_ends_well_or_says_so(small_disk: Disk, bold: Queue, db: Path, trials: int) -> None:
    chance = random.Random(trials)
    for _ in range(trials):
        small_disk.empty()
        bold.cancel(bold.enqueue_many([{"type": "a", "payload": {"fill": "x" * 400}} for _ in range(1500)]))
        small_disk.fill(chance.choice([0, 0, 8192, 100_000]))
        done = qctl(db, "purge", "--status", "cancelled", "--older-than", "0s", "--yes")
        if not refused_purge(done):
            assert bold.count() == 0
        assert sound(bold)
        small_disk.empty()
        assert qctl(db, "purge", "--status", "cancelled", "--older-than", "0s", "--yes").returncode == 0
        assert bold.count() == 0


def refused_purge(done: subprocess.CompletedProcess[bytes]) -> bool:
    assert done.returncode in (0, 4) and b"Traceback" not in done.stderr, done
    return done.returncode == 4


@pytest.mark.parametrize("trials", TRIALS)
def test_a_backup_to_a_full_disk_says_so_and_leaves_nothing(small_disk: Disk, tmp_path: Path, trials: int) -> None:
    chance = random.Random(trials)
    source = tmp_path / "other" / "queue.db"
    with Queue(source) as queue:
        queue.enqueue_many([{"type": "a", "payload": {"fill": "x" * 400}} for _ in range(1500)])
        for _ in range(trials):
            small_disk.fill(chance.choice([0, 4096, 100_000, 500_000]))
            for argv in (["backup"], ["export"]):
                done = qctl(source, *argv, str(small_disk.folder / "copy"))
                assert done.returncode == 4 and done.stderr.count(b"\n") == 1, done
                assert sorted(path.name for path in small_disk.folder.iterdir()) == ["filler"]
            small_disk.empty()
        assert queue.count() == 1500 and sound(queue)


def test_a_migration_on_a_full_disk_changes_nothing_and_is_made_when_there_is_room(
    small_disk: Disk, db: Path, next_version: Callable[[str], None]
) -> None:
    with Queue(db) as queue:
        queue.enqueue_many([{"type": "mail", "payload": {"fill": "x" * 500}} for _ in range(3000)])
    next_version(STEP)
    small_disk.fill(300_000)
    with pytest.raises(QueueFileError, match="full"):
        Queue(db)
    small_disk.empty()
    plain = sqlite3.connect(db)
    assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert plain.execute("SELECT value FROM qctl_settings WHERE name = 'schema_version'").fetchone() == (str(NEXT - 1),)
    assert plain.execute("SELECT count(*) FROM jobs").fetchone() == (3000,)
    plain.close()
    with Queue(db) as queue:
        assert queue.store.read("SELECT DISTINCT colour, count(*) FROM jobs") == [("red", 3000)]


@pytest.mark.parametrize("left", [0, *(pytest.param(size, marks=pytest.mark.long) for size in (30_000, 400_000))])
def test_a_flow_on_a_full_disk_goes_on_when_there_is_room_and_each_step_runs_once(
    small_disk: Disk, bold: Queue, db: Path, work: Work, tmp_path: Path, left: int
) -> None:
    trace = tmp_path / "trace"
    flow = tmp_path / "flow.toml"
    flow.write_text(
        f"""
        [steps.list]
        shell = "echo list >> {trace}; echo '[0{",0" * 299}]' > $QCTL_RESULT"
        [steps.each]
        foreach = "${{steps.list.result}}"
        shell = "echo each-$QCTL_JOB >> {trace}; head -c 2000 /dev/zero | tr -c y y"
        [steps.last]
        shell = "echo last >> {trace}"
        needs = ["each"]
        """
    )
    begun = qctl(db, "flow", "run", str(flow))
    assert begun.returncode == 0, begun
    worker = work("-c", "2", "--drain")
    until(lambda: trace.exists() and len(trace.read_text().split()) > 20)
    small_disk.fill(left)
    until(lambda: worker.poll() is not None or "kept" in worker.stderr.readline())
    small_disk.empty()
    assert worker.wait(90) == 0, worker.stderr.read()
    seen = Counter(trace.read_text().split())
    assert len(seen) == 302 and set(seen.values()) == {1}
    assert {job.status for job in bold.find()} == {"completed"}
    assert sound(bold)
