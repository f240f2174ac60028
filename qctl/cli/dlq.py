"""`qctl dlq`: inspect, note down, review, replay and discard dead letters."""

from __future__ import annotations

import sys
import time

from qctl.cli.filters import (
    DRY_RUN,
    ERROR,
    FILTERS,
    YES,
    agreed,
    can_be_asked,
    counted,
    filter_of,
    limit_of,
)
from qctl.cli.group import GROUP, in_group, of_group
from qctl.cli.letter import letters_of, public
from qctl.cli.options import look_at_queue, open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import KEY_HELD, NO, BadValue, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue


def list_(values: Values) -> int:
    from itertools import islice

    from qctl.cli.render import hint, table
    from qctl.cli.table import Column
    from qctl.cli.terminal import COLOURS, glyph, is_terminal
    from qctl.rules.clock import human
    from qctl.rules.when import from_text

    now = time.time()
    filter, limit = filter_of(values, now), limit_of(values)
    queue = look_at_queue(values)
    letters = of_group(queue.dead_letters(filter, reviewed=None if values["all"] else False), values)
    if values["json"]:
        table([], (public(one) for one in islice(letters, limit)), json=True)
        return 0
    columns = [
        Column("", "glyph", people=True),
        Column("JOB", "number", right=True),
        Column("TYPE", "type", flex=True, minimum=10),
        Column("TRIES", "attempts", right=True),
        Column("DIED", "failed_at"),
        Column("ERROR", "last_error", flex=True, minimum=20),
        Column("NOTE", "notes", flex=True, minimum=8, optional=True),
    ]
    rows = (
        {
            **one,
            "shown": {
                "glyph": glyph("failed") if not one["reviewed"] else glyph("completed"),
                "number": "gone" if one["number"] is None else str(one["number"]),
                "failed_at": f"{human(now - from_text(one['failed_at']))} ago",
                "notes": (one["notes"] or "").replace("\n", " · "),
            },
            "style": {"glyph": COLOURS["failed"] if not one["reviewed"] else COLOURS["completed"]},
        }
        for one in islice(letters, limit)
    )
    count = table(columns, list(rows) if is_terminal(sys.stdout) else rows)
    if not is_terminal(sys.stdout):
        return 0
    if not count:
        hint("no dead letters" + (" that fit" if filter else " to review"))
    elif next(letters, None) is not None:
        hint(f"the newest {count}; --limit 0 for all")
    if count:
        hint("→ qctl dlq show JOB, qctl dlq note JOB TEXT, qctl dlq replay JOB")
    return 0


def meant(queue: Queue, values: Values, verb: str) -> tuple[list[dict[str, Any]], bool]:
    """The letters that JOB..., the filters or --all mean, and whether they were named one by one."""
    now = time.time()
    named, filter = values["jobs"], filter_of(values, now)
    narrowed = bool(filter) or values["group"] is not None
    if named and (narrowed or values["all"]):
        raise BadValue("name jobs, or give filters, not both")
    if not named:
        everything = values["all"] or values["yes"] or values["dry_run"]
        if not narrowed and not everything:
            raise BadValue(f"say what to {verb}: jobs, filters such as --type NAME, or --all")
        return in_group(queue.dead_letters(filter, reviewed=False), values), False
    found: list[dict[str, Any]] = []
    for reference in named:
        one = queue.letter(reference)
        if one is not None:
            found.append(one)
            continue
        numbers = queue.numbers([reference])
        for number in numbers:
            job = queue.get(number)
            letters = queue.letters(job.id)
            if letters:
                found.append(letters[0])
            elif len(numbers) == 1:
                raise NotFound(f"job {number} has no dead letter: it is {job.status}")
    return found, True


DONE = {"replay": "replayed", "review": "reviewed", "discard": "discarded"}


def bulk(values: Values, verb: str, act: Callable[[Queue, list[str]], Any], *, dangerous: bool = False) -> int:
    """Do something to the letters meant, in chunks, and say what was done."""
    from qctl.cli.render import object_json, say
    from qctl.cli.replay import Pace
    from qctl.keeping import forgot, one_command

    pace = Pace(values)
    queue = open_queue(values)
    letters, named = meant(queue, values, verb)
    if verb == "replay" and named:
        refuse_gone(letters)
    numbers = [one["number"] for one in letters if one["number"] is not None]
    if values["dry_run"]:
        for number in numbers:
            sys.stdout.write((object_json({"number": number}) if values["json"] else str(number)) + "\n")
        say(f"{counted(len(letters), 'dead letter')}; nothing was changed (--dry-run)")
        return 0
    if dangerous and not values["yes"] and values["all"] and not can_be_asked():
        raise BadValue(f"{verb} --all: it means every dead letter: give --yes (`qctl undo` takes it back)")
    if letters and (not named or dangerous) and not agreed(f"{verb} {counted(len(letters), 'dead letter')}?", values):
        say("nothing was changed")
        return 1
    one_command(queue)
    done, replayed = carry_out(queue, values, verb, act, pace.pieces(queue, letters), len(letters))
    left, code = len(letters) - done, 0
    word = DONE[verb]
    text = f"{done:,} {word}"
    if left and verb == "replay":
        rivals = {number: queue.key_rival(number) for number in numbers if number not in replayed}
        held = {number: rival for number, rival in rivals.items() if rival is not None}
        if named:
            for number, rival in held.items():
                say(f"job {number} is {KEY_HELD}{rival}: it is left as it is")
        if held:
            text += f", {len(held):,} left: another unfinished job has their key"
        if left > len(held):
            text += f", {left - len(held):,} left: their jobs are gone or not dead any more"
        code = NO if held and named else 0
    if values["json"] and verb != "replay":
        sys.stdout.write(object_json({word: done}) + "\n")
    elif not named or left or sys.stderr.isatty():
        say(text)
    if forgot(queue):
        say(forgot(queue))
    return code


def refuse_gone(letters: list[dict[str, Any]]) -> None:
    """Raises NotFound for a letter whose job is there no more."""
    for one in letters:
        if one["number"] is None:
            raise NotFound(
                f"the job of dead letter {one['id']} is gone: enqueue it anew with "
                f"`qctl enqueue {one['type']} '{one['payload'][:200]}'`"
            )


def carry_out(
    queue: Queue,
    values: Values,
    verb: str,
    act: Callable[[Queue, list[str]], Any],
    pieces: Iterable[list[dict[str, Any]]],
    total: int,
) -> tuple[int, set[int]]:
    """Act on the letters piece by piece; how many that were, and the numbers of the jobs that were replayed."""
    from qctl.cli.render import object_json, progress
    from qctl.cli.replay import Stopping

    done = 0
    replayed: set[int] = set()
    told = Stopping(lambda: f"{done:,} of {total:,} {DONE[verb]}")
    with told, progress(verb, total, unit="letters") as bar:
        for piece in pieces:
            result = act(queue, [one["id"] for one in piece])
            if isinstance(result, list):
                by_number = {one["number"]: one["original_job_id"] for one in piece}
                for number in result:
                    row = {"number": number, "id": by_number.get(number)}
                    sys.stdout.write((object_json(row) if values["json"] else str(number)) + "\n")
                sys.stdout.flush()  # who reads this knows what was done, whatever comes next
                done += len(result)
                replayed.update(result)
            else:
                done += result
            bar.advance(len(piece))
    return done, replayed


def note(values: Values) -> int:
    words, grouped = values["words"], values["group"] is not None
    if len(words) != 1 if grouped else len(words) < 2:
        raise BadValue(
            "give at least one job, or --group, and the text as the last word: qctl dlq note 1036 'it was the cable'"
        )
    if not words[-1].strip():
        raise BadValue("give at least one job, and the text as the last word: qctl dlq note 1036 'the cable was out'")
    queue = open_queue(values)
    letters = [letters_of(queue, reference)[0] for reference in words[:-1]]
    if grouped:
        letters = in_group(queue.dead_letters(), values)
    queue.note([one["id"] for one in letters], words[-1])
    if values["json"]:
        from qctl.cli.render import object_json

        for one in letters:
            row = {"number": one["number"], "id": one["original_job_id"], "letter": one["id"]}
            sys.stdout.write(object_json(row) + "\n")
    return 0


def review(values: Values) -> int:
    return bulk(values, "review", lambda queue, ids: queue.review(ids))


def replay(values: Values) -> int:
    return bulk(values, "replay", lambda queue, ids: queue.replay(ids))


def discard(values: Values) -> int:
    return bulk(values, "discard", lambda queue, ids: queue.discard(ids), dangerous=True)


JOBS = Argument(
    "jobs", metavar="JOB", required=False, multiple=True, help="Jobs (numbers, ids, ranges) or ids of letters.",
    complete="dead",
)  # fmt: skip
ALL = Option("--all", "-a", help="All that are not reviewed.")

LIST = Command(
    "list", "List dead letters.", list_, *FILTERS, ERROR, GROUP,
    Option("--all", "-a", help="Also those that were reviewed."),
    Option("--limit", "-n", metavar="N", help="At most so many, newest first (default 20; 0: all)."),
    epilog=("qctl dlq list --error unreachable", "qctl dlq list --all --json"),
)  # fmt: skip
NOTE = Command(
    "note", "Write a note on dead letters.", note,
    Argument("words", metavar="JOB... TEXT", multiple=True, help="Jobs, and last the text.", complete="dead"), GROUP,
    epilog=("qctl dlq note 1036 'the cable was out'",),
)  # fmt: skip
REVIEW = Command("review", "Mark dead letters as reviewed.", review, JOBS, *FILTERS, ERROR, GROUP, ALL, DRY_RUN, YES)
REPLAY = Command(
    "replay", "Send dead letters back to the queue.", replay, JOBS, *FILTERS, ERROR, GROUP, ALL, DRY_RUN, YES,
    Option("--rate", metavar="RATE", help="So many at the most: 5/s, 100/m."),
    Option("--canary", metavar="N", help="Replay N first, and go on when they have ended well."),
    Option("--abort-if", metavar="RATIO", help="Stop when more than this share of them dies again (default 0)."),
    Option("--wait-timeout", metavar="DURATION", help="Wait no longer for the first ones; then exit 124."),
    epilog=("qctl dlq replay 1036", "qctl dlq replay --type charge --error unreachable"),
)  # fmt: skip
DISCARD = Command(
    "discard", "Delete dead letters and their jobs.", discard, JOBS, *FILTERS, ERROR, GROUP, ALL, DRY_RUN, YES
)
