"""The handlers of `qctl demo`: what a user's own module looks like."""

from __future__ import annotations

import os
import time
from pathlib import Path

from qctl import Dead, JobContext, Retry, handler


@handler("resize_image", timeout="10s")
def resize_image(name: str, width: int) -> dict[str, object]:
    """Plain work with a result."""
    time.sleep(0.02)
    print(f"resized {name} to {width} pixels")
    return {"name": name, "width": width, "bytes": width * 31}


@handler("send_email", max_attempts=3, backoff="fixed:300ms")
def send_email(to: str, job: JobContext) -> dict[str, str]:
    """A mail server that is busy at the first attempt: the retry gets through."""
    if job.attempt == 1 and to.startswith("busy"):
        raise Retry("451 4.3.2 try later", after="400ms")
    if "@" not in to:
        raise Dead(f"{to!r} is no address")
    print(f"sent to {to}")
    return {"to": to}


@handler("fetch_rates", timeout="5s")
async def fetch_rates(currency: str) -> dict[str, object]:
    """A coroutine."""
    import asyncio

    await asyncio.sleep(0.05)
    return {"currency": currency, "rate": 1.08}


@handler("charge_card", max_attempts=2, backoff="fixed:200ms")
def charge_card(order: int) -> dict[str, object]:
    """Fails for good as long as the payment service is down: the demo takes it up again before it replays."""
    if not Path(os.environ["QCTL_DEMO_FOLDER"], "payment-service-is-up").exists():
        raise ConnectionError("payment service unreachable")
    return {"order": order, "charged": True}
