"""What a handler is told of its job, and the jobs that it adds to it."""

from __future__ import annotations

from contextvars import ContextVar

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from typing import Any

    from qctl.model import NewJob
    from qctl.queue import Queue

MOST_CHILDREN = 1000  # that one run adds: they are stored in one transaction, for which all others wait, some 40 ms


class JobContext:
    """What a handler is told of its job if it has a parameter `job`: number, id, type, attempt (this one, from 1),
    max_attempts, `inputs`, and `context`, where the functions of `on_start` put what all jobs of a process share."""

    __slots__ = (
        "attempt", "begins", "children", "id", "inputs_text", "is_over", "max_attempts", "number", "queue", "type",
    )  # fmt: skip

    def __init__(
        self, number: int, id: str, type: str, attempt: int, max_attempts: int, inputs: str | None = None,
        queue: Queue | None = None,
    ) -> None:  # fmt: skip
        self.inputs_text = inputs
        self.begins: Callable[[], bool] | None = None  # asked right before the function is called: whether it may
        self.number = number
        self.id = id
        self.type = type
        self.attempt = attempt
        self.max_attempts = max_attempts
        self.queue = queue  # None: that of this process
        self.children: list[NewJob] | None = None
        self.is_over = False

    def once(self, connection: sqlite3.Connection, name: str = "") -> bool:
        """Mark this job's effect as done, in the caller's own transaction; False when an earlier run did it already.

        `connection`: to the database that the effect is made in; mark and effect commit together or not at all, so a
        repeat after a crash skips what was done. The mark is a row of `processed_jobs`, which is made when it is missing.
        `name` tells several effects of one job apart. Raises BadValue when the connection would commit at once.

            if job.once(connection):
                connection.execute("UPDATE accounts SET ...")
            connection.commit()
        """
        from qctl.store.sqlite.once import mark

        return mark(connection, f"{self.id}:{name}" if name else self.id)

    def enqueue(self, type: str | None = None, payload: Mapping[str, Any] | str | None = None, **options: Any) -> str:
        """Add a job that comes with the completion of this one, in the same transaction: a run that fails, or is killed,
        adds none, and one that is repeated adds them once. Returns its id, which later ones may name in `after`.

        Arguments as in `Queue.enqueue`; `inputs` of the new job has this one's result, by its number. What is not
        accepted raises BadValue here; a needed job that is not there, or an id that is taken, fails this attempt.

            invoice = job.enqueue("generate_invoice", {"order": order})
            job.enqueue("notify_warehouse", {"order": order}, after=invoice)
        """
        import time

        from qctl.store.sqlite.insert import new_id

        if self.is_over:
            raise BadValue(f"job {self.number} has ended: what it adds, it adds while it runs")
        if self.children is None:
            self.children = []
        if len(self.children) >= MOST_CHILDREN:
            raise BadValue(
                f"job {self.number} adds over {MOST_CHILDREN:,} jobs: add some that add the others, or return a list for a foreach"
            )
        options["type"], options["payload"] = type, payload
        child = (self.queue or own_queue()).prepare(options, time.time())
        child.id = child.id or new_id()
        self.children.append(child)
        return child.id

    @property
    def inputs(self) -> dict[str, Any]:
        """The results of the jobs that this one waited for: by step within its flow, else by number (as text)."""
        import json

        return json.loads(self.inputs_text) if self.inputs_text else {}

    @property
    def context(self) -> Context:
        return shared


class Context:
    """What all jobs of one handler process share, such as clients and pools: attributes, as `on_start` sets them."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no function of on_start has put {name!r} into the context")

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


shared = Context()
running: ContextVar[JobContext | None] = ContextVar("running", default=None)
queues: list[Queue] = []


def current() -> JobContext:
    """The job whose handler calls this, directly or through other functions, as its parameter `job` has it.

    Raises BadValue where no handler runs, and in threads that a handler started: hand them its `job`.
    """
    context = running.get()
    if context is None:
        raise BadValue("no handler runs here: there is no current job")
    return context


def own_queue() -> Queue:
    """The queue of the worker that this handler process belongs to. Opened at the first need: few handlers have one."""
    if not queues:
        import os

        from qctl.queue import Queue

        queues.append(Queue(os.environ["QCTL_DB"], create=False))
    return queues[0]
