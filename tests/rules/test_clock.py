from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.rules.clock import clock, duration_text, human, moment
from qctl.rules.when import LONGEST, parse_duration, parse_time
from tests.profile import examples
from tests.rules.conftest import local_zone

quick = settings(max_examples=examples(100), database=None)


# --- durations


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (59.999, "59.999s"),
        (60, "1m"),
        (61.05, "1m1.05s"),
        (5400, "1h30m"),
        (86_400, "1d"),
        (604_800, "1w"),
        (864_000, "10d"),
        (1_209_600, "2w"),
        (694_861, "8d1h1m1s"),
        (LONGEST, "36525d"),
        (-1, "0s"),
    ],
)
def test_a_duration_is_spelled_as_a_person_would_type_it(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@quick
@given(st.integers(0, int(LONGEST) * 1000) | st.integers(0, 100_000))
def test_a_spelled_duration_reads_back_the_same(milliseconds: int) -> None:
    assert parse_duration(duration_text(milliseconds / 1000)) == milliseconds / 1000


@quick
@given(st.floats(0.001, LONGEST - 1))
def test_a_read_duration_spells_and_reads_back_the_same(seconds: float) -> None:
    read = parse_duration(f"{seconds:.9f}s")
    assert parse_duration(duration_text(read)) == read


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (float("nan"), "0s"),
        (0, "0s"),
        (0.0004, "0s"),
        (0.57, "570ms"),
        (0.82, "820ms"),
        (0.9999, "1s"),
        (1, "1s"),
        (1.04, "1s"),
        (1.2, "1.2s"),
        (9.99, "9.9s"),
        (10, "10s"),
        (41.9, "41s"),
        (59.99, "59s"),
        (60, "1m"),
        (372, "6m 12s"),
        (3600, "1h"),
        (3630, "1h"),
        (61_320, "17h 2m"),
        (273_600, "3d 4h"),
        (86_400 + 59, "1d"),
        (604_800, "1w"),
        (3_196_800, "5w 2d"),
    ],
)
def test_a_duration_is_shown_in_two_units_at_most(seconds: float, text: str) -> None:
    assert human(seconds) == text


@quick
@given(st.floats(0, LONGEST) | st.floats(0, 100))
def test_a_shown_duration_is_never_more_than_it_is_and_close_to_it(seconds: float) -> None:
    text = human(seconds)
    assert re.fullmatch(r"\d+ms|\d(\.[1-9])?s|\d+[wdhms]( \d+[dhms])?", text)
    assert parse_duration(text) <= seconds + 0.0005 <= max(parse_duration(text) * 1.15, 1.15) + 0.1


# --- local times; 2026-10-13 is a Tuesday


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("2026-10-13 14:02:11", "today 14:02"),
        ("2026-10-13 03:00", "today 03:00"),
        ("2026-10-13 23:59:59", "today 23:59"),
        ("2026-10-14 03:00", "tomorrow 03:00"),
        ("2026-10-15 03:00", "Thu 03:00"),
        ("2026-10-19 23:59", "Mon 23:59"),
        ("2026-10-20 00:00", "20 Oct 00:00"),
        ("2026-10-12 09:00", "Mon 09:00"),
        ("2026-10-07 09:00", "Wed 09:00"),
        ("2026-10-06 09:00", "6 Oct 09:00"),
        ("2026-01-01 09:00", "1 Jan 09:00"),
        ("2027-01-04 09:00", "2027-01-04 09:00"),
        ("2025-10-13 14:02", "2025-10-13 14:02"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_time_is_shown_by_its_distance_in_local_days(when: str, text: str) -> None:
    assert clock(parse_time(when, 0), parse_time("2026-10-13 14:02", 0)) == text


def test_a_weekday_is_shown_also_across_the_turn_of_the_year() -> None:
    with local_zone("UTC"):
        assert clock(parse_time("2027-01-02 09:00", 0), parse_time("2026-12-30", 0)) == "Sat 09:00"


def test_the_same_time_is_another_day_elsewhere() -> None:
    ts, now = parse_time("2026-10-14T03:00Z", 0), parse_time("2026-10-14T00:30Z", 0)
    with local_zone("America/New_York"):
        assert clock(ts, now) == "today 23:00"
    with local_zone("Europe/Berlin"):
        assert clock(ts, now) == "today 05:00"


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("2026-10-14 03:00", "Wed 14 Oct 03:00 CEST, in 12h 58m"),
        ("2026-10-14 03:00:05", "Wed 14 Oct 03:00:05 CEST, in 12h 58m"),
        ("2026-10-13 14:00", "Tue 13 Oct 14:00 CEST, 2m ago"),
        ("2026-10-13 14:02", "Tue 13 Oct 14:02 CEST, now"),
        ("2026-10-13 14:02:00.250", "Tue 13 Oct 14:02 CEST, in 250ms"),
        ("2026-12-01 09:00", "Tue 1 Dec 09:00 CET, in 6w 6d"),
        ("2027-01-04 09:00", "Mon 4 Jan 2027 09:00 CET, in 11w 5d"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_moment_is_said_back_in_full(when: str, text: str) -> None:
    assert moment(parse_time(when, 0), parse_time("2026-10-13 14:02", 0)) == text


def test_a_moment_five_minutes_away_says_five_minutes() -> None:
    now = 1_791_892_931.3
    assert moment(now + 300, now).endswith(", in 5m")
