"""The jobs of a foreach: made of the items of a list, in the transaction that lets the step wait for them."""

from __future__ import annotations

from qctl.model import BLOCKED, FAILED, PENDING, BadValue, NewJob
from qctl.rules.ending import Move, heed_cancel
from qctl.rules.template import Missing, looker
from qctl.store.sqlite.insert import insert_jobs
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from qctl.rules.ending import Ending

CHUNK = 2000
"""Jobs that are made in one transaction. Of a longer list each further part has its own, so that others get their turn;
the plan of the step says how far it is, and the id of a job tells which item it is for: none is made twice."""

COLUMNS = (
    "id", "type", "payload", "priority", "max_attempts", "attempts_set", "queue", "command", "cwd", "env", "tags", "timeout",
    "backoff", "flow", "step", "plan", "cancel_asked",
)  # fmt: skip


class Fan:
    """What the end of a claim of a foreach does: `move` for the step, `jobs` to be made, the new `plan` (JSON)."""

    def __init__(self, connection: sqlite3.Connection, ending: Ending, move: Move) -> None:
        self.number = ending.number
        self.jobs: list[NewJob] = []
        self.plan: dict[str, Any] = {}
        values = connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM jobs WHERE number = ? AND token = ?", (ending.number, ending.token)
        ).fetchone()
        self.move = move
        if values is None:
            return
        row = dict(zip(COLUMNS, values, strict=True))
        if row["cancel_asked"]:
            self.move = heed_cancel(move)
            return
        try:
            self.make(connection, row)
        except (Missing, BadValue, ValueError, LookupError, TypeError, AttributeError, AssertionError) as problem:
            self.jobs, self.plan = [], {}
            self.move = Move(FAILED, move.attempts + 1, move.rescues, None, str(problem))
            return
        if self.plan["made"] < self.plan["total"]:
            self.move = Move(PENDING, move.attempts, move.rescues, None, None)

    def make(self, connection: sqlite3.Connection, row: dict[str, Any]) -> None:
        """The jobs for the next items. Raises Missing, BadValue, ValueError."""
        import json

        from qctl.store.sqlite.steps import inputs_of, items_of

        inputs = inputs_of(connection, [self.number])[self.number]
        if inputs.complaint is not None:
            raise BadValue(inputs.complaint)
        plan = json.loads(row["plan"])
        made = plan.get("made", 0)
        if made != plan.get("total"):
            items = items_of(plan, inputs)
            known = Known(inputs)
            for index in range(made, min(made + CHUNK, len(items))):
                self.jobs.append(job_of(connection, row, looker(known, items[index], index), index, self.number))
            plan["made"], plan["total"] = made + len(self.jobs), len(items)
        for job in self.jobs:
            if connection.execute("SELECT 1 FROM jobs WHERE id = ?", (job.id,)).fetchone():
                raise BadValue(f"id: {job.id!r} is taken by another job: the jobs of a foreach are called so")
        self.plan = plan

    def store(self, connection: sqlite3.Connection, now: str) -> None:
        """Make the jobs, and let the step wait for all that have not ended."""
        from qctl.rules.payload import dumps

        if not self.plan:
            return
        numbers = insert_jobs(connection, self.jobs, now)
        connection.executemany(sql("insert_fan_need"), [(self.number, number) for number in numbers])
        connection.execute(sql("set_plan"), (dumps(self.plan), self.number))
        if self.move.status == BLOCKED:
            connection.execute(sql("wait_again"), (self.number, self.number))
            connection.execute(sql("unblock_met"), (self.number,))


class Known:
    """Inputs, each decoded once for all the items."""

    def __init__(self, inputs: Any) -> None:
        self.inputs = inputs
        self.values: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.inputs

    def __getitem__(self, name: str) -> Any:
        if name not in self.values:
            self.values[name] = self.inputs[name]
        return self.values[name]


def job_of(connection: sqlite3.Connection, row: dict[str, Any], look: Any, index: int, parent: int) -> NewJob:
    from qctl.store.sqlite.steps import check_size, resolved

    payload, command, env = resolved(row["payload"], row["command"], row["env"], look)
    if payload is not None:
        check_size(connection, payload)
    return NewJob(
        row["type"], payload or row["payload"], id=f"{row['id']}/{index}", priority=row["priority"],
        max_attempts=row["max_attempts"] if row["attempts_set"] else None, queue=row["queue"],
        command=command or row["command"], cwd=row["cwd"], env=env or row["env"], tags=row["tags"],
        timeout=row["timeout"], backoff=row["backoff"],
        more={"parent": parent, "flow": row["flow"], "step": f"{row['step']}[{index}]"},
    )  # fmt: skip
