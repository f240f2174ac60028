"""Room for what must still be written: on the disk of the queue, and in the file itself.

On a full disk an UPDATE lands as long as the file has free pages and the log need not grow. So a queue keeps some pages
free, and takes nothing new in while its disk has little room.
"""

from __future__ import annotations

import os

from qctl.model import DiskFault, QueueFileError
from qctl.rules.room import AUTO, PLENTY, SPARE, amount, mark
from qctl.store.sqlite.connection import explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore

RESERVE = 64  # pages that a worker keeps free in the file
NOBODY = 0  # the number of no job


def readings(store: SQLiteStore) -> tuple[int, int]:
    """What is free on the disk, and the mark below which workers start nothing. Bytes. Raises QueueFileError."""
    try:
        status = os.statvfs(store.path)  # by path: opening the file would drop SQLite's locks
    except OSError as error:
        raise explain(error, store.path) from error
    free = status.f_bavail * status.f_frsize
    if free >= PLENTY:
        return free, 0
    return free, mark(store.setting("min_free") or AUTO, status.f_blocks * status.f_frsize)


def need(store: SQLiteStore) -> None:
    """Raises DiskFault when the disk has too little room for new jobs."""
    free, low = readings(store)
    if free < low * SPARE:
        raise DiskFault(
            f"the disk that holds {store.path} is nearly full ({amount(free)} left, {amount(low * SPARE)} wanted): nothing "
            "was stored; make room, or see `qctl config min_free`"
        )


def shortage(store: SQLiteStore) -> str | None:
    """Why no job may be started for want of room; None: there is enough."""
    try:
        free, low = readings(store)
    except QueueFileError:
        return None  # that it is gone is seen elsewhere
    return f"the disk has {amount(free)} left, less than {amount(low)}" if free < low else None


def keep_reserve(store: SQLiteStore) -> None:
    """See to it that some pages are free in the file. Two transactions: pages freed in the one that took them are never written."""
    if store.lock is None or store.read("PRAGMA freelist_count")[0][0] >= RESERVE // 2:
        return
    size = RESERVE * store.read("PRAGMA page_size")[0][0]
    free, low = readings(store)
    if free < low + 4 * size:  # it takes about three times as much, the log included
        return
    with store.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO qctl_output (job, token, position, stream, data) VALUES (?, 0, 0, 1, zeroblob(?))",
            (NOBODY, size),
        )
    with store.write() as connection:
        connection.execute("DELETE FROM qctl_output WHERE job = ?", (NOBODY,))
    store.tidy(0)  # the pages are taken from the disk now, and the log, which starts anew, has their size
