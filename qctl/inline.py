"""Running jobs inside the present process, for tests of handlers. A worker isolates them; this does not."""

from __future__ import annotations

import random
import time

from qctl import handlers
from qctl.model import TypeDefaults
from qctl.rules.ending import Ending, Facts
from qctl.rules.when import to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.model import Job
    from qctl.queue import Queue

WORKER = "inline"


def run_inline(queue: Queue, now: float | None, limit: int | None) -> list[Job]:
    """See Queue.run_inline."""
    registry = handlers.registry
    defaults = {name: TypeDefaults(one.max_attempts, one.backoff, one.timeout) for name, one in registry.items()}
    schemas = {}
    for row in queue.types():
        known = defaults.get(row["type"]) or TypeDefaults()
        for field in ("max_attempts", "backoff", "timeout"):
            if row[field] is not None:
                setattr(known, field, row[field])
        defaults[row["type"]] = known
        schemas[row["type"]] = row["schema"]
    done: list[Job] = []
    while limit is None or len(done) < limit:
        moment = time.time() if now is None else now
        leases = queue.store.claim(WORKER, 1, to_text(moment), handlers=registry, defaults=defaults, commands=False)
        if not leases:
            break
        lease = leases[0]
        context = handlers.JobContext(
            lease.number, lease.id, lease.type, lease.attempts, lease.max_attempts, lease.inputs, queue
        )
        verdict = refusal(schemas.get(lease.type), lease.payload) or handlers.call(
            registry[lease.type], lease.payload, context, run_async
        )
        ending = Ending(
            lease.number,
            lease.token,
            verdict.how,
            started_at=moment,
            finished_at=time.time() if now is None else now,
            error=verdict.error,
            result=verdict.result,
            after=verdict.after,
            children=verdict.children or (),
        )
        facts = Facts(lease.attempts, lease.max_attempts, lease.backoff, lease.rescues)
        queue.store.finish(WORKER, [(ending, facts)], to_text(moment), random.random)
        done.append(queue.get(lease.number))
    return done


def refusal(schema: dict[str, Any] | None, payload: str) -> handlers.Verdict | None:
    """The verdict on a payload that does not fit its type's schema; None when it does."""
    if schema is None:
        return None
    from qctl.rules.ending import DEAD
    from qctl.rules.payload import dumps
    from qctl.rules.schema import complaint

    problem = complaint(dumps(schema), payload)
    return None if problem is None else handlers.Verdict(DEAD, error=problem)


def run_async(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)
