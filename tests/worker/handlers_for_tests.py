"""Handlers that do what handlers do, good and bad."""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import time
from typing import Any

from qctl import Dead, JobContext, Retry, Snooze, handler


@handler("echo")
def echo(text: str = "", **more: Any) -> dict[str, Any]:
    print(text)
    return {"text": text, **more}


@handler("context")
def context(job: JobContext) -> dict[str, Any]:
    return {"number": job.number, "attempt": job.attempt, "max": job.max_attempts, "db": os.environ["QCTL_DB"]}


@handler("coroutine")
async def coroutine(n: int) -> int:
    await asyncio.sleep(0.01)
    return n + 1


@handler("stamp")
def stamp(path: str) -> None:
    now = time.time()
    with open(path, "a") as file:
        file.write(f"{now:.6f}\n")


@handler("stamp_async")
async def stamp_async(path: str) -> None:
    stamp(path)


@handler("sleep")
def sleep(seconds: float) -> None:
    time.sleep(seconds)


@handler("fail", max_attempts=2, backoff="fixed:0s")
def fail(text: str = "no") -> None:
    raise ValueError(text)


@handler("retry_then_good", backoff="fixed:1h")
def retry_then_good(job: JobContext) -> str:
    if job.attempt < 3:
        raise Retry("busy", after=0)
    return "good"


@handler("snooze")
def snooze(path: str) -> None:
    if not os.path.exists(path):
        open(path, "w").close()
        raise Snooze(0, "not yet")


@handler("dead")
def dead() -> None:
    raise Dead("cannot ever")


@handler("crash", max_attempts=1)
def crash() -> None:
    print("last words", flush=True)
    ctypes.string_at(0)


@handler("leave", max_attempts=1)
def leave() -> None:
    os._exit(7)


@handler("hang", timeout="300ms", max_attempts=1)
def hang() -> None:
    try:
        time.sleep(60)
    finally:
        print("cleaned up")


@handler("stubborn", timeout="100ms", max_attempts=1)
def stubborn() -> None:
    while True:
        try:
            time.sleep(60)
        except BaseException:  # it will not be told
            continue


@handler("raw")
def raw(n: int) -> None:
    os.write(1, b"raw %d\n" % n)
    subprocess.run(["sh", "-c", f"echo child {n} >&2"], check=True)


@handler("unprintable")
def unprintable() -> object:
    return object()


@handler("closes")
def closes() -> str:
    os.close(1)
    os.close(2)
    return "closed"
