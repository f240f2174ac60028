"""Measuring in turn, so that a machine that is slow for a while is slow for everybody, and one table of the ratios."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

QCTL = str(Path(sys.executable).with_name("qctl"))


class Row:
    """One comparison. `unit`: what the figures are in; `bar`: the ratio to reach; `higher`: whether more is better."""

    def __init__(
        self,
        work: str,
        unit: str,
        figures: dict[str, float],
        against: str,
        bar: float,
        *,
        higher: bool,
        absent: str = "",
    ) -> None:
        self.work = work
        self.unit = unit
        self.figures = figures
        self.against = against
        self.bar = bar
        self.higher = higher
        self.absent = absent

    @property
    def ratio(self) -> float:
        return self.figures["qctl"] / self.figures[self.against]

    @property
    def is_met(self) -> bool:
        return self.ratio >= self.bar if self.higher else self.ratio <= self.bar

    def cells(self) -> list[str]:
        others = ", ".join(f"{name} {shown(value)}" for name, value in self.figures.items() if name != "qctl")
        if self.absent:
            others += f" ({self.absent} not installed)"
        sign = ">=" if self.higher else "<="
        return [
            self.work,
            f"{shown(self.figures['qctl'])} {self.unit}",
            others,
            f"{self.ratio:.2f} x {self.against}",
            f"{sign} {self.bar:g}",
            "yes" if self.is_met else "NO",
        ]


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def in_turn(rounds: int, **contenders: Callable[[], float]) -> dict[str, float]:
    """The median of each contender over rounds in which each had its turn."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            figures[name].append(run())
    return {name.replace("_", " "): statistics.median(values) for name, values in figures.items()}


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="qctl-bench-") as path:
        yield Path(path)


def seconds(argv: list[str], **options: object) -> float:
    """How long a whole process takes."""
    begun = time.perf_counter()
    subprocess.run(
        argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **options
    )  # type: ignore[call-overload]
    return time.perf_counter() - begun


def machine() -> str:
    """What it was measured on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor()
    return (
        f"{os.cpu_count()} cores {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    head = ["work", "qctl", "others", "ratio", "bar", "met"]
    lines = [head, ["---"] * len(head), *[row.cells() for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
