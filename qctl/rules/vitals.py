"""Health beyond the lesson's three checks: what else may be wrong, each with a limit of its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OFF = "off"
FEWEST = 10  # attempts that ended within the hour, below which their failure rate says nothing

# name: (kind, default, limit that is said as a note while it is off, check, command to run next)
VITALS: dict[str, tuple[str, str, float, str, str]] = {
    "max_failure_rate": ("share", OFF, 0.5, "failure rate", "qctl dlq groups"),
    "max_running": ("duration", "24h", 0.0, "running", "qctl list --status processing"),
    "max_unserved": ("duration", OFF, 60.0, "unserved", "qctl work --handlers MODULE"),
    "max_overdue": ("duration", OFF, 60.0, "schedules", "qctl cron list"),
    "max_silence": ("duration", "5m", 0.0, "silence", "qctl workers"),
    "max_wal": ("size", "1g", 0.0, "log", "qctl purge"),
    "min_disk": ("size", "64m", 0.0, "disk", "qctl purge --older-than 1d"),
}


class Readings:
    """What was found: None where there is nothing to judge."""

    def __init__(self) -> None:
        self.values: dict[str, float | None] = dict.fromkeys(VITALS)
        self.unserved: str | None = None  # the type of the oldest due job that nobody can run
        self.overdue: str | None = None  # the schedule that should have fired first
        self.silent: str | None = None  # the worker
        self.is_short = False  # whether workers start nothing because the disk is nearly full


def limit(name: str, text: str, field: str) -> float | None:
    """A limit from its text; None for `off`. Raises BadValue."""
    if text == OFF:
        return None
    kind = VITALS[name][0]
    if kind == "duration":
        from qctl.rules.newjob import seconds

        return seconds(field, text)
    if kind == "size":
        from qctl.rules.size import size

        return float(size(field, text))
    from qctl.rules.share import share

    return share(field, text, other=", or off")


def judge_more(verdict: dict[str, Any], found: Readings, limits: dict[str, float | None]) -> None:
    """Add to what the lesson's checks said. A check that is off makes no issue, but is told in `notes` when it is bad."""
    from qctl.rules.health import DEGRADED, HEALTHY, UNHEALTHY

    verdict["notes"] = []
    for name, (kind, _default, noted, shown, next_) in VITALS.items():
        value, bound = found.values[name], limits[name]
        text = said(kind, value)
        fails = (
            value is not None
            and (value < (bound or 0) if name.startswith("min_") else value > (noted if bound is None else bound))
        ) or (name == "min_disk" and found.is_short)
        if bound is None:
            if fails:
                verdict["notes"].append({"text": words(name, text, found), "next": next_})
            continue
        verdict["checks"].append(
            {"name": shown, "value": value, "limit": bound, "ok": not fails, "shown": text, "next": next_,
             "limit_shown": said(kind, bound)}
        )  # fmt: skip
        if fails:
            verdict["issues"].append(words(name, text, found))
    count = len(verdict["issues"])
    verdict["status"] = HEALTHY if not count else UNHEALTHY if count > 2 else DEGRADED


def words(name: str, value: str, found: Readings) -> str:
    return {
        "max_failure_rate": f"{value} of the attempts of the last hour failed",
        "max_running": f"A job has been running for {value}",
        "max_unserved": f"No worker can run type {found.unserved}: a job of it has been due for {value}",
        "max_overdue": f"Schedule {found.overdue} should have fired {value} ago",
        "max_silence": f"Worker {found.silent} has been silent for {value}",
        "max_wal": f"The write-ahead log has {value}",
        "min_disk": f"The disk has {value} left" + (": workers start nothing" if found.is_short else ""),
    }[name]


def said(kind: str, value: float | None) -> str:
    if value is None:
        return "none"
    if kind == "duration":
        from qctl.rules.clock import human

        return human(value)
    if kind == "share":
        return f"{value * 100:.3g}%"
    for unit, size in (("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} bytes"


def nagios(verdict: dict[str, Any]) -> str:
    """One line as monitoring plugins print it, with performance data."""
    state = {"healthy": "OK", "degraded": "WARNING", "unhealthy": "CRITICAL"}.get(verdict["status"], "UNKNOWN")
    text = "; ".join(verdict["issues"]) or "the queue is healthy"
    data = " ".join(
        f"'{check['name']}'={plain(check['value'])};{plain(check['limit'])}{':' if check['name'] == 'disk' else ''}"
        for check in verdict.get("checks", ())
        if check["value"] is not None
    )
    line = f"QCTL {state} - {text}".replace("|", "/")
    return "".join(one if one.isprintable() else " " for one in line) + (f" | {data}" if data else "")


def plain(value: float) -> str:
    """A number without an exponent, which plugins may not print."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
