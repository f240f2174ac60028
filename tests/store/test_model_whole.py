"""The whole store against a model of it: also keys, jobs that wait for jobs, pauses, edits, retries, purges, a clock that is set."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qctl import queue as faces
from qctl.model import BLOCKED, CANCELLED, COMPLETED, FAILED, FINISHED, PENDING, PROCESSING, BadValue, NewJob
from qctl.rules.when import to_text
from qctl.store.sqlite import limits, needs
from qctl.store.sqlite.dead import discard_dead, replay_dead, review_dead
from qctl.store.sqlite.insert import Duplicate
from qctl.store.sqlite.purge import purge
from qctl.store.sqlite.steer import cancel_jobs, edit_job, retry_jobs
from qctl.store.sqlite.store import SQLiteStore
from qctl.store.sqlite.undo import undo
from tests.store.test_model import Known, Queue, check

KINDS = ("completed", "ended", "failed")


class Watched(Known):
    """A job that lets go what waits for it, and remembers when it ended."""

    machine: ClassVar[Any] = None
    key: str | None = None
    ended_at = 0

    def __init__(self, *what: Any) -> None:
        self.needs: dict[int, tuple[str, bool]] = {}
        super().__init__(*what)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "status" and value in FINISHED:
            self.ended_at = self.machine.now
            self.machine.ended(self)


def meets(kind: str, status: str) -> bool:
    return status == kind or (kind == "ended" and status in FINISHED)


class Whole(Queue):
    """The machine of test_model.py without the course's worker, and with everything else that a queue can do."""

    job_class: ClassVar[type[Known]] = Watched
    jobs: dict[int, Any]
    foreign_claim = foreign_end = rescue_stale = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        Watched.machine = self
        self.paused: set[tuple[str, str]] = set()
        self.letters_open: set[int] = set()  # jobs with a letter that nobody has reviewed
        self.face = object.__new__(faces.Queue)
        self.face.store, self.face.path = self.store, self.store.path
        self.store.set_setting("undo_for", "365d")

    # -- the model ------------------------------------------------------------------------------------------------

    def ended(self, job: Watched) -> None:
        if job.status == FAILED:
            self.letters_open.add(job.number)
        for other in self.jobs.values():
            need = other.needs.get(job.number)
            if need is None or need[1] or not meets(need[0], job.status):
                continue
            other.needs[job.number] = (need[0], True)
            if other.status == BLOCKED and all(met for _kind, met in other.needs.values()):
                other.status = PENDING
                other.due = max(other.due, self.now)

    def is_open(self, job: Known) -> bool:
        return not {("type", job.type), ("queue", job.queue), ("all", "")} & self.paused

    def rival(self, job: Any) -> Any:
        """The other, unfinished job with its key."""
        return next(
            (
                one
                for one in self.jobs.values()
                if job.key is not None and one.key == job.key and one is not job and one.status not in FINISHED
            ),
            None,
        )

    def again(self, job: Any) -> None:
        """It goes back as it was at first."""
        waits = any(not met for _kind, met in job.needs.values())
        job.status = BLOCKED if waits else PENDING
        job.due, job.attempts, job.rescues = self.now, 0, 0
        job.is_cancel_asked = False
        self.letters_open.discard(job.number)

    def some(self, data: Any, *statuses: str) -> Any:
        return data.draw(st.sampled_from([job for job in self.jobs.values() if job.status in statuses]))

    def any_of(*statuses: str) -> Any:  # type: ignore[misc]
        return precondition(lambda self: any(job.status in statuses for job in self.jobs.values()))

    # -- rows in --------------------------------------------------------------------------------------------------

    @rule(key=st.sampled_from("AB"), count=st.integers(1, 2), most=st.integers(1, 2))
    def insert_with_a_key(self, key: str, count: int, most: int) -> None:
        new = [NewJob("x", max_attempts=most, more={"key": key}) for _ in range(count)]
        holder = next((job for job in self.jobs.values() if job.key == key and job.status not in FINISHED), None)
        numbers = self.store.insert(new, to_text(self.seconds))
        for index, number in enumerate(numbers):
            if holder is not None:
                assert isinstance(number, Duplicate) and number == holder.number and number.status == holder.status
                continue
            assert not isinstance(number, Duplicate) and index == 0 and number == self.highest + 1
            self.highest = number
            holder = self.jobs[number] = Watched(number, "x", "default", 0, self.now, most, False)
            holder.key = key

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), most=st.integers(1, 2))
    def insert_that_waits(self, data: Any, most: int) -> None:
        needed = data.draw(st.lists(st.sampled_from(sorted(self.jobs)), min_size=1, max_size=3, unique=True))
        kinds = {number: data.draw(st.sampled_from(KINDS)) for number in needed}
        more = {"status": BLOCKED, "needs": [(kind, [number]) for number, kind in kinds.items()]}
        (number,) = self.store.insert([NewJob("y", max_attempts=most, more=more)], to_text(self.seconds))
        self.highest = number
        job = self.jobs[number] = Watched(number, "y", "default", 0, self.now, most, False)
        job.needs = {each: (kind, meets(kind, self.jobs[each].status)) for each, kind in kinds.items()}
        if not all(met for _kind, met in job.needs.values()):
            job.status = BLOCKED

    # -- people ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        job = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        said = cancel_jobs(self.store, [job.number], self.seconds)
        if job.status in (PENDING, BLOCKED):
            assert said == {job.number: CANCELLED}
            job.status = CANCELLED
        elif job.status == PROCESSING:
            job.is_cancel_asked = True
            assert said == {job.number: "asked"}
        else:
            assert said == {job.number: job.status}

    @any_of(PENDING, BLOCKED)
    @rule(data=st.data())
    def cancel_and_take_it_back(self, data: Any) -> None:
        job = self.some(data, PENDING, BLOCKED)
        before = self.table()
        cancel_jobs(self.store, [job.number], self.seconds)
        assert undo(self.store, self.seconds)["restored"] == 1
        assert self.table() == before

    def table(self) -> list[Any]:
        return [
            self.store.read("SELECT number, status, scheduled_at, attempts FROM jobs ORDER BY number"),
            self.store.read("SELECT * FROM qctl_needs ORDER BY job, needs"),
        ]

    @any_of(FAILED)
    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        job = self.some(data, FAILED)
        done = replay_dead(self.store, self.letters(job), self.seconds)
        assert done == ([] if self.rival(job) else [job.number])
        if done:
            self.again(job)

    def letters(self, job: Any) -> list[str]:
        rows = self.store.read(
            "SELECT d.id FROM dead_letter_jobs d JOIN jobs j ON j.id = d.original_job_id WHERE j.number = ?",
            (job.number,),
        )
        return [row[0] for row in rows]

    @any_of(FAILED)
    @rule(data=st.data())
    def review(self, data: Any) -> None:
        job = self.some(data, FAILED)
        assert review_dead(self.store, self.letters(job)) == (job.number in self.letters_open)
        self.letters_open.discard(job.number)

    @any_of(FAILED)
    @rule(data=st.data(), is_undone=st.booleans())
    def discard(self, data: Any, is_undone: bool) -> None:
        job = self.some(data, FAILED)
        assert discard_dead(self.store, self.letters(job)) == job.deaths
        if is_undone:
            # Of a job that died twice the letters come back one by one, and the job with the one that took it.
            undo(self.store, self.store.now())
            assert self.store.read("SELECT status FROM jobs WHERE number = ?", (job.number,)) == [(FAILED,)]
            job.needs = {needed: need for needed, need in job.needs.items() if needed in self.jobs}
        else:
            del self.jobs[job.number]
            self.letters_open.discard(job.number)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def retry(self, data: Any) -> None:
        job = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        rival = self.rival(job)
        said = retry_jobs(self.store, [job.number], self.seconds)[job.number]
        if job.status == PENDING:
            assert said == "due"
            job.due = min(job.due, self.now)
        elif job.status in FINISHED and rival is not None:
            assert str(rival.number) in said
        elif job.status in FINISHED:
            self.again(job)
            assert said == PENDING
        else:
            assert said == job.status

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), priority=st.sampled_from([0, 3, 10]), most=st.sampled_from([None, 2]))
    def edit(self, data: Any, priority: int, most: int | None) -> None:
        job = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        changes = {"priority": priority} | ({} if most is None else {"max_attempts": most})
        if job.status not in (PENDING, BLOCKED):
            with pytest.raises(BadValue, match="cannot be edited"):
                edit_job(self.face, job.number, changes, self.seconds)
        elif most is None or job.attempts < most:
            edit_job(self.face, job.number, changes, self.seconds)
            job.priority, job.most = priority, job.most if most is None else most

    @rule(what=st.sampled_from([("type", "x"), ("queue", "other"), ("all", "")]))
    def pause(self, what: tuple[str, str]) -> None:
        if what in self.paused:
            assert limits.resume(self.store, *what)
            self.paused.remove(what)
        else:
            assert limits.pause(self.store, *what, self.seconds)
            self.paused.add(what)

    @rule(status=st.sampled_from([COMPLETED, FAILED, CANCELLED]), age=st.sampled_from([0, 30_000, 10**7]))
    def purge(self, status: str, age: int) -> None:
        done = purge(self.store, self.seconds, [status], age / 1000, 0, None, False, None)
        gone = [
            job.number
            for job in self.jobs.values()
            if job.status == status and job.ended_at < self.now - age and job.number not in self.letters_open
        ]
        assert done["deleted"] == len(gone)
        for number in gone:
            del self.jobs[number]

    @rule(ms=st.sampled_from([1000, 3_600_000]))
    def the_clock_is_set_back(self, ms: int) -> None:
        self.now -= ms

    # -- what holds at all times ----------------------------------------------------------------------------------

    @invariant()
    def of_a_key_one_job_is_unfinished(self) -> None:
        assert self.store.read(
            "SELECT key FROM jobs WHERE key IS NOT NULL AND status IN ('pending', 'blocked', 'processing')"
            " GROUP BY key HAVING count(*) > 1"
        ) == []  # fmt: skip

    @invariant()
    def what_waits_is_what_the_model_says(self) -> None:
        found: dict[int, dict[int, tuple[str, bool]]] = {number: {} for number in self.jobs}
        for job, needed, kind, met in self.store.read("SELECT job, needs, kind, met FROM qctl_needs"):
            found[job][needed] = (kind, bool(met))
        assert found == {job.number: job.needs for job in self.jobs.values()}
        blocked = [job.number for job in self.jobs.values() if job.status == BLOCKED]
        assert set(needs.waits_for(self.store, blocked)) == set(blocked), "what is blocked waits for something"

    @invariant()
    def letters_are_reviewed_as_the_model_says(self) -> None:
        rows = self.store.read(
            "SELECT DISTINCT number FROM jobs j JOIN dead_letter_jobs d ON d.original_job_id = j.id WHERE d.reviewed = 0"
        )
        assert {row[0] for row in rows} == self.letters_open


class WholeInAFile(Whole):
    path: ClassVar[bool] = True

    @rule()
    def crash(self) -> None:
        """Everything is let go of at once, in the middle of a transaction, and found again."""
        connection = self.store.begin()
        connection.execute("UPDATE jobs SET priority = priority + 1")
        self.store.close()
        self.store = SQLiteStore(self.store.path)
        self.face.store = self.store


def test_the_whole_store_does_what_the_model_says() -> None:
    check(Whole, 40)


def test_the_whole_store_in_a_file_does_what_the_model_says() -> None:
    check(WholeInAFile, 6)  # it adds the crashes


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("machine", [Whole, WholeInAFile])
def test_the_whole_store_does_what_the_model_says_for_100_000_steps(machine: type[Queue]) -> None:
    check(machine, 2000, 50)
