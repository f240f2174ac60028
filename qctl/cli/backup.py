"""`qctl backup`: a copy of the queue file, while everybody goes on."""

from __future__ import annotations

import os
import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue

PIECE = 1 << 20


def run(values: Values) -> int:
    from qctl.cli.render import bytes_text, object_json, say
    from qctl.cli.terminal import is_terminal

    path = values["file"]
    if path == "-":
        if is_terminal(sys.stdout):
            raise BadValue("-: the backup is no text for a terminal: send stdout to a file or a program")
        return stream(open_queue(values))
    done = copied(open_queue(values), path, bool(values["force"]))
    if values["json"]:
        sys.stdout.write(object_json(done) + "\n")
    else:
        say(f"{path}: {done['jobs']:,} jobs, {bytes_text(done['bytes'])}, checked")
    return 0


def copied(queue: Queue, path: str, force: bool) -> dict[str, Any]:
    from qctl.cli.render import progress
    from qctl.keeping import backup

    with progress(f"copying to {os.path.basename(path)}", None, unit="pages") as bar:

        def told(done: int, total: int) -> None:
            bar.total = total
            bar.advance(done - bar.done)

        return backup(queue, path, force=force, progress=told)


def stream(queue: Queue) -> int:
    """The copy is made and checked in a folder of its own first: what is sent is whole."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="qctl-backup-") as folder:
        path = os.path.join(folder, "queue.db")
        copied(queue, path, False)
        sys.stdout.flush()
        with open(path, "rb") as file:
            while piece := file.read(PIECE):
                sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    return 0


BACKUP = Command(
    "backup",
    "Copy the queue file while workers run; the copy is whole and checked.",
    run,
    Argument("file", help="Where to; - for stdout.", complete="file"),
    Option("--force", "-f", help="Overwrite what is there."),
    epilog=("qctl backup /backups/queue.db", "qctl backup - | ssh safe 'cat > queue.db'"),
)
