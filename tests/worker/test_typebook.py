"""A worker heeds what is set of types, also when it is set while it works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from tests.worker.conftest import HANDLERS, until


def ended(queue: Queue, number: int) -> Any:
    return until(lambda: ((job := queue.get(number)).completed_at and job) or (job.status == "failed" and job))


def test_any_worker_runs_a_type_that_has_a_program_with_the_payload_on_stdin(
    queue: Queue, work: Callable[..., Any]
) -> None:
    work()
    waits = queue.enqueue("resize", {"file": "cat.png"})
    queue.set_type("resize", command=["/bin/sh", "-c", 'cat > "$QCTL_RESULT"'])
    job = ended(queue, waits)
    assert (job.status, job.result, job.exit_code) == ("completed", {"file": "cat.png"}, 0)
    assert job.command is None
    queue.unset_type("resize")
    left = queue.enqueue("resize")
    after = queue.enqueue(command=["true"])
    assert ended(queue, after).status == "completed"
    assert queue.get(left).status == "pending"


def test_defaults_of_a_type_hold_over_those_of_its_handler(queue: Queue, drain: Callable[..., Any]) -> None:
    queue.set_type("fail", max_attempts=1)
    queue.set_type("command", timeout="0.1s", max_attempts=1, output_limit=4096)
    failing = queue.enqueue("fail")
    slow = queue.enqueue(command=["sleep", "9"])
    loud = queue.enqueue(shell="yes | head -c 100000", timeout="9s")
    drain("-c", "3", "--handlers", HANDLERS)
    assert (queue.get(failing).status, queue.get(failing).max_attempts) == ("failed", 1)
    assert "timed out after" in queue.get(slow).last_error
    assert queue.get(loud).status == "completed"
    assert queue.output_size(loud) <= 2 * 4096


def test_a_handler_says_how_much_output_is_kept_and_for_how_long_its_jobs_are(
    queue: Queue, drain: Callable[..., Any], tmp_path: Path
) -> None:
    module = tmp_path / "loud.py"
    module.write_text(
        "from qctl import handler\n"
        "@handler('loud', output_limit=4096, retention='1d')\n"
        "def loud():\n    print('x' * 100_000)\n"
        "@handler('lasting', retention='30d')\n"
        "def lasting():\n    pass\n"
    )
    loud, lasting = queue.enqueue("loud"), queue.enqueue("lasting")
    drain("--handlers", str(module), code=0)
    assert 0 < queue.output_size(loud) <= 2 * 4096
    assert queue.types() == [], "what handlers say is no setting of the queue"
    with queue.store.write() as connection:
        connection.execute("UPDATE jobs SET completed_at = datetime('now', '-10 days')")
    queue.enqueue("loud")
    assert queue.purge(older_than=20 * 86_400.0)["deleted"] == 1  # by a process that has no handlers
    assert [job.number for job in queue.find() if job.status == "completed"] == [lasting]
    assert queue.purge()["deleted"] == 0
    queue.set_type("lasting", retention="5d")
    assert queue.purge(older_than=20 * 86_400.0)["deleted"] == 1
    module.write_text("from qctl import handler\n@handler('lasting')\ndef lasting():\n    pass\n")
    queue.unset_type("lasting")
    queue.cancel([3])
    drain("--handlers", str(module), code=0)  # it does not say so any more
    with queue.store.write() as connection:
        connection.execute(
            "INSERT INTO jobs (type, status, completed_at) VALUES ('lasting', 'completed', datetime('now', '-10 days'))"
        )
    assert queue.purge()["deleted"] == 1


def test_a_payload_that_does_not_fit_at_run_is_a_dead_letter_with_its_path(
    queue: Queue, drain: Callable[..., Any]
) -> None:
    bad = [queue.enqueue("echo", {"text": 5}), queue.enqueue("tool", {"text": 5})]
    good = queue.enqueue("echo", {"text": "five"})
    schema = {"properties": {"text": {"type": "string"}}}
    assert queue.set_type("echo", schema=schema) == 1
    assert queue.set_type("tool", schema=schema, command="cat") == 1
    drain("--handlers", HANDLERS)
    for job in map(queue.get, bad):
        assert (job.status, job.attempts) == ("failed", 1)
        assert job.last_error.startswith("payload.text: 5 is not of type 'string'")
    assert queue.get(good).status == "completed"
    assert len(list(queue.dead_letters())) == 2
