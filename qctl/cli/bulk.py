"""`qctl enqueue --from FILE|-`: many jobs from NDJSON, a transaction per chunk."""

from __future__ import annotations

import os
import sys
import time

from qctl.cli.options import look_at_queue, open_queue
from qctl.model import BadValue, NewJob, QctlError
from qctl.rules import newjob
from qctl.rules.payload import SMALL, decoder, dumps, kind
from qctl.store.sqlite.insert import IdTaken, MissingNeed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue

READ = 1 << 20
CHUNK = 5000
"""Lines stored in one transaction at the most: some 50 ms, so that others get their turn."""

ONE_JOB_ONLY = ("id", "wait", "follow", "wait_timeout", "exit_code", "shell", "payload_option", "key")


class LineError(QctlError):
    """What is wrong with a line, and what had been stored before it."""

    exit_code = 2


def run(values: Values) -> int:
    for key in ONE_JOB_ONLY:
        if values[key]:
            raise BadValue(
                f"--{key.replace('_option', '').replace('_', '-')}: it is for one job, and does not go with --from"
            )
    if values["tail"] is not None or values["payload"]:
        raise BadValue("--from: the jobs are in the file, so there can be no payload and no command beside it")
    return Bulk(values).run()


class Bulk:
    """One run over one source."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.source = values["from"]
        self.defaults = defaults_of(values)
        self.parent = None
        if "QCTL_LEASE" in os.environ:  # this runs in a job
            from qctl.cli.parent import parent_of

            self.parent = parent_of(values)
        self.queue: Queue = look_at_queue(values) if values["dry_run"] else open_queue(values, create=True)
        self.line = 0
        self.stored = 0
        self.types: dict[str, Any] = {}  # what was looked up of types, for one block
        self.pending: list[tuple[int, NewJob]] = []  # with the number of its line

    def run(self) -> int:
        from qctl.cli.render import progress, say

        if os.path.isdir(self.source):
            raise BadValue(f"--from: {self.source} is a directory: name a file with a JSON object on each line")
        fd = 0 if self.source == "-" else os.open(self.source, os.O_RDONLY | os.O_CLOEXEC)
        size = os.fstat(fd).st_size if self.source != "-" else 0
        name = "stdin" if self.source == "-" else self.source
        store = self.queue.store
        with progress(f"enqueuing from {name}", size or None, unit="bytes") as bar:
            if self.values["atomic"]:
                self.check_all(fd, bar)
                self.flush()
            else:
                for data in self.blocks(fd):
                    self.take(data)
                    self.flush()
                    bar.advance(len(data))
        if self.values["dry_run"]:
            say(f"{self.line:,} lines are good; nothing was stored (--dry-run)")
        elif sys.stderr.isatty():
            say(f"{self.stored:,} jobs enqueued")
        store.tidy()
        return 0

    def check_all(self, fd: int, bar: Any) -> None:
        for data in self.blocks(fd):
            self.take(data)
            bar.advance(len(data))

    def blocks(self, fd: int) -> Iterator[bytes]:
        """Whole lines, as much as there is at a time: what a slow producer wrote is not held back."""
        rest = b""
        limit = int(self.queue.store.setting("max_payload") or 0) + (64 << 20)
        while True:
            data = os.read(fd, READ)
            if not data:
                break
            cut = data.rfind(b"\n") + 1
            if not cut:
                rest += data
                if len(rest) > limit:
                    raise self.wrong(self.line + 1, f"it is over {limit:,} bytes long")
                continue
            yield rest + data[: cut - 1]
            rest = data[cut:]
        if rest:
            yield rest

    def take(self, data: bytes) -> None:
        """Read the lines of a block. At a bad one, store what came before it and raise LineError."""
        now = time.time()
        self.types = {}
        dry = self.values["dry_run"]
        for line in data.split(b"\n"):
            self.line += 1
            try:
                text = line.decode("utf-8-sig" if self.line == 1 else "utf-8").strip()
                if not text:
                    continue
                job = self.job_of(text, now)
            except (BadValue, ValueError, RecursionError) as error:
                if not self.values["atomic"]:
                    self.flush()
                raise self.wrong(self.line, reason(error)) from None
            if not dry:
                self.pending.append((self.line, job))
                if len(self.pending) >= CHUNK and not self.values["atomic"]:
                    self.flush()

    def job_of(self, text: str, now: float) -> NewJob:
        fields = decoder()(text)
        if type(fields) is not dict:
            raise BadValue(f"use a JSON object with type or command, not {kind(fields)}")
        payload = fields.get("payload")
        if len(fields) == 2 and type(payload) is dict and not self.defaults and "type" in fields:
            job = NewJob(newjob.name("type", fields["type"]), dumps(payload))
            if len(job.payload) > SMALL // 4:
                self.queue.check_size(len(job.payload.encode()))
            self.queue.complete(job, self.types)
            return job
        return self.queue.prepare(self.completed(fields), now, self.types)

    def completed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of a line as a job's: keys may be spelled as the options are, and options fill what it leaves open."""
        for key in [key for key in fields if "-" in key]:
            fields[key.replace("-", "_")] = fields.pop(key)
        if "tag" in fields and fields.get("tags") is None:
            fields["tags"] = fields.pop("tag")
        env = fields.get("env")
        if env and type(env) in (str, list):
            from qctl.cli.enqueue import variables

            fields["env"] = variables([env] if type(env) is str else env)
        if not self.defaults:
            return fields
        is_command = fields.get("command") is not None or fields.get("shell") is not None
        for key, value in self.defaults.items():
            if fields.get(key) is not None or (key in ("cwd", "env") and not is_command):
                continue
            if key in ("in", "at") and (fields.get("in") is not None or fields.get("at") is not None):
                continue  # the line says when, in the other way
            if key == "key_for" and fields.get("key") is None and "key" not in self.defaults:
                continue  # it is for the lines that have a key
            fields[key] = value
        return fields

    def wrong(self, line: int, why: str) -> LineError:
        where = f"{'stdin' if self.source == '-' else self.source}, line {line}"
        if self.values["atomic"] or self.values["dry_run"]:
            return LineError(f"{where}: {why}; nothing was stored")
        jobs = "1 job was" if self.stored == 1 else f"{self.stored:,} jobs were"
        return LineError(f"{where}: {why}; {jobs} stored before it")

    def flush(self) -> None:
        """Store what is pending in one transaction, then print the numbers: they are on disk."""
        if not self.pending:
            return
        pending, self.pending = self.pending, []
        try:
            done = self.queue.stored([job for _line, job in pending], time.time(), parent=self.parent)
        except (IdTaken, MissingNeed) as taken:
            if self.values["atomic"]:
                raise self.wrong(pending[taken.index][0], str(taken)) from None
            self.pending = pending[: taken.index]
            self.flush()
            raise self.wrong(pending[taken.index][0], str(taken)) from None
        self.stored += len(done)
        if self.values["json"]:
            from qctl.cli.enqueue import told_of
            from qctl.cli.render import object_json

            lines = [object_json(told_of(one)) for one in done]
        else:
            lines = [str(int(one)) for one in done]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def reason(error: Exception) -> str:
    if isinstance(error, BadValue):
        return str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    message = getattr(error, "msg", None)
    if message is None and "digits" in str(error):
        return "a number in it has too many digits: use text"
    if message is None:
        return f"not JSON: {error} is no JSON value"
    return f"not JSON: {message.removesuffix(' at')} at column {getattr(error, 'colno', 0)}"


def defaults_of(values: Values) -> dict[str, Any]:
    """Options beside --from hold for every line that does not say otherwise."""
    fields = {
        key: values[key]
        for key in ("priority", "in", "at", "queue", "max_attempts", "backoff", "timeout", "cwd", "expires", "key_for")
    }
    fields["type"] = values["type"] or values["type_name"]
    for key in ("after", "after_any", "after_failed"):
        fields[key] = values[key] or None
    fields["tags"] = values["tag"] or None
    if values["env"]:
        from qctl.cli.enqueue import variables

        fields["env"] = variables(values["env"])
    return {key: value for key, value in fields.items() if value is not None}
