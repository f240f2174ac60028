from __future__ import annotations

import contextlib
import datetime
import pathlib
import subprocess
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qctl.model import BadValue
from qctl.rules.when import LONGEST, from_text, iso, parse_duration, parse_time, quoted, since, to_text
from tests.profile import examples
from tests.rules.conftest import local_zone

quick = settings(max_examples=examples(100), database=None)

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
ZONES = ["UTC", BERLIN, NEW_YORK, "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
LAST_TIME = 253_402_300_799.999


def utc(text: str) -> float:
    return datetime.datetime.fromisoformat(text + "+00:00").timestamp()


def shown(ts: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ts))


# --- durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("7d", 604_800),
        ("1w", 604_800),
        ("1h30m", 5400),
        ("1w2d3h4m5s6ms", 788_645.006),
        ("500ms", 0.5),
        ("1.5h", 5400),
        ("0.1s", 0.1),
        ("1m1.5s", 61.5),
        ("0", 0),
        ("0s", 0),
        (" 6m 12s ", 372),
        ("90m", 5400),
        ("36525d", LONGEST),
        ("0.30000000000000004s", 0.3),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


NOT_DURATIONS = [
    "", " ", "5x", "5", "1h30", "30m1h", "1h1h", "h", "5 m", "1.5h30m", "1.h", ".5h", "1..5h", "5M",
    "5ms1s", "1hm", "-5m", "1h-5m", "+5m", "nan", "inf", "infs", "1e3s", "1_0s", "٣s", "²s", "5µs",
    "36525d1ms", "9" * 39 + "w", "0.1ms", "9" * 5000 + "s", "1h  \n3m", "0x1s", "\x005s",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_DURATIONS)
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5x", "'5x' is not a duration: use 30s, 5m, 2h, 7d, 1w or 1h30m"),
        ("30", "'30' has no unit: use 30s, 5m, 2h, 7d, 1w or 1h30m"),
        ("-5m", "'-5m' is negative: use 30s, 5m, 2h, 7d, 1w or 1h30m"),
        ("9999w", "'9999w' is too long: use at most 100 years (36525d)"),
        ("0.2ms", "'0.2ms' is too short: use 1ms or more, or 0"),
    ],
)
def test_a_refused_duration_says_what_is_wrong_and_what_is_accepted(text: str, message: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_duration(text)
    assert str(caught.value) == message


@quick
@given(st.text() | st.from_regex(r"[0-9.wdhms +-]{0,12}", fullmatch=True))
def test_a_duration_is_read_within_its_bounds_or_refused(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except BadValue:
        return
    assert 0 <= seconds <= LONGEST


@given(st.text(max_size=100))
@quick
def test_a_quotation_is_short_and_printable(text: str) -> None:
    assert quoted(text).isprintable()
    assert len(quoted("x" * 41)) == 42
    assert quoted("x" * 40) == repr("x" * 40)


# --- times, as typed; 2026-10-13 is a Tuesday

NOW = "2026-10-13 14:02:11"  # in Berlin, CEST


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2026-10-14", "2026-10-14 00:00:00"),
        ("2026-10-14T03:00", "2026-10-14 03:00:00"),
        ("2026-10-14 03:00:05", "2026-10-14 03:00:05"),
        ("2026-10-14t03:00z", "2026-10-14 05:00:00"),
        ("2026-10-14T03:00Z", "2026-10-14 05:00:00"),
        ("2026-10-14T03:00+02:00", "2026-10-14 03:00:00"),
        ("2026-10-14T03:00-0530", "2026-10-14 10:30:00"),
        ("2026-10-14T03:00:00+09", "2026-10-13 20:00:00"),
        ("2026-10-14 03:00 +0200", "2026-10-14 03:00:00"),
        ("2026-10-14 03:00 Z", "2026-10-14 05:00:00"),
        ("2020-02-29", "2020-02-29 00:00:00"),
        ("2026-12-24 18:00", "2026-12-24 18:00:00"),
        ("15:00", "2026-10-13 15:00:00"),
        ("14:02:11", "2026-10-13 14:02:11"),
        ("14:02", "2026-10-14 14:02:00"),
        ("9:30", "2026-10-14 09:30:00"),
        ("23:30Z", "2026-10-14 01:30:00"),
        ("today 09:00", "2026-10-13 09:00:00"),
        ("today", "2026-10-13 00:00:00"),
        ("yesterday 09:00", "2026-10-12 09:00:00"),
        ("tomorrow", "2026-10-14 00:00:00"),
        ("Tomorrow  09:00", "2026-10-14 09:00:00"),
        ("tomorrow 09:00:30", "2026-10-14 09:00:30"),
        ("friday 09:00", "2026-10-16 09:00:00"),
        ("FRI 09:00", "2026-10-16 09:00:00"),
        ("monday", "2026-10-19 00:00:00"),
        ("tuesday 14:03", "2026-10-13 14:03:00"),
        ("tuesday 14:02:11", "2026-10-20 14:02:11"),
        ("tuesday 09:00", "2026-10-20 09:00:00"),
        ("now", NOW),
        (" NOW ", NOW),
        ("+90m", "2026-10-13 15:32:11"),
        ("+0", NOW),
        ("+2w", "2026-10-27 13:02:11"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_time_is_read_in_the_local_zone_unless_it_carries_an_offset(text: str, local: str) -> None:
    now = datetime.datetime.fromisoformat(NOW).timestamp()
    assert shown(parse_time(text, now)) == local


def test_tomorrow_with_an_offset_is_tomorrow_there() -> None:
    now = utc("2026-10-13 23:30")  # the 14th at +09:00
    assert parse_time("tomorrow 09:00+09:00", now) == utc("2026-10-15 00:00")
    assert parse_time("tomorrow 09:00Z", now) == utc("2026-10-14 09:00")


def test_milliseconds_are_kept_and_finer_digits_dropped() -> None:
    assert parse_time("2026-10-14T03:00:00.1239Z", 0) == utc("2026-10-14 03:00:00.123")
    assert parse_time("2026-10-14T03:00:00,5Z", 0) == utc("2026-10-14 03:00:00.500")


NOT_TIMES = [
    "", " ", "5m", "30", "noon", "2026-10", "2026-1-2", "20261014", "2026-02-30", "2025-02-29",
    "1900-02-29", "2026-13-01", "2026-00-01", "2026-10-00", "2026-10-14T", "2026-10-14T24:00",
    "2026-10-14T03:60", "2026-10-14T03:00:60", "2026-10-14T03", "2026-10-14T03:00:00.",
    "2026-10-14T03:00.5", "2026-10-14Z", "2026-10-14T03:00+15:00", "2026-10-14T03:00+2",
    "2026-10-14T03:00+02:60", "2026-10-14T03:00+02:00:00", "2026-10-14T03:00+020", "2026-10-14 +02:00",
    "2026-10-14 03:00 Europe/Berlin", "1969-12-31", "10000-01-01", "+", "+5", "+-5m", "-5m", "++5m",
    "friday +1h", "tomorrow tomorrow", "tomorrow 9", "25:00", "12:60", ":30", "12:", "1:2", "12:30:",
    "12:30:5", "12:30:05x", "12-30", "²2:00", "١٢:٠٠", "-1:00", "12:30:00." + "9" * 9 + "x",
    "9999-12-31T23:59-05:00", "0000-01-01", "2026_10_14", "2026-10-14\x0003:00", "now now", "fr 09:00",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_TIMES)
def test_what_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        parse_time(text, utc(NOW))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "noon\x1b",
            (
                "'noon\\x1b' is not a time: use ISO 8601 (2026-10-13T14:02), HH:MM,"
                " tomorrow 09:00, friday 09:00 or +duration (+90m)"
            ),
        ),
        ("1969-12-31", "'1969-12-31' is out of range: use years 1970 to 9999"),
        ("+5x", "'5x' is not a duration: use 30s, 5m, 2h, 7d, 1w or 1h30m"),
    ],
)
def test_a_refused_time_says_what_is_wrong_and_what_is_accepted(text: str, message: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_time(text, utc(NOW))
    assert str(caught.value) == message


def test_a_day_that_does_not_exist_is_named_as_such() -> None:
    with pytest.raises(BadValue, match="'2026-02-30' is not a day that exists: use"):
        parse_time("2026-02-30", utc(NOW))


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        (BERLIN, "2026-03-29 01:59", "2026-03-29 00:59"),
        (BERLIN, "2026-03-29 02:30", "2026-03-29 01:30"),  # skipped: 03:30 CEST
        (BERLIN, "2026-03-29 03:00", "2026-03-29 01:00"),
        (BERLIN, "2026-10-25 02:30", "2026-10-25 00:30"),  # twice: the first, CEST
        (BERLIN, "2026-10-25 03:00", "2026-10-25 02:00"),
        (NEW_YORK, "2026-03-08 02:30", "2026-03-08 07:30"),  # skipped: 03:30 EDT
        (NEW_YORK, "2026-11-01 01:30", "2026-11-01 05:30"),  # twice: the first, EDT
        (NEW_YORK, "2026-11-01 02:00", "2026-11-01 07:00"),
    ],
)
def test_a_skipped_time_moves_forward_and_a_repeated_one_is_the_first(zone: str, text: str, expected: str) -> None:
    with local_zone(zone):
        assert parse_time(text, 0) == utc(expected)


def test_tomorrow_is_a_calendar_day_also_when_the_clock_changes() -> None:
    with local_zone(BERLIN):
        now = parse_time("2026-10-24 12:00", 0)
        assert parse_time("tomorrow 12:00", now) - now == 25 * 3600


@quick
@given(st.sampled_from(ZONES), st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(2037, 12, 30)))
@example("Pacific/Apia", datetime.datetime(2011, 12, 30, 12))  # a whole day was skipped
@example("Australia/Lord_Howe", datetime.datetime(2026, 10, 4, 2, 15))  # half an hour was
def test_local_times_are_what_the_standard_library_says(zone: str, when: datetime.datetime) -> None:
    when = when.replace(microsecond=0, fold=0)  # text has no fold
    with local_zone(zone):
        assert parse_time(when.isoformat(), 0) == when.timestamp()


@quick
@given(st.sampled_from(ZONES), st.floats(0, 4e9), st.integers(0, 23), st.integers(0, 59))
def test_a_time_of_day_is_ahead_when_parsed_and_behind_in_a_filter(
    zone: str, now: float, hour: int, minute: int
) -> None:
    text = f"{hour:02}:{minute:02}"
    with local_zone(zone):
        assert now <= parse_time(text, now) <= now + 2 * 86_400 + 3600
        assert now - 2 * 86_400 - 3600 <= since(text, now) <= now
        assert parse_time("friday " + text, now) > now
        assert since("friday " + text, now) <= now
        friday = time.localtime(parse_time("friday 12:00", now))
        assert (friday.tm_wday, friday.tm_hour) == (4, 12) or zone == "Pacific/Apia"


@quick
@given(
    st.text()
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[tT ][0-9:.,+zZ -]{0,20}", fullmatch=True)
    | st.from_regex(r"(today|tomorrow|friday|\+|)\s*[0-9:.,+z-]{0,12}", fullmatch=True),
    st.floats(0, 4e9),
)
def test_any_text_is_read_or_refused(text: str, now: float) -> None:
    for read in (parse_time, since):
        with contextlib.suppress(BadValue):
            assert read(text, now) < LAST_TIME + 0.001
    with contextlib.suppress(BadValue):
        from_text(text)
    with contextlib.suppress(BadValue):
        iso(text)


# --- the bound of a filter


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("1h", "2026-10-13 13:02:11"),
        ("7d", "2026-10-06 14:02:11"),
        ("0", NOW),
        ("now", NOW),
        ("09:00", "2026-10-13 09:00:00"),
        ("14:02:11", NOW),
        ("15:00", "2026-10-12 15:00:00"),
        ("today 15:00", "2026-10-13 15:00:00"),
        ("today", "2026-10-13 00:00:00"),
        ("yesterday", "2026-10-12 00:00:00"),
        ("monday", "2026-10-12 00:00:00"),
        ("friday 09:00", "2026-10-09 09:00:00"),
        ("tuesday 15:00", "2026-10-06 15:00:00"),
        ("2026-10-01", "2026-10-01 00:00:00"),
        ("+1h", "2026-10-13 15:02:11"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_filter_looks_back(text: str, local: str) -> None:
    now = datetime.datetime.fromisoformat(NOW).timestamp()
    assert shown(since(text, now)) == local


def test_a_filter_never_reaches_behind_the_epoch() -> None:
    assert since("36500d", utc(NOW)) == 0


@pytest.mark.parametrize("text", ["", "5x", "30", "-1h", "1h ago", "last week"])
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        since(text, utc(NOW))


# --- times, as stored


def test_a_time_is_stored_as_utc_text_to_the_millisecond() -> None:
    assert to_text(0) == "1970-01-01 00:00:00.000"
    assert to_text(utc("2026-10-13 14:02:11.123")) == "2026-10-13 14:02:11.123"
    assert to_text(utc("2026-10-13 14:02:11.1239")) == "2026-10-13 14:02:11.123"
    assert to_text(1.9999) == "1970-01-01 00:00:01.999"
    assert to_text(-0.5) == "1969-12-31 23:59:59.500"
    assert to_text(LAST_TIME) == "9999-12-31 23:59:59.999"


def test_adding_a_delay_to_a_stored_time_loses_no_millisecond() -> None:
    ts = from_text("2026-10-13 14:02:11.000")
    for tenths in range(1, 10):
        ts += 0.1
        assert to_text(ts) == f"2026-10-13 14:02:11.{tenths}00"


@quick
@given(st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)), st.integers(0, 999))
def test_stored_text_survives_the_way_to_seconds_and_back(when: datetime.datetime, milliseconds: int) -> None:
    text = when.replace(microsecond=0).isoformat(" ") + f".{milliseconds:03}"
    assert to_text(from_text(text)) == text
    since_epoch = when.replace(microsecond=0) - datetime.datetime(1970, 1, 1)
    assert from_text(text) == (since_epoch // datetime.timedelta(seconds=1) * 1000 + milliseconds) / 1000


@quick
@given(st.floats(-62_167_219_200, LAST_TIME))
def test_stored_text_is_the_millisecond_a_time_falls_into(ts: float) -> None:
    stored = from_text(to_text(ts))
    assert stored - 1e-6 <= ts <= stored + 0.001 + 1e-4


@quick
@given(st.floats(0, LAST_TIME), st.floats(0, LAST_TIME))
def test_stored_text_sorts_as_time_does(one: float, other: float) -> None:
    assert (to_text(one) <= to_text(other)) or one > other


@pytest.mark.parametrize("ts", [float("nan"), float("inf"), -float("inf"), 1e300, LAST_TIME + 1, -62_167_219_201])
def test_a_time_that_cannot_be_stored_is_refused(ts: float) -> None:
    with pytest.raises(BadValue, match="is not a time in the years 0 to 9999"):
        to_text(ts)


FOREIGN_TIMES = [
    "2026-10-13 14:02:11.000", "2026-10-13 14:02:11", "2026-10-13T14:02:11Z", "2026-10-13t14:02:11.000z",
    "2026-10-13T14:02:11", "2026-10-13 14:02:11.0", "2026-10-13T16:02:11+02:00",
    "2026-10-13T14:02:11.000000",
]  # fmt: skip


@pytest.mark.parametrize("text", FOREIGN_TIMES)
def test_stored_times_of_other_programs_are_read_as_utc(text: str) -> None:
    with local_zone(NEW_YORK):
        assert from_text(text) == utc("2026-10-13 14:02:11")
        assert iso(text) == "2026-10-13T14:02:11.000Z"


NOT_STORED = [
    "", "now", "2026-10-13", "2026-02-29 00:00:00.000", "2026-10-13 24:00:00.000",
    "2026-10-13 14:02:61.000", "2026-10-13_14:02:11.123", "2026-10-13 14:02:11.12x",
    "2026-10-13 14:02:11x123", "+026-10-13 14:02:11.123", "2026-10-13 14:02:11.+12",
    "2026-10-13  14:02:11.12", "١٢٣٤-10-13 14:02:11.123", "2026-10-13 14:02:11.12²",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_STORED)
def test_what_is_no_stored_time_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match=r"is not a stored time: use YYYY-MM-DD HH:MM:SS\.sss in UTC"):
        from_text(text)


@pytest.mark.parametrize("text", ["", "soon", "2026-10-13 14:02:11.12x", "\x1b[31m-10-13 14:02:11.123", "2026-10-13"])
def test_iso_lets_nothing_through_that_does_not_look_like_a_time(text: str) -> None:
    with pytest.raises(BadValue):
        iso(text)


def test_iso_is_the_stored_time_in_iso_8601() -> None:
    assert iso("2026-10-13 14:02:11.123") == "2026-10-13T14:02:11.123Z"
    assert iso(None) == ""


# --- start-up


@pytest.mark.parametrize(
    "statement",
    [
        "from qctl.rules.when import *; iso(to_text(parse_time('tomorrow 09:00', since('1h', 1e9))))",
        "from qctl.rules.clock import *; moment(0, 0)",
        "from qctl.rules.backoff import *; parse_backoff('linear:30s').text()",
    ],
)
def test_the_rules_of_time_load_nothing_slow(statement: str) -> None:
    root = str(pathlib.Path(__file__).parents[2])
    script = f"""if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        before = set(sys.modules)
        {statement}
        print(*set(sys.modules) - before)
    """
    answer = subprocess.run(
        [sys.executable, "-S", "-E", "-c", script, root], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in answer.stdout.split()}
    assert loaded <= {"__future__", "qctl", "time"}
