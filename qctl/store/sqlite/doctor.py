"""What can be wrong with a queue file and with the place where it lies: each check finds, says what it means, and how
to mend it."""

from __future__ import annotations

import sqlite3
from functools import partial

from qctl.rules.when import to_text
from qctl.store.sqlite import connection as opening
from qctl.store.sqlite import leftovers, place, spool, wal, workers
from qctl.store.sqlite.sql import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

OK, NOTE, WRONG = "ok", "note", "wrong"
LARGE_LOG = 64 << 20  # bytes
AHEAD = 60.0  # seconds by which clocks of several machines may differ
LATE = 300.0  # seconds that a schedule may be late
NEWEST = 1000  # jobs whose times are looked at
ORPHANS = {
    "history": ("qctl_history", "attempts of jobs that are gone: they only take room"),
    "output": ("qctl_output", "output of jobs that are gone: it only takes room"),
}


class Finding:
    """What a check found. `mend`: the command that mends it; `fix`: does so, where that is safe."""

    __slots__ = ("check", "fix", "found", "level", "meaning", "mend")

    def __init__(
        self,
        check: str,
        level: str,
        found: str,
        meaning: str = "",
        mend: str = "",
        fix: Callable[[], Any] | None = None,
    ) -> None:
        self.check, self.level, self.found, self.meaning, self.mend, self.fix = check, level, found, meaning, mend, fix

    def public(self) -> dict[str, Any]:
        keys = ("check", "level", "found", "meaning", "mend")
        return {key: getattr(self, key) or None for key in keys} | {"fixable": self.fix is not None}


def examine(store: SQLiteStore, now: float) -> Iterator[Finding]:
    """Every check, in an order in which what is worse comes first."""
    for check in (integrity, schema, foreign, log, place.library, place.system, place.space, place.permissions,
                  clock, locks, dead, spools, orphans, leftovers.files, leftovers.processes, schedules):  # fmt: skip
        found = False
        for finding in check(store, now):
            found = True
            yield finding
        if not found:
            yield Finding(check.__name__, OK, "nothing found")


def integrity(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    rows = [row[0] for row in store.read("PRAGMA integrity_check(5)")]
    if rows == ["ok"]:
        yield Finding("integrity", OK, "SQLite's integrity check found nothing")
    for row in rows if rows != ["ok"] else ():
        yield Finding("integrity", WRONG, " ".join(str(row).split()), "the file is damaged: jobs may be lost or unreadable",
                      "stop the workers, then restore a backup, or save what is left: sqlite3 FILE .recover")  # fmt: skip


def expected() -> dict[tuple[str, str], str]:
    """The objects of our schema, and their text."""
    memory = sqlite3.connect(opening.MEMORY)
    try:
        memory.executescript(read("schema.sql"))
        objects = objects_of(memory.execute("SELECT type, name, sql FROM sqlite_master").fetchall())
        memory.execute("INSERT INTO qctl_limits (scope, name, rate_key) VALUES ('type', 'a', 'b')")
        for script in ("keyed.sql", "needed.sql"):  # there only where they are needed
            memory.executescript(read(script))
        return objects_of(memory.execute("SELECT type, name, sql FROM sqlite_master").fetchall()) | objects
    finally:
        memory.close()


def objects_of(rows: list[Any]) -> dict[tuple[str, str], str]:
    return {(kind, name): " ".join((text or "").split()) for kind, name, text in rows if not name.startswith("sqlite_")}


def optional() -> set[str]:
    from qctl.store.sqlite.limits import TRIGGERS

    return {*TRIGGERS, "jobs_end"}


def schema(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    ours, here = expected(), objects_of(store.read("SELECT type, name, sql FROM sqlite_master"))
    bad = [key for key in ours if key not in here and key[1] not in optional()]
    other = [key for key in ours if key in here and here[key] != ours[key]]
    for key in [*bad, *other]:
        kind, name = key
        what = (
            "is missing" if key in bad else differs(store, name) if kind == "table" else "is not as this qctl makes it"
        )
        yield Finding("schema", WRONG, f"{kind} {name} {what}",
                      "an earlier build of qctl made this file, before its schema was final, or somebody changed it: what "
                      "qctl promises rests on its schema, and commands may fail",
                      "qctl export all.ndjson, then qctl --db new.db import all.ndjson")  # fmt: skip
    if not bad and not other:
        yield Finding("schema", OK, f"version {opening.SCHEMA_VERSION}, as this qctl makes it")


def differs(store: SQLiteStore, table: str) -> str:
    """How a table of ours differs from what this qctl makes: by its columns, if it is that."""
    memory = sqlite3.connect(opening.MEMORY)
    try:
        memory.executescript(read("schema.sql"))
        ours = [row[0] for row in memory.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    finally:
        memory.close()
    here = [row[0] for row in store.read("SELECT name FROM pragma_table_info(?)", (table,))]
    for word, names in (("lacks", [name for name in ours if name not in here]),
                        ("has also", [name for name in here if name not in ours])):  # fmt: skip
        if names:
            return f"{word} column{'s' if len(names) > 1 else ''} {', '.join(names)}"
    return "is not as this qctl makes it"


def foreign(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    ours = {name for _kind, name in expected()}
    for kind, name, table in store.read("SELECT type, name, tbl_name FROM sqlite_master ORDER BY type, name"):
        if name in ours or name.startswith("sqlite_"):
            continue
        if kind == "trigger" and table in ours:
            yield Finding("foreign", WRONG, f"trigger {name} on {table} is none of qctl's",
                          "it runs at writes to the queue, and can change what a job runs",
                          f"look at it, then: sqlite3 FILE 'DROP TRIGGER \"{name}\"'")  # fmt: skip
        elif kind != "index" or table in ours:
            yield Finding("foreign", NOTE, f"{kind} {name} is none of qctl's",
                          "an application may keep its own tables here: qctl does not touch them")  # fmt: skip


def log(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    mode = store.read("PRAGMA journal_mode")[0][0]
    if mode != "wal":
        yield Finding("log", WRONG, f"the journal mode is {mode}", "readers and writers block each other",
                      "stop the workers, then: sqlite3 FILE 'PRAGMA journal_mode=WAL'")  # fmt: skip
        return
    size = wal.pages(store.path) * store.read("PRAGMA page_size")[0][0]
    if size > LARGE_LOG:
        yield Finding("log", WRONG, f"the write-ahead log holds {size >> 20} MiB that are not in the file yet",
                      "a reader that never ends keeps it from being copied; every read gets slower",
                      "end that reader, then: qctl doctor --fix", lambda: checkpoint(store))  # fmt: skip
    else:
        yield Finding("log", OK, f"the write-ahead log holds {size >> 10} KiB")


def checkpoint(store: SQLiteStore) -> None:
    store.tidy(0)


def clock(store: SQLiteStore, now: float) -> Iterator[Finding]:
    limit = to_text(now + AHEAD)
    count = store.read(
        "SELECT count(*) FROM (SELECT created_at FROM jobs ORDER BY number DESC LIMIT ?) WHERE created_at > ?",
        (NEWEST, limit),
    )[0][0]
    if count:
        yield Finding("clock", WRONG, f"{count:,} of the newest jobs were created in the future",
                      "the clock here is behind, or was set back: delayed jobs and schedules run at wrong times",
                      "set the clock of this machine, and of others that write here: timedatectl status")  # fmt: skip


def locks(store: SQLiteStore, now: float) -> Iterator[Finding]:
    stale = workers.stale_after(store)
    count = store.read(
        "SELECT count(*) FROM jobs WHERE status = 'processing' AND coalesce(locked_at, updated_at) < ?"
        " AND NOT EXISTS (SELECT 1 FROM qctl_workers WHERE id = locked_by)",
        (to_text(now - stale),),
    )[0][0]
    if count:
        yield Finding("locks", WRONG, f"{count:,} running jobs are held by no worker that there is",
                      f"who took them has been silent for over {stale:g} s; any worker gives them back",
                      "qctl work --once")  # fmt: skip


def dead(store: SQLiteStore, now: float) -> Iterator[Finding]:
    rows = workers.list_workers(store, now, workers.stale_after(store))
    for row in rows:
        if not row["alive"]:
            held = f"{len(row['running'])} job" + ("" if len(row["running"]) == 1 else "s")
            yield Finding("dead", WRONG, f"{row['id']} (pid {row['pid']} on {row['host']}) is dead, and holds {held}",
                          "its jobs wait until another worker, or this command, gives them back",
                          "qctl doctor --fix", lambda: bury(store, now))  # fmt: skip
    if all(row["alive"] for row in rows):
        yield Finding(
            "dead",
            OK,
            f"{len(rows)} worker{'s' if len(rows) > 1 else ''}, all alive" if rows else "no worker is running",
        )


def bury(store: SQLiteStore, now: float) -> None:
    import random

    workers.bury(store, workers.dead_workers(store, "", now, workers.stale_after(store)), now, random.random)


def spools(store: SQLiteStore, now: float) -> Iterator[Finding]:
    alive = {row["id"] for row in workers.list_workers(store, now, workers.stale_after(store)) if row["alive"]}
    for worker, _is_entered in spool.leftovers(store):
        count = len(spool.read(store.path, worker))
        if worker in alive:
            yield Finding("spools", NOTE, f"{worker} keeps {count} results beside the queue",
                          "it could not write to the queue file just now, and goes on trying")  # fmt: skip
        else:
            yield Finding("spools", WRONG, f"{worker} died with {count} results in {spool.name_of(store.path, worker)}",
                          "jobs that have ended stand in the queue as running; the next worker writes that down",
                          "qctl doctor --fix", lambda: settle_spools(store, now))  # fmt: skip


def settle_spools(store: SQLiteStore, now: float) -> None:
    import random

    bury(store, now)
    spool.replay_leftovers(store, now, random.random)


def orphans(store: SQLiteStore, _now: float) -> Iterator[Finding]:
    for table, meaning in ORPHANS.values():
        where = f"NOT EXISTS (SELECT 1 FROM jobs WHERE number = {table}.job)"
        count = store.read(f"SELECT count(*) FROM {table} WHERE {where}")[0][0]
        if count:
            yield Finding("orphans", WRONG, f"{count:,} rows of {table} belong to no job", meaning, "qctl doctor --fix",
                          partial(sweep, store, table, where))  # fmt: skip


def sweep(store: SQLiteStore, table: str, where: str) -> None:
    """In chunks, so that others get their turn."""
    while True:
        with store.write() as connection:
            jobs = connection.execute(f"SELECT DISTINCT job FROM {table} WHERE {where} LIMIT 200").fetchall()
            connection.executemany(f"DELETE FROM {table} WHERE job = ?", jobs)
        if not jobs:
            return
        store.tidy()


def schedules(store: SQLiteStore, now: float) -> Iterator[Finding]:
    for name, error, due in store.read(
        "SELECT coalesce(name, type), error, next_run_at FROM cron_schedules WHERE is_active <> 0"
        " AND (error IS NOT NULL OR next_run_at < ?) ORDER BY 1",
        (to_text(now - LATE),),
    ):
        if error is not None:
            yield Finding("schedules", WRONG, f"schedule {name} cannot tick: {error}", "it makes no jobs until it is mended",
                          f"qctl cron show {name}")  # fmt: skip
        else:
            yield Finding(
                "schedules", WRONG, f"schedule {name} was due at {due} UTC", "no worker fires it", "qctl work"
            )
