"""`qctl cancel` and `qctl retry`: steering jobs, named or filtered."""

from __future__ import annotations

import sys
import time

from qctl.cli.filters import DRY_RUN, ERROR, FILTERS, YES, agreed, counted, filter_of, jobs_meant
from qctl.cli.options import open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import FINISHED, KEY_HELD, NO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qctl.cli.spec import Values
    from qctl.queue import Queue

CHUNK = 500
WORDS = {
    "cancelled": "cancelled",
    "asked": "told to end",
    "due": "to run now",
    "pending": "to run again",
}


def cancel(values: Values) -> int:
    queue = open_queue(values)
    if values["jobs"] and not values["dry_run"] and not agreed_to_leave(queue, values):
        from qctl.cli.render import say

        say("nothing was changed")
        return 1
    return steer(queue, values, "cancel", ("pending", "blocked", "processing"), queue.cancel, ("cancelled", "asked"))


def agreed_to_leave(queue: Queue, values: Values) -> bool:
    """Say what waits for the jobs named, and would wait for ever; on a terminal ask, unless --cascade takes it along."""
    if values["cascade"]:
        return True
    numbers, _named = jobs_meant(queue, values, time.time(), "cancel")
    left = queue.left_behind([number for number in numbers if queue.get(number).status not in FINISHED])
    if not left:
        return True
    from qctl.cli.render import say

    some = ", ".join(map(str, left[:5])) + (", ..." if len(left) > 5 else "")
    say(f"{counted(len(left))} could then not run ({some}): --cascade cancels them, too")
    return agreed("cancel all the same, and leave them blocked?", values)


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
    from qctl.keeping import forgot, one_command

    now = time.time()
    numbers, named = jobs_meant(queue, values, now, verb)
    if not named:
        filter = filter_of(values, now)
        filter.statuses = filter.statuses or usual
        numbers = [job.number for job in queue.find(filter, newest_first=False)]
    if values.get("cascade"):
        numbers = [*numbers, *queue.left_behind(numbers)]
    if values["dry_run"]:
        for number in numbers:
            sys.stdout.write((object_json({"number": number}) if values["json"] else str(number)) + "\n")
        say(f"{counted(len(numbers))}; nothing was changed (--dry-run)")
        return 0
    if not named and numbers and not agreed(f"{verb} {counted(len(numbers))}?", values):
        say("nothing was changed")
        return 1
    words: dict[str, None] = {}
    count = held = 0
    one_command(queue)
    for start in range(0, len(numbers), CHUNK):  # printed as it is done: an interruption leaves no doubt
        chunk = numbers[start : start + CHUNK]
        done = act(chunk)
        for number in chunk:
            word = done.get(number, "gone")
            if values["json"]:
                sys.stdout.write(object_json({"number": number, "result": word}) + "\n")
            elif word in good:
                sys.stdout.write(f"{number}\n")
            held += word.startswith(KEY_HELD)
            if word in good:
                count += 1
                words[WORDS[word]] = None
            elif named:
                say(f"job {number} is {word}: it is left as it is")
        sys.stdout.flush()
    if not named:
        say(f"{counted(count)}: {', '.join(sorted(words)) or 'nothing to do'}")
    if forgot(queue):
        say(forgot(queue))
    if held and not named:
        say(f"{held:,} were left: another unfinished job has their key")
    return NO if held and named else 0


JOBS = Argument(
    "jobs", metavar="JOB", required=False, multiple=True, help="Numbers, ids, ranges (1040-1050).", complete="jobs"
)

CANCEL = Command(
    "cancel",
    "Cancel jobs.",
    cancel,
    JOBS,
    *FILTERS,
    ERROR,
    Option("--cascade", help="Cancel also the blocked jobs that could not run without them."),
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
