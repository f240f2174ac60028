"""The long form writes down what it did: `python -m pytest -m long tests/faults` makes tests/faults/REPORT.md."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Ground

REPORT = Path(__file__).with_name("REPORT.md")
HEAD = """# The long form of the fault tests

Written by `python -m pytest -m long tests/faults`: a row for each fault, when it last passed.

| fault | trials | what held | when (UTC), how long | machine |
|---|---|---|---|---|
"""


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Iterator[Callable[[str, int, str], None]]:
    """`report(fault, trials, held)`: a row in the report, if this is the long form and the test passes."""
    rows: list[tuple[str, int, str]] = []
    begun = time.time()
    yield lambda fault, trials, held: rows.append((fault, trials, held))
    if request.node.get_closest_marker("long") is None or not rows:
        return
    lines = [line for line in REPORT.read_text().splitlines() if line.startswith("| ")][1:] if REPORT.exists() else []
    for fault, trials, held in rows:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        lines = [line for line in lines if not line.startswith(f"| {fault} |")]
        lines.append(f"| {fault} | {trials:,} | {held} | {when}, {time.time() - begun:.0f} s | {machine()} |")
    REPORT.write_text(HEAD + "\n".join(sorted(lines)) + "\n")


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Callable[[int], Ground]]:
    """`ground(seed)`: a queue with workers to be harmed."""
    made: list[Ground] = []

    def make(seed: int) -> Ground:
        folder = tmp_path / f"ground-{len(made)}"
        folder.mkdir()
        made.append(Ground(folder, seed))
        return made[-1]

    yield make
    for one in made:
        one.close()


SIZE = 16 << 20
INSIDE = "SMALL_DISK_INSIDE"
"""Set for tests that already are in a namespace of their own."""


class Disk:
    """A file system of a few MB at `folder`; `fill` leaves so many bytes of it free, `empty` takes that back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.filler = folder / "filler"

    @property
    def free(self) -> int:
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def fill(self, left: int = 0) -> None:
        with self.filler.open("ab") as file:
            while self.free > left:
                size = min(1 << 16, max(4096, self.free - left))
                try:
                    os.write(file.fileno(), bytes(size))
                except OSError:  # somebody else took the last of it
                    return

    def empty(self) -> None:
        self.filler.unlink(missing_ok=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "small", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        if INSIDE in os.environ or not may_unshare():
            pytest.skip(f"a small disk can be mounted by nobody here: {done.stderr.strip()}")
        yield Disk(folder)  # see pytest_pyfunc_call
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def may_unshare() -> bool:
    """Whether somebody who is not root may mount what only its own processes see."""
    argv = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test with a small disk that could not be mounted runs again where it can: as root of a namespace of its own."""
    disk = pyfuncitem.funcargs.get("small_disk")
    if disk is None or os.path.ismount(disk.folder):
        return None
    argv = ["unshare", "-rm", sys.executable, "-m", "pytest", "-m", "long or not long", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*argv, pyfuncitem.nodeid],
        cwd=pyfuncitem.config.rootpath,
        env=os.environ | {INSIDE: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    return True


@pytest.fixture
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The queue file lies on the small disk where a test has one."""
    if "small_disk" in request.fixturenames:
        disk: Disk = request.getfixturevalue("small_disk")
        return disk.folder / "queue.db"
    return tmp_path / "queue.db"


Fill = Callable[[int], None]
