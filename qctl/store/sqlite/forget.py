"""Forgetting what was done once: the marks in `processed_jobs`, from the age that the setting `purge.once` says."""

from __future__ import annotations

import time

from qctl.rules.when import parse_duration, to_text
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore

CHUNK = 2000
OFF = "off"


def forget(store: SQLiteStore, now: float, deadline: float | None, dry_run: bool) -> int:
    """Delete the marks that are too old, in short chunks, up to `deadline` in monotonic seconds; how many there were.

    They are walked in the order they were made: as soon as a chunk has none that is old enough, there is an end of it.
    """
    said = store.setting("purge.once") or OFF
    if said == OFF or not store.read("SELECT 1 FROM sqlite_master WHERE name = 'processed_jobs'"):
        return 0
    limit = to_text(max(0.0, now - parse_duration(said)))
    total = after = 0
    while deadline is None or time.monotonic() < deadline:
        rows = store.read(sql("marks_after"), (after, CHUNK))
        old = [row[0] for row in rows if row[1] < limit]
        if not old:
            break
        if dry_run:
            total += len(old)
        else:
            with store.write() as connection:
                total += connection.execute(sql("forget_marks"), (old[0], old[-1], limit)).rowcount
            store.tidy()
        after = rows[-1][0]
    return total
