"""`doctor`: it finds each fault that was planted, names the mend, and mends what is safe."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.store.sqlite import doctor, place
from qctl.worker.process import LOADING
from tests.states import damaged, lease

Cli = Callable[..., Any]


def wrong(cli: Cli, *argv: str) -> dict[str, str]:
    done = cli("doctor", "--json", *argv)
    found = json.loads(done.out)
    assert done.code == (1 if found["wrong"] else 0)
    return {one["check"]: one["found"] for one in found["findings"] if one["level"] == "wrong" and not one["fixed"]}


def test_a_sound_queue_has_nothing_wrong(cli: Cli, queue: Queue) -> None:
    queue.store.set_setting("min_free", "0")
    queue.enqueue("a")
    queue.set_limits("type", "mail", concurrency=1, concurrency_key="customer")
    assert wrong(cli) == {}
    assert cli("doctor").code == 0


PLANTED = {
    "foreign": "CREATE TRIGGER evil AFTER INSERT ON jobs BEGIN UPDATE jobs SET command = '[\"rm\"]'; END",
    "schema": "DROP INDEX jobs_claim",
    "clock": "INSERT INTO jobs (type, created_at) VALUES ('a', datetime('now', '+1 day'))",
    "locks": "INSERT INTO jobs (type, status, locked_by, locked_at) VALUES ('a', 'processing', 'x', '2020-01-01')",
    "orphans": "INSERT INTO qctl_output VALUES (99, 1, 0, 1, x'00')",
    "schedules": "INSERT INTO cron_schedules (type, cron_expression, error) VALUES ('a', 'x', 'no such field')",
    "dead": "INSERT INTO qctl_workers (id, host, boot, pid, concurrency, started_at, beat_at)"
    " VALUES ('w', 'elsewhere', 'b', 1, 1, '2020-01-01 00:00:00.000', '2020-01-01 00:00:00.000')",
}


@pytest.mark.parametrize("check", PLANTED)
def test_it_finds_what_was_planted(cli: Cli, queue: Queue, check: str) -> None:
    assert check not in wrong(cli)
    with queue.store.write() as connection:
        connection.execute(PLANTED[check])
    assert check in wrong(cli)
    rows = [line.split("\t") for line in cli("doctor").out.splitlines()]
    assert {len(row) for row in rows} == {5}, "in a pipe: word, check, found, meaning, mend"
    assert [row for row in rows if row[0] == "wrong" and row[1] == check and row[4]]


@pytest.mark.parametrize("check", ["orphans", "dead"])
def test_it_mends_what_is_safe(cli: Cli, queue: Queue, check: str) -> None:
    with queue.store.write() as connection:
        connection.execute(PLANTED[check])
    assert check not in wrong(cli, "--fix")
    assert check not in wrong(cli)


def test_it_closes_a_file_that_is_open_to_others(cli: Cli, queue: Queue, db: Path) -> None:
    queue.enqueue("a")
    os.chmod(db, 0o666)
    assert "permissions" in wrong(cli)
    assert "permissions" not in wrong(cli, "--fix")
    assert db.stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_told(cli: Cli, db: Path) -> None:
    damaged(db)
    done = cli("doctor", "--json")
    assert done.code in (1, 4)
    assert "malformed" in done.out + done.err or "damaged" in done.out + done.err


@pytest.mark.parametrize(
    ("version", "fixed"),
    [((3, 40, 1), False), ((3, 44, 6), True), ((3, 50, 6), False), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 52, 0), True)],
)  # fmt: skip
def test_it_knows_the_libraries_with_the_log_bug(version: tuple[int, ...], fixed: bool) -> None:
    assert place.is_fixed(version) == fixed


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    mounts = (
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:5 / /srv/my\\040data rw shared:1 - nfs4 host:/x rw\n"
        "3 1 0:5 / /srv/my rw - xfs /dev/sdb rw\n"
    )
    assert place.kind_of("/srv/my data/q.db", mounts) == "nfs4"
    assert place.kind_of("/srv/mine/q.db", mounts) == "ext4"
    assert place.kind_of("/srv/my/q.db", mounts) == "xfs"


def test_every_check_says_something(queue: Queue) -> None:
    checks = {finding.check for finding in doctor.examine(queue.store, 1.8e9)}
    assert checks == {"integrity", "schema", "foreign", "log", "library", "system", "space", "permissions", "clock", "locks",
                      "dead", "spools", "orphans", "files", "processes", "schedules"}  # fmt: skip


def test_what_a_death_left_is_found_and_what_is_safe_taken_away(cli: Cli, queue: Queue, db: Path) -> None:
    queue.store.set_setting("min_free", "0")
    left, held, table = (db.with_name(f"{db.name}-{end}") for end in ("once-aa", "once-bb", "runs-worker-1"))
    for path in (left, held, table):
        path.touch(mode=0o600)
    os.utime(table, (1e9, 1e9))
    with held.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = json.loads(cli("doctor", "--json").out)["findings"]
        assert sorted(one["found"].split()[0] for one in found if one["check"] == "files") == [left.name, table.name]
        assert cli("doctor", "--fix").code == 0
    assert not left.exists() and not table.exists() and held.exists()


def test_the_table_of_a_worker_that_loads_its_handlers_is_nothing_wrong(cli: Cli, queue: Queue, db: Path) -> None:
    queue.store.set_setting("min_free", "0")
    table = db.with_name(f"{db.name}-runs-worker-1")
    table.touch(mode=0o600)
    begun = time.time() - LOADING  # the longest that it may take
    os.utime(table, (begun, begun))
    assert wrong(cli, "--fix") == {}
    assert table.exists()


def test_it_does_not_say_fixed_of_what_it_could_not_mend(cli: Cli, queue: Queue, db: Path) -> None:
    table = db.with_name(f"{db.name}-runs-worker-1")
    table.mkdir()  # cannot be taken away as a file can
    os.utime(table, (1e9, 1e9))
    done = cli("doctor", "--fix", "--json")
    (row,) = [one for one in json.loads(done.out)["findings"] if one["check"] == "files"]
    assert (done.code, row["level"], row["fixed"]) == (1, "wrong", False)
    assert "cannot be mended from here" in row["meaning"]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_a_process_that_outlived_its_job_is_named(cli: Cli, queue: Queue, db: Path) -> None:
    number = int(queue.enqueue("a"))
    env = dict(os.environ, QCTL_DB=str(db), QCTL_JOB=str(number))
    with subprocess.Popen(["sleep", "60"], env=env) as process:
        try:
            said = cli("doctor").out
            assert f"process {process.pid} (sleep) was started by job {number}" in said
            assert f"kill {process.pid}" in said
            lease(queue, number, 1_800_000_000.0)
            assert "was started by job" not in cli("doctor").out
        finally:
            process.kill()


def test_a_file_of_an_earlier_build_is_told_from_a_broken_one(cli: Cli, queue: Queue, db: Path) -> None:
    with queue.store.write() as connection:
        connection.execute("ALTER TABLE qctl_figures DROP COLUMN revived")
    (one,) = [one for one in json.loads(cli("doctor", "--json").out)["findings"] if one["check"] == "schema"]
    assert one["found"] == "table qctl_figures lacks column revived"
    assert "an earlier build" in one["meaning"] and "import" in one["mend"]
    failed = cli("stats")
    assert failed.code == 4 and "see `qctl doctor`" in failed.err
