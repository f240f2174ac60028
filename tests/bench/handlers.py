"""The handler of the drain bench: it does nothing."""

from __future__ import annotations

from qctl import handler


@handler("noop")
def noop(n: int) -> None:
    pass
