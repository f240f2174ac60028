"""Whether what a worker holds by the file is what it runs: looked at with each of its beats.

The two differ when somebody took a job away by hand, or when the answer to a commit was lost though the commit was not.
"""

from __future__ import annotations

import time

from qctl.rules.ending import STOPPED
from qctl.store.sqlite import workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from qctl.model import Lease
    from qctl.worker.control import Control
    from qctl.worker.log import Log
    from qctl.worker.run import Run
    from qctl.worker.supply import Supply


def claimed(supply: Supply, ended: Iterable[Run]) -> list[Lease]:
    """Every lease that the worker knows of. `ended`: the runs whose end is not written down yet."""
    runs: list[Run] = [*supply.commands.running.values(), *supply.wide.runs.values(), *supply.pool.orphans, *ended]
    for process in supply.pool.processes:
        runs += process.queue
    runs += [one[0] for one in (*supply.pool.ended, *supply.wide.ended)]
    return [*supply.waiting, *supply.back, *[run.lease for run in runs]]


def compare(supply: Supply, control: Control, ended: Iterable[Run], log: Log, now: float) -> None:
    """Give back leases that nobody here runs, and end the runs whose lease is gone: their results come too late."""
    supply.pool.look()
    known = {(lease.number, lease.token) for lease in claimed(supply, ended)}
    held = workers.held_leases(supply.store, supply.worker)
    unknown = held - known
    if unknown:
        workers.hand_back(supply.store, supply.worker, sorted(unknown), time.time())
        log.note(f"! {len(unknown)} that this worker held and did not run: back in the queue")
    if known <= held:
        return
    drop_waiting(supply.waiting, held)
    for run in supply.running():
        if (run.lease.number, run.lease.token) not in held and run.fate is None:
            log.note(f"! job {run.lease.number} was taken away while it ran: it is stopped, and its result dropped")
            control.end(run, STOPPED, now)
    for process in supply.pool.processes:
        if any((run.lease.number, run.lease.token) not in held for run in list(process.queue)[1:]):
            supply.hand_back([run.lease for run in process.take_back()])


def drop_waiting(waiting: deque[Lease], held: set[tuple[int, int]]) -> None:
    """Forget what was claimed, not begun, and taken away."""
    left = [lease for lease in waiting if (lease.number, lease.token) in held]
    waiting.clear()
    waiting.extend(left)
