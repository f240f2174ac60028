"""`qctl enqueue --dry-run`: everything but the storing."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values


def rehearse(fields: dict[str, Any], values: Values) -> int:
    """Check the job as `enqueue` would, and show what it would store. No file is made or changed."""
    import json

    from qctl.cli.options import look_at_queue
    from qctl.cli.render import object_json, say
    from qctl.rules.when import to_text

    now = time.time()
    queue = look_at_queue(values)
    job = queue.prepare(fields, now)
    row: dict[str, Any] = {
        "type": job.type,
        "payload": json.loads(job.payload),
        "priority": job.priority or 0,
        "queue": job.queue,
        "scheduled_at": job.scheduled_at or to_text(now),
    }
    for key in ("id", "max_attempts", "backoff", "timeout", "cwd"):
        value = getattr(job, key)
        if value is not None:
            row[key] = value
    for key in ("command", "tags"):
        value = getattr(job, key)
        if value is not None:
            row[key] = json.loads(value)
    for key in ("key", "expires_at"):
        if job.more and key in job.more:
            row[key] = job.more[key]
    if job.more and "needs" in job.more:
        row["needs"] = {kind: queue.numbers(references) for kind, references in job.more["needs"]}
    if job.env is not None:
        row["env"] = dict.fromkeys(json.loads(job.env), "***")
    sys.stdout.write(object_json(row) + "\n")
    say("nothing was stored (--dry-run)")
    return 0
