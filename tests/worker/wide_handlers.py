"""Handlers for the tests of what a handler process shares: hooks, coroutines, threads, memory."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import Any

from qctl import handler, on_start, on_stop


@on_start
def connect(context: Any) -> None:
    context.pool = f"pool of {os.getpid()}"


@on_stop
def disconnect(context: Any) -> None:
    if "GOODBYE" in os.environ:
        with open(os.environ["GOODBYE"], "a") as file:
            file.write(context.pool + "\n")


@handler("pool")
def pool(job: Any) -> dict[str, Any]:
    return {"pool": job.context.pool, "pid": os.getpid()}


@handler("eat", max_attempts=1)
def eat() -> None:
    held = []
    while True:
        held.append(bytearray(1 << 24))


@handler("sleepy")
async def sleepy(n: int, took: float) -> dict[str, Any]:
    print("begins", n)
    await asyncio.sleep(took)
    print("ends", n)
    return {"n": n, "pid": os.getpid()}


@handler("stubborn", max_attempts=1)
async def stubborn() -> None:
    raise ValueError("no")


@handler("threaded")
def threaded(n: int, took: float) -> dict[str, Any]:
    print("begins", n)
    time.sleep(took)
    print("ends", n)
    return {"n": n, "pid": os.getpid(), "thread": threading.get_ident()}


@handler("suicide", max_attempts=1)
async def suicide() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
