"""The long form writes down what it did: `python -m pytest -m long tests/faults` makes tests/faults/REPORT.md."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Ground

REPORT = Path(__file__).with_name("REPORT.md")
HEAD = """# The long form of the fault tests

Written by `python -m pytest -m long tests/faults`: a row for each fault, when it last passed.

| fault | trials | what held | when (UTC), how long | machine |
|---|---|---|---|---|
"""


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Iterator[Callable[[str, int, str], None]]:
    """`report(fault, trials, held)`: a row in the report, if this is the long form and the test passes."""
    rows: list[tuple[str, int, str]] = []
    begun = time.time()
    yield lambda fault, trials, held: rows.append((fault, trials, held))
    if request.node.get_closest_marker("long") is None or not rows:
        return
    lines = [line for line in REPORT.read_text().splitlines() if line.startswith("| ")][1:] if REPORT.exists() else []
    for fault, trials, held in rows:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        lines = [line for line in lines if not line.startswith(f"| {fault} |")]
        lines.append(f"| {fault} | {trials:,} | {held} | {when}, {time.time() - begun:.0f} s | {machine()} |")
    REPORT.write_text(HEAD + "\n".join(sorted(lines)) + "\n")


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Callable[[int], Ground]]:
    """`ground(seed)`: a queue with workers to be harmed."""
    made: list[Ground] = []

    def make(seed: int) -> Ground:
        folder = tmp_path / f"ground-{len(made)}"
        folder.mkdir()
        made.append(Ground(folder, seed))
        return made[-1]

    yield make
    for one in made:
        one.close()
