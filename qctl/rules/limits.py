"""Limits: how many jobs may start in a time, how many may run at once. What people type, and what it allows now.

A rate is kept in slots of 1/200 of its period. A start counts until 203 slots have gone by since its job began: so no
window as long as the period ever holds more, and 98 of 100 possible starts happen. Between the claim of a job and its
beginning lies time, which differs: until it is known when it began, a start stands a period ahead, and the job may not
begin later than that. A burst lets that many more start at once; a second count, which falls at the pace of the rate,
keeps the long run at the rate.
"""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.newjob import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

SLOTS = 200  # in a period
KEPT = 203  # slots after which a start counts no more: the period, the slot it lies in, and 1 % for the job's own first steps
LEVEL = -1  # the slot under which the count for bursts is stored: when it will be 0
PARTS = 1_000_000  # of a second since the epoch, in which that is stored: rounded up at each start, it must not add up
NO_KEY = "none"
"""The bucket of jobs whose payload has not got the key."""

MOST = 10**9
UNITS = {"s": 1.0, "sec": 1.0, "second": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0,
         "d": 86_400.0, "day": 86_400.0}  # fmt: skip
RATES = "use N/s, N/m, N/h or N/DURATION, such as 30/m or 5/10s"
PATHS = "use the name of a field, such as customer_id, or a path such as order.customer[0].id"
FIELDS = ("rate", "rate_burst", "rate_key", "concurrency", "concurrency_key")


class Rate:
    """`count` starts in each `period` (seconds), and `burst` more at once."""

    __slots__ = ("burst", "count", "period")

    def __init__(self, count: int, period: float, burst: int = 0) -> None:
        self.count = count
        self.period = period
        self.burst = burst

    def slot(self, now: float) -> int:
        """The slot that `now` (seconds since the epoch) is in."""
        return int(now * SLOTS / self.period)

    def ahead(self, now: float) -> int:
        """The slot for a start that is admitted at `now`, until it is known when its job began."""
        return self.slot(now) + SLOTS

    def oldest(self, now: float) -> int:
        """The first slot whose starts still count."""
        return self.slot(now) - KEPT + 1

    def begin(self, slot: int) -> float:
        """When a slot begins, in seconds since the epoch, a little late rather than early."""
        return slot * self.period / SLOTS + 1e-4

    def room(self, starts: Iterable[tuple[int, int]], now: float) -> tuple[int, float | None]:
        """How many may start at `now`; and when it is 0, the moment of the next.

        `starts`: (slot, count) as stored. Starts of a clock that ran ahead, over a period from now, count no more. For
        one that stands ahead the moment is the earliest there can be, if its job began when it was admitted.
        """
        present = self.slot(now)
        oldest, newest = self.oldest(now), present + KEPT
        level = 0.0
        counted: list[tuple[int, int]] = []
        for slot, count in starts:
            if slot == LEVEL:
                level = count / PARTS
            elif oldest <= slot <= newest:
                counted.append((slot if slot <= present else max(slot - SLOTS, oldest), count))
        most = self.count + self.burst
        room = most - sum(count for _slot, count in counted)
        opens = now
        if room <= 0:
            counted.sort()
            for slot, count in counted:
                room += count
                if room > 0:
                    opens = self.begin(slot + KEPT)
                    break
            room = 0
        if self.burst:
            step = self.period / self.count
            full = most * step
            ahead = level - now
            if 0 < ahead <= full + self.period:
                room = min(room, int((full - ahead) / step + 1e-6))
                if room <= 0:
                    room, opens = 0, max(opens, level - full + step + 1e-3)
        return room, opens if room == 0 else None

    def level(self, before: float, taken: int, now: float) -> float:
        """When the count for bursts will be 0, after `taken` more starts; `before`: the same as stored, 0 for never."""
        step = self.period / self.count
        if not now < before <= now + (self.count + self.burst) * step + self.period:
            before = now
        return before + taken * step


def parse_rate(text: str) -> tuple[int, float]:
    """`30/m` as (30, 60.0): starts, and the seconds in which. Raises BadValue."""
    from qctl.rules.when import parse_duration, quoted

    count, mark, unit = text.strip().partition("/")
    unit = unit.strip().lower()
    if not mark or not count.strip().isascii() or not count.strip().isdigit() or not unit:
        raise BadValue(f"rate: {quoted(text)} is no rate: {RATES}")
    number = whole("rate", count.strip(), 1, MOST)
    period = UNITS.get(unit)
    if period is None:
        try:
            period = parse_duration(unit)
        except BadValue:
            raise BadValue(f"rate: {quoted(text)} is no rate: {RATES}") from None
    if not 1.0 <= period <= 31 * 86_400:
        raise BadValue(f"rate: {quoted(text)}: the time must be between 1s and 31d: {RATES}")
    return number, period


def rate_text(count: int, period: float) -> str:
    """Spell a rate so that parse_rate reads it back: `30/m`, `5/10s`."""
    from qctl.rules.clock import duration_text

    unit = {1.0: "s", 60.0: "m", 3600.0: "h", 86_400.0: "d"}.get(period)
    return f"{count}/{unit or duration_text(period)}"


def parse_path(field: str, text: str) -> str:
    """The path of a value in a payload, as SQLite's JSON functions take it: `$."customer"."id"`. Raises BadValue."""
    from qctl.rules.when import quoted

    rest = text.strip().removeprefix("$.")
    path = "$"
    for part in rest.split("."):
        name, mark, index = part.partition("[")
        if not name or len(rest) > 200 or not all(one.isalnum() or one in "_- " for one in name):
            raise BadValue(f"{field}: {quoted(text)} is no path: {PATHS}")
        path += f'."{name}"'
        while mark:
            digits, close, more = index.partition("]")
            if not (close and digits.isascii() and digits.isdigit() and len(digits) < 10) or more[:1] not in ("", "["):
                raise BadValue(f"{field}: {quoted(text)} is no path: {PATHS}")
            path += f"[{int(digits)}]"
            _, mark, index = more.partition("[")
    return path


def path_text(path: str) -> str:
    """A stored path as it was typed."""
    return path.removeprefix("$.").replace('"', "")


def parse_limits(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of qctl_limits that the fields (FIELDS) set. None leaves one as it is, '' unsets it. Raises BadValue."""
    columns: dict[str, Any] = {}
    for field, value in fields.items():
        if field not in FIELDS:
            raise BadValue(f"{field}: there is no such limit: use {', '.join(FIELDS)}")
        if value is None:
            continue
        text = str(value).strip()
        if field == "rate":
            columns["rate"], columns["rate_period"] = parse_rate(text) if text else (None, None)
            if not text:
                columns["rate_burst"] = columns["rate_key"] = None
        elif not text:
            columns[field] = None
        elif field == "rate_burst":
            columns[field] = whole("rate_burst", text, 0, MOST) or None
        elif field == "concurrency":
            columns[field] = whole("concurrency", text, 1, MOST)
        else:
            columns[field] = parse_path(field, text)
    if columns.get("concurrency", 0) is None:
        columns["concurrency_key"] = None
    return columns


def check_limits(scope: str, limits: Mapping[str, Any]) -> None:
    """Raises BadValue where limits, as they would be stored, do not go together."""
    if limits.get("rate") is None and limits.get("rate_burst") is not None:
        raise BadValue("rate_burst: there is no rate it could belong to: give a rate as well, such as 30/m")
    if limits.get("rate") is None and limits.get("rate_key") is not None:
        raise BadValue("rate_key: there is no rate it could belong to: give a rate as well, such as 30/m")
    if limits.get("concurrency") is None and limits.get("concurrency_key") is not None:
        raise BadValue("concurrency_key: there is no concurrency it could belong to: give one as well, such as 1")
    keys = {limits[name] for name in ("rate_key", "concurrency_key") if limits.get(name) is not None}
    if keys and scope != "type":
        raise BadValue("a key is taken from payloads, which a type has: limit the type by it, not the queue")
    if len(keys) > 1:
        raise BadValue("rate_key and concurrency_key must be the same: a job counts against one key")
