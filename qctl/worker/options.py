"""What a worker is told."""

from __future__ import annotations

from qctl.rules.when import parse_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.store.sqlite.store import SQLiteStore


COROUTINES = 100


class Options:
    """What a worker was told: see `qctl work --help`. Times in seconds."""

    __slots__ = (
        "concurrency", "coroutines", "grace", "handlers", "max_jobs", "max_jobs_per_child", "max_time", "memory", "mode",
        "queues", "threads", "types", "verbose",
    )  # fmt: skip

    def __init__(
        self,
        *,
        concurrency: int = 1,
        handlers: list[str] | None = None,
        queues: list[str] | None = None,
        types: list[str] | None = None,
        mode: str = "stay",
        max_jobs: int | None = None,
        max_time: float | None = None,
        grace: float = 30.0,
        verbose: bool = False,
        memory: int | None = None,
        max_jobs_per_child: int | None = None,
        threads: int = 0,
        coroutines: int = COROUTINES,
    ) -> None:
        self.concurrency = concurrency
        self.handlers = handlers or []
        self.queues = queues
        self.types = types
        self.mode = mode  # stay, once, drain
        self.max_jobs = max_jobs
        self.max_time = max_time
        self.grace = grace
        self.verbose = verbose
        self.memory = memory  # bytes of address space that a job's process may have
        self.max_jobs_per_child = max_jobs_per_child
        self.threads = threads  # functions at once in one process; 0: each in a process of its own
        self.coroutines = coroutines  # coroutines at once in one process


def seconds_of(store: SQLiteStore, name: str, default: float) -> float:
    """What a setting of the queue says, which is a duration; `default` where it is not set."""
    text = store.setting(name)
    return default if text is None else parse_duration(text)
