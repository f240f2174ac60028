"""Hooks: what happened is told once, by a job that retries, and never of itself."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.hooks import TYPE
from qctl.store.sqlite import hooks
from qctl.worker.hook import qctl_hook
from tests.states import dead, run_one

Drain = Callable[..., "subprocess.Popen[str]"]


class Listener:
    """A URL that keeps what it is told, and answers with the next of `answers` (200 when none is left)."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.answers: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.told.append((self.headers["Content-Type"], json.loads(body)))
                self.send_response(listener.answers.pop(0) if listener.answers else 200)
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.server.shutdown()
    one.server.server_close()


def look(queue: Queue) -> list[dict[str, Any]]:
    """Look once; the jobs that came of it."""
    before = {job.number for job in queue.find()}
    hooks.look(queue.store, time.time(), health=True)
    return [job.data for job in queue.find() if job.number not in before]


def event_of(job: dict[str, Any]) -> Any:
    payload = json.loads(job["payload"])
    return payload.get("event", payload)


def test_deaths_are_told_once_and_none_from_before(queue: Queue) -> None:
    dead(queue)
    queue.configure("hook.dead", "cat >> told.ndjson")
    assert look(queue) == []
    first, second = dead(queue, "charge", "card declined"), dead(queue, "mail", "x" * 9000)
    (job,) = look(queue)
    assert (job["type"], json.loads(job["command"])) == (TYPE, ["/bin/sh", "-c", "cat >> told.ndjson"])
    event = event_of(job)
    assert event["hook"] == "dead"
    assert [(one["number"], one["type"]) for one in event["dead_letters"]] == [(first, "charge"), (second, "mail")]
    assert max(len(one["error"]) for one in event["dead_letters"]) == 500
    assert look(queue) == []


def test_the_death_of_a_hook_is_not_told(queue: Queue) -> None:
    queue.configure("hook.dead", "http://127.0.0.1:1/")
    dead(queue)
    (job,) = look(queue)
    run_one(queue, job["number"], ending.DEAD, time.time(), error="nobody answers")
    assert look(queue) == []
    other = dead(queue)
    (job,) = look(queue)
    assert [one["number"] for one in event_of(job)["dead_letters"]] == [other]


def test_many_deaths_are_told_in_parts(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "MOST", 2)
    queue.configure("hook.dead", "true")
    numbers = [dead(queue) for _ in range(5)]
    told = [one["number"] for _ in range(4) for job in look(queue) for one in event_of(job)["dead_letters"]]
    assert told == numbers


def test_a_change_of_health_is_told_and_a_state_that_stays_is_not(queue: Queue) -> None:
    queue.configure("hook.health", "true")
    assert look(queue) == []
    for _ in range(11):
        dead(queue)
    (job,) = look(queue)
    event = event_of(job)
    assert (event["was"], event["status"]) == ("healthy", "degraded")
    assert event["issues"] == ["11 unreviewed dead letter jobs"]
    assert look(queue) == []


def test_the_end_of_a_flow_is_told(queue: Queue, cli: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "flow.toml"
    file.write_text('name = "order"\n[steps.a]\ntype = "a"\n[steps.b]\ntype = "b"\nneeds = ["a"]\n')
    assert cli("flow", "run", str(file)).code == 0
    queue.configure("hook.flow", "true")
    assert look(queue) == []
    assert cli("flow", "run", str(file)).code == 0
    for number in (1, 2, 3):
        run_one(queue, number, ending.SUCCEEDED, time.time())
    (job,) = look(queue)
    assert [(one["number"], one["status"]) for one in event_of(job)["flows"]] == [(1, "completed")]
    run_one(queue, 4, ending.DEAD, time.time(), error="x")
    (job,) = look(queue)
    assert [(one["number"], one["status"]) for one in event_of(job)["flows"]] == [(2, "failed")]
    assert look(queue) == []


@pytest.mark.parametrize("how", [("dlq", "replay"), ("retry",)])
def test_a_flow_that_goes_on_after_a_replay_is_told_again_when_it_ends(
    queue: Queue, cli: Callable[..., Any], tmp_path: Path, how: tuple[str, ...]
) -> None:
    file = tmp_path / "flow.toml"
    file.write_text('name = "order"\n[steps.a]\ntype = "a"\n')
    queue.configure("hook.flow", "true")
    assert cli("flow", "run", str(file)).code == 0
    run_one(queue, 1, ending.DEAD, time.time(), error="x")
    (job,) = look(queue)
    assert event_of(job)["flows"][0]["status"] == "failed"
    assert cli(*how, "1").code == 0
    assert look(queue) == []
    run_one(queue, 1, ending.SUCCEEDED, time.time())
    (job,) = look(queue)
    assert event_of(job)["flows"][0]["status"] == "completed"
    assert look(queue) == []


def test_two_workers_tell_it_once(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.configure("hook.dead", "true")
    dead(queue)
    found = hooks.dead

    def late(store: Any, before: str | None, now: float) -> Any:
        answer = found(store, before, now)
        monkeypatch.setitem(hooks.LOOKS, "dead", found)
        with Queue(queue.path) as other:
            hooks.look(other.store, now, health=False)
        return answer

    monkeypatch.setitem(hooks.LOOKS, "dead", late)
    assert len(look(queue)) == 1


def test_a_worker_tells_a_url_again_until_it_answers_well(
    queue: Queue, listener: Listener, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.configure("hook.dead", listener.url)
    number = dead(queue)
    listener.answers = [503]
    (job,) = look(queue)
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET backoff = 'fixed:0s' WHERE number = ?", (job["number"],))
    drain("--quiet", code=0)
    assert [kind for kind, _event in listener.told] == ["application/json"] * 2
    assert listener.told[1][1]["dead_letters"][0]["number"] == number
    told = queue.get(job["number"])
    assert (told.status, told.attempts, told.result) == ("completed", 2, {"status": 200})
    assert queue.history(told.number)[0]["error"] == "RuntimeError: the hook answered 503 Service Unavailable"


def test_a_worker_tells_a_command_by_its_stdin(queue: Queue, work: Drain, tmp_path: Path) -> None:
    told = tmp_path / "told"
    queue.configure("hook.dead", f"cat > '{told}.part' && mv '{told}.part' '{told}'")
    worker = work("--quiet")
    queue.enqueue(command=["false"], max_attempts=1)
    end = time.monotonic() + 20
    while not told.exists() and time.monotonic() < end:
        time.sleep(0.02)
    worker.terminate()
    assert json.loads(told.read_text())["dead_letters"][0]["type"] == "command"
    assert told.read_text().endswith("}\n"), "so that `cat >> FILE` makes NDJSON"


def test_a_hook_is_a_url_or_a_command_line(cli: Callable[..., Any], queue: Queue) -> None:
    for bad in ("", " ", "http://", "https:///x", "http://a b"):
        assert cli("config", "hook.dead", bad).code == 2, bad
    assert cli("config", "hook.dead", "https://example.com/x").code == 0
    assert cli("config", "hook.dead").out == "https://example.com/x\n"
    assert cli("config", "hook.dead", "--unset").code == 0
    dead(queue)
    assert look(queue) == []
    with pytest.raises(ValueError, match="begins with http"):
        qctl_hook("file:///etc/passwd", {})
