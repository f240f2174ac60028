"""Steps that clean up after a failure. They wait for the end of the steps they watch; what cannot come to an end any more,
because what it needs failed or was cancelled, is not waited for."""

from __future__ import annotations

from qctl.model import FAILED, FINISHED
from qctl.rules.tally import MINUTE
from qctl.rules.when import from_text
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from qctl.store.sqlite.store import SQLiteStore


def heed_end(connection: sqlite3.Connection, number: int, now: str, *, failed: bool) -> None:
    """A step has failed, or was cancelled: let those that clean up in its flow wait for what still can end."""
    heed_ends(connection, [number], now, failed=failed)


def heed_ends(connection: sqlite3.Connection, numbers: Iterable[int], now: str, *, failed: bool) -> None:
    """The same for steps that have failed, or were cancelled, in the open transaction: each of their flows is gone through
    once, as that takes as long as the flow is."""
    flows: dict[int, tuple[str, dict[int, str | None]]] = {}
    for number in numbers:
        row = connection.execute(sql("cleaners_of"), (number,)).fetchone()
        connection.execute(sql("heeded"), (number,))
        if row is not None:
            step, flow, cleaners = row
            flows.setdefault(flow, (cleaners, {}))[1][number] = step
    if flows:
        import json

        for flow, (cleaners, steps) in flows.items():
            heed_flow(connection, flow, json.loads(cleaners), steps, now, failed)


def heed_flow(
    connection: sqlite3.Connection, flow: int, cleaners: list[int], steps: dict[int, str | None], now: str, failed: bool
) -> None:
    """These steps of a flow have ended so; the ends of those that clean up do not concern the others."""
    import json

    ended = [number for number in steps if number not in cleaners]
    if not ended:
        return
    stuck_behind_all: set[int] | None = None
    for cleaner in cleaners:
        status, plan = connection.execute(sql("state_of_cleaner"), (cleaner,)).fetchone() or ("", None)
        behind = reached(connection, cleaner)
        heeded = [number for number in ended if number not in behind]
        if not heeded or status not in ("blocked", "pending", "completed"):
            continue
        watched = json.loads(plan or "{}").get("on_failure")
        wanted: set[int] = set()
        if status == "completed":
            if not failed or not (watched is True or any(steps[number] in (watched or ()) for number in heeded)):
                continue
            connection.execute(sql("keep_completion"), (cleaner,))
            connection.execute(sql("count_again"), (int(from_text(now) // MINUTE) * MINUTE, cleaner))
            connection.execute(sql("clean_again"), (now, now, cleaner))
            wanted = {one[0] for one in connection.execute(sql("unfinished_in_flow"), (flow,))}
        if len(heeded) < len(ended):
            stuck = stuck_behind(connection, heeded, cleaners)
        else:
            if stuck_behind_all is None:
                stuck_behind_all = stuck_behind(connection, ended, cleaners)
            stuck = stuck_behind_all
        connection.executemany(sql("drop_need"), [(cleaner, one) for one in stuck])
        if watched is True:
            wanted |= frontier(connection, {*stuck, *heeded}) | released(connection, heeded)
            known = dict.fromkeys({*stuck, *behind, *cleaners}, False)
            tied = [one for one in sorted(wanted) if comes_to_an_end(connection, one, known)]
            connection.executemany(sql("tie_end"), [(cleaner, one) for one in tied])
        connection.execute(sql("block_unmet"), (cleaner,))
        connection.execute(sql("unblock_met"), (cleaner,))


def heed_others(store: SQLiteStore, now: str, most: int = 100) -> int:
    """See to steps that other programs, which know nothing of clean-ups, have let fail or cancelled; how many."""
    if not store.read(sql("unheeded"), (1,)):
        return 0
    with store.write() as connection:
        found = connection.execute(sql("unheeded"), (most,)).fetchall()
        for end in ("failed", "cancelled"):
            numbers = [number for number, status in found if status == end]
            heed_ends(connection, numbers, now, failed=end == "failed")
        connection.executemany(sql("heeded"), [(number,) for number, _status in found])
    return len(found)


def waiting_cleaners(connection: sqlite3.Connection, cleaners: str, number: int) -> list[int]:
    """Those of the steps that clean up (JSON) that wait for the end of a whole flow, and do not come before this job."""
    import json

    found = []
    for cleaner in json.loads(cleaners):
        status, plan = connection.execute(sql("state_of_cleaner"), (cleaner,)).fetchone() or ("", None)
        watches_all = status == "blocked" and json.loads(plan or "{}").get("on_failure") is True
        if watches_all and number != cleaner and number not in reached(connection, cleaner):
            found.append(cleaner)
    return found


def stuck_behind(connection: sqlite3.Connection, numbers: Iterable[int], but: Iterable[int]) -> set[int]:
    """The blocked jobs that cannot run any more, now that these have ended as they have; `but`: those that clean up."""
    found: set[int] = set()
    ended = set(numbers)
    left = list(ended)
    while left:
        one = left.pop()
        query = "left_behind" if one in ended else "waiting_behind"
        for (behind,) in connection.execute(sql(query), (one,)).fetchall():
            if behind not in found and behind not in but:
                found.add(behind)
                left.append(behind)
    return found


def frontier(connection: sqlite3.Connection, stuck: Iterable[int]) -> set[int]:
    """What the stuck jobs wait for, and what one that was cancelled had waited for: those go on, and nothing else does."""
    return {row[0] for one in stuck for row in connection.execute(sql("waits_for"), (one,))}


def comes_to_an_end(connection: sqlite3.Connection, number: int, known: dict[int, bool]) -> bool:
    """Whether a job that has not ended will, as far as its needs go. `known`: what was found of others."""
    left = [number]
    while left:
        one = left[-1]
        if one not in known:
            # Two visits: at the first what it waits for is looked at before it, at the second that is known.
            needs = connection.execute(sql("unmet_of_job"), (one,)).fetchall()
            if any(kind == FAILED or status is None or status in FINISHED for _, kind, status in needs):
                known[one] = False
            elif unknown := [need for need, _, _ in needs if need not in known]:
                left += unknown
                continue
            else:
                known[one] = all(known[need] for need, _, _ in needs)
        left.pop()
    return known[number]


def released(connection: sqlite3.Connection, numbers: Iterable[int]) -> set[int]:
    """What the failure or cancellation of jobs let go, and what follows from that: it may have been stuck behind them."""
    first = {row[0] for number in numbers for row in connection.execute(sql("let_go_by_end"), (number,))}
    return first | reached(connection, *first)


def reached(connection: sqlite3.Connection, *numbers: int) -> set[int]:
    """All that waits for these jobs, directly or through one another; what waits for a failure is reached only by that."""
    found: set[int] = set()
    left = list(numbers)
    while left:
        for (one,) in connection.execute(sql("behind"), (left.pop(),)).fetchall():
            if one not in found:
                found.add(one)
                left.append(one)
    return found
