"""What a queue says of its types and their limits: the part of `Queue` behind `qctl types`."""

from __future__ import annotations

import sys

from qctl.model import BadValue, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.model import NewJob
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.store.sqlite.turn import Turn


class TypeSettings:
    """Defaults, schema and program per type, for the jobs that say nothing themselves; kept in the queue file."""

    store: SQLiteStore

    def configure(self, name: str, value: str | None) -> None:
        """Set one of the settings in rules/settings.py, or unset it (None). Raises BadValue."""
        from qctl.rules.settings import known

        setting = known(name)
        if value is not None:
            value = setting.check(name, value)
            if name.startswith("hook."):
                from qctl.store.sqlite.hooks import begin

                begin(self.store, name.removeprefix("hook."), self.store.now())
        self.store.set_setting(name, value)

    def types(self) -> list[dict[str, Any]]:
        """Every type of which something is said: its row of `qctl_types`, by column name, `command` as a list."""
        import json

        from qctl.store.sqlite.types import all_types

        rows = all_types(self.store)
        for row in rows:
            row["command"] = row["command"] and json.loads(row["command"])
            row["schema"] = row["schema"] and json.loads(row["schema"])
        return rows

    def set_type(self, type: str, **fields: Any) -> int:
        """Say what holds for jobs of a type: timeout, max_attempts, backoff, priority, output_limit, retention (seconds
        or text: how long completed ones are kept), command (list, or a line), schema (mapping or JSON text). None takes
        a field back. How many jobs that wait already do not fit a schema given. Raises BadValue."""
        from qctl.program import settled
        from qctl.rules.newjob import name
        from qctl.rules.typefields import type_columns
        from qctl.store.sqlite.types import set_type

        type = name("type", type)
        columns = type_columns(fields)
        if not columns:
            return 0
        if columns.get("command"):
            columns["command"] = settled(columns["command"])
        misfits = self.misfits(type, columns["schema"]) if columns.get("schema") else 0
        set_type(self.store, type, columns)
        return misfits

    def unset_type(self, type: str, *fields: str) -> None:
        """Take back what was said of a type: the fields named, else everything. Raises NotFound, BadValue."""
        from qctl.rules.typefields import FIELDS, LIMITS
        from qctl.store.sqlite.limits import is_limited, set_limits

        for field in fields:
            if field not in FIELDS and field not in LIMITS:
                raise BadValue(f"{field[:40]!r} is nothing a type has: use {', '.join((*FIELDS, *LIMITS))}")
        known = any(row["type"] == type for row in self.types())
        if not known and not is_limited(self.store, "type", type):
            raise NotFound(f"nothing is set for type {type[:60]!r}: `qctl types list` shows what is")
        own = [field for field in fields or FIELDS if field in FIELDS]
        others = tuple(field for field in fields or LIMITS if field in LIMITS)
        if own:
            self.set_type(type, **dict.fromkeys(own))
        if others:
            set_limits(self.store, "type", type, dict.fromkeys(others, ""))

    def unset_queue_limits(self, queue: str, *fields: str) -> None:
        """Take back limits of a queue: those named, else all. Raises NotFound, BadValue."""
        from qctl.rules.typefields import LIMITS
        from qctl.store.sqlite.limits import is_limited, set_limits

        for field in fields:
            if field not in LIMITS:
                raise BadValue(f"{field[:40]!r} is no limit of a queue: use {', '.join(LIMITS)}")
        if not is_limited(self.store, "queue", queue):
            raise NotFound(f"no limit is set for queue {queue[:60]!r}: `qctl types list` shows what is")
        set_limits(self.store, "queue", queue, dict.fromkeys(fields or LIMITS, ""))

    def misfits(self, type: str, schema: str) -> int:
        """How many typed jobs that wait have a payload that does not fit a schema (JSON text)."""
        from qctl.rules.schema import complaint
        from qctl.store.sqlite.types import waiting_payloads

        return sum(1 for _number, payload in waiting_payloads(self.store, type) if complaint(schema, payload))

    # -- once only --

    def done_at(self, key: str) -> str | None:
        """When what `key` names was done (UTC text), as `processed_jobs` has it; None when it was not."""
        from qctl.store.sqlite.once import done_at

        return done_at(self.store, key)

    def mark_done(self, key: str) -> bool:
        """Mark what `key` names as done; False when it was before. On disk when this returns."""
        from qctl.store.sqlite.once import mark_done

        return mark_done(self.store, key)

    def turn(self, key: str) -> Turn:
        """The turn to do what `key` names, among all processes; see store/sqlite/turn.py."""
        from qctl.store.sqlite.turn import Turn

        return Turn(self.store.path, key)

    # -- new jobs --

    def complete(self, job: NewJob, known: dict[str, Any] | None = None, *, has_templates: bool = False) -> None:
        """Give a new job what its type says where it says nothing, and check its payload against the type's schema.

        `known`: what was looked up of types, for those who prepare many jobs at once. `has_templates`: texts with ${ in
        them stand for values that come later, and are not checked. Raises BadValue.
        """
        from qctl.store.sqlite.types import at_enqueue

        if known is None or job.type not in known:
            said = at_enqueue(self.store, job.type)
            if known is not None:
                known[job.type] = said
        else:
            said = known[job.type]
        if said is not None:
            priority, schema = said
            if job.priority is None:
                job.priority = priority
            if schema is not None and job.command is None:
                from qctl.rules.schema import complaint

                problem = complaint(schema, job.payload, but="${" if has_templates else None)
                if problem is not None:
                    raise BadValue(f"{problem} (schema of type {job.type})")
        if job.command is None:
            heed_handler(job, is_checked=has_templates or (said is not None and said[1] is not None))


def heed_handler(job: NewJob, *, is_checked: bool) -> None:
    """What the type's @handler, if this process has it, says of a new job; its other options are heeded at the claim."""
    handlers = sys.modules.get("qctl.handlers")
    known = handlers.registry.get(job.type) if handlers else None
    if known is None:
        return
    if job.priority is None:
        job.priority = known.says.get("priority")
    if known.parameters is not None and not is_checked:
        import json

        known.parameters.convert(json.loads(job.payload))
