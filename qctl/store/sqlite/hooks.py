"""What hooks are told: one worker, whichever looks first, finds what happened since the last look, and enqueues the telling.

What has been told stands in the settings `hook_seen.*`, in the transaction that enqueues: nothing is told twice.
"""

from __future__ import annotations

import json

from qctl.rules import hooks as rules
from qctl.rules.when import iso, to_text
from qctl.store.sqlite.insert import insert_jobs
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

    Found = tuple[dict[str, Any] | None, str]  # what happened, if anything, and what has been seen then

MOST = 100  # dead letters, or flows, that one job tells of
SEEN = "hook_seen."


def look(store: SQLiteStore, now: float, *, health: bool) -> int:
    """Tell the hooks that are set; how many jobs that made. `health`: whether to look at that, too, which costs more."""
    made = 0
    for name, target in store.read(sql("hooks_set")):
        event = name.removeprefix("hook.")
        if event == "health" and not health:
            continue
        if event in LOOKS:
            made += tell(store, event, target, now)
    return made


def tell(store: SQLiteStore, event: str, target: str, now: float) -> int:
    before = store.setting(SEEN + event)
    happened, seen = LOOKS[event](store, before, now)
    if seen == before:
        return 0
    with store.write() as connection:
        if store.setting(SEEN + event) != before:
            return 0  # somebody else has told it
        connection.execute(sql("set_setting"), (SEEN + event, seen))
        if happened is None:
            return 0
        insert_jobs(connection, [rules.job(target, {"hook": event, "at": iso(to_text(now)), **happened})], to_text(now))
    return 1


def begin(store: SQLiteStore, event: str, now: float) -> None:
    """From now on: what happened before is not told. For a hook that was just set."""
    store.set_setting(SEEN + event, None)
    _happened, seen = LOOKS[event](store, None, now)
    store.set_setting(SEEN + event, seen)


def dead(store: SQLiteStore, before: str | None, _now: float) -> Found:
    """Jobs that died. `seen`: the latest letter. The death of a job that tells hooks is not told."""
    last = store.read("SELECT max(rowid) FROM dead_letter_jobs")[0][0] or 0
    if before is None or int(before) > last:
        return None, str(last)
    rows = store.read(sql("letters_after"), (int(before), MOST))
    if not rows:
        return None, before
    keys = ("number", "id", "type", "attempts", "error", "failed_at")
    letters = [dict(zip(keys, row[1:], strict=True)) for row in rows if row[3] != rules.TYPE]
    for one in letters:
        one["error"] = rules.shortened(one["error"])
    return {"dead_letters": letters} if letters else None, str(rows[-1][0])


def health(store: SQLiteStore, before: str | None, now: float) -> Found:
    """A change between healthy, degraded and unhealthy."""
    from qctl.store.sqlite.figures import health as judge

    verdict = judge(store, now, {})
    status = verdict["status"]
    if before is None or before == status:
        return None, status
    return {"status": status, "was": before, "issues": verdict["issues"]}, status


def flow(store: SQLiteStore, before: str | None, _now: float) -> Found:
    """Flows that ended. `seen`: the latest flow, and those up to it that still ran."""
    from qctl.store.sqlite.flows import described

    last, running = json.loads(before) if before is not None else (0, [])
    found = {row[0]: described(row) for row in store.read(sql("flows"), (last + 1, 2**63 - 1, -1))}
    for number in running:
        found |= {row[0]: described(row) for row in store.read(sql("flows"), (number, number, 1))}
    ended = [found[number] for number in sorted(found) if found[number]["status"] != "running"]
    told = ended[:MOST] if before is not None else ended
    left = sorted(set(found) - {one["number"] for one in told})
    seen = json.dumps([max([last, *found]), left])
    return {"flows": told} if told and before is not None else None, seen


def go_on(connection: sqlite3.Connection, flows: Iterable[int]) -> None:
    """Steps of these flows are to run again, by the open transaction: their next end is told, too."""
    row = connection.execute("SELECT value FROM qctl_settings WHERE name = ?", (SEEN + "flow",)).fetchone()
    if row is None:
        return  # nobody asked to be told, so far
    last, running = json.loads(row[0])
    running = sorted({*running, *(flow for flow in flows if flow <= last)})
    connection.execute(sql("set_setting"), (SEEN + "flow", json.dumps([last, running])))


LOOKS: dict[str, Callable[[SQLiteStore, str | None, float], Found]] = {"dead": dead, "health": health, "flow": flow}
