"""Workers in the queue file: their rows, their beats, and what is done for one that died."""

from __future__ import annotations

import os
import time
from functools import cache

from qctl.model import QueueFileError
from qctl.rules.when import from_text, to_text
from qctl.store.sqlite import marks, spool
from qctl.store.sqlite.lock import LifeLocks
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from qctl.store.sqlite.finish import Outcome
    from qctl.store.sqlite.store import SQLiteStore

STALE_AFTER = 300.0
"""Seconds without a sign of life, where a death cannot be seen, unless the setting `stale_after` says otherwise."""


def stale_after(store: SQLiteStore) -> float:
    """That time for this queue."""
    from qctl.rules.when import parse_duration

    text = store.setting("stale_after")
    return STALE_AFTER if text is None else parse_duration(text)


@cache
def boot_id() -> str:
    """What changes when the machine restarts, and is the same for all processes of one kernel."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        pass
    import subprocess

    answer = subprocess.run(["sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or f"unknown-{os.uname().nodename}"


def register(store: SQLiteStore, worker: str, concurrency: int, now: float, lease: float = STALE_AFTER) -> int:
    """Enter a worker, and hold its lock from before anybody can see its row; its number. `lease`: see `beat`."""
    if store.lock is not None and store.life_locks is None:
        store.life_locks = LifeLocks(store.path + "-workers")
    text = to_text(now)
    with store.write() as connection:
        cursor = connection.execute(
            sql("insert_worker"),
            (worker, os.uname().nodename, boot_id(), os.getpid(), concurrency, text, text, time.monotonic() + lease),
        )
        number = cursor.lastrowid or 0
        if store.life_locks is not None:
            try:
                store.life_locks.hold(number)
            except OSError as error:
                raise QueueFileError(
                    f"{store.path}: a worker of the file that stood here before still lives: stop it first"
                ) from error
    return number


def tell_types(
    store: SQLiteStore,
    worker: str,
    runs: Iterable[str],
    types: Iterable[str] | None = None,
    queues: Iterable[str] | None = None,
) -> None:
    """Write down which types of typed jobs a worker can run, and of which types and from which queues it takes jobs
    (None: all): what nobody runs can be told by that."""
    from qctl.rules.newjob import quote

    texts = [
        None if one is None else "[" + ",".join([quote(word) for word in one]) + "]" for one in (runs, types, queues)
    ]
    with store.write() as connection:
        connection.execute("UPDATE qctl_workers SET handlers = ?, types = ?, queues = ? WHERE id = ?", (*texts, worker))


def unregister(store: SQLiteStore, worker: str) -> None:
    """Strike a worker off, and leave the figures complete."""
    from qctl.store.sqlite.ledger import write_rest
    from qctl.store.sqlite.upkeep import upkeep

    with store.write() as connection:
        connection.execute("DELETE FROM qctl_workers WHERE id = ?", (worker,))
        write_rest(store)
    marks.forget(store.path, worker)
    upkeep(store, store.now())


def beat(store: SQLiteStore, worker: str, now: float, lease: float = STALE_AFTER) -> bool:
    """Say that the worker lives, and beats again within `lease` seconds; False when its row is gone, because others took
    it for dead."""
    with store.write() as connection:
        return connection.execute(sql("beat"), (to_text(now), time.monotonic() + lease, worker)).rowcount == 1


class Dead:
    """A worker that is gone. `why`: how we know; `blames`: whether its jobs may have been what it died of."""

    __slots__ = ("blames", "id", "why")

    def __init__(self, id_: str, why: str, *, blames: bool = True) -> None:
        self.id = id_
        self.why = why
        self.blames = blames


def dead_workers(store: SQLiteStore, me: str, now: float, stale_after: float) -> list[Dead]:
    """Who died, and how we know.

    On this machine a free lock is proof, and a held one is proof of life however old the beat is: see `frozen_workers`.
    Elsewhere, or before a restart of this machine, only the beat is left to go by.
    """
    dead = []
    here, host = boot_id(), os.uname().nodename
    for number, id_, its_host, boot, pid, beat_at in store.read(
        "SELECT number, id, host, boot, pid, beat_at FROM qctl_workers"
    ):
        if id_ == me:
            continue
        if boot == here:
            if store.life_locks is not None and store.life_locks.is_dead(number):
                dead.append(Dead(id_, f"its worker {id_} died (pid {pid})"))
        elif its_host == host:
            dead.append(Dead(id_, f"its worker {id_} died when {host} restarted", blames=False))
        elif now - from_text(beat_at) > stale_after:
            dead.append(Dead(id_, f"its worker {id_} on {its_host} has been silent since {beat_at}"))
    return dead


def frozen_workers(store: SQLiteStore, me: str, clock: float) -> list[tuple[int, str, int | None]]:
    """Workers of this machine that hold their lock and did not beat in time, by its monotonic clock `clock`: (number, id,
    the process that holds the lock, or None where that cannot be told)."""
    locks = store.life_locks
    if locks is None:
        return []
    rows = store.read(
        "SELECT number, id FROM qctl_workers WHERE boot = ? AND id <> ? AND lease_until < ?", (boot_id(), me, clock)
    )
    return [(number, id_, locks.holder(number)) for number, id_ in rows if not locks.is_dead(number)]


def list_workers(store: SQLiteStore, now: float, stale_after: float) -> list[dict[str, Any]]:
    """Every worker in the file, oldest first; see Queue.workers."""
    if store.lock is not None and store.life_locks is None:
        store.life_locks = LifeLocks(store.path + "-workers")
    dead = {one.id for one in dead_workers(store, "", now, stale_after)}
    keys = ("id", "host", "pid", "concurrency", "started_at", "beat_at")
    found = []
    for row in store.read("SELECT id, host, pid, concurrency, started_at, beat_at FROM qctl_workers ORDER BY number"):
        one: dict[str, Any] = dict(zip(keys, row, strict=True))
        one["alive"] = one["id"] not in dead
        one["running"] = [
            {"number": number, "type": type_, "started_at": started_at}
            for number, type_, started_at in sorted(
                store.read(sql("run_by"), (one["id"],)), key=lambda row: (row[2] or "", row[0])
            )
        ]
        found.append(one)
    return found


def bury(store: SQLiteStore, dead: Iterable[Dead], now: float, random: Callable[[], float]) -> list[Outcome]:
    """Give back what dead workers held, and strike them off, each in one transaction. What one had left in its spool
    is written down first."""
    from qctl.store.sqlite.finish import rescue_jobs
    from qctl.store.sqlite.ledger import count_rescued

    outcomes: list[Outcome] = []
    for one in dead:
        worker = one.id
        spooled = spool.read(store.path, worker)
        with store.write() as connection:
            if not connection.execute("SELECT 1 FROM qctl_workers WHERE id = ?", (worker,)).fetchone():
                continue  # somebody else did it
            if spooled:
                spool.replay(connection, worker, spooled, now, random)
            rows = connection.execute(sql("held_jobs"), (worker,)).fetchall()
            ran = marks.running(store.path, worker) if one.blames else None
            ended = rescue_jobs(connection, rows, now, one.why, random, blames=one.blames, running=ran)
            outcomes += count_rescued(store, ended)
            connection.execute("DELETE FROM qctl_workers WHERE id = ?", (worker,))
        spool.remove(store.path, worker)
        marks.forget(store.path, worker)
    return outcomes


def rescue_stale(store: SQLiteStore, now: float, stale_after: float, random: Callable[[], float]) -> list[Outcome]:
    """Give back what is locked by nobody we know (workers of other make) for longer than `stale_after` seconds."""
    from qctl.store.sqlite.finish import rescue_jobs
    from qctl.store.sqlite.ledger import count_rescued

    times = {"limit": to_text(now - stale_after), "latest": to_text(now + stale_after)}
    if not store.read(sql("stale_jobs"), times):
        return []
    stale = []
    with store.write() as connection:
        for *row, is_ours in connection.execute(sql("stale_jobs"), times).fetchall():
            number, token, worker, since = row[0], row[1], row[6], row[7]
            if since is None:
                connection.execute(sql("date_lock"), (to_text(now), number, token, worker))
                continue
            if not is_ours:
                connection.execute(sql("next_token"), (number,))
                row[1] = token + 1
            stale.append(tuple(row))
        return count_rescued(store, rescue_jobs(connection, stale, now, "its lock went stale", random))


def hand_back(store: SQLiteStore, worker: str, leases: Sequence[tuple[int, int]], now: float) -> int:
    """Give back leases (number, token) that were never begun: no attempt used, their place in the queue kept.

    Those that somebody cancelled in the meantime are cancelled.
    """

    def run() -> int:
        cursor = store.connection.executemany(
            sql("hand_back"), [(to_text(now), number, token, worker) for number, token in leases]
        )
        return cursor.rowcount

    if store.connection.in_transaction:
        return run()
    with store.write():
        return run()


def held_leases(store: SQLiteStore, worker: str) -> set[tuple[int, int]]:
    """The leases that are a worker's by the file (number, token)."""
    return {(row[0], row[1]) for row in store.read(sql("held_jobs"), (worker,))}
