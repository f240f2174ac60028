"""Queue: what a program can do with a queue file. The command line calls this, and nothing below it."""

from __future__ import annotations

import os
import time

from qctl.flows import Flows
from qctl.inspection import Inspection
from qctl.model import COMMAND_TYPE, PENDING, BadValue, Enqueued, FateUnknown, NewJob
from qctl.rules import payload as payloads
from qctl.rules.newjob import new_job
from qctl.rules.when import to_text
from qctl.scheduling import Scheduling
from qctl.store.sqlite import connection
from qctl.store.sqlite.connection import MEMORY
from qctl.store.sqlite.store import SQLiteStore
from qctl.typesettings import TypeSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from qctl.model import Job

ALIASES = (("delay", "in"), ("tag", "tags"))
"""Other names of fields: `in` is no name in Python, and the option is called --tag."""


def default_path() -> str:
    """Where the queue file is when nobody says: `$QCTL_DB`, else `$XDG_DATA_HOME/qctl/queue.db`."""
    path = os.environ.get("QCTL_DB")
    if path:
        return path
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(data, "qctl", "queue.db")


def announce_migrations(tell: Callable[[str], None]) -> None:
    """Have it told, in a line each, how the migration of a large older file goes on."""
    connection.announce = tell


class Queue(Inspection, Scheduling, TypeSettings, Flows):
    """A queue in the file at `path` (default: `$QCTL_DB`, else the user's data folder), created when it is missing.

    `Queue(":memory:")` keeps it in memory, for tests. `busy_timeout`: seconds to wait while others write.
    Raises QueueFileError for what is no queue, QueueLocked when it stays locked.
    One Queue belongs to one thread, and is not carried over a fork.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, busy_timeout: float = 30.0, create: bool = True
    ) -> None:
        place = default_path() if path is None else os.fspath(path)
        if place.startswith(("postgres://", "postgresql://")):
            raise BadValue("this version keeps queues in SQLite files only: give a path")
        self.store = SQLiteStore(place, busy_timeout=busy_timeout, create=create)
        self.path = self.store.path

    def __enter__(self) -> Queue:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()

    # -- enqueue --------------------------------------------------------------------------------------------------

    def enqueue(
        self,
        type: str | None = None,
        payload: Mapping[str, Any] | str | None = None,
        *,
        connection: sqlite3.Connection | None = None,
        parent: tuple[int, int] | None = None,
        **options: Any,
    ) -> Enqueued:
        """Store one job; its number (an int that also knows id, type and status). On disk when this returns.

        `payload`: a mapping, or the text of a JSON object. `options`: as on the command line, text or numbers:
        `command` (list) or `shell` (line), `priority`, `delay` (also `in`) or `at`, `queue`, `tags`, `id`,
        `max_attempts`, `backoff`, `timeout`, `cwd`, `env`, `expires`, `key`, `key_for`, `after`, `after_any`,
        `after_failed` (jobs that it waits for: numbers, ids, ranges, or a list). While an unfinished job has the
        key, that job is the answer, marked as `duplicate`; with `key_for` also one created within so long that has ended.

        With `connection`, a sqlite3 connection of the caller's to the same file, the job joins the caller's
        transaction: it exists when that commits, and a rollback takes it along. With `parent`, the number of a job and
        the lease of its run (`$QCTL_JOB`, `$QCTL_LEASE` in a command), it is blocked until that run completes its job.

        Raises BadValue for what is not accepted (nothing is stored), NotFound for a needed job, QueueFileError, QueueLocked.
        """
        options["type"], options["payload"] = type, payload
        now = time.time()
        return self.stored([self.prepare(options, now)], now, connection, parent)[0]

    def enqueue_many(
        self, jobs: Iterable[Mapping[str, Any]], *, connection: sqlite3.Connection | None = None
    ) -> list[Enqueued]:
        """Store many jobs in one transaction, all or none. Each is a mapping of what `enqueue` takes, `type` included."""
        now = time.time()
        known: dict[str, Any] = {}
        return self.stored([self.prepare(dict(job), now, known) for job in jobs], now, connection)

    def prepare(
        self, fields: dict[str, Any], now: float, known: dict[str, Any] | None = None, *, has_templates: bool = False
    ) -> NewJob:
        """Check and complete what describes a job, without storing it; the rest as in `complete`. Raises BadValue."""
        for alias, field in ALIASES:
            if alias in fields:
                value = fields.pop(alias)
                if value is not None and fields.get(field) is not None:
                    raise BadValue(f"{alias} and {field} mean the same: give one of them")
                fields[field] = value if value is not None else fields.get(field)
        job = new_job(fields, now, self.payload_text)
        if job.command is not None:
            from qctl.program import settle

            settle(job)
        self.complete(job, known, has_templates=has_templates)
        return job

    def stored(
        self,
        jobs: Sequence[NewJob],
        now: float,
        connection: sqlite3.Connection | None = None,
        parent: tuple[int, int] | None = None,
    ) -> list[Enqueued]:
        """Store prepared jobs in one transaction."""
        from qctl.store.sqlite.insert import Duplicate, new_id, unknown

        text = to_text(now)
        if parent is not None:
            from qctl.rules.needs import belong

            for job in jobs:
                belong(job, *parent)
        for job in jobs:
            if job.id is None:
                job.id = new_id()
        try:
            numbers = self.store.insert(jobs, text, connection)
        except FateUnknown as error:
            raise FateUnknown(unknown(error, jobs)) from error
        done: list[Enqueued] = []
        for number, job in zip(numbers, jobs, strict=True):
            entry = Enqueued(number)
            entry.duplicate = isinstance(number, Duplicate)
            if isinstance(number, Duplicate):
                entry.id, entry.type, entry.status = number.id, number.type, number.status
                entry.scheduled_at = number.scheduled_at
            else:
                entry.id = job.id or ""
                entry.type = job.type
                entry.status = (job.more or {}).get("status") or PENDING
                entry.scheduled_at = job.scheduled_at or text
            done.append(entry)
        if connection is None:
            self.store.tidy()
        return done

    def payload_text(self, payload: Any) -> str:
        """The payload as checked, compact JSON text. Raises BadValue when it is no object or too large."""
        if isinstance(payload, str):
            row = self.store.check_json(payload)
            if row is None:
                raise payloads.complain(payload)
            text = row
        else:
            text = payloads.from_mapping(payload)
        if len(text) > payloads.SMALL // 4:
            self.check_size(len(text.encode()))
        return text

    def check_size(self, size: int) -> None:
        """Raises BadValue when a payload of `size` bytes is over the limit (setting `max_payload`)."""
        if size <= payloads.SMALL:
            return
        limit = int(self.store.setting("max_payload") or payloads.DEFAULT_LIMIT)
        if size > limit:
            raise BadValue(
                f"payload: {size:,} bytes is over the limit of {limit:,}: store it elsewhere and enqueue its name, or "
                f"raise the limit with `qctl config max_payload {size}`"
            )

    def run_inline(self, *, now: float | None = None, limit: int | None = None) -> list[Job]:
        """Run due typed jobs here and now, in this process, with the handlers it has registered; the jobs as they ended.

        For tests, with no worker and no waiting: schedules that are due make their jobs, children and retries that fall
        due are run as well, what is delayed beyond `now` (seconds since the epoch; default: the present) stays, commands
        are left alone, and no timeout holds. Raises BadValue for a schedule that cannot tick.

            queue = Queue(":memory:")
            queue.enqueue("send_email", {"to": "ana@example.com"})
            assert [job.status for job in queue.run_inline()] == ["completed"]
        """
        from qctl.inline import run_inline

        return run_inline(self, now, limit)

    # -- steer ----------------------------------------------------------------------------------------------------

    def cancel(self, numbers: Iterable[int], *, cascade: bool = False) -> dict[int, str]:
        """Cancel jobs: what waits is cancelled now, what runs is told to end. By number, what was done: `cancelled`,
        `asked` (running, will end), or the status of one that had already ended and is left as it is.
        `cascade`: also the blocked jobs that could not run without them (see `left_behind`)."""
        from qctl.store.sqlite.steer import cancel_jobs

        numbers = list(numbers)
        if cascade:
            numbers += self.left_behind(numbers)
        return cancel_jobs(self.store, numbers, time.time())

    def retry(self, numbers: Iterable[int]) -> dict[int, str]:
        """Let jobs run now: a delayed one at once; one that ended again, with attempts at 0. By number, what was done:
        `due` (was delayed), `pending` (had ended), or `processing`, `blocked`: left as it is. An ended job whose key
        another unfinished one has is left, too: model.KEY_HELD and the number of that one."""
        from qctl.store.sqlite.steer import retry_jobs

        return retry_jobs(self.store, numbers, time.time())

    def edit(self, number: int, **changes: Any) -> Job:
        """Change a job that has not ended and does not run: payload, priority, at, in, queue, tags, max_attempts,
        backoff, timeout, command, shell, cwd, env, as in `enqueue`. Raises BadValue when it runs or has ended."""
        from qctl.store.sqlite.steer import edit_job

        return edit_job(self, number, changes, time.time())

    def pause(self, scope: str, name: str = "") -> bool:
        """Start no more jobs of a type or queue (`scope` "type" or "queue"), or none at all ("all"): what runs goes on.
        False when it was paused already."""
        from qctl.store.sqlite.limits import pause

        return pause(self.store, scope, name, time.time())

    def resume(self, scope: str, name: str = "") -> bool:
        """End a pause. False when there was none."""
        from qctl.store.sqlite.limits import resume

        return resume(self.store, scope, name)

    def set_limits(self, scope: str, name: str, **fields: Any) -> dict[str, Any]:
        """Limit what may run of a type or queue (`scope` "type" or "queue"); all its limits, as `limits()` has them.

        `rate="30/m"` (N/s, N/m, N/h, N/DURATION), `rate_burst` (so many more at once), `rate_key` (the field of the
        payload whose values each have a rate of their own, such as `customer_id`), `concurrency` (at once, over all
        workers), `concurrency_key`. None leaves one as it is, "" unsets it. Raises BadValue.
        """
        from qctl.store.sqlite.limits import set_limits

        return set_limits(self.store, scope, name, fields)

    def unset_limits(self, scope: str, name: str) -> None:
        """Take all limits off a type or queue; a pause stays."""
        self.set_limits(scope, name, rate="", concurrency="")

    # -- dead letters ---------------------------------------------------------------------------------------------

    def note(self, ids: Iterable[str], text: str) -> int:
        """Write a note on dead letters, by their ids; how many."""
        from qctl.store.sqlite.dead import note_dead

        return note_dead(self.store, ids, text)

    def review(self, ids: Iterable[str]) -> int:
        """Mark dead letters as reviewed; how many were not before."""
        from qctl.store.sqlite.dead import review_dead

        return review_dead(self.store, ids)

    def replay(self, ids: Iterable[str]) -> list[int]:
        """Send the jobs of dead letters back to pending, attempts at 0, and mark the letters reviewed; the numbers. Left out
        are jobs that are not dead any more, and those whose key another unfinished job has (see `key_rival`)."""
        from qctl.store.sqlite.dead import replay_dead

        return replay_dead(self.store, ids, time.time())

    def edit_dead(self, number: int, payload: Any) -> None:
        """Give a dead job another payload, for its replay, and its letter that nobody has reviewed, too."""
        from qctl.store.sqlite.mend import edit_dead, not_dead

        if not edit_dead(self, {number: payload}, time.time()):
            raise not_dead(self.get(number))

    def discard(self, ids: Iterable[str]) -> int:
        """Delete dead letters and their failed jobs; how many letters."""
        from qctl.store.sqlite.dead import discard_dead

        return discard_dead(self.store, ids)

    # -- upkeep ---------------------------------------------------------------------------------------------------

    def purge(
        self,
        *,
        statuses: Sequence[str] = ("completed",),
        older_than: float = 7 * 86_400.0,
        keep: int = 0,
        max_time: float | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] | None = None,
        undoable: bool = False,
    ) -> dict[str, Any]:
        """Delete jobs that ended over `older_than` seconds ago; see store/sqlite/purge.py."""
        from qctl.store.sqlite.purge import purge

        return purge(self.store, time.time(), statuses, older_than, keep, max_time, dry_run, progress, undoable)


__all__ = ["COMMAND_TYPE", "MEMORY", "Enqueued", "Queue", "default_path"]
