"""A sketch of how long things took: counts in buckets that grow by 2 %, so that every percentile is within 1 % of the truth.

Sketches of parts, added up, are the sketch of the whole. After DDSketch (Masson, Rim, Lee: VLDB 2019).
"""

from __future__ import annotations

from math import exp, log
from struct import pack, unpack_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Counts = dict[int, int]

ACCURACY = 0.01
LEAST = 1e-6  # seconds: anything shorter is no time, bucket 0
PER_E = 1 / log((1 + ACCURACY) / (1 - ACCURACY))  # buckets while a duration grows by e
OFFSET = 1.0 - log(LEAST) * PER_E  # the bucket of the shortest one is 1
LAST = 65_535


def bucket(seconds: float) -> int:
    """The bucket of a duration."""
    return min(int(log(seconds) * PER_E + OFFSET), LAST) if seconds > LEAST else 0


def bounds(place: int) -> tuple[float, float]:
    """The durations in this bucket: from, and less than; hardly anything below the first is told apart."""
    return exp((place - OFFSET) / PER_E) if place else -1.0, exp((place + 1 - OFFSET) / PER_E)


def middle(place: int) -> float:
    """What a duration in this bucket is taken for: within ACCURACY of all that are."""
    return exp((place + 1 - OFFSET) / PER_E) * (1 - ACCURACY) if place else 0.0


def add(counts: dict[int, float] | Counts, more: Mapping[int, float], share: float = 1) -> None:
    """Add one sketch to another, or a share of it."""
    if share == 1:  # mostly
        for place, count in more.items():
            counts[place] = counts.get(place, 0) + count  # type: ignore[assignment]
        return
    for place, count in more.items():
        counts[place] = counts.get(place, 0) + count * share  # type: ignore[assignment]


def gather(counts: dict[int, Any], data: bytes | None, share: float = 1) -> None:
    """Add a packed sketch, or a share of it, to one that begins each bucket with 0."""
    if not data:
        return
    code, size = unpack_from("<cH", data)
    numbers = unpack_from(f"<{size}H{size}{code.decode()}", data, 3)
    if share == 1:
        for place, count in zip(numbers, numbers[size:], strict=False):  # it ends with the counts
            counts[place] += count
    else:
        for place, count in zip(numbers, numbers[size:], strict=False):
            counts[place] += count * share


def quantile(counts: Mapping[int, float], share: float) -> float | None:
    """The duration below which this share lies, by nearest rank; None for an empty sketch."""
    rank = sum(counts.values()) * share - 1e-9
    place = None
    for place in sorted(counts):
        rank -= counts[place]
        if rank <= 0:
            break
    return None if place is None else middle(place)


def packed(counts: Counts) -> bytes | None:
    """A sketch as bytes: the places of its buckets, then their counts in one, two or four bytes each."""
    if not counts:
        return None
    places = sorted(counts)
    values = [min(counts[place], 0xFFFFFFFF) for place in places]
    most = max(values)
    code = "B" if most < 1 << 8 else "H" if most < 1 << 16 else "I"
    return pack(f"<cH{len(places)}H{len(places)}{code}", code.encode(), len(places), *places, *values)


def unpacked(data: bytes | None) -> Counts:
    """The sketch of these bytes; an empty one where they are none."""
    if not data:
        return {}
    code, size = unpack_from("<cH", data)
    numbers = unpack_from(f"<{size}H{size}{code.decode()}", data, 3)
    return dict(zip(numbers[:size], numbers[size:], strict=True))
