"""The gates a job stands before at a claim: pauses, rates, concurrency. What is read of them is read once a claim."""

from __future__ import annotations

from qctl.rules.limits import KEPT, LEVEL, NO_KEY, PARTS, Rate
from qctl.rules.when import to_text
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any

    from qctl.store.sqlite.store import SQLiteStore

    Rated = tuple[Rate, tuple[str, str, str]]  # with scope, name and key

RUNNING = {"type": "running_of_type", "queue": "running_of_queue"}
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

    __slots__ = (
        "ageing",
        "all",
        "closed",
        "crowded",
        "crowded",
        "has_expired",
        "is_free",
        "known",
        "queues",
        "starts",
        "stops",
        "types",
        "version",
    )

    def __init__(self, version: str, rows: Iterable[tuple[Any, ...]], ageing: float) -> None:
        self.version = version
        self.ageing = ageing
        self.types: dict[str, Limit] = {}
        self.queues: dict[str, Limit] = {}
        self.all: Limit | None = None
        self.crowded: set[tuple[int, str, str]] = set()  # lanes limited by key whose first jobs had full keys
        self.stops: dict[tuple[int, str, str], str] = {}  # by lane: the key at which the last claim stopped looking
        self.has_expired = False  # whether some waiting job's time to start is over
        self.starts: Starts | None = None  # those of the latest claim
        self.closed: dict[
            tuple[str, str, str], float
        ] = {}  # (scope, name, key) of a rate: until when nothing may start
        for row in rows:
            one = Limit(row)
            if one.scope == "all":
                one.rate = one.concurrency = None  # only a pause holds for everything
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


def read_limits(connection: sqlite3.Connection, known: Limits | None, now: str) -> Limits:
    """The limits as they are: `known` when nothing changed since, which costs one read of one row."""
    row = connection.execute(sql("gates_version"), (now,)).fetchone() or ("", 1)
    if known is None or row[0] != known.version:
        from qctl.rules.when import parse_duration

        ageing = connection.execute("SELECT value FROM qctl_settings WHERE name = 'ageing'").fetchone()
        known = Limits(row[0], connection.execute(SELECT).fetchall(), parse_duration(ageing[0]) if ageing else 0.0)
    known.has_expired = bool(row[1])
    return known


class Room:
    """How many jobs a limit lets start now. `opens`: when it is 0, the moment of the next, as far as that is known."""

    __slots__ = ("key", "left", "level", "limit", "opens", "taken")

    def __init__(self, limit: Limit, key: str, left: int, opens: float | None, level: float | None) -> None:
        self.limit = limit
        self.key = key
        self.left = left
        self.opens = opens
        self.level = level  # of a rate: the stored count for bursts; None: this is no rate
        self.taken = 0


class Gates:
    """The limits in the transaction of one claim at `now` (seconds since the epoch)."""

    __slots__ = ("connection", "limits", "now", "rated", "rooms", "running")

    def __init__(self, connection: sqlite3.Connection, limits: Limits, now: float) -> None:
        self.connection = connection
        self.limits = limits
        self.now = now
        self.rated: dict[int, list[Rated]] = {}  # by number: the rates that a job admitted counts against
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
        if opens is not None and all(slot <= limit.rate.slot(self.now) for slot, _count in starts):
            # Nothing opens it before; of a start that stands ahead one may hear at any time that it came to nothing.
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
            held = self.connection.execute(sql(RUNNING[limit.scope]), (limit.name,)).fetchone()[0]
        left = max(0, (limit.concurrency or 0) - held)
        return Room(limit, key, left, None if left else self.now + HELD, None)

    def opens(self, queue: str, type_: str, key: str | None) -> float:
        """When a job of the lane may start as far as its limits go: `now`, or later."""
        return max(
            (room.opens or self.now for room in self.around(queue, type_, key) if not room.left), default=self.now
        )

    def is_open(self, queue: str, type_: str, key: str | None) -> bool:
        return all(room.left for room in self.around(queue, type_, key))

    def admit(self, number: int, queue: str, type_: str, key: str | None) -> bool:
        """Take a place in every room around a job, if all have one."""
        rooms = self.around(queue, type_, (key or NO_KEY) if self.limits.of(queue, type_).is_keyed else None)
        if not all(room.left for room in rooms):
            return False
        for room in rooms:
            room.left -= 1
            room.taken += 1
            if room.level is not None and room.limit.rate is not None:
                bucket = (room.limit.scope, room.limit.name, room.key)
                self.rated.setdefault(number, []).append((room.limit.rate, bucket))
        return True

    def record(self, *, ahead: bool) -> Starts | None:
        """Write down the starts that were admitted, and forget those that count no more. With `ahead` they stand ahead,
        and what is given back writes down when they came, each by itself."""
        for room in self.rooms.values():
            rate = room.limit.rate
            if not room.taken or room.level is None or rate is None:
                continue
            bucket = (room.limit.scope, room.limit.name, room.key)
            slot = rate.slot(self.now)
            execute = self.connection.execute
            execute(sql("drop_starts"), (*bucket, rate.oldest(self.now) - 1, slot + KEPT))
            execute(sql("add_starts"), (*bucket, rate.ahead(self.now) if ahead else slot, room.taken))
            if rate.burst:
                level = rate.level(room.level / PARTS, room.taken, self.now)
                execute(sql("set_level"), (*bucket, LEVEL, int(level * PARTS) + 1))
        return Starts(self.now, self.rated) if ahead and self.rated else None


class Starts:
    """The starts that a claim at `now` wrote down ahead, by the numbers of their jobs."""

    __slots__ = ("now", "rated")

    def __init__(self, now: float, rated: dict[int, list[Rated]]) -> None:
        self.now = now
        self.rated = rated

    def latest(self, number: int) -> float:
        """Until when the job may begin."""
        return self.now + min(rate.period for rate, _bucket in self.rated[number])

    def move(self, connection: sqlite3.Connection, number: int, begun: float | None) -> None:
        """Write down when a job began, epoch seconds; None: it did not, and its start counts no more."""
        for rate, bucket in self.rated[number]:
            # Not there any more: the rate was set anew meanwhile, or so long ago that the start counts no more.
            was = connection.execute(sql("take_start"), (*bucket, rate.ahead(self.now))).rowcount
            if was and begun is not None:
                connection.execute(sql("add_starts"), (*bucket, rate.slot(begun), 1))


def forget_starts(store: SQLiteStore, now: float) -> None:
    """Delete the starts that count against no rate any more, those of keys that never come again included."""
    limits = store.limits(to_text(now))
    for one in (*limits.types.values(), *limits.queues.values()):
        if one.rate is not None:
            with store.write() as connection:
                connection.execute(sql("forget_starts"), (one.scope, one.name, one.rate.oldest(now), int(now * PARTS)))
