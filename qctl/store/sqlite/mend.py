"""Changing what dead jobs will run with when they are replayed."""

from __future__ import annotations

from qctl.model import FAILED, BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.queue import Queue


def edit_dead(queue: Queue, number: int, payload: Any, now: float) -> None:
    """See Queue.edit_dead."""
    from qctl.model import NewJob
    from qctl.store.sqlite.undo import memory_of

    job = queue.get(number)
    text = queue.payload_text(payload)
    queue.complete(NewJob(job.type, text))  # it has to fit the schema of its type
    memory = memory_of(queue.store, "edit", now)
    with queue.store.write() as connection:
        memory.keep(connection, number)
        changed = connection.execute(
            "UPDATE jobs SET payload = ? WHERE number = ? AND status = ?",  # updated_at says when it died
            (text, number, FAILED),
        ).rowcount
        if changed:
            connection.execute(
                "UPDATE dead_letter_jobs SET payload = ? WHERE original_job_id = ? AND reviewed = 0", (text, job.id)
            )
        else:
            memory.drop_last(connection)
    if not changed:
        raise BadValue(f"job {number} is not dead: it is {queue.get(number).status}, and `qctl edit` is for what waits")
