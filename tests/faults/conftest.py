"""A small disk, for what happens when it is full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SIZE = 16 << 20


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
        pytest.skip(f"a small disk cannot be mounted here, try `unshare -rm pytest ...`: {done.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The queue file lies on the small disk where a test has one."""
    if "small_disk" in request.fixturenames:
        disk: Disk = request.getfixturevalue("small_disk")
        return disk.folder / "queue.db"
    return tmp_path / "queue.db"


Fill = Callable[[int], None]
