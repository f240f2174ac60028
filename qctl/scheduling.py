"""Scheduling: recurring jobs. The part of `Queue` about schedules."""

from __future__ import annotations

import time

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from qctl.model import NewJob
    from qctl.store.sqlite.store import SQLiteStore

UNFIT = ("id", "at", "in", "delay")  # options of one job, which a schedule cannot give to each of its own


class Scheduling:
    """Keeps schedules: each makes a job at every tick, once, whatever the number of workers that fire it."""

    store: SQLiteStore

    if TYPE_CHECKING:

        def prepare(self, fields: dict[str, Any], now: float) -> NewJob: ...

    def add_schedule(
        self,
        type: str | None,
        expression: str,
        payload: Mapping[str, Any] | str | None = None,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        catch_up: str = "latest",
        overlap: str = "skip",
        seconds: bool = False,
        **options: Any,
    ) -> str:
        """Store a schedule; its name (default: the type, made unique).

            queue.add_schedule("send_report", "0 3 * * mon-fri", {"to": "ana@example.com"}, time_zone="Europe/Berlin")

        `expression`: five fields (minute hour day month weekday) or `@hourly` and kin; six with `seconds`, which stand
        last. `time_zone`: a name (default: that of this machine). `catch_up`: which ticks missed in a downtime get a job:
        `latest`, `all` (the newest 100) or `none`. `overlap`: `skip` a tick while a job of an earlier one has not ended,
        or `allow`. `options`: as in `enqueue`, `command` and `shell` included, but for `id`, `at` and `in`.

        Raises BadValue for what is not accepted, a date that never comes and a name that is taken.
        """
        from qctl.rules.catchup import POLICIES
        from qctl.rules.cron import Cron
        from qctl.rules.newjob import name as checked_name
        from qctl.store.sqlite.cron import add_schedule
        from qctl.zone import local_zone

        for key in UNFIT:
            if options.get(key) is not None:
                raise BadValue(f"{key}: a schedule makes many jobs: it is for a single one")
        if catch_up not in POLICIES:
            raise BadValue(f"catch_up: {str(catch_up)[:40]!r} is no policy: use {', '.join(POLICIES)}")
        if overlap not in ("skip", "allow"):
            raise BadValue(f"overlap: {str(overlap)[:40]!r} is no policy: use skip or allow")
        now = time.time()
        job = self.prepare({**options, "type": type, "payload": payload}, now)
        zone = local_zone() if time_zone is None else time_zone
        plan = {
            "expression": Cron(expression, zone, seconds=seconds).text if expression[:1] != "@" else expression.strip(),
            "zone": zone,
            "seconds": seconds,
            "catch_up": catch_up,
            "overlap": overlap,
            "name": None if name is None else checked_name("name", name),
        }
        return add_schedule(self.store, job, plan, now)

    def schedules(self) -> list[dict[str, Any]]:
        """All schedules by name: the row of `cron_schedules`, `last_status`, `last_started_at` and `last_error` of the
        latest job, and `warning` (None when all is well)."""
        from qctl.store.sqlite.cron import schedules

        return schedules(self.store, time.time())

    def schedule(self, name: str) -> dict[str, Any]:
        """The schedule of this name (or id, or type if it is the only one of it). Raises NotFound."""
        from qctl.store.sqlite.cron import find_schedule

        return find_schedule(self.store, name, time.time())

    def next_ticks(self, name: str, count: int = 5, after: float | None = None) -> list[float]:
        """The next ticks of a schedule after a time (default: now), seconds since the epoch, paused or not.

        Raises NotFound, and BadValue when its expression is none."""
        from qctl.rules.cron import cron

        row = self.schedule(name)
        one = cron(row["cron_expression"], zone_of_row(row), bool(row["seconds"]))
        at = time.time() if after is None else after
        found: list[float] = []
        while len(found) < count:
            at = one.next(at)
            found.append(at)
        return found

    def pause_schedule(self, name: str) -> bool:
        """Let a schedule rest; False when it did already. The ticks of the meantime are not caught up."""
        from qctl.store.sqlite.cron import pause_schedule

        return pause_schedule(self.store, self.schedule(name)["id"])

    def resume_schedule(self, name: str) -> bool:
        """Let a schedule tick again, from the next tick on; False when it was not paused."""
        from qctl.store.sqlite.cron import resume_schedule

        row = self.schedule(name)
        return resume_schedule(self.store, row, zone_of_row(row), time.time())

    def run_schedule(self, name: str) -> int:
        """Make a job of a schedule now, apart from its ticks, also while it is paused; the job's number."""
        from qctl.store.sqlite.cron import run_schedule

        return run_schedule(self.store, self.schedule(name), time.time())

    def fire_schedules(self, now: float) -> list[int]:
        """Make the jobs of the schedules that are due, as any worker does; their numbers. `now`: seconds since the epoch.

        Raises BadValue for a schedule that cannot tick, after it was set aside."""
        from qctl.store.sqlite.tick import fire
        from qctl.zone import own_zone

        numbers: list[int] = []
        while True:
            fired = fire(self.store, now, own_zone())
            numbers += fired.numbers
            for name, why in fired.errors:
                raise BadValue(f"schedule {name}: {why}")
            if fired.next_at is None or fired.next_at > now:
                return numbers

    def remove_schedule(self, name: str) -> None:
        """Delete a schedule; the jobs it made stay. Raises NotFound."""
        from qctl.store.sqlite.cron import remove_schedule

        remove_schedule(self.store, self.schedule(name)["id"])


def zone_of_row(row: Mapping[str, Any]) -> str:
    from qctl.zone import local_zone

    return str(row["time_zone"] or local_zone())
