"""The gates a job stands before at a claim: pauses, rates, concurrency. What is read of them is read once a claim."""

from __future__ import annotations

from qctl.rules.limits import KEPT, LEVEL, NO_KEY, SLOTS, Rate
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any

MOST_KNOWN = 1000  # lanes whose limits are kept at hand
HELD = 1.0  # seconds until a place that others hold is looked for again, when no commit tells of it before

COLUMNS = (
    "scope",
    "name",
    "rate",
    "rate_period",
    "rate_burst",
    "rate_key",
    "concurrency",
    "concurrency_key",
    "paused_at",
)
SELECT = "SELECT " + ", ".join(COLUMNS) + " FROM qctl_limits"


class Limit:
    """A row of qctl_limits as a claim needs it."""

    __slots__ = ("concurrency", "concurrency_by_key", "is_paused", "name", "rate", "rate_by_key", "scope")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.scope, self.name, count, period, burst, rate_key, self.concurrency, concurrency_key, paused_at = row
        self.rate = Rate(count, period, burst or 0) if count and period else None
        self.rate_by_key = rate_key is not None
        self.concurrency_by_key = concurrency_key is not None
        self.is_paused = paused_at is not None

    @property
    def by_key(self) -> bool:
        return self.rate_by_key or self.concurrency_by_key


class Rules:
    """The limits that hold for one lane."""

    __slots__ = ("is_keyed", "is_limited", "is_paused", "limits")

    def __init__(self, limits: list[Limit]) -> None:
        self.limits = limits
        self.is_paused = any(one.is_paused for one in limits)
        self.is_limited = any(one.rate is not None or one.concurrency is not None for one in limits)
        self.is_keyed = any(one.by_key for one in limits)


class Limits:
    """All limits of a queue, and `ageing` (seconds that count as one point of priority; 0: none), as of `version`."""

    __slots__ = ("ageing", "all", "closed", "is_free", "known", "queues", "starts", "stops", "types", "version")

    def __init__(self, version: str, rows: Iterable[tuple[Any, ...]], ageing: float) -> None:
        self.version = version
        self.ageing = ageing
        self.types: dict[str, Limit] = {}
        self.queues: dict[str, Limit] = {}
        self.all: Limit | None = None
        self.stops: dict[tuple[int, str, str], str] = {}  # by lane: the key at which the last claim stopped looking
        self.starts: Starts | None = None  # those of the latest claim
        self.closed: dict[
            tuple[str, str, str], float
        ] = {}  # (scope, name, key) of a rate: until when nothing may start
        for row in rows:
            one = Limit(row)
            if one.rate is None and one.concurrency is None and not one.is_paused:
                continue
            if one.scope == "all":
                self.all = one
            else:
                (self.types if one.scope == "type" else self.queues)[one.name] = one
        self.is_free = not (self.types or self.queues or self.all or ageing)
        self.known: dict[tuple[str, str], Rules] = {}

    def of(self, queue: str, type_: str) -> Rules:
        """Those that hold for jobs of a lane."""
        found = self.known.get((queue, type_))
        if found is None:
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            all_ = (self.types.get(type_), self.queues.get(queue), self.all)
            found = self.known[queue, type_] = Rules([one for one in all_ if one is not None])
        return found


NONE = Limits("0", (), 0.0)


def read_limits(connection: sqlite3.Connection, known: Limits) -> Limits:
    """The limits as they are: `known` when nothing changed since, which costs one read of one row."""
    row = connection.execute("SELECT value FROM qctl_settings WHERE name = 'limits_version'").fetchone()
    version = row[0] if row else "0"
    if version == known.version:
        return known
    from qctl.rules.when import parse_duration

    ageing = connection.execute("SELECT value FROM qctl_settings WHERE name = 'ageing'").fetchone()
    return Limits(version, connection.execute(SELECT).fetchall(), parse_duration(ageing[0]) if ageing else 0.0)


class Room:
    """How many jobs a limit lets start now. `opens`: when it is 0, the moment of the next, as far as that is known."""

    __slots__ = ("key", "left", "level", "limit", "opens", "taken")

    def __init__(self, limit: Limit, key: str, left: int, opens: float | None, level: float | None) -> None:
        self.limit = limit
        self.key = key
        self.left = left
        self.opens = opens
        self.level = level  # of a rate: the stored count for bursts, in ms; None: this is no rate
        self.taken = 0


class Gates:
    """The limits in the transaction of one claim at `now` (seconds since the epoch)."""

    __slots__ = ("connection", "limits", "now", "rooms", "running")

    def __init__(self, connection: sqlite3.Connection, limits: Limits, now: float) -> None:
        self.connection = connection
        self.limits = limits
        self.now = now
        self.rooms: dict[tuple[str, str, str, bool], Room] = {}
        self.running: dict[str, dict[str, int]] = {}  # by type: how many run of each key

    def around(self, queue: str, type_: str, key: str | None) -> list[Room]:
        """The rooms that a job must find open. With key None only those that do not depend on one."""
        found = []
        for limit in self.limits.of(queue, type_).limits:
            for by_key, is_rate, there in (
                (limit.rate_by_key, True, limit.rate is not None),
                (limit.concurrency_by_key, False, limit.concurrency is not None),
            ):
                if there and (key is not None or not by_key):
                    found.append(self.room(limit, key if by_key and key is not None else "", is_rate))
        return found

    def room(self, limit: Limit, key: str, is_rate: bool) -> Room:
        name = (limit.scope, limit.name, key, is_rate)
        known = self.rooms.get(name)
        if known is None:
            known = self.rate_room(limit, key) if is_rate else self.places(limit, key)
            self.rooms[name] = known
        return known

    def rate_room(self, limit: Limit, key: str) -> Room:
        assert limit.rate is not None
        closed = self.limits.closed
        until = closed.get((limit.scope, limit.name, key))
        if until is not None:
            if self.now < until <= self.now + 2 * limit.rate.period:
                return Room(limit, key, 0, until, 0)  # nothing opens it before
            del closed[limit.scope, limit.name, key]
        starts = self.connection.execute(sql("starts_of"), (limit.scope, limit.name, key)).fetchall()
        left, opens = limit.rate.room(starts, self.now)
        if opens is not None:
            if len(closed) >= MOST_KNOWN:
                closed.clear()
            closed[limit.scope, limit.name, key] = opens
        return Room(limit, key, left, opens, next((count for slot, count in starts if slot == LEVEL), 0))

    def places(self, limit: Limit, key: str) -> Room:
        if key:
            keys = self.running.get(limit.name)
            if keys is None:
                keys = self.running[limit.name] = {}
                for (one,) in self.connection.execute(sql("running_keys"), (limit.name,)):
                    keys[one or NO_KEY] = keys.get(one or NO_KEY, 0) + 1
            held = keys.get(key, 0)
        else:
            held = self.connection.execute(sql(f"running_of_{limit.scope}"), (limit.name,)).fetchone()[0]
        left = max(0, (limit.concurrency or 0) - held)
        return Room(limit, key, left, None if left else self.now + HELD, None)

    def opens(self, queue: str, type_: str, key: str | None) -> float:
        """When a job of the lane may start as far as its limits go: `now`, or later."""
        return max(
            (room.opens or self.now for room in self.around(queue, type_, key) if not room.left), default=self.now
        )

    def is_open(self, queue: str, type_: str, key: str | None) -> bool:
        return all(room.left for room in self.around(queue, type_, key))

    def admit(self, queue: str, type_: str, key: str | None) -> bool:
        """Take a place in every room around a job, if all have one."""
        rooms = self.around(queue, type_, (key or NO_KEY) if self.limits.of(queue, type_).is_keyed else None)
        if not all(room.left for room in rooms):
            return False
        for room in rooms:
            room.left -= 1
            room.taken += 1
        return True

    def record(self) -> Starts | None:
        """Write down the starts that were admitted, and forget those that count no more. What was written, if anything."""
        noted = Starts(self.now)
        for room in self.rooms.values():
            rate = room.limit.rate
            if not room.taken or room.level is None or rate is None:
                continue
            bucket = (room.limit.scope, room.limit.name, room.key)
            slot = rate.slot(self.now)
            execute = self.connection.execute
            execute(sql("drop_starts"), (*bucket, rate.oldest(self.now) - 1, slot + KEPT))
            execute(sql("add_starts"), (*bucket, slot, room.taken))
            if rate.burst:
                level = rate.level(room.level / 1000, room.taken, self.now)
                execute(sql("set_level"), (*bucket, LEVEL, int(level * 1000) + 1))
            noted.rooms.append((rate, bucket, room.taken))
        return noted if noted.rooms else None


class Starts:
    """The starts that a claim at `now` wrote down. Where they come later than that, they are written down anew, so that
    what counts is when a job began and not how long the disk took: they count meanwhile, so no window ever holds more."""

    __slots__ = ("now", "rooms")

    def __init__(self, now: float) -> None:
        self.now = now
        self.rooms: list[tuple[Rate, tuple[str, str, str], int]] = []

    def are_late(self, begun: float) -> bool:
        """Whether jobs that begin at `begun` are later than a rate has room for: a slot, and as much for the job itself."""
        return any(begun - self.now > rate.period / SLOTS for rate, _bucket, _count in self.rooms)

    def move(self, connection: sqlite3.Connection, begun: float) -> None:
        for rate, bucket, count in self.rooms:
            slot, later = rate.slot(self.now), rate.slot(begun)
            if later > slot:
                connection.execute(sql("add_starts"), (*bucket, slot, -count))
                connection.execute(sql("add_starts"), (*bucket, later, count))
