"""How much room a disk must have."""

from __future__ import annotations

import pytest

from qctl.model import BadValue
from qctl.rules.room import AUTO, PLENTY, checked, mark
from qctl.store.sqlite import insert

MiB, GiB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    "total,expected",
    [(16 * MiB, 1.6 * MiB), (GiB, 64 * MiB), (10 * GiB, 102.4 * MiB), (4096 * GiB, GiB), (100 * MiB, 10 * MiB)],
)
def test_the_mark_follows_the_disk_within_bounds(total: int, expected: float) -> None:
    assert abs(mark(AUTO, total) - expected) < 1


def test_a_setting_is_taken_as_it_is() -> None:
    assert mark(checked("min_free", "128m"), 10 * MiB) == 128 * MiB
    assert mark("0", GiB) == 0
    for text in ("2g", "-1", "much"):
        with pytest.raises(BadValue, match="min_free"):
            checked("min_free", text)


def test_no_mark_is_above_what_counts_as_plenty() -> None:
    assert PLENTY == insert.PLENTY
    assert mark(AUTO, 1 << 60) * 1.25 <= PLENTY
