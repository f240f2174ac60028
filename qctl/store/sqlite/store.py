"""The SQLite store: the door to a queue file. Each move is one short transaction; its SQL is in the module it names."""

from __future__ import annotations

import os
import sqlite3
import time

from qctl.model import QueueFileError, QueueLocked
from qctl.rules.when import to_text
from qctl.store.sqlite import wal
from qctl.store.sqlite.connection import MEMORY, connect, explain, identity, schema_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from qctl.model import Lease, NewJob, TypeDefaults
    from qctl.rules.ending import Ending, Facts
    from qctl.store.sqlite.finish import Outcome
    from qctl.store.sqlite.gates import Limits, Starts
    from qctl.store.sqlite.ledger import Ledger
    from qctl.store.sqlite.lock import LifeLocks
    from qctl.store.sqlite.sync import Sync
    from qctl.store.sqlite.syncer import Syncer
    from qctl.store.sqlite.undo import Memory


FAULTS = (sqlite3.OperationalError, sqlite3.DatabaseError, sqlite3.InternalError)
"""What SQLite says of the file or the disk; its other errors are about a statement or a value, and the caller's."""

FEW_WAITS = 3
"""How often a store stood in line before it waits for the disk together with the others."""

CHECK_JSON = (
    "SELECT CASE WHEN json_valid(t) THEN CASE WHEN json_type(t) = 'object' THEN json(t) END END FROM (SELECT ? AS t)"
)


class Transaction:
    """`with store.write() as connection:` one BEGIN IMMEDIATE ... COMMIT under the writers' lock; rolled back on error."""

    __slots__ = ("store",)

    def __init__(self, store: SQLiteStore) -> None:
        self.store = store

    def __enter__(self) -> sqlite3.Connection:
        return self.store.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.end(error)


class SQLiteStore:
    """One connection to one queue file. Not for sharing between threads or across a fork."""

    def __init__(self, path: str, *, busy_timeout: float = 30.0, create: bool = True) -> None:
        self.name = (
            path if path == MEMORY else os.path.abspath(path)
        )  # as it was given: a symlink may come to mean another
        self.path = path if path == MEMORY else os.path.realpath(path)  # what locks and log go by, under every name
        self.busy_timeout = busy_timeout
        self.connection, self.lock = connect(self.path, busy_timeout, create=create)
        self.identity = None if self.lock is None else identity(self.path)
        self.life_locks: LifeLocks | None = None
        self.known_limits: Limits | None = None
        self.syncer: Syncer | None = None
        self.sync: Sync | None = None  # syncs what was committed, once there were others to wait for
        self.ledger: Ledger | None = None  # from the first job that ends by this store
        self.pid = os.getpid()  # a connection is not for a fork: SQLite's locks stay behind
        self.memories: dict[str, Memory] | None = None  # for undo, by verb, where several calls are one command

    # -- transactions ---------------------------------------------------------------------------------------------

    def begin(self) -> sqlite3.Connection:
        if os.getpid() != self.pid:
            raise QueueFileError(
                f"{self.path} was opened by process {self.pid}, of which this is a copy: open it anew here"
            )
        if self.syncer is not None and self.syncer.error is not None:
            from qctl.store.sqlite.syncer import sync_first

            sync_first(self)
        if self.lock is not None and not self.lock.acquire(self.busy_timeout):
            raise QueueLocked(
                f"{self.path} stayed locked for {self.busy_timeout:g} s: another process is writing to it"
            )
        try:
            if self.sync is None and self.syncer is None and self.lock is not None and self.lock.waits > FEW_WAITS:
                from qctl.store.sqlite.sync import share

                share(self)
            self.connection.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            if self.lock is not None:
                self.lock.release()
            if isinstance(error, sqlite3.Error):
                raise explain(error, self.path) from error
            raise
        return self.connection

    def end(self, error: BaseException | None) -> None:
        committed = False
        try:
            if error is None:
                self.connection.execute("COMMIT")
                committed = True
                if self.syncer is not None:
                    self.syncer.ask()
            elif self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except BaseException as failure:
            if error is None and self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            if isinstance(failure, sqlite3.Error):
                raise explain(failure, self.path, is_commit=error is None) from failure
            raise
        finally:
            if self.lock is not None:
                self.lock.release()
            if self.ledger is not None:
                self.ledger.settle(committed)
        if error is None:
            if self.sync is not None:
                self.sync.wait()
        elif type(error) in FAULTS:
            raise explain(error, self.path) from error  # type: ignore[arg-type]

    def write(self) -> Transaction:
        return Transaction(self)

    def read(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a SELECT, with SQLite's errors in our words. Nothing stays open behind it."""
        try:
            return self.connection.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def tidy(self, limit: int = wal.LARGE, wait: float = 0.0) -> bool:
        """Copy a log that has grown beyond `limit` pages into the queue file, if its turn comes. True when it did."""
        if self.lock is None or not wal.is_large(self.path, limit) or not self.lock.acquire(wait):
            return False
        try:
            done = wal.checkpoint(self.connection)
            if done and wal.is_oversized(self.path):
                wal.checkpoint(self.connection, "TRUNCATE")
            return done
        except sqlite3.Error:
            return False  # the log stays: nothing is lost, the next round tries again
        finally:
            self.lock.release()

    def is_still_there(self) -> bool:
        """Whether its name, and that of its log, lead to what this store has open: not so when it was deleted or replaced."""
        log = self.syncer or self.sync
        here = self.lock is None or identity(self.name) == self.identity
        return here and (log is None or os.fstat(log.fd).st_nlink > 0)

    def close(self) -> None:
        """Raises DiskFault, with all let go of, when what was committed last cannot be brought to disk."""
        syncer, self.syncer = self.syncer, None
        try:
            if syncer is not None:
                syncer.close(self)
        finally:
            self.connection.close()
            if self.sync is not None:
                self.sync.close()
                self.sync = None
            if self.lock is not None:
                self.lock.close()
            if self.life_locks is not None:
                self.life_locks.close()
                self.life_locks = None

    # -- rows in --------------------------------------------------------------------------------------------------

    def insert(self, jobs: Sequence[NewJob], now: str, connection: sqlite3.Connection | None = None) -> list[int]:
        """Store the jobs, all or none, durably; their numbers. With `connection`, inside its open transaction."""
        from qctl.store.sqlite.insert import insert

        return insert(self, jobs, now, connection)

    def check_json(self, text: str) -> str | None:
        """A JSON object as compact text; None when the text is none. Strict RFC 8259."""
        if text.count("[") + text.count("{") > 200:  # deep nesting: ask the parser that will read it in the handler
            from qctl.rules.payload import deep_json

            return deep_json(text)
        try:
            return self.connection.execute(CHECK_JSON, (text,)).fetchone()[0]  # type: ignore[no-any-return]
        except (sqlite3.Error, UnicodeEncodeError):
            return None

    # -- the worker's moves ---------------------------------------------------------------------------------------

    def claim(
        self,
        worker: str,
        limit: int,
        now: str,
        *,
        handlers: Container[str] = (),
        types: Container[str] | None = None,
        queues: Container[str] | None = None,
        defaults: Mapping[str, TypeDefaults] | None = None,
        commands: bool = True,
        ready: int | None = None,
    ) -> list[Lease]:
        """Lease up to `limit` due jobs; see claim.py. Joins the open transaction if there is one."""
        from qctl.store.sqlite.claim import claim_jobs

        def run(connection: sqlite3.Connection) -> list[Lease]:
            return claim_jobs(
                connection,
                worker,
                limit,
                now,
                handlers=handlers,
                types=types,
                queues=queues,
                defaults=defaults or {},
                commands=commands,
                limits=self.limits(now),
                ready=ready,
            )

        if self.connection.in_transaction:
            return run(self.connection)
        with self.write() as connection:
            return run(connection)

    def finish(
        self, worker: str, ended: Sequence[tuple[Ending, Facts]], now: str, random: Callable[[], float]
    ) -> list[Outcome]:
        """Move ended jobs on; see finish.py. Joins the open transaction if there is one."""
        from qctl.store.sqlite.ledger import finish_and_count

        if self.connection.in_transaction:
            return finish_and_count(self, worker, ended, now, random)
        with self.write():
            return finish_and_count(self, worker, ended, now, random, at_once=True)

    def next_due(
        self,
        *,
        handlers: Container[str],
        types: Container[str] | None,
        queues: Container[str] | None,
        commands: bool = True,
    ) -> str | None:
        """When the next pending job this worker takes is due (UTC text), or None."""
        from qctl.store.sqlite.claim import next_due, runnable

        try:
            moment = self.now()
            return next_due(
                self.connection, runnable(handlers, types, queues, commands), self.limits(to_text(moment)), moment
            )
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def limits(self, now: str = "") -> Limits:
        """What limits claims; read anew only after it was changed."""
        from qctl.store.sqlite.gates import read_limits
        from qctl.store.sqlite.migrate import check

        known = self.known_limits
        try:
            self.known_limits = read_limits(self.connection, known, now)
            if self.known_limits is not known:  # a migration changes their version, too
                check(schema_version(self.connection, self.path), self.path)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        return self.known_limits

    def taken_starts(self) -> Starts | None:
        """The starts that the latest claim wrote down, for who has to tell when they came; given once."""
        known = self.known_limits
        if known is None or known.starts is None:
            return None
        starts, known.starts = known.starts, None
        return starts

    def expire(self, now: str, most: int = 500) -> int:
        """Cancel up to `most` waiting jobs whose time to start is over; how many. Writes only when there are any."""
        from qctl.store.sqlite.gated import expire_jobs
        from qctl.store.sqlite.sql import sql

        if not self.read(sql("expired"), (now, 1)):
            return 0
        with self.write() as connection:
            numbers = [row[0] for row in connection.execute(sql("expired"), (now, most))]
            return expire_jobs(connection, numbers, now)

    # -- settings -------------------------------------------------------------------------------------------------

    def setting(self, name: str) -> str | None:
        rows = self.read("SELECT value FROM qctl_settings WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def set_setting(self, name: str, value: str | None) -> None:
        with self.write() as connection:
            if value is None:
                connection.execute("DELETE FROM qctl_settings WHERE name = ?", (name,))
            else:
                connection.execute("INSERT OR REPLACE INTO qctl_settings (name, value) VALUES (?, ?)", (name, value))

    def now(self) -> float:
        """The present: seconds since the epoch."""
        return time.time()
