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
    from qctl.cli.render import bytes_text

    row = public(job)
    found = [*identity(row), *work_of(job, row), *times(row, now), *terms(row), *outcome(row)]
    if size:
        found.append(("Output", size, bytes_text(size)))
    if history:
        found.append(("History", [run_line(one, now) for one in history]))
    return found


def identity(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    from qctl.cli.terminal import is_terminal

    found: list[tuple[Any, ...]] = [("Id", row["id"]), ("Status", row["status"])]
    if is_terminal(sys.stdout):  # there they stand in the title
        return found
    return [("Number", row["number"]), ("Type", row["type"]), *found]


def work_of(job: Job, row: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What it does: its command, its payload, and as a step of a flow its conditions and what its templates became."""
    from qctl.cli.render import object_json

    found: list[tuple[Any, ...]] = []
    if row["command"]:
        found += [("Command", what(job)), ("Directory", row["cwd"])]
    payload = row["payload"]
    if payload != {} or not row["command"]:
        found.append(("Payload", object_json(payload) if isinstance(payload, dict) else str(payload)))
    plan = row["plan"] if isinstance(row["plan"], dict) else {}
    found += [(label, plan[key]) for label, key in (("When", "when"), ("For each", "foreach")) if key in plan]
    return found + [(f"Ran {key}", object_json(value)) for key, value in (plan.get("ran") or {}).items()]


def times(row: dict[str, Any], now: float) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = [("Created", row["created_at"], spoken(row["created_at"], now))]
    if row["status"] == "pending":
        found.append(("Due", row["scheduled_at"], spoken(row["scheduled_at"], now)))
    if row["completed_at"]:
        found.append(("Completed", row["completed_at"], spoken(row["completed_at"], now)))
    return found


def terms(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Under which it runs: where it comes from, its queue, its tries."""
    from qctl.rules.clock import duration_text

    found: list[tuple[Any, ...]] = [] if row["parent"] is None else [("Parent", row["parent"])]
    found += [
        (label, row[key])
        for label, key in (("Queue", "queue"), ("Priority", "priority"))
        if row[key] not in ("default", 0)
    ]
    if row["tags"]:
        found.append(("Tags", ", ".join(map(str, row["tags"]))))
    if row["env"]:
        found.append(("Variables", ", ".join(f"{name}=***" for name in row["env"])))
    limit = row["timeout"]
    timeout = "" if limit is None else " · no timeout" if limit == 0 else f" · timeout {duration_text(limit)}"
    tries = f"{row['attempts']} of {row['max_attempts']} used"
    return [*found, ("Retry", f"{row['backoff'] or 'default backoff'} · {tries}{timeout}")]


def outcome(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    from qctl.cli.render import object_json

    found: list[tuple[Any, ...]] = []
    error = str(row["last_error"] or "")
    if row["rescues"]:
        found.append(("Rescues", f"{row['rescues']}: its worker died so often"))
    if row["exit_code"] is not None:
        found.append(("Exit", row["exit_code"]))
    if error and row["status"] != "completed":
        found.append(("Error", row["last_error"], None, "red" if row["status"] == "failed" else None))
    elif error.startswith("skipped: "):
        found.append(("Skipped", error.removeprefix("skipped: ")))
    if row["result"] is not None:
        found.append(("Result", object_json(row["result"])))
    return found


def run_line(run: dict[str, Any], now: float) -> str:
    """One run of its history; times as they are where an UPDATE from elsewhere wrote something else."""
    from qctl.rules.clock import human
    from qctl.rules.when import from_text, iso

    start, end = run["started_at"], run["finished_at"]
    try:
        took = human((from_text(end) if end else now) - from_text(start)) if start else "-"
        begun = iso(start)
    except ValueError:
        took, begun = "-", str(start or "")
    error = f"  {run['error']}" if run["error"] else ""
    return f"#{run['attempt']} {run['outcome']} {took}  {begun}  {run['worker'] or ''}{error}"


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
