"""What may be said of a type for all its jobs, and of its limits: from text to what is stored."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules import newjob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FIELDS = ("timeout", "max_attempts", "backoff", "priority", "output_limit", "retention", "command", "schema")
LIMITS = ("rate", "rate_burst", "rate_key", "concurrency", "concurrency_key")
SMALLEST_OUTPUT = 4096


def type_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of qctl_types for the given fields, checked. None takes a field back. Raises BadValue."""
    return {name: None if value is None else column(name, value) for name, value in fields.items()}


def column(name: str, value: Any) -> Any:
    if name == "timeout":
        return newjob.timeout(value)
    if name == "max_attempts":
        return newjob.whole(name, value, 1, newjob.MOST_ATTEMPTS)
    if name == "backoff":
        return newjob.backoff_text(value)
    if name == "priority":
        return newjob.priority(value)
    if name == "output_limit":
        return newjob.whole(name, value, SMALLEST_OUTPUT, 2**40)
    if name == "retention":
        return newjob.seconds(name, value)
    if name == "command":
        return command(value)
    if name == "schema":
        from qctl.rules.payload import dumps
        from qctl.rules.schema import schema_text

        return schema_text(value if isinstance(value, str) else dumps(value))
    raise BadValue(f"{newjob.shown(name)} is nothing a type has: use {', '.join((*FIELDS, *LIMITS))}")


def command(value: Any) -> str | None:
    """The program of a type: a list of words, or a line that is split into words as a shell would; no shell runs it."""
    words = value
    if isinstance(value, str):
        import shlex

        try:
            words = shlex.split(value)
        except ValueError:
            raise BadValue("command: a quotation mark in the line is not closed") from None
        if not words:
            raise BadValue("command: the line is empty: name a program and its arguments")
    return newjob.command_text(words, None)
