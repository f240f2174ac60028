"""Sketches: every percentile within one part in a hundred, and the parts added up are the whole."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qctl.rules import sketch

SHARES = (0.01, 0.5, 0.95, 0.99, 1.0)
durations = st.one_of(st.just(0.0), st.floats(min_value=2e-6, max_value=1e8), st.sampled_from([0.001, 1.0, 86_400.0]))


def sketched(values: list[float]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for value in values:
        place = sketch.bucket(value)
        counts[place] = counts.get(place, 0) + 1
    return counts


def by_rank(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -int(-len(ordered) * share // 1) - 1))]


@given(st.lists(durations, min_size=1, max_size=200), st.sampled_from(SHARES))
def test_a_percentile_is_within_one_percent_of_the_exact_one(values: list[float], share: float) -> None:
    assert sketch.quantile(sketched(values), share) == pytest.approx(by_rank(values, share), rel=0.0101, abs=1e-9)


@given(st.lists(st.lists(durations, max_size=50), max_size=8))
def test_sketches_of_parts_add_up_to_the_sketch_of_the_whole(parts: list[list[float]]) -> None:
    total: dict[int, int] = {}
    for part in parts:
        sketch.add(total, sketch.unpacked(sketch.packed(sketched(part))))
    assert total == sketched([value for part in parts for value in part])


@given(st.dictionaries(st.integers(0, sketch.LAST), st.integers(1, 0xFFFFFFFF), max_size=300))
def test_a_sketch_reads_back_as_it_was_stored(counts: dict[int, int]) -> None:
    assert sketch.unpacked(sketch.packed(counts)) == counts


def test_an_empty_sketch_has_no_percentile_and_takes_no_room() -> None:
    assert sketch.quantile({}, 0.5) is None
    assert sketch.packed({}) is None
    assert sketch.unpacked(None) == {}


def test_a_sketch_of_a_busy_minute_is_small() -> None:
    chance = random.Random(1)
    counts = sketched([chance.lognormvariate(-3, 0.5) for _ in range(10_000)])
    assert len(sketch.packed(counts) or b"") < 1000


def test_what_lasts_longer_than_anything_is_counted_all_the_same() -> None:
    assert sketch.bucket(1e300) == sketch.bucket(1e299 * 10) <= sketch.LAST
    assert sketch.bucket(-5.0) == sketch.bucket(0.0) == 0


@pytest.mark.long
@pytest.mark.parametrize("shape", ["lognormal", "exponential", "two humps", "uniform"])
def test_a_million_durations_have_percentiles_within_two_percent(shape: str) -> None:
    chance = random.Random(7)
    draw = {
        "lognormal": lambda: chance.lognormvariate(-2, 1.5),
        "exponential": lambda: chance.expovariate(3),
        "two humps": lambda: chance.gauss(0.02, 0.002) if chance.random() < 0.9 else chance.gauss(30, 3),
        "uniform": lambda: chance.uniform(0.001, 10),
    }[shape]
    values = [abs(draw()) for _ in range(1_000_000)]
    counts = sketched(values)
    for share in (0.5, 0.95, 0.99):
        assert sketch.quantile(counts, share) == pytest.approx(by_rank(values, share), rel=0.02)
