"""What one run writes: bytes, bounded, the head and the tail kept, in the order they came."""

from __future__ import annotations

from collections import deque

from qctl.store.sqlite.output import write_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from qctl.worker.run import Run

STDOUT, STDERR = 1, 2
DEFAULT_LIMIT = 1 << 20
ROW = 1 << 16


class Capture:
    """Collects output and says which rows of `qctl_output` have to change.

    Half of `limit` bytes are kept from the beginning, half from the end. `written` counts all bytes; a row's position
    is the count before it, so what was cut shows as a gap.
    """

    __slots__ = ("fresh", "half", "head_end", "recent", "stored_from", "tail", "tail_size", "written")

    def __init__(self, limit: int) -> None:
        self.half = limit // 2
        self.written = 0
        self.head_end = 0
        self.fresh: list[tuple[int, int, bytes]] = []  # head rows not stored yet: position, stream, data
        self.tail: deque[tuple[int, int, bytes]] = deque()
        self.tail_size = 0
        self.stored_from = 0  # tail rows before this position are stored
        self.recent = (STDOUT, b"")  # the latest on stderr, or on stdout while nothing came on stderr

    def feed(self, stream: int, data: bytes) -> None:
        if stream >= self.recent[0] and data.strip():
            self.recent = (stream, data[-4096:])
        room = self.half - self.head_end
        if room > 0:
            part = data[:room]
            self.add(self.fresh, self.head_end, stream, part)
            self.head_end += len(part)
            self.written += len(part)
            data = data[room:]
        if data:
            self.add(self.tail, self.written, stream, data)
            self.written += len(data)
            self.tail_size += len(data)
            while self.tail_size - len(self.tail[0][2]) >= self.half:
                self.tail_size -= len(self.tail.popleft()[2])

    def add(self, rows: Any, position: int, stream: int, data: bytes) -> None:
        """Append to the last row when it is of the same stream, not stored yet and not too long."""
        if rows and rows[-1][1] == stream and len(rows[-1][2]) + len(data) <= ROW and rows[-1][0] >= self.stored_from:
            before = rows[-1]
            rows[-1] = (before[0], stream, before[2] + data)
        else:
            rows.append((position, stream, data))

    @property
    def has_news(self) -> bool:
        return bool(self.fresh) or bool(self.tail and self.tail[-1][0] >= self.stored_from)

    def take(self, *, last: bool = False) -> tuple[list[tuple[int, int, bytes]], tuple[int, int] | None]:
        """Rows to store now, and the range of positions (from, below) whose rows go, because the tail moved on.

        With `last` the run is over: the tail is cut to the byte.
        """
        rows, self.fresh = self.fresh, []
        if not self.tail:
            return rows, None
        if last and self.tail_size > self.half:
            position, stream, data = self.tail.popleft()
            cut = self.tail_size - self.half
            if position < self.stored_from:
                rows.append((position + cut, stream, data[cut:]))
            self.tail.appendleft((position + cut, stream, data[cut:]))
            self.tail_size = self.half
        rows += [row for row in self.tail if row[0] >= self.stored_from]
        self.stored_from = self.written
        start = self.tail[0][0]
        return rows, ((self.half, start) if start > self.half else None)

    def last_line(self, limit: int = 200) -> str:
        """The last line that was written, for error messages; empty when nothing was."""
        lines = self.recent[1].decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip()[:limit] if lines else ""


def taken(run: Run, *, last: bool) -> list[tuple[Any, ...]]:
    """What a run wrote since the last time, as `store_output` takes it; it is the caller's to keep until it is stored."""
    return [] if run.capture is None else [(run, last, *run.capture.take(last=last))]


def store_output(
    connection: sqlite3.Connection, run: Run, last: bool, rows: list[tuple[int, int, bytes]], gone: Any
) -> None:
    """Write down output that was taken, in the open transaction. The limit is that of all runs of a job together."""
    write_output(connection, run.lease.number, run.lease.token, rows, gone, run.limit if last else None)


def spoolable(run: Run, unwritten: list[tuple[Any, ...]]) -> dict[str, Any]:
    """What a run that ended wrote and the file does not have, as `Spool.keep` takes it."""
    own = [one for one in unwritten if one[0] is run]
    gone = [one[3] for one in own if one[3] is not None]
    return {"rows": [row for one in own for row in one[2]], "gone": gone[-1] if gone else None, "limit": run.limit}
