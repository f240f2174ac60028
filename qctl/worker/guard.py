"""The guard of a worker's commands: when the worker dies, however it dies, it kills the groups that were running.

It is a process of its own that only waits for the end of a pipe whose other end the worker holds. Which groups run is
noted in shared memory, so that noting costs the worker no system call and the guard no waking.
"""

from __future__ import annotations

import mmap
import subprocess
import sys
import tempfile

SLOTS = 4096
WIDTH = 8

START = """\
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
while os.read(0, 1):
    pass
table = os.pread(1, 1 << 20, 0)
for place in range(0, len(table), 8):
    group = int.from_bytes(table[place:place + 8], "little")
    if group > 1:
        try:
            os.killpg(group, signal.SIGKILL)
        except OSError:
            pass
import shutil
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


class Guard:
    """Started with the first command; `add` before a group can do anything, `remove` before it is reaped."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.table: mmap.mmap | None = None
        self.free = list(range(SLOTS - 1, -1, -1))
        self.places: dict[int, int] = {}

    def start(self, folder: str) -> None:
        """Begin; `folder` is deleted at the end, too."""
        with tempfile.TemporaryFile() as file:
            file.truncate(SLOTS * WIDTH)
            self.table = mmap.mmap(file.fileno(), SLOTS * WIDTH)
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", START, folder],
                stdin=subprocess.PIPE,
                stdout=file.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )

    def add(self, group: int) -> None:
        if self.table is None or not self.free:
            return
        place = self.places[group] = self.free.pop()
        self.table[place * WIDTH : (place + 1) * WIDTH] = group.to_bytes(WIDTH, "little")

    def remove(self, group: int) -> None:
        place = self.places.pop(group, None)
        if place is not None and self.table is not None:
            self.table[place * WIDTH : (place + 1) * WIDTH] = bytes(WIDTH)
            self.free.append(place)

    def close(self) -> None:
        """Dismiss it: no command runs any more."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None
        if self.table is not None:
            self.table.close()
            self.table = None
