"""Children: jobs that a run adds to its own job. They are there once that run completes it, and not otherwise.

What a handler adds comes with its ending, and is stored in the transaction that completes its job (`bear`). What a command
adds is stored when it says so, since it is told a number, and a number is a job on disk: blocked by the command's own job
(`hold`). The end of the run lets it go, by the trigger that lets go whatever waited for that job, or takes it along (`abandon`).
"""

from __future__ import annotations

import sqlite3

from qctl.model import COMPLETED, PROCESSING, BadValue, QctlError
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from qctl.model import NewJob


class Late(QctlError):
    """A run that has lost its lease, or failed, adds no children."""


class Family:
    """What the jobs that a run adds belong to: the flow of its own job, if that is a step of one. They have no step name.

    `flow`: its number; `cleaners`: the steps that clean up there, as far as they wait for the end of all.
    """

    __slots__ = ("cleaners", "flow")

    def __init__(self, connection: sqlite3.Connection, parent: int) -> None:
        flow, cleaners = connection.execute(sql("flow_of_job"), (parent,)).fetchone() or (None, None)
        self.flow: int | None = flow
        self.cleaners: list[int] = []
        if cleaners is not None:
            from qctl.store.sqlite.cleanup import waiting_cleaners

            self.cleaners = waiting_cleaners(connection, cleaners, parent)

    def join(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
        """Jobs were stored that belong to it: those that clean up wait for them, too."""
        for cleaner in self.cleaners:
            connection.executemany(sql("tie_end"), [(cleaner, number) for number in numbers])
            connection.execute(sql("block_unmet"), (cleaner,))  # the end of the parent may just have let it go


def hold(connection: sqlite3.Connection, parent: int, lease: int, kinds: Mapping[int, str]) -> dict[int, str]:
    """What a new child of a run has to wait for: the run's job, and `kinds`. Raises Late, BadValue.

    A job that is gone, as it completed long ago, holds nobody up.
    """
    row = connection.execute(sql("lease_of"), (parent,)).fetchone()
    if row is None:
        return dict(kinds)
    status, token = row
    if token != lease or status not in (PROCESSING, COMPLETED):
        raise Late(
            f"job {parent}, which this would belong to, is not run from here any more: --now enqueues all the same"
        )
    if kinds.get(parent, "completed") != "completed":
        raise BadValue(f"job {parent} is the one that this runs in, and brings it about by completing: give --now, too")
    return {**kinds, parent: "completed"}


def adopt(connection: sqlite3.Connection, number: int, more: Mapping[str, Any]) -> bool:
    """Somebody asks for a job by its key that is as yet the child of another run: it stays, whatever becomes of that run.
    Whether it may run now."""
    if not connection.execute(sql("adopt_child"), (number, number, more.get("parent"))).rowcount:
        return False
    return bool(connection.execute(sql("unblock_met"), (number,)).rowcount)


def abandon(connection: sqlite3.Connection, parent: int, now: str) -> None:
    """A run ended and did not complete its job: what it had added goes. The keys are free for the next run."""
    if not connection.execute(sql("is_needed"), (parent,)).fetchone():  # the usual case, at little cost
        return
    why = f"the run of job {parent} that added it did not complete"
    if connection.execute(sql("abandon_children"), (why, now, parent, parent)).rowcount:
        connection.execute(sql("untie_children"), (parent, parent))


def bear(
    connection: sqlite3.Connection, completion: Sequence[Any], parent: int, jobs: Sequence[NewJob], now: str
) -> str:
    """Complete a job (`completion` as complete_job.sql takes it) and store its children, all or nothing; why not, or ""."""
    from qctl.store.sqlite.insert import insert_jobs
    from qctl.store.sqlite.needs import insert_needs

    family = Family(connection, parent)
    connection.execute("SAVEPOINT qctl_bear")
    try:
        if not connection.execute(sql("complete_job"), completion).rowcount:
            return "its lease had gone"
        ties: list[
            tuple[int, str, str, int]
        ] = []  # they have the result of their parent as an input, as if they had waited
        known: dict[int | str, int | str] = {}  # by the id its parent was told: a key may have led to another job
        for job in jobs:
            more = {**(job.more or {}), "parent": parent, "flow": family.flow}
            if "needs" in more:
                more["needs"] = [(kind, [known.get(one, one) for one in ones]) for kind, ones in more["needs"]]
            job.more = more
            number = insert_jobs(connection, [job], now)[0]
            known[job.id or ""] = int(number)
            if type(number) is int:
                ties.append((number, "completed", "completed", parent))
        insert_needs(connection, ties)
        family.join(connection, [tie[0] for tie in ties])
    except (QctlError, sqlite3.IntegrityError) as problem:
        connection.execute("ROLLBACK TO qctl_bear")
        return f"a job it adds: {problem}"
    finally:
        if connection.in_transaction:  # a fault of the disk has ended it, savepoint and all
            connection.execute("RELEASE qctl_bear")
    return ""
