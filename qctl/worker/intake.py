"""What a worker may take in: the room it has, for which jobs, and the claim that fills it."""

from __future__ import annotations

import time

from qctl.rules.when import from_text, to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from qctl.model import Lease
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.worker.control import Control
    from qctl.worker.hardship import Hardship
    from qctl.worker.options import Options
    from qctl.worker.supply import Supply
    from qctl.worker.typebook import TypeBook


class Intake:
    """The room of one worker. `ended` gives the number of runs that have ended, written down or not."""

    def __init__(
        self,
        store: SQLiteStore,
        worker: str,
        options: Options,
        supply: Supply,
        types: TypeBook,
        control: Control,
        hardship: Hardship,
        ended: Callable[[], int],
    ) -> None:
        self.store = store
        self.worker = worker
        self.options = options
        self.supply = supply
        self.pool = supply.pool
        self.wide = supply.wide
        self.types = types
        self.control = control
        self.hardship = hardship
        self.ended = ended

    def free_slots(self) -> int:
        """Slots in which nothing runs, as far as more may be started."""
        if self.control.stop_at is not None or self.hardship.is_short:
            return 0
        free = self.options.concurrency - self.supply.busy()
        if self.options.max_jobs is not None:
            under_way = self.ended() + len(self.wide.runs) + self.options.concurrency - free
            free = min(free, self.options.max_jobs - under_way)
        return max(0, free)

    def ahead(self) -> int:
        """How many jobs more than there are free slots are worth a claim."""
        return self.supply.ahead() if self.options.max_jobs is None and self.control.stop_at is None else 0

    def wide_room(self) -> list[tuple[set[str], int]]:
        """The types that the wide process has room for, and for how many jobs of them."""
        if not self.pool.types or self.control.stop_at is not None or self.hardship.is_short:
            return []
        room = [(names - self.types.commands.keys(), most) for names, most in self.wide.types()]
        if self.options.max_jobs is not None:
            left = self.options.max_jobs - self.ended() - len(self.wide.runs)
            room = [(names, min(most, left)) for names, most in room[:1] if left > 0]
        return room

    def narrow_types(self) -> Any:
        """The types whose jobs have a process of their own while they run."""
        if self.options.threads:
            return self.types.commands
        types = self.types.runnable
        if not self.pool.coroutines:
            return types
        return types.keys() - (self.pool.coroutines - self.types.commands.keys())

    def is_hungry(self) -> bool:
        """Whether a slot is free for which nothing has been claimed."""
        return self.free_slots() > len(self.supply.waiting)

    def claim(self, most: int, handlers: Any, *, ready: int, commands: bool = True) -> list[Lease]:
        """Lease jobs in the open transaction; `ready` of them can begin at once."""
        leases = self.store.claim(
            self.worker,
            most,
            to_text(time.time()),  # not that of the turn: the wait for the lock may have taken long
            handlers=handlers,
            types=self.options.types,
            queues=self.options.queues,
            defaults=self.types.defaults,
            commands=commands,
            ready=ready,
        )
        starts = self.store.taken_starts()
        if starts is not None:
            self.pool.begun.claimed.append(starts)
        return leases

    def ready(self, missing: int) -> int:
        """How many of the jobs claimed would start at once: only so many limited ones are taken."""
        if missing <= 0 or not self.pool.own or self.is_free():
            return max(0, missing)
        return min(missing, self.pool.ready())

    def wide_ready(self, most: int) -> int:
        """The same for the wide process."""
        return most if self.is_free() else self.wide.ready(most)

    def is_free(self) -> bool:
        """Whether nothing was limited at the latest claim, or is now. The claim itself goes by what then holds; a limit set
        since then finds one batch that may begin a little later than its starts were counted."""
        return (self.store.known_limits or self.store.limits()).is_free

    def next_due(self, *, anything: bool = False) -> float | None:
        """When the next job that there is room for is due; with `anything`, whether there is room or not."""
        narrow = anything or self.is_hungry()
        handlers: Any = self.types.runnable if anything else self.narrow_types() if narrow else ()
        room = [] if anything else self.wide_room()
        if room:
            handlers = set(handlers).union(*[names for names, _most in room])
        text = self.store.next_due(
            handlers=handlers, types=self.options.types, queues=self.options.queues, commands=narrow
        )
        return None if text is None else from_text(text)
