"""Limits: what people type, and that no window ever holds more starts than its rate."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.limits import (
    LEVEL,
    PARTS,
    SLOTS,
    Rate,
    check_limits,
    parse_limits,
    parse_path,
    parse_rate,
    path_text,
    rate_text,
)
from tests.profile import examples

NOW = 1_800_000_000.0


class Bucket:
    """The starts of one rate, kept as the store keeps them."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.slots: dict[int, int] = {}
        self.starts: list[float] = []

    def room(self, now: float) -> tuple[int, float | None]:
        return self.rate.room(self.slots.items(), now)

    def take(self, count: int, now: float) -> None:
        slot = self.rate.slot(now)
        self.slots[slot] = self.slots.get(slot, 0) + count
        if self.rate.burst:
            self.slots[LEVEL] = int(self.rate.level(self.slots.get(LEVEL, 0) / PARTS, count, now) * PARTS) + 1
        self.starts += [now] * count

    def move(self, ahead: int, count: int, begun: float) -> None:
        """It is told when starts that stand ahead came."""
        self.slots[ahead] -= count
        slot = self.rate.slot(begun)
        self.slots[slot] = self.slots.get(slot, 0) + count

    def most(self, window: float) -> int:
        """The most starts in any window that is as long as this."""
        most = first = 0
        for last, moment in enumerate(self.starts):
            while self.starts[first] <= moment - window:
                first += 1
            most = max(most, last - first + 1)
        return most


@given(
    count=st.integers(1, 40),
    period=st.sampled_from([1.0, 7.0, 60.0, 3600.0]),
    burst=st.integers(0, 20),
    steps=st.lists(st.tuples(st.floats(0, 0.6), st.integers(1, 60)), min_size=1, max_size=60),
)
def test_no_window_holds_more_than_rate_and_burst(
    count: int, period: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    bucket = Bucket(Rate(count, period, burst))
    now = NOW
    for wait, wanted in steps:
        now += wait * period
        room, opens = bucket.room(now)
        assert (room > 0) == (opens is None)
        bucket.take(min(room, wanted), now)
    assert bucket.most(period * 1.01) <= count + burst  # 1 % longer: for the first steps of the jobs themselves


@given(
    count=st.integers(1, 20),
    period=st.sampled_from([1.0, 60.0, 3600.0]),
    steps=st.lists(
        st.tuples(st.floats(0, 0.6), st.integers(1, 30), st.floats(0, 1), st.floats(0, 2) | st.none()),
        min_size=1,
        max_size=60,
    ),
)
def test_however_late_jobs_begin_and_it_is_told_no_window_holds_more(
    count: int, period: float, steps: list[tuple[float, int, float, float | None]]
) -> None:
    """Each step: the time until it, how many want to start, how late they begin and when, if ever, that is told."""
    bucket = Bucket(Rate(count, period))
    now = NOW
    untold: list[tuple[float, int, int, float]] = []  # when it is told, the slot ahead, how many, when they began
    for wait, wanted, late, told in steps:
        now += wait * period
        for news in [one for one in untold if one[0] <= now]:
            untold.remove(news)
            bucket.move(*news[1:])
        room, opens = bucket.room(now)
        assert (room > 0) == (opens is None)
        taken = min(room, wanted)
        ahead = bucket.rate.ahead(now)
        bucket.slots[ahead] = bucket.slots.get(ahead, 0) + taken
        bucket.starts += [now + late * period] * taken
        if told is not None:
            untold.append((now + (late + told) * period, ahead, taken, now + late * period))
    bucket.starts.sort()
    assert bucket.most(period * 1.01) <= count


@given(count=st.integers(1, 60), period=st.sampled_from([1.0, 10.0, 60.0]), burst=st.integers(0, 30))
@settings(max_examples=examples(20))
def test_who_comes_whenever_it_opens_gets_nearly_all_of_the_rate(count: int, period: float, burst: int) -> None:
    bucket = Bucket(Rate(count, period, burst))
    now, end = NOW, NOW + 20 * period
    while now < end:
        room, opens = bucket.room(now)
        if room:
            bucket.take(room, now)
            continue
        assert opens is not None
        assert now < opens <= now + period * 1.05
        now = opens
    assert len(bucket.starts) >= 0.95 * 20 * count
    assert len(bucket.starts) <= 20 * count + burst + count


@given(count=st.integers(1, 50), jump=st.floats(1.0, 1e7))
def test_a_clock_that_was_ahead_stops_nothing_for_longer_than_two_periods(count: int, jump: float) -> None:
    bucket = Bucket(Rate(count, 60.0, 3))
    bucket.take(count, NOW + jump)
    room, opens = bucket.room(NOW)
    assert room or (opens is not None and opens <= NOW + 130)


def test_a_burst_costs_nothing_of_the_rate_when_starts_come_one_by_one() -> None:
    bucket = Bucket(Rate(100, 1.0, 20))
    now = NOW
    while now < NOW + 20:
        room, opens = bucket.room(now)
        if room:
            bucket.take(1, now)
        now = now if opens is None else round(opens, 3) + 0.001  # as a worker wakes
    assert len(bucket.starts) >= 99 * 20


def test_the_moment_said_is_the_first_at_which_one_may_start() -> None:
    bucket = Bucket(Rate(2, 1.0))
    bucket.take(1, NOW)
    bucket.take(1, NOW + 0.5)
    room, opens = bucket.room(NOW + 0.7)
    assert room == 0
    assert opens is not None
    assert bucket.room(opens)[0] == 1
    assert bucket.room(opens - 1.0 / SLOTS)[0] == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30/m", (30, 60.0)), ("5/s", (5, 1.0)), ("100/h", (100, 3600.0)), ("1/10s", (1, 10.0)), (" 7 / D ", (7, 86400.0)),
     ("2/minute", (2, 60.0))],
)  # fmt: skip
def test_rates_are_read(text: str, expected: tuple[int, float]) -> None:
    assert parse_rate(text) == expected


@given(st.integers(1, 10**9), st.sampled_from([1.0, 2.5, 60.0, 90.0, 3600.0, 86400.0]))
def test_a_rate_is_read_back_as_it_is_spelled(count: int, period: float) -> None:
    assert parse_rate(rate_text(count, period)) == (count, period)


@pytest.mark.parametrize("text", ["30", "/m", "0/m", "-1/s", "1.5/s", "30/x", "30/", "1/100ms", "1/40d", "a/m", "٣/m"])
def test_what_is_no_rate_is_refused_with_the_form_that_is(text: str) -> None:
    with pytest.raises(BadValue, match="rate: "):
        parse_rate(text)


@given(st.text(max_size=30))
def test_any_text_is_a_rate_or_refused_in_one_line(text: str) -> None:
    for parse in (parse_rate, lambda one: parse_path("rate_key", one)):
        try:
            parse(text)
        except BadValue as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "path"),
    [("customer_id", '$."customer_id"'), ("order.customer.id", '$."order"."customer"."id"'),
     ("$.items[0].id", '$."items"[0]."id"'), ("a[1][2]", '$."a"[1][2]')],
)  # fmt: skip
def test_paths_are_read_and_shown_as_they_were_typed(text: str, path: str) -> None:
    assert parse_path("rate_key", text) == path
    assert path_text(path) == text.removeprefix("$.")


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a[x]", "a]b", 'a"b', "$", ".a", "a[0]b", "a'b", "x" * 300])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="rate_key: .*is no path: use"):
        parse_path("rate_key", text)


def test_nothing_leaves_a_limit_and_an_empty_text_unsets_it() -> None:
    assert parse_limits({"rate": None, "concurrency": "3"}) == {"concurrency": 3}
    assert parse_limits({"rate": "30/m", "rate_burst": "5", "rate_key": "a"}) == {
        "rate": 30, "rate_period": 60.0, "rate_burst": 5, "rate_key": '$."a"'}  # fmt: skip
    assert parse_limits({"rate": ""}) == {"rate": None, "rate_period": None, "rate_burst": None, "rate_key": None}
    assert parse_limits({"concurrency": ""}) == {"concurrency": None, "concurrency_key": None}


@pytest.mark.parametrize(
    ("scope", "limits", "word"),
    [
        ("type", {"rate_burst": 3}, "rate_burst"),
        ("type", {"rate_key": "$.a"}, "rate_key"),
        ("type", {"concurrency_key": "$.a"}, "concurrency_key"),
        ("queue", {"rate": 1, "rate_key": "$.a"}, "limit the type"),
        ("type", {"rate": 1, "rate_key": "$.a", "concurrency": 1, "concurrency_key": "$.b"}, "the same"),
    ],
)
def test_limits_that_do_not_go_together_are_refused(scope: str, limits: dict[str, object], word: str) -> None:
    with pytest.raises(BadValue, match=word):
        check_limits(scope, limits)


@pytest.mark.parametrize("fields", [{"rate": "x"}, {"concurrency": "0"}, {"rate_burst": "-1"}, {"speed": "3"}])
def test_bad_limits_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        parse_limits(fields)
