"""Catching up: which ticks of a schedule are still worth a job, after a delay, a downtime or a clock that jumped."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Next = Callable[[float], float]  # the first tick after a time

LATEST, ALL, NONE = "latest", "all", "none"
POLICIES = (LATEST, ALL, NONE)

LATE = 3.0  # seconds: a tick so little ago is late and not missed, whatever the policy
MISSED = 60.0  # seconds after which `none` lets a tick go
MOST = 100  # ticks that `all` makes up for at once, the newest


def ticks_due(next_tick: Next, first: float, now: float, policy: str) -> list[float]:
    """The ticks from `first`, the earliest that has not fired, to `now` that get a job, in order.

    `latest`: the latest, `all`: the newest 100, `none`: the latest if it is less than a minute ago; always those
    of the last three seconds. Costs a few questions to `next_tick`, however long ago `first` is.
    """
    if first > now:
        return []
    if policy == ALL:
        return newest(next_tick, first, now)
    last = latest(next_tick, first, now)
    if policy == NONE and last <= now - MISSED:
        return []
    ticks = ticks_after(next_tick, max(first, now - LATE), now)
    if first > now - LATE:
        ticks.insert(0, first)
    return ticks or [last]


def latest(next_tick: Next, first: float, now: float) -> float:
    """The last tick up to `now`; `first` is one."""
    tick, none_from = first, now  # no tick lies after `none_from`, up to now
    after = next_tick(tick)
    while after <= now:
        tick = after
        middle = (tick + none_from) / 2
        found = next_tick(middle)
        if found <= now:
            tick = found
        else:
            none_from = middle
        after = next_tick(tick)
    return tick


def newest(next_tick: Next, first: float, now: float) -> list[float]:
    """The newest MOST ticks from `first`, which is one, to `now`."""
    reach = 60.0
    while now - reach > first:
        ticks = ticks_after(next_tick, now - reach, now)
        if len(ticks) >= MOST:
            return ticks[-MOST:]
        reach *= 2
    return [first, *ticks_after(next_tick, first, now)][-MOST:]


def ticks_after(next_tick: Next, start: float, now: float) -> list[float]:
    ticks: list[float] = []
    tick = next_tick(start)
    while tick <= now:
        ticks.append(tick)
        tick = next_tick(tick)
    return ticks
