"""The words of the domain: statuses, what a job is, and every error with its exit code. Pure data."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PENDING = "pending"
BLOCKED = "blocked"
PROCESSING = "processing"
COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"

STATUSES = (PENDING, BLOCKED, PROCESSING, COMPLETED, FAILED, CANCELLED)
UNFINISHED = (PENDING, BLOCKED, PROCESSING)
FINISHED = (COMPLETED, FAILED, CANCELLED)

PRIORITIES = {"low": 0, "normal": 5, "high": 10, "critical": 20}

COMMAND_TYPE = "command"
DEFAULT_QUEUE = "default"
DEFAULT_MAX_ATTEMPTS = 5

KEY_HELD = "kept from running, as its key is held by job "  # followed by that job's number

OK = 0
NO = 1
USAGE = 2
MISSING = 3
UNUSABLE = 4
LOCKED = 5
WAITED = 124
INTERRUPTED = 130


class QctlError(Exception):
    """An error a person can act on: one line, and the exit code that goes with it (contract, section 2)."""

    exit_code = NO


class BadValue(QctlError, ValueError):
    """A value that is not accepted; the message says which, and what is (exit 2)."""

    exit_code = USAGE


class NotFound(QctlError, LookupError):
    """No such job, type, schedule or entry (exit 3)."""

    exit_code = MISSING


class QueueFileError(QctlError):
    """The queue file cannot be used: not a queue, corrupt, newer schema, no permission, disk full (exit 4)."""

    exit_code = UNUSABLE


class DiskFault(QueueFileError):
    """The disk is full or failing: what is right now may work later."""


class Outdated(QueueFileError):
    """The queue file is of a newer schema than this qctl knows."""


class FateUnknown(DiskFault):
    """A commit failed when it was made sure of: what it held may be stored, or not."""


class QueueLocked(QctlError):
    """The queue file stayed locked beyond the busy timeout (exit 5)."""

    exit_code = LOCKED


class TimedOut(QctlError):
    """A wait ran out before its end came (exit 124)."""

    exit_code = WAITED


class Job:
    """One job as it stood when it was read.

    `data` is the `jobs` row by column name; every column is also an attribute (`job.number`, `job.status`,
    `job.last_error`). Times are UTC text `YYYY-MM-DD HH:MM:SS.sss`; `payload` and `result` are decoded JSON.
    """

    __slots__ = ("data",)

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = dict(data)

    def __getattr__(self, name: str) -> Any:
        try:
            value = self.data[name]
        except KeyError:
            raise AttributeError(f"a job has no column {name!r}") from None
        if name in ("payload", "result", "command", "env", "tags", "plan") and isinstance(value, str):
            import json

            return json.loads(value)
        return value

    def __repr__(self) -> str:
        return f"<Job {self.data.get('number')} {self.data.get('type')} {self.data.get('status')}>"


class NewJob:
    """A job to be stored. Every field may be left out but `type`; None means the schema's default.

    `payload`, `command`, `env`, `tags` are JSON text; `scheduled_at`, `expires_at`, `tick` UTC text; `timeout` seconds.
    `priority` None: 0, unless its type says otherwise. `more` has the columns that few jobs use, by name: MORE; and
    `key_since`, UTC text: a job with its key that was created since then counts as the same one, ended or not; and
    `needs`, of rules/needs.py: what a job that is blocked waits for; and `lease`: the token of the run of its `parent`.
    """

    MORE = ("key", "expires_at", "parent", "flow", "step", "schedule", "tick", "plan", "status")

    __slots__ = (
        "backoff",
        "command",
        "cwd",
        "env",
        "id",
        "max_attempts",
        "more",
        "payload",
        "priority",
        "queue",
        "scheduled_at",
        "tags",
        "timeout",
        "type",
    )

    def __init__(
        self,
        type: str,
        payload: str = "{}",
        *,
        id: str | None = None,
        priority: int | None = None,
        max_attempts: int | None = None,
        scheduled_at: str | None = None,
        queue: str = DEFAULT_QUEUE,
        command: str | None = None,
        cwd: str | None = None,
        env: str | None = None,
        tags: str | None = None,
        timeout: float | None = None,
        backoff: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.type = type
        self.payload = payload
        self.id = id
        self.priority = priority
        self.max_attempts = max_attempts
        self.scheduled_at = scheduled_at
        self.queue = queue
        self.command = command
        self.cwd = cwd
        self.env = env
        self.tags = tags
        self.timeout = timeout
        self.backoff = backoff
        self.more = more


class Lease:
    """A job that a worker holds: the row as it was claimed. `attempts` counts this one; `token` is the fence."""

    __slots__ = (
        "attempts",
        "backoff",
        "command",
        "created_at",
        "cwd",
        "due",
        "env",
        "id",
        "inputs",
        "max_attempts",
        "number",
        "payload",
        "priority",
        "queue",
        "rescues",
        "timeout",
        "token",
        "type",
        "verdict",
    )

    number: int
    id: str
    type: str
    payload: str
    priority: int
    queue: str
    attempts: int
    max_attempts: int
    token: int
    rescues: int
    backoff: str | None
    timeout: float | None
    command: str | None
    cwd: str | None
    env: str | None
    created_at: str
    due: str  # since when it could have started: scheduled_at
    inputs: str | None  # JSON: the results of the jobs it waited for
    verdict: tuple[str, str | None, str | None] | None  # it needs no run: how it ends, its error, its result


class TypeDefaults:
    """What a type says for its jobs where they say nothing themselves. `backoff` is text, `timeout` and `retention`
    (how long completed ones are kept) seconds, `output_limit` bytes."""

    __slots__ = ("backoff", "max_attempts", "output_limit", "retention", "timeout")

    def __init__(
        self,
        max_attempts: int | None = None,
        backoff: str | None = None,
        timeout: float | None = None,
        output_limit: int | None = None,
        retention: float | None = None,
    ) -> None:
        self.max_attempts = max_attempts
        self.backoff = backoff
        self.timeout = timeout
        self.output_limit = output_limit
        self.retention = retention


class Filter:
    """Which jobs are meant: all that fit every part given. `since`, `until`: seconds since the epoch, by created_at.

    `search`: text within type, payload, command or last_error; `error`: text within last_error; `keys`: any of them.
    """

    __slots__ = ("error", "flow", "keys", "queues", "search", "since", "statuses", "tags", "types", "until")

    def __init__(
        self,
        *,
        statuses: Sequence[str] = (),
        types: Sequence[str] = (),
        queues: Sequence[str] = (),
        tags: Sequence[str] = (),
        since: float | None = None,
        until: float | None = None,
        search: str | None = None,
        error: str | None = None,
        keys: Sequence[str] = (),
        flow: int | None = None,
    ) -> None:
        self.flow = flow
        self.statuses = statuses
        self.types = types
        self.queues = queues
        self.tags = tags
        self.since = since
        self.until = until
        self.search = search
        self.error = error
        self.keys = keys

    def __bool__(self) -> bool:
        return any(getattr(self, part) not in (None, (), []) for part in self.__slots__)


class Enqueued(int):
    """The number of a job just stored, an int that also knows the job's `id`, `type`, `status`, `scheduled_at` (UTC text:
    when it may run first), and whether it is a `duplicate`: a job that was there already, whose key it has."""

    id: str
    type: str
    status: str
    scheduled_at: str
    duplicate: bool

    @property
    def number(self) -> int:
        return int(self)
