"""The store against a model of it: whatever is done in whatever order, it keeps the four promises.

A simple Python model says what each move must do; the machine draws moves of our workers, of the course's worker, of
people, and of death, and compares the whole table after each.
"""

from __future__ import annotations

import random
import sqlite3
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from qctl.model import CANCELLED, COMPLETED, FAILED, PENDING, PROCESSING, Lease, NewJob
from qctl.rules import ending
from qctl.rules.ending import MAX_RESCUES, Ending, Facts
from qctl.rules.when import to_text
from qctl.store.sqlite import workers
from qctl.store.sqlite.connection import MEMORY
from qctl.store.sqlite.dead import replay_dead
from qctl.store.sqlite.look import history_of
from qctl.store.sqlite.store import SQLiteStore
from tests.profile import examples
from tests.store.conftest import NOW

STALE = 300
FOREIGN = ("worker-f0000001", "worker-f0000002")
FAILING = (ending.ERROR, ending.TIMEOUT, ending.CRASH, ending.RETRY)
HOWS = (ending.SUCCEEDED, *FAILING, ending.SNOOZE, ending.DEAD, ending.CANCEL, ending.STOPPED, ending.LOST)

FOREIGN_CLAIM = """
    UPDATE jobs SET status = 'processing', attempts = attempts + 1, locked_by = :worker,
      locked_at = datetime(:now, 'unixepoch'), updated_at = datetime(:now, 'unixepoch')
    WHERE id = (SELECT id FROM jobs WHERE status = 'pending' AND scheduled_at <= datetime(:now, 'unixepoch')
      ORDER BY priority DESC, scheduled_at ASC LIMIT 1)
    RETURNING number
"""
FOREIGN_COMPLETE = """
    UPDATE jobs SET status = 'completed', completed_at = datetime(:now, 'unixepoch'), locked_by = NULL, locked_at = NULL
    WHERE number = :number
"""
FOREIGN_RETRY = """
    UPDATE jobs SET status = 'pending', last_error = 'theirs', locked_by = NULL, locked_at = NULL,
      scheduled_at = datetime(:now + attempts * 30, 'unixepoch')
    WHERE number = :number
"""
FOREIGN_FAIL = "UPDATE jobs SET status = 'failed', last_error = 'theirs', locked_by = NULL, locked_at = NULL WHERE number = :number"
FOREIGN_BURY = """
    INSERT INTO dead_letter_jobs (id, original_job_id, type, payload, attempts, last_error)
    SELECT :id, id, type, payload, attempts, last_error FROM jobs WHERE number = :number
"""


class Known:
    """A job as the model knows it. Times in milliseconds since the epoch."""

    def __init__(
        self, number: int, type_: str, queue: str, priority: int, due: int, most: int, is_command: bool
    ) -> None:
        self.number = number
        self.type = type_
        self.queue = queue
        self.priority = priority
        self.due = due
        self.most = most
        self.is_command = is_command
        self.status = PENDING
        self.attempts = 0
        self.rescues = 0
        self.holder: str | None = None
        self.locked = 0
        self.token = 0
        self.is_cancel_asked = False
        self.deaths = 0
        self.runs_ended = 0

    def row(self) -> tuple[Any, ...]:
        return (
            self.number, self.type, self.queue, self.priority, to_text(self.due / 1000), self.most, self.status,
            self.attempts, self.rescues, self.holder,
        )  # fmt: skip

    def go(self, status: str, due: int | None = None) -> None:
        self.status = status
        self.holder = None
        self.is_cancel_asked = False
        self.due = self.due if due is None else due
        self.deaths += status == FAILED


class Queue(RuleBasedStateMachine):
    job_class: ClassVar[type[Known]] = Known
    path: ClassVar[bool] = False  # True: in a file, with a second connection for the foreign statements

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory() if self.path else None
        self.store = SQLiteStore(str(Path(self.folder.name) / "q.db") if self.folder else MEMORY)
        self.plain = sqlite3.connect(self.store.path, isolation_level=None) if self.folder else self.store.connection
        self.now = int(NOW) * 1000
        self.jobs: dict[int, Known] = {}
        self.highest = 0
        self.leases: list[tuple[str, Lease]] = []  # every lease there ever was
        self.ours: list[str] = []
        self.born = 0
        self.random = random.Random(0)

    def teardown(self) -> None:
        if self.folder:
            self.plain.close()
        self.store.close()
        if self.folder:
            self.folder.cleanup()

    # -- helpers --------------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        return self.now / 1000

    def enter_worker(self) -> str:
        self.born += 1
        id_ = f"w-{self.born}"
        workers.register(self.store, id_, 4, self.seconds)
        self.ours.append(id_)
        return id_

    def is_open(self, job: Known) -> bool:
        """Whether nothing keeps a due job from being claimed."""
        return True

    def current(self, worker: str, lease: Lease) -> Known | None:
        """The job, if the lease is the one under which it runs."""
        job = self.jobs.get(lease.number)
        if job is None or job.status != PROCESSING or job.holder != worker or job.token != lease.token:
            return None
        return job

    def pick(self, data: Any) -> tuple[str, Lease]:
        """A lease: mostly one that holds, else one of long ago."""
        holding = [one for one in self.leases if self.current(*one) is not None]
        is_late = data.draw(st.sampled_from([False, False, False, True]))
        return data.draw(st.sampled_from(self.leases if is_late or not holding else holding))  # type: ignore[no-any-return]

    def apply(self, job: Known, how: str, after: int | None, most: int) -> None:
        """What an end of a run must do to the job. Milliseconds."""
        job.runs_ended += 1
        may_go_on = not job.is_cancel_asked
        if how == ending.SUCCEEDED:
            job.rescues = 0
            job.go(COMPLETED)
        elif how == ending.CANCEL:
            job.go(CANCELLED)
        elif how == ending.DEAD or (how in FAILING and job.attempts >= most):
            job.go(FAILED)
        elif how == ending.LOST:
            job.attempts, job.rescues = max(job.attempts - 1, 0), job.rescues + 1
            if job.rescues >= MAX_RESCUES:
                job.go(FAILED)
            else:
                job.go(PENDING if may_go_on else CANCELLED, self.now if may_go_on else None)
        else:
            wait = 30_000 * max(job.attempts, 1) if after is None else after
            if how in (ending.STOPPED, ending.SNOOZE):
                job.attempts = max(job.attempts - 1, 0)
            wait = 0 if how == ending.STOPPED else wait
            job.go(PENDING if may_go_on else CANCELLED, self.now + wait if may_go_on else None)

    # -- moves ----------------------------------------------------------------------------------------------------

    @initialize(most=st.lists(st.integers(1, 3), max_size=8))
    def begin(self, most: list[int]) -> None:
        for _ in range(3):
            self.enter_worker()
        for each in most:
            self.insert("x", "default", 0, 0, each, False, 1)

    @rule(
        type_=st.sampled_from("xy"),
        queue=st.sampled_from(["default", "other"]),
        priority=st.sampled_from([0, 0, 10, -5]),
        delay=st.sampled_from([0, 0, 0, 1, 40_000, -1000]),
        most=st.integers(1, 3),
        is_command=st.booleans(),
        count=st.integers(1, 3),
    )
    def insert(
        self, type_: str, queue: str, priority: int, delay: int, most: int, is_command: bool, count: int
    ) -> None:
        due = self.now + delay
        new = [
            NewJob(
                type_,
                queue=queue,
                priority=priority,
                max_attempts=most,
                scheduled_at=to_text(due / 1000),
                command='["true"]' if is_command else None,
            )
            for _ in range(count)
        ]
        numbers = self.store.insert(new, to_text(self.seconds))
        assert numbers == list(range(self.highest + 1, self.highest + count + 1))
        self.highest = numbers[-1]
        for number in numbers:
            self.jobs[number] = self.job_class(number, type_, queue, priority, due, most, is_command)

    @rule(priority=st.sampled_from([0, 10]), delay=st.sampled_from([0, 5]))
    def insert_by_plain_sql(self, priority: int, delay: int) -> None:
        due = self.now // 1000 + delay
        cursor = self.plain.execute(
            "INSERT INTO jobs (type, priority, scheduled_at) VALUES ('x', ?, strftime('%Y-%m-%dT%H:%M:%SZ', ?, 'unixepoch'))",
            (priority, due),
        )
        number = cursor.lastrowid or 0
        assert number == self.highest + 1
        self.highest = number
        self.jobs[number] = self.job_class(number, "x", "default", priority, due * 1000, 5, False)

    @rule(
        who=st.integers(0, 2),
        limit=st.integers(1, 4),
        handlers=st.sampled_from(["", "x", "xy"]),
        queues=st.sampled_from([None, None, {"default"}, {"other"}]),
        types=st.sampled_from([None, None, {"y"}]),
        commands=st.booleans(),
    )
    def claim(self, who: int, limit: int, handlers: str, queues: Any, types: Any, commands: bool) -> None:
        worker = self.ours[who]
        able = [
            job
            for job in self.jobs.values()
            if job.status == PENDING
            and job.due <= self.now
            and self.is_open(job)
            and (queues is None or job.queue in queues)
            and (types is None or job.type in types)
            and (commands if job.is_command else job.type in handlers)
        ]
        able.sort(key=lambda job: (-job.priority, job.due, job.number))
        leases = self.store.claim(
            worker, limit, to_text(self.seconds), handlers=set(handlers), queues=queues, types=types, commands=commands
        )
        assert [lease.number for lease in leases] == [job.number for job in able[:limit]]
        for lease, job in zip(leases, able, strict=False):
            job.status, job.holder, job.locked = PROCESSING, worker, self.now
            job.attempts += 1
            assert lease.attempts == job.attempts
            assert lease.token > job.token, "tokens only grow"
            assert lease.rescues == job.rescues
            job.token = lease.token
            self.leases.append((worker, lease))

    @precondition(lambda self: self.leases)
    @rule(
        data=st.data(),
        how=st.sampled_from(HOWS),
        after=st.sampled_from([None, 0, 1500]),
        count=st.integers(1, 3),
    )
    def finish(self, data: Any, how: str, after: int | None, count: int) -> None:
        """End runs, late ones and one twice among them, in one transaction."""
        picked = [self.pick(data) for _ in range(count)]
        worker = picked[0][0]
        given, expected = [], []
        for owner, lease in picked:
            wait = after if how in (ending.RETRY, ending.SNOOZE) else None
            run = Ending(
                lease.number,
                lease.token,
                how,
                started_at=self.seconds,
                finished_at=self.seconds,
                error=how,
                after=None if wait is None else wait / 1000,
            )
            given.append((run, Facts(lease.attempts, lease.max_attempts, lease.backoff, lease.rescues)))
            job = self.current(worker, lease) if owner == worker else None
            if job is not None:
                self.apply(job, how, wait, lease.max_attempts)
            expected.append(None if job is None else job.status)
        outcomes = self.store.finish(worker, given, to_text(self.seconds), self.random.random)
        assert [outcome.move and outcome.move.status for outcome in outcomes] == expected

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def hand_back(self, data: Any) -> None:
        worker, lease = self.pick(data)
        job = self.current(worker, lease)
        changed = workers.hand_back(self.store, worker, [(lease.number, lease.token)], self.seconds)
        assert changed == (job is not None)
        if job is not None:
            job.attempts -= 1
            job.go(CANCELLED if job.is_cancel_asked else PENDING)

    @rule(who=st.integers(0, 2))
    def a_worker_dies(self, who: int) -> None:
        worker = self.ours.pop(who)
        held = [job for job in self.jobs.values() if job.status == PROCESSING and job.holder == worker]
        outcomes = workers.bury(self.store, [workers.Dead(worker, "it died")], self.seconds, self.random.random)
        for job in held:
            self.apply(job, ending.CANCEL if job.is_cancel_asked else ending.LOST, None, job.most)
        assert sorted(outcome.ending.number for outcome in outcomes) == [job.number for job in held]
        assert all(outcome.move is not None for outcome in outcomes)
        self.enter_worker()

    @rule()
    def rescue_stale(self) -> None:
        outcomes = workers.rescue_stale(self.store, self.seconds, STALE, self.random.random)
        stale = [
            job
            for job in self.jobs.values()
            if job.status == PROCESSING and job.holder in FOREIGN and job.locked < self.now - STALE * 1000
        ]
        for job in stale:
            self.apply(job, ending.CANCEL if job.is_cancel_asked else ending.LOST, None, job.most)
            self.sync_token(job)
        assert sorted(outcome.ending.number for outcome in outcomes) == sorted(job.number for job in stale)

    def sync_token(self, job: Known) -> None:
        ((token,),) = self.store.read("SELECT token FROM jobs WHERE number = ?", (job.number,))
        assert token >= job.token, "tokens only grow"
        job.token = token

    # -- the course's worker --------------------------------------------------------------------------------------

    @rule(worker=st.sampled_from(FOREIGN))
    def foreign_claim(self, worker: str) -> None:
        second = self.now // 1000
        rows = self.plain.execute(FOREIGN_CLAIM, {"worker": worker, "now": second}).fetchall()
        # It compares with the second alone, and gives nothing on order within one due time.
        due = [
            job
            for job in self.jobs.values()
            if job.status == PENDING and to_text(job.due / 1000) <= to_text(second).removesuffix(".000")
        ]
        assert bool(rows) == bool(due)
        if rows:
            job = self.jobs[rows[0][0]]
            assert (-job.priority, job.due) == min((-one.priority, one.due) for one in due)
            job.status, job.holder, job.locked = PROCESSING, worker, second * 1000
            job.attempts += 1
            self.sync_token(job)

    @precondition(lambda self: any(job.holder in FOREIGN for job in self.jobs.values()))
    @rule(data=st.data(), is_good=st.booleans())
    def foreign_end(self, data: Any, is_good: bool) -> None:
        held = [job for job in self.jobs.values() if job.holder in FOREIGN]
        job = data.draw(st.sampled_from(held))
        values = {"number": job.number, "now": self.now // 1000, "id": str(uuid.UUID(int=self.random.getrandbits(128)))}
        cancel_asked = job.is_cancel_asked  # they do not look at it
        if is_good:
            self.plain.execute(FOREIGN_COMPLETE, values)
            job.go(COMPLETED)
        elif job.attempts < job.most:
            self.plain.execute(FOREIGN_RETRY, values)
            job.go(PENDING, (self.now // 1000 + 30 * job.attempts) * 1000)
        else:
            self.plain.execute("BEGIN IMMEDIATE")
            self.plain.execute(FOREIGN_FAIL, values)
            self.plain.execute(FOREIGN_BURY, values)
            self.plain.execute("COMMIT")
            job.go(FAILED)
        job.is_cancel_asked = cancel_asked

    # -- people ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        from qctl.store.sqlite.steer import cancel_jobs

        running = [job.number for job in self.jobs.values() if job.status == PROCESSING]
        some = data.draw(st.sampled_from([running, sorted(self.jobs)])) or sorted(self.jobs)
        job = self.jobs[data.draw(st.sampled_from(some))]
        said = cancel_jobs(self.store, [job.number], self.seconds)
        if job.status == PENDING:
            job.status = CANCELLED
            assert said == {job.number: CANCELLED}
        elif job.status == PROCESSING:
            job.is_cancel_asked = True
            assert said == {job.number: "asked"}
        else:
            assert said == {job.number: job.status}

    @precondition(lambda self: any(job.status == FAILED for job in self.jobs.values()))
    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        job = data.draw(st.sampled_from([job for job in self.jobs.values() if job.status == FAILED]))
        rows = self.store.read(
            "SELECT d.id FROM dead_letter_jobs d JOIN jobs j ON j.id = d.original_job_id WHERE j.number = ?",
            (job.number,),
        )
        assert replay_dead(self.store, [row[0] for row in rows], self.seconds) == [job.number], (
            "once, whatever is asked"
        )
        job.go(PENDING, self.now)
        job.attempts = job.rescues = 0

    @precondition(lambda self: any(job.status in (COMPLETED, CANCELLED) for job in self.jobs.values()))
    @rule(data=st.data())
    def delete(self, data: Any) -> None:
        """The lesson's DELETE takes finished jobs at any time; their numbers do not come back."""
        done = [job.number for job in self.jobs.values() if job.status in (COMPLETED, CANCELLED)]
        number = data.draw(st.sampled_from(done))
        self.plain.execute("DELETE FROM jobs WHERE number = ?", (number,))
        del self.jobs[number]

    @rule(ms=st.sampled_from([1, 999, 30_000, 61_500, 301_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    # -- what holds at all times ----------------------------------------------------------------------------------

    @invariant()
    def the_table_is_as_the_model_says(self) -> None:
        rows = self.store.read(
            "SELECT number, type, queue, priority, scheduled_at, max_attempts, status, attempts, rescues, locked_by"
            " FROM jobs ORDER BY number"
        )
        assert rows == [self.jobs[number].row() for number in sorted(self.jobs)]

    @invariant()
    def a_lock_stands_where_somebody_runs_and_nowhere_else(self) -> None:
        assert self.store.read(
            "SELECT number FROM jobs WHERE (status = 'processing') <> (locked_by IS NOT NULL)"
            " OR (locked_by IS NULL) <> (locked_at IS NULL) OR (status = 'completed') <> (completed_at IS NOT NULL)"
        ) == []  # fmt: skip

    @invariant()
    def attempts_and_rescues_are_bounded(self) -> None:
        assert self.store.read("SELECT number FROM jobs WHERE attempts > max_attempts OR attempts < 0") == []
        assert self.store.read("SELECT number FROM jobs WHERE rescues > ?", (MAX_RESCUES,)) == []

    @invariant()
    def every_death_has_its_one_letter(self) -> None:
        counts = dict(
            self.store.read(
                "SELECT j.number, count(*) FROM dead_letter_jobs d JOIN jobs j ON j.id = d.original_job_id GROUP BY 1"
            )
        )
        assert counts == {job.number: job.deaths for job in self.jobs.values() if job.deaths}

    @invariant()
    def every_run_that_we_ended_stands_in_the_history_once(self) -> None:
        for job in self.jobs.values():
            runs = [run for run in history_of(self.store, job.number) if run["outcome"] != "running"]
            if job.status == COMPLETED and runs and runs[-1]["worker"] is None:
                runs.pop()  # another program completed it, and says no more than that
            assert len(runs) == job.runs_ended, runs


class QueueInAFile(Queue):
    path: ClassVar[bool] = True


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


def check(machine: type[Queue], count: int, steps: int = 40) -> None:
    """So many examples in the suite, more by the profile: `pytest --hypothesis-profile long`."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(max_examples=examples(count), stateful_step_count=steps, suppress_health_check=QUIET),
    )


def test_the_store_does_what_the_model_says() -> None:
    check(Queue, 40)


def test_the_store_in_a_file_does_what_the_model_says() -> None:
    check(QueueInAFile, 6)  # it adds the second connection


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("machine", [Queue, QueueInAFile])
def test_the_store_does_what_the_model_says_for_a_long_time(machine: type[Queue]) -> None:
    check(machine, 2000, 60)
