"""The figures of a queue: depth, rates, ages, percentiles, per type."""

from __future__ import annotations

from qctl.rules import health as rules
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

NEWEST = 20_000  # ends of the window that percentiles are taken from
BUCKETS = 8
ALIVE = 30.0  # seconds since the latest beat of a worker that counts as alive


def stats(store: SQLiteStore, now: float, window: float) -> dict[str, Any]:
    """All figures at `now`, rates and percentiles over the last `window` seconds.

    `queue`: pending, due, delayed, retry, processing, blocked, completed, failed, cancelled, completed_last_hour,
    oldest_pending (UTC text of the oldest due job), oldest_pending_age (seconds). `dead_letter_queue`: unreviewed,
    total. `rate_per_minute`, `failure_rate` (0..1, of the attempts that ended; None without any), `completed`,
    `failed_attempts`, `wait` and `run` (p50, p95, p99 in seconds, over the newest 20,000 ends). `by_type`: type, status,
    count. `types`: the same figures per type, `history`: jobs completed in each eighth of the window. `workers`.
    `paused`: scope, name, paused_at.
    """
    text, since = to_text(now), to_text(now - window)
    by_type = [dict(zip(("type", "status", "count"), row, strict=True)) for row in store.read(sql("count_by_type"))]
    waiting = store.read(sql("count_waiting"), (text, text))
    # An UPDATE from elsewhere may have written an end that is no time: it counts, but has no place in the window.
    ends = [row for row in store.read(sql("ends_since"), (since, NEWEST)) if row[3] is not None]
    completed = dict(store.read(sql("completed_since"), (since,)))
    failures = dict(store.read(sql("failures_since"), (since,)))
    dead = dict(store.read("SELECT type, count(*) FROM dead_letter_jobs WHERE reviewed = 0 GROUP BY type"))
    total_dead = store.read("SELECT count(*) FROM dead_letter_jobs")[0][0]
    hour = store.read(sql("completed_count"), (to_text(now - 3600),))[0][0]
    alive = store.read(
        "SELECT count(*), coalesce(sum(concurrency), 0) FROM qctl_workers WHERE beat_at >= ?", (to_text(now - ALIVE),)
    )[0]
    counts: dict[str, int] = {}
    for row in by_type:
        counts[row["status"]] = counts.get(row["status"], 0) + row["count"]
    names = sorted({row["type"] for row in by_type} | set(dead))
    types = [type_figures(name, by_type, waiting, ends, completed, failures, dead, now, window) for name in names]
    oldest = min((row[4] for row in waiting if row[4] is not None), default=None)
    done, failed = sum(completed.values()), sum(failures.values())
    first = store.read(
        "SELECT min(completed_at) FROM jobs WHERE status = 'completed' AND completed_at BETWEEN ? AND '9999'", (since,)
    )[0][0]
    span = max(60.0, min(window, now - from_text(first))) if first else window
    return {
        "queue": {
            "pending": counts.get("pending", 0),
            "due": sum(row[1] for row in waiting),
            "delayed": sum(row[3] for row in waiting),
            "retry": sum(row[2] for row in waiting),
            "processing": counts.get("processing", 0),
            "blocked": counts.get("blocked", 0),
            "completed": counts.get("completed", 0),
            "failed": counts.get("failed", 0),
            "cancelled": counts.get("cancelled", 0),
            "completed_last_hour": hour,
            "oldest_pending": oldest,
            "oldest_pending_age": None if oldest is None else max(0.0, round(now - from_text(oldest), 3)),
        },
        "dead_letter_queue": {"unreviewed": sum(dead.values()), "total": total_dead},
        "window": window,
        "rate_per_minute": round(done / span * 60, 3),
        "completed": done,
        "failed_attempts": failed,
        "failure_rate": round(failed / (done + failed), 6) if done + failed else None,
        "wait": percentiles([row[1] for row in ends]),
        "run": percentiles([row[2] for row in ends]),
        "by_type": by_type,
        "types": types,
        "workers": {"alive": alive[0], "slots": alive[1]},
        "paused": paused(store),
    }


def paused(store: SQLiteStore) -> list[dict[str, str]]:
    """What is paused, and since when."""
    rows = store.read("SELECT scope, name, paused_at FROM qctl_limits WHERE paused_at IS NOT NULL ORDER BY scope, name")
    return [dict(zip(("scope", "name", "paused_at"), row, strict=True)) for row in rows]


def type_figures(
    name: str,
    by_type: Sequence[dict[str, Any]],
    waiting: Sequence[tuple[Any, ...]],
    ends: Sequence[tuple[Any, ...]],
    completed: dict[str, int],
    failures: dict[str, int],
    dead: dict[str, int],
    now: float,
    window: float,
) -> dict[str, Any]:
    counts = {row["status"]: row["count"] for row in by_type if row["type"] == name}
    _name, due, retry, delayed, oldest = next((row for row in waiting if row[0] == name), (name, 0, 0, 0, None))
    own = [row for row in ends if row[0] == name]
    done, failed = completed.get(name, 0), failures.get(name, 0)
    history = [0] * BUCKETS
    for row in own:
        place = int((row[3] - (now - window)) / window * BUCKETS)
        history[min(max(place, 0), BUCKETS - 1)] += 1
    return {
        "type": name,
        "pending": due,
        "processing": counts.get("processing", 0),
        "retry": retry,
        "delayed": delayed,
        "blocked": counts.get("blocked", 0),
        "dead": dead.get(name, 0),
        "oldest_age": None if oldest is None else max(0.0, round(now - from_text(oldest), 3)),
        "completed": done,
        "failed_attempts": failed,
        "failure_rate": round(failed / (done + failed), 6) if done + failed else None,
        "wait": percentiles([row[1] for row in own]),
        "run": percentiles([row[2] for row in own]),
        "history": history,
    }


def percentiles(values: list[float]) -> dict[str, float | None]:
    """p50, p95, p99 by nearest rank."""
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return {"p50": None, "p95": None, "p99": None}
    size = len(ordered)
    return {f"p{p}": round(max(0.0, ordered[min(size - 1, -(-size * p // 100) - 1)]), 6) for p in (50, 95, 99)}


def health(store: SQLiteStore, now: float, limits: dict[str, Any]) -> dict[str, Any]:
    """See Queue.health."""
    from qctl.rules.when import parse_duration

    known: dict[str, float] = {}
    for name, default in (("max_pending", rules.MAX_PENDING), ("max_age", rules.MAX_AGE), ("max_dead", rules.MAX_DEAD)):
        setting = store.setting(f"health.{name}")
        value: float = default
        if setting is not None:
            value = parse_duration(setting) if name == "max_age" else int(setting)
        known[name] = limits.get(name, value)
    pending, oldest = store.read(sql("depth"), (to_text(now),))[0]
    unreviewed = store.read("SELECT count(*) FROM dead_letter_jobs WHERE reviewed = 0")[0][0]
    verdict = rules.judge(pending, None if oldest is None else now - from_text(oldest), unreviewed, known)
    from qctl.rules.vitals import judge_more
    from qctl.store.sqlite.vitals import vital_limits, vitals

    judge_more(verdict, vitals(store, now), vital_limits(store, limits))
    verdict["paused"] = paused(store)
    return verdict


def live_workers(store: SQLiteStore, now: float) -> int:
    """See Queue.live_workers."""
    count: int = store.read("SELECT count(*) FROM qctl_workers WHERE beat_at >= ?", (to_text(now - ALIVE),))[0][0]
    return count
