"""The one decision about a job that ended: where it goes next, whatever ended it."""

from __future__ import annotations

from qctl.model import BLOCKED, CANCELLED, COMPLETED, FAILED, PENDING
from qctl.rules.backoff import DEFAULT, parse_backoff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qctl.model import NewJob
    from qctl.rules.backoff import Backoff

# How an attempt ended.
SUCCEEDED = "completed"
ERROR = "failed"  # an exception, or an exit status that is not 0
TIMEOUT = "timeout"
CRASH = "crashed"  # the process that ran it died
RETRY = "retried"  # the job asked for another attempt, at its own time
SNOOZE = "snoozed"  # the job asked to run later, without using an attempt
DEAD = "dead"  # the job said that no further attempt can help
CANCEL = "cancelled"  # somebody cancelled it
STOPPED = "stopped"  # its worker was told to stop
LOST = "lost"  # its worker died
RELEASED = "released"  # its worker died and did not run it then: it waited there, or had just ended
RESTARTED = "restarted"  # its machine was restarted, and the worker went with it
SKIPPED = "skipped"  # a step whose condition did not hold: it counts as completed
FANNED = "fanned out"  # a step with a foreach: it waits for the jobs that were made of it

MAX_RESCUES = 10
"""Deaths of a whole worker that a job may be part of: each costs it no attempt, but it may not go on for ever."""

MAX_CRASHES = 3
"""Deaths of the process that runs handlers, after which no further attempt is made, whatever is left of them."""


class Ending:
    """How one run of a job ended.

    `number`, `token`: the job, and the lease under which it ran. `how`: one of the words above. `after`: seconds to
    wait, where the job said it (RETRY, SNOOZE). `started_at`, `finished_at`: seconds since the epoch. `children`: jobs
    to be stored with its completion.
    """

    __slots__ = (
        "after",
        "children",
        "error",
        "exit_code",
        "finished_at",
        "how",
        "number",
        "result",
        "started_at",
        "token",
    )

    def __init__(
        self,
        number: int,
        token: int,
        how: str,
        *,
        started_at: float,
        finished_at: float,
        error: str | None = None,
        exit_code: int | None = None,
        result: str | None = None,
        after: float | None = None,
        children: Sequence[NewJob] = (),
    ) -> None:
        self.children = children
        self.number = number
        self.token = token
        self.how = how
        self.started_at = started_at
        self.finished_at = finished_at
        self.error = error
        self.exit_code = exit_code
        self.result = result
        self.after = after


class Facts:
    """What the decision needs to know of the job. `attempts` counts the one that ended; `crashes` is how many processes
    of ours had died of it before this run, None for what has a process of its own: a command.

    `type`, and `due`, since when it could have started (stored text), are for the figures; None: they are looked up.
    """

    __slots__ = ("attempts", "backoff", "crashes", "due", "max_attempts", "rescues", "type")

    def __init__(
        self,
        attempts: int,
        max_attempts: int,
        backoff: str | None,
        rescues: int = 0,
        crashes: int | None = None,
        type: str | None = None,
        due: str | None = None,
    ) -> None:
        self.attempts = attempts
        self.max_attempts = max_attempts
        self.backoff = backoff
        self.rescues = rescues
        self.crashes = crashes
        self.type = type
        self.due = due


class Move:
    """The next state: `status`, `attempts` and `rescues` as they shall stand, `due_at` when it goes back to pending."""

    __slots__ = ("attempts", "due_at", "error", "rescues", "status")

    def __init__(self, status: str, attempts: int, rescues: int, due_at: float | None, error: str | None) -> None:
        self.status = status
        self.attempts = attempts
        self.rescues = rescues
        self.due_at = due_at
        self.error = error


def decide(ending: Ending, facts: Facts, random: Callable[[], float]) -> Move:
    """The move that follows from an ending.

    An attempt was used, unless the job was snoozed, stopped, lost with its worker, or did not run at all. The death of a
    worker is charged lightly to what it ran, MAX_RESCUES of them end a job; the death of the process that ran it costs the attempt, and
    MAX_CRASHES of them end it; a restart of the machine and a stop of our own cost nothing. `random` gives 0..1, for jitter.
    """
    how, attempts, rescues = ending.how, facts.attempts, facts.rescues
    now = ending.finished_at
    if how == SUCCEEDED:
        return Move(COMPLETED, attempts, 0, None, None)
    if how == CANCEL:
        return Move(CANCELLED, attempts, rescues, None, ending.error)
    if how == SKIPPED:
        return Move(COMPLETED, max(attempts - 1, 0), 0, None, ending.error)
    if how == FANNED:
        return Move(BLOCKED, max(attempts - 1, 0), rescues, None, None)
    if how == DEAD:
        return Move(FAILED, attempts, rescues, None, ending.error)
    if how in (STOPPED, RESTARTED, RELEASED):
        return Move(PENDING, max(attempts - 1, 0), rescues, now, ending.error)
    if how == LOST:
        rescues += 1
        attempts = max(attempts - 1, 0)
        if rescues >= MAX_RESCUES:
            return Move(FAILED, attempts, rescues, None, f"{ending.error} ({rescues} times: given up)")
        return Move(PENDING, attempts, rescues, now, ending.error)
    if how == SNOOZE:
        wait = ending.after if ending.after is not None else backoff_of(facts).delay(max(attempts, 1), random)
        return Move(PENDING, max(attempts - 1, 0), rescues, now + wait, ending.error)
    if how == CRASH and facts.crashes is not None and facts.crashes + 1 >= MAX_CRASHES:
        return Move(FAILED, attempts, rescues, None, f"{ending.error} ({facts.crashes + 1} times: given up)")
    if attempts >= facts.max_attempts:
        return Move(FAILED, attempts, rescues, None, ending.error)
    wait = ending.after if ending.after is not None else backoff_of(facts).delay(max(attempts, 1), random)
    return Move(PENDING, attempts, rescues, now + wait, ending.error)


def heed_cancel(move: Move) -> Move:
    """The move instead of one back to pending, when somebody cancelled the job while it ran."""
    return Move(CANCELLED, move.attempts, move.rescues, None, move.error or "cancelled")


def backoff_of(facts: Facts) -> Backoff:
    """The job's own backoff, or the default; a text that plain SQL put there and nobody can read counts as none."""
    if not facts.backoff:
        return DEFAULT
    try:
        return parse_backoff(facts.backoff)
    except ValueError:
        return DEFAULT
