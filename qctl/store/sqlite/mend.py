"""Changing what dead jobs will run with when they are replayed."""

from __future__ import annotations

from itertools import islice

from qctl.model import FAILED, BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from qctl.model import Job
    from qctl.queue import Queue

CHUNK = 500


def edit_dead(queue: Queue, changes: Mapping[int, Any], now: float) -> list[int]:
    """See Queue.edit_dead. In chunks: the numbers of those that were dead and have another payload now."""
    from qctl.model import NewJob
    from qctl.store.sqlite.undo import memory_of

    memory = memory_of(queue.store, "edit", now)
    edited: list[int] = []
    left = iter(changes.items())
    while chunk := list(islice(left, CHUNK)):
        texts = []
        for number, payload in chunk:
            job, text = queue.get(number), queue.payload_text(payload)
            queue.complete(NewJob(job.type, text))  # it has to fit the schema of its type
            texts.append((number, job.id, text))
        with queue.store.write() as connection:
            for number, id_, text in texts:
                memory.keep(connection, number)
                if not connection.execute(
                    "UPDATE jobs SET payload = ? WHERE number = ? AND status = ?",  # updated_at says when it died
                    (text, number, FAILED),
                ).rowcount:
                    memory.drop_last(connection)
                    continue
                connection.execute(
                    "UPDATE dead_letter_jobs SET payload = ? WHERE original_job_id = ? AND reviewed = 0", (text, id_)
                )
                edited.append(number)
    return edited


def not_dead(job: Job) -> BadValue:
    return BadValue(f"job {job.number} is not dead: it is {job.status}, and `qctl edit` is for what waits")
