"""Starting fast is a feature: what a command imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAVY = {
    "typer", "rich", "croniter", "re", "json", "typing", "dataclasses", "importlib.metadata", "asyncio", "logging",
    "subprocess", "uuid", "secrets", "argparse",
}  # fmt: skip
START = "from qctl.cli.main import main; main()"
NOTHING = "from __future__ import annotations"


def imported(*argv: str, code: str = START) -> set[str]:
    """The modules that a whole process imports, from its start to its end."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *argv],
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^import time: .*\| +(\S+)$", done.stderr, re.M))


@cache
def bare(code: str) -> set[str]:
    """What Python imports for itself, site and .pth files included."""
    return imported(code=code)


def own(*argv: str) -> set[str]:
    return imported(*argv) - bare(NOTHING)


@pytest.fixture
def file(cli: Callable[..., Any], db: Path) -> str:
    """A queue file with a job in it."""
    assert cli("enqueue", "send_email").code == 0
    return str(db)


LIGHT = [
    ["list"], ["list", "--status", "pending", "--type", "send_email"], ["show", "1"], ["logs", "1"], ["stats"], ["health"],
    ["purge"], ["dlq", "list"], ["dlq"], ["cancel", "1"], ["retry", "1"], ["edit", "1", "--priority", "3"], ["config"],
    ["help"], ["help", "files"], ["_values", "types"], ["_values", "jobs"], ["enqueue", "--shell", "true"],
]  # fmt: skip


@pytest.mark.parametrize("argv", LIGHT, ids=" ".join)
def test_commands_load_no_framework(argv: list[str], file: str) -> None:
    found = own("--db", file, *argv)
    assert "qctl.cli.main" in found
    assert found & HEAVY <= ({"json", "re"} if argv[0] in ("show", "edit") else set())  # they read a payload


@pytest.mark.parametrize(
    "argv",
    [
        ["enqueue", "send_email"],
        ["enqueue", "send_email", '{"to": "ana@example.com"}', "--priority", "high", "--in", "5m", "--tag", "a"],
        ["enqueue", "send_email", "--max-attempts=3", "--backoff", "fixed:1s", "--timeout", "30s", "--id", "own"],
    ],
)
def test_enqueue_of_a_typed_job_loads_next_to_nothing(argv: list[str], file: str) -> None:
    found = own("--db", file, *argv)
    assert found & HEAVY == set()
    ours = {name for name in found if name.partition(".")[0] == "qctl"}
    known = bare("import sqlite3")  # datetime is among them: that is not ours to avoid
    assert found - ours - known <= {"_json", "errno", "fcntl", "stat", "functools", "os", "_functools"}


def test_the_version_needs_no_database() -> None:
    found = own("--version")
    assert found & (HEAVY | {"sqlite3", "datetime", "qctl.queue", "qctl.model"}) == set()
    assert {name for name in found if not name.startswith("qctl")} == set()


def test_what_is_forbidden_would_be_seen(file: str) -> None:
    found = own("--db", file, "list", "--help")
    assert {"typer", "typer.core"} <= found


def test_help_of_a_command_loads_no_rich() -> None:
    assert not {name for name in own("list", "--help") if name.partition(".")[0] in ("rich", "croniter", "sqlite3")}


def test_importing_qctl_loads_nothing_else() -> None:
    found = imported(code="import qctl") - bare(NOTHING)
    assert found == {"qctl"}
