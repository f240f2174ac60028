"""The hidden `qctl _picture FILE COMMAND...`: an SVG of commands at work, as the README shows them.

`qctl _picture qctl/demo/qctl.svg 'work --drain' stats` types each of them at a terminal of its own, on the queue at --db.
"""

from __future__ import annotations

import os
import sys

from qctl.cli.spec import Argument, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

COLUMNS, LINES = 96, 60


def run(values: Values) -> int:
    import shlex

    from qctl.cli.options import queue_path
    from qctl.cli.render import svg_of

    db = queue_path(values)
    text = ""
    for line in values["commands"]:
        text += f"\x1b[1m$ qctl {line}\x1b[0m\n" + typed(shlex.split(line), db).replace("\r\n", "\n") + "\n"
    picture = svg_of(text.rstrip("\n"), values["title"] or "qctl", COLUMNS)
    with open(values["file"], "w", encoding="utf-8") as file:
        file.write(picture)
    return 0


def typed(argv: list[str], db: str) -> str:
    """What the command shows on a terminal of COLUMNS columns."""
    import fcntl
    import pty
    import struct
    import subprocess
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = dict(os.environ, QCTL_DB=db, TERM="xterm-256color", LANG="C.UTF-8", PYTHONUTF8="1")
    for name in ("NO_COLOR", "COLUMNS"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "qctl", *argv], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    data = b""
    while True:
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
)
