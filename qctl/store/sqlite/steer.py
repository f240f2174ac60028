"""Steering jobs: cancel, retry, edit."""

from __future__ import annotations

import time

from qctl.model import BLOCKED, CANCELLED, COMPLETED, FAILED, FINISHED, KEY_HELD, PENDING, PROCESSING, BadValue
from qctl.rules.when import to_text
from qctl.store.sqlite.chunks import chunks
from qctl.store.sqlite.insert import key_rival
from qctl.store.sqlite.needs import revive
from qctl.store.sqlite.space import BREATH, LONGEST
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any

    from qctl.model import Job
    from qctl.queue import Queue
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.store.sqlite.undo import Memory

EDITABLE = (
    "payload",
    "priority",
    "at",
    "in",
    "queue",
    "tags",
    "max_attempts",
    "backoff",
    "timeout",
    "command",
    "shell",
    "cwd",
    "env",
)


def cancel_jobs(store: SQLiteStore, numbers: Iterable[int], now: float) -> dict[int, str]:
    """See Queue.cancel."""
    from qctl.store.sqlite.undo import memory_of

    done: dict[int, str] = {}
    memory = memory_of(store, "cancel", now)
    flows = bool(store.read("SELECT 1 FROM qctl_flows LIMIT 1"))
    for chunk in chunks(numbers):
        while chunk:
            with store.write() as connection:
                chunk = chunk[cancel_part(connection, chunk, to_text(now), memory, done, flows) :]
            if chunk:
                time.sleep(BREATH)
    return done


def cancel_part(
    connection: sqlite3.Connection, numbers: list[int], now: str, memory: Memory, done: dict[int, str], flows: bool
) -> int:
    """Cancel the first of these, in the open transaction; how many. Where there are `flows`, it ends between two of them
    when it has taken long: what cleans up in a flow is seen to once for all its steps, which takes as long as it is."""
    if flows:
        from qctl.store.sqlite.cleanup import heed_ends
    until = time.monotonic() + LONGEST
    flow, cancelled = None, list[int]()
    for place, number in enumerate(numbers):
        if flows:
            row = connection.execute("SELECT flow FROM jobs WHERE number = ?", (number,)).fetchone() or (None,)
            if row[0] != flow:
                heed_ends(connection, cancelled, now, failed=False)
                cancelled.clear()
                if place and time.monotonic() >= until:
                    return place
                flow = row[0]
        memory.keep(connection, number)
        if connection.execute(sql("cancel_waiting"), (now, number)).rowcount:
            done[number] = CANCELLED
            cancelled.append(number)
            continue
        memory.drop_last(connection)
        if connection.execute(sql("ask_cancel"), (number,)).rowcount:
            done[number] = "asked"
        else:
            row = connection.execute("SELECT status FROM jobs WHERE number = ?", (number,)).fetchone()
            if row:
                done[number] = row[0]
    if flows:
        heed_ends(connection, cancelled, now, failed=False)
    return len(numbers)


def retry_jobs(store: SQLiteStore, numbers: Iterable[int], now: float) -> dict[int, str]:
    """See Queue.retry."""
    from qctl.store.sqlite.ledger import count_revived, was_counted
    from qctl.store.sqlite.undo import memory_of

    done: dict[int, str] = {}
    text = to_text(now)
    memory = memory_of(store, "retry", now)
    for chunk in chunks(numbers):
        with store.write() as connection:
            types: list[str] = []
            flows: set[int] = set()
            for number in chunk:
                row = connection.execute(
                    "SELECT status, id, type, worker, flow FROM jobs WHERE number = ?", (number,)
                ).fetchone()
                if not row:
                    continue
                status, id_, type_, worker, flow = row
                if status == PENDING:
                    memory.keep(connection, number)
                    if not connection.execute(sql("due_now"), (text, text, number, text)).rowcount:
                        memory.drop_last(connection)
                    done[number] = "due"
                elif status in FINISHED:
                    rival = key_rival(connection, number)
                    if rival is not None:
                        done[number] = f"{KEY_HELD}{rival}"
                        continue
                    memory.keep(connection, number)
                    connection.execute(sql("keep_completion"), (number,))
                    connection.execute(sql("replay_job"), (text, text, number))
                    if status == FAILED:
                        connection.execute(sql("review_letters"), (id_,))
                    types += revive(connection, number, text, memory)
                    done[number] = PENDING
                    if was_counted(status, worker):
                        types.append(type_)
                    if flow is not None:
                        flows.add(flow)
                else:
                    done[number] = status
            count_revived(store, types, now)
            if flows:
                from qctl.store.sqlite.hooks import go_on

                go_on(connection, flows)
    return done


def edit_job(queue: Queue, number: int, changes: dict[str, Any], now: float) -> Job:
    """See Queue.edit."""
    from qctl.program import settle
    from qctl.store.sqlite.undo import memory_of

    for key in changes:
        if key not in EDITABLE:
            raise BadValue(f"{key}: it cannot be edited: use {', '.join(EDITABLE)}")
    if not changes:
        raise BadValue(f"say what to change: {', '.join(EDITABLE)}")
    job = queue.get(number)
    if job.status not in (PENDING, BLOCKED):
        raise not_editable(number, job.status)
    is_command = job.data["command"] is not None
    fields = dict(changes, type=job.type)
    if is_command and "command" not in fields and "shell" not in fields:
        fields["command"] = job.command
    elif not is_command and ("command" in fields or "shell" in fields):
        raise BadValue("command: the job is a typed one; cancel it and enqueue the command")
    from qctl.rules.newjob import new_job

    new = new_job(fields, now, queue.payload_text)
    if "payload" in changes:
        queue.complete(new)  # it has to fit the schema of its type
    if is_command and {"command", "shell", "cwd", "env"} & set(changes):
        new.cwd = new.cwd or job.cwd
        settle(new)
    columns: dict[str, Any] = {}
    for key in changes:
        column = {"at": "scheduled_at", "in": "scheduled_at", "shell": "command"}.get(key, key)
        columns[column] = getattr(new, column)
        if column == "max_attempts":
            columns["attempts_set"] = 1
    sets = ", ".join(f"{column} = ?" for column in columns)
    memory = memory_of(queue.store, "edit", now)
    with queue.store.write() as connection:
        memory.keep(connection, number)
        changed = connection.execute(
            f"UPDATE jobs SET {sets}, updated_at = ? WHERE number = ? AND status IN (?, ?)",
            [*columns.values(), to_text(now), number, PENDING, BLOCKED],
        ).rowcount
        if not changed:
            memory.drop_last(connection)
    if not changed:
        raise not_editable(number, queue.get(number).status)
    return queue.get(number)


def not_editable(number: int, status: str) -> BadValue:
    how = "it is running: cancel it first" if status == PROCESSING else f"it has ended ({status})"
    if status in (COMPLETED, CANCELLED, FAILED):
        how += f": `qctl retry {number}` runs it again"
    return BadValue(f"job {number} cannot be edited: {how}")
