"""`qctl dlq groups`, and the option `--group` of every command on dead letters."""

from __future__ import annotations

import sys
import time

from qctl.cli.filters import ERROR, FILTERS, filter_of, limit_of
from qctl.cli.options import look_at_queue
from qctl.cli.spec import Command, Option
from qctl.model import BadValue, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from qctl.cli.spec import Values

SAMPLE = 5  # jobs that a group names
SHORTEST = 4  # digits of a fingerprint that mean a group

GROUP = Option("--group", "-g", metavar="GROUP", help="Only letters with this error, as `dlq groups` names it.")


def of_group(letters: Iterable[dict[str, Any]], values: Values) -> Iterator[dict[str, Any]]:
    """The letters of the group that --group names, all without one."""
    name = values.get("group")
    if name is None:
        return iter(letters)
    from qctl.rules.fingerprint import DIGITS, fingerprint

    group = name.strip().lower()
    if not SHORTEST <= len(group) <= DIGITS or group.strip("0123456789abcdef"):
        raise BadValue(
            f"--group: {name[:40]!r} is no group: use {SHORTEST} to {DIGITS} digits, as `qctl dlq groups` has them"
        )
    return (one for one in letters if fingerprint(one["last_error"] or "").startswith(group))


def in_group(letters: Iterable[dict[str, Any]], values: Values) -> list[dict[str, Any]]:
    """The same as a list. Raises NotFound where a group was named and nothing is in it."""
    found = list(of_group(letters, values))
    if not found and values.get("group") is not None:
        raise NotFound(f"there is no group {values['group'][:40]!r} among these letters: `qctl dlq groups` lists them")
    return found


def groups_of(letters: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups of letters that come newest first; the largest group first."""
    from qctl.rules.fingerprint import fingerprint, pattern_of

    found: dict[str, dict[str, Any]] = {}
    for one in letters:
        error = one["last_error"] or ""
        name = fingerprint(error)
        group = found.get(name)
        if group is None:
            group = found[name] = {
                "group": name, "count": 0, "types": {}, "error": pattern_of(error), "first": one["failed_at"],
                "last": one["failed_at"], "jobs": [], "sample": error,
            }  # fmt: skip
        group["count"] += 1
        group["types"][one["type"]] = group["types"].get(one["type"], 0) + 1
        group["first"] = min(group["first"], one["failed_at"])
        group["last"] = max(group["last"], one["failed_at"])
        if len(group["jobs"]) < SAMPLE and one["number"] is not None:
            group["jobs"].append(one["number"])
    for group in found.values():
        counts: dict[str, int] = group["types"]
        types = group["types"] = sorted(sorted(counts), key=counts.__getitem__, reverse=True)
        group["type"] = types[0]
    return sorted(found.values(), key=lambda one: (-one["count"], one["group"]))


def groups(values: Values) -> int:
    from qctl.cli.render import hint, number, table
    from qctl.cli.table import Column
    from qctl.cli.terminal import is_terminal
    from qctl.rules.clock import human
    from qctl.rules.when import from_text

    now = time.time()
    filter, limit = filter_of(values, now), limit_of(values)
    queue = look_at_queue(values)
    found = groups_of(in_group(queue.dead_letters(filter, reviewed=None if values["all"] else False), values))
    keys = ("group", "count", "type", "error", "first", "last", "jobs", "types", "sample")
    rows: list[dict[str, Any]] = [{key: one[key] for key in keys} for one in found[:limit]]
    if values["json"]:
        table([], rows, json=True)
        return 0

    def ago(text: str) -> str:
        try:
            return f"{human(now - from_text(text))} ago"
        except ValueError:
            return text

    for one in rows:
        more = len(one["types"]) - 1
        one["jobs"] = " ".join(map(str, one["jobs"]))
        one["shown"] = {
            "count": number(one["count"]),
            "type": one["type"] + (f" +{more}" if more else ""),
            "first": ago(one["first"]),
            "last": ago(one["last"]),
        }
    table(
        [
            Column("GROUP", "group"),
            Column("COUNT", "count", right=True),
            Column("TYPE", "type", flex=True, minimum=8),
            Column("ERROR", "error", flex=True, minimum=20),
            Column("FIRST", "first", optional=True, time=True),
            Column("LAST", "last", time=True),
            Column("JOBS", "jobs", flex=True, minimum=8, optional=True),
        ],
        rows,
    )
    if is_terminal(sys.stdout):
        if not rows:
            hint("no dead letters" + (" that fit" if filter else " to review"))
        else:
            if len(found) > len(rows):
                hint(f"the largest {len(rows)} of {len(found)}; --limit 0 for all")
            hint(f"→ qctl dlq list --group {rows[0]['group']}, qctl dlq replay --group {rows[0]['group']} --canary 5")
    return 0


GROUPS = Command(
    "groups", "Group dead letters by their error.", groups, *FILTERS, ERROR, GROUP,
    Option("--all", "-a", help="Also those that were reviewed."),
    Option("--limit", "-n", metavar="N", help="At most so many, the largest first (default 20; 0: all)."),
    epilog=("qctl dlq groups --since 1d", "qctl dlq groups --json | jq -r .group"),
)  # fmt: skip
