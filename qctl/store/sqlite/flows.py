"""Flows: jobs that were enqueued as the steps of one thing. What a flow is at, its jobs say."""

from __future__ import annotations

from qctl.model import BLOCKED, PENDING, NotFound
from qctl.rules.payload import dumps
from qctl.store.sqlite.insert import insert_jobs, need_place
from qctl.store.sqlite.needs import insert_needs
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qctl.model import NewJob
    from qctl.rules.flow import Step
    from qctl.store.sqlite.store import SQLiteStore

COUNTS = ("pending", "blocked", "processing", "completed", "failed", "cancelled")
KEYS = ("number", "name", "created_at", "ended_at", "steps", *COUNTS)
STEP = (
    "number", "step", "type", "status", "created_at", "started_at", "completed_at", "updated_at", "scheduled_at", "attempts",
    "parent", "last_error", "plan",
)  # fmt: skip
COUNTED = 100  # flows that stats looks at


def insert_flow(store: SQLiteStore, name: str, steps: Sequence[tuple[Step, NewJob]], now: str) -> int:
    """Store a flow, all or nothing; its number. The steps stand in an order in which each follows its needs."""
    need_place(store)
    with store.write() as connection:
        flow = connection.execute(sql("insert_flow"), (name, now)).lastrowid or 0
        for step, job in steps:
            status = BLOCKED if step.needs else PENDING
            plan = dumps(step.plan) if step.plan else None
            job.more = {**(job.more or {}), "flow": flow, "step": step.name, "status": status, "plan": plan}
        numbers = insert_jobs(connection, [job for _step, job in steps], now)
        by_name = {step.name: number for (step, _job), number in zip(steps, numbers, strict=True)}
        insert_needs(
            connection,
            [
                (by_name[step.name], kind, kind, by_name[need])
                for step, _job in steps
                for need, kind in step.needs.items()
            ],
        )
        cleaners = [by_name[step.name] for step, _job in steps if "on_failure" in step.plan]
        if cleaners:
            connection.execute(sql("set_cleaners"), (dumps(cleaners), flow))
    store.tidy()
    return flow


def list_flows(store: SQLiteStore, limit: int = -1) -> list[dict[str, Any]]:
    """Newest first: number, name, created_at, status, ended_at, steps, and how many of them are in each status."""
    return [described(row) for row in store.read(sql("flows"), (0, 2**63 - 1, limit))]


def get_flow(store: SQLiteStore, number: int) -> dict[str, Any]:
    rows = store.read(sql("flows"), (number, number, 1))
    if not rows:
        raise NotFound(f"there is no flow {number}")
    return described(rows[0])


def described(row: tuple[Any, ...]) -> dict[str, Any]:
    found = dict(zip(KEYS, row, strict=True))
    status = status_of(found)
    if status == "running":
        found["ended_at"] = None
    return {**{key: found[key] for key in KEYS[:3]}, "status": status, **{key: found[key] for key in KEYS[3:]}}


def status_of(counts: dict[str, Any]) -> str:
    """A flow runs while a step may; a blocked one that is then left waits for an end that did not come."""
    if counts["pending"] or counts["processing"]:
        return "running"
    if counts["failed"]:
        return "failed"
    return "cancelled" if counts["cancelled"] else "completed"


def steps_in(store: SQLiteStore, number: int) -> list[int]:
    """The numbers of a flow's jobs, in order."""
    return [row[0] for row in store.read(sql("jobs_of_flow"), (number,))]


def standing(store: SQLiteStore, number: int) -> list[dict[str, Any]]:
    """How a flow stands: its steps in order, by STEP, with `plan` decoded, and `needs` and `waits_for`: what each needs,
    and of that what has not come yet."""
    import json

    steps = {}
    for row in store.read(sql("flow_steps"), (number,)):
        step = dict(zip(STEP, row, strict=True))
        try:
            plan = json.loads(step["plan"]) if step["plan"] else {}
        except ValueError:  # plain SQL may have stored anything
            plan = {}
        steps[row[0]] = {**step, "plan": plan, "needs": [], "waits_for": []}
    for job, needs, met in store.read(sql("flow_needs"), (number,)):
        if job in steps:
            steps[job]["needs"].append(needs)
            if not met:
                steps[job]["waits_for"].append(needs)
    return list(steps.values())


def counts(store: SQLiteStore, since: str) -> dict[str, int]:
    """How many flows were enqueued since a time (UTC text), of the newest COUNTED, and in which states they are."""
    newest = [
        number for number, created_at in store.read(sql("flows_since"), (2**63 - 1, COUNTED)) if created_at >= since
    ]
    found = {"enqueued": len(newest), "running": 0, "completed": 0, "failed": 0, "cancelled": 0}
    for flow in store.read(sql("flows"), (newest[-1], newest[0], COUNTED)) if newest else ():
        found[described(flow)["status"]] += 1
    return found


def steps_to_replay(store: SQLiteStore, number: int) -> list[int]:
    """The failed and cancelled jobs of a flow, in order."""
    return [row[0] for row in store.read(sql("ended_badly"), (number,))]
