"""Opening a queue file: checked before it is used, created 0600 when it is not there, never run from."""

from __future__ import annotations

import os
import sqlite3
import stat

from qctl.model import DiskFault, FateUnknown, QueueFileError, QueueLocked
from qctl.store.sqlite.lock import WritersLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

SCHEMA_VERSION: Final = 1
APPLICATION_ID: Final = 0x7163746C  # "qctl"
MEMORY: Final = ":memory:"
announce: Callable[[str], None] | None = None
"""Who is told, in a line each, how a migration goes on; the command line sets it."""

SMALLEST: Final = 512  # bytes: the smallest page a database can have


def connect(path: str, busy_timeout: float, *, create: bool) -> tuple[sqlite3.Connection, WritersLock | None]:
    """A connection to the queue at `path`, in the schema of this version, and the writers' lock beside it.

    `busy_timeout` is in seconds. With `create` a missing or empty file becomes a queue. Raises QueueFileError for
    what is no queue or cannot be used, QueueLocked when another process keeps it locked.
    """
    if path == MEMORY:
        memory = tune(sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False))
        build(memory)
        return memory, None
    is_new = check_path(path, create)
    lock = WritersLock(path + "-lock")
    connection = None
    try:
        if is_new:
            return found(path, busy_timeout, lock), lock
        connection = tune(sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False))
        version = schema_version(connection, path)
        if version == SCHEMA_VERSION:
            return connection, lock
        if version is None:
            # Two looks, between which another process may have made it.
            if create and (is_blank(connection) or schema_version(connection, path) is not None):
                connection.close()
                return found(path, busy_timeout, lock), lock
            raise QueueFileError(f"{path} is an SQLite database without a queue: `qctl init` adds one to it")
        from qctl.store.sqlite import migrate

        migrate.upgrade(connection, lock, path, version, busy_timeout)
        return connection, lock
    except BaseException as error:
        if connection is not None:
            connection.close()  # and SQLite takes away what it put beside the file
        lock.close()
        if isinstance(error, (sqlite3.Error, OSError)):
            raise explain(error, path) from error
        raise


def identity(path: str) -> tuple[int, int] | None:
    """Device and inode of the file at `path`; None where there is none. By path: opening it would drop SQLite's locks."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def uri(path: str) -> str:
    """A path as it stands in a URI."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def check_path(path: str, create: bool) -> bool:
    """Whether the file is yet to be made. Raises QueueFileError for what can never be a queue."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if not create:
            raise QueueFileError(f"there is no queue file at {path}: `qctl enqueue` or `qctl init` makes one") from None
        return True
    except OSError as error:
        raise explain(error, path) from error
    if stat.S_ISDIR(status.st_mode):
        raise QueueFileError(f"{path} is a directory: name a file in it, such as {os.path.join(path, 'queue.db')}")
    if not stat.S_ISREG(status.st_mode):
        raise QueueFileError(f"{path} is not a regular file: a queue file must be one")
    if not status.st_size:
        if not create:
            raise QueueFileError(f"{path} is empty: `qctl init` makes it a queue")
        return True
    if status.st_size < SMALLEST:  # of one byte SQLite would say that it is empty, and write over it
        raise QueueFileError(f"{path} is not a queue file: it is no SQLite database")
    return False


def tune(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Settings of every connection: acknowledged means on disk, checkpoints are ours, nothing in the file is run.

    Closes it when they cannot be made: they already read the file.
    """
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
    except BaseException:
        connection.close()
        raise
    return connection


def schema_version(connection: sqlite3.Connection, path: str) -> int | None:
    """The version of the queue's tables; None where there are none. Raises QueueFileError for what is no version."""
    try:
        row = connection.execute("SELECT value FROM qctl_settings WHERE name = 'schema_version'").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    if not row:
        return None
    text = str(row[0])
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise QueueFileError(
            f"{path} says that its schema_version is {text[:20]!r}, not a number from 1 on: restore a backup"
        )
    return int(text)


def is_blank(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def found(path: str, busy_timeout: float, lock: WritersLock) -> sqlite3.Connection:
    """Make the queue file under the lock, so that of many first openers one makes it and all of them find it whole."""
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    if not lock.acquire(busy_timeout):
        raise QueueLocked(f"{path} is being made by another process for more than {busy_timeout:g} s")
    try:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            pass  # somebody made it while we waited for the lock
        connection = tune(sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False))
        try:
            if schema_version(connection, path) is None:
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # counts only before the first page is written
                connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
                connection.execute("PRAGMA journal_mode=WAL")
                build(connection)
        except BaseException:
            connection.close()
            raise
        return connection
    finally:
        lock.release()


def build(connection: sqlite3.Connection) -> None:
    """Lay the tables, all or none."""
    from qctl.store.sqlite.sql import read

    try:
        connection.executescript("BEGIN IMMEDIATE;" + read("schema.sql") + "COMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def explain(error: sqlite3.Error | OSError, path: str, *, is_commit: bool = False) -> QueueFileError | QueueLocked:
    """One line for what SQLite or the system said of the file at `path`; `is_commit`: when a change was to be made sure."""
    text = str(error)
    if isinstance(error, PermissionError):
        return QueueFileError(f"cannot use {path}: {error.strerror}: a queue needs its file and its directory writable")
    if isinstance(error, OSError):
        return QueueFileError(f"cannot use {path}: {error.strerror or text}")
    if "locked" in text or "busy" in text:
        return QueueLocked(f"{path} stayed locked: another process is writing to it; try again, or give --busy-timeout")
    if "not a database" in text or "file is encrypted" in text:
        return QueueFileError(f"{path} is not a queue file: it is no SQLite database")
    if "malformed" in text or "corrupt" in text:
        return QueueFileError(
            f"{path} is damaged, or its disk cannot be read ({text}): see `qctl doctor`, restore a backup, or save what is "
            "left with `sqlite3 .recover`"
        )
    if "readonly" in text:
        return QueueFileError(f"{path} is read-only: writing needs permission for the file and for its directory")
    if "unable to open" in text:
        return QueueFileError(f"cannot open {path}: check that you may read and write it and its directory")
    if "disk is full" in text:
        return DiskFault(f"the disk that holds {path} is full: nothing was stored")
    if "disk I/O error" in text:
        if is_commit:
            return FateUnknown(f"the disk failed under {path} ({text}): whether the last change was stored is unknown")
        return DiskFault(f"the disk failed under {path} ({text}): nothing was stored")
    if "no such column" in text or "no such table" in text or "has no column" in text:
        text += ": an earlier build of qctl made it, or somebody changed it: see `qctl doctor`"
    return QueueFileError(f"{path} cannot be used as a queue: {text}")
