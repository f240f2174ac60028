"""What a worker is told."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container


class Options:
    """What a worker was told: see `qctl work --help`. Times in seconds."""

    __slots__ = ("concurrency", "grace", "handlers", "max_jobs", "max_time", "mode", "queues", "types", "verbose")

    def __init__(
        self,
        *,
        concurrency: int = 1,
        handlers: list[str] | None = None,
        queues: Container[str] | None = None,
        types: Container[str] | None = None,
        mode: str = "stay",
        max_jobs: int | None = None,
        max_time: float | None = None,
        grace: float = 30.0,
        verbose: bool = False,
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
