"""The guard of a worker's commands: when the worker dies, however it dies, it kills the groups that were
running, and what left them.

It is a process of its own that only waits for the end of a pipe whose other end the worker holds. Which groups run is
noted in shared memory, so that noting costs the worker no system call and the guard no waking.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import tempfile

SLOTS = 4096
WIDTH = 24  # a group, and the number and token of the job that runs in it

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

START = """\
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
while os.read(0, 1):
    pass
table = os.pread(1, 1 << 20, 0)
runs = set()
for place in range(0, len(table), 24):
    group, job, token = [int.from_bytes(table[at:at + 8], "little") for at in range(place, place + 24, 8)]
    if group > 1:
        runs.add((job, token))
        try:
            os.killpg(group, signal.SIGKILL)
        except OSError:
            pass
if runs:
    sys.path.append(sys.argv[3])
    from qctl.worker.sweep import sweep
    sweep(sys.argv[2], runs)
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

    def start(self, folder: str, worker: str) -> None:
        """Begin to watch over `worker`; `folder` is deleted at the end, too."""
        with tempfile.TemporaryFile() as file:
            file.truncate(SLOTS * WIDTH)
            self.table = mmap.mmap(file.fileno(), SLOTS * WIDTH)
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", START, folder, worker, ROOT],
                stdin=subprocess.PIPE,
                stdout=file.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )

    def add(self, group: int, number: int, token: int) -> None:
        if self.table is None or not self.free:
            return
        place = self.places[group] = self.free.pop()
        self.table[place * WIDTH : (place + 1) * WIDTH] = b"".join(
            one.to_bytes(8, "little") for one in (group, number, token)
        )

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
