"""Steps as they are claimed: the results they are given, and what their plan makes of those before anything runs."""

from __future__ import annotations

from qctl.model import COMPLETED, FINISHED, BadValue
from qctl.rules.ending import DEAD, FANNED, SKIPPED, SUCCEEDED
from qctl.rules.newjob import quote
from qctl.rules.payload import DEFAULT_LIMIT
from qctl.rules.settings import SETTINGS
from qctl.rules.template import Missing, filled, looker, reference
from qctl.store.sqlite.sql import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any

    from qctl.model import Lease

NAMED = 5  # jobs that an error names


class Inputs:
    """The results of the jobs that one waited for: by step within its flow, else by number (as text).

    As a mapping: those that there are, each decoded when it is asked for. `complaint`: why they cannot be given.
    """

    __slots__ = ("complaint", "limit", "results", "size")

    def __init__(self) -> None:
        self.results: dict[str, str | None] = {}
        self.complaint: str | None = None
        self.size = self.limit = 0

    def add(self, connection: sqlite3.Connection, name: str, result: str | None) -> None:
        """Take in what one of the jobs left."""
        self.results[name] = result
        if result is None:
            return
        self.size += len(result)
        if self.size > DEFAULT_LIMIT:
            self.limit = self.limit or limit_of(connection, "max_inputs")
            if self.size > self.limit:
                self.results.clear()
                self.complaint = (
                    f"the results it is given are over the limit of {self.limit:,} bytes: let steps leave less, or"
                    f" raise the limit with `qctl config max_inputs {self.limit * 2}`"
                )

    @property
    def text(self) -> str | None:
        """All of them as a JSON object, null where there is none; None: it waited for nobody."""
        if not self.results:
            return None
        parts = [f"{quote(name)}:{'null' if one is None else one}" for name, one in self.results.items()]
        return "{" + ",".join(parts) + "}"

    def __contains__(self, name: object) -> bool:
        return self.results.get(name) is not None  # type: ignore[call-overload]

    def __getitem__(self, name: str) -> Any:
        import json

        result = self.results[name]
        assert result is not None
        return json.loads(result)


def inputs_of(connection: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, Inputs]:
    """What each of these jobs is given."""
    found = {number: Inputs() for number in numbers}
    if not found:
        return found
    for number, name, result in connection.execute(sql("inputs"), (f"[{','.join(map(str, found))}]",)):
        found[number].add(connection, str(name), result)
    return found


def limit_of(connection: sqlite3.Connection, name: str) -> int:
    """A setting that is a whole number."""
    row = connection.execute("SELECT value FROM qctl_settings WHERE name = ?", (name,)).fetchone()
    return int(row[0] if row else SETTINGS[name].default)


def make_ready(connection: sqlite3.Connection, lease: Lease, text: str, inputs: Inputs) -> None:
    """Look at the plan of a step just claimed: fill in its templates, or reach the verdict that it need not run."""
    import json

    try:
        plan = json.loads(text)
        if not isinstance(plan, dict):
            raise ValueError("it is no object")
        lease.verdict = verdict(connection, lease, plan, inputs)
        if lease.verdict is None and plan.get("templates"):
            fill(connection, lease, plan, inputs)
    except (Missing, BadValue) as problem:
        lease.verdict = (DEAD, str(problem), None)
    except (
        ValueError,
        RecursionError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
    ) as problem:  # plain SQL may have stored anything
        lease.verdict = (DEAD, f"its plan or an input cannot be read: {problem}"[:500], None)


def verdict(
    connection: sqlite3.Connection, lease: Lease, plan: dict[str, Any], inputs: Inputs
) -> tuple[str, str | None, str | None] | None:
    """How a step ends without a run; None: it runs."""
    if plan.get("total") is not None and plan["made"] == plan["total"]:
        return gathered(connection, lease.number, plan["total"])
    if "on_failure" in plan:
        why = nothing_failed(connection, lease.number, plan["on_failure"])
        if why is not None:
            return SKIPPED, f"skipped: {why}", None
    if "when" in plan:
        from qctl.rules.condition import condition, holds

        if not holds(condition(plan["when"]), inputs):
            return SKIPPED, f"skipped: `{plan['when']}` does not hold"[:500], None
    if "foreach" not in plan:
        return None
    count = len(items_of(plan, inputs))
    most = limit_of(connection, "max_foreach")
    if count > most:
        raise BadValue(
            f"foreach: the list has {count:,} items: over the limit of {most:,}, which `qctl config max_foreach` sets"
        )
    return (FANNED, None, None) if count else (SUCCEEDED, None, "[]")


def items_of(plan: dict[str, Any], inputs: Any) -> list[Any]:
    """The list that a foreach goes over. Raises Missing, BadValue."""
    one = reference(plan["foreach"])
    assert one is not None
    found = looker(inputs)(one)
    if isinstance(found, list):
        return found
    from qctl.rules.payload import kind

    raise BadValue(f"foreach: ${{{one.text}}} is {kind(found)}, no list")


def nothing_failed(connection: sqlite3.Connection, number: int, watched: Any) -> str | None:
    """Why a step that cleans up has nothing to do; None: it has."""
    if watched is True:
        failed = connection.execute(sql("failed_in_flow"), (number, number)).fetchone()
        return None if failed else "no step has failed"
    failed_steps = {row[0] for row in connection.execute(sql("failed_needs"), (number,))}
    return None if failed_steps & set(watched) else f"{', '.join(watched)} did not fail"[:500]


def gathered(connection: sqlite3.Connection, number: int, total: int) -> tuple[str, str | None, str | None]:
    """What the jobs of a foreach came to: their results as a list, in the order of the items."""
    results = ["null"] * total
    bad: list[int] = []
    size = 0
    limit = limit_of(connection, "max_inputs")
    for child, step, status, result in connection.execute(sql("children_of_step"), (number, number)):
        if status not in FINISHED:
            return FANNED, None, None  # it runs again: wait for it
        if status != COMPLETED:
            bad.append(child)
        elif result is not None:
            size += len(result)
            if size > limit:
                why = f"the results of its {total:,} jobs are over the limit of {limit:,} bytes (setting max_inputs)"
                return DEAD, why, None
            results[int(step.rpartition("[")[2].removesuffix("]"))] = result
    if bad:
        some = ", ".join(map(str, bad[:NAMED])) + (", ..." if len(bad) > NAMED else "")
        return DEAD, f"{len(bad):,} of its {total:,} jobs did not complete: {some}", None
    return SUCCEEDED, None, "[" + ",".join(results) + "]"


def fill(connection: sqlite3.Connection, lease: Lease, plan: dict[str, Any], inputs: Inputs) -> None:
    """Put results into a step's payload, arguments and variables, and note in its plan what became of them."""
    from qctl.rules.payload import dumps

    look = looker(inputs)
    ran: dict[str, Any] = {}
    payload, command, env = resolved(lease.payload, lease.command, lease.env, look)
    if payload is not None:
        check_size(connection, payload)
        lease.payload, ran["payload"] = payload, payload
    if command is not None:
        lease.command, ran["command"] = command, command
    lease.env = env or lease.env
    import json

    plan["ran"] = {key: json.loads(value) for key, value in ran.items()}
    connection.execute(sql("set_plan"), (dumps(plan), lease.number))


def resolved(
    payload: str, command: str | None, env: str | None, look: Any
) -> tuple[str | None, str | None, str | None]:
    """What templates become, as JSON text; None for what has none. Raises Missing, ValueError."""
    import json

    from qctl.rules.payload import dumps

    done: list[str | None] = []
    for text in (payload, command, env):
        if text is None or "${" not in text:
            done.append(None)
            continue
        value = json.loads(text)
        new = filled(value, look)
        if text is command:
            new = [one if isinstance(one, str) else dumps(one) for one in new]
        elif text is env:
            new = {name: one if isinstance(one, str) else dumps(one) for name, one in new.items()}
        done.append(None if new == value else dumps(new))
    return done[0], done[1], done[2]


def check_size(connection: sqlite3.Connection, payload: str) -> None:
    """Raises BadValue for a payload that its results made too large."""
    size = len(payload.encode())
    limit = limit_of(connection, "max_payload") if size > 1024 else size
    if size > limit:
        raise BadValue(
            f"payload: with the results in it, it has {size:,} bytes, over the limit of {limit:,}: pass less, or read"
            " `inputs`"
        )
