"""Changing what dead jobs will run with when they are replayed."""

from __future__ import annotations

from qctl.model import FAILED, BadValue
from qctl.store.sqlite.chunks import chunks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from qctl.model import Job
    from qctl.queue import Queue


def edit_dead(
    queue: Queue,
    changes: Mapping[int, Any],
    now: float,
    progress: Callable[[int, list[int]], None] | None = None,
) -> list[int]:
    """See Queue.edit_dead. In chunks: the numbers of those that were dead and have another payload now. `progress` is told
    after each chunk how many it was, and the numbers of those of them that were edited."""
    from qctl.model import NewJob
    from qctl.store.sqlite.undo import memory_of

    memory = memory_of(queue.store, "edit", now)
    edited: list[int] = []
    for chunk in chunks(changes.items()):
        texts, before = [], len(edited)
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
        if progress is not None:
            progress(len(chunk), edited[before:])
    return edited


def not_dead(job: Job) -> BadValue:
    return BadValue(f"job {job.number} is not dead: it is {job.status}, and `qctl edit` is for what waits")
