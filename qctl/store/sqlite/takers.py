"""Which live workers would take a job: by its queue, its type, and whether they can run that."""

from __future__ import annotations

from qctl.rules.health import ALIVE
from qctl.rules.when import to_text
from qctl.store.sqlite.lock import LifeLocks
from qctl.store.sqlite.sql import sql
from qctl.store.sqlite.workers import dead_workers, stale_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore


class Takers:
    """The live workers at `now`. `reason` says why none of them takes a job, and what would."""

    __slots__ = ("programs", "workers")

    def __init__(self, store: SQLiteStore, now: float) -> None:
        self.workers: list[tuple[set[str], set[str] | None, set[str] | None]] = []  # what it runs, its types and queues
        self.programs: set[str] = set()
        rows = store.read(sql("live_workers"), (to_text(now - ALIVE),))
        if not rows:
            return
        if store.lock is not None and store.life_locks is None:
            store.life_locks = LifeLocks(store.path + "-workers")
        dead = {one.id for one in dead_workers(store, "", now, stale_after(store))}
        self.workers = [
            (names(runs) or set(), names(types), names(queues)) for id_, runs, types, queues in rows if id_ not in dead
        ]
        self.programs = {row[0] for row in store.read("SELECT type FROM qctl_types WHERE command IS NOT NULL")}

    def reason(self, queue: str, type_: str, *, is_command: bool) -> tuple[str, str] | None:
        """(why, the command that helps); None when a worker takes it."""
        if not self.workers:
            needs = "" if is_command or type_ in self.programs else " --handlers MODULE"
            return "no worker is running", f"qctl work{needs}"
        from shlex import quote

        those = [one for one in self.workers if one[2] is None or queue in one[2]]
        if not those:
            return f"no live worker takes queue {queue}", f"qctl work --queue {quote(queue)}"
        those = [one for one in those if one[1] is None or type_ in one[1]]
        if not those:
            return f"no live worker takes type {type_}", f"qctl work --type {quote(type_)}"
        if is_command or type_ in self.programs or any(type_ in one[0] for one in those):
            return None
        return f"no live worker has a handler for {type_}", "qctl work --handlers MODULE"


def names(text: str | None) -> set[str] | None:
    """A JSON array as it stands in the file; None where there is none, or nobody can read it."""
    import json

    try:
        return None if text is None else set(json.loads(text))
    except (ValueError, TypeError):
        return None
