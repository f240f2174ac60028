"""When a queue will be empty, going by how it did."""

from __future__ import annotations


def drain_time(due: int, done: float, arrived: float, slots: float, wanted: float | None) -> float | None:
    """Seconds until nothing is due; None when that never comes.

    `done`, `arrived`: jobs a second, so far. `slots`: jobs that ran at once then; `wanted`: how many shall from now on.
    """
    if not due:
        return 0.0
    speed = done if wanted is None or not slots else done / slots * wanted
    net = speed - arrived
    return due / net if net > 0 else None
