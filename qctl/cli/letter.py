"""`qctl dlq show`: a dead letter whole, with the history of its job."""

from __future__ import annotations

import sys
import time

from qctl.cli.filters import decoded, what
from qctl.cli.group import GROUP, in_group
from qctl.cli.options import look_at_queue
from qctl.cli.spec import Argument, Command
from qctl.model import BadValue, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue


def public(letter: dict[str, Any]) -> dict[str, Any]:
    """A dead letter as JSON shows it."""
    row = decoded(letter, ("payload",))
    row["reviewed"] = bool(row["reviewed"])
    return row


def show(values: Values) -> int:
    from qctl.cli.render import hint, object_json, record
    from qctl.rules.clock import moment
    from qctl.rules.when import from_text, iso

    queue = look_at_queue(values)
    if (values["job"] is None) == (values["group"] is None):
        raise BadValue("name a job, or a group of letters with --group, whose newest is shown")
    letters = letters_of(queue, values["job"] or in_group(queue.dead_letters(), values)[0]["id"])
    one = letters[0]
    history = queue.history(one["number"]) if one["number"] is not None else []
    if values["json"]:
        sys.stdout.write(object_json({**public(one), "history": history, "deaths": len(letters)}) + "\n")
        return 0
    now = time.time()
    job = queue.get(one["number"]) if one["number"] is not None else None
    command = what(job) if job is not None and job.data["command"] else None
    pairs: list[tuple[Any, ...]] = [
        ("Error", one["last_error"] or "", None, "red"),
        ("Died", one["failed_at"], moment(from_text(one["failed_at"]), now)),
        ("Attempts", one["attempts"]),
        ("Command", command),
        (
            "Payload",
            object_json(public(one)["payload"]) if isinstance(public(one)["payload"], dict) else one["payload"],
        ),
        ("Job", one["original_job_id"]),
        ("Letter", one["id"]),
        ("Reviewed", "yes" if one["reviewed"] else "no"),
    ]
    if one["notes"]:
        pairs.append(("Notes", one["notes"].split("\n")))
    if len(letters) > 1:
        pairs.append(("Deaths", f"{len(letters)}: it was replayed and died again"))
    if history:
        pairs.append(
            (
                "History",
                [f"#{h['attempt']} {h['outcome']}  {iso(h['finished_at'])}  {h['error'] or ''}" for h in history],
            )
        )
    name = "gone" if one["number"] is None else one["number"]
    record(pairs, title=f"✗ {name} {one['type']}", style="red")
    if one["number"] is not None:
        hint(f"→ qctl logs {one['number']}, qctl dlq note {one['number']} TEXT, qctl dlq replay {one['number']}")
    return 0


def letters_of(queue: Queue, reference: str) -> list[dict[str, Any]]:
    """The dead letters of a job, newest first; a letter's own id is understood, too. Raises NotFound."""
    one = queue.letter(reference)
    if one is not None:
        return [one]
    job = queue.get(reference)
    letters = queue.letters(job.id)
    if not letters:
        raise NotFound(f"job {job.number} has no dead letter: it is {job.status}")
    return letters


SHOW = Command(
    "show", "Show a dead letter whole.", show,
    Argument("job", required=False, help="A job, or the id of a letter.", complete="dead"), GROUP,
)  # fmt: skip
