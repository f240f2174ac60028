"""Undo: rows as they were before a command changed or deleted them, kept in the transaction that did so."""

from __future__ import annotations

import sqlite3

from qctl.model import BLOCKED, COMPLETED, FAILED, NotFound
from qctl.rules.newjob import quote
from qctl.rules.settings import SETTINGS
from qctl.rules.size import size
from qctl.rules.when import parse_duration, to_text
from qctl.store.sqlite.dump import belongings, lossless, plain
from qctl.store.sqlite.load import insert, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

CHUNK = 200
NEED = "INSERT INTO qctl_needs (job, needs, kind, met) SELECT ?, number, ?, ? FROM jobs WHERE id = ?"
FORGET = 1000  # rows too old that a command clears away
SLACK = 16  # a part in so many of the room is made free at once


WAITING = (
    "SELECT job, status, scheduled_at, updated_at FROM qctl_needs JOIN jobs ON number = job"
    " WHERE needs = ? AND met = 0 AND kind = 'ended'"
)
"""What a cancellation lets go."""


NEXT = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'qctl_undo'), 0) + 1"
"""The number of an action: that of its first row, so that none is given out twice."""


ROOM = "SELECT coalesce((SELECT max(total) FROM qctl_undo), 0), coalesce((SELECT min(total) FROM qctl_undo), 0)"
"""In two, as SQLite finds only one of them at the end of an index."""

OLDEST = "SELECT number, action FROM qctl_undo WHERE total <= ? ORDER BY total LIMIT ?"


def memory_of(store: SQLiteStore, verb: str, now: float) -> Memory:
    """The memory of a command; one for all its calls, if its store says that they are one."""
    known = store.memories
    if known is None:
        return Memory(store, verb, now)
    if verb not in known:
        known[verb] = Memory(store, verb, now)
    known[verb].made_at = to_text(now)
    return known[verb]


class Memory:
    """Remembers for one command what it is about to change: as much as there is room for, the newest. `forgot` counts what
    of its own it had to let go."""

    def __init__(self, store: SQLiteStore, verb: str, now: float) -> None:
        self.verb = verb
        self.most = size("undo_size", store.setting("undo_size") or SETTINGS["undo_size"].default)
        self.total = self.oldest = self.latest = 0  # as the column `total` counts
        self.forgot = 0
        self.made_at = to_text(now)
        kept = parse_duration(store.setting("undo_for") or SETTINGS["undo_for"].default)
        self.is_on = kept > 0
        self.too_old = to_text(now - kept)
        self.action = 0
        self.encode: Callable[[Any], str] = text_of

    def keep(
        self,
        connection: sqlite3.Connection,
        number: int | None,
        letter: str | None = None,
        *,
        is_going: bool = False,
    ) -> None:
        """Keep a job, and its dead letters or the one that is named. `letter` is about to be deleted, and the job too;
        `is_going`: the job is, whether it has letters or not."""
        if not self.is_on:
            return
        if not self.action:
            connection.execute(
                "DELETE FROM qctl_undo WHERE number IN (SELECT number FROM qctl_undo WHERE made_at < ? LIMIT ?)",
                (self.too_old, FORGET),
            )
            self.action = connection.execute(NEXT).fetchone()[0]
            self.total, self.oldest = connection.execute(ROOM).fetchone()
        elif self.encode is text_of:  # who keeps more than one job may keep thousands
            from json import dumps

            self.encode = dumps
        factory, connection.text_factory = connection.text_factory, lossless
        try:
            before: dict[str, Any] = {"job": None, "letters": []}
            if self.verb == "cancel":
                before["waiting"] = one(connection, WAITING, number)
            job = one(connection, "SELECT * FROM jobs WHERE number = ?", number) if number is not None else []
            if job:
                before["job"] = job[0]
                if letter is not None or is_going:
                    before |= belongings(connection, job[0]["number"], True)
                    before["gone"] = 1
                if is_going and job[0]["status"] == COMPLETED and job[0]["worker"] is None:
                    job[0]["worker"] = ""  # else the figures would count it again, as one that others completed
            if letter is not None:
                before["letters"] = one(connection, "SELECT * FROM dead_letter_jobs WHERE id = ?", letter)
            elif job:
                before["letters"] = one(
                    connection, "SELECT * FROM dead_letter_jobs WHERE original_job_id = ?", scalar("id", job[0]["id"])
                )
        finally:
            connection.text_factory = factory
        text = self.encode(before)
        self.latest = len(text)
        self.total += self.latest
        connection.execute(
            "INSERT INTO qctl_undo (action, verb, made_at, before, total) VALUES (?, ?, ?, ?, ?)",
            (self.action, self.verb, self.made_at, text, self.total),
        )
        if self.total - self.oldest > self.most:
            self.make_room(connection)

    def make_room(self, connection: sqlite3.Connection) -> None:
        """Let go of the oldest, as many as may go at a time: what is over then goes with what is kept next."""
        going = (self.total - self.most + self.most // SLACK, 10 * FORGET)
        self.forgot += connection.execute(
            f"SELECT count(*) FROM ({OLDEST}) WHERE action = ?", (*going, self.action)
        ).fetchone()[0]
        connection.execute(f"DELETE FROM qctl_undo WHERE number IN (SELECT number FROM ({OLDEST}))", going)
        self.oldest = connection.execute(ROOM).fetchone()[1]

    def drop_last(self, connection: sqlite3.Connection) -> None:
        """What was kept last was not changed after all."""
        if self.is_on:
            connection.execute(
                "DELETE FROM qctl_undo WHERE action = ? AND number = (SELECT max(number) FROM qctl_undo)",
                (self.action,),
            )
            self.total -= self.latest
            self.latest = 0


def text_of(value: Any) -> str:
    """A value as JSON: `cancel` should not have to load the whole of json for it."""
    if isinstance(value, dict):
        return "{" + ",".join([f"{quote(key)}:{text_of(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    if isinstance(value, str):
        return quote(value)
    return "null" if value is None else repr(value)


def one(connection: sqlite3.Connection, statement: str, parameter: Any) -> list[dict[str, Any]]:
    cursor = connection.execute(statement, (parameter,))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]


def actions(store: SQLiteStore, now: float) -> list[dict[str, Any]]:
    """What can be taken back, the newest first."""
    kept = parse_duration(store.setting("undo_for") or SETTINGS["undo_for"].default)
    rows = store.read(
        "SELECT action, verb, min(made_at), count(*) FROM qctl_undo WHERE made_at >= ? GROUP BY action ORDER BY action DESC",
        (to_text(now - kept),),
    )
    return [dict(zip(("action", "verb", "made_at", "jobs"), row, strict=True)) for row in rows]


def undo(store: SQLiteStore, now: float, action: int | None = None) -> dict[str, Any]:
    """Take back an action, the newest by default, in chunks: each row once, and only while its job is as that left it.

    Returns `action`, `verb`, `restored`, `left` (jobs that have changed since). Raises NotFound.
    """
    import json

    from qctl.store.sqlite.ledger import count_revived, was_counted

    known = {row["action"]: row for row in actions(store, now)}
    if action is None and known:
        action = next(iter(known))
    if action is None or action not in known:
        raise NotFound(f"there is no action {action} to take back: see `qctl undo --list`" if action is not None
                       else "there is nothing to take back")  # fmt: skip
    done = {"action": action, "verb": known[action]["verb"], "restored": 0, "left": 0}
    while True:
        with store.write() as connection:
            rows = connection.execute(
                "SELECT number, made_at, before FROM qctl_undo WHERE action = ? ORDER BY number DESC LIMIT ?",
                (action, CHUNK),
            ).fetchall()
            types: list[str] = []
            for number, made_at, text in rows:
                before = json.loads(text)
                job = before["job"] or {}
                if done["verb"] == "edit" and job.get("status") == FAILED:
                    made_at = job["updated_at"]  # which still says when it died
                is_back = restore(connection, before, made_at)
                if is_back and done["verb"] in ("replay", "retry") and was_counted(job["status"], job["worker"]):
                    types.append(job["type"])
                done["restored" if is_back else "left"] += 1
                connection.execute("DELETE FROM qctl_undo WHERE number = ?", (number,))
            count_revived(store, types, now, -1)
        store.tidy()
        if len(rows) < CHUNK:
            return done


def restore(connection: sqlite3.Connection, before: dict[str, Any], made_at: str) -> bool:
    """Put one job and its letters back; False when it cannot be, as it has changed since."""
    job = {key: scalar(key, value) for key, value in (before["job"] or {}).items()}
    connection.execute("SAVEPOINT one")
    try:
        is_back = put_back(connection, job, made_at, before) if job else True
        for letter in before["letters"] if is_back else ():
            row = {key: scalar(key, value) for key, value in letter.items()}
            again = " ON CONFLICT (id) DO UPDATE SET reviewed = excluded.reviewed, payload = excluded.payload"
            insert(connection, "dead_letter_jobs", row, again)
        return is_back
    except sqlite3.IntegrityError:  # its key has gone to another meanwhile
        connection.execute("ROLLBACK TO one")
        return False
    finally:
        if connection.in_transaction:  # a fault of the disk has ended it, savepoint and all
            connection.execute("RELEASE one")


def put_back(connection: sqlite3.Connection, job: dict[str, Any], made_at: str, before: dict[str, Any]) -> bool:
    number = job["number"]
    if not connection.execute("SELECT 1 FROM jobs WHERE number = ?", (number,)).fetchone():
        if "gone" not in before and not before["letters"]:
            return False  # it was changed, and somebody deleted it since
        insert(connection, "jobs", job, "")
        for name in ("history", "output"):
            for row in before.get(name, ()):
                insert(connection, f"qctl_{name}", {"job": number, **{k: scalar(k, v) for k, v in row.items()}}, "")
        for row in before.get("needs", ()):
            connection.execute(NEED, (number, row["kind"], row["met"], row["id"]))
        return True
    columns = [key for key in job if key not in ("number", "id")]
    values = [job[key] for key in columns]
    changed = connection.execute(
        f"UPDATE jobs SET {', '.join(f'{key} = ?' for key in columns)}"
        " WHERE number = ? AND updated_at = ? AND token = ? AND status <> 'processing'",
        [*values, number, made_at, job["token"]],
    ).rowcount
    if changed and job["status"] == "completed":  # a retry had moved its completion into the history
        connection.execute(
            "DELETE FROM qctl_history WHERE job = ? AND token = ? AND outcome = 'completed'", (number, job["token"])
        )
    for row in before.get("waiting", ()) if changed else ():
        wait_again(connection, row["job"], number, row, made_at)
    return bool(changed)


def wait_again(connection: sqlite3.Connection, job: int, needed: int, before: dict[str, Any], made_at: str) -> None:
    """A job that a cancellation let go waits again, unless it was begun, or changed, since."""
    if before["status"] == BLOCKED:
        connection.execute(
            "UPDATE jobs SET status = 'blocked', scheduled_at = ?, updated_at = ?"
            " WHERE number = ? AND status = 'pending' AND updated_at = ?",
            (before["scheduled_at"], before["updated_at"], job, made_at),
        )
    connection.execute(
        "UPDATE qctl_needs SET met = 0 WHERE job = ? AND needs = ?"
        " AND EXISTS (SELECT 1 FROM jobs WHERE number = job AND status = ?)",
        (job, needed, before["status"]),
    )
