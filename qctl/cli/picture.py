"""The hidden `qctl _picture FILE COMMAND...`: an SVG of commands at work, as the README shows them.

`qctl _picture qctl/demo/qctl.svg 'work --drain' stats` types each of them at a terminal of its own, on the queue at --db.
Of `stats --watch` it takes the screen, after a while: `qctl _picture watch.svg 'stats --watch' --columns 80 --lines 24`.
"""

from __future__ import annotations

import os
import sys

from qctl.cli.spec import Argument, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

COLUMNS, LINES = 96, 60
LIVE = "--watch"
SITTING = 2.5  # seconds until the picture of a live screen is taken


def run(values: Values) -> int:
    import shlex

    from qctl.cli.options import queue_path
    from qctl.cli.render import svg_of
    from qctl.rules.newjob import whole

    db = queue_path(values)
    columns = COLUMNS if values["columns"] is None else whole("--columns", values["columns"], 20, 500)
    lines = LINES if values["lines"] is None else whole("--lines", values["lines"], 5, 500)
    text = ""
    for line in values["commands"]:
        argv = shlex.split(line)
        shown = typed(argv, db, columns, lines)
        if LIVE in argv:
            text += screen(shown, lines)
        else:
            text += f"\x1b[1m$ qctl {line}\x1b[0m\n" + shown.replace("\r\n", "\n") + "\n"
    picture = svg_of(text.rstrip("\n"), values["title"] or "qctl", columns, light=values["light"])
    with open(values["file"], "w", encoding="utf-8") as file:
        file.write(picture)
    return 0


def screen(data: str, lines: int) -> str:
    """What stands on the screen after all this was sent to it: each line as it was drawn last."""
    import re

    rows = [""] * lines
    for place, line in re.findall(
        r"\x1b\[(\d+);1H\x1b\[0m\x1b\[K(.*?)(?=\x1b\[\d+;1H|\x1b\[\?|\x1b\[2J|$)", data, re.S
    ):
        rows[int(place) - 1] = line
    return "\n".join(rows)


def typed(argv: list[str], db: str, columns: int, lines: int) -> str:
    """What the command shows on a terminal of this size."""
    import fcntl
    import pty
    import select
    import struct
    import subprocess
    import termios
    import time

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = dict(os.environ, QCTL_DB=db, TERM="xterm-256color", LANG="C.UTF-8", PYTHONUTF8="1")
    for name in ("NO_COLOR", "COLUMNS"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "qctl", *argv], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    data = b""
    end = time.monotonic() + SITTING if LIVE in argv else float("inf")
    while True:
        if not select.select([ours], [], [], min(60.0, max(0.0, end - time.monotonic())))[0]:
            if time.monotonic() >= end:
                os.write(ours, b"q")
                end = float("inf")
            continue
        try:
            more = os.read(ours, 1 << 16)
        except OSError:  # Linux says EIO when the last writer has gone
            break
        if not more:
            break
        data += more
    process.wait()
    os.close(ours)
    return data.decode("utf-8", "replace")


PICTURE = Command(
    "_picture",
    "Write an SVG of commands at work.",
    run,
    Argument("file", help="Where to write the SVG.", complete="file"),
    Argument("commands", help="The commands, each in one word.", metavar="COMMAND", multiple=True),
    Option("--title", metavar="TEXT", help="What stands above it."),
    Option("--columns", metavar="N", help="Columns of the terminal (default 96)."),
    Option("--lines", metavar="N", help="Lines of the terminal (default 60)."),
    Option("--light", help="Dark on light."),
)
