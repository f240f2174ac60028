"""A terminal taken over as a whole: the alternate screen, keys one by one, and news of its size. All is put back at the end."""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Any

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"  # alternate screen, no cursor, no wrapping of long lines
LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
PATIENCE = 0.03  # seconds in which the rest of a key that begins with ESC comes

KEYS = {
    "\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left", "\x1b[5~": "page up", "\x1b[6~": "page down",
    "\x1b[H": "home", "\x1b[F": "end", "\x1b[1~": "home", "\x1b[4~": "end", "\x1bOA": "up", "\x1bOB": "down",
    "\x1bOC": "right", "\x1bOD": "left", "\x1bOH": "home", "\x1bOF": "end", "\r": "enter", "\n": "enter", "\x1b": "esc",
    "\x7f": "backspace", "\x08": "backspace", "\x0c": "redraw",
}  # fmt: skip
STOPS = (signal.SIGTERM, signal.SIGHUP)


class Screen:
    """`with Screen() as screen:` draw lines, wait for keys. `stopped`: the signal that asked for an end, or 0."""

    def __init__(self) -> None:
        self.fd = sys.stdin.fileno()
        self.stopped = 0
        self.before: dict[int, Any] = {}
        self.shown: list[str] = []

    def __enter__(self) -> Screen:
        import termios
        import tty

        self.modes = termios.tcgetattr(self.fd)
        self.news, self.bell = os.pipe()
        os.set_blocking(self.bell, False)
        os.set_blocking(self.news, False)
        self.wakeup = signal.set_wakeup_fd(self.bell, warn_on_full_buffer=False)
        for number in (signal.SIGWINCH, *STOPS):
            self.before[number] = signal.signal(number, self.heard)
        tty.setcbreak(self.fd)  # Ctrl-C stays what it is
        modes = termios.tcgetattr(self.fd)
        modes[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(self.fd, termios.TCSANOW, modes)
        self.write(ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import termios

        try:
            self.write(LEAVE)
        except OSError:
            pass  # the terminal is gone, and what was on it
        finally:
            signal.set_wakeup_fd(self.wakeup)
            for number, handler in self.before.items():
                signal.signal(number, handler)
            os.close(self.news)
            os.close(self.bell)
            try:
                termios.tcsetattr(self.fd, termios.TCSADRAIN, self.modes)
            except termios.error:
                pass  # the same

    def heard(self, number: int, _frame: Any) -> None:
        if number in STOPS:
            self.stopped = number

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            found = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            return 80, 24
        return max(found.columns, 20), max(found.lines, 5)

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines; only those that changed are sent."""
        _columns, height = self.size()
        wanted = [*lines[:height], *[""] * (height - len(lines))]
        text = ""
        for place, line in enumerate(wanted):
            if place >= len(self.shown) or self.shown[place] != line:
                # Cleared first: behind a line that fills its row, it would take the last character of it.
                text += f"\x1b[{place + 1};1H\x1b[0m\x1b[K{line}\x1b[0m"
        self.shown = wanted
        if text:
            self.write(text)

    def clear(self) -> None:
        """Forget what is shown: the next draw sends all of it."""
        self.shown = []
        self.write("\x1b[2J")

    def write(self, text: str) -> None:
        from qctl.cli.terminal import put

        put(sys.stdout, text)
        sys.stdout.flush()

    def keys(self, seconds: float) -> Iterator[str]:
        """The keys that were pressed, waiting so long for the first; `resize` when the size changed."""
        ready, _, _ = select.select([self.fd, self.news], [], [], max(0.0, seconds))
        if self.news in ready:
            os.read(self.news, 1 << 10)
            self.shown = []
            yield "resize"
        if self.fd in ready:
            yield from self.read()

    def read(self) -> Iterator[str]:
        data = os.read(self.fd, 1 << 12)
        if not data:
            self.stopped = self.stopped or signal.SIGHUP  # the terminal is gone
            return
        end = time.monotonic() + PATIENCE
        while data[-3:].rpartition(b"\x1b")[1] and data.decode("utf-8", "ignore")[-1:] in ("\x1b", "[", "O"):
            if not select.select([self.fd], [], [], max(0.0, end - time.monotonic()))[0]:
                break
            data += os.read(self.fd, 1 << 12)
        yield from parsed(data.decode("utf-8", "ignore"))


def parsed(text: str) -> Iterator[str]:
    """The keys in what a terminal sent: names, and characters as they are. What is unknown is left out."""
    place = 0
    while place < len(text):
        length = next((size for size in (4, 3, 1) if text[place : place + size] in KEYS), 0)
        if length == 1 and text[place] == "\x1b" and text[place + 1 : place + 2] in ("[", "O"):
            place += 2
            while place < len(text) and not text[place].isalpha() and text[place] != "~":
                place += 1
            place += 1
        elif length:
            yield KEYS[text[place : place + length]]
            place += length
        else:
            if text[place].isprintable():
                yield text[place]
            place += 1
