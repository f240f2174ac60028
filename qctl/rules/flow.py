"""What a flow may be: from the tables of a flow file to steps in an order in which each follows its needs."""

from __future__ import annotations

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

NEEDS = {"needs": "completed", "after": "completed", "after_any": "ended", "after_failed": "failed"}
"""The keys of a step that name other steps, and the end of those that each asks for."""

PARTS = ("name", "vars", "steps")
LONGEST_NAME = 200


class Step:
    """A step: `fields` as in rules/newjob.py, `needs`: by the name of a step the end of it that is waited for."""

    __slots__ = ("fields", "name", "needs")

    def __init__(self, name: str, fields: dict[str, Any], needs: dict[str, str]) -> None:
        self.name = name
        self.fields = fields
        self.needs = needs


def steps_of(data: Mapping[str, Any], given: Mapping[str, str] | None = None) -> list[Step]:
    """The steps of a flow, checked whole. `given`: variables over those in its [vars]. Raises BadValue."""
    for part in data:
        if part not in PARTS:
            raise BadValue(f"{part!r:.40} is no part of a flow: use {', '.join(PARTS)}")
    variables = data.get("vars", {})
    if not isinstance(variables, dict):
        raise BadValue("vars: use a table of names and values")
    for name in given or {}:
        if name not in variables:
            known = ", ".join(variables) or "none"
            raise BadValue(f"--set {name}: the flow has no such variable in [vars] (it has {known})")
    variables = {**variables, **(given or {})}
    steps: dict[str, Step] = {}
    for name, table in named(data.get("steps")):
        if name in steps:
            raise BadValue(f"step {name!r}: there are two steps of that name")
        steps[name] = step_of(name, table, variables)
    for step in steps.values():
        for need in step.needs:
            if need == step.name:
                raise BadValue(f"step {step.name!r} needs itself")
            if need not in steps:
                raise BadValue(f"step {step.name!r}: there is no step {need!r:.60}: it has {some(list(steps))}")
    return in_order(steps)


def some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def named(steps: object) -> list[tuple[str, Any]]:
    """The steps with their names: of [steps.NAME] tables, or of a list of [[steps]], each with its `name`."""
    if not steps or not isinstance(steps, (dict, list)):
        raise BadValue("there are no steps: use [steps.NAME] tables, each with a type or a command")
    if isinstance(steps, dict):
        return list(steps.items())
    found = []
    for count, table in enumerate(steps, 1):
        if not isinstance(table, dict) or not isinstance(table.get("name"), str):
            raise BadValue(f"step {count} of [[steps]] has no name")
        found.append((table["name"], {key: value for key, value in table.items() if key != "name"}))
    return found


def step_of(name: str, table: object, variables: Mapping[str, Any]) -> Step:
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise BadValue(f"step {name!r:.40}: use 1 to {LONGEST_NAME} printable characters as its name")
    if not isinstance(table, dict):
        raise BadValue(f"step {name!r}: use a table with a type or a command")
    needs: dict[str, str] = {}
    fields: dict[str, Any] = {}
    for key, value in table.items():
        key = key.replace("-", "_")
        if key not in NEEDS:
            fields[key] = filled(value, variables, f"step {name!r}: {key}")
            continue
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            raise BadValue(f"step {name!r}: {key}: use a list of names of steps")
        for one in names:
            if needs.setdefault(one, NEEDS[key]) != NEEDS[key]:
                raise BadValue(f"step {name!r} needs {one!r:.60} in two ways: give it once")
    return Step(name, fields, needs)


def filled(value: Any, variables: Mapping[str, Any], where: str) -> Any:
    """The value with `${vars.NAME}` put in; a text that is nothing else takes the variable's own kind."""
    if isinstance(value, dict):
        return {key: filled(one, variables, where) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, variables, where) for one in value]
    if isinstance(value, str) and "${steps." in value:
        raise BadValue(
            f"{where}: results are not put into payloads: a handler finds them in `inputs`, a command in $QCTL_INPUTS"
        )
    if not isinstance(value, str) or "${vars." not in value:
        return value
    head, *rest = value.split("${vars.")
    if not head and len(rest) == 1 and rest[0].endswith("}") and rest[0].count("}") == 1:
        return variable(rest[0][:-1], variables, where)
    parts = [head]
    for piece in rest:
        name, end, tail = piece.partition("}")
        if not end:
            raise BadValue(f"{where}: a ${{vars. has no closing brace")
        parts += [str(variable(name, variables, where)), tail]
    return "".join(parts)


def variable(name: str, variables: Mapping[str, Any], where: str) -> Any:
    if name not in variables:
        raise BadValue(
            f"{where}: there is no variable {name!r:.40} in [vars]: it has {some(list(variables)) or 'none'}"
        )
    return variables[name]


def in_order(steps: Mapping[str, Step]) -> list[Step]:
    """The steps so that each stands behind all that it needs, else as given. Raises BadValue that shows a cycle."""
    left = {name: len(step.needs) for name, step in steps.items()}
    behind: dict[str, list[str]] = {name: [] for name in steps}
    for name, step in steps.items():
        for need in step.needs:
            behind[need].append(name)
    ready = [name for name, count in left.items() if not count]
    for name in ready:  # grows while it is read
        for other in behind[name]:
            left[other] -= 1
            if not left[other]:
                ready.append(other)
    if len(ready) < len(steps):
        raise BadValue(f"the steps go in a circle: {circle(steps, set(steps) - set(ready))}")
    return [steps[name] for name in ready]


def circle(steps: Mapping[str, Step], stuck: set[str]) -> str:
    """One circle among steps that each need another of them."""
    name = min(stuck)
    seen: list[str] = []
    while name not in seen:
        seen.append(name)
        name = min(need for need in steps[name].needs if need in stuck)
    return " needs ".join([*seen[seen.index(name) :], name])
