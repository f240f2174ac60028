"""The spool of a worker: how runs ended, and what they wrote, while the queue file itself cannot be written.

`QUEUE-spool-WORKER`, made when it is needed, one JSON object a line, each on the disk before the next thing happens. The
worker deletes it once all of it stands in the queue file. If it dies before, whoever buries it, or the next worker to
start, writes it down behind the fence of the leases: what came too late changes nothing.
"""

from __future__ import annotations

import os
import sqlite3

from qctl.model import DiskFault
from qctl.rules.ending import Ending, Facts
from qctl.rules.newjob import pack_jobs, unpack_jobs
from qctl.rules.when import to_text
from qctl.store.sqlite import marks
from qctl.store.sqlite.sync import sync_log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from qctl.store.sqlite.finish import Outcome
    from qctl.store.sqlite.store import SQLiteStore

FACTS = ("attempts", "max_attempts", "backoff", "rescues", "crashes")
ENDING = ("number", "token", "how", "started_at", "finished_at", "error", "exit_code", "result", "after")
MARK = "-spool-"


class Spool:
    """The spool of one worker. `keep` takes what the file does not have yet, `clear` ends it."""

    def __init__(self, queue_path: str, worker: str) -> None:
        self.queue_path = queue_path
        self.path = queue_path + MARK + worker
        self.kept: set[tuple[int, int]] = set()

    def keep(self, ended: Iterable[tuple[Ending, Facts, dict[str, Any]]]) -> None:
        """Write down ends, each with its output as `write_output` takes it, durably. Raises OSError when it cannot."""
        import json

        fresh = [one for one in ended if (one[0].number, one[0].token) not in self.kept]
        if not fresh:
            return
        lines = []
        for ending, facts, output in fresh:
            row = {name: getattr(ending, name) for name in ENDING}
            row |= {name: getattr(facts, name) for name in FACTS}
            row["children"] = pack_jobs(ending.children)
            row |= output | {"rows": [[at, stream, data.hex()] for at, stream, data in output["rows"]]}
            lines.append(json.dumps(row) + "\n")
        is_new = not os.path.lexists(self.path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        fd = os.open(self.path, flags, 0o600)
        try:
            size = os.fstat(fd).st_size
            try:
                data = memoryview("".join(lines).encode("ascii"))
                while data:
                    data = data[os.write(fd, data) :]
                os.fsync(fd)
            except OSError:
                os.ftruncate(fd, size)  # no half of a line stands before the next one
                raise
        finally:
            os.close(fd)
        if is_new:
            sync_folder(self.path)
        self.kept |= {(one[0].number, one[0].token) for one in fresh}

    def holds(self, ended: Iterable[Ending]) -> bool:
        """Whether all of these are safe here."""
        return all((one.number, one.token) in self.kept for one in ended)

    def clear(self) -> None:
        """All of it stands in the queue file by now."""
        if self.kept:
            self.kept = set()
            unlink(self.path, self.queue_path)


def sync_folder(path: str) -> None:
    """Make a new name in a directory durable."""
    fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unlink(path: str, queue_path: str) -> None:
    """Take a spool away, once what stood in it is on the disk elsewhere: a worker's commits come there a moment later."""
    try:
        sync_log(queue_path)
    except DiskFault:
        return  # it stays: the fence makes another replay harmless
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def name_of(queue_path: str, worker: str) -> str:
    return os.path.basename(queue_path) + MARK + worker


def is_ours(worker: str) -> bool:
    """Whether it may be part of a name of a file: a foreign row of qctl_workers may hold anything."""
    return worker.isascii() and worker.replace("-", "").isalnum()


def remove(queue_path: str, worker: str) -> None:
    if is_ours(worker):
        unlink(queue_path + MARK + worker, queue_path)


def read(queue_path: str, worker: str) -> list[dict[str, Any]]:
    """What a worker left in its spool. A last line that was cut off was never acknowledged, and is none."""
    if not is_ours(worker):
        return []
    try:
        fd = os.open(queue_path + MARK + worker, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return []
    import json

    with open(fd, "rb") as file:
        lines = file.read().split(b"\n")[:-1]
    found = []
    for line in lines:
        try:
            row = json.loads(line)
            row["rows"] = [(at, stream, bytes.fromhex(data)) for at, stream, data in row["rows"]]
            found.append(row)
        except (ValueError, KeyError, TypeError):
            continue
    return found


def replay(
    connection: sqlite3.Connection, worker: str, rows: Iterable[dict[str, Any]], now: float, random: Callable[[], float]
) -> list[Outcome]:
    """Write down what was in the spool of a worker, in the open transaction, behind the fence."""
    from qctl.store.sqlite.finish import finish_jobs
    from qctl.store.sqlite.output import write_output

    outcomes: list[Outcome] = []
    for row in rows:
        connection.execute("SAVEPOINT qctl_spooled")
        try:
            ending = Ending(**{name: row[name] for name in ENDING}, children=unpack_jobs(row.get("children")))
            facts = Facts(**{name: row[name] for name in FACTS})
            write_output(connection, ending.number, ending.token, row["rows"], row["gone"], row["limit"])
            outcomes += finish_jobs(connection, worker, [(ending, facts)], to_text(now), random)
        except (LookupError, TypeError, ValueError, sqlite3.IntegrityError):
            # A line that cannot be taken keeps nobody from burying the worker: its job is rescued like any other.
            connection.execute("ROLLBACK TO qctl_spooled")
        connection.execute("RELEASE qctl_spooled")
    return outcomes


def leftovers(store: SQLiteStore) -> list[tuple[str, bool]]:
    """The spools beside the queue: (worker, whether that worker is still entered in the file)."""
    folder, name = os.path.split(store.path)
    head = name + MARK
    found = sorted(entry[len(head) :] for entry in os.listdir(folder) if entry.startswith(head))
    return [
        (worker, bool(store.read("SELECT 1 FROM qctl_workers WHERE id = ?", (worker,))))
        for worker in found
        if is_ours(worker)
    ]


def replay_leftovers(store: SQLiteStore, now: float, random: Callable[[], float]) -> list[Outcome]:
    """Write down the spools of workers that are in the file no more; those of others come when they are buried."""
    outcomes: list[Outcome] = []
    marks.tidy(store, now)
    for worker, is_entered in leftovers(store):
        if not is_entered:
            rows = read(store.path, worker)
            with store.write() as connection:
                outcomes += replay(connection, worker, rows, now, random)
            remove(store.path, worker)
    return outcomes
