"""The figures that are served: read anew for each request while the queue is small; of a large one those of a moment ago.

To count millions of jobs takes a good part of a second. While anybody asks, a thread does so again and again, with pauses
that are many times as long, and a request gets what was read last.
"""

from __future__ import annotations

import threading
import time

from qctl.model import QctlError
from qctl.queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Figures = tuple[dict[str, Any], dict[str, Any], float]  # stats, health, and when they were read

PATIENCE = 5.0  # seconds that a request waits for a queue file that is locked
SMALL = 50_000  # numbers of jobs, from the oldest to the newest, up to which nothing is kept
SHARE = 20  # reading takes at most one part in so many of the time, unless it takes seconds
SOONEST = 1.0  # seconds between two readings, at least
OLDEST = 30.0  # seconds after which what was read is not told any more
IDLE = 180.0  # seconds after the latest request in which news are still read


class Snapshot:
    """The figures of the queue file at `path`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.kept: Figures | None = None
        self.lock = threading.Lock()  # one request reads, the others wait for that
        self.asked_at = 0.0
        self.reader: threading.Thread | None = None

    def figures(self) -> Figures:
        """The figures, at most OLDEST seconds old. Raises QctlError."""
        self.asked_at = time.monotonic()
        kept = self.kept
        if kept is not None and time.time() - kept[2] < OLDEST:
            return kept
        with self.lock:
            kept = self.kept
            if kept is not None and time.time() - kept[2] < OLDEST:
                return kept
            with Queue(self.path, busy_timeout=PATIENCE, create=False) as queue:
                found = read(queue)
                if not queue.is_small(SMALL):
                    self.kept = found
                    self.follow()
                return found

    def follow(self) -> None:
        """See to it that news are read."""
        if self.reader is None or not self.reader.is_alive():
            self.reader = threading.Thread(target=self.again, name="qctl-snapshot", daemon=True)
            self.reader.start()

    def again(self) -> None:
        """Read the news until nobody asks for them, or they are quickly read; on a fault, too: a request will tell it."""
        pause = SOONEST
        while time.monotonic() - self.asked_at < IDLE:
            time.sleep(pause)
            begun = time.monotonic()
            try:
                with Queue(self.path, busy_timeout=PATIENCE, create=False) as queue:
                    found = None if queue.is_small(SMALL) else read(queue)
            except QctlError:
                found = None
            self.kept = found
            if found is None:
                return
            pause = pause_after(time.monotonic() - begun)
        self.kept = None


def pause_after(took: float) -> float:
    """Until the next reading, after one that took so long: it has to end while what was read before it can be told."""
    return max(SOONEST, min(took * SHARE, max(took, OLDEST - 3 * took)))  # the next may take twice as long


def read(queue: Queue) -> Figures:
    now = time.time()
    return queue.stats(), queue.health(), now
