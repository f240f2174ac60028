"""`qctl export`: all that is in the queue, as NDJSON."""

from __future__ import annotations

import os
import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from qctl.cli.spec import Values
    from qctl.queue import Queue


def run(values: Values) -> int:
    path = values["file"]
    queue = open_queue(values)
    if path in (None, "-"):
        write(queue, sys.stdout, values)
        return 0
    if os.path.isdir(path):
        raise BadValue(f"{path} is a directory: name a file in it")
    if os.path.lexists(path) and not values["force"]:
        raise BadValue(f"{path} is there already: name another file, or give --force to overwrite it")
    if os.path.realpath(path).startswith(queue.path):
        raise BadValue(f"{path} belongs to the queue itself: name another file")
    part = f"{path}.part-{os.urandom(4).hex()}"
    try:
        with open(
            os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w", encoding="utf-8"
        ) as file:
            count = write(queue, file, values)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        error.filename = path  # the other name is gone by then
        raise
    finally:
        if os.path.lexists(part):
            os.unlink(part)
    from qctl.cli.filters import counted
    from qctl.cli.render import say

    say(f"{path}: {counted(count, 'record')}")
    return 0


def write(queue: Queue, file: TextIO, values: Values) -> int:
    import json

    from qctl.cli.render import progress
    from qctl.keeping import export

    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
    count = 0
    with progress("exporting", None, unit="jobs") as bar:
        record: dict[str, Any]
        for record in export(queue, output=bool(values["output"])):
            file.write(encode(record) + "\n")
            count += record["record"] != "qctl"
            if record["record"] == "qctl":
                bar.total = record["jobs"]
            bar.advance(record["record"] == "job")
    return count


EXPORT = Command(
    "export",
    "Write all that is in the queue as NDJSON.",
    run,
    Argument("file", required=False, help="Where to (default: stdout).", complete="file"),
    Option("--output", help="With what jobs wrote."),
    Option("--force", "-f", help="Overwrite what is there."),
    epilog=(
        "the figures of `stats --since` stay with the file: `qctl backup` copies them",
        "qctl export all.ndjson",
        "qctl export | jq -c 'select(.record == \"job\")'",
    ),
)
