"""qctl: a job queue in one SQLite file, that never loses a job.

    from qctl import Queue, handler

    queue = Queue("queue.db")
    queue.enqueue("send_email", {"to": "ana@example.com"}, priority="high", delay="5m")

    @handler("send_email", timeout="30s")
    def send_email(to):
        ...

Run it with `qctl work --handlers MODULE`. To test handlers without a worker: `Queue(":memory:")` and `run_inline`.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.context import Context, JobContext, current
    from qctl.handlers import Dead, Retry, Snooze, handler, on_start, on_stop
    from qctl.model import BadValue, Job, NotFound, QctlError, QueueFileError, QueueLocked
    from qctl.queue import Enqueued, Queue

__all__ = [
    "BadValue",
    "Context",
    "Dead",
    "Enqueued",
    "Job",
    "JobContext",
    "NotFound",
    "QctlError",
    "Queue",
    "QueueFileError",
    "QueueLocked",
    "Retry",
    "Snooze",
    "__version__",
    "current",
    "handler",
    "on_start",
    "on_stop",
]

_HOMES = {"Queue": "queue", "Enqueued": "queue"} | dict.fromkeys(
    ("handler", "Retry", "Snooze", "Dead", "on_start", "on_stop"), "handlers"
)
_HOMES |= dict.fromkeys(("Context", "JobContext", "current"), "context")


def __getattr__(name: str) -> object:
    """Load what is asked for, and only that: importing qctl costs next to nothing."""
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(f"qctl.{_HOMES.get(name, 'model')}"), name)
    raise AttributeError(f"module 'qctl' has no attribute {name!r}")
