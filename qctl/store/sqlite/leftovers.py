"""What a death left behind: files beside the queue that nobody holds any more, and processes of jobs that have ended."""

from __future__ import annotations

import fcntl
import os
from functools import partial

from qctl.store.sqlite.marks import MARK, is_old

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qctl.store.sqlite.doctor import Finding
    from qctl.store.sqlite.store import SQLiteStore

ONCE = "-once-"


def files(store: SQLiteStore, now: float) -> Iterator[Finding]:
    """Turns of `once` whose holder died, and tables of workers that are no more."""
    from qctl.store.sqlite.doctor import WRONG, Finding

    folder, name = os.path.split(store.path)
    workers = {name + MARK + row[0] for row in store.read("SELECT id FROM qctl_workers")}
    for found in sorted(os.listdir(folder)):
        path = os.path.join(folder, found)
        if found.startswith(name + MARK) and found not in workers and is_old(path, now):
            yield Finding("files", WRONG, f"{found} belongs to no worker", "who made it was killed; it only takes room",
                          "qctl doctor --fix", partial(os.unlink, path))  # fmt: skip
        if found.startswith(name + ONCE) and is_free(path):
            yield Finding("files", WRONG, f"{found} is held by nobody", "who held it was killed; it only takes room",
                          "qctl doctor --fix", partial(remove, path))  # fmt: skip


def is_free(path: str) -> bool:
    """Whether nobody holds the lock of a file. Such files carry flock alone, which closing another descriptor does not drop."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


def remove(path: str) -> None:
    """Take it away, held meanwhile, so that nobody gets it in between."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except (BlockingIOError, FileNotFoundError):
        pass  # somebody has it now, or took it away
    finally:
        os.close(fd)


def processes(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    """Processes that were started by a job of this queue which does not run any more."""
    from qctl.store.sqlite.doctor import NOTE, OK, Finding

    if not os.path.isdir("/proc/self"):
        yield Finding("processes", NOTE, "what jobs left running is not known here")
        return
    running = {row[0] for row in store.read("SELECT number FROM jobs WHERE status = 'processing'")}
    count = 0
    for pid, job, name in started(store.path):
        if job not in running:
            count += 1
            yield Finding("processes", NOTE, f"process {pid} ({name}) was started by job {job}, which does not run any more",
                          "it outlived its job: a daemon, or its worker died and could not end it", f"kill {pid}")  # fmt: skip
    if not count:
        yield Finding("processes", OK, "no process of an ended job")


def started(path: str) -> Iterator[tuple[int, int, str]]:
    """Processes with the environment of a job of the queue at `path`: pid, job, name."""
    for entry in sorted(os.listdir("/proc")):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                words = file.read().split(b"\0")
            with open(f"/proc/{entry}/comm", encoding="utf-8", errors="replace") as text:
                name = text.read().strip()
        except OSError:
            continue  # it has ended, or belongs to somebody else
        found = dict(word.split(b"=", 1) for word in words if word.startswith((b"QCTL_DB=", b"QCTL_JOB=")))
        number = found.get(b"QCTL_JOB", b"")
        if number.isdigit() and os.fsdecode(found.get(b"QCTL_DB", b"")) == path:
            yield int(entry), int(number), name
