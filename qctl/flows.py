"""Flows: many jobs as the steps of one thing. The part of `Queue` about them."""

from __future__ import annotations

import time

from qctl.model import BadValue, NotFound
from qctl.rules.when import to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Protocol

    from qctl.model import NewJob
    from qctl.store.sqlite.store import SQLiteStore

    class Document(Protocol):
        """What becomes a flow: see qctl/builder.py."""

        def document(self) -> dict[str, Any]: ...


class Flows:
    """Keeps flows: each is enqueued whole or not at all."""

    store: SQLiteStore

    if TYPE_CHECKING:

        def prepare(
            self,
            fields: dict[str, Any],
            now: float,
            known: dict[str, Any] | None = None,
            *,
            has_templates: bool = False,
        ) -> NewJob: ...
        def cancel(self, numbers: Iterable[int], *, cascade: bool = False) -> dict[int, str]: ...
        def retry(self, numbers: Iterable[int]) -> dict[int, str]: ...

    def run_flow(
        self,
        flow: Mapping[str, Any] | Document,
        *,
        set: Mapping[str, str] | None = None,
        on_failure: str | None = None,
        dry_run: bool = False,
    ) -> int | None:
        """Check a flow whole and enqueue it in one transaction; its number (None with `dry_run`).

        `flow`: what `flow`, `chain`, `group` and `step` make, or what a flow file holds: `name`, `vars`, `on_failure`, and
        `steps`: by name what `enqueue` takes, and `needs` (also `after_any`, `after_failed`, `on_failure`): names of
        steps, `when`, `foreach`; see `qctl help flows`. `set`: values over those in `vars`, which `${vars.NAME}` takes.
        `on_failure`: the step that cleans up, over the flow's own. Raises BadValue, and nothing is stored.
        """
        from qctl.rules.flow import steps_of
        from qctl.store.sqlite.flows import insert_flow

        now = time.time()
        if hasattr(flow, "document"):
            flow = flow.document()
        name = flow.get("name", "flow")
        if not isinstance(name, str) or not name.isprintable() or not 1 <= len(name) <= 200:
            raise BadValue("name: use 1 to 200 printable characters as the name of a flow")
        known: dict[str, Any] = {}
        steps = []
        for step in steps_of(flow, set, on_failure):
            try:
                job = self.prepare(dict(step.fields), now, known, has_templates=bool(step.plan.get("templates")))
            except BadValue as error:
                raise BadValue(f"step {step.name!r}: {error}") from None
            if job.more and "key" in job.more:
                raise BadValue(f"step {step.name!r}: key: a step belongs to its flow alone, and has no key")
            steps.append((step, job))
        return None if dry_run else insert_flow(self.store, name, steps, to_text(now))

    def flows(self, limit: int | None = None) -> list[dict[str, Any]]:
        """All flows, newest first: number, name, created_at, status (running, completed, failed, cancelled), ended_at,
        steps, and how many of those are pending, blocked, processing, completed, failed, cancelled."""
        from qctl.store.sqlite.flows import list_flows

        return list_flows(self.store, -1 if limit is None else limit)

    def flow_counts(self, window: float = 3600.0) -> dict[str, int]:
        """How many flows were enqueued in the last `window` seconds, of the newest 100, and how many of those are running,
        completed, failed, cancelled."""
        from qctl.store.sqlite.flows import counts

        return counts(self.store, to_text(max(0.0, time.time() - window)))

    def flow(self, number: int) -> dict[str, Any]:
        """One flow, as `flows` has it. Raises NotFound."""
        from qctl.store.sqlite.flows import get_flow

        return get_flow(self.store, number)

    def steps(self, number: int) -> list[int]:
        """The numbers of the jobs of a flow, each behind those it needs. Raises NotFound."""
        from qctl.store.sqlite.flows import steps_in

        found = steps_in(self.store, number)
        if not found:
            raise NotFound(f"there is no flow {number}")
        return found

    def standing(self, number: int) -> list[dict[str, Any]]:
        """How a flow stands: each of its jobs, in order: number, step, type, status, created_at, started_at, completed_at,
        updated_at, scheduled_at, attempts, parent (a foreach), last_error, plan, needs, waits_for. Raises NotFound."""
        from qctl.store.sqlite.flows import standing

        found = standing(self.store, number)
        if not found:
            raise NotFound(f"there is no flow {number}")
        return found

    def cancel_flow(self, number: int) -> dict[int, str]:
        """Cancel what has not ended of a flow; as `cancel`."""
        steps = self.standing(number)
        # What waits comes before what it waits for, the jobs of a foreach last: nothing is let go in the middle.
        last = {step["number"] for step in steps if step["parent"] is not None}
        numbers = [step["number"] for step in reversed(steps)]
        return self.cancel([one for one in numbers if one not in last] + sorted(last))

    def replay_flow(self, number: int) -> list[int]:
        """Run the failed and cancelled steps of a flow again, and so what waits for them; done ones are not repeated."""
        from qctl.store.sqlite.flows import steps_to_replay

        self.steps(number)  # it is there
        again = steps_to_replay(self.store, number)
        return [one for one, word in self.retry(again).items() if word == "pending"]
