"""`qctl show JOB`: all there is to know of a job."""

from __future__ import annotations

import sys
import time

from qctl.cli.filters import public, state_of, what, when_of
from qctl.cli.options import look_at_queue
from qctl.cli.spec import Argument, Command
from qctl.model import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.model import Job
    from qctl.queue import Queue

MOST_NEIGHBOURS = 10


def run(values: Values) -> int:
    from qctl.cli.render import hint, object_json, record

    queue = look_at_queue(values)
    job = queue.get(values["job"])
    history = queue.history(job.number)
    if values["json"]:
        sys.stdout.write(object_json({**public(job), "history": history, "needs": queue.needs(job.number)}) + "\n")
        return 0
    now = time.time()
    state = state_of(job, now)
    from qctl.cli.terminal import COLOURS, glyph

    size = queue.output_size(job.number)
    record(
        [*pairs(job, history, size, now), *neighbours(queue, job.number), *place_in_flow(queue, job)],
        title=f"{glyph(state)} {job.number} {job.type}  {when_of(job, state, now) if state != job.status else job.status}",
        style=COLOURS.get(state),
    )
    number = job.number
    if size:
        hint(f"→ qctl logs {number}")
    if job.status == "failed":
        hint(f"→ qctl dlq replay {number}")
    elif state == "blocked":
        hint(f"→ qctl explain {number}")
    elif state in ("retry", "delayed"):
        hint(f"→ qctl retry {number} runs it now")
    return 0


def pairs(job: Job, history: list[dict[str, Any]], size: int, now: float) -> list[tuple[Any, ...]]:
    from qctl.cli.render import bytes_text, object_json
    from qctl.cli.terminal import is_terminal
    from qctl.rules.clock import duration_text, human, moment
    from qctl.rules.when import from_text, iso

    row = public(job)
    found: list[tuple[Any, ...]] = [("Id", row["id"]), ("Status", row["status"])]
    if not is_terminal(sys.stdout):  # on a terminal they stand in the title
        found = [("Number", row["number"]), ("Type", row["type"]), *found]
    if row["command"]:
        found.append(("Command", what(job)))
        found.append(("Directory", row["cwd"]))
    payload = row["payload"]
    if payload != {} or not row["command"]:
        found.append(("Payload", object_json(payload) if isinstance(payload, dict) else str(payload)))
    plan = row["plan"] if isinstance(row["plan"], dict) else {}
    for label, key in (("When", "when"), ("For each", "foreach")):
        if key in plan:
            found.append((label, plan[key]))
    for key, value in (plan.get("ran") or {}).items():  # what the templates became
        found.append((f"Ran {key}", object_json(value)))
    found.append(("Created", row["created_at"], moment(from_text(row["created_at"]), now)))
    if row["status"] == "pending":
        found.append(("Due", row["scheduled_at"], moment(from_text(row["scheduled_at"]), now)))
    if row["completed_at"]:
        found.append(("Completed", row["completed_at"], spoken(row["completed_at"], now)))
    if row["parent"] is not None:
        found.append(("Parent", row["parent"]))
    for label, key in (("Queue", "queue"), ("Priority", "priority")):
        if row[key] not in ("default", 0):
            found.append((label, row[key]))
    if row["tags"]:
        found.append(("Tags", ", ".join(map(str, row["tags"]))))
    if row["env"]:
        found.append(("Variables", ", ".join(f"{name}=***" for name in row["env"])))
    limit = row["timeout"]
    timeout = "" if limit is None else " · no timeout" if limit == 0 else f" · timeout {duration_text(limit)}"
    found.append(
        ("Retry", f"{row['backoff'] or 'default backoff'} · {row['attempts']} of {row['max_attempts']} used{timeout}")
    )
    if row["rescues"]:
        found.append(("Rescues", f"{row['rescues']}: its worker died so often"))
    if row["exit_code"] is not None:
        found.append(("Exit", row["exit_code"]))
    if row["last_error"] and row["status"] != "completed":
        found.append(("Error", row["last_error"], None, "red" if row["status"] == "failed" else None))
    elif str(row["last_error"] or "").startswith("skipped: "):
        found.append(("Skipped", str(row["last_error"]).removeprefix("skipped: ")))
    if row["result"] is not None:
        found.append(("Result", object_json(row["result"])))
    if size:
        found.append(("Output", size, bytes_text(size)))
    if history:
        lines = []
        for one in history:
            error = f"  {one['error']}" if one["error"] else ""
            try:
                start, end = one["started_at"], one["finished_at"]
                took = human((from_text(end) if end else now) - from_text(start)) if start else "-"
                begun = iso(start)
            except ValueError:  # an UPDATE from elsewhere wrote something else
                took, begun = "-", str(one["started_at"] or "")
            lines.append(f"#{one['attempt']} {one['outcome']} {took}  {begun}  {one['worker'] or ''}{error}")
        found.append(("History", lines))
    return found


def neighbours(queue: Queue, number: int) -> list[tuple[Any, ...]]:
    """What the job waits for, and what waits for it: After and Before."""
    words = {"completed": "", "ended": ", however it ends", "failed": ", if it fails"}
    found: list[tuple[Any, ...]] = []
    for label, jobs in (("After", queue.needs(number)), ("Before", queue.needed_by(number))):
        lines = [
            f"{one['number']} {one['step'] or one['type'] or ''} ({one['status'] or 'gone'}){words[one['kind']]}"
            for one in jobs[:MOST_NEIGHBOURS]
        ]
        if len(jobs) > MOST_NEIGHBOURS:
            lines.append(f"and {len(jobs) - MOST_NEIGHBOURS:,} more")
        if lines:
            found.append((label, lines))
    return found


def place_in_flow(queue: Queue, job: Job) -> list[tuple[Any, ...]]:
    """Where a step stands: its flow, and the steps right before and behind it, drawn."""
    from qctl.cli.tree import heading, surroundings

    if job.flow is None:
        return []
    try:
        flow = queue.flow(job.flow)
    except NotFound:
        return [("Flow", job.flow)]  # plain SQL may have stored any number
    lines = surroundings(queue.standing(job.flow), job.number, time.time())
    return [("Flow", f"{flow['number']} {flow['name']}", [f"{flow['number']} {heading(flow, time.time())}", *lines])]


def spoken(text: str, now: float) -> str:
    """A stored time for people; as it is where an UPDATE from elsewhere wrote something else."""
    from qctl.rules.clock import moment
    from qctl.rules.when import from_text

    try:
        return moment(from_text(text), now)
    except ValueError:
        return text


SHOW = Command(
    "show",
    "Show a job and its history.",
    run,
    Argument("job", help="A number, an id, or the beginning of one.", complete="jobs"),
    epilog=("qctl show 1036", "qctl show 1036 --json | jq .history"),
)
