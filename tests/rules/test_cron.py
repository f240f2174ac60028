"""Cron expressions: what is accepted, and when they tick, daylight saving above all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.catchup import LATE, MISSED, MOST, POLICIES, ticks_due
from qctl.rules.cron import Cron, local
from tests.profile import examples

ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut")
FIRST, LAST = datetime(2010, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ts(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def ticks(expression: str, zone: str, start: str, count: int, *, seconds: bool = False) -> list[str]:
    """The first ticks after a time on the zone's clocks, as those clocks show them, with the offset."""
    one, at, found = Cron(expression, zone, seconds=seconds), ts(start, zone), []
    for _ in range(count):
        at = one.next(at)
        found.append(local(at, zone)[5:].replace(":00-", "-").replace(":00+", "+"))
    return found


# -- what is accepted ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@MIDNIGHT", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        (" 0   3 * * MON-fri ", "0 3 * * mon-fri"),
        ("*/5 9-17 1,15 jan 0", "*/5 9-17 1,15 jan 0"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 l * *", "0 0 l * *"),
    ],
)
def test_five_fields_and_the_words_are_understood(text: str, plain: str) -> None:
    assert Cron(text, "UTC").text == plain


@pytest.mark.parametrize(
    "text",
    ["", " ", "* * * *", "* * * * * *", "* * * * * * *", "@reboot", "@daily x", "60 * * * *", "* 24 * * *", "* * 0 * *",
     "* * 32 * *", "* * * 13 *", "* * * * 8", "a * * * *", "H * * * *", "R * * * *", "*/0 * * * *", "*/61 * * * *",
     "* */25 * * *", "-1 * * * *", "1,,2 * * * *", "* * * foo *", "0 0 mon * *", "² * * * *", "0 3 * * *\0",
     "1 " * 200, "0 0 w * *"],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line_that_says_what_is_accepted(text: str) -> None:
    with pytest.raises(BadValue, match="use five fields|a step goes from 1 to") as error:
        Cron(text, "UTC")
    assert str(error.value).isprintable()


@given(st.text(max_size=30) | st.text("0123456789*/,-# lw@mon", max_size=20))
@settings(max_examples=examples(200))
def test_no_text_breaks_it(text: str) -> None:
    for seconds in (False, True):
        try:
            one = Cron(text, "UTC", seconds=seconds)
        except BadValue as error:
            assert str(error).isprintable()
        else:
            assert one.next(0) > 0


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30,31 feb *"])
def test_a_date_that_never_comes_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="never comes"):
        Cron(text, "UTC")


def test_six_fields_only_with_seconds_which_stand_last() -> None:
    assert ticks("* * * * * */20", "UTC", "2027-01-01T00:00:30", 2, seconds=True) == [
        "01-01T00:00:40+00:00",
        "01-01T00:01+00:00",
    ]
    with pytest.raises(BadValue, match="goes with --seconds"):
        Cron("* * * * * *", "UTC")
    with pytest.raises(BadValue, match="six fields"):
        Cron("* * * * *", "UTC", seconds=True)
    assert Cron("@hourly", "UTC", seconds=True).next(0) == 3600


@pytest.mark.parametrize("zone", ["", "Nowhere", "../etc/passwd", "/etc/localtime", "+02:00", "a\0b", "é"])
def test_a_zone_is_a_name_that_is_known(zone: str) -> None:
    with pytest.raises(BadValue, match="use a name such as"):
        Cron("0 0 * * *", zone)


def test_no_tick_after_the_last_year() -> None:
    with pytest.raises(BadValue, match="year 9999"):
        Cron("0 0 1 1 *", "UTC").next(ts("9999-06-01"))


# -- daylight saving -------------------------------------------------------------------------------------------------


def test_a_fixed_time_that_is_skipped_ticks_once_right_after_the_gap() -> None:
    skipped = ["03-13T02:30-05:00", "03-14T03:00-04:00", "03-15T02:30-04:00"]
    assert ticks("30 2 * * *", "America/New_York", "2027-03-13T00:00", 3) == skipped
    assert ticks("*/20 2 * * *", "America/New_York", "2027-03-14T00:00", 2) == skipped[1:2] + ["03-15T02:00-04:00"]
    assert ticks("15 2,3 * * *", "America/New_York", "2027-03-14T00:00", 2) == skipped[1:2] + ["03-14T03:15-04:00"]
    assert ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-04T00:00", 1) == ["10-04T02:30+11:00"]
    assert ticks("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", 2) == ["11-04T01:00-02:00", "11-05T00:00-02:00"]


def test_a_fixed_time_that_occurs_twice_ticks_the_first_time() -> None:
    assert ticks("30 1 * * *", "America/New_York", "2026-10-31T12:00", 2) == ["11-01T01:30-04:00", "11-02T01:30-05:00"]
    assert ticks("45 1 * * *", "Australia/Lord_Howe", "2027-04-03T12:00", 2) == [
        "04-04T01:45+11:00",
        "04-05T01:45+10:30",
    ]
    in_the_second_run = ts("2026-11-01T01:10", "America/New_York") + 3600
    assert local(Cron("30 1 * * *", "America/New_York").next(in_the_second_run), "UTC") == "2026-11-02T06:30:00+00:00"


def test_intervals_follow_real_time() -> None:
    for zone in ZONES:
        for expression, step in (("*/15 * * * *", 900), ("* * * * *", 60)):
            one, at = Cron(expression, zone), ts("2026-10-31T23:00")
            for _ in range(30):
                assert one.next(at) == at + step
                at += step
    hours = ["11-01T00:00-04:00", "11-01T01:00-04:00", "11-01T01:00-05:00", "11-01T02:00-05:00"]
    assert ticks("0 * * * *", "America/New_York", "2026-10-31T23:30", 4) == hours
    assert ticks("30 * * * *", "America/New_York", "2027-03-14T01:00", 2) == ["03-14T01:30-05:00", "03-14T03:30-04:00"]


# -- an oracle: every minute -----------------------------------------------------------------------------------------


@cache
def transitions(zone: str) -> list[datetime]:
    """The hours of 20 years in which the offset of a zone changes."""
    info, hour, found = ZoneInfo(zone), timedelta(hours=1), []
    day = FIRST
    while day < LAST:
        if day.astimezone(info).utcoffset() != (day + timedelta(days=1)).astimezone(info).utcoffset():
            at = day
            while at.astimezone(info).utcoffset() == (at + hour).astimezone(info).utcoffset():
                at += hour
            found.append(at)
        day += timedelta(days=1)
    return found


@cache
def walls(zone: str, start: datetime, count: int) -> list[datetime]:
    """What the wall clocks of a zone show in each of the minutes from `start` on."""
    info = ZoneInfo(zone)
    return [(start + n * MINUTE).astimezone(info).replace(tzinfo=None, fold=0) for n in range(count)]


Fields = tuple[set[int], set[int], set[int], set[int]]  # minutes, hours, months, weekdays (0: Sunday)


def matches(fields: Fields, wall: datetime) -> bool:
    minutes, hours, months, days = fields
    return wall.minute in minutes and wall.hour in hours and wall.month in months and wall.isoweekday() % 7 in days


def brute_force(fields: Fields, interval: bool, zone: str, start: datetime, count: int) -> list[float]:
    """The ticks among the `count` minutes after `start`, by looking at each of them, and at each that was skipped."""
    shown = walls(zone, start, count + 1)
    seen: set[datetime] = set(shown[:1]) | set(walls(zone, start - 180 * MINUTE, 180))
    found = []
    for n in range(1, count + 1):
        wall = shown[n]
        fires = matches(fields, wall) and (interval or wall not in seen)
        skipped = shown[n - 1] + MINUTE
        while not interval and skipped < wall:
            fires = fires or (matches(fields, skipped) and skipped not in seen)
            skipped += MINUTE
        seen.add(wall)
        if fires:
            found.append((start + n * MINUTE).timestamp())
    return found


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, Fields, bool]:
    """An expression, what it means, and whether it is an interval."""
    minute = draw(st.sampled_from(["*", "*/15", "*/7", "list", "range"]))
    if minute == "list":
        minutes = draw(st.sets(st.sampled_from([0, 1, 15, 29, 30, 31, 45, 59]), min_size=1, max_size=3))
        minute = ",".join(map(str, sorted(minutes)))
    elif minute == "range":
        minutes, minute = set(range(20, 40)), "20-39"
    else:
        minutes = set(range(0, 60, int(minute[2:] or 1)))
    hour = draw(st.sampled_from(["*", "*", "*/2", "*/3", "0-23", "list", "list", "list", "1-3"]))
    interval = hour[0] == "*" or hour == "0-23"
    if hour == "list":
        hours = draw(st.sets(st.sampled_from([0, 1, 2, 3, 4, 12, 22, 23]), min_size=1, max_size=3))
        hour = ",".join(map(str, sorted(hours)))
    else:
        hours = {"1-3": {1, 2, 3}, "0-23": set(range(24))}.get(hour) or set(range(0, 24, int(hour[2:] or 1)))
    month, months = draw(st.sampled_from([("*", set(range(1, 13))), ("3,4,10,11", {3, 4, 10, 11})]))
    weekday, days = draw(
        st.sampled_from([("*", set(range(7))), ("sun", {0}), ("0,6", {0, 6}), ("1-5", {1, 2, 3, 4, 5})])
    )
    return f"{minute} {hour} * {month} {weekday}", (minutes, hours, months, days), interval


@pytest.mark.parametrize("zone", ZONES)
@given(data=st.data())
@settings(max_examples=examples(30))
def test_ticks_are_those_that_every_minute_tells(zone: str, data: st.DataObject) -> None:
    expression, fields, interval = data.draw(expressions())
    change = data.draw(st.sampled_from(transitions(zone)))
    start = change - data.draw(st.integers(-150, 300)) * MINUTE
    expected = brute_force(fields, interval, zone, start, 600)
    one, at, found = Cron(expression, zone), start.timestamp(), []
    end = (start + 600 * MINUTE).timestamp()
    while (at := one.next(at)) <= end:
        found.append(at)
    assert one.is_interval == interval
    assert found == expected


@pytest.mark.parametrize("minute", [0, 1, 30, 59])
def test_from_inside_a_repeated_hour_the_next_tick_is_the_first_after_it(minute: int) -> None:
    every = Cron("* 1-3 * * *", "Europe/Berlin")
    assert (
        every.next(datetime(2010, 10, 31, 1, minute, tzinfo=UTC).timestamp())
        == datetime(2010, 10, 31, 2, tzinfo=UTC).timestamp()
    )


def test_the_changes_of_twenty_years_are_looked_at() -> None:
    assert [len(transitions(zone)) for zone in ZONES[:3]] == [40, 40, 40]


ALL_DAYS, ALL_MONTHS, ALL_HOURS = set(range(7)), set(range(1, 13)), set(range(24))
LONG_RUN: dict[str, tuple[Fields, bool]] = {
    "30 2 * * *": (({30}, {2}, ALL_MONTHS, ALL_DAYS), False),
    "30 1 * * *": (({30}, {1}, ALL_MONTHS, ALL_DAYS), False),
    "0 0 * * *": (({0}, {0}, ALL_MONTHS, ALL_DAYS), False),
    "*/20 0-3 * * *": (({0, 20, 40}, {0, 1, 2, 3}, ALL_MONTHS, ALL_DAYS), False),
    "15 2,3 * * sun": (({15}, {2, 3}, ALL_MONTHS, {0}), False),
    "59 23 * 3,4,10,11 0,6": (({59}, {23}, {3, 4, 10, 11}, {0, 6}), False),
    "*/15 * * * *": (({0, 15, 30, 45}, ALL_HOURS, ALL_MONTHS, ALL_DAYS), True),
    "0 * * * *": (({0}, ALL_HOURS, ALL_MONTHS, ALL_DAYS), True),
    "30 */2 * * *": (({30}, set(range(0, 24, 2)), ALL_MONTHS, ALL_DAYS), True),
    "45 */3 * * 1-5": (({45}, set(range(0, 24, 3)), ALL_MONTHS, {1, 2, 3, 4, 5}), True),
}


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("zone", ZONES)
def test_ticks_of_twenty_years_are_those_that_every_minute_of_them_tells(zone: str) -> None:
    info, second = ZoneInfo(zone), timedelta(seconds=1)
    expected: dict[str, list[int]] = {expression: [] for expression in LONG_RUN}
    by_minute: list[list[tuple[str, bool]]] = [[] for _ in range(1440)]  # of the day: what may tick then
    for expression, ((minutes, hours, _months, _days), interval) in LONG_RUN.items():
        for hour in hours:
            for minute in minutes:
                by_minute[hour * 60 + minute].append((expression, interval))
    comes: dict[int, set[str]] = {}  # by the day on the wall: what ticks on it
    start, end = int(FIRST.timestamp()), int(LAST.timestamp())
    latest = (start + datetime.fromtimestamp(start, info).utcoffset() // second) // 60  # the latest that was shown
    for at in range(start + 60, end + 1, 60):
        wall = (at + datetime.fromtimestamp(at, info).utcoffset() // second) // 60
        for shown in range(min(latest + 1, wall), wall + 1):  # the present minute, and those that the clock jumps over
            if not by_minute[shown % 1440]:
                continue
            day = shown // 1440
            if day not in comes:
                date = datetime(1970, 1, 1) + timedelta(days=day)
                comes[day] = {
                    name
                    for name, ((_m, _h, months, days), _i) in LONG_RUN.items()
                    if date.month in months and date.isoweekday() % 7 in days
                }
            for expression, interval in by_minute[shown % 1440]:
                ticks_now = shown == wall if interval else shown > latest
                if ticks_now and expression in comes[day] and expected[expression][-1:] != [at]:
                    expected[expression].append(at)
        latest = max(latest, wall)
    for expression, (_fields, interval) in LONG_RUN.items():
        one, found, tick = Cron(expression, zone), [], float(start)
        assert one.is_interval == interval
        while (tick := one.next(tick)) <= end:
            found.append(int(tick))
        assert len(found) > 500
        assert found == expected[expression], expression


# -- catching up -----------------------------------------------------------------------------------------------------


class Counted:
    """Ticks every `step` seconds; counts the questions."""

    def __init__(self, step: float) -> None:
        self.step = step
        self.asked = 0

    def __call__(self, after: float) -> float:
        self.asked += 1
        return (after // self.step + 1) * self.step


@given(st.sampled_from([1, 7, 60, 900, 86_400]), st.integers(0, 3000), st.floats(0, 0.999), st.sampled_from(POLICIES))
def test_what_is_caught_up_is_what_the_policy_says(step: int, missed: int, part: float, policy: str) -> None:
    first = 1_800_057_600.0 // step * step
    now = first + (missed + part) * step
    every = [first + n * step for n in range(missed + 1)]
    found = ticks_due(Counted(step), first, now, policy)
    late = [tick for tick in every if tick > now - LATE]
    if policy == "all":
        assert found == every[-MOST:]
    elif policy == "none" and every[-1] <= now - MISSED:
        assert found == []
    else:
        assert found == (late or every[-1:])


def test_a_long_downtime_costs_no_more_than_a_short_one() -> None:
    for policy in POLICIES:
        ask = Counted(1)
        ticks_due(ask, 0.0, 1e9, policy)
        assert ask.asked < 600


def test_nothing_is_due_before_its_time_also_when_the_clock_was_set_back() -> None:
    for policy in POLICIES:
        assert ticks_due(Counted(60), 6000.0, 5999.9, policy) == []
        assert ticks_due(Counted(60), 6000.0, 6000.0, policy) == [6000.0]
