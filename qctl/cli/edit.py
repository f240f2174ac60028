"""`qctl edit JOB`: change a job that waits."""

from __future__ import annotations

import os
import sys

from qctl.cli.enqueue import BACKOFF, PRIORITY_WORDS, payload_of
from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue

PLAIN = ("priority", "at", "in", "queue", "max_attempts", "backoff", "timeout")


def run(values: Values) -> int:
    from qctl.cli.render import object_json, say
    from qctl.cli.terminal import is_terminal

    queue = open_queue(values)
    changes: dict[str, Any] = {key: values[key] for key in PLAIN if values[key] is not None}
    if values["tag"]:
        changes["tags"] = values["tag"]
    if values["payload"] is not None:
        changes["payload"] = payload_of([values["payload"]])
    job = queue.get(values["job"])
    if not changes:
        if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
            raise BadValue(
                "say what to change: --payload, --priority, --at, --in, --queue, --tag, --max-attempts, --backoff or --timeout"
            )
        return in_editor(queue, job.number, lambda number, text: queue.edit(number, payload=text))
    job = queue.edit(job.number, **changes)
    if values["json"]:
        from qctl.cli.filters import public

        sys.stdout.write(object_json(public(job)) + "\n")
    else:
        say(f"job {job.number} changed: {', '.join(changes)}")
    return 0


def in_editor(queue: Queue, number: int, keep: Callable[[int, str], object]) -> int:
    """The payload in the person's own editor, until it is right or given up."""
    import json
    import shlex
    import subprocess
    import tempfile

    from qctl.cli.filters import agreed
    from qctl.cli.render import error as complain
    from qctl.cli.render import say

    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    before = json.dumps(queue.get(number).payload, indent=2, ensure_ascii=False) + "\n"
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix=f"qctl-{number}-", encoding="utf-8") as file:
        file.write(before)
        file.flush()
        while True:
            if subprocess.run([*editor, file.name], check=False).returncode:
                raise BadValue(f"{editor[0]} failed: nothing was changed")
            with open(file.name, encoding="utf-8") as edited:
                text = edited.read()
            if text == before:
                say("nothing was changed")
                return 0
            try:
                keep(number, text)
            except BadValue as problem:
                complain(str(problem))
                if not agreed("edit it again?", {}):
                    say("nothing was changed")
                    return 1
                continue
            say(f"job {number} changed: payload")
            return 0


EDIT = Command(
    "edit",
    "Change a job that has not ended.",
    run,
    Argument("job", help="A number, an id, or the beginning of one.", complete="jobs"),
    Option("--payload", metavar="JSON", help="A new payload: JSON, @FILE, or - for stdin."),
    Option("--priority", "-p", metavar="PRIORITY", help="low, normal, high, critical or a number.",
           choices=PRIORITY_WORDS),
    Option("--in", "-i", metavar="DURATION", help="Run after a delay from now."),
    Option("--at", metavar="TIME", help="Run at a time."),
    Option("--queue", "-q", metavar="NAME", help="Move it to a queue.", complete="queues"),
    Option("--tag", metavar="TAG", multiple=True, help="Its tags from now on; may be repeated.", complete="tags"),
    Option("--max-attempts", metavar="N", help="Attempts before it becomes a dead letter."),
    BACKOFF,
    Option("--timeout", metavar="DURATION", help="Longest time of an attempt; none: no limit."),
    epilog=("qctl edit 1036 --priority high", "qctl edit 1036     # its payload, in your editor"),
)  # fmt: skip
