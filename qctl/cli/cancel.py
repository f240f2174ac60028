"""`qctl cancel` and `qctl retry`: steering jobs, named or filtered."""

from __future__ import annotations

import sys
import time

from qctl.cli.filters import ERROR, FILTERS, agreed, filter_of, jobs_meant
from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import KEY_HELD, NO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qctl.cli.spec import Values
    from qctl.queue import Queue

WORDS = {
    "cancelled": "cancelled",
    "asked": "told to end",
    "due": "runs now",
    "pending": "runs again",
}


def cancel(values: Values) -> int:
    queue = open_queue(values)
    return steer(queue, values, "cancel", ("pending", "blocked", "processing"), queue.cancel, ("cancelled", "asked"))


def retry(values: Values) -> int:
    queue = open_queue(values)
    return steer(queue, values, "retry", ("pending", "failed"), queue.retry, ("due", "pending"))


def steer(
    queue: Queue,
    values: Values,
    verb: str,
    usual: tuple[str, ...],
    act: Callable[[Iterable[int]], dict[int, str]],
    good: tuple[str, ...],
) -> int:
    """Find the jobs meant, ask where that is due, act, and say what was done."""
    from qctl.cli.render import object_json, say

    now = time.time()
    numbers, named = jobs_meant(queue, values, now, verb)
    if not named:
        filter = filter_of(values, now)
        filter.statuses = filter.statuses or usual
        numbers = [job.number for job in queue.find(filter, newest_first=False)]
    if values["dry_run"]:
        sys.stdout.write("".join(f"{number}\n" for number in numbers))
        say(f"{len(numbers):,} jobs; nothing was changed (--dry-run)")
        return 0
    if not named and numbers and not agreed(f"{verb} {len(numbers):,} jobs?", values):
        say("nothing was changed")
        return 1
    done = act(numbers)
    held = 0
    for number in numbers:
        word = done.get(number, "gone")
        if values["json"]:
            sys.stdout.write(object_json({"number": number, "result": word}) + "\n")
        elif word in good:
            sys.stdout.write(f"{number}\n")
        if word.startswith(KEY_HELD):
            held += 1
        if word not in good and named:
            say(f"job {number} is {word}: it is left as it is")
    count = sum(1 for word in done.values() if word in good)
    if not named:
        say(f"{count:,} jobs: {', '.join(sorted({WORDS[w] for w in done.values() if w in good})) or 'nothing to do'}")
    if held and not named:
        say(f"{held:,} were left: another unfinished job has their key")
    return NO if held and named else 0


JOBS = Argument(
    "jobs", metavar="JOB", required=False, multiple=True, help="Numbers, ids, ranges (1040-1050).", complete="jobs"
)
DRY_RUN = Option("--dry-run", help="Only list the jobs that it would touch.")
YES = Option("--yes", "-y", help="Do not ask.")

CANCEL = Command(
    "cancel",
    "Cancel jobs.",
    cancel,
    JOBS,
    *FILTERS,
    ERROR,
    DRY_RUN,
    YES,
    epilog=("qctl cancel 1036", "qctl cancel --type send_email --status pending"),
)

RETRY = Command(
    "retry",
    "Run jobs now: again, or before their time.",
    retry,
    JOBS,
    *FILTERS,
    ERROR,
    DRY_RUN,
    YES,
    epilog=("qctl retry 1036", "qctl retry --type charge --error 'unreachable'"),
)
