"""Real workers, in processes of their own, and waiting for events instead of seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HANDLERS = str(Path(__file__).with_name("handlers_for_tests.py"))
DEADLINE = 20.0


def until(what: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """Wait until `what()` is true, and give it back."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"it did not come in {seconds} s")


def seconds_until(what: Callable[[], Any]) -> float:
    """How long it takes until `what()` is true, less what a busy machine kept us from looking."""
    begun, late = time.monotonic(), 0.0
    while not what():
        before = time.monotonic()
        assert before - begun < DEADLINE, f"it did not come in {DEADLINE} s"
        time.sleep(0.01)
        late += max(0.0, time.monotonic() - before - 0.012)
    return time.monotonic() - begun - late


@pytest.fixture
def work(db: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `qctl work ...` on the queue at `db`; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*argv: str, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "qctl", "--db", str(db), "work", *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def drain(work: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.Popen[str]]:
    """Run `qctl work --drain ...` to its end."""

    def run(*argv: str, code: int | None = None, **options: Any) -> subprocess.Popen[str]:
        process = work("--drain", *argv, **options)
        _out, err = process.communicate(timeout=30)
        process.err = err  # type: ignore[attr-defined]
        assert code is None or process.returncode == code, err
        return process

    return run
