"""How many jobs to take at a time: it follows the measured length of the jobs."""

from __future__ import annotations

AHEAD = 0.010
"""Seconds of work that may lie ready behind a job in progress: less than anybody notices, more than a commit takes."""

MOST = 256
"""Jobs that one process is given ahead at the most."""

LONG = 0.030
"""Seconds after which jobs behind one in progress go back to the queue, where another slot may be free."""

WEIGHT = 0.2

OVERHEAD = 40e-6
"""Seconds that even the shortest job costs the worker."""


class Pace:
    """The usual length of the jobs of each type, in seconds: a moving average. An unknown type is taken for long."""

    __slots__ = ("lengths", "overall")

    def __init__(self) -> None:
        self.lengths: dict[str, float] = {}
        self.overall = 1.0

    def learn(self, type_: str, seconds: float) -> None:
        seconds = max(seconds, OVERHEAD)
        before = self.lengths.get(type_)
        # A longer one counts at once and whole, so that a batch never follows yesterday's length for long.
        self.lengths[type_] = (
            seconds if before is None or seconds > before * 4 else before + (seconds - before) * WEIGHT
        )
        self.overall += (seconds - self.overall) * WEIGHT

    def length(self, type_: str) -> float:
        return self.lengths.get(type_, 1.0)

    def ahead(self, slots: int) -> int:
        """How many jobs may lie ready behind those in `slots` slots."""
        return min(MOST, int(AHEAD / self.overall) * slots) if self.overall < AHEAD else 0
