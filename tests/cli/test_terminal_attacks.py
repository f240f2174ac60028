"""Text from jobs that would steer a terminal: every command that shows it, on a real terminal, shows it spelled out."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from tests.states import dead, run_one

ATTACKS = {
    "clear": "\x1b[2J\x1b[H", "title": "\x1b]0;owned\x07", "link": "\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07", "query": "\x1b[6n\x1bP$q\x1b\\", "colour": "\x1b[31;5mred", "c1": "\x9b31m\x9d0;x\x9c",
    "nul": "a\0b", "del": "a\x7f\x08\x08b", "bell": "\x07", "bidi": "\u202eevil\u202c\u2066x\u2069\u200f", "cr": "ok\rOVERWRITTEN",
    "lines": "a\nb\r\nqctl: forged line\v\f", "separators": "a\u2028b\u2029c\x85d", "tag": "\U000e0041\ufeff\u200b\xad",
}  # fmt: skip
TEXT = "".join(ATTACKS.values())
OURS = re.compile(rb"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[[0-9]*[KJABG]|\r?\n")
"""What qctl itself may send: colours, a bar that is drawn anew, ends of lines."""

COMMANDS = [
    ["list"], ["list", "--search", "a"], ["show", "1"], ["show", "2"], ["show", "3"], ["logs", "3"], ["explain", "1"], ["stats"],
    ["health"], ["dlq", "list"], ["dlq", "groups"], ["dlq", "show", "2"], ["cron", "list"], ["cron", "show", TEXT],
    ["types", "list"], ["flow", "list"], ["flow", "show", "1"], ["workers"], ["undo", "--list"], ["events"], ["forecast"],
    ["cancel", "1", "--dry-run"], ["wait", "2", "3", "--wait-timeout", "5s"], ["purge", "--status", "failed", "--dry-run"], ["doctor"], ["config"],
    ["show", TEXT.replace("\0", "")], ["cancel", "--type", TEXT.replace("\0", "")], ["work", "--once"], ["list", "--json"],
]  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A queue in which every text that a job can bring is an attack."""
    db = tmp_path_factory.mktemp("hostile") / "queue.db"
    with Queue(db) as queue:
        queue.enqueue("a", {"text": TEXT, TEXT: 1})
        failed = dead(queue, error=TEXT)
        done = int(queue.enqueue(command=["true", TEXT.replace("\0", "")], env={"A": TEXT.replace("\0", "")}))
        run_one(queue, done, ending.SUCCEEDED, 1_790_000_000.0)
        queue.enqueue("b", after=1)
        queue.enqueue(command=["sh", "-c", "printf '\\033]0;x\\007\\n'; exit 65"])
        queue.cancel([int(queue.enqueue("c"))])
        with queue.store.write() as connection:
            connection.execute(
                "UPDATE jobs SET type = ?, queue = ?, step = ?, flow = 1 WHERE number <> 5", (TEXT, TEXT, TEXT)
            )
            connection.execute(
                "UPDATE jobs SET tags = ?, key = ? || number, result = ?", (json.dumps([TEXT]), TEXT, json.dumps(TEXT))
            )
            connection.execute(
                "UPDATE jobs SET worker = ?, cwd = ?, schedule = ? WHERE number = ?", (TEXT, TEXT, TEXT, done)
            )
            connection.execute("UPDATE dead_letter_jobs SET type = ?, notes = ?", (TEXT, TEXT))
            connection.execute("UPDATE qctl_history SET worker = ?, error = ?", (TEXT, TEXT))
            connection.execute("INSERT INTO qctl_flows (number, name) VALUES (1, ?)", (TEXT,))
            connection.execute("INSERT INTO qctl_output VALUES (?, 1, 0, 1, ?)", (done, TEXT.encode()))
            connection.execute("INSERT INTO qctl_types (type, command) VALUES (?, ?)", (TEXT, json.dumps([TEXT])))
            connection.execute(
                "INSERT INTO qctl_limits (scope, name, paused_at) VALUES ('queue', ?, '2026-01-01')", (TEXT,)
            )
            connection.execute(
                "INSERT INTO cron_schedules (type, cron_expression, name, error, is_active) VALUES (?, ?, ?, ?, 1)",
                (TEXT,) * 4,
            )
            connection.execute(
                "INSERT INTO qctl_workers (id, host, boot, pid, concurrency, started_at, beat_at)"
                " VALUES (?, ?, 'b', 1, 1, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000')", (TEXT, TEXT)
            )  # fmt: skip
            connection.execute(f'CREATE TABLE "{TEXT.replace(chr(0), "")}" (a)')
        assert failed == 2
    return db


def on_a_terminal(db: Path, argv: list[str]) -> bytes:
    """What a command sends to a terminal of 80 columns, stdout and stderr."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "qctl", "--db", str(db), *argv], stdin=side, stdout=side, stderr=side,
        env=dict(os.environ, TERM="xterm-256color", COLUMNS="80", PYTHONUTF8="1"), start_new_session=True,
    )  # fmt: skip
    os.close(side)
    sent = b""
    while True:
        try:
            data = os.read(main, 1 << 16)
        except OSError:
            break
        if not data:
            break
        sent += data
    os.close(main)
    process.wait(30)
    return sent


@pytest.mark.parametrize("argv", COMMANDS, ids=lambda argv: ascii(" ".join(argv))[:24])
def test_what_a_job_brings_steers_no_terminal(hostile: Path, argv: list[str]) -> None:
    argv = [word.replace("\0", "") for word in argv]
    sent = on_a_terminal(hostile, argv)
    assert b"Traceback" not in sent and b"fault in qctl" not in sent, sent
    text = OURS.sub(b"", sent).decode()
    bad = sorted({one for one in text if not one.isprintable()})
    assert bad == [], (argv, sent)
    assert "OVERWRITTEN" not in text or "\\r" in text


def test_the_attacks_are_attacks() -> None:
    """The control: none of them would pass unnoticed."""
    for name, attack in ATTACKS.items():
        text = OURS.sub(b"", attack.encode()).decode()
        assert not text.isprintable() or name == "colour", name
