"""The figures of a queue: depth, rates, ages, percentiles, per type."""

from __future__ import annotations

from qctl.model import PENDING, UNFINISHED
from qctl.rules import health as rules
from qctl.rules.when import from_text, to_text
from qctl.rules.window import depths, rounded
from qctl.rules.window import figures as of_window
from qctl.store.sqlite.sql import sql
from qctl.store.sqlite.window import read_window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.rules.window import Window
    from qctl.store.sqlite.store import SQLiteStore

BUCKETS = 8
MANY = 20_000  # completed jobs that are always counted
FIGURES = 30 * 86400.0  # seconds that figures are kept
LATE = 60.0  # seconds after its tick when a schedule counts as overdue


def stats(store: SQLiteStore, now: float, window: float, *, brief: bool = False) -> dict[str, Any]:
    """All figures at `now`, rates and percentiles over the last `window` seconds. `brief`: of completed jobs only what the
    window says, if they are many, and their types: to count them all takes longer than everything else.

    `queue`: pending, due, delayed, retry, processing, blocked, completed, failed, cancelled, completed_last_hour,
    oldest_pending (UTC text of the oldest due job), oldest_pending_age (seconds). `dead_letter_queue`: unreviewed,
    total. Of the window: `enqueued`, `completed`, `died`, and attempts: `failed_attempts`, `retried`; `rate_per_minute`,
    `enqueued_per_minute`, `failure_rate` (0..1, of the attempts that ended; None without any), `wait` and `run` (p50, p95,
    p99 in seconds, within 1 %). `by_type`: type, status, count. `types`: the same figures per type, `history`: jobs
    completed in each eighth of the window. `depth`: jobs that had not ended, at the end of each eighth. `workers`,
    `schedules`. `paused`: scope, name, paused_at. `throttled`: scope, name and what it is limited to. `is_brief`: there, and
    true, when not all completed jobs were counted.
    """
    text = to_text(now)
    found = Snapshot()
    found.waiting = store.read(sql("count_waiting"), {"now": text})
    rows = [(row[0], PENDING, sum(row[1:4])) for row in found.waiting] + store.read(sql("count_by_type"))
    is_whole = not brief or not store.read(sql("more_than"), (MANY,))
    if is_whole:
        rows += store.read(sql("count_completed"))
    else:
        found.others = types_completed(store, now)
    found.by_type = [dict(zip(("type", "status", "count"), row, strict=True)) for row in sorted(rows)]
    found.dead = dict(store.read("SELECT type, count(*) FROM dead_letter_jobs WHERE reviewed = 0 GROUP BY type"))
    found.dead_total = store.read("SELECT count(*) FROM dead_letter_jobs")[0][0]
    found.hour = store.read(sql("completed_count"), (to_text(now - 3600),))[0][0]
    alive = store.read(
        "SELECT count(*), coalesce(sum(concurrency), 0) FROM qctl_workers WHERE beat_at >= ?",
        (to_text(now - rules.ALIVE),),
    )[0]
    return {
        **assemble(store, now, window, found, now),
        "workers": {"alive": alive[0], "slots": alive[1]},
        "schedules": schedules(store, now),
        "paused": paused(store),
        "throttled": throttled(store),
        **({} if is_whole else {"is_brief": True}),
    }


def types_completed(store: SQLiteStore, now: float) -> set[str]:
    """The types of the completed jobs, without counting them; of those that were purged of late, too."""
    elsewhere = store.read(sql("types_elsewhere"), (MANY,))
    before = to_text(now - FIGURES) if len(elsewhere) < MANY else "a"  # of all jobs, where the figures tell of few
    return {row[0] for row in elsewhere + store.read(sql("types_completed"), (before,))}


class Snapshot:
    """What there is at one moment. `waiting`: type, due, to be retried, delayed, when the oldest due one was due.

    `dead`: letters that nobody has reviewed, by type; `hour`: jobs completed in the hour before.
    `others`: types that have a row though nothing of them was counted.
    """

    def __init__(self) -> None:
        self.by_type: list[dict[str, Any]] = []
        self.waiting: list[tuple[Any, ...]] = []
        self.dead: dict[str, int] = {}
        self.dead_total = 0
        self.hour = 0
        self.others: set[str] = set()


def assemble(store: SQLiteStore, at: float, window: float, found: Snapshot, now: float) -> dict[str, Any]:
    """The figures of a snapshot of `at`, and of the window before it."""
    counts: dict[str, int] = {}
    for row in found.by_type:
        counts[row["status"]] = counts.get(row["status"], 0) + row["count"]
    past = read_window(store, at - window, at, BUCKETS, now)
    names = sorted({row["type"] for row in found.by_type} | set(found.dead) | set(past.types) | found.others)
    types = [type_figures(name, found, past, at) for name in names]
    oldest = min((row[4] for row in found.waiting if row[4] is not None), default=None)
    return {
        "queue": {
            "pending": counts.get("pending", 0),
            "due": sum(row[1] for row in found.waiting),
            "delayed": sum(row[3] for row in found.waiting),
            "retry": sum(row[2] for row in found.waiting),
            "processing": counts.get("processing", 0),
            "blocked": counts.get("blocked", 0),
            "completed": counts.get("completed", 0),
            "failed": counts.get("failed", 0),
            "cancelled": counts.get("cancelled", 0),
            "completed_last_hour": found.hour,
            "oldest_pending": oldest,
            "oldest_pending_age": None if oldest is None else max(0.0, round(at - from_text(oldest), 3)),
        },
        "dead_letter_queue": {"unreviewed": sum(found.dead.values()), "total": found.dead_total},
        "window": window,
        **of_window(past.whole(), past.span(), window),
        "depth": depths(past, sum(counts.get(status, 0) for status in UNFINISHED)),
        "by_type": found.by_type,
        "types": types,
    }


def schedules(store: SQLiteStore, now: float) -> dict[str, Any]:
    """How many schedules there are, are paused, cannot tick, or are overdue; and when the next one ticks."""
    keys = ("total", "paused", "failing", "overdue", "next_at")
    return dict(zip(keys, store.read(sql("schedule_figures"), (to_text(now - LATE),))[0], strict=True))


def paused(store: SQLiteStore) -> list[dict[str, str]]:
    """What is paused, and since when."""
    rows = store.read("SELECT scope, name, paused_at FROM qctl_limits WHERE paused_at IS NOT NULL ORDER BY scope, name")
    return [dict(zip(("scope", "name", "paused_at"), row, strict=True)) for row in rows]


def throttled(store: SQLiteStore) -> list[dict[str, Any]]:
    """What is limited in rate or concurrency, and to what."""
    keys = ("scope", "name", "rate", "rate_period", "concurrency")
    rows = store.read(
        "SELECT scope, name, rate, rate_period, concurrency FROM qctl_limits"
        " WHERE rate IS NOT NULL OR concurrency IS NOT NULL ORDER BY scope, name"
    )
    return [dict(zip(keys, row, strict=True)) for row in rows]


def type_figures(name: str, found: Snapshot, past: Window, now: float) -> dict[str, Any]:
    by_type, waiting, dead = found.by_type, found.waiting, found.dead
    counts = {row["status"]: row["count"] for row in by_type if row["type"] == name}
    _name, due, retry, delayed, oldest = next((row for row in waiting if row[0] == name), (name, 0, 0, 0, None))
    return {
        "type": name,
        "pending": due,
        "processing": counts.get("processing", 0),
        "retry": retry,
        "delayed": delayed,
        "blocked": counts.get("blocked", 0),
        "dead": dead.get(name, 0),
        "oldest_age": None if oldest is None else max(0.0, round(now - from_text(oldest), 3)),
        **of_window(past.of(name), past.span(), past.until - past.since),
        "history": rounded(past.history[name]),
    }


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
    pending = store.read(sql("count_pending"))[0][0]
    oldest = store.read(sql("oldest_pending"))[0][0]
    unreviewed = store.read("SELECT count(*) FROM dead_letter_jobs WHERE reviewed = 0")[0][0]
    age = None if oldest is None or from_text(oldest) > now else now - from_text(oldest)
    verdict = rules.judge(pending, age, unreviewed, known)
    from qctl.rules.vitals import judge_more
    from qctl.store.sqlite.vitals import vital_limits, vitals

    judge_more(verdict, vitals(store, now), vital_limits(store, limits))
    verdict["paused"] = paused(store)
    return verdict


def live_workers(store: SQLiteStore, now: float) -> int:
    """See Queue.live_workers."""
    count: int = store.read("SELECT count(*) FROM qctl_workers WHERE beat_at >= ?", (to_text(now - rules.ALIVE),))[0][0]
    return count


def is_small(store: SQLiteStore, count: int) -> bool:
    """See Inspection.is_small."""
    low, high = store.read("SELECT (SELECT min(number) FROM jobs), (SELECT max(number) FROM jobs)")[0]
    return low is None or bool(high - low < count)
