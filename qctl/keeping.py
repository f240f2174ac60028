"""Keeping a queue safe: copies of it, and its rows as text. Functions, so that a `Queue` need not load them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Any

    from qctl.queue import Queue


def backup(
    queue: Queue,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Copy the queue to a new file while workers run; see store/sqlite/backup.py."""
    from os import fspath

    from qctl.store.sqlite.backup import backup as copy

    return copy(queue.store, fspath(path), force=force, progress=progress)
