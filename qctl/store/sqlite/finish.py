"""Writing down how runs ended: the next state, the history, the dead letter, behind the fence of the lease."""

from __future__ import annotations

from qctl.model import COMPLETED, FAILED, PENDING
from qctl.rules.ending import LOST, Ending, Facts, Move, decide, heed_cancel
from qctl.rules.when import to_text
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from typing import Any


class Outcome:
    """What became of a run: the move that was made, or None when the lease had gone to somebody else."""

    __slots__ = ("ending", "move")

    def __init__(self, ending: Ending, move: Move | None) -> None:
        self.ending = ending
        self.move = move


def finish_jobs(
    connection: sqlite3.Connection,
    worker: str | None,
    ended: Sequence[tuple[Ending, Facts]],
    now: str,
    random: Callable[[], float],
) -> list[Outcome]:
    """Move every job that ended to its next state, in the caller's transaction. One outcome each, in order."""
    outcomes: list[Outcome] = []
    history: list[tuple[Any, ...]] = []
    complete, move_job = sql("complete_job"), sql("move_job")
    execute = connection.cursor().execute
    for ending, facts in ended:
        move = decide(ending, facts, random)
        if move.status == PENDING and is_cancelled(connection, ending.number):
            move = heed_cancel(move)
        started, finished = to_text(ending.started_at), to_text(ending.finished_at)
        if move.status == COMPLETED:
            changed = execute(
                complete,
                (finished, now, started, ending.exit_code, ending.result, ending.number, ending.token, worker),
            ).rowcount
            outcomes.append(Outcome(ending, move if changed else None))
            continue
        due = to_text(move.due_at) if move.status == PENDING and move.due_at is not None else None
        changed = execute(
            move_job,
            (
                move.status,
                move.attempts,
                move.rescues,
                due,
                now,
                started,
                ending.exit_code,
                storable(move.error),
                ending.number,
                ending.token,
                worker,
            ),
        ).rowcount
        if not changed:
            outcomes.append(Outcome(ending, None))
            continue
        if move.status == FAILED:
            execute(sql("insert_dead_letter"), (ending.number,))
        history.append(
            (
                ending.number,
                ending.token,
                facts.attempts,
                worker,
                started,
                finished,
                ending.how,
                ending.exit_code,
                storable(ending.error),
            )
        )
        outcomes.append(Outcome(ending, move))
    if history:
        connection.executemany(sql("insert_history"), history)
    return outcomes


def is_cancelled(connection: sqlite3.Connection, number: int) -> bool:
    """Whether somebody cancelled the job while it ran; asked for those alone that would run again."""
    row = connection.execute(sql("cancel_asked"), (number,)).fetchone()
    return row is not None and row[0] != 0


def storable(text: str | None) -> str | None:
    """The text with lone surrogates spelled out: Python's names of files may hold them, SQLite's text may not."""
    return text if text is None or text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def rescue_jobs(
    connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]], now: float, why: str, random: Callable[[], float]
) -> list[Outcome]:
    """End the runs of a worker that is gone. `rows` as `held_jobs.sql` gives them."""
    from qctl.rules.ending import CANCEL
    from qctl.rules.when import from_text

    outcomes: list[Outcome] = []
    for number, token, attempts, max_attempts, rescues, backoff, worker, started_at, cancel_asked in rows:
        try:
            started = from_text(started_at) if started_at else now
        except ValueError:
            started = now
        ending = Ending(
            number,
            token,
            CANCEL if cancel_asked else LOST,
            started_at=started,
            finished_at=now,
            error="cancelled" if cancel_asked else why,
        )
        facts = Facts(attempts, max_attempts, backoff, rescues)
        outcomes += finish_jobs(connection, worker, [(ending, facts)], to_text(now), random)
    return outcomes
