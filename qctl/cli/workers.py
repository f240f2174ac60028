"""`qctl workers`: who lives, and what each runs."""

from __future__ import annotations

import sys
import time

from qctl.cli.options import look_at_queue
from qctl.cli.spec import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values

SHOWN = 3  # jobs of a worker that are named on its line


def run(values: Values) -> int:
    from qctl.cli.render import hint, table
    from qctl.cli.table import Column
    from qctl.cli.terminal import is_terminal

    workers = look_at_queue(values).workers()
    here = memory_here() if workers else {}
    for one in workers:
        one["memory"] = here.get(one["pid"]) if one["alive"] and one["host"] == hostname() else None
    columns = [
        Column("WORKER", "id"),
        Column("PID", "pid", right=True),
        Column("SLOTS", "slots", right=True),
        Column("UP", "started_at", right=True),
        Column("BEAT", "beat_at", right=True),
        Column("MEMORY", "memory", right=True),
        Column("RUNNING", "running", flex=True, minimum=12),
    ]
    if values["json"]:
        table(columns, workers, json=True)
        return 0
    table(columns, [row_of(one, time.time()) for one in workers])
    if not workers and is_terminal(sys.stdout):
        hint("no worker       → qctl work")
    return 0


def row_of(one: dict[str, Any], now: float) -> dict[str, Any]:
    from qctl.cli.render import bytes_text
    from qctl.rules.clock import human
    from qctl.rules.when import from_text

    running = one["running"]
    row = {**one, "slots": f"{len(running)}/{one['concurrency']}"}
    row["running"] = ", ".join(f"{job['number']} {job['type']}" for job in running)
    named = [f"{job['number']} {job['type']} {human(now - from_text(job['started_at']))}" for job in running[:SHOWN]]
    if len(running) > SHOWN:
        named.append(f"{len(running) - SHOWN:,} more")
    beat = human(max(0.0, now - from_text(one["beat_at"])))
    row["shown"] = {
        "started_at": human(now - from_text(one["started_at"])),
        "beat_at": beat if one["alive"] else f"✗ {beat}",
        "memory": bytes_text(one["memory"]),
        "running": ", ".join(named) if one["alive"] else "dead; its jobs go back as soon as another worker looks",
    }
    row["style"] = {"beat_at": None if one["alive"] else "red", "running": "cyan" if one["alive"] else None}
    return row


def hostname() -> str:
    import os

    return os.uname().nodename


def memory_here() -> dict[int, int]:
    """Bytes in memory of each process of this machine together with what it started."""
    import subprocess

    try:
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=False)
    except OSError:
        return {}
    own: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for line in listed.stdout.splitlines():
        pid, parent, size = map(int, line.split())
        own[pid] = size * 1024
        children.setdefault(parent, []).append(pid)

    def whole(pid: int) -> int:
        return own[pid] + sum(whole(child) for child in children.get(pid, ()) if child != pid)

    return {pid: whole(pid) for pid in own if pid > 1}


WORKERS = Command(
    "workers",
    "List workers, and what each runs.",
    run,
    epilog=("qctl workers", "qctl workers --json | jq .running"),
)
