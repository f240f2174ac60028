"""Reading what happened in a window of time: the figures that workers keep, and what they cannot know of."""

from __future__ import annotations

from qctl.rules.sketch import bucket
from qctl.rules.tally import MINUTE, Tally
from qctl.rules.when import from_text, to_text
from qctl.rules.window import Window
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore

SPANS = (3600, 600, 60)
NEWEST = 24_000  # jobs completed by other programs that percentiles are taken from
TAIL = 20_000  # new jobs that are counted one by one; of more, so many are asked when they came
ASKED = 2_000


def read_window(store: SQLiteStore, since: float, until: float, parts: int, now: float | None = None) -> Window:
    """Everything that is known of it at `now` (default: when it ends)."""
    window = Window(since, until, parts)
    for span in SPANS:
        for at, type_, *row in store.read(sql("figures_between"), (span, since - span, until)):
            window.take(type_, at, at + span, row)
    add_elsewhere(store, window)
    add_newest(store, window, until if now is None else now)
    refine(store, window)
    return window


def ended_between(store: SQLiteStore, since: float, until: float) -> tuple[float, float]:
    """How many jobs were completed, and how many attempts failed: as `read_window` says it, without the rest."""
    window = Window(since, until, 1)
    completed = failed = 0.0
    for span in SPANS:
        for at, done, bad in store.read(sql("ended_between"), (span, since - span, until)):
            share = window.share(at, at + span)
            completed += done * share
            failed += bad * share
    elsewhere = store.read(sql("elsewhere"), (to_text(since), to_text(until)))
    return completed + sum(count for _type, count in elsewhere), failed


def add_elsewhere(store: SQLiteStore, window: Window) -> None:
    """Add what other programs completed, and what was cancelled, as long as the jobs are there.

    Percentiles are from the newest jobs of each part.
    """
    length = (window.until - window.since) / window.parts
    for part in range(window.parts):
        begin, end = window.since + part * length, window.since + (part + 1) * length
        bounds = to_text(begin), to_text(end)
        window.cancelled[part] = store.read(sql("cancelled_between"), bounds)[0][0]
        counts = dict(store.read(sql("elsewhere"), bounds))
        if not counts:
            continue
        found = {type_: Tally() for type_ in counts}
        first = end
        for type_, waited, ran, at in store.read(sql("ends_elsewhere"), (*bounds, NEWEST // window.parts)):
            if at is None:
                continue  # an UPDATE from elsewhere may have written an end that is no time: it has no place here
            one = found[type_]
            one.completed += 1
            first = min(first, at)
            for counted, took in ((one.run, ran), (one.wait, waited)):
                if took is not None:
                    place = bucket(took)
                    counted[place] = counted.get(place, 0) + 1
        for type_, one in found.items():
            if one.completed:
                scaled = Tally()
                scaled.add(one, counts[type_] / one.completed)
                window.add(type_, min(first, end), min(first, end), scaled)


def add_newest(store: SQLiteStore, window: Window, now: float) -> None:
    """Add the jobs that were enqueued since a worker counted last."""
    from qctl.store.sqlite.upkeep import arrivals, begin, newest, seen

    first, last = seen(store), newest(store)
    if last <= first:
        return
    if last - first <= TAIL:
        found = arrivals(store, first, last, now)
    else:
        step = (last - first) / ASKED
        numbers = [first + int((place + 1) * step) for place in range(ASKED)]
        rows = store.read(sql("arrivals_among"), (str(numbers),))
        found = [(begin(minute, now), type_, step * count) for minute, type_, count in rows]
    for at, type_, count in found:
        one = Tally()
        one.enqueued = count
        window.add(type_, at, at + MINUTE, one)


def refine(store: SQLiteStore, window: Window) -> None:
    """Say when anything completed first, better than by the minute, as long as that job is there."""
    if window.first is None:
        return
    begin = max(window.first, window.since)
    text = store.read(sql("first_completed"), (to_text(begin),))[0][0]
    if text is not None and text < to_text(begin + MINUTE):
        window.first = from_text(text)
