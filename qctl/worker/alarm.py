"""When the loop of a worker has to wake, though nothing happens."""

from __future__ import annotations

import time

from qctl.worker.pace import LONG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.worker.worker import Worker

GATHER = 0.004  # seconds that an ending may wait for others to share its transaction


def next_time(worker: Worker, now: float, next_follow: float) -> float:
    """The earliest of a deadline, a job that falls due, the next beat and their kind, in monotonic seconds."""
    care, control, intake, supply = worker.care, worker.control, worker.intake, worker.supply
    grown = worker.commands.watch_grown(now)
    times = control.next_times()
    if grown is not None:
        times.append(grown)
    if worker.hardship.next_try:
        return min([worker.hardship.next_try, *times])
    times += (care.next_time, now + worker.waker.interval, worker.pool.begun.look_at)
    if worker.endings:
        times.append(worker.endings_since + GATHER)
    hungry, room = intake.is_hungry(), bool(intake.wide_room())
    if (hungry and worker.look) or (room and worker.look_wide):
        times.append(now)
    elif (hungry or room) and worker.due_at is not None:
        times.append(now + worker.due_at - time.time())
    if supply.waiting or any(len(process.queue) > 1 for process in worker.pool.processes):
        times.append(now + LONG)
    if supply.news():
        times.append(next_follow)
    return min(times)
