"""Keeping a queue safe: copies of it, and its rows as text. Functions, so that a `Queue` need not load them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence
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


def export(queue: Queue, *, output: bool = False) -> Iterator[dict[str, Any]]:
    """Everything in the queue as of one moment, as records that `Import` takes; see store/sqlite/dump.py."""
    from qctl.store.sqlite.dump import dump

    return dump(queue.store, output=output)


class Import:
    """Takes records of an export into a queue, in chunks; see store/sqlite/load.py. One Import for each export.

    A record that is there already is left as it is, so an import may be repeated, and goes on where another stopped.
    """

    def __init__(self, queue: Queue) -> None:
        from qctl.store.sqlite.load import Loader

        self.loader = Loader(queue.store)

    def take(self, records: Sequence[Any]) -> None:
        """Store a chunk of records in one transaction. Raises BadValue, with `index`: those before it are stored."""
        import time

        from qctl.rules.when import to_text

        self.loader.take(records, to_text(time.time()))

    def told(self) -> dict[str, Any]:
        """How many of each kind are `stored`, how many were `there` already or `left_out` because another has their
        key, tick or name, how many jobs were `renumbered`, and the keys that are `unknown` here."""
        one = self.loader
        return {
            "stored": dict(one.stored),
            "there": one.there,
            "left_out": one.left_out,
            "renumbered": len(one.renumbered),
            "unknown": sorted(one.unknown),
        }


def examine(queue: Queue, *, fix: bool = False) -> Iterator[dict[str, Any]]:
    """What is wrong with the queue file and its place: `check`, `level` (ok, note, wrong), `found`, `meaning`, `mend`,
    `fixable`, and `fixed`, true when `fix` was asked for and it was mended."""
    import time

    from qctl.store.sqlite.doctor import WRONG, examine

    for finding in examine(queue.store, time.time()):
        fixed = fix and finding.level == WRONG and finding.fix is not None
        if fixed and finding.fix is not None:
            try:
                finding.fix()
            except FileNotFoundError:
                pass  # another one was faster
            except OSError as error:
                fixed, finding.meaning = False, f"{finding.meaning}; it cannot be mended from here: {error.strerror}"
        yield {**finding.public(), "fixed": fixed}


def one_command(queue: Queue) -> None:
    """From now on the calls of this queue are one command to `undo`."""
    queue.store.memories = {}


def each_apart(queue: Queue) -> None:
    """From now on each call of this queue is one of its own again."""
    queue.store.memories = None


def forgot(queue: Queue) -> str:
    """What `undo` will not take back of this command, as there was too little room for it; "" for nothing."""
    count = sum(memory.forgot for memory in (queue.store.memories or {}).values())
    return f"undo has no room for the first {count:,} of them: see `qctl config undo_size`" if count else ""


def undoable(queue: Queue) -> list[dict[str, Any]]:
    """The commands that can be taken back, newest first: `action`, `verb`, `made_at`, `jobs`."""
    import time

    from qctl.store.sqlite.undo import actions

    return actions(queue.store, time.time())


def edit_dead(
    queue: Queue, payloads: Mapping[int, Any], *, progress: Callable[[int, list[int]], None] | None = None
) -> list[int]:
    """Give dead jobs other payloads, by their numbers, as `Queue.edit_dead` does; the numbers of those that are dead.
    `progress` is told after each chunk how many it was, and the numbers of those of them that are dead."""
    import time

    from qctl.store.sqlite.mend import edit_dead as edit

    return edit(queue, payloads, time.time(), progress)


def undo(queue: Queue, action: int | None = None) -> dict[str, Any]:
    """Take back an action, by default the newest; see store/sqlite/undo.py."""
    import time

    from qctl.store.sqlite.undo import undo as take_back

    return take_back(queue.store, time.time(), action)
