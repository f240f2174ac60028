"""Whether a queue is healthy: the lesson's three checks, its limits and its three words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HEALTHY, DEGRADED, UNHEALTHY, UNKNOWN = "healthy", "degraded", "unhealthy", "unknown"
EXIT_CODES = {HEALTHY: 0, DEGRADED: 1, UNHEALTHY: 2, UNKNOWN: 3}

ALIVE = 30.0  # seconds since its latest beat within which a worker counts, unless it is known to be dead

MAX_PENDING = 1000
MAX_AGE = 1800.0  # seconds
MAX_DEAD = 10


def judge(pending: int, oldest_age: float | None, unreviewed: int, limits: dict[str, float]) -> dict[str, Any]:
    """`status`, `issues` (texts) and `checks`: for each `name`, `value`, `limit`, `ok`, `next`.

    `oldest_age`: seconds that the oldest due job has waited, None without one. A check fails above its limit. No issue
    is healthy, more than two are unhealthy, degraded is between.
    """
    from qctl.rules.clock import human

    checks = [
        check("depth", pending, limits["max_pending"], f"{pending:,}", "qctl work"),
        check(
            "oldest",
            oldest_age or 0.0,
            limits["max_age"],
            human(oldest_age) if oldest_age else "nothing waits",
            "qctl list --status pending",
        ),
        check("dead letters", unreviewed, limits["max_dead"], f"{unreviewed:,}", "qctl dlq groups"),
    ]
    texts = (
        f"Queue depth: {pending} pending jobs",
        f"Oldest pending job is {round((oldest_age or 0.0) / 60)} minutes old",
        f"{unreviewed} unreviewed dead letter jobs",
    )
    issues = [text for one, text in zip(checks, texts, strict=True) if not one["ok"]]
    status = HEALTHY if not issues else UNHEALTHY if len(issues) > 2 else DEGRADED
    return {"status": status, "issues": issues, "checks": checks}


def check(name: str, value: float, limit: float, shown: str, next_: str) -> dict[str, Any]:
    return {"name": name, "value": value, "limit": limit, "ok": value <= limit, "shown": shown, "next": next_}
