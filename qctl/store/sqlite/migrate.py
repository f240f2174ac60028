"""Bringing files to the present schema: in place, all or nothing, under the writers' lock."""

from __future__ import annotations

import os
import sqlite3
import time

from qctl.model import Outdated, QueueFileError, QueueLocked
from qctl.store.sqlite import connection as opening
from qctl.store.sqlite import wal
from qctl.store.sqlite.lock import WritersLock
from qctl.store.sqlite.sql import FOLDER, read

MANY = 10_000  # jobs from which on a migration is announced before it begins
EVERY = 2.0  # seconds between words on how it goes on
STEPS = 1_000_000  # of SQLite's machine, some 20 ms, between looks at the clock

COURSE_COLUMNS = {
    "jobs": {
        "id", "type", "payload", "status", "priority", "attempts", "max_attempts", "last_error", "scheduled_at",
        "created_at", "updated_at", "completed_at", "locked_by", "locked_at",
    },
    "dead_letter_jobs": {
        "id", "original_job_id", "type", "payload", "attempts", "last_error", "failed_at", "reviewed", "notes",
    },
    "cron_schedules": {
        "id", "type", "payload", "cron_expression", "last_run_at", "next_run_at", "is_active", "created_at",
    },
}  # fmt: skip


def steps() -> dict[int, str]:
    """The migrations there are: the version each leads to, and its file `migrations/NNNN_name.sql`."""
    names = sorted(os.listdir(os.path.join(FOLDER, "migrations")))
    return {int(name[:4]): os.path.join("migrations", name) for name in names if name[:4].isdigit()}


def upgrade(connection: sqlite3.Connection, lock: WritersLock, path: str, version: int, busy_timeout: float) -> None:
    """Lead the file from `version` to the present one. Raises QueueFileError for a newer one, untouched."""
    target = opening.SCHEMA_VERSION
    check(version, path)
    if not lock.acquire(busy_timeout):
        raise QueueLocked(f"{path} stayed locked for {busy_timeout:g} s: another process is writing to it")
    try:
        connection.execute("BEGIN IMMEDIATE")
        progress = Progress(connection, path)
        try:
            present = opening.schema_version(connection, path)  # somebody else may have done it by now
            version = version if present is None else present
            check(version, path)
            if version < target:
                progress.begin(version, target)
                apply(connection, version, target)
                # Who has the file open reads its limits anew by that, and then sees that it is outdated.
                connection.execute("UPDATE qctl_settings SET value = value + 1 WHERE name = 'limits_version'")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            progress.end()
        wal.checkpoint(connection, "TRUNCATE")  # all rows may stand in the log by now
    finally:
        lock.release()


def check(version: int | None, path: str) -> None:
    """Raises Outdated for a schema newer than this qctl knows."""
    if version is not None and version > opening.SCHEMA_VERSION:
        raise Outdated(
            f"{path} was made by a newer qctl (schema {version}, this one knows {opening.SCHEMA_VERSION}): upgrade qctl"
        )


class Progress:
    """Tells how long a migration has been at it, when it takes its time."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.connection = connection
        self.path = path
        self.begun = self.told = time.monotonic()
        self.what = ""

    def begin(self, version: int, target: int) -> None:
        if opening.announce is None:
            return
        jobs = self.connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
        self.what = f"{self.path}: from schema {version} to {target}, {jobs:,} jobs"
        if jobs >= MANY:
            opening.announce(f"{self.what}; others wait meanwhile")
        self.connection.set_progress_handler(self.tick, STEPS)

    def tick(self) -> int:
        now = time.monotonic()
        if now - self.told >= EVERY and opening.announce is not None:
            self.told = now
            opening.announce(f"{self.what}: {now - self.begun:.0f} s so far")
        return 0  # go on

    def end(self) -> None:
        if self.what and opening.announce is not None:
            self.connection.set_progress_handler(None, STEPS)
            if not self.connection.in_transaction:
                opening.announce(f"{self.what}: done in {time.monotonic() - self.begun:.1f} s")


def apply(connection: sqlite3.Connection, version: int, target: int) -> None:
    """Run the steps in the caller's transaction."""
    available = steps()
    for number in range(version + 1, target + 1):
        for statement in statements(read(available[number])):
            connection.execute(statement)
        connection.execute(
            "INSERT OR REPLACE INTO qctl_settings (name, value) VALUES ('schema_version', ?)", (str(number),)
        )


def statements(script: str) -> list[str]:
    """A script as single statements: `executescript` would end the transaction it stands in."""
    found, text = [], ""
    for part in script.split(";")[:-1]:
        text += part + ";"
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return found


def initialise(path: str, busy_timeout: float) -> str:
    """Make a queue at `path`, or add one to the SQLite database there; what was done, in words. Raises QueueFileError."""
    path = os.path.realpath(path)
    if opening.check_path(path, create=True):
        opening.connect(path, busy_timeout, create=True)[0].close()
        return "a new queue"
    lock = WritersLock(path + "-lock")
    connection = None
    try:
        connection = opening.tune(sqlite3.connect(path, timeout=busy_timeout, isolation_level=None))
        if opening.schema_version(connection, path) is not None:
            connection.close()
            opening.connect(path, busy_timeout, create=False)[0].close()
            return "a queue, as before"
        course_or_room(connection, path)  # here too, as a refused file shall have no lock beside it
        if not lock.acquire(busy_timeout):
            raise QueueLocked(f"{path} stayed locked for {busy_timeout:g} s: another process is writing to it")
        try:
            return add_queue(connection, path)
        finally:
            lock.release()
    except (sqlite3.Error, OSError) as error:
        raise opening.explain(error, path) from error
    finally:
        if connection is not None:
            connection.close()
        lock.close()


def course_or_room(connection: sqlite3.Connection, path: str) -> tuple[bool, set[str]]:
    """Whether the course's tables stand there, and the names of all; QueueFileError when other things have ours."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    course = is_course(connection, tables)
    taken = sorted(tables & names_of_schema())
    if taken and not course:
        raise QueueFileError(
            f"{path} has a {taken[0]} of its own: a queue needs that name, so give it a file of its own"
        )
    return course, tables


def add_queue(connection: sqlite3.Connection, path: str) -> str:
    course, tables = course_or_room(connection, path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if course:
            for table in COURSE_COLUMNS:
                rename(connection, table, table in tables)
        for statement in statements(read("schema.sql")):
            connection.execute(statement)
        if course:
            for statement in statements(read(os.path.join("migrations", "from_course.sql"))):
                connection.execute(statement)
            for table in COURSE_COLUMNS:
                connection.execute(f"DROP TABLE course_{table}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if course:
        return "the course's tables, now a queue with everything that was in them"
    return "a queue was added to the database, which is in WAL mode from now on"


def rename(connection: sqlite3.Connection, table: str, is_there: bool) -> None:
    """Put a table of the course's out of the way; an empty one stands in for one that is not there."""
    if is_there:
        for (index,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger') AND tbl_name = ? AND sql IS NOT NULL",
            (table,),
        ).fetchall():
            kind = (
                "INDEX"
                if connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (index,)).fetchone()[0]
                == "index"
                else "TRIGGER"
            )
            connection.execute(f'DROP {kind} "{index}"')
        connection.execute(f"ALTER TABLE {table} RENAME TO course_{table}")
    else:
        connection.execute(f"CREATE TABLE course_{table} ({', '.join(sorted(COURSE_COLUMNS[table]))})")


def is_course(connection: sqlite3.Connection, tables: set[str]) -> bool:
    """Whether the queue's tables there are exactly the course's."""
    if "jobs" not in tables:
        return False
    for table, columns in COURSE_COLUMNS.items():
        if table in tables and {row[1] for row in connection.execute(f"PRAGMA table_info({table})")} != columns:
            return False
    return not any(name.startswith("qctl_") for name in tables)


def names_of_schema() -> set[str]:
    memory = sqlite3.connect(opening.MEMORY)
    memory.executescript(read("schema.sql"))
    names = {row[0] for row in memory.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
    memory.close()
    return names
