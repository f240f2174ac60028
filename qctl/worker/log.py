"""A line per event on stderr: for people, or NDJSON for machines."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.rules.ending import Ending, Move
    from qctl.worker.run import Run

GLYPHS = {"start": "●", "completed": "✓", "failed": "✗", "pending": "↻", "cancelled": "–", "blocked": "◌", "late": "!"}
PLAIN = {"start": "*", "completed": "+", "failed": "x", "pending": "~", "cancelled": "-", "blocked": "=", "late": "!"}
LEAST = 20  # columns of an error that are shown, however narrow the terminal
COLOURS = {
    "start": "36",
    "completed": "32",
    "failed": "31",
    "pending": "33",
    "cancelled": "",
    "blocked": "",
    "late": "33",
}


class Log:
    """Collects lines and writes them in one go per turn of the worker. `form`: text, json or none.

    `columns`: how wide the terminal is, which an error is cut to fit; None: there is none.
    """

    def __init__(self, form: str, *, colour: bool = False, plain: bool = False, columns: int | None = None) -> None:
        self.form = form
        self.columns = columns
        self.lines: list[str] = []
        self.colour = colour
        self.glyphs = PLAIN if plain else GLYPHS
        self.minute = ""
        self.minute_start = 0

    def flush(self) -> None:
        if self.lines:
            text, self.lines = "".join(self.lines), []
            try:
                sys.stderr.write(text)
                sys.stderr.flush()
            except (OSError, ValueError):
                self.form = "none"  # nobody listens any more; the queue goes on

    def clock(self, at: float) -> str:
        second = int(at)
        if second // 60 * 60 != self.minute_start:
            self.minute_start = second // 60 * 60
            self.minute = time.strftime("%H:%M:", time.localtime(second))
        return f"{self.minute}{second % 60:02d}"

    def line(self, at: float, kind: str, run: Run, text: str) -> None:
        lease = run.lease
        glyph = self.glyphs[kind]
        if self.colour and COLOURS[kind]:
            glyph = f"\x1b[{COLOURS[kind]}m{glyph}\x1b[0m"
        type_ = lease.type if lease.type.isprintable() else ascii(lease.type)
        self.lines.append(f"{self.clock(at)} {glyph} {lease.number:>4} {type_:<14} {text}\n")

    def event(self, name: str, at: float, **fields: Any) -> None:
        import json

        from qctl.rules.when import iso, to_text

        self.lines.append(json.dumps({"time": iso(to_text(at)), "event": name, **fields}) + "\n")

    def started(self, run: Run, at: float) -> None:
        lease = run.lease
        run.shown = True
        if self.form == "text":
            self.line(at, "start", run, f"attempt {lease.attempts}/{lease.max_attempts}")
        elif self.form == "json":
            self.event(
                "started", at, job=lease.number, id=lease.id, type=lease.type, attempt=lease.attempts,
                max_attempts=lease.max_attempts,
            )  # fmt: skip

    def ended(self, run: Run, ending: Ending, move: Move | None) -> None:
        """How a run ended, and what became of the job; `move` None: its result came too late and was dropped."""
        if self.form == "none":
            return
        at, took = ending.finished_at, max(0.0, ending.finished_at - ending.started_at)
        status = "late" if move is None else move.status
        if self.form == "json":
            lease = run.lease
            self.event(
                "ended", at, job=lease.number, id=lease.id, type=lease.type, attempt=lease.attempts, outcome=ending.how,
                status=None if move is None else move.status, seconds=round(took, 6), exit_code=ending.exit_code,
                error=ending.error, retry_in=None if move is None or move.due_at is None else round(move.due_at - at, 3),
            )  # fmt: skip
            return
        if status == "completed":
            self.line(at, status, run, short(took) + (f"  {printable(ending.error)}" if ending.error else ""))
            return
        from qctl.rules.clock import human

        why, then = printable(ending.error or ending.how), ""
        if move is None:
            why = "came too late: the job belongs to another run by now"
        elif move.due_at is not None:
            then = f" · retry in {human(move.due_at - at)}" if move.due_at > at else " · back in the queue"
        elif status == "failed":
            then = " · dead letter"
        self.line(at, status, run, f"{short(took)}  {self.fitted(why, run, short(took) + then)}{then}")

    def fitted(self, text: str, run: Run, beside: str) -> str:
        """Text cut so that a line of this run fits the terminal with what else stands there; some of it always does."""
        if self.columns is None:
            return text
        head = 14 + max(len(str(run.lease.number)), 4) + max(len(run.lease.type), 14)
        room = max(LEAST, self.columns - head - len(beside))
        return text if len(text) <= room else text[: room - 1] + "…"

    def announce(self, worker: str, slots: int, known: int, modules: list[str], path: str) -> None:
        """Say who begins to work, with what, on what."""
        parts = [f"qctl {worker} · {slots} slot" + ("s" if slots > 1 else "")]
        if known:
            parts.append(f"{known} handler{'s' if known > 1 else ''} from {', '.join(modules)}")
        parts.append(path)
        line, *rest = parts
        for part in rest:
            fits = self.columns is None or len(line.rpartition("\n")[2]) + 3 + len(part) <= self.columns
            line += f" · {part}" if fits else f"\n  {part}"
        for part in line.split("\n"):
            self.note(part, worker=worker)
        self.flush()

    def note(self, text: str, **fields: Any) -> None:
        """Something about the worker itself."""
        if self.form == "text":
            self.lines.append(printable(text) + "\n")
        elif self.form == "json":
            self.event("worker", time.time(), message=text, **fields)


def short(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    from qctl.rules.clock import human

    return human(seconds)


def printable(text: str) -> str:
    """Safe for a terminal, on one line, and not endless."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= 300 else text[:299] + "…"
