"""The handlers of the drain benches: one does nothing, one takes 5 ms."""

from __future__ import annotations

import time

from qctl import handler


@handler("noop")
def noop(n: int) -> None:
    pass


@handler("nap")
def nap(n: int) -> None:
    time.sleep(0.005)
