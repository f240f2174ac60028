"""How much room a disk must have before new work is taken in: what runs already needs it to be written down."""

from __future__ import annotations

AUTO = "auto"
LEAST, MOST, SHARE, SMALL = 64 << 20, 1 << 30, 100, 10
SPARE = 1.25
"""New jobs are refused this much earlier than workers stop: what is in the queue already can still be run."""

PLENTY = int(MOST * SPARE)
"""Bytes with which there is always enough, whatever the setting says."""


def mark(setting: str, total: int) -> int:
    """Bytes below which workers start nothing, on a disk of `total` bytes: the setting `min_free`, or by itself 64 MiB or
    1 % of the disk, whichever is more, but never over 1 GiB, nor over a tenth of the disk."""
    if setting == AUTO:
        return min(max(LEAST, total // SHARE), MOST, total // SMALL)
    return int(setting)


def checked(name: str, text: str) -> str:
    """The setting as it is stored: `auto`, or bytes. Raises BadValue."""
    from qctl.model import BadValue
    from qctl.rules.size import size

    if text == AUTO:
        return text
    count = size(name, text)
    if count > MOST:
        raise BadValue(f"{name}: {text[:40]} is too much: use auto, or up to 1g (0: not at all)")
    return str(count)


def amount(count: float) -> str:
    """Bytes, for people."""
    return f"{count / (1 << 20):.3g} MiB" if count < 1 << 30 else f"{count / (1 << 30):.3g} GiB"
