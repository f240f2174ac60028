"""`qctl pause`, `resume` and `explain`: what is held back, how one sees it, and what opens it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules.when import to_text
from qctl.store.sqlite import workers
from tests.states import dead, lease

Cli = Callable[..., Any]


def gates(cli: Cli, number: int = 1) -> dict[str, dict[str, Any]]:
    """The gates that `explain --json` names, by name."""
    done = cli("explain", str(number), "--json")
    assert done.code == 0
    return {gate["gate"]: gate for gate in json.loads(done.out)["gates"]}


def register_elsewhere(queue: Queue, worker: str) -> None:
    """A worker of another machine: of one here the commands, run in this very process, would take the lock for theirs."""
    workers.register(queue.store, worker, 1, time.time())
    with queue.store.write() as connection:
        connection.execute("UPDATE qctl_workers SET host = 'elsewhere', boot = 'another'")


@pytest.mark.parametrize(
    ("argv", "what"), [(["a"], ("type", "a")), (["--queue", "slow"], ("queue", "slow")), (["--all"], ("all", ""))]
)
def test_a_pause_is_kept_told_and_ended(cli: Cli, queue: Queue, argv: list[str], what: tuple[str, str]) -> None:
    done = cli("pause", *argv)
    assert (done.code, done.out) == (0, "")
    assert "is paused" in done.err
    assert queue.paused() == [what]
    assert "paused already" in cli("pause", *argv).err
    for command in ("stats", "health"):
        (told,) = json.loads(cli(command, "--json").out)["paused"]
        assert (told["scope"], told["name"]) == what
    assert "resumed" in cli("resume", *argv).err
    assert queue.paused() == []
    assert "was not paused" in cli("resume", *argv).err


def test_several_are_paused_at_once_and_json_says_what_changed(cli: Cli, queue: Queue) -> None:
    cli("pause", "a")
    rows = [json.loads(line) for line in cli("pause", "a", "b", "--queue", "q", "--json").out.splitlines()]
    assert [(row["scope"], row["name"], row["changed"]) for row in rows] == [
        ("type", "a", False), ("type", "b", True), ("queue", "q", True)]  # fmt: skip


def test_list_says_what_is_paused_and_how_to_end_it(cli: Cli, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    from qctl.cli import render, terminal
    from qctl.cli.pause import paused_hint

    queue.enqueue("a b")
    queue.pause("type", "a b")
    for module in (terminal, render):
        monkeypatch.setattr(module, "is_terminal", lambda _stream: True)
    done = cli("list")
    assert "qctl resume 'a b'" in done.err + done.out
    queue.pause("all")
    hint = paused_hint(queue.paused())
    assert hint is not None and hint.endswith("qctl resume --all")
    assert paused_hint([]) is None


@pytest.mark.parametrize("argv", [[], ["a", "--all"], [""], ["--queue", " x"]])
@pytest.mark.parametrize("command", ["pause", "resume"])
def test_who_does_not_say_what_is_asked_for_it(cli: Cli, queue: Queue, command: str, argv: list[str]) -> None:
    done = cli(command, *argv)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert queue.paused() == []


def test_explain_names_every_gate_and_its_command_runs_as_it_is_printed(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a", delay="1h")
    cli("pause", "--all")
    cli("pause", "a", "--queue", "default")
    done = cli("explain", "1")
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert [line[0] for line in lines] == ["not due", "paused", "paused", "paused", "no worker"]
    for line in lines[:-1]:
        assert cli(*line[2].split()[1:]).code == 0, line
    assert list(gates(cli)) == ["no worker"]


def test_explain_says_when_the_next_start_comes_and_who_holds_the_places(cli: Cli, queue: Queue) -> None:
    for _ in range(3):
        queue.enqueue("a")
    queue.set_limits("type", "a", rate="1/h", concurrency="1")
    now = time.time()
    queue.store.claim("worker-x", 1, to_text(now), handlers={"a"})
    found = gates(cli, 2)
    assert found["rate"]["why"].startswith("type a may start 1/h: the next in 1h")
    assert found["rate"]["at"] > "2026"
    assert found["rate"]["opens"] == "qctl types set a --rate ''"
    assert found["concurrency"]["why"] == "type a may run 1 at once: held by 1 (worker-x)"
    assert found["concurrency"]["opens"] == "qctl types set a --concurrency 2"
    assert json.loads(cli("explain", "3", "--json").out)["ahead"] == 1


def test_explain_names_the_key_that_is_full(cli: Cli, queue: Queue) -> None:
    queue.set_limits("type", "a", concurrency="1", concurrency_key="customer")
    queue.enqueue_many([{"type": "a", "payload": {"customer": name}} for name in ("ann", "ann", "bob")])
    queue.store.claim("worker-x", 1, to_text(time.time() + 1), handlers={"a"})
    assert "with key 'ann'" in gates(cli, 2)["concurrency"]["why"]
    assert "concurrency" not in gates(cli, 3)


def test_explain_names_the_jobs_that_a_blocked_one_waits_for(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    queue.enqueue("b")
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET status = 'blocked' WHERE number = 2")
        connection.execute("INSERT INTO qctl_needs (job, needs) VALUES (2, 1)")
    assert gates(cli, 2)["blocked"] == {
        "gate": "blocked", "why": "it waits until job 1 is completed: that is pending", "opens": "qctl explain 1",
        "at": None}  # fmt: skip


def test_explain_of_what_runs_has_ended_or_may_run(cli: Cli, queue: Queue) -> None:
    queue.enqueue("a")
    lease(queue, 1, time.time())
    number = dead(queue)
    queue.enqueue("c")
    register_elsewhere(queue, "worker-y")
    workers.tell_types(queue.store, "worker-y", ["c"])
    says = [json.loads(cli("explain", str(one), "--json").out)["says"] for one in (1, number, 3)]
    assert "is running, held by worker-test" in says[0]
    assert "has ended (failed): card declined" in says[1]
    assert "may run" in says[2]
    assert cli("explain", "99").code == 3


def test_explain_says_what_no_live_worker_takes(cli: Cli, queue: Queue) -> None:
    queue.enqueue("mail")
    queue.enqueue(shell="true")
    assert gates(cli)["no worker"]["opens"] == "qctl work --handlers MODULE"
    assert gates(cli, 2)["no worker"]["opens"] == "qctl work"
    register_elsewhere(queue, "worker-y")
    told = []
    for runs, types, queues in (
        (["mail"], None, ["other"]), (["mail"], ["web"], None), (["web"], ["mail"], ["default"]), (["mail"], None, None),
    ):  # fmt: skip
        workers.tell_types(queue.store, "worker-y", runs, types, queues)
        found = gates(cli).get("no worker")
        told.append(found and (found["why"], found["opens"]))
    assert told == [
        ("no live worker takes queue default", "qctl work --queue default"),
        ("no live worker takes type mail", "qctl work --type mail"),
        ("no live worker has a handler for mail", "qctl work --handlers MODULE"),
        None,
    ]
    workers.tell_types(queue.store, "worker-y", [])
    assert gates(cli, 2) == {}
    queue.set_type("mail", command="/bin/cat")
    assert gates(cli) == {}


def test_a_limit_that_is_none_changes_nothing(queue: Queue) -> None:
    for fields in ({"rate": "often"}, {"concurrency": "0"}, {"rate_key": "a"}, {"rate": "1/s", "rate_key": "a..b"}):
        with pytest.raises(ValueError):
            queue.set_limits("type", "a", **fields)
    assert queue.limits() == []
    queue.set_limits("type", "a", rate="5/s", concurrency="2")
    queue.pause("type", "a")
    queue.unset_limits("type", "a")
    assert [(one["rate"], one["concurrency"], one["paused_at"] is None) for one in queue.limits()] == [
        (None, None, False)
    ]


def test_types_list_says_how_many_jobs_have_not_got_the_key(cli: Cli, queue: Queue) -> None:
    queue.set_limits("type", "a", rate="5/m", rate_key="customer")
    queue.enqueue_many([{"type": "a"}, {"type": "a", "payload": {"customer": "ann"}}, {"type": "b"}])
    (row,) = [json.loads(line) for line in cli("types", "list", "--json").out.splitlines()]
    assert (row["rate_key"], row["without_key"]) == ("customer", 1)
    assert "1 without the key" in cli("types", "list").out


def test_the_command_that_explain_prints_takes_the_rate_off(cli: Cli, queue: Queue) -> None:
    import shlex

    queue.enqueue_many([{"type": "a b"}, {"type": "a b"}])
    queue.set_limits("type", "a b", rate="1/h")
    queue.store.claim("worker-x", 1, to_text(time.time() + 1), handlers={"a b"})
    assert cli(*shlex.split(gates(cli, 2)["rate"]["opens"])[1:]).code == 0
    assert "rate" not in gates(cli, 2)
