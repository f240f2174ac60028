"""Shares: parts of a whole as people type them."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.when import quoted


def share(field: str, text: str, *, other: str = "") -> float:
    """Read `0.2` or `20%` as 0.2. `other`: what else the field takes, for the error. Raises BadValue."""
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise BadValue(f"{field}: {quoted(text)} is no share: use 0 to 1, such as 0.2 or 20%{other}")
    return value
