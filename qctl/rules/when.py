"""Durations and times: what people type and what is stored, to and from seconds.

In Python a time is seconds since the epoch and a duration is seconds, float both; `now` is always given.
Stored times are UTC text, `YYYY-MM-DD HH:MM:SS.sss`. What is shown to people is in clock.py.
"""

from __future__ import annotations

import time

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

DAY = 86_400
LONGEST = 36_525.0 * DAY  # seconds: 100 years, the longest duration and delay

_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}  # falling
_DURATIONS = "use 30s, 5m, 2h, 7d, 1w or 1h30m"
_FINEST = 10**40  # parts of a millisecond in which a duration is summed, exactly

_NEAR_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_TIMES = "use ISO 8601 (2026-10-13T14:02), HH:MM, tomorrow 09:00, friday 09:00 or +duration (+90m)"
_TO_ZERO = str.maketrans("123456789", "000000000")
_STORED = "use YYYY-MM-DD HH:MM:SS.sss in UTC"
_YEAR_0 = -62_167_219_200
_YEAR_10000 = 253_402_300_800

_THOUSANDTHS = tuple([f"{n:03}" for n in range(1000)])
_latest_second = (0, "1970-01-01 00:00:00.")  # the latest one spelled: calls come in bunches


def quoted(text: str) -> str:
    """Return `text` as an error message may show it: at most 40 characters, controls escaped."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def parse_duration(text: str) -> float:
    """Read `30s 5m 2h 7d 1w 1h30m 500ms 1.5h` (or a plain `0`) as seconds, to the millisecond.

    Units fall, each at most once; only the last part may have decimals; 100 years at most. Raises BadValue.
    """
    rest = text.strip()
    if rest == "0":
        return 0.0
    if rest[:1] == "-":
        raise BadValue(f"{quoted(text)} is negative: {_DURATIONS}")
    if len(rest) > 40 or not rest:
        _refuse_duration(text)
    units, total = list(_UNITS), 0
    while rest:
        after = rest.lstrip("0123456789.")
        whole, dot, fraction = rest[: len(rest) - len(after)].partition(".")
        rest = after.lstrip("wdhms")
        unit = after[: len(after) - len(rest)]
        rest = rest.lstrip(" ")
        if not whole or "." in fraction or (dot and (rest or not fraction)):
            _refuse_duration(text)
        if not after and len(units) == len(_UNITS):
            raise BadValue(f"{quoted(text)} has no unit: {_DURATIONS}")
        if unit not in units:
            _refuse_duration(text)
        units = units[units.index(unit) + 1 :]
        total += int(whole + fraction) * _UNITS[unit] * _FINEST // 10 ** len(fraction)
    milliseconds = round(total / _FINEST)
    if total and not milliseconds:
        raise BadValue(f"{quoted(text)} is too short: use 1ms or more, or 0")
    if milliseconds > LONGEST * 1000:
        raise BadValue(f"{quoted(text)} is too long: use at most 100 years (36525d)")
    return milliseconds / 1000


def parse_time(text: str, now: float) -> float:
    """Read a time as seconds since the epoch; local time unless it carries an offset.

    ISO 8601 (years 1970 to 9999, past or not), `HH:MM[:SS]` (the next one), `friday [HH:MM]` (the next one
    after `now`), `today|tomorrow|yesterday [HH:MM]`, `now`, `+duration`. A day alone begins at 00:00. A time
    that daylight saving skips moves forward by the gap; one that it repeats is the first. Raises BadValue.
    """
    return _resolve(text, now, past=False)


def since(text: str, now: float) -> float:
    """Read the bound of a filter: a duration counts back from `now`, else a time as parse_time reads it.

    What parse_time looks for ahead (`HH:MM`, a weekday) is here the latest not after `now`. Raises BadValue.
    """
    bare = text.strip()
    if bare[:1] in tuple("0123456789.") and "-" not in bare and ":" not in bare:
        return max(0.0, now - parse_duration(bare))
    return _resolve(text, now, past=True)


def to_text(ts: float) -> str:
    """Spell a time as stored, `YYYY-MM-DD HH:MM:SS.sss` in UTC, rounded down to the millisecond.

    Raises BadValue outside the years 0 to 9999.
    """
    global _latest_second
    if not _YEAR_0 <= ts < _YEAR_10000:
        raise BadValue(f"{ts!r} seconds is not a time in the years 0 to 9999")
    milliseconds = round(ts * 1000)
    if milliseconds / 1000 - ts > 1e-6:  # less is the error of a float near now, not time
        milliseconds -= 1
    second = milliseconds // 1000
    known, text = _latest_second
    if second != known:
        text = "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.".format(*time.gmtime(second)[:6])
        _latest_second = (second, text)
    return text + _THOUSANDTHS[milliseconds - second * 1000]


def from_text(text: str) -> float:
    """Read a stored time; ISO 8601 that other programs wrote is read too, as UTC unless it carries an offset.

    Raises BadValue.
    """
    folded = text.lower()
    date, clock = _date(folded[:10]), _clock(folded[11:])
    if date is None or clock is None or folded[10:11] not in (" ", "t"):
        raise BadValue(f"{quoted(text)} is not a stored time: {_STORED}")
    milliseconds, offset = clock
    return _instant(date, milliseconds, offset or 0)


def iso(text: str | None) -> str:
    """Turn a stored time into ISO 8601, `2026-10-13T14:02:11.123Z`; None becomes ''. Raises BadValue."""
    if text is None:
        return ""
    if text.translate(_TO_ZERO) != "0000-00-00 00:00:00.000":  # another program's form
        text = to_text(from_text(text))
    return text[:10] + "T" + text[11:] + "Z"


def day_number(year: int, month: int, day: int) -> int:
    """Count the days from 1970-01-01 to a date of the Gregorian calendar."""
    year -= month <= 2  # years begin in March here, so that the leap day is the last
    leap_days = year // 4 - year // 100 + year // 400
    return 365 * year + leap_days + (153 * ((month + 9) % 12) + 2) // 5 + day - 719_469


def _refuse_duration(text: str) -> NoReturn:
    raise BadValue(f"{quoted(text)} is not a duration: {_DURATIONS}")


def _resolve(text: str, now: float, *, past: bool) -> float:
    if text.strip().lower() == "now":
        return now
    if text.lstrip()[:1] == "+":
        return _in_range(text, now + parse_duration(text.lstrip()[1:]))
    day, clock = _split(text)
    parts = _clock(clock) if clock else (0, None)
    if parts is None:
        raise BadValue(f"{quoted(text)} is not a time: {_TIMES}")
    milliseconds, offset = parts
    number, step = _find_day(text, day, _today(now, offset))
    at = _instant(number, milliseconds, offset)
    if step and past and at > now:
        return _instant(number - step, milliseconds, offset)
    if step and not past and (at < now or (at == now and day)):
        at = _instant(number + step, milliseconds, offset)
    return _in_range(text, at)


def _split(text: str) -> tuple[str, str]:
    """Part the day from the time of day; either may be ''."""
    words = text.lower().split()
    if len(words) > 1 and words[-1][0] in "+-z":  # 2026-10-13 14:02 +0200
        words[-2:] = [words[-2] + words[-1]]
    if len(words) == 2:
        return words[0], words[1]
    if len(words) != 1:
        raise BadValue(f"{quoted(text)} is not a time: {_TIMES}")
    word = words[0]
    if word[10:11] == "t" and len(word) > 11:
        return word[:10], word[11:]
    return ("", word) if ":" in word else (word, "")


def _find_day(text: str, day: str, today: int) -> tuple[int, int]:
    """Return the number of the day meant and after how many days it comes again (0: never)."""
    if not day:
        return today, 1
    if day in _NEAR_DAYS:
        return today + _NEAR_DAYS[day], 0
    for weekday, name in enumerate(_WEEKDAYS):
        if day in (name, name[:3]):
            return today + (weekday - today - 3) % 7, 7  # day 0 was a Thursday
    number = _date(day)
    if number is None:
        what = "a day that exists" if day[4:5] == day[7:8] == "-" else "a time"
        raise BadValue(f"{quoted(text)} is not {what}: {_TIMES}")
    if number < 0:
        raise BadValue(f"{quoted(text)} is out of range: use years 1970 to 9999")
    return number, 0


def _in_range(text: str, ts: float) -> float:
    if ts >= _YEAR_10000:
        raise BadValue(f"{quoted(text)} is out of range: use years 1970 to 9999")
    return ts


def _number(text: str, size: int) -> int:
    """Read exactly `size` ASCII digits; anything else is -1."""
    return int(text) if len(text) == size and text.isascii() and text.isdigit() else -1


def _date(text: str) -> int | None:
    """Read YYYY-MM-DD as a day number."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    year, month, day = _number(text[:4], 4), _number(text[5:7], 2), _number(text[8:], 2)
    if year < 0 or not 1 <= month <= 12:
        return None
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day_number(year, month, day) if 1 <= day <= _MONTH_DAYS[month - 1] + leap else None


def _clock(text: str) -> tuple[int, int | None] | None:
    """Read [H]H:MM[:SS[.fff]][Z|+HH[[:]MM]] as milliseconds of the day and the offset in seconds."""
    offset: int | None = None
    sign = max(text.find("+"), text.find("-"))
    if text[-1:] == "z":
        text, offset = text[:-1], 0
    elif sign >= 0:
        zone = text[sign + 1 :]
        hours, minutes = _number(zone[:2], 2), _number(zone[-2:], 2) if len(zone) > 2 else 0
        if zone[2:-2] not in ("", ":") or len(zone) == 3 or not 0 <= hours <= 14 or not 0 <= minutes <= 59:
            return None
        offset = (hours * 3600 + minutes * 60) * (-1 if text[sign] == "-" else 1)
        text = text[:sign].rstrip(" ")
    if text[1:2] == ":":
        text = "0" + text
    hour, minute, second = _number(text[:2], 2), _number(text[3:5], 2), 0
    fraction = "0"
    if len(text) > 5:
        second = _number(text[6:8], 2)
    if len(text) > 8:
        fraction = text[9:]
    if text[2:3] + text[5:6] not in (":", "::") or text[8:9] not in ("", ".", ","):
        return None
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return None
    if not (fraction.isascii() and fraction.isdigit()):
        return None
    return (hour * 3600 + minute * 60 + second) * 1000 + int((fraction + "00")[:3]), offset


def _today(now: float, offset: int | None) -> int:
    if offset is not None:
        return int((now + offset) // DAY)
    return day_number(*time.localtime(now)[:3])


def _instant(day: int, milliseconds: int, offset: int | None) -> float:
    """Return the epoch seconds of a wall clock that shows this; offset None: the local zone."""
    second, rest = divmod(milliseconds, 1000)
    wall = day * DAY + second
    utc = _from_local(wall) if offset is None else wall - offset
    return (utc * 1000 + rest) / 1000


def _from_local(wall: int) -> int:
    # The offsets a day before and a day after stand on either side of any change. The earlier one is tried
    # first, and stays when neither fits: the wall clock is then in a gap and moves forward by it.
    before = wall - time.localtime(wall - DAY).tm_gmtoff
    after = wall - time.localtime(wall + DAY).tm_gmtoff
    for utc in (before, after):
        if utc + time.localtime(utc).tm_gmtoff == wall:
            return utc
    return before
