"""What commands share: the queue they work on, and the reading of values they have in common."""

from __future__ import annotations

import os

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values
    from qctl.queue import Queue

BUSY_TIMEOUT = 30.0


def busy_timeout(values: Values) -> float:
    text = values.get("busy_timeout")
    if text is None:
        return BUSY_TIMEOUT
    from qctl.rules.newjob import seconds

    return seconds("--busy-timeout", text)


def queue_path(values: Values) -> str:
    """Where the queue file is, by option, environment or default."""
    from qctl.queue import default_path

    path = values.get("db")
    if path == "":
        raise BadValue("--db: the path is empty: name a file")
    return path or default_path()


def open_queue(values: Values, *, create: bool = False) -> Queue:
    """The queue that the options name. With `create`, a missing file is made; that is said once, on a terminal."""
    from qctl import queue as queues

    path = queue_path(values)
    fresh = create and not os.path.exists(path)
    queues.announce_migrations(announce)
    queue = queues.Queue(path, busy_timeout=busy_timeout(values), create=create)
    if fresh and not os.environ.get("QCTL_QUIET"):
        from qctl.cli.render import hint

        hint(f"new queue file {queue.path}")
    return queue


def announce(text: str) -> None:
    """How a migration of the file goes on."""
    from qctl.cli.render import say

    say(text)


def look_at_queue(values: Values) -> Queue:
    """The queue for a command that only reads: where there is no file yet, an empty one in memory, which is said."""
    from qctl.queue import Queue

    path = queue_path(values)
    if os.path.exists(path):
        return Queue(path, busy_timeout=busy_timeout(values), create=False)
    if path.startswith(("postgres://", "postgresql://")):
        return Queue(path)
    from qctl.cli.render import say

    say(f"there is no queue file at {path} yet: `qctl enqueue` makes one")
    return Queue(":memory:")
