"""Cron expressions: when the next tick is. The only place that knows croniter, of which it asks `get_next` alone.

croniter is asked about wall clocks without a zone; what daylight saving makes of them is decided here. A schedule whose
hour is open (`*`, `*/2`, `0-23`) is an interval and follows real time: it ticks whenever the wall clock shows a match,
twice where it shows it twice. Any other has fixed times: one that is skipped ticks once, right after the gap, and one
that occurs twice ticks the first time. Ticks are whole seconds since the epoch.
"""

from __future__ import annotations

from functools import lru_cache

from qctl.model import BadValue
from qctl.rules.when import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = {"minute": 60, "hour": 24, "day": 31, "month": 12, "weekday": 7, "second": 60}
"""The fields, and how many values each has."""
NAMES = {
    "day": {"l", "w", "lw"},
    "month": {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"},
    "weekday": {"sun", "mon", "tue", "wed", "thu", "fri", "sat", "l"},
}
FIVE = "use five fields, minute hour day month weekday ('0 3 * * mon-fri'), or @hourly @daily @weekly @monthly @yearly"
SIX = "with --seconds use six fields, the seconds last ('* * * * * */10'), or @hourly and kin"
LONGEST = 200  # characters
WEEK = 604_800
YEAR_2001 = 978_307_200


class Cron:
    """A checked expression in a zone. `next(after)`: the first tick after a time, seconds since the epoch."""

    __slots__ = ("_fields", "_zone", "is_interval", "text")

    def __init__(self, text: str, zone: str, *, seconds: bool = False) -> None:
        """Raises BadValue for what is no expression, has no date that ever comes, or names no zone."""
        self.text = checked(text, seconds)
        self._zone = zone_of(zone)
        self._fields, hours = read(self.text, text, seconds)
        hour = self.text.split()[1]
        self.is_interval = hours > 1 and (hour[0] == "*" or hour == "0-23" or hour.startswith("0-23/"))
        try:
            self._match(YEAR_2001)
        except ValueError:  # croniter's CroniterBadDateError
            raise BadValue(
                f"cron: {quoted(text)} never comes: there is no such date: use a day that the month has"
            ) from None

    def next(self, after: float) -> float:
        """The first tick after `after`. Raises BadValue when there is none up to the year 9999."""
        try:
            start = int(after // 1)
            return float(self._interval(start) if self.is_interval else self._fixed(start))
        except (ValueError, OverflowError, OSError):
            raise BadValue(f"cron: {quoted(self.text)} has no tick between that time and the year 9999") from None

    def _match(self, wall: int) -> int:
        """The first wall clock after `wall` that matches; both as seconds, as if the zone were UTC."""
        found: float = self._fields.get_next(float, start_time=wall)
        return round(found)

    def _offset(self, at: int) -> int:
        from datetime import datetime

        shift = datetime.fromtimestamp(at, self._zone).utcoffset()
        return round(shift.total_seconds()) if shift is not None else 0

    def _fixed(self, after: int) -> int:
        wall = after + self._offset(after)
        while True:
            wall = self._match(wall)
            at, offset = self._resolve(wall)
            if at > after:
                return at
            # In the second run of an hour: all that the clock showed in the first ticked there.
            last = after if (change := self._change(at, after)) is None else change - 1
            wall = max(wall, last + offset)

    def _resolve(self, wall: int) -> tuple[int, int]:
        """When a wall clock shows this first, or the end of the gap that skips it; and the offset before."""
        from datetime import datetime, timedelta

        shown = datetime(1970, 1, 1, tzinfo=self._zone) + timedelta(seconds=wall)
        first = round((shown.utcoffset() or timedelta()).total_seconds())
        second = round((shown.replace(fold=1).utcoffset() or timedelta()).total_seconds())
        if second > first:  # the wall clock jumps over it
            return self._change(wall - second, wall - first) or wall - first, first
        return wall - first, first

    def _interval(self, after: int) -> int:
        offset = self._offset(after)
        wall = after + offset
        while True:
            at = self._match(wall) - offset
            change = self._change(after, at)
            if change is None:
                return at
            after, offset = change, self._offset(change)  # the match was for an offset that does not hold then
            wall = change + offset - 1

    def _change(self, start: int, end: int) -> int | None:
        """The first second after `start`, up to `end`, from which another offset holds."""
        while start < end:
            stop = min(start + WEEK, end)
            if self._offset(stop) != self._offset(start):
                while stop - start > 1:
                    middle = (start + stop) // 2
                    if self._offset(middle) == self._offset(start):
                        start = middle
                    else:
                        stop = middle
                return stop
            start = stop
        return None


def checked(text: object, seconds: bool) -> str:
    """The expression as fields with one space between them. Raises BadValue."""
    use = SIX if seconds else FIVE
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST or not text.isascii():
        raise BadValue(f"cron: {quoted(str(text))} is no cron expression: {use}")
    fields = text.lower().split()
    if fields[0][0] == "@":
        if len(fields) > 1 or fields[0] not in WORDS:
            raise BadValue(f"cron: {quoted(text)} is no cron expression: {use}")
        return WORDS[fields[0]] + (" 0" if seconds else "")
    if len(fields) == 6 and not seconds:
        raise BadValue(f"cron: {quoted(text)} has six fields: {FIVE}; a sixth for seconds goes with --seconds")
    if len(fields) != 5 + seconds:
        count = f"{len(fields)} field" + ("s" if len(fields) != 1 else "")
        raise BadValue(f"cron: {quoted(text)} has {count}: {use}")
    for name, field in zip(FIELDS, fields, strict=False):
        words = "".join(c if c.isalpha() else " " for c in field).split()
        if any(word not in NAMES.get(name, ()) for word in words):
            raise BadValue(f"cron: {quoted(field)} is no {name}: {use}")
        for part in field.split(","):
            step = part.partition("/")[2]
            if step.isdigit() and not 0 < int(step[:9]) <= FIELDS[name]:
                raise BadValue(f"cron: {quoted(field)} is no {name}: a step goes from 1 to {FIELDS[name]}")
    return " ".join(fields)


def read(text: str, given: str, seconds: bool) -> tuple[Fields, int]:
    """croniter's reading of the fields, and how many hours of the day they name."""
    from croniter import croniter

    try:
        expanded = croniter.expand(text, strict=True)[0]
        hours = 24 if expanded[1] == ["*"] else len(expanded[1])
        return croniter(text, YEAR_2001, ret_type=float), hours
    except (ValueError, KeyError, IndexError, TypeError) as error:
        if "never" in str(error) or "impossible" in str(error).lower() or "day of month" in str(error).lower():
            raise BadValue(
                f"cron: {quoted(given)} never comes: there is no such date: use a day that the month has"
            ) from None
        raise BadValue(f"cron: {quoted(given)} is no cron expression: {SIX if seconds else FIVE}") from None


if TYPE_CHECKING:
    from croniter import croniter as Fields


def zone_of(name: str) -> tzinfo:
    """The time zone of this name. Raises BadValue."""
    from datetime import timezone

    if name == "UTC":
        return timezone.utc  # noqa: UP017 - also where there is no zone data
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError, TypeError):  # ZoneInfoNotFoundError is a KeyError
        raise BadValue(
            f"time zone: {quoted(name)} is not known here: use a name such as Europe/Berlin, America/New_York or UTC"
        ) from None


@lru_cache(maxsize=1000)
def cron(text: str, zone: str, seconds: bool = False) -> Cron:
    """The expression, read once. Raises BadValue."""
    return Cron(text, zone, seconds=seconds)


def local(at: float, zone: str) -> str:
    """A time on the clocks of a zone, ISO 8601 with its offset: `2027-03-28T03:00:00+02:00`. Raises BadValue."""
    from datetime import datetime

    return datetime.fromtimestamp(at, zone_of(zone)).isoformat(timespec="seconds")
