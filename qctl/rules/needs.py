"""What a job waits for: the fields `after`, `after_any` and `after_failed`."""

from __future__ import annotations

from qctl.model import BLOCKED, BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from qctl.model import NewJob

    Needs = list[tuple[str, list[int | str]]]

KINDS = {"after": "completed", "after_any": "ended", "after_failed": "failed"}
"""The field, and the end of the needed job that it asks for, as qctl_needs has it."""


def needs_of(fields: Mapping[str, Any]) -> Needs:
    """The needed jobs by kind, as they were given: numbers, ids, beginnings of ids, ranges. Raises BadValue."""
    return [(kind, references(field, fields[field])) for field, kind in KINDS.items() if given(fields.get(field))]


def given(value: object) -> bool:
    return value is not None and value != [] and value != ()


def references(field: str, value: object) -> list[int | str]:
    """One job or a list of them; text may hold several, with commas between."""
    several = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
    found: list[int | str] = []
    for one in several:
        if isinstance(one, int) and not isinstance(one, bool):
            found.append(int(one))
        elif isinstance(one, str) and one.strip():
            found += [word.strip() for word in one.split(",") if word.strip()]
        else:
            raise BadValue(
                f"{field}: {one!r:.40} is no job: use a number, an id, a range (1040-1050), or a list of them"
            )
    if not found:
        raise BadValue(f"{field}: there is no job in it: use a number, an id, a range (1040-1050), or a list of them")
    return found


def belong(job: NewJob, parent: int, lease: int) -> None:
    """Make a new job the child of the run of `parent` under this lease: it waits until that run has completed its job."""
    job.more = {**(job.more or {}), "parent": parent, "lease": lease, "status": BLOCKED}
