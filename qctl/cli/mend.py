"""`qctl dlq edit` and `qctl dlq export`: payloads of dead letters, mended or taken along."""

from __future__ import annotations

import sys
import time

from qctl.cli.filters import DRY_RUN, ERROR, FILTERS, YES, filter_of
from qctl.cli.group import GROUP, in_group
from qctl.cli.options import look_at_queue, open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue


def edit(values: Values) -> int:
    from qctl.cli.dlq import meant
    from qctl.cli.filters import agreed, counted
    from qctl.cli.render import object_json, say
    from qctl.cli.terminal import is_terminal

    sets, given = values["set"], values["payload"]
    if sets and given is not None:
        raise BadValue("--set and --payload exclude each other: give one of them")
    queue = open_queue(values)
    letters, named = meant(queue, values, "edit")
    numbers = list(dict.fromkeys(one["number"] for one in letters if one["number"] is not None))
    if named and len(numbers) < len(letters):
        raise NotFound("the job of a dead letter is gone: there is nothing left to edit")
    text = None
    if given is not None:
        from qctl.cli.enqueue import payload_of

        text = payload_of([given])
    elif not sets:
        if len(numbers) != 1 or not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
            raise BadValue(
                "say what to change: --set path=value or --payload JSON; on a terminal, one job in your editor"
            )
        from qctl.cli.edit import in_editor

        return in_editor(queue, numbers[0], queue.edit_dead)
    changes = {number: new_payload(queue.get(number).data["payload"], sets, text) for number in numbers}
    if values["dry_run"]:
        for number, payload in changes.items():
            row = {"number": number, "payload": payload}
            sys.stdout.write((object_json(row) if values["json"] else str(number)) + "\n")
        say(f"{counted(len(numbers))}; nothing was changed (--dry-run)")
        return 0
    if numbers and not named and not agreed(f"edit {counted(len(numbers), 'dead job')}?", values):
        say("nothing was changed")
        return 1
    if named and len(numbers) == 1:
        queue.edit_dead(numbers[0], changes[numbers[0]])
        done = numbers
    else:
        done = edit_all(queue, changes)
    for number in done if values["json"] else ():
        sys.stdout.write(object_json({"number": number}) + "\n")
    if not values["json"]:
        left = f", {len(numbers) - len(done):,} left: not dead any more" if len(done) < len(numbers) else ""
        say(f"{counted(len(done))} changed{left} → qctl dlq replay {done[0] if done else 'JOB'}")
    return 0


def edit_all(queue: Queue, changes: dict[int, Any]) -> list[int]:
    """Edit in chunks, with a bar; what was done when Ctrl-C comes is done, and does no harm the second time."""
    from qctl.cli.render import progress
    from qctl.cli.replay import Stopping
    from qctl.keeping import edit_dead, one_command

    done: list[int] = []
    told = Stopping(lambda: f"{len(done):,} of {len(changes):,} edited")
    one_command(queue)
    with told, progress("edit", len(changes), unit="jobs") as bar:

        def advance(count: int, edited: list[int]) -> None:
            done.extend(edited)
            bar.advance(count)

        edit_dead(queue, changes, progress=advance)
    return done


def new_payload(before: str, sets: list[str], text: Any) -> Any:
    """The payload as it is to be: another one, or the one there was with some values set."""
    import json

    from qctl.rules.pointed import set_value

    if text is not None:
        return text
    try:
        payload = json.loads(before)
    except (ValueError, RecursionError):
        raise BadValue("--set: the payload is not JSON: give a whole one with --payload") from None
    for word in sets:
        set_value(payload, word)
    return payload


def export(values: Values) -> int:
    from qctl.cli.letter import public
    from qctl.cli.render import object_json

    filter = filter_of(values, time.time())
    queue = look_at_queue(values)
    for one in in_group(queue.dead_letters(filter, reviewed=None if values["all"] else False), values):
        row = public(one)
        if one["number"] is not None:
            row["history"] = queue.history(one["number"])
        sys.stdout.write(object_json(row) + "\n")
    return 0


EDIT = Command(
    "edit", "Change the payload of dead jobs, before a replay.", edit,
    Argument("jobs", metavar="JOB", required=False, multiple=True, help="Jobs (numbers, ids, ranges) or ids of letters.",
             complete="dead"),
    Option("--set", metavar="PATH=VALUE", multiple=True, help="Set a value; := takes JSON. May be repeated."),
    Option("--payload", metavar="JSON", help="A new payload: JSON, @FILE, or - for stdin."),
    *FILTERS, ERROR, GROUP,
    Option("--all", "-a", help="All that are not reviewed."),
    DRY_RUN, YES,
    epilog=(
        "qctl dlq edit 1036 --set customer.city=Oslo --set items[0].count:=3",
        "qctl dlq edit 1036     # in your editor",
    ),
)  # fmt: skip
EXPORT = Command(
    "export", "Print dead letters whole, as NDJSON.", export, *FILTERS, ERROR, GROUP,
    Option("--all", "-a", help="Also those that were reviewed."),
    epilog=("qctl dlq export --since 1d > dead.ndjson",),
)  # fmt: skip
