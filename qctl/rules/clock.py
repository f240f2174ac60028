"""Durations and times as people read them: local time, English words, never the locale's."""

from __future__ import annotations

import time

from qctl.rules.when import day_number

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = ((604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def duration_text(seconds: float) -> str:
    """Spell a duration so that parse_duration reads it back, to the millisecond: `1h30m`, `250ms`, `0s`.

    Weeks only where nothing is left over: `2w`, but `10d`.
    """
    left = round(seconds * 1000)
    if left <= 0:
        return "0s"
    if left < 1000:
        return f"{left}ms"
    text = ""
    for size, unit in _UNITS[:-1]:
        if unit != "w" or left % (size * 1000) == 0:
            count, left = divmod(left, size * 1000)
            text += f"{count}{unit}" if count else ""
    whole, milliseconds = divmod(left, 1000)
    if milliseconds:
        return text + f"{whole}.{milliseconds:03}".rstrip("0") + "s"
    return text + (f"{whole}s" if whole else "")


def human(seconds: float) -> str:
    """Spell a duration for people, rounded down to two units: `820ms`, `1.2s`, `6m 12s`; below 0 is `0s`."""
    left = round(seconds * 1000) if seconds > 0 else 0
    if 0 < left < 1000:
        return f"{left}ms"
    if left < 10_000:
        whole, tenths = divmod(left // 100, 10)
        return f"{whole}.{tenths}s" if tenths else f"{whole}s"
    left //= 1000
    place = next(place for place, (size, _) in enumerate(_UNITS) if left >= size)
    text = ""
    for size, unit in _UNITS[place : place + 2]:
        count, left = divmod(left, size)
        text += f" {count}{unit}" if count else ""
    return text[1:]


def clock(ts: float, now: float) -> str:
    """Spell a local time by its distance: `today 03:00`, `tomorrow 03:00`, `Thu 03:00`, `13 Oct 14:02`.

    The weekday alone stands within 6 days either way; another year is said: `2027-01-04 09:00`.
    """
    then, today = time.localtime(ts), time.localtime(now)
    at = "{:02}:{:02}".format(*then[3:5])
    days = day_number(*then[:3]) - day_number(*today[:3])
    if days == 0:
        return "today " + at
    if days == 1:
        return "tomorrow " + at
    if -6 <= days <= 6:
        return f"{_WEEKDAYS[then.tm_wday]} {at}"
    if then.tm_year == today.tm_year:
        return f"{then.tm_mday} {_MONTHS[then.tm_mon - 1]} {at}"
    return "{:04}-{:02}-{:02} {:02}:{:02}".format(*then[:5])


def moment(ts: float, now: float) -> str:
    """Spell a local time in full, with its distance: `Wed 14 Oct 03:00 CEST, in 17h 2m`; `2m ago`; `now`.

    The year is said when it is not this one, the seconds when there are any.
    """
    then = time.localtime(ts)
    day = f"{_WEEKDAYS[then.tm_wday]} {then.tm_mday} {_MONTHS[then.tm_mon - 1]}"
    if then.tm_year != time.localtime(now).tm_year:
        day += f" {then.tm_year}"
    at = "{:02}:{:02}".format(*then[3:5]) + (f":{then.tm_sec:02}" if then.tm_sec else "")
    ahead = round((ts - now) * 1000)
    distance = f"in {human(ts - now)}" if ahead > 0 else f"{human(now - ts)} ago" if ahead < 0 else "now"
    return f"{day} {at} {then.tm_zone}, {distance}"
