"""Steps of flows as they start: templates, conditions, and the jobs of a foreach, each made once."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from qctl import Dead, Queue, chain, flow, group, handlers, item, step
from qctl.builder import Flow
from qctl.handlers import handler
from qctl.model import Job, Lease
from qctl.rules import ending
from qctl.rules.ending import Ending, Facts
from qctl.rules.when import to_text
from qctl.store.sqlite import fan

broken: set[int] = set()  # numbers that `double` fails for


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setattr(handlers, "registry", {})
    broken.clear()

    @handler("give")
    def give(it: Any = None) -> Any:
        return it

    @handler("double")
    def double(n: int) -> int:
        if n in broken:
            raise Dead("broken")
        return n * 2

    @handler("take")
    def take(inputs: Any, it: Any = None) -> Any:
        return [it, inputs]

    with Queue(":memory:") as one:
        yield one


def named(queue: Queue) -> dict[str, Job]:
    return {job.step: job for job in queue.find()}


def statuses(queue: Queue) -> dict[str, str]:
    return {job.step: job.status for job in queue.find(newest_first=False)}


def run(queue: Queue, what: Flow) -> int:
    number = queue.run_flow(what)
    queue.run_inline()
    return number or 0


def give(value: Any, name: str = "give", **options: Any) -> Any:
    return step("give", {"it": value}, name=name, **options)


def each(name: str = "each", **options: Any) -> Any:
    return step("double", {"n": item}, name=name, foreach="${steps.give.result}", **options)


# -- templates -------------------------------------------------------------------------------------------------------


def test_the_row_keeps_the_template_and_says_what_ran(queue: Queue) -> None:
    first = give({"id": [1, {"x": None}]})
    run(
        queue,
        flow("f", first, step("give", {"it": first.result["id"][1], "text": "${HOME}"}, name="b", max_attempts=1)),
    )
    job = named(queue)["b"]
    assert job.payload == {"it": "${steps.give.result.id[1]}", "text": "${HOME}"}
    assert job.plan == {"templates": True, "ran": {"payload": {"it": {"x": None}, "text": "${HOME}"}}}
    assert "text" in job.last_error  # the handler has no such parameter: it was called with all of it


def test_a_result_that_is_missing_fails_the_step_for_good_with_the_reason(queue: Queue) -> None:
    run(queue, flow("f", chain(give({"id": 1}), step("give", {"it": "${steps.give.result.total}"}, name="b"), "take")))
    job = named(queue)["b"]
    assert (job.status, job.attempts) == ("failed", 1)
    assert job.last_error == "${steps.give.result.total}: the result of step give has no 'total' (it has id)"
    assert [one["error"] for one in queue.history(job.number)] == [job.last_error]
    assert [letter["number"] for letter in queue.dead_letters()] == [job.number]
    assert statuses(queue)["take"] == "blocked"


def test_a_step_without_a_result_has_none_to_give(queue: Queue) -> None:
    run(queue, flow("f", give(None), step("give", {"it": "${steps.give.result}"}, name="b")))
    assert named(queue)["b"].last_error == "${steps.give.result}: step give has no result"


def test_what_was_put_in_is_no_template_itself(queue: Queue) -> None:
    run(
        queue,
        flow(
            "f",
            give("${steps.x.result} ${item}"[0:0] + "$"),
            step("give", {"it": "${steps.give.result}{steps.b.result}"}, name="b"),
        ),
    )
    assert named(queue)["b"].result == "${steps.b.result}"


def test_arguments_and_variables_of_commands_are_text(queue: Queue) -> None:
    first = give({"n": 5, "l": [1]})
    command = ["echo", "${steps.give.result.n}", "-${steps.give.result.l}", "$HOME"]
    queue.run_flow(flow("f", first, step(command=command, env={"ID": "${steps.give.result.n}"}, name="b")))
    queue.run_inline()
    (lease,) = queue.store.claim("w", 1, to_text(time.time() + 1))
    assert json.loads(lease.command or "") == ["echo", "5", "-[1]", "$HOME"] and json.loads(lease.env or "") == {
        "ID": "5"
    }
    assert named(queue)["b"].command == command
    assert named(queue)["b"].plan["ran"] == {"command": ["echo", "5", "-[1]", "$HOME"]}


def test_a_payload_that_results_make_too_large_fails_the_step(queue: Queue) -> None:
    queue.store.set_setting("max_payload", "2000")
    run(queue, flow("f", give("x" * 1500), step("give", {"it": "${steps.give.result}${steps.give.result}"}, name="b")))
    assert (
        "payload: with the results in it, it has 3,009 bytes, over the limit of 2,000" in named(queue)["b"].last_error
    )


def test_results_over_the_limit_are_not_given(queue: Queue) -> None:
    queue.store.set_setting("max_inputs", "1500000")
    run(queue, flow("f", chain(group(give("x" * 1_000_000), give("y" * 1_000_000, "more")), give(1, "take"))))
    assert "over the limit of 1,500,000 bytes" in named(queue)["take"].last_error
    queue.store.set_setting("max_inputs", None)
    assert queue.replay_flow(1) == [named(queue)["take"].number]
    queue.run_inline()
    assert named(queue)["take"].status == "completed"


def test_a_schema_holds_for_what_is_no_template_at_once_and_for_the_rest_at_the_start(queue: Queue) -> None:
    queue.set_type("give", schema={"properties": {"it": {"type": "integer"}, "a": {"enum": [1]}}, "required": ["it"]})
    with pytest.raises(ValueError, match="step 'b': payload: 'it' is a required property"):
        queue.run_flow(
            flow("f", step("double", {"n": 1}, name="a"), step("give", {"x": "${steps.a.result}"}, name="b"))
        )
    with pytest.raises(ValueError, match="step 'b': payload.a: 2 is not one of"):
        queue.run_flow(
            flow("f", step("double", {"n": 1}, name="a"), step("give", {"it": "${steps.a.result}", "a": 2}, name="b"))
        )
    run(queue, flow("f", step("double", {"n": 1}, name="a"), step("give", {"it": "${steps.a.result}"}, name="b"),
                    step("give", {"it": "x${steps.a.result}"}, name="c")))  # fmt: skip
    assert named(queue)["b"].result == 2
    assert "is not of type 'integer'" in named(queue)["c"].last_error


def test_jobs_outside_of_flows_have_no_templates(queue: Queue) -> None:
    first = queue.enqueue("give", {"it": 1})
    queue.enqueue("give", {"it": "${steps.give.result}"}, after=first)
    queue.run_inline()
    assert queue.get(2).result == "${steps.give.result}"


# -- when ------------------------------------------------------------------------------------------------------------


def test_a_step_whose_condition_does_not_hold_is_skipped_and_lets_go_what_needs_it(queue: Queue) -> None:
    first = give({"n": 3})
    number = run(queue, flow("f", chain(first, give(1, "no", when="steps.give.result.n > 3"), give(2, "behind"))))
    jobs = named(queue)
    assert (jobs["no"].status, jobs["no"].result, jobs["no"].attempts) == ("completed", None, 0)
    assert jobs["no"].last_error == "skipped: `steps.give.result.n > 3` does not hold" and jobs["no"].completed_at
    assert jobs["behind"].result == 2 and queue.flow(number)["status"] == "completed"


def test_a_condition_without_an_answer_fails_the_step(queue: Queue) -> None:
    run(queue, flow("f", give("text"), give(1, "no", when="steps.give.result > 3")))
    assert (named(queue)["no"].status, named(queue)["no"].last_error) == (
        "failed", "when: a string and a number have no order: == and != compare everything",
    )  # fmt: skip


# -- foreach ---------------------------------------------------------------------------------------------------------


def test_a_foreach_makes_a_job_of_each_item_and_gives_their_results_as_a_list(queue: Queue) -> None:
    number = run(queue, flow("f", chain(give([5, 6, 7]), each(priority=3, tags=["x"]), "take")))
    jobs = named(queue)
    assert jobs["take"].result == [None, {"each": [10, 12, 14]}]
    parent = jobs["each"]
    assert (parent.status, parent.attempts, parent.result) == ("completed", 1, [10, 12, 14])
    children = [jobs[f"each[{n}]"] for n in range(3)]
    assert [(one.payload, one.parent, one.flow, one.priority, one.tags, one.id) for one in children] == [
        ({"n": 5 + n}, parent.number, number, 3, ["x"], f"{parent.id}/{n}") for n in range(3)
    ]
    assert queue.flow(number)["status"] == "completed" and queue.flow(number)["steps"] == 6


def test_an_empty_list_completes_at_once(queue: Queue) -> None:
    run(queue, flow("f", chain(give([]), each(), "take")))
    assert named(queue)["take"].result == [None, {"each": []}] and queue.count() == 3


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (3, "foreach: ${steps.give.result} is a number, no list"),
        ({"a": [1]}, "foreach: ${steps.give.result} is an object, no list"),
        (None, "${steps.give.result}: step give has no result"),
        ([1, 2, 3, 4], "foreach: the list has 4 items: over the limit of 3, which `qctl config max_foreach` sets"),
    ],
)
def test_what_is_no_list_or_too_long_fails_the_step(queue: Queue, value: Any, says: str) -> None:
    queue.store.set_setting("max_foreach", "3")
    run(queue, flow("f", chain(give(value), each(), "take")))
    assert (named(queue)["each"].status, named(queue)["each"].last_error) == ("failed", says)
    assert queue.count() == 3


def test_an_item_that_lacks_what_is_asked_for_fails_the_step_and_makes_no_job(queue: Queue) -> None:
    made = step("double", {"n": item["n"]}, name="each", foreach="${steps.give.result}")
    run(queue, flow("f", give([{"n": 1}, {"m": 2}]), made))
    assert statuses(queue) == {"give": "completed", "each": "failed"}
    assert named(queue)["each"].last_error == "${item.n}: the item has no 'n' (it has m)"
    assert [one["outcome"] for one in queue.history(named(queue)["each"].number)] == ["dead"]
    assert len(list(queue.dead_letters())) == 1


def test_a_foreach_fails_once_all_have_ended_and_goes_on_when_those_that_failed_are_replayed(queue: Queue) -> None:
    broken.add(6)
    number = run(queue, flow("f", chain(give([5, 6, 7]), each(), "take")))
    child, parent = named(queue)["each[1]"], named(queue)["each"]
    assert parent.last_error == f"1 of its 3 jobs did not complete: {child.number}"
    assert statuses(queue) == {
        "give": "completed", "each": "failed", "take": "blocked", "each[0]": "completed", "each[1]": "failed",
        "each[2]": "completed",
    }  # fmt: skip
    assert queue.flow(number)["status"] == "failed"
    broken.clear()
    queue.replay([letter["id"] for letter in queue.dead_letters() if letter["number"] == child.number])
    assert statuses(queue)["each"] == "blocked"
    queue.run_inline()
    assert named(queue)["take"].result == [None, {"each": [10, 12, 14]}]
    assert queue.count() == 6 and not list(queue.dead_letters())


@pytest.mark.parametrize("how", ["retry", "replay_flow"])
def test_a_flow_is_replayed_with_the_jobs_of_its_foreach(queue: Queue, how: str) -> None:
    broken.update({5, 7})
    number = run(queue, flow("f", chain(give([5, 6, 7]), each(), "take")))
    broken.clear()
    if how == "retry":
        queue.retry([job.number for job in queue.find() if job.status == "failed"])
    else:
        queue.replay_flow(number)
    queue.run_inline()
    assert queue.flow(number)["status"] == "completed"
    assert named(queue)["take"].result == [None, {"each": [10, 12, 14]}]
    assert named(queue)["each[1]"].token == 1  # what was done is not repeated


def claim(queue: Queue) -> Lease:
    (lease,) = queue.store.claim("w", 1, to_text(time.time() + 1), handlers=handlers.registry)
    return lease


def fan_out(queue: Queue, lease: Lease) -> None:
    assert lease.verdict is not None and lease.verdict[0] == ending.FANNED
    end = Ending(lease.number, lease.token, ending.FANNED, started_at=1.0, finished_at=2.0)
    queue.store.finish("w", [(end, Facts(lease.attempts, 5, None, 0))], to_text(time.time()), random.random)


def test_a_long_list_is_made_in_parts_each_once_wherever_it_is_interrupted(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan, "CHUNK", 4)
    queue.run_flow(flow("f", chain(give(list(range(10))), each(), "take")))
    queue.run_inline(limit=1)
    for made in (4, 8):
        lease = claim(queue)
        fan_out(queue, lease)
        assert (statuses(queue)["each"], queue.count() - 3) == ("pending", made)
        fan_out(queue, lease)  # a late result of the same lease changes nothing
        assert queue.count() - 3 == made
    lost = claim(queue)
    queue.store.connection.execute(
        "UPDATE jobs SET status = 'pending', locked_by = NULL WHERE number = ?", (lost.number,)
    )
    fan_out(queue, claim(queue))
    fan_out(queue, lost)
    assert (statuses(queue)["each"], queue.count() - 3) == ("blocked", 10)
    queue.run_inline()
    assert named(queue)["take"].result == [None, {"each": [2 * n for n in range(10)]}]


def test_a_foreach_that_is_cancelled_while_it_is_made_makes_no_more(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan, "CHUNK", 4)
    number = queue.run_flow(flow("f", chain(give(list(range(10))), each()))) or 0
    queue.run_inline(limit=1)
    fan_out(queue, claim(queue))
    lease = claim(queue)
    queue.cancel_flow(number)
    fan_out(queue, lease)
    assert set(statuses(queue).values()) == {"completed", "cancelled"} and queue.count() == 6
    assert queue.flow(number)["status"] == "cancelled"


def test_cancelling_a_flow_lets_nothing_of_it_go(queue: Queue) -> None:
    number = queue.run_flow(flow("f", chain(give([1, 2]), each(), step("take", name="any", after_any="give")))) or 0
    queue.run_inline(limit=2)
    queue.cancel_flow(number)
    assert queue.run_inline() == [] and set(statuses(queue).values()) == {"completed", "cancelled"}


def test_a_foreach_of_100_000_leaves_others_their_turn(queue: Queue) -> None:
    numbers = "[" + ",".join("1" for _ in range(100_000)) + "]"
    queue.run_flow(flow("f", chain(give(1), each())))
    queue.run_inline(limit=1)
    queue.store.connection.execute("UPDATE jobs SET result = ? WHERE step = 'give'", (numbers,))
    longest = 0.0
    for _ in range(5):
        lease = claim(queue)
        begun = time.process_time()
        fan_out(queue, lease)
        longest = max(longest, time.process_time() - begun)
    assert queue.count() == 2 + 5 * fan.CHUNK
    assert longest < 1.0
