"""`stats --watch` at a real terminal: what it shows, its keys, its size, and that it leaves everything as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.cli.screen import KEYS, parsed
from qctl.queue import Queue
from qctl.rules import ending
from tests.profile import examples
from tests.states import dead, lease, run_one, write_output

DEADLINE = 20.0
ROW = re.compile(rb"\x1b\[(\d+);1H\x1b\[0m\x1b\[K(.*?)(?=\x1b\[\d+;1H|\x1b\[\?|\x1b\[2J|$)", re.S)


class Terminal:
    """A program at a terminal of its own, and what stands on its screen."""

    def __init__(self, argv: list[str], columns: int, lines: int, **environment: str) -> None:
        self.fd, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self.resize(columns, lines)
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qctl", *argv],
            stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
        )  # fmt: skip
        self.theirs = theirs
        self.data = b""

    def resize(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def screen(self) -> list[str]:
        rows = [""] * self.lines
        for place, text in ROW.findall(self.data.rpartition(b"\x1b[2J")[2]):
            if int(place) <= self.lines:
                rows[int(place) - 1] = re.sub(rb"\x1b\[[\d;]*m", b"", text).decode().rstrip()
        return rows

    def read(self, seconds: float) -> None:
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                self.data += os.read(self.fd, 1 << 16)
            except OSError:
                time.sleep(seconds / 10)

    def until(self, what: str | Callable[[list[str]], Any]) -> list[str]:
        """Wait until the screen has this text."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            rows = self.screen()
            if (what in "\n".join(rows)) if isinstance(what, str) else what(rows):
                return rows
            self.read(0.05)
        raise AssertionError(f"{what} did not come; the screen:\n" + "\n".join(self.screen()))

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def ended(self) -> int:
        """Wait for the end of the program; its exit code."""
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.02)
        before = -1
        while len(self.data) > before:  # what it wrote last
            before = len(self.data)
            self.read(0.02)
        return self.process.wait(0)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.fd)
        os.close(self.theirs)


@pytest.fixture
def at_terminal(db: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*argv: str, columns: int = 80, lines: int = 24, **environment: str) -> Terminal:
        opened.append(Terminal(["--db", str(db), "stats", *argv], columns, lines, **environment))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def busy(queue: Queue) -> Queue:
    """1 done, 2 running, 3 due: `mail`; 4 dead with output, 5 dead: `charge`; 6 due: `report`."""
    now = time.time()
    for type_ in ("mail", "mail", "mail"):
        queue.enqueue(type_)
    run_one(queue, 1, ending.SUCCEEDED, now - 5)
    lease(queue, 2, now)
    dead(queue, "charge", "card \x1b[31mdeclined\x07", now - 60)
    dead(queue, "charge", "no money", now - 50)
    write_output(queue, 4, (0, 1, "a\x1b[2Jb\nüüü last line\n".encode()))
    queue.enqueue("report")
    return queue


def test_it_shows_the_types_then_the_jobs_of_one_then_a_job_and_its_output(
    busy: Queue, at_terminal: Callable[..., Terminal]
) -> None:
    term = at_terminal("--watch")
    rows = term.until("report")
    assert rows[0].startswith("qctl › types")
    assert [row.split()[0] for row in rows if row.startswith(">")] == [">"]
    assert next(row for row in rows if row.startswith("> ")).split()[1] == "charge"
    assert "q quit" in rows[-1]
    term.press("\r")
    rows = term.until("charge: 2 jobs")
    assert re.findall(r"✗ +(\d+)", "\n".join(rows)) == ["5", "4"]
    assert any(r"card \x1b[31mdeclined\x07" in row for row in rows)
    term.press("\x1b[B\r")
    rows = term.until("üüü last line")
    assert r"a\x1b[2Jb" in "\n".join(rows), "what jobs write is escaped"
    assert any("Error" in row and "declined" in row for row in rows)
    term.press("\x1b")
    term.until("charge: 2 jobs")
    term.press("\x1b")
    term.until("report")
    term.press("q")
    assert term.ended() == 0
    assert b"\x1b[?1049l" in term.data and term.data.index(b"\x1b[?1049h") < term.data.index(b"\x1b[?1049l")
    assert termios.tcgetattr(term.theirs) == term.before


def test_it_fills_any_size_and_follows_a_change_of_it(busy: Queue, at_terminal: Callable[..., Terminal]) -> None:
    term = at_terminal("--watch")
    rows = term.until("q quit")
    assert "NEW/1h" not in "\n".join(rows)
    assert max(map(len, rows)) <= 80
    term.resize(160, 50)
    rows = term.until("NEW/1h")
    assert "q quit" in rows[49]
    assert max(map(len, rows)) <= 160
    term.resize(40, 8)
    rows = term.until(lambda rows: "enter look" in rows[7])
    assert max(map(len, rows)) <= 40
    term.press("q")
    assert term.ended() == 0


def test_keys_cancel_run_and_replay_after_a_question(busy: Queue, at_terminal: Callable[..., Terminal]) -> None:
    term = at_terminal("--watch")
    term.until("charge")
    term.press("R")
    term.until("replay 2 dead charge? y/n")
    term.press("n")
    term.until("nothing was done")
    assert busy.get(4).status == "failed"
    term.press("Ry")
    term.until("replayed 2 jobs")
    assert [busy.get(number).status for number in (4, 5)] == ["pending", "pending"]
    term.press("\x1b[B\r")
    term.until("mail: 3 jobs")
    term.press("c")
    term.until("cancel job 3 mail? y/n")
    term.press("y")
    term.until("job 3: cancelled")
    assert busy.get(3).status == "cancelled"
    term.press("r")
    term.until("run job 3 mail again? y/n")
    term.press("y")
    term.until("job 3: pending")
    term.press("R")
    term.until("only what died can be replayed")
    term.press("q")
    assert term.ended() == 0


def test_what_is_chosen_stays_chosen_as_other_jobs_come(busy: Queue, at_terminal: Callable[..., Terminal]) -> None:
    term = at_terminal("--watch", "--type", "mail")
    term.until("mail")
    term.press("\r")
    term.until("mail: 3 jobs")
    busy.enqueue("mail")
    term.until("mail: 4 jobs")
    term.press("c")
    term.until("cancel job 3 mail? y/n")
    term.press("\x03")
    assert term.ended() == 130
    assert termios.tcgetattr(term.theirs) == term.before


def test_it_sorts_filters_pauses_and_helps(busy: Queue, at_terminal: Callable[..., Terminal]) -> None:
    def order(rows: list[str]) -> list[str]:
        return [row[2:].split()[0] for row in rows if re.match(r"[ >] (mail|charge|report) ", row)]

    term = at_terminal("--watch")
    assert order(term.until("report")) == ["charge", "mail", "report"]
    term.press("S")
    term.until(lambda rows: order(rows) == ["report", "mail", "charge"])
    term.press("Sss")
    term.until(lambda rows: "by dead" in rows[0] and order(rows)[0] == "charge")
    term.press("/re")
    term.until(lambda rows: order(rows) == ["report"] and rows[-1].startswith("/re"))
    term.press("\x7f\x7f\x1b")
    term.until(lambda rows: len(order(rows)) == 3)
    term.press("?")
    term.until("replay the dead job")
    term.press("? ")
    term.until("space goes on")
    busy.enqueue("zebra")
    term.press("s")
    assert "zebra" not in "\n".join(term.until("by done"))
    term.press(" ")
    term.until("zebra")
    term.press("q")
    assert term.ended() == 0


def test_it_holds_no_read_transaction_open(busy: Queue, db: Path, at_terminal: Callable[..., Terminal]) -> None:
    term = at_terminal("--watch")
    term.until("charge")
    busy.enqueue("mail")
    term.until(lambda rows: any(re.match(r"[ >] mail +2 ", row) for row in rows))
    plain = sqlite3.connect(db)
    assert plain.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0), "a reader would be in the way"
    plain.close()
    term.press("q")
    assert term.ended() == 0


def test_a_signal_ends_it_and_the_terminal_is_as_before(busy: Queue, at_terminal: Callable[..., Terminal]) -> None:
    term = at_terminal("--watch")
    term.until("charge")
    term.process.send_signal(signal.SIGTERM)
    assert term.ended() == 128 + signal.SIGTERM
    assert b"\x1b[?1049l" in term.data
    assert termios.tcgetattr(term.theirs) == term.before


def test_without_a_terminal_it_says_so_in_a_line_and_shows_the_figures_once(cli: Any, busy: Queue) -> None:
    done = cli("stats", "--watch")
    assert done.code == 0
    assert done.err == "--watch needs a terminal: these are the figures of now\n"
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["charge", "mail", "report", "total"]
    assert cli("stats", "--watch", "--json").code == 2
    assert cli("stats", "--watch", "--at", "1h").code == 2


@settings(max_examples=examples(40))
@given(st.lists(st.sampled_from([*KEYS, "a", "/", "ü"]).filter(lambda key: key != "\x1b"), max_size=30))
def test_keys_that_come_together_are_told_apart(keys: list[str]) -> None:
    assert list(parsed("".join(keys))) == [KEYS.get(key, key) for key in keys]


@settings(max_examples=examples(40))
@given(st.text(max_size=40))
def test_nothing_that_is_typed_is_taken_for_a_control(text: str) -> None:
    assert all(key in KEYS.values() or (len(key) == 1 and key.isprintable()) for key in parsed(text))


def test_an_unknown_sequence_is_no_key() -> None:
    assert list(parsed("\x1b[1;5Cx\x1b[15~y")) == ["x", "y"]
