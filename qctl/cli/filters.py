"""The filters that commands share, and jobs as rows for people."""

from __future__ import annotations

from qctl.cli.spec import Option
from qctl.model import STATUSES, BadValue, Filter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.model import Job

FILTERS = [
    Option("--status", "-s", metavar="STATUS", multiple=True, help="Only jobs in this status; may be repeated.",
           choices=STATUSES),
    Option("--type", "-t", metavar="TYPE", multiple=True, help="Only jobs of this type; may be repeated.",
           complete="types"),
    Option("--queue", "-q", metavar="NAME", multiple=True, help="Only jobs of this queue; may be repeated.",
           complete="queues"),
    Option("--tag", metavar="TAG", multiple=True, help="Only jobs with this tag; may be repeated.", complete="tags"),
    Option("--key", metavar="KEY", multiple=True, help="Only jobs with this key; may be repeated."),
    Option("--since", metavar="WHEN", help="Only jobs created since: 1h, today 09:00, 2026-10-13."),
    Option("--until", metavar="WHEN", help="Only jobs created until."),
    Option("--search", metavar="TEXT", help="Only jobs with this text in type, payload, command or error."),
]  # fmt: skip
DRY_RUN = Option("--dry-run", help="Only list the jobs that it would touch.")
YES = Option("--yes", "-y", help="Do not ask.")
ERROR = Option("--error", metavar="TEXT", help="Only jobs with this text in their error.")


def filter_of(values: Values, now: float) -> Filter:
    """The filter that the options describe. Raises BadValue."""
    statuses = values.get("status") or []
    for status in statuses:
        if status not in STATUSES:
            raise BadValue(f"--status: {status[:40]!r} is no status: use {', '.join(STATUSES)}")
    return Filter(
        statuses=statuses,
        types=values.get("type") or [],
        queues=values.get("queue") or [],
        tags=values.get("tag") or [],
        since=moment("--since", values.get("since"), now),
        until=moment("--until", values.get("until"), now),
        search=values.get("search"),
        error=values.get("error"),
        keys=values.get("key") or [],
    )


def moment(name: str, text: str | None, now: float) -> float | None:
    if text is None:
        return None
    from qctl.rules.when import since

    try:
        return since(text, now)
    except BadValue as error:
        raise BadValue(f"{name}: {error}") from None


def limit_of(values: Values, default: int = 20) -> int | None:
    """--limit: how many rows; 0 is all."""
    if values["limit"] is None:
        return default
    from qctl.rules.newjob import whole

    return whole("--limit", values["limit"], 0, 2**31) or None


def state_of(job: Job, now: float) -> str:
    """The status, and of pending ones whether they are delayed or wait for a retry."""
    from qctl.rules.when import from_text

    if job.data["status"] != "pending" or from_text(job.data["scheduled_at"]) <= now:
        return str(job.data["status"])
    return "retry" if job.data["attempts"] else "delayed"


def decoded(row: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """A stored row with the JSON text under these keys as what it stands for, values of variables (`env`) masked."""
    import json

    found = dict(row)
    for key in keys:
        if isinstance(found.get(key), str):
            try:
                found[key] = json.loads(found[key])
            except (ValueError, RecursionError):
                pass  # plain SQL may have stored anything: it is shown as it is
    if isinstance(found.get("env"), dict):
        found["env"] = dict.fromkeys(found["env"], "***")
    return found


def public(job: Job) -> dict[str, Any]:
    """A job's row for JSON."""
    row = decoded(job.data, ("payload", "command", "env", "tags", "result", "plan"))
    if isinstance(row.get("cwd"), bytes):
        row["cwd"] = row["cwd"].decode("utf-8", "backslashreplace")
    return row


def when_of(job: Job, state: str, now: float) -> str:
    """The WHEN column: what time means for the state the job is in."""
    from qctl.rules.clock import clock, human
    from qctl.rules.when import from_text

    def ago(text: str | None) -> float:
        try:
            return now - from_text(text) if text else 0.0
        except ValueError:
            return 0.0  # an UPDATE from elsewhere may have written anything

    data = job.data
    if state == "processing":
        return f"started {human(ago(data['started_at'] or data['locked_at']))}"
    if state == "retry":
        return f"retry in {human(-ago(data['scheduled_at']))}"
    if state == "delayed":
        return clock(from_text(data["scheduled_at"]), now)
    if state in ("pending", "blocked"):
        return f"waiting {human(ago(data['scheduled_at']))}"
    return f"{human(ago(data['completed_at'] or data['updated_at']))} ago"


def note_of(job: Job, state: str) -> str:
    """The NOTE column: who runs it, what went wrong, or what it is."""
    data = job.data
    if state == "processing":
        return "cancel asked" if data["cancel_asked"] else str(data["locked_by"] or "")
    if state in ("failed", "cancelled", "retry") or (state == "pending" and data["attempts"]):
        return str(data["last_error"] or "")
    if state == "completed" and str(data["last_error"] or "").startswith("skipped: "):
        return str(data["last_error"])
    return what(job)


def what(job: Job) -> str:
    """What a job does, in a few words: its command line, or its payload."""
    words = job.data["command"]
    if words:
        try:
            command = job.command
            if command[:2] == ["/bin/sh", "-c"] and len(command) == 3:
                return str(command[2])
            import shlex

            return shlex.join(command)
        except (ValueError, TypeError, AttributeError):
            return str(words)
    return "" if job.data["payload"] == "{}" else str(job.data["payload"])


def jobs_meant(queue: Any, values: Values, now: float, verb: str) -> tuple[list[int], bool]:
    """The numbers that JOB... or the filters mean, and whether they were named one by one."""
    named = values["jobs"]
    filter = filter_of(values, now)
    if named and filter:
        raise BadValue("name jobs, or give filters, not both")
    if named:
        return queue.numbers(named), True
    if not filter and not (values["yes"] or values["dry_run"] or can_be_asked()):
        raise BadValue(
            f"say which jobs to {verb}: numbers, ids, ranges (1040-1050), or filters such as --type NAME; --yes for all"
        )
    return [], False


def counted(count: int, noun: str = "job") -> str:
    """`1 job`, `1,204 jobs`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def can_be_asked() -> bool:
    """Whether a person is there to answer."""
    import sys

    from qctl.cli.terminal import is_terminal

    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def agreed(question: str, values: Values) -> bool:
    """Ask on a terminal; elsewhere, and with --yes, it is agreed."""
    import sys

    if values.get("yes") or not can_be_asked():
        return True
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
