"""`qctl purge`: delete jobs that ended long ago; made for cron."""

from __future__ import annotations

import sys

from qctl.cli.options import open_queue
from qctl.cli.spec import Command, Option
from qctl.model import FINISHED, BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values

WEEK = 7 * 86_400.0


def run(values: Values) -> int:
    from qctl.cli.filters import agreed, can_be_asked, counted
    from qctl.cli.render import object_json, progress, say
    from qctl.cli.terminal import is_terminal
    from qctl.rules.clock import duration_text
    from qctl.rules.newjob import seconds, whole

    statuses = values["status"] or ["completed"]
    for status in statuses:
        if status not in FINISHED:
            raise BadValue(f"--status: {status[:40]!r} jobs are not purged: use {', '.join(FINISHED)}")
    queue = open_queue(values)
    usual = queue.store.setting("purge.older_than")
    older = seconds("--older-than", values["older_than"] if values["older_than"] is not None else usual or WEEK)
    options: dict[str, Any] = {
        "undoable": True,
        "statuses": statuses,
        "older_than": older,
        "keep": whole("--keep", values["keep"] or "0", 0, 2**62),
        "max_time": None if values["max_time"] is None else seconds("--max-time", values["max_time"]),
    }
    if values["dry_run"]:
        done = queue.purge(**options, dry_run=True)
        sys.stdout.write((object_json(done) if values["json"] else told(done, statuses, older)) + "\n")
        return 0
    if older < 60 and set(statuses) - {"completed"} and not (values["yes"] or can_be_asked()):
        raise BadValue(f"purge of all {' and '.join(statuses)} jobs: it cannot be undone: give --yes")
    ahead = queue.purge(**options, dry_run=True) if can_be_asked() or is_terminal(sys.stderr) else {}
    count = ahead.get("deleted")
    which = f"{counted(count or 0)} {' or '.join(statuses)} over {duration_text(older)} ago"
    if count and not agreed(f"purge {which}?{'' if ahead['undoable'] else ' It cannot be undone.'}", values):
        say("nothing was purged")
        return 1
    with progress("purging", count, unit="jobs") as bar:
        done = queue.purge(**options, progress=bar.advance)
    sys.stdout.write((object_json(done) if values["json"] else told(done, statuses, older)) + "\n")
    return 0


def told(done: dict[str, Any], statuses: list[str], older: float) -> str:
    """What was done, on one line."""
    from qctl.cli.render import bytes_text, number
    from qctl.rules.clock import duration_text

    jobs = f"{number(done['deleted'])} job{'' if done['deleted'] == 1 else 's'}"
    which = f"{' or '.join(statuses)} over {duration_text(older)} ago"
    if done["dry_run"]:
        text = f"would purge {jobs} {which}"
    elif not done["deleted"]:
        text = f"nothing to purge: no jobs {which}"
    else:
        text = f"purged {jobs} {which}"
    if done["bytes_returned"]:
        text += f", {bytes_text(done['bytes_returned'])} given back"
    if done["bytes_left"]:
        text += f", up to {bytes_text(done['bytes_left'])} more by the next purge"
    if done["forgotten"]:
        text += f"; {'would forget' if done['dry_run'] else 'forgot'} {number(done['forgotten'])} done once"
    if done["dry_run"]:
        return text
    if done["deleted"] and done["undoable"]:
        text += "; `qctl undo` takes it back"
    if done["left_unreviewed"]:
        text += f"; {number(done['left_unreviewed'])} failed left, whose dead letters are not reviewed"
    if not done["is_complete"]:
        text += "; time was up, more is left"
    return text


PURGE = Command(
    "purge",
    "Delete jobs that ended long ago.",
    run,
    Option("--older-than", metavar="DURATION", help="Those that ended longer ago (default 7d)."),
    Option("--status", "-s", metavar="STATUS", multiple=True, choices=FINISHED,
           help="completed (default), failed or cancelled; may be repeated."),
    Option("--keep", metavar="N", help="Keep the newest N of each status all the same."),
    Option("--max-time", metavar="DURATION", help="Stop after this time; the next purge goes on."),
    Option("--dry-run", help="Only count."),
    Option("--yes", "-y", help="Do not ask."),
    epilog=("`qctl undo` takes a purge of up to 10,000 jobs back; a larger one is final",
            "qctl backup FILE, or --dry-run, comes before it where that matters",
            "qctl purge", "qctl purge --status cancelled --older-than 1d --max-time 30s"),
)  # fmt: skip
