"""Flows in Python: chains, groups and steps become the document that a flow file holds, and run like it."""

from __future__ import annotations

from typing import Any

import pytest

from qctl import BadValue, Queue, chain, flow, group, handlers, item, step
from qctl.builder import Flow, Part
from qctl.handlers import Dead, handler
from qctl.rules.flow import steps_of


@pytest.fixture(autouse=True)
def some_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "registry", {})

    @handler("list")
    def files() -> Any:
        return {"files": [{"id": 3}, {"id": 4}], "total": 2}

    @handler("double")
    def double(n: int) -> int:
        return n * 2

    @handler("collect")
    def collect(what: Any = None, inputs: Any = None) -> Any:
        return [what, inputs]

    @handler("broken")
    def broken() -> None:
        raise Dead("no")


def needs(part: Part | Flow) -> dict[str, list[str]]:
    return {one.name: sorted(one.needs) for one in steps_of(part.document())}


def test_a_chain_is_one_after_the_other_and_a_group_side_by_side() -> None:
    assert needs(chain("a", group("b", chain("c", "d")), "e")) == {
        "a": [], "b": ["a"], "c": ["a"], "d": ["c"], "e": ["b", "d"],
    }  # fmt: skip


def test_steps_without_a_name_are_called_after_their_type_or_program() -> None:
    names = needs(group("t", "t", step("u", name="t-2"), step(command=["/bin/echo", "x"]), step(shell="true")))
    assert list(names) == ["t", "t-3", "t-2", "echo", "step"]


def test_a_step_says_what_it_waits_for_and_who_cleans_up() -> None:
    order = flow("order", vars={"n": 1})
    first = order.step("t", name="first", queue="q")
    tidy = order.step("t", name="tidy")
    order.step("t", name="second", after=[first], on_failure=tidy, when=f"{first.result['ok']}")
    order.step("t", name="third", after_any=[first, "second"], after_failed="fourth")
    order.add(step("t", name="fourth"))
    found = {one.name: one for one in steps_of(order.document())}
    assert found["second"].needs == {"first": "completed"} and found["second"].plan == {
        "when": "${steps.first.result.ok}"
    }
    assert found["third"].needs == {"first": "ended", "second": "ended", "fourth": "failed"}
    assert found["tidy"].plan == {"on_failure": ["second"]} and found["first"].fields["queue"] == "q"


def test_results_items_and_conditions_run_as_in_a_flow_file() -> None:
    queue = Queue(":memory:")
    listing = step("list", name="list")
    each = step("double", {"n": item["id"]}, name="each", foreach=listing.result["files"])
    last = step(
        "collect", {"what": {"of": listing.result["files"][1]["id"], "text": f"{each.result} done"}}, name="last"
    )
    never = step("broken", name="never", when="steps.list.result.total > 2")
    number = queue.run_flow(flow("x", chain(listing, group(each, never)), last))
    queue.run_inline()
    assert queue.flow(number or 0)["status"] == "completed"
    job = next(job for job in queue.find() if job.step == "last")
    assert job.result == [
        {"of": 4, "text": "[6,8] done"},
        {"list": {"files": [{"id": 3}, {"id": 4}], "total": 2}, "each": [6, 8]},
    ]
    assert {job.step: job.last_error for job in queue.find()}[
        "never"
    ] == "skipped: `steps.list.result.total > 2` does not hold"


def test_a_function_with_handler_is_a_step_of_its_type() -> None:
    registered = handlers.registry["broken"].function
    queue = Queue(":memory:")
    number = queue.run_flow(flow("x", chain(registered, "collect"), on_failure=step("collect", name="tidy"))) or 0
    queue.run_inline()
    assert {job.step: job.status for job in queue.find()} == {
        "broken": "failed", "collect": "blocked", "tidy": "completed",
    }  # fmt: skip
    assert queue.flow(number)["status"] == "failed"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: step("t").result, "needs a name"),
        (lambda: chain(), "chain: there are no steps"),
        (lambda: step(print), "is no handler"),
        (lambda: flow("x", step("t", after=step("gone"))).document(), "waits for 'gone', which is not in the flow"),
        (lambda: Queue(":memory:").run_flow(flow("x", "t", step("t", name="t", after="u"))), "there is no step 'u'"),
        (
            lambda: Queue(":memory:").run_flow(flow("x", step("t", name="a"), step("t", name="a"))),
            "two steps of that name",
        ),
    ],
)
def test_what_is_wrong_is_said(make: Any, says: str) -> None:
    with pytest.raises(BadValue, match=says):
        make()
