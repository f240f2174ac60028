"""`qctl health`: healthy, degraded, unhealthy or unknown, by exit code."""

from __future__ import annotations

import os
import sys

from qctl.cli.options import open_queue, queue_path
from qctl.cli.spec import Command, Option
from qctl.model import QctlError, QueueFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values


def run(values: Values) -> int:
    from qctl.cli.render import Column, hint, line, object_json, say, table
    from qctl.cli.terminal import is_terminal
    from qctl.rules.health import DEGRADED, EXIT_CODES, HEALTHY, UNKNOWN

    limits = limits_of(values)
    try:
        if not os.path.exists(queue_path(values)):
            raise QueueFileError(f"there is no queue file at {queue_path(values)}")
        verdict = open_queue(values).health(**limits)
    except QctlError as error:
        if error.exit_code == 2:
            raise
        if values["nagios"]:
            line(f"QCTL UNKNOWN - {error}")
            return EXIT_CODES[UNKNOWN]
        if not values["json"]:
            raise QueueUnknown(str(error)) from None
        sys.stdout.write(object_json({"status": UNKNOWN, "issues": [str(error)]}) + "\n")
        return EXIT_CODES[UNKNOWN]
    code = EXIT_CODES[verdict["status"]]
    if values["json"]:
        sys.stdout.write(object_json(verdict) + "\n")
        return code
    if values["nagios"]:
        from qctl.rules.vitals import nagios

        line(nagios(verdict))
        return code
    if not is_terminal(sys.stdout):
        table([Column(key, key) for key in ("name", "value", "limit", "ok")], verdict["checks"])
        line(verdict["status"])
    else:
        for check in verdict["checks"]:
            limit = check.get("limit_shown") or limit_text(check["name"], check["limit"])
            mark, colour = ("✓", "green") if check["ok"] else ("!", "yellow")
            line(f"{mark} {check['name']:<12} {check['shown']:<16} limit {limit}", colour)
        status = verdict["status"]
        line(status, "green" if status == HEALTHY else "yellow" if status == DEGRADED else "red")
    told = hint if is_terminal(sys.stderr) else say  # what is wrong belongs in the mail of cron, too
    for check in verdict["checks"]:
        if not check["ok"]:
            told(f"! {check['name']}: {check['shown']}       → {check['next']}")
    for note in verdict["notes"]:
        hint(f"! {note['text']}       → {note['next']}")
    from qctl.cli.pause import paused_hint

    paused = paused_hint([(one["scope"], one["name"]) for one in verdict["paused"]])
    if paused:
        hint(paused)
    return code


class QueueUnknown(QctlError):
    """Nothing can be said of the queue."""

    exit_code = 3


def limit_text(name: str, limit: float) -> str:
    if name == "oldest":
        from qctl.rules.clock import duration_text

        return duration_text(limit)
    return f"{int(limit):,}"


def limits_of(values: Values) -> dict[str, float | None]:
    from qctl.rules.newjob import seconds, whole
    from qctl.rules.vitals import VITALS, limit

    limits: dict[str, float | None] = {}
    for name in VITALS:
        if values[name] is not None:
            limits[name] = limit(name, values[name], "--" + name.replace("_", "-"))
    for key in ("max_pending", "max_dead"):
        if values[key] is not None:
            limits[key] = whole("--" + key.replace("_", "-"), values[key], 0, 2**63 - 1)
    if values["max_age"] is not None:
        limits["max_age"] = seconds("--max-age", values["max_age"])
    return limits


HEALTH = Command(
    "health",
    "Say whether the queue is healthy, by exit code.",
    run,
    Option("--max-pending", metavar="N", help="Pending jobs above this are an issue (default 1000)."),
    Option("--max-age", metavar="DURATION", help="A due job older than this is an issue (default 30m)."),
    Option("--max-dead", metavar="N", help="Unreviewed dead letters above this are an issue (default 10)."),
    Option("--max-failure-rate", metavar="SHARE", help="Failing attempts of the last hour: 20% (default off)."),
    Option("--max-running", metavar="DURATION", help="A job that runs longer is an issue (default 24h)."),
    Option("--max-unserved", metavar="DURATION", help="A due job that no live worker can run (default off)."),
    Option("--max-overdue", metavar="DURATION", help="A schedule that is later to fire (default off)."),
    Option("--max-silence", metavar="DURATION", help="A worker that is silent for longer (default 5m)."),
    Option("--max-wal", metavar="SIZE", help="A write-ahead log that is larger (default 1g)."),
    Option("--min-disk", metavar="SIZE", help="Less free disk space is an issue (default 64m)."),
    Option("--nagios", help="One line as monitoring plugins print it, with performance data."),
    epilog=(
        "qctl health || mail -s 'the queue is not well' ops@example.com < /dev/null",
        "in a pipe: name, value, limit, ok of each check, and last the word",
        "exit 0 healthy, 1 degraded (1 or 2 issues), 2 unhealthy (more), 3 unknown",
    ),
)
