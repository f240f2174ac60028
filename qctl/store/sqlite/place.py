"""Where a queue file lies: the library, the file system, the room left there, and who may touch it."""

from __future__ import annotations

import os
import sqlite3
import stat
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qctl.store.sqlite.doctor import Finding
    from qctl.store.sqlite.store import SQLiteStore

NETWORK = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "ncpfs",
    "webdav",
    "davfs",
)
BESIDE = ("", "-wal", "-shm", "-lock", "-workers")
FIXED = {
    (3, 44): 6,
    (3, 50): 7,
    (3, 51): 3,
}  # release lines in which the WAL-reset bug is mended, and from which patch on


def is_fixed(version: tuple[int, ...]) -> bool:
    """Whether this SQLite is free of the WAL-reset bug (3.7.0 to 3.51.2)."""
    line, patch = version[:2], version[2]
    return line > (3, 51) or (line in FIXED and patch >= FIXED[line])


def library(_store: SQLiteStore, _now: float) -> Iterator[Finding]:
    from qctl.store.sqlite.doctor import NOTE, OK, Finding

    version = sqlite3.sqlite_version
    if is_fixed(tuple(map(int, version.split(".")[:3]))):
        yield Finding("library", OK, f"SQLite {version}")
    else:
        yield Finding("library", NOTE, f"SQLite {version} has the WAL-reset bug, which can damage a file",
                      "qctl goes around it; another program that writes here with its own checkpoints does not",
                      "use SQLite 3.51.3 or later, where you can")  # fmt: skip


def kind_of(path: str, mounts: str) -> str | None:
    """The kind of file system that holds `path`, by the text of /proc/self/mountinfo."""
    best, kind = "", None
    for line in mounts.splitlines():
        left, _dash, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = fields[4].replace("\\040", " ")
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    return kind


def system(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    from qctl.store.sqlite.doctor import NOTE, OK, WRONG, Finding

    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            kind = kind_of(store.path, file.read())
    except OSError:
        kind = None
    if kind is None:
        yield Finding(
            "system", NOTE, "the kind of the file system is not known here", "a network file system would not do"
        )
    elif kind in NETWORK or kind.startswith("fuse.sshfs"):
        yield Finding("system", WRONG, f"the file lies on {kind}, a network file system",
                      "locks and shared memory do not hold there: jobs can be lost or run twice",
                      "move the queue to a local disk: qctl backup /local/queue.db")  # fmt: skip
    elif kind in ("tmpfs", "ramfs"):
        yield Finding("system", NOTE, f"the file lies on {kind}, in memory", "a restart of the machine takes it away")
    else:
        yield Finding("system", OK, f"a local file system ({kind})")


def space(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    from qctl.rules.room import SPARE, amount
    from qctl.store.sqlite.doctor import OK, WRONG, Finding
    from qctl.store.sqlite.room import readings

    free, low = readings(store)
    if free < low * SPARE:
        yield Finding("space", WRONG, f"only {amount(free)} are free on the disk of the queue",
                      "nothing can be enqueued, and soon no job is started", "qctl purge, or make room")  # fmt: skip
    else:
        yield Finding("space", OK, f"{amount(free)} are free")


def permissions(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    from shlex import quote

    from qctl.store.sqlite.doctor import WRONG, Finding

    for end in BESIDE:
        path = store.path + end
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        name, mode = os.path.basename(path), stat.S_IMODE(status.st_mode)
        if status.st_uid not in (os.geteuid(), 0):
            yield Finding("permissions", WRONG, f"{name} belongs to another user (uid {status.st_uid})",
                          "who may write a queue says what its workers run", f"chown {os.geteuid()} {quote(path)}")  # fmt: skip
        if mode & 0o077:
            yield Finding("permissions", WRONG, f"{name} is open to others (mode {mode:04o})",
                          "who may write a queue says what its workers run, and who may read it sees the payloads",
                          f"chmod 600 {quote(path)}", partial(os.chmod, path, 0o600))  # fmt: skip
    folder = os.path.dirname(store.path)
    mode = os.stat(folder).st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        yield Finding("permissions", WRONG, f"everybody may write to the directory {folder}",
                      "anybody can put another file in the place of the queue", f"chmod o-w {quote(folder)}")  # fmt: skip
