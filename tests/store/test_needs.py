"""Jobs that wait for jobs: exactly those run whose needs are met, whoever ends what they waited for."""

from __future__ import annotations

import random as chance
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import BadValue, NotFound
from qctl.queue import Queue
from qctl.rules.ending import Ending, Facts
from qctl.rules.when import to_text
from tests.profile import examples

FIELDS = {"after": "completed", "after_any": "ended", "after_failed": "failed"}


def statuses(queue: Queue) -> dict[int, str]:
    return {job.number: job.status for job in queue.find()}


def run_one(queue: Queue, how: str) -> int | None:
    """Run the next job to an end; its number."""
    now = time.time()
    leases = queue.store.claim("w", 1, to_text(now + 1), handlers=("t",))
    for lease in leases:
        ending = Ending(
            lease.number, lease.token, how, started_at=now, finished_at=now, error="no" if how != "completed" else None
        )
        facts = Facts(lease.attempts, lease.max_attempts, lease.backoff, lease.rescues)
        queue.store.finish("w", [(ending, facts)], to_text(now), chance.random)
    return leases[0].number if leases else None


@given(st.data())
@settings(max_examples=examples(40))
def test_every_job_runs_only_after_its_needs_and_exactly_the_right_ones_stay_blocked(data: st.DataObject) -> None:
    with Queue(":memory:") as queue:
        edges: dict[int, dict[int, str]] = {}
        fails: set[int] = set()
        for number in range(1, data.draw(st.integers(1, 12)) + 1):
            needs = (
                data.draw(st.dictionaries(st.integers(1, number - 1), st.sampled_from(list(FIELDS)), max_size=4))
                if number > 1
                else {}
            )
            options = {field: [one for one, kind in needs.items() if kind == field] for field in FIELDS}
            job = queue.enqueue("t", **options)
            edges[job] = {one: FIELDS[field] for one, field in needs.items()}
            assert job.status == ("blocked" if needs else "pending")
            if data.draw(st.booleans()):
                fails.add(job)
        ended: dict[int, str] = {}
        was: dict[int, set[str]] = {}  # every end that a job has come to

        def met(number: int) -> bool:
            return all(
                was.get(one, set()) & ({kind} if kind != "ended" else {"completed", "failed", "cancelled"})
                for one, kind in edges[number].items()
            )

        for _ in range(60):
            waiting = [number for number in edges if number not in ended]
            # Drawn always and from the same, whatever the jobs have come to: which of them is claimed first is up to time.
            step, place = (
                data.draw(st.sampled_from(["run", "run", "run", "cancel", "replay"])),
                data.draw(st.integers(0, 99)),
            )
            if step == "cancel" and waiting:
                number = waiting[place % len(waiting)]
                queue.cancel([number])
                ended[number] = "cancelled"
            elif step == "replay" and ended:
                number = sorted(ended)[place % len(ended)]
                queue.retry([number])
                del ended[number]
                fails.discard(number)
                continue
            else:
                ready = [number for number in waiting if met(number)]
                leases = queue.store.claim("w", 1, to_text(time.time() + 60), handlers=("t",))
                assert bool(leases) == bool(ready)
                if not leases:
                    continue
                number = leases[0].number
                assert number in ready
                how = "dead" if number in fails else "completed"
                end = Ending(number, leases[0].token, how, started_at=1.0, finished_at=2.0, error="no")
                queue.store.finish("w", [(end, Facts(1, 5, None, 0))], to_text(time.time()), chance.random)
                ended[number] = "failed" if how == "dead" else "completed"
            was.setdefault(number, set()).add(ended[number])
            expected = {one: ended.get(one) or ("pending" if met(one) else "blocked") for one in edges}
            assert statuses(queue) == expected


def test_a_need_may_have_ended_before(queue: Queue) -> None:
    first = queue.enqueue("t")
    run_one(queue, "completed")
    assert queue.enqueue("t", after=first).status == "pending"
    assert queue.enqueue("t", after_any=[first]).status == "pending"
    assert queue.enqueue("t", after_failed=first).status == "blocked"


def test_a_replay_that_succeeds_lets_the_chain_go_on(queue: Queue) -> None:
    first = queue.enqueue("t")
    second = queue.enqueue("t", after=first)
    third = queue.enqueue("t", after=second)
    run_one(queue, "dead")
    assert statuses(queue) == {first: "failed", second: "blocked", third: "blocked"}
    queue.replay([letter["id"] for letter in queue.dead_letters()])
    assert [run_one(queue, "completed") for _ in range(4)] == [first, second, third, None]


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
def test_plain_sql_that_ends_a_job_lets_go_what_waited(queue: Queue, end: str) -> None:
    first = queue.enqueue("t")
    queue.enqueue("t", after=first)
    queue.enqueue("t", after_any=first)
    queue.enqueue("t", after_failed=first)
    queue.store.connection.execute("UPDATE jobs SET status = ? WHERE number = 1", (end,))
    ready = {number for number, status in statuses(queue).items() if status == "pending"}
    assert ready == {"completed": {2, 3}, "failed": {3, 4}, "cancelled": {3}}[end]


def test_an_expired_job_lets_go_who_waited_for_its_end(queue: Queue) -> None:
    first = queue.enqueue("t", expires="1s")
    queue.enqueue("t", after=first)
    queue.enqueue("t", after_any=first)
    assert queue.store.expire(to_text(time.time() + 5)) == 1
    assert statuses(queue) == {1: "cancelled", 2: "blocked", 3: "pending"}


def test_cascade_cancels_what_could_not_run_and_nothing_else(queue: Queue) -> None:
    first = queue.enqueue("t")
    second = queue.enqueue("t", after=first)
    third = queue.enqueue("t", after=second)
    other = queue.enqueue("t", after_any=second)
    assert queue.left_behind([first]) == [second, third]
    assert queue.cancel([first], cascade=True) == dict.fromkeys((first, second, third), "cancelled")
    assert statuses(queue)[other] == "pending"


def test_a_job_run_again_waits_for_what_it_still_needs(queue: Queue) -> None:
    first = queue.enqueue("t")
    second = queue.enqueue("t", after=first)
    queue.cancel([second])
    assert queue.retry([second]) == {second: "pending"}
    assert statuses(queue)[second] == "blocked"


def test_references_are_numbers_ids_ranges_and_lists(queue: Queue) -> None:
    jobs = [queue.enqueue("t", id=f"job-{n}") for n in range(4)]
    last = queue.enqueue("t", after="1-2, job-2", after_any=[4])
    assert [(one["number"], one["kind"]) for one in queue.needs(last)] == [
        (1, "completed"), (2, "completed"), (3, "completed"), (4, "ended"),
    ]  # fmt: skip
    assert [one["number"] for one in queue.needed_by(jobs[0])] == [last]


def test_jobs_of_one_transaction_may_wait_for_one_another(queue: Queue) -> None:
    first, second = queue.enqueue_many([{"type": "t", "id": "one"}, {"type": "t", "after": "one"}])
    assert queue.waits_for([second]) == {second: [first]}


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"after": 99}, NotFound, "after: there is no job 99"),
        ({"after": 2}, NotFound, "after: there is no job 2"),
        ({"after_any": "nix"}, NotFound, "after_any: there is no job 'nix'"),
        ({"after": 1, "after_failed": "1"}, BadValue, "job 1 is in both after and after_failed"),
        ({"after": 1.5}, BadValue, "after: 1.5 is no job"),
        ({"after": [[]]}, BadValue, "after: "),
        ({"after": " , "}, BadValue, "after: there is no job in it"),
        ({"after": "9-3"}, BadValue, "is no range"),
    ],
)
def test_what_is_no_job_is_refused_and_nothing_is_stored(
    queue: Queue, fields: dict[str, object], error: type[Exception], says: str
) -> None:
    queue.enqueue("t")
    with pytest.raises(error, match=says):
        queue.enqueue("t", **fields)
    assert queue.count() == 1


def test_a_deleted_job_takes_its_needs_along(queue: Queue) -> None:
    first = queue.enqueue("t")
    queue.enqueue("t", after=first)
    queue.store.connection.execute("DELETE FROM jobs WHERE number = 2")
    assert queue.store.read("SELECT count(*) FROM qctl_needs") == [(0,)]
