"""Why a job is not running: every gate it stands before, and the command that would open it."""

from __future__ import annotations

from qctl.model import BLOCKED, PENDING, PROCESSING
from qctl.rules.clock import human
from qctl.rules.limits import NO_KEY, rate_text
from qctl.rules.when import from_text, iso, to_text
from qctl.store.sqlite.gates import Gates
from qctl.store.sqlite.takers import Takers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.model import Job
    from qctl.store.sqlite.gates import Limit
    from qctl.store.sqlite.store import SQLiteStore

FAR = 100_000  # jobs ahead that are counted
HOLDERS = 5  # jobs that are named


def explain(store: SQLiteStore, job: Job, now: float) -> dict[str, Any]:
    """See Queue.explain."""
    row = job.data
    gates: list[dict[str, Any]] = []
    ahead = None
    if row["status"] == PENDING:
        gates = time_gates(row, now) + limit_gates(store, row, now) + worker_gates(store, row, now)
        ahead = jobs_ahead(store, row, now)
    elif row["status"] == BLOCKED:
        gates = needs(store, row)
    return {
        "number": row["number"],
        "status": row["status"],
        "gates": gates,
        "ahead": ahead,
        "says": says(row, gates, now),
    }


def says(row: dict[str, Any], gates: list[dict[str, Any]], now: float) -> str:
    """The answer in a sentence."""
    number, status = row["number"], row["status"]
    if status == PROCESSING:
        since = row["started_at"] or row["locked_at"]
        return f"job {number} is running" + (f", held by {row['locked_by']}" if row["locked_by"] else "") + (
            f", since {since} UTC" if since else "")  # fmt: skip
    if status in (PENDING, BLOCKED):
        if not gates:
            return f"job {number} may run: a worker takes it as soon as a slot is free"
        return f"job {number} waits: {gates[0]['why']}" + (f", and {len(gates) - 1} more" if len(gates) > 1 else "")
    error = f": {row['last_error']}" if row["last_error"] and status != "completed" else ""
    return f"job {number} has ended ({status}){error}"


def gate(name: str, why: str, opens: str, at: float | None = None) -> dict[str, Any]:
    """`opens`: the command that opens it; `at`: when it opens by itself."""
    return {"gate": name, "why": why, "opens": opens, "at": None if at is None else iso(to_text(at))}


def time_gates(row: dict[str, Any], now: float) -> list[dict[str, Any]]:
    due, number = from_text(row["scheduled_at"]), row["number"]
    found = []
    if row["expires_at"] and row["expires_at"] <= to_text(now):
        found.append(gate("expired", f"it was to start by {row['expires_at']} UTC: it will be cancelled",
                          f"qctl cancel {number}"))  # fmt: skip
    if due > now:
        what = "its next try" if row["attempts"] else "it"
        found.append(gate("not due", f"{what} is due in {human(due - now)}", f"qctl retry {number}", due))
    return found


def limit_gates(store: SQLiteStore, row: dict[str, Any], now: float) -> list[dict[str, Any]]:
    queue, type_ = row["queue"], row["type"]
    gates = Gates(store.connection, store.limits(), now)
    key = (row["limit_key"] or NO_KEY) if gates.limits.of(queue, type_).is_keyed else None
    found = []
    for limit in gates.limits.of(queue, type_).limits:
        if limit.is_paused:
            found.append(gate("paused", f"{spoken(limit)} is paused", f"qctl resume {named(limit)}"))
    for room in gates.around(queue, type_, key):
        if room.left:
            continue
        limit = room.limit
        of = f"{spoken(limit)}{f' with key {room.key!r}' if room.key else ''}"
        setting = f"qctl types set {named(limit)}"
        if room.level is not None and limit.rate is not None:
            opens = room.opens or now
            rate = rate_text(limit.rate.count, limit.rate.period)
            found.append(gate("rate", f"{of} may start {rate}: the next in {human(opens - now)}",
                              f"{setting} --rate ''", opens))  # fmt: skip
        else:
            found.append(gate("concurrency", f"{of} may run {limit.concurrency} at once: {holders(store, limit, room.key)}",
                              f"{setting} --concurrency {(limit.concurrency or 0) + 1}"))  # fmt: skip
    return found


def spoken(limit: Limit) -> str:
    return "everything" if limit.scope == "all" else f"{limit.scope} {limit.name}"


def named(limit: Limit) -> str:
    """The limit as arguments of a command."""
    from shlex import quote

    if limit.scope == "all":
        return "--all"
    return f"--queue {quote(limit.name)}" if limit.scope == "queue" else quote(limit.name)


def holders(store: SQLiteStore, limit: Limit, key: str) -> str:
    condition, parameters = "1", []
    if limit.scope != "all":
        condition, parameters = f"{limit.scope} = ?", [limit.name]
    if key:
        condition += f" AND coalesce(limit_key, '{NO_KEY}') = ?"
        parameters.append(key)
    rows = store.read(
        f"SELECT number, locked_by FROM jobs WHERE status = 'processing' AND {condition} ORDER BY number", parameters
    )
    names = [f"{number} ({worker})" if worker else str(number) for number, worker in rows[:HOLDERS]]
    more = f" and {len(rows) - HOLDERS} more" if len(rows) > HOLDERS else ""
    return "held by " + (", ".join(names) + more if names else "nobody any more")


def worker_gates(store: SQLiteStore, row: dict[str, Any], now: float) -> list[dict[str, Any]]:
    left = Takers(store, now).reason(row["queue"], row["type"], is_command=row["command"] is not None)
    return [] if left is None else [gate("no worker", *left)]


def jobs_ahead(store: SQLiteStore, row: dict[str, Any], now: float) -> int:
    """How many due jobs of its queue a claim would take before it, counted up to FAR."""
    count: int = store.read(
        "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE status = 'pending' AND queue = :queue AND priority >= :priority"
        " AND scheduled_at <= :now AND (priority > :priority OR scheduled_at < :due"
        "  OR (scheduled_at = :due AND number < :number)) LIMIT :far)",
        {"queue": row["queue"], "priority": row["priority"], "now": to_text(now), "due": row["scheduled_at"],
         "number": row["number"], "far": FAR},
    )[0][0]  # fmt: skip
    return count


def needs(store: SQLiteStore, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The jobs that a blocked one waits for."""
    found = []
    for needed, kind, status in store.read(
        "SELECT needs, kind, status FROM qctl_needs LEFT JOIN jobs ON jobs.number = needs WHERE job = ? AND NOT met",
        (row["number"],),
    ):
        end = {"completed": "is completed", "failed": "has failed"}.get(kind, "has ended")
        found.append(gate("blocked", f"it waits until job {needed} {end}: that is {status or 'gone'}",
                          f"qctl explain {needed}" if status else f"qctl cancel {row['number']}"))  # fmt: skip
    return found
