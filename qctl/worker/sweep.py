"""No orphan survives: what a job started and let go ends with it when we end the job, sessions of its own included.

Killing the process group reaches all but daemons, which make themselves a session. Those are found by the variables that a
job's processes carry from their start: the worker, and the job and its run (commands) or the handler process they come
from. On Linux alone, where /proc tells; elsewhere groups are all that is killed. A job that ends by itself keeps its daemons.
"""

from __future__ import annotations

import os
import signal
import time

from qctl.rules.ending import CANCEL, CRASH, STOPPED, TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from qctl.rules.ending import Ending
    from qctl.worker.run import Run

FORCED = (TIMEOUT, CANCEL, STOPPED, CRASH)
"""Ends that do not come from the job itself."""

WORKER, JOB, RUN, CHILD = "QCTL_WORKER", "QCTL_JOB", "QCTL_LEASE", "QCTL_CHILD"
ROUNDS = 5  # looks, since what is being killed may just have started another
TICK = 0.02  # seconds by which a process may seem to have started earlier than it did


def sweep(
    worker: str,
    runs: Collection[tuple[int, int]],
    children: Mapping[str | None, float] | None = None,
    spare: Collection[int] = (),
) -> int:
    """Kill what is left of a worker's runs; how many processes that were.

    `runs`: the commands, as (number, token). `children`: for handler processes (None: any of this worker) the time, in
    seconds since the epoch, since when what they started is meant. `spare`: processes that are left alone.
    """
    if not runs and not children:
        return 0
    mark = f"{WORKER}={worker}".encode()
    children = children or {}

    def is_meant(variables: Mapping[str, str], started: Callable[[], float]) -> bool:
        if RUN in variables:
            try:
                return (int(variables[JOB]), int(variables[RUN])) in runs
            except (KeyError, ValueError):
                return False
        child = variables.get(CHILD)
        if child is None:
            return False
        since = children.get(child, children.get(None))
        return since is not None and started() >= since - TICK

    killed: set[int] = set()
    for _ in range(ROUNDS):
        found = [pid for pid in processes() if pid not in spare and kill_if(pid, mark, is_meant)]
        if not found:
            break
        killed.update(found)
    return len(killed)


def sweep_runs(worker: str, ended: Iterable[tuple[Run, Ending]], spare: Collection[int]) -> int:
    """Kill what is left of runs that were brought to an end."""
    commands: set[tuple[int, int]] = set()
    children: dict[str | None, float] = {}
    for run, ending in ended:
        if run.lease.command is not None:
            commands.add((run.lease.number, run.lease.token))
        elif run.mark is not None:
            since = ending.started_at if run.since is None else run.since
            children[run.mark] = min(since, children.get(run.mark, since))
    return sweep(worker, commands, children, spare)


def processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    except OSError:
        return []


def kill_if(pid: int, mark: bytes, is_meant: Callable[[Mapping[str, str], Callable[[], float]], bool]) -> bool:
    """Kill a process if it carries the mark and is meant. Nobody else can come by its number in between."""
    try:
        if mark not in read(f"/proc/{pid}/environ"):  # the quick look, which nearly all of them end with
            return False
        handle = os.pidfd_open(pid)
    except (OSError, AttributeError):
        return False
    try:
        words = read(f"/proc/{pid}/environ").split(b"\0")
        if mark not in words:
            return False
        pairs = [os.fsdecode(word).partition("=") for word in words if word.startswith(b"QCTL_")]
        if not is_meant({name: value for name, _, value in pairs}, lambda: started_at(pid)):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def started_at(pid: int) -> float:
    """When a process started, in seconds since the epoch by the present clock."""
    fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
