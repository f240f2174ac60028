from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.backoff import DEFAULT, Backoff, parse_backoff
from qctl.rules.when import LONGEST
from tests.profile import examples

quick = settings(max_examples=examples(100), database=None)

KINDS = st.sampled_from(["linear", "exponential", "fixed"])
DURATIONS = st.integers(0, int(LONGEST) * 1000).map(lambda milliseconds: milliseconds / 1000)
BACKOFFS = st.builds(
    Backoff,
    KINDS,
    DURATIONS | st.integers(0, 5_000).map(lambda milliseconds: milliseconds / 1000),
    st.none() | DURATIONS,
    st.none() | st.integers(0, 10**6).map(lambda millionths: millionths / 10**6),
)


def half() -> float:
    return 0.5


def unasked() -> float:
    raise AssertionError("a rule without jitter needs no random number")


def test_the_default_is_the_courses() -> None:
    assert parse_backoff("linear:30s") == DEFAULT
    assert [DEFAULT.delay(attempts, unasked) for attempts in (1, 2, 3, 4)] == [30, 60, 90, 120]


@pytest.mark.parametrize(
    ("text", "delays"),
    [
        ("linear:1m", [60, 120, 180, 240]),
        ("fixed:30s", [30, 30, 30, 30]),
        ("fixed:0s", [0, 0, 0, 0]),
        ("fixed:0", [0, 0, 0, 0]),
        ("exponential:10s,jitter=0", [10, 20, 40, 80]),
        ("exponential:10s", [10.5, 21, 42, 84]),
        ("exponential:10s,jitter=100%", [15, 30, 60, 120]),
        ("exponential:10s,max=30s", [10.5, 21, 30, 30]),
        ("linear:30s,max=1m,jitter=0.5", [37.5, 60, 60, 60]),
        (" fixed:30s, jitter=10% , max=31s", [31, 31, 31, 31]),
        ("fixed:1m,max=30s", [30, 30, 30, 30]),
        ("exponential:1s,max=0s", [0, 0, 0, 0]),
    ],
)
def test_the_delay_follows_the_rule_the_jitter_and_the_cap(text: str, delays: list[float]) -> None:
    backoff = parse_backoff(text)
    assert [backoff.delay(attempts, half) for attempts in (1, 2, 3, 4)] == pytest.approx(delays)


def test_an_attempt_that_was_not_counted_waits_like_the_first() -> None:
    assert DEFAULT.delay(0, unasked) == 30
    assert parse_backoff("exponential:30s,jitter=0").delay(-5, unasked) == 30


def test_no_delay_is_longer_than_100_years_whatever_the_cap() -> None:
    assert Backoff("fixed", 1e12, maximum=1e11).delay(1, unasked) == LONGEST


@quick
@given(BACKOFFS, st.integers(1, 100) | st.integers(1, 2**63), st.randoms(use_true_random=False))
def test_a_delay_is_between_the_rule_and_the_cap(backoff: Backoff, attempts: int, dice: random.Random) -> None:
    factor = {"linear": attempts, "fixed": 1, "exponential": 2.0 ** min(attempts - 1, 200)}[backoff.kind]
    rule = backoff.base * factor
    cap = LONGEST if backoff.maximum is None else backoff.maximum
    delay = backoff.delay(attempts, dice.random)
    assert min(rule, cap) <= delay <= min(rule * (1 + backoff.jitter) * (1 + 1e-12), cap)


@quick
@given(BACKOFFS)
def test_a_spelled_rule_reads_back_equal(backoff: Backoff) -> None:
    assert parse_backoff(backoff.text()) == backoff
    assert hash(parse_backoff(backoff.text())) == hash(backoff)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("linear:90s", "linear:1m30s"),
        ("exponential:30s,jitter=10%", "exponential:30s"),
        ("exponential:30s,jitter=0", "exponential:30s,jitter=0"),
        ("fixed:30s,jitter=0.10,max=60m", "fixed:30s,max=1h,jitter=0.1"),
        ("linear:0,max=0", "linear:0s,max=0s"),
        ("linear:1s,jitter=100%", "linear:1s,jitter=1"),
        ("linear:1s,jitter=33.3333333%", "linear:1s,jitter=0.333333"),
    ],
)
def test_a_rule_has_one_spelling(text: str, canonical: str) -> None:
    assert parse_backoff(text).text() == canonical
    assert repr(parse_backoff(text)) == f"<Backoff {canonical}>"


def test_rules_that_differ_anywhere_are_not_equal() -> None:
    texts = ["linear:30s", "fixed:30s", "linear:31s", "linear:30s,max=1h", "linear:30s,jitter=0.1"]
    assert len({parse_backoff(text) for text in texts}) == len(texts)
    assert DEFAULT != "linear:30s"


NOT_BACKOFFS = [
    "", "linear", "30s", "linear:", "linear:30", "linear:-30s", "cubic:30s", "Linear:30s", "linear=30s",
    "linear:30s,", "linear:30s,max", "linear:30s,max=", "linear:30s,max=1", "linear:30s,max=1h,max=1h",
    "linear:30s,min=1s", "linear:30s,jitter=", "linear:30s,jitter=-0.1", "linear:30s,jitter=1.1",
    "linear:30s,jitter=101%", "linear:30s,jitter=nan", "linear:30s,jitter=1e-1", "linear:30s,jitter=%",
    "linear:30s,jitter=0.1%%", "linear:30s,jitter=0_1", "linear:30s,jitter=1.0.0", "linear:30s,jitter=.",
    "linear:30s,jitter=²", "linear:30s,jitter=" + "9" * 5000, "linear:40000d", "linear:30s:30s",
    "linear:30s max=1h",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_BACKOFFS)
def test_what_is_not_a_backoff_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        parse_backoff(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "cubic:30s",
            (
                "'cubic:30s' is not a backoff: use linear:30s, exponential:30s or fixed:30s,"
                " then ,max=1h or ,jitter=0.1 if wanted"
            ),
        ),
        (
            "linear:5x",
            "'linear:5x' is not a backoff: '5x' is not a duration: use 30s, 5m, 2h, 7d, 1w or 1h30m",
        ),
        (
            "fixed:5s,jitter=2",
            "'fixed:5s,jitter=2' is not a backoff: '2' is not a jitter: use 0 to 1, or 0% to 100%",
        ),
    ],
)
def test_a_refused_backoff_says_what_is_wrong_and_what_is_accepted(text: str, message: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_backoff(text)
    assert str(caught.value) == message


@quick
@given(
    st.text()
    | st.from_regex(r"(linear|exponential|fixed):[0-9smhd.]{1,5}(,(max|jitter)=[0-9.%smh]{0,6}){0,3}", fullmatch=True)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadValue):
        assert parse_backoff(text).delay(3, half) >= 0
