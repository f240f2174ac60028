"""Other queues of commands, where they are installed: each drains with two slots what was queued while it stood still.

Only the drain counts, as for qctl. The queue stands still behind a job that waits for a FIFO, or is paused where there
is a word for that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
WAIT = 'read -r line < "$0"'


def call(*argv: str, environment: dict[str, str] | None = None) -> None:
    subprocess.run(argv, env=environment, check=True, **SILENT)  # type: ignore[call-overload]


def say(*argv: str, environment: dict[str, str]) -> str:
    return subprocess.run(argv, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def gate(place: Path, name: str = "gate") -> str:
    """A FIFO on which one job can wait; writing to it waits until the job does."""
    path = place / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return str(path)


def tsp(place: Path, count: int, true: str) -> float:
    """task-spooler with two slots, output kept in files; a waiting job is a process that is connected to the server."""
    environment = dict(
        os.environ, TS_SOCKET=str(place / "tsp.socket"), TMPDIR=str(place), TS_SLOTS="2", TS_MAXCONN="1000",
        TS_MAXFINISHED="10",
    )  # fmt: skip
    path = gate(place)
    try:
        call("tsp", "-N", "2", "sh", "-c", WAIT, path, environment=environment)
        for _ in range(count):
            last = say("tsp", true, environment=environment)
        begun = time.perf_counter()
        Path(path).write_text("\n")
        call("tsp", "-w", last, environment=environment)
        return count / (time.perf_counter() - begun)
    finally:
        call("tsp", "-K", environment=environment)


def nq(place: Path, count: int, true: str) -> float:
    """nq runs one job at a time, so two queues share the work; a waiting job is a process that waits for a lock."""
    queues = []
    for name in ("nq-1", "nq-2"):
        shutil.rmtree(place / name, ignore_errors=True)
        environment = dict(os.environ, NQDIR=str(place / name))
        path = gate(place, f"{name}-gate")
        names = [say("nq", "sh", "-c", WAIT, path, environment=environment)]
        names += [say("nq", true, environment=environment) for _ in range(count // 2)]
        queues.append((path, environment, names))
    begun = time.perf_counter()
    for path, _environment, _names in queues:
        Path(path).write_text("\n")
    for _path, environment, names in queues:
        call("nq", "-w", *names, environment=environment)
    return count // 2 * 2 / (time.perf_counter() - begun)


def parallel(place: Path, count: int, true: str) -> float:
    """GNU parallel with two slots, its input read from a file; it keeps nothing but the output it passes on."""
    source = place / "lines"
    source.write_text("x\n" * count)
    begun = time.perf_counter()
    call("parallel", "-j2", "-n1", "-a", str(source), true)
    return count / (time.perf_counter() - begun)


# The slow ones are given fewer jobs: their pace does not depend on it, and each waiting job of two of them is a process.
SPOOLERS: dict[str, tuple[Callable[[Path, int, str], float], int]] = {
    "tsp": (tsp, 300),
    "nq": (nq, 300),
    "parallel": (parallel, 100),
}


def installed() -> tuple[list[str], str]:
    """Those that are there, and the names of those that are not."""
    there = [name for name in SPOOLERS if shutil.which(name)]
    return there, ", ".join(name for name in (*SPOOLERS, "pueue") if not shutil.which(name))
