"""Limits on what may run: from text to what is stored, and back."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules import newjob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_limits(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of qctl_limits for the given limits, checked; "" takes one back. Raises BadValue."""
    columns: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "rate":
            columns["rate"], columns["rate_period"] = (None, None) if value == "" else rate(value)
        elif value == "":
            columns[name] = None
        elif name in ("rate_burst", "concurrency"):
            columns[name] = newjob.whole(name, value, 0 if name == "rate_burst" else 1, 10**9)
        else:
            columns[name] = newjob.name(name, value)
    return columns


def rate(value: object) -> tuple[int, float]:
    """`30/m`: starts, and the seconds in which there may be so many."""
    count, mark, unit = value.partition("/") if isinstance(value, str) else ("", "", "")
    period = UNITS.get(unit)
    if not mark or period is None:
        raise BadValue(f"rate: {newjob.shown(value)} is no rate: use 5/s, 30/m or 1000/h")
    return newjob.whole("rate", count, 1, 10**9), period


def rate_text(count: int, period: float) -> str:
    """`30/m`, as it was given."""
    return f"{count}/{next(unit for unit, seconds in UNITS.items() if seconds == period)}"
