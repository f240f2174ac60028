"""Import: rows of an export into a queue. Ids are kept, what is there already stays as it is, and nothing is run."""

from __future__ import annotations

import binascii
import sqlite3

from qctl.model import FINISHED, STATUSES, BadValue
from qctl.rules.settings import SETTINGS
from qctl.store.sqlite.children import abandon
from qctl.store.sqlite.dump import FORMAT, HISTORY, OUTPUT, RECORDS
from qctl.store.sqlite.insert import need_place
from qctl.store.sqlite.limits import set_triggers
from qctl.store.sqlite.needs import set_trigger
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

IDENTITY = {
    "setting": ("name",),
    "type": ("type",),
    "limit": ("scope", "name"),
    "flow": ("name", "created_at"),
    "job": ("id", "type"),
    "dead_letter": ("id", "original_job_id", "type"),
    "schedule": ("id", "type", "cron_expression"),
    "processed": ("job_id",),
}
"""What a record must have."""

NESTED = {"history": HISTORY, "output": OUTPUT, "needs": ("id", "kind", "met")}
NUMBERS = ("parent", "last_job")  # columns that name a job by its number
CLASH = tuple(
    f"UNIQUE constraint failed: {columns}"
    for columns in ("jobs.key", "jobs.schedule, jobs.tick", "cron_schedules.name")
)


class LineError(BadValue):
    """A record that cannot be stored. `index`: which of those given, counted from 0; those before it are stored."""

    def __init__(self, index: int, text: str) -> None:
        super().__init__(text)
        self.index = index


class Loader:
    """Takes the records of one export, in order; `renumbered` maps numbers there to those they have here."""

    def __init__(self, store: SQLiteStore) -> None:
        self.store = store
        self.columns = {
            record: {row[1] for row in store.read(f"PRAGMA table_info({table})")} for record, table in RECORDS.items()
        }
        self.renumbered: dict[int, int] = {}
        self.flows: dict[int, int] = {}  # the same for flows
        self.rerun: set[int] = set()  # jobs that ran at the export: what those runs had added goes, as they begin anew
        self.stored = dict.fromkeys(RECORDS, 0)
        self.there = 0  # records that stood here already
        self.left_out = 0  # whose key, tick or name another one has
        self.unknown: set[str] = set()  # keys that this version does not know: they are left out

    def take(self, records: Sequence[Any], now: str) -> None:
        """Store a chunk in one transaction. Raises LineError; then all before that record is stored, nothing of it is."""
        failure = None
        need_place(self.store)
        with self.store.write() as connection:
            for index, record in enumerate(records):
                connection.execute("SAVEPOINT line")
                try:
                    self.put(connection, record, now)
                except (BadValue, sqlite3.IntegrityError, sqlite3.ProgrammingError, OverflowError) as error:
                    connection.execute("ROLLBACK TO line")
                    if str(error) in CLASH:  # unique, and others have it
                        self.left_out += 1
                    else:
                        failure = LineError(index, said(error))
                        break
                finally:
                    if connection.in_transaction:  # a fault of the disk has ended it, savepoint and all
                        connection.execute("RELEASE line")
        self.store.tidy()
        if failure is not None:
            raise failure

    def put(self, connection: sqlite3.Connection, record: Any, now: str) -> None:
        row = self.checked(record)
        kind = row.pop("record")
        if kind == "qctl":
            return
        if kind == "setting" and row["name"] not in SETTINGS:
            self.unknown.add(f"setting {row['name']}"[:60])
            return
        nested = {name: row.pop(name, None) or [] for name in NESTED if name not in self.columns[kind]}
        self.unknown |= {f"{kind}.{key}"[:60] for key in row.keys() - self.columns[kind]}
        values = {key: value for key, value in row.items() if key in self.columns[kind]}
        if kind == "setting":
            values["value"] = SETTINGS[values["name"]].check(values["name"], str(values.get("value")))
        if kind == "job":
            self.put_job(connection, values, nested, now)
            return
        if kind == "flow":
            self.put_flow(connection, values)
            return
        for name in NUMBERS:
            if name in values:
                values[name] = self.renumbered.get(values[name], values[name])
        table, keys = RECORDS[kind], IDENTITY[kind]
        unique = {"setting": 1, "type": 1, "limit": 2, "dead_letter": 1, "schedule": 1, "processed": 1}[kind]
        done = insert(connection, table, values, f" ON CONFLICT ({', '.join(keys[:unique])}) DO NOTHING")
        is_new = done.rowcount > 0
        if is_new and kind == "type":
            connection.execute(sql("bump_types"))  # workers and enqueuers read them anew
        if is_new and kind == "limit":
            set_triggers(connection)
        self.count(kind, is_new)

    def put_flow(self, connection: sqlite3.Connection, values: dict[str, Any]) -> None:
        """A flow is known by its name and its time. Who cleans up in it, those jobs tell themselves."""
        number, same = values.pop("number", None), (values["name"], values["created_at"])
        values["on_failure"] = None
        found = connection.execute(
            "SELECT number FROM qctl_flows WHERE name = ? AND created_at = ? ORDER BY number <> ?", (*same, number)
        ).fetchone()
        taken = "SELECT 1 FROM qctl_flows WHERE number = ?"
        if isinstance(number, int) and 0 < number < 2**62 and not connection.execute(taken, (number,)).fetchone():
            values["number"] = number
        here = found[0] if found else insert(connection, "qctl_flows", values, "").lastrowid or 0
        if isinstance(number, int):
            self.flows[number] = here
        self.count("flow", found is None)

    def count(self, kind: str, is_new: bool) -> None:
        self.stored[kind] += is_new
        self.there += not is_new

    def checked(self, record: Any) -> dict[str, Any]:
        """The record as columns. Raises BadValue."""
        if not isinstance(record, dict):
            raise BadValue("it is no JSON object: use the lines that `qctl export` writes")
        kind = record.get("record")
        if kind == "qctl":
            if record.get("format") != FORMAT:
                raise BadValue(
                    f"format: {record.get('format')!r} is not known here (this qctl reads {FORMAT}): upgrade qctl"
                )
            return record.copy()
        if not isinstance(kind, str) or kind not in RECORDS:
            raise BadValue(f"record: {str(kind)[:40]!r} is none: use {', '.join(RECORDS)}")
        row = {key: value if key in NESTED else scalar(key, value) for key, value in record.items()}
        for key in IDENTITY[kind]:
            if not isinstance(row.get(key), (str, bytes)):
                raise BadValue(f"{key}: a {kind} needs one, as text")
        return row

    def put_job(self, connection: sqlite3.Connection, values: dict[str, Any], nested: dict[str, Any], now: str) -> None:
        number = values.pop("number", None)
        if number is not None and not (isinstance(number, int) and 0 < number < 2**62):
            raise BadValue(f"number: {number!r} is none: use a whole number from 1 on")
        found = connection.execute("SELECT number FROM jobs WHERE id = CAST(? AS TEXT)", (values["id"],)).fetchone()
        if found:
            if number is not None and found[0] != number:
                self.renumbered[number] = found[0]
            self.there += 1
            return
        if values.get("status", "pending") not in STATUSES:
            raise BadValue(f"status: {str(values['status'])[:40]!r} is none: use {', '.join(STATUSES)}")
        parent = values.get("parent")
        if values.get("status") == "processing":  # its worker is not here: the job goes back, and loses no attempt
            self.rerun |= {number} if isinstance(number, int) else set()
            attempts = values.get("attempts", 0)
            values |= {
                "status": "cancelled" if values.get("cancel_asked") else "pending",
                "attempts": max(attempts - 1, 0) if isinstance(attempts, int) else attempts,
                "cancel_asked": 0, "updated_at": now,
            }  # fmt: skip
        values |= {"locked_by": None, "locked_at": None}
        for name in NUMBERS:
            if name in values:
                values[name] = self.renumbered.get(values[name], values[name])
        if "flow" in values:
            values["flow"] = self.flows.get(values["flow"], values["flow"])
        is_taken = (
            number is not None and connection.execute("SELECT 1 FROM jobs WHERE number = ?", (number,)).fetchone()
        )
        if number is not None and not is_taken:
            values["number"] = number
        here = insert(connection, "jobs", values, "").lastrowid or 0
        self.belongings(connection, here, values, nested)
        if values.get("flow") is not None:
            self.tie_step(connection, here, values)
        if parent in self.rerun and values.get("status") == "blocked":
            abandon(connection, values["parent"], now)
        if number is not None and here != number:
            self.renumbered[number] = here
        self.stored["job"] += 1

    def belongings(
        self, connection: sqlite3.Connection, job: int, values: dict[str, Any], nested: dict[str, Any]
    ) -> None:
        for name, keys in NESTED.items():
            if not isinstance(nested.get(name, []), list) or not all(isinstance(one, dict) for one in nested[name]):
                raise BadValue(f"{name}: it is no array of objects")
            for one in nested[name]:
                row = {key: scalar(key, one[key]) for key in keys if key in one}
                if name == "needs":
                    needed = connection.execute(
                        "SELECT number FROM jobs WHERE id = CAST(? AS TEXT)", (row.pop("id", None),)
                    ).fetchone()
                    if needed is None:
                        raise BadValue(f"needs: job {str(one.get('id'))[:40]!r} is not here")
                    row["needs"] = needed[0]
                insert(connection, f"qctl_{name}", {"job": job, **row}, "")
        if nested.get("needs"):
            set_trigger(connection)
        # What it needed may have ended here since: a job that is there already is not changed, so nobody would let it go.
        if values.get("status") == "blocked" and nested.get("needs") and '"total"' not in (values.get("plan") or ""):
            self.release(connection, job)

    def tie_step(self, connection: sqlite3.Connection, number: int, values: dict[str, Any]) -> None:
        """A job of a foreach is waited for by its step; one that cleans up is known to its flow."""
        if values.get("parent") is not None:
            set_trigger(connection)
            connection.execute(
                "INSERT OR IGNORE INTO qctl_needs (job, needs, kind, met) SELECT number, ?, 'ended', ? FROM jobs"
                " WHERE number = ? AND instr(plan, '\"foreach\"')",
                (number, int(values.get("status") in FINISHED), values["parent"]),
            )
        elif '"on_failure"' in str(values.get("plan") or ""):
            connection.execute(
                "UPDATE qctl_flows SET on_failure = CASE WHEN on_failure IS NULL THEN '[' || ? || ']'"
                " ELSE rtrim(on_failure, ']') || ',' || ? || ']' END WHERE number = ?",
                (number, number, values["flow"]),
            )

    def release(self, connection: sqlite3.Connection, job: int) -> None:
        connection.execute(
            "UPDATE qctl_needs SET met = 1 WHERE job = ? AND met = 0 AND EXISTS (SELECT 1 FROM jobs WHERE number = needs"
            f" AND (status = kind OR (kind = 'ended' AND status IN {FINISHED!r})))",
            (job,),
        )
        connection.execute(
            "UPDATE jobs SET status = 'pending' WHERE number = ?"
            " AND NOT EXISTS (SELECT 1 FROM qctl_needs WHERE job = jobs.number AND met = 0)",
            (job,),
        )


def scalar(key: str, value: Any) -> Any:
    """A column's value of what JSON has. Raises BadValue."""
    if isinstance(value, dict) and value.keys() == {"base64"} and isinstance(value["base64"], str):
        try:
            return binascii.a2b_base64(value["base64"], strict_mode=True)
        except ValueError:
            raise BadValue(f"{key}: its base64 cannot be read") from None
    if isinstance(value, (dict, list)):
        raise BadValue(f"{key}: it is to be text, a number or null")
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadValue(f"{key}: it has half a character (a lone surrogate)") from None
    return int(value) if isinstance(value, bool) else value


def insert(connection: sqlite3.Connection, table: str, values: dict[str, Any], end: str) -> sqlite3.Cursor:
    """One row. Bytes that are to be text go in as such, though they are no UTF-8."""
    marks = ["CAST(? AS TEXT)" if isinstance(one, bytes) and key != "data" else "?" for key, one in values.items()]
    return connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(marks)}){end}", list(values.values())
    )


def said(error: Exception) -> str:
    """What SQLite says of a row, in our words."""
    text = str(error)
    if text.startswith("NOT NULL constraint failed: "):
        return f"{text.rpartition('.')[2]}: it may not be null"
    if text.startswith("CHECK constraint failed: "):
        return f"this is not allowed: {' '.join(text[25:].split())[:100]}"
    return text
