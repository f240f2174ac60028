"""Which child processes have ended, asked so that they are not reaped: their number, and their group's, stay theirs meanwhile.

On macOS CPython can ask so from 3.13 on. Before that an ended process is reaped by the question, one process each, and its
status kept until it is fetched, which has to be at once.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

CAN_ASK = hasattr(os, "waitid")
kept: dict[int, int] = {}  # wait status, by pid


def one_ended() -> int | None:
    """A child that has ended; None when there is none, 0 when each must be asked. Raises ChildProcessError without children."""
    if not CAN_ASK:
        return 0
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return None if found is None else found.si_pid


def has_ended(pid: int) -> bool:
    """Whether this child has. Raises ChildProcessError for what was reaped elsewhere, or is no child."""
    if CAN_ASK:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    found, status = os.waitpid(pid, os.WNOHANG)
    if found:
        kept[pid] = status
    return bool(found)


def reap(pid: int) -> int:
    """The exit status of one that has ended; of one that a signal killed, that signal, negative."""
    status = kept.pop(pid) if pid in kept else os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status)


def is_over(process: subprocess.Popen[bytes]) -> bool:
    """The same as has_ended; where the question reaps, the status is kept by `process`."""
    return has_ended(process.pid) if CAN_ASK else process.poll() is not None
