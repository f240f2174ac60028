"""`qctl import`: what was exported, or whole queue files, into a queue. Nothing is run, and what is there stays."""

from __future__ import annotations

import os
import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command
from qctl.model import BadValue, QctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.keeping import Import
    from qctl.queue import Queue

CHUNK = 500  # records in one transaction
MAGIC = b"SQLite format 3\0"


class BadLine(QctlError):
    """What is wrong with a line, and what is stored already."""

    exit_code = 2


def run(values: Values) -> int:
    from qctl.cli.render import object_json, say

    for source in values["files"]:
        if source != "-" and os.path.isdir(source):
            raise BadValue(f"{source} is a directory: name an export or a queue file")
        if source != "-" and not os.path.exists(source):
            raise BadValue(f"{source}: there is no such file")
    queue = open_queue(values, create=True)
    for source in values["files"]:
        done = take(queue, source)
        if values["json"]:
            sys.stdout.write(object_json({"source": source, **done}) + "\n")
        else:
            say(told(source, done))
    return 0


def take(queue: Queue, source: str) -> dict[str, Any]:
    from qctl.cli.render import progress
    from qctl.keeping import Import

    into = Import(queue)
    if source != "-" and os.path.samefile(source, queue.path):
        raise BadValue(f"{source} is the queue itself: name another one, or an export")
    with progress(f"importing {os.path.basename(source)}", None, unit="records") as bar:
        if source != "-" and is_queue(source):
            from qctl.keeping import export
            from qctl.queue import Queue

            with Queue(source, create=False) as other:
                feed(into, source, enumerate(export(other, output=True), 1), bar)
        else:
            with stdin() if source == "-" else open(source, "rb") as file:
                feed(into, source, lines(file), bar)
    return into.told()


def stdin() -> Any:
    from contextlib import nullcontext

    return nullcontext(sys.stdin.buffer)


def is_queue(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def lines(file: Any) -> Iterator[tuple[int, Any]]:
    """Each line's number and record; a BadValue stands for one that is no JSON."""
    import json

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    decode = json.JSONDecoder(parse_constant=refuse).decode
    for number, line in enumerate(file, 1):
        text = line.strip()
        if text:
            try:
                yield number, decode(text.decode())
            except (ValueError, RecursionError) as error:
                yield number, BadValue(f"it is no JSON object: {error}")


def feed(into: Import, source: str, records: Iterator[tuple[int, Any]], bar: Any) -> None:
    chunk: list[Any] = []
    numbers: list[int] = []
    for number, record in records:
        chunk.append(record)
        numbers.append(number)
        if len(chunk) == CHUNK or isinstance(record, BadValue):
            store(into, source, chunk, numbers)
            bar.advance(len(chunk))
            chunk, numbers = [], []
    store(into, source, chunk, numbers)


def store(into: Import, source: str, chunk: list[Any], numbers: list[int]) -> None:
    name = "stdin" if source == "-" else source
    bad = chunk.pop() if chunk and isinstance(chunk[-1], BadValue) else None
    try:
        if chunk:
            into.take(chunk)
    except BadValue as error:
        bad, index = error, getattr(error, "index", 0)
        numbers = numbers[: index + 1]
    if bad is not None:
        raise BadLine(
            f"{name}, line {numbers[-1]}: {bad}; the lines before it are stored: mend it and import again"
        ) from None


def told(source: str, done: dict[str, Any]) -> str:
    """What came of it, on one line."""
    from qctl.cli.filters import counted

    name = "stdin" if source == "-" else source
    others = sum(done["stored"].values()) - done["stored"]["job"]
    text = f"{name}: {counted(done['stored']['job'])} and {counted(others, 'other record')} taken in"
    if done["there"]:
        text += f", {done['there']:,} were there"
    if done["left_out"]:
        text += f", {done['left_out']:,} left out, as another has their key, tick or name"
    if done["renumbered"]:
        text += f", {counted(done['renumbered'])} with another number here"
    if done["unknown"]:
        text += f"; this version does not know, and left out: {', '.join(done['unknown'][:10])}"
    return text


IMPORT = Command(
    "import",
    "Take in what was exported, or whole queue files; what is there stays.",
    run,
    Argument("files", metavar="FILE", multiple=True, help="Exports, or queue files; - for stdin.", complete="file"),
    epilog=("qctl import all.ndjson", "qctl --db all.db import shard-1.db shard-2.db     # merge"),
)
