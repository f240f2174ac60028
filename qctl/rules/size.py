"""Sizes: bytes as people type them."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.when import quoted

UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
FORMS = "use bytes, or 512k, 64m, 2g"
MOST = 1 << 60


def size(field: str, value: object, low: int = 0) -> int:
    """Read a size as bytes: a number, or text such as `512k`, `64m`, `1.5g` (powers of 1024; `KiB`, `MB` are read so too).

    Raises BadValue, also for what is below `low`.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        count = value
    else:
        count = parse(field, str(value))
    if not low <= count <= MOST:
        raise BadValue(f"{field}: {quoted(str(value))} is out of range: use {low:,} to {MOST:,} bytes")
    return count


def parse(field: str, text: str) -> int:
    digits = text.strip().lower().removesuffix("ib")
    if len(digits) > 1 and digits[-1] == "b" and digits[-2] in "kmgt":
        digits = digits[:-1]
    number, unit = digits.rstrip("bkmgt"), digits[len(digits.rstrip("bkmgt")) :]
    whole, dot, fraction = number.strip().partition(".")
    if (
        unit not in UNITS
        or not (whole + fraction).isdigit()
        or not text.isascii()
        or not whole
        or (dot and not fraction)
    ):
        raise BadValue(f"{field}: {quoted(text)} is no size: {FORMS}")
    if len(whole + fraction) > 30:
        raise BadValue(f"{field}: {quoted(text)} is out of range: {FORMS}")
    return int(whole + fraction) * UNITS[unit] // int(10 ** len(fraction))
