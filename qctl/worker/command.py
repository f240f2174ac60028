"""One command job: the run, what it is given, and what it leaves."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
import time

from qctl.rules import ending
from qctl.worker.room import AGAIN, SCARCE
from qctl.worker.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.model import Lease
    from qctl.rules.ending import Ending

NOT_EXECUTABLE, NOT_FOUND = 126, 127
PIPE = 4096  # bytes that any pipe takes at once
RESULT_LIMIT = 1 << 20
READ = 1 << 16
NO_FILE = (errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP)  # a link, a socket


class CommandRun(Run):
    """A command that runs. `pipes`: its output, by descriptor, as long as it is open."""

    __slots__ = ("pid", "pipes", "result_path", "watched")

    def __init__(self, lease: Lease, time_limit: float, output_limit: int) -> None:
        super().__init__(lease, time_limit, output_limit)
        self.pid = 0
        self.pipes: dict[int, int] = {}
        self.result_path = ""
        self.watched = False

    def signal(self, number: int) -> None:
        """Send a signal to the whole group. The leader is not reaped yet, so the number is still its own."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def read(self, fd: int) -> int | None:
        """Take what the pipe holds, READ bytes at most: how many they were, 0 when it was closed, None when it is empty."""
        try:
            data = os.read(fd, READ)
        except BlockingIOError:
            return None
        if data:
            self.write(self.pipes[fd], data)
        return len(data)


def inputs_path(run: CommandRun) -> str:
    """The file with the results of the jobs that a command waited for: its QCTL_INPUTS."""
    return f"{run.result_path.removesuffix('.json')}.inputs.json"


def result_of(run: CommandRun) -> tuple[str | None, str | None]:
    """The JSON that the command left in $QCTL_RESULT, or a complaint about it."""
    try:
        if run.lease.inputs is not None and os.path.exists(inputs_path(run)):
            os.unlink(inputs_path(run))
        if not os.access(run.result_path, os.F_OK):  # most leave none, and this says so soonest
            return None, None
        data = read_result(run.result_path)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return None, f"its result cannot be read: {error.strerror}"
    if data is None:
        return None, "its result is no regular file"
    if not data.strip():
        return None, None
    if len(data) > RESULT_LIMIT:
        return None, f"its result is over {RESULT_LIMIT:,} bytes"
    try:
        from qctl.rules.payload import dumps, refuse_constant

        return dumps(json.loads(data, parse_constant=refuse_constant)), None
    except (ValueError, RecursionError):
        return None, "its result is not JSON"


def read_result(path: str) -> bytes | None:
    """What stands at `path`, which is taken away; None of what is no regular file: a pipe would be waited for."""
    data = None
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in NO_FILE:
            raise
    else:
        try:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                with open(fd, "rb", closefd=False) as file:
                    data = file.read(RESULT_LIMIT + 1)
        finally:
            os.close(fd)
    try:
        os.unlink(path)
    except OSError:
        pass  # a directory: it goes with the folder that it is in
    return data


def limited(words: list[str], memory: int) -> list[str]:
    """The command under a limit of memory, set by a shell, since posix_spawn has no word for it."""
    return ["/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(max(1, memory // 1024)), *words]


def payload_on(payload: str | bytes) -> int | None:
    """A descriptor from which the command reads its payload; None when it has none."""
    if payload in ("{}", ""):
        return None
    data = payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass")
    if len(data) <= PIPE:
        read_end, write_end = os.pipe()
        os.write(write_end, data)
        os.close(write_end)
        return read_end
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        fd = os.dup(file.fileno())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def cannot_start(run: CommandRun, error: OSError | ValueError) -> Ending:
    """The ending of a command that could not be started: a failed attempt, since what is missing may come back."""
    lease, now = run.lease, time.time()
    if isinstance(error, ValueError):
        return run.ending(ending.DEAD, now, error=f"cannot run: {error}")
    if error.errno in SCARCE:
        return run.ending(ending.SNOOZE, now, error=f"cannot run just now: {error.strerror}", after=AGAIN)
    if lease.cwd is not None and not os.path.isdir(lease.cwd):
        return run.ending(
            ending.ERROR, now, error=f"its directory is gone: {os.fsdecode(lease.cwd)}", exit_code=NOT_EXECUTABLE
        )
    if isinstance(error, FileNotFoundError):
        return run.ending(ending.ERROR, now, error=f"command not found: {error.filename}", exit_code=NOT_FOUND)
    return run.ending(
        ending.ERROR, now, error=f"cannot run {error.filename or 'it'}: {error.strerror}", exit_code=NOT_EXECUTABLE
    )
