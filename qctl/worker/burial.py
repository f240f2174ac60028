"""Before the jobs of a worker that is gone run again: it is really ended, and so is all that its jobs had started."""

from __future__ import annotations

import os
import select
import signal
import time

from qctl.rules.when import from_text
from qctl.store.sqlite.sql import sql
from qctl.worker.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore

ENDING = 2.0  # seconds that the kernel may take to end a process


def end_frozen(store: SQLiteStore, number: int, pid: int) -> bool:
    """Kill the process that holds the lock of worker `number`; whether it is gone. The lock says that it is that process."""
    if not hasattr(os, "pidfd_open"):
        return end_by_number(store, number, pid)
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if store.life_locks is None or store.life_locks.holder(number) != pid:
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(ENDING * 1000))
    except OSError:
        return False
    finally:
        os.close(handle)


def end_by_number(store: SQLiteStore, number: int, pid: int) -> bool:
    """The same where a process can only be named by its number: that it holds the lock just now is what there is to go by."""
    locks = store.life_locks
    if locks is None or locks.holder(number) != pid:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return False
    end = time.monotonic() + ENDING
    while not locks.is_dead(number):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal; False where that cannot be told."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read().rpartition(b")")[2].split()[0] in b"Tt"
    except OSError:
        return False


def sweep_after(store: SQLiteStore, worker: str) -> None:
    """End what is left of the runs that a dead worker held."""
    commands, since = set(), None
    for number, token, is_command, started_at in store.read(sql("held_runs"), (worker,)):
        if is_command:
            commands.add((number, token))
        try:
            started = from_text(started_at)
        except (TypeError, ValueError):
            continue
        since = started if since is None else min(since, started)
    sweep(worker, commands, None if since is None else {None: since})
