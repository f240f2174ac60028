"""`qctl once KEY -- COMMAND`: run a command here and now, unless it was done before."""

from __future__ import annotations

import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import NO, BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

NOT_EXECUTABLE, NOT_FOUND = 126, 127  # as shells say it


def run(values: Values) -> int:
    from qctl.cli.render import say
    from qctl.rules.newjob import command_text, name

    if not values["tail"]:
        raise BadValue("there is no command: qctl once KEY -- COMMAND [ARG]...")
    key, words = name("key", values["key"]), values["tail"]
    command_text(words, None)  # what no program can be given is refused before anything is made
    queue = open_queue(values, create=True)
    if queue.done_at(key) is not None:
        return already(key, queue.done_at(key))
    with queue.turn(key) as turn:
        if not turn.acquire(wait=False):
            if values["no_wait"]:
                say(f"{key} is being done by another process: nothing was run")
                return NO
            say(f"{key} is being done by another process: waiting for its end")
            turn.acquire(wait=True)
        done = queue.done_at(key)  # whoever had the turn before may have done it
        if done is not None:
            return already(key, done)
        code = foreground(words, turn.fd)
        if code == 0:
            queue.mark_done(key)
    return code


def already(key: str, at: str | None) -> int:
    from qctl.cli.render import say

    say(f"{key} was done at {at} UTC: nothing was run")
    return 0


def foreground(words: list[str], turn: int) -> int:
    """Run a command with our own stdin and output, signals passed on; its exit code, 128 + n for signal n.

    It inherits the turn: if we are killed, nobody else gets it before the command has ended, too.
    """
    import signal
    import subprocess

    from qctl.cli.render import error

    try:
        process = subprocess.Popen(words, pass_fds=(turn,))
    except FileNotFoundError:
        error(f"command not found: {words[0]}")
        return NOT_FOUND
    except OSError as problem:
        error(f"cannot run {words[0]}: {problem.strerror}")
        return NOT_EXECUTABLE
    kept = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        kept[number] = signal.signal(number, lambda number, _frame: process.send_signal(number))
    kept[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the command as well
    try:
        code = process.wait()
    finally:
        for number, action in kept.items():
            signal.signal(number, action)
    sys.stdout.flush()
    return code if code >= 0 else 128 - code


ONCE = Command(
    "once",
    "Run a command here, unless it was done before.",
    run,
    Argument("key", help="What is done: it is marked when the command leaves with 0."),
    Option("--no-wait", help="If another process is at it, leave with 1 instead of waiting."),
    tail="-- COMMAND [ARG]...",
    epilog=(
        "qctl once invoice-1036 -- ./charge 1036",
        'in a job: qctl once "charge-$QCTL_JOB_ID" -- ./charge',
        "leaves with the command's own status; 0 if it was done before",
    ),
)
