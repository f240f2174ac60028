"""One run of a job in this worker: the lease, the time it has, what it writes."""

from __future__ import annotations

from qctl.rules.ending import CANCEL, STOPPED, TIMEOUT, Ending, Facts
from qctl.worker.output import Capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qctl.model import Lease, NewJob

KILL_AFTER = 5.0
"""Seconds between asking a job to end and killing it."""


class Run:
    """A run from its start to its ending. `deadline`, `kill_at`: monotonic seconds; `started_at`: epoch seconds.

    `fate` is what we are ending it for (TIMEOUT, CANCEL, STOPPED): that decides, whatever its process then says.
    """

    __slots__ = (
        "capture",
        "deadline",
        "expected",
        "fate",
        "kill_at",
        "latest",
        "lease",
        "limit",
        "mark",
        "shown",
        "since",
        "started_at",
        "time_limit",
    )

    def __init__(self, lease: Lease, time_limit: float, output_limit: int) -> None:
        self.lease = lease
        self.time_limit = time_limit
        self.limit = output_limit
        self.capture: Capture | None = None
        self.started_at = 0.0
        self.deadline: float | None = None
        self.kill_at: float | None = None
        self.fate: str | None = None
        self.mark: str | None = None  # of the handler process in which it came to a forced end
        self.since: float | None = None  # what that started since then is of this run; None: since the run began
        self.shown = False
        self.latest: float | None = None  # until when it may begin, epoch seconds; it tells when it does
        self.expected = 0.0  # seconds that jobs of its type usually take

    def begin(self, now: float, monotonic: float) -> None:
        """Set the clock going: the job starts."""
        self.started_at = now
        self.deadline = monotonic + self.time_limit if self.time_limit else None

    def write(self, stream: int, data: bytes) -> None:
        if self.capture is None:
            self.capture = Capture(self.limit)
        self.capture.feed(stream, data)

    def facts(self) -> Facts:
        lease = self.lease
        # A command dies of its own; what runs a handler is ours, and counts its deaths.
        crashes = 0 if lease.command is None else None
        return Facts(lease.attempts, lease.max_attempts, lease.backoff, lease.rescues, crashes, lease.type, lease.due)

    def ending(
        self,
        how: str,
        now: float,
        *,
        error: str | None = None,
        exit_code: int | None = None,
        result: str | None = None,
        after: float | None = None,
        started_at: float | None = None,
        children: Sequence[NewJob] = (),
    ) -> Ending:
        """The ending, in the light of its fate."""
        if self.fate is not None:
            how, result, after, children = self.fate, None, None, ()
            if how == TIMEOUT:
                from qctl.rules.clock import human

                error = f"timed out after {human(self.time_limit)}"
            elif how == CANCEL:
                error = "cancelled while it ran"
            elif how == STOPPED:
                error = "stopped with its worker"
        return Ending(
            self.lease.number,
            self.lease.token,
            how,
            started_at=self.started_at if started_at is None else started_at,
            finished_at=now,
            error=error,
            exit_code=exit_code,
            result=result,
            after=after,
            children=children,
        )
