"""The figures as the lesson's monitoring endpoint gives them, with more keys beside."""

from __future__ import annotations

from qctl.rules.when import iso, to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MORE = ("window", "rate_per_minute", "failure_rate", "completed", "failed_attempts", "wait", "run", "types", "workers",
        "enqueued", "enqueued_per_minute", "retried", "died", "depth", "schedules", "throttled")  # fmt: skip


def lesson_shape(figures: dict[str, Any], at: float) -> dict[str, Any]:
    """`queue`, `deadLetterQueue` and `byType` first and as the lesson has them; then what else `stats --json` has, and
    when it was read."""
    queue, dead = figures["queue"], figures["dead_letter_queue"]
    shape: dict[str, Any] = {
        "queue": {
            "pending": queue["pending"],
            "processing": queue["processing"],
            "completedLastHour": queue["completed_last_hour"],
            "failed": queue["failed"],
            "oldestPending": queue["oldest_pending"],
        },
        "deadLetterQueue": {"unreviewed": dead["unreviewed"]},
        "byType": figures["by_type"],
    }
    for key, value in queue.items():
        shape["queue"].setdefault(camel(key), value)
    shape["deadLetterQueue"]["total"] = dead["total"]
    for key in (*MORE, "paused"):
        shape[camel(key)] = figures[key]
    shape["at"] = iso(to_text(at))
    return shape


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
