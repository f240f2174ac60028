"""Writing down how runs ended: the next state, the history, the dead letter, behind the fence of the lease."""

from __future__ import annotations

from qctl.model import CANCELLED, COMPLETED, FAILED, PENDING
from qctl.rules.ending import CRASH, DEAD, ERROR, FANNED, LOST, SKIPPED, Ending, Facts, Move, decide, heed_cancel
from qctl.rules.when import to_text
from qctl.store.sqlite.children import abandon, bear
from qctl.store.sqlite.needs import has_needs, let_go
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Container, Sequence
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
    if len({ending.number for ending, _facts in ended}) < len(ended):  # two ends of one job: the first counts
        return [finish_jobs(connection, worker, [one], now, random)[0] for one in ended]
    outcomes: list[Outcome] = []
    history: list[tuple[Any, ...]] = []
    completed: list[tuple[Any, ...]] = []
    for ending, facts in ended:
        if ending.how == CRASH and facts.crashes is not None:
            facts.crashes = crashes_before(connection, ending.number, ending.token, facts.attempts)
        move = decide(ending, facts, random)
        started, finished = to_text(ending.started_at), to_text(ending.finished_at)
        if ending.how in (SKIPPED, FANNED):
            outcomes.append(unrun(connection, worker, ending, move, started, now))
            if ending.how == DEAD:
                history.append(entry(ending, facts, worker, started, finished))
            continue
        if move.status == COMPLETED:
            row = (finished, now, started, ending.exit_code, ending.result, ending.number, ending.token, worker)
            problem = bear(connection, row, ending.number, ending.children, now) if ending.children else ""
            if not problem:
                outcomes.append(Outcome(ending, move))
                if not ending.children:
                    completed.append(row)
                continue
            ending.how, ending.error, ending.result = ERROR, problem, None
            move = decide(ending, facts, random)
        if move.status == PENDING and is_cancelled(connection, ending.number):
            move = heed_cancel(move)
        if not move_on(connection, worker, ending, move, started, now):
            outcomes.append(Outcome(ending, None))
            continue
        history.append(entry(ending, facts, worker, started, finished))
        outcomes.append(Outcome(ending, move))
    if completed:
        complete(connection, completed, outcomes)
    if history:
        connection.executemany(sql("insert_history"), history)
    return outcomes


def entry(ending: Ending, facts: Facts, worker: str | None, started: str, finished: str) -> tuple[Any, ...]:
    """The row of a run in the history."""
    return (
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


def move_on(
    connection: sqlite3.Connection, worker: str | None, ending: Ending, move: Move, started: str, now: str
) -> bool:
    """Write down a move that is not a completion, with its dead letter; False when the lease had gone."""
    due = to_text(move.due_at) if move.status == PENDING and move.due_at is not None else None
    changed = connection.execute(
        sql("move_job"),
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
    if changed:
        abandon(connection, ending.number, now)
        if move.status == FAILED:
            connection.execute(sql("insert_dead_letter"), (ending.number,))
    if (
        changed
        and move.status in (FAILED, CANCELLED)
        and connection.execute("SELECT 1 FROM qctl_flows LIMIT 1").fetchone()
    ):
        from qctl.store.sqlite.cleanup import heed_end

        heed_end(connection, ending.number, now, failed=move.status == FAILED)
    return bool(changed)


def unrun(
    connection: sqlite3.Connection, worker: str | None, ending: Ending, move: Move, started: str, now: str
) -> Outcome:
    """Write down the end of a step that did not run itself: it was skipped, or jobs are made of it."""
    if ending.how == SKIPPED:
        row = (move.attempts, now, now, started, storable(ending.error), ending.number, ending.token, worker)
        return Outcome(ending, move if connection.execute(sql("skip_job"), row).rowcount else None)
    from qctl.store.sqlite.fan import Fan

    fan = Fan(connection, ending, move)
    if not move_on(connection, worker, ending, fan.move, started, now):
        return Outcome(ending, None)
    fan.store(connection, now)
    if fan.move.status in (FAILED, CANCELLED):
        ending.how, ending.error = DEAD if fan.move.status == FAILED else FANNED, fan.move.error
        return Outcome(ending, fan.move)
    return Outcome(ending, move)


def complete(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]], outcomes: Sequence[Outcome]) -> None:
    """Write down completions, all at once. If some changed nothing, ask which: a lease that had gone is not as we wrote it."""
    # All that waits is let go at once: the trigger, which does that for one end after the other, finds nothing left to do.
    lets_go = has_needs(connection) and connection.executemany(sql("meet_needs"), rows).rowcount > 0
    changed = connection.executemany(sql("complete_job"), rows).rowcount
    if lets_go:
        let_go(connection, [row[5] for row in rows], rows[0][1])
    if changed == len(rows):
        return
    late = {row[5] for row in rows if not changed or not connection.execute(sql("is_completed"), row).fetchone()}
    for outcome in outcomes:
        if outcome.ending.number in late:
            outcome.move = None


def crashes_before(connection: sqlite3.Connection, number: int, token: int, attempt: int) -> int:
    """How many of the earlier runs of a job its process died in, back to its latest replay, where attempts began anew."""
    count = 0
    for before, outcome in connection.execute(sql("earlier_runs"), (number, token)):
        if before > attempt:
            break
        attempt = before
        count += outcome == CRASH
    return count


def is_cancelled(connection: sqlite3.Connection, number: int) -> bool:
    """Whether somebody cancelled the job while it ran; asked for those alone that would run again."""
    row = connection.execute(sql("cancel_asked"), (number,)).fetchone()
    return row is not None and row[0] != 0


def storable(text: str | None) -> str | None:
    """The text with lone surrogates spelled out: Python's names of files may hold them, SQLite's text may not."""
    return text if text is None or text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def rescue_jobs(
    connection: sqlite3.Connection,
    rows: Sequence[tuple[Any, ...]],
    now: float,
    why: str,
    random: Callable[[], float],
    *,
    blames: bool = True,
    running: Container[int] | None = None,
) -> list[Outcome]:
    """End the runs of a worker that is gone. `rows` as `held_jobs.sql` gives them; `blames`: whether that counts, for those
    of them that were `running` (None: that cannot be told, and it counts for all).

    What did not run goes back at no cost, but not for ever: of the end of a job a worker may die, too.
    """
    from qctl.rules.ending import CANCEL, MAX_RESCUES, RELEASED, RESTARTED
    from qctl.rules.when import from_text

    outcomes: list[Outcome] = []
    for number, token, attempts, max_attempts, rescues, backoff, worker, started_at, cancel_asked in rows:
        try:
            started = from_text(started_at) if started_at else now
        except ValueError:
            started = now
        is_charged = (
            running is None
            or number in running
            or connection.execute(sql("times_released"), (number,)).fetchone()[0] >= MAX_RESCUES
        )
        ending = Ending(
            number,
            token,
            CANCEL if cancel_asked else RESTARTED if not blames else LOST if is_charged else RELEASED,
            started_at=started,
            finished_at=now,
            error="cancelled" if cancel_asked else why,
        )
        facts = Facts(attempts, max_attempts, backoff, rescues)
        outcomes += finish_jobs(connection, worker, [(ending, facts)], to_text(now), random)
    return outcomes
