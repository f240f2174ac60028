"""What a worker knows of types: of its handlers, and over them what is set in the queue, read anew when that changes."""

from __future__ import annotations

from qctl.model import TypeDefaults
from qctl.rules import ending
from qctl.store.sqlite.types import all_types, keep_retentions, types_version
from qctl.store.sqlite.workers import tell_types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qctl.model import Lease
    from qctl.rules.ending import Ending
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.run import Run


class TypeBook:
    """`handlers`: what the modules say, by type. `defaults`: that, and what is set over it. `runnable`: the types whose
    typed jobs run here: those with a handler or a program. `outputs`: bytes kept of a run, by type."""

    def __init__(self, store: SQLiteStore, handlers: Mapping[str, TypeDefaults]) -> None:
        self.store = store
        self.handlers = handlers
        self.version: str | None = None
        self.commands: dict[str, str] = {}
        self.schemas: dict[str, str] = {}
        self.outputs: dict[str, int] = {}
        self.defaults: Mapping[str, TypeDefaults] = handlers
        self.runnable: Mapping[str, object] = handlers

    def tell(self, worker: str, types: list[str] | None, queues: list[str] | None) -> None:
        """Write down what others go by: what this worker runs, and of which types and queues (None: all); and how long
        its handlers want completed jobs kept."""
        tell_types(self.store, worker, self.handlers, types, queues)
        keep_retentions(self.store, self.handlers)

    def refresh(self) -> None:
        """Read what is set, if it has changed: one seek when it has not. Joins the open transaction."""
        version = types_version(self.store)
        if version == self.version:
            return
        self.version = version
        self.commands.clear()
        self.schemas.clear()
        self.outputs = {name: one.output_limit for name, one in self.handlers.items() if one.output_limit is not None}
        defaults = dict(self.handlers)
        for row in all_types(self.store):
            name = row["type"]
            known = defaults.get(name) or TypeDefaults()
            defaults[name] = TypeDefaults(
                *[
                    getattr(known, field) if row[field] is None else row[field]
                    for field in ("max_attempts", "backoff", "timeout")
                ]
            )
            for book, field in ((self.commands, "command"), (self.schemas, "schema"), (self.outputs, "output_limit")):
                if row[field] is not None:
                    book[name] = row[field]
        self.defaults = defaults
        self.runnable = {**self.handlers, **self.commands}

    def equip(self, leases: list[Lease]) -> None:
        """Give the jobs of types that have a program that program."""
        for lease in leases:
            if lease.command is None and lease.type in self.commands:
                lease.command = self.commands[lease.type]

    def refuse(self, run: Run, now: float) -> Ending | None:
        """The ending of a run that need not start: a step's verdict, or that its payload does not fit its type's schema,
        where no attempt can help. None: it may start."""
        if run.lease.verdict is not None:
            how, error, result = run.lease.verdict
            run.begin(now, 0.0)
            return run.ending(how, now, error=error, result=result)
        schema = self.schemas.get(run.lease.type)
        if schema is None or (run.lease.command is not None and run.lease.type not in self.commands):
            return None
        from qctl.rules.schema import complaint

        problem = complaint(schema, run.lease.payload)
        if problem is None:
            return None
        run.begin(now, 0.0)
        return run.ending(ending.DEAD, now, error=f"{problem} (schema of type {run.lease.type})")
