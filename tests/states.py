"""Jobs in every state, made by the store's own moves, without a worker."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.ending import Ending, Facts
from qctl.rules.when import to_text

WORKER = "worker-test"
LEASE = (
    "UPDATE jobs SET status = 'processing', attempts = attempts + 1, token = token + 1, locked_by = ?, locked_at = ?,"
    " started_at = ? WHERE number = ?"
)


def run_one(
    queue: Queue, number: int, how: str, now: float, *, error: str | None = None, exit_code: int | None = None
) -> None:
    """Lease the job and end its run in the way given."""
    lease(queue, number, now)
    job = queue.get(number)
    done = Ending(number, job.token, how, started_at=now, finished_at=now + 1, error=error, exit_code=exit_code)
    facts = Facts(job.attempts, job.max_attempts, job.backoff, job.rescues)
    outcomes = queue.store.finish(WORKER, [(done, facts)], to_text(now + 1), lambda: 0.0)
    assert outcomes[0].move is not None


def lease(queue: Queue, number: int, now: float) -> None:
    with queue.store.write() as connection:
        connection.execute(LEASE, (WORKER, to_text(now), to_text(now), number))


def dead(queue: Queue, type_: str = "charge", error: str = "card declined", now: float = 1_790_000_000.0) -> int:
    """A job that died; its number."""
    number = int(queue.enqueue(type_, {"order": 1}))
    run_one(queue, number, ending.DEAD, now, error=error)
    return number


def all_dead(queue: Queue, jobs: Iterable[tuple[str, str]], now: float = 1_790_000_000.0) -> None:
    """Many jobs that died, each of a type and with an error, in two transactions."""
    given = list(jobs)
    numbers = queue.enqueue_many([{"type": type_, "payload": {"order": 1}} for type_, _error in given])
    with queue.store.write() as connection:
        connection.executemany(LEASE, [(WORKER, to_text(now), to_text(now), number) for number in numbers])
        ended = [
            (Ending(number, 1, ending.DEAD, started_at=now, finished_at=now + 1, error=error), Facts(1, 5, None))
            for number, (_type, error) in zip(numbers, given, strict=True)
        ]
        outcomes = queue.store.finish(WORKER, ended, to_text(now + 1), lambda: 0.0)
    assert all(outcome.move is not None for outcome in outcomes)


def write_output(queue: Queue, number: int, *rows: tuple[int, int, bytes]) -> None:
    token = queue.get(number).token
    with queue.store.write() as connection:
        connection.executemany(
            "INSERT INTO qctl_output (job, token, position, stream, data) VALUES (?, ?, ?, ?, ?)",
            [(number, token, *row) for row in rows],
        )


def damaged(db: Path) -> None:
    """Make a queue at `db`, and overwrite some of its pages."""
    with Queue(db) as queue:
        queue.enqueue_many([{"type": "filler", "payload": {"x": "y" * 2000}}] * 300)
        queue.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(db.read_bytes())
    for page in range(60, 70):
        data[page * 4096 : page * 4096 + 2048] = b"\xff" * 2048
    db.write_bytes(data)
