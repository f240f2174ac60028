"""Inspection: what can be learnt of a queue without changing it. The reading half of `Queue`."""

from __future__ import annotations

import time

from qctl.model import Filter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from qctl.model import Job
    from qctl.store.sqlite.store import SQLiteStore


class Inspection:
    """Reads a queue through its store. No method keeps a read transaction open."""

    store: SQLiteStore

    # -- look -----------------------------------------------------------------------------------------------------

    def get(self, job: int | str) -> Job:
        """The job with this number, id, or unambiguous beginning of an id. Raises NotFound, BadValue (ambiguous)."""
        from qctl.store.sqlite.look import get_job

        return get_job(self.store, job)

    def numbers(self, jobs: Iterable[int | str]) -> list[int]:
        """The numbers that these mean: numbers, ids, beginnings of ids, ranges (`1040-1050`, those that exist).

        In the order given, each once. Raises NotFound for one that names no job.
        """
        from qctl.store.sqlite.look import resolve

        return resolve(self.store, jobs)

    def find(
        self, filter: Filter | None = None, *, limit: int | None = None, newest_first: bool = True
    ) -> Iterator[Job]:
        """The jobs that fit, read in short chunks: no read transaction stays open between two of them."""
        from qctl.store.sqlite.look import find_jobs

        return find_jobs(self.store, filter or Filter(), limit, newest_first)

    def count(self, filter: Filter | None = None) -> int:
        """How many jobs fit."""
        from qctl.store.sqlite.look import count_jobs

        return count_jobs(self.store, filter or Filter())

    def limits(self) -> list[dict[str, Any]]:
        """What is limited or paused: `scope` (type, queue, all), `name`, `rate` ("30/m"), `rate_burst`, `rate_key`,
        `concurrency`, `concurrency_key`, `paused_at` (UTC text)."""
        from qctl.store.sqlite.limits import limits_of

        return limits_of(self.store)

    def paused(self) -> list[tuple[str, str]]:
        """What is paused: (scope, name), as `limits` has them."""
        return [(one["scope"], one["name"]) for one in self.limits() if one["paused_at"] is not None]

    def without_key(self, type: str) -> int:
        """How many pending jobs of a type limited by key have no key in their payload, and so share the bucket `none`."""
        from qctl.store.sqlite.limits import without_key

        return without_key(self.store, type)

    def explain(self, number: int) -> dict[str, Any]:
        """Why a job is not running: `says` (a sentence), `gates` (each `gate`, `why`, `opens`: the command that opens it,
        `at`: when it opens by itself, ISO 8601 or None), `ahead` (due jobs of its queue that come before it)."""
        from qctl.store.sqlite.explain import explain

        return explain(self.store, self.get(number), time.time())

    def history(self, number: int) -> list[dict[str, Any]]:
        """The attempts of a job, oldest first, replays included, the running one last: attempt, worker, started_at,
        finished_at, outcome, exit_code, error."""
        from qctl.store.sqlite.look import history_of

        return history_of(self.store, number)

    def runs(self, number: int) -> list[tuple[int, int]]:
        """(token, attempt) of every run of a job that ended or is going on, oldest first."""
        from qctl.store.sqlite.look import runs_of

        return runs_of(self.store, number)

    def output(self, number: int, token: int, position: int = 0) -> list[tuple[int, int, bytes]]:
        """What a run wrote, from a position on: (position, stream, bytes), in order; stream 1 is stdout, 2 stderr.
        Positions count all bytes the run wrote: where one does not follow from the last, what was between was cut."""
        from qctl.store.sqlite.look import output_after

        return output_after(self.store, number, token, position)

    def output_size(self, number: int) -> int:
        """Bytes kept of what all runs of a job wrote."""
        from qctl.store.sqlite.look import output_size

        return output_size(self.store, number)

    def key_rival(self, number: int) -> int | None:
        """The unfinished job that has the key of this ended one, which therefore cannot run again; None: nobody has."""
        from qctl.store.sqlite.look import key_rival

        return key_rival(self.store, number)

    def needs(self, number: int) -> list[dict[str, Any]]:
        """The jobs that a job waits or waited for: number, kind (completed, ended, failed), met, type, step, status."""
        from qctl.store.sqlite.needs import needs_of_job

        return needs_of_job(self.store, number)

    def needed_by(self, number: int) -> list[dict[str, Any]]:
        """The jobs that wait or waited for a job, as `needs` has them."""
        from qctl.store.sqlite.needs import needed_by

        return needed_by(self.store, number)

    def left_behind(self, numbers: Iterable[int]) -> list[int]:
        """The blocked jobs that could not run if these were cancelled: those that wait for their completion or failure,
        and in turn what waits for them."""
        from qctl.store.sqlite.needs import left_behind

        return left_behind(self.store, numbers)

    def waits_for(self, numbers: Sequence[int]) -> dict[int, list[int]]:
        """For those of the jobs that wait for others: the numbers each still waits for."""
        from qctl.store.sqlite.needs import waits_for

        return waits_for(self.store, numbers)

    def is_small(self, count: int) -> bool:
        """Whether the numbers of all jobs lie within so many: there may be fewer jobs, not more. Told at once."""
        from qctl.store.sqlite.figures import is_small

        return is_small(self.store, count)

    def live_workers(self) -> int:
        """How many workers have given a sign of life of late."""
        from qctl.store.sqlite.figures import live_workers

        return live_workers(self.store, time.time())

    def workers(self) -> list[dict[str, Any]]:
        """Every worker: id, host, pid, concurrency, started_at, beat_at (UTC text), alive, and running: for each job
        number, type and started_at."""
        from qctl.store.sqlite.workers import list_workers, stale_after

        return list_workers(self.store, time.time(), stale_after(self.store))

    def newest(self) -> int:
        """The highest number of a job; 0 without any."""
        from qctl.store.sqlite.upkeep import newest

        return newest(self.store)

    def events(self, since: str, *, above: int | None = None) -> list[dict[str, Any]]:
        """What happened since a time (UTC text), oldest first: at, event, number, type, attempt, worker, exit_code, error,
        and the token that tells the runs of a job apart. A run that completed is one event, one that did not another.
        Reads all jobs; not so with `above`: then those are enqueued of late whose number is higher."""
        from qctl.store.sqlite.events import events_since

        return events_since(self.store, since, above)

    # -- figures --------------------------------------------------------------------------------------------------

    def stats(self, window: float = 3600.0, *, at: float | None = None, brief: bool = False) -> dict[str, Any]:
        """The figures of the lesson over the last `window` seconds; see store/sqlite/figures.py for their shape.
        With `at` (seconds since the epoch): as they were then, and `at` itself. `brief`: many completed jobs need not be
        counted."""
        if at is not None:
            from qctl.store.sqlite.past import stats_at

            return stats_at(self.store, at, window, time.time())
        from qctl.store.sqlite.figures import stats

        return stats(self.store, time.time(), window, brief=brief)

    def health(self, **limits: float | None) -> dict[str, Any]:
        """`{"status": "healthy|degraded|unhealthy", "issues": [...], "checks": [...]}`; `limits`: max_pending,
        max_age (seconds), max_dead, over the settings of the queue, over the lesson's 1000, 1800, 10; and those of
        rules/vitals.py (None: off). `notes`: what is bad by a check that is off: `text`, `next`."""
        from qctl.store.sqlite.figures import health

        return health(self.store, time.time(), limits)

    def dead_letters(self, filter: Filter | None = None, *, reviewed: bool | None = False) -> Iterator[dict[str, Any]]:
        """Dead letters, newest first: the row of `dead_letter_jobs` and the job's `number`. `reviewed` None: all."""
        from qctl.store.sqlite.dead import find_dead

        return find_dead(self.store, filter or Filter(), reviewed)

    def letters(self, job_id: str) -> list[dict[str, Any]]:
        """All dead letters of the job with this id, newest first."""
        from qctl.store.sqlite.dead import letters_of

        return letters_of(self.store, job_id)

    def letter(self, id: str) -> dict[str, Any] | None:
        """The dead letter with this id (or beginning of one), None when there is none."""
        from qctl.store.sqlite.dead import letter

        return letter(self.store, id)
