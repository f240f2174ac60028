"""Backup: a consistent copy of a queue file while everybody goes on, checked before it gets its name."""

from __future__ import annotations

import os
import sqlite3

from qctl.model import BadValue, QueueFileError
from qctl.store.sqlite.connection import tune

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

STEP = 2000  # pages copied between two words on the progress
BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite may put there


def backup(
    store: SQLiteStore, path: str, *, force: bool = False, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Copy the queue to `path`, mode 0600, all or nothing; `progress(done, total)` in pages.

    The copy stands under a name of its own until SQLite's integrity check found nothing. Returns `path`, `bytes`,
    `jobs`. Raises BadValue when something is at `path` and may not be overwritten, QueueFileError when the copy cannot
    be made or the queue is damaged; nothing is left at either name then.
    """
    refuse(store, path, force)
    part = f"{path}.part-{os.urandom(4).hex()}"
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        jobs = copy(store, part, progress)
        sync(part)
        size = os.stat(part).st_size
        if force:
            os.replace(part, path)
        else:
            settle(part, path)
        sync(os.path.dirname(os.path.abspath(path)))
    except sqlite3.Error as error:
        raise QueueFileError(f"cannot write the backup {path}: {error}; nothing was left there") from error
    except FileExistsError:
        raise taken(path) from None
    except OSError as error:
        raise QueueFileError(f"cannot write the backup {path}: {error.strerror}; nothing was left there") from error
    finally:
        for end in BESIDE:
            if os.path.lexists(part + end):
                os.unlink(part + end)
    return {"path": path, "bytes": size, "jobs": jobs}


def refuse(store: SQLiteStore, path: str, force: bool) -> None:
    """Raises BadValue when a backup may not be put at `path`."""
    if not path:
        raise BadValue("the name of the backup is empty: name a file")
    if os.path.isdir(path):
        raise BadValue(f"{path} is a directory: name a file in it, such as {os.path.join(path, 'backup.db')}")
    own = [store.path + end for end in (*BESIDE, "-lock", "-workers")]
    if os.path.realpath(path) in own:
        raise BadValue(f"{path} belongs to the queue itself: name another file")
    if os.path.lexists(path) and not force:
        raise taken(path)
    # A log beside it would be played into the copy as soon as somebody opens that.
    if os.path.lexists(path + "-wal"):
        raise BadValue(f"{path} is a queue in use ({path}-wal is beside it): name another file")


def taken(path: str) -> BadValue:
    return BadValue(f"{path} is there already: name another file, or give --force to overwrite it")


def copy(store: SQLiteStore, part: str, progress: Callable[[int, int], None] | None) -> int:
    """Copy page by page in one read transaction of ours: what others write meanwhile is not in it; the number of jobs."""

    def told(_status: int, left: int, total: int) -> None:
        if progress is not None:
            progress(total - left, total)

    target = tune(sqlite3.connect(part, isolation_level=None))
    try:
        target.execute("PRAGMA journal_mode=OFF")  # it is a new file: what fails is deleted
        target.execute("PRAGMA synchronous=OFF")  # synced as a whole before it gets its name
        store.connection.execute("BEGIN")
        try:
            store.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            store.connection.backup(target, pages=STEP, progress=told)
        finally:
            store.connection.execute("ROLLBACK")
        found = [row[0] for row in target.execute("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            raise QueueFileError(f"{store.path} is damaged ({found[0]}): no backup was made; see `qctl doctor`")
        target.execute("PRAGMA journal_mode=WAL")
        jobs: int = target.execute("SELECT count(*) FROM jobs").fetchone()[0]
        return jobs
    finally:
        target.close()


def settle(part: str, path: str) -> None:
    """Give it its name, unless something has got that meanwhile."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.rename(part, path)


def sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
