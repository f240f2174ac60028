"""What a flow may be: from the tables of a flow file to steps in an order in which each follows its needs."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.flowstep import NAMES, NEEDS, Step, names_of, some, step_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PARTS = ("name", "vars", "steps", "on_failure")


def steps_of(
    data: Mapping[str, Any], given: Mapping[str, str] | None = None, on_failure: str | None = None
) -> list[Step]:
    """The steps of a flow, checked whole. `given`: variables over those in its [vars]; `on_failure`: the step that cleans
    up, over the flow's own. Raises BadValue."""
    for part in data:
        if part.replace("-", "_") not in PARTS:
            raise BadValue(f"{part!r:.40} is no part of a flow: use {', '.join(PARTS)}")
    variables = data.get("vars", {})
    if not isinstance(variables, dict):
        raise BadValue("vars: use a table of names and values")
    for name in given or {}:
        if name not in variables:
            known = ", ".join(variables) or "none"
            raise BadValue(f"--set {name}: the flow has no such variable in [vars] (it has {known})")
    variables = {**variables, **{name: of_kind(name, value, variables[name]) for name, value in (given or {}).items()}}
    steps: dict[str, Step] = {}
    for name, table in named(data.get("steps")):
        if name in steps:
            raise BadValue(f"step {name!r}: there are two steps of that name")
        steps[name] = step_of(name, table, variables)
    for step in steps.values():
        for name in [*step.needs, *step.asks, *step.on_failure]:
            if name == step.name:
                raise BadValue(f"step {step.name!r} needs itself")
            if name not in steps:
                raise BadValue(f"step {step.name!r}: there is no step {name!r:.60}: it has {some(list(steps))}")
    whole = on_failure if on_failure is not None else data.get("on_failure", data.get("on-failure"))
    clean_up(steps, [] if whole is None else names_of("on_failure", whole))
    return in_order(steps)


def of_kind(name: str, text: Any, like: Any) -> Any:
    """A text that was set, as the kind of value that the flow has for it. Raises BadValue."""
    if isinstance(like, str) or not isinstance(text, str):
        return text
    from qctl.rules.payload import decoder, kind

    try:
        value = decoder()(text)
    except (ValueError, RecursionError):
        value = text
    if kind(value) != kind(like):
        raise BadValue(f"--set {name}: use {kind(like)}, as the flow has it, not {text[:40]!r}")
    return value


def clean_up(steps: dict[str, Step], whole: list[str]) -> None:
    """Give the steps that clean up what they watch, and what they wait for. `whole`: those that watch the flow."""
    for step in list(steps.values()):
        for name in step.on_failure:
            other = steps[name]
            if other.needs.setdefault(step.name, "ended") != "ended" or step.name in other.on_failure:
                raise BadValue(f"step {name!r} cleans up after {step.name!r}: it cannot need it in another way, too")
            other.plan.setdefault("on_failure", []).append(step.name)
    for name in whole:
        if name not in steps:
            raise BadValue(f"on_failure: there is no step {name!r:.60}: it has {some(list(steps))}")
        if steps[name].needs or "on_failure" in steps[name].plan:
            raise BadValue(f"on_failure: step {name!r} cleans up after the whole flow: it has no needs of its own")
        steps[name].plan["on_failure"] = True
    for step in steps.values():
        for name in step.asks:
            step.needs.setdefault(name, "ended" if step.plan.get("on_failure") is True else "completed")
    if not whole:
        return
    apart = reached(steps, set(whole))
    # One that waits for a failure is reached only by that; it is waited for once it was.
    rest = {name for name in steps if name not in apart}
    rest -= reached(steps, {name for name in rest if "failed" in steps[name].needs.values()})
    needed = {need for name in rest for need in steps[name].needs}
    for name in whole:
        steps[name].needs |= {last: "ended" for last in steps if last in rest and last not in needed}


def reached(steps: Mapping[str, Step], names: set[str]) -> set[str]:
    """These steps, and all that need them, directly or through one another."""
    behind = needed_by(steps)
    found, left = set(names), list(names)
    while left:
        for name in behind[left.pop()]:
            if name not in found:
                found.add(name)
                left.append(name)
    return found


def needed_by(steps: Mapping[str, Step]) -> dict[str, list[str]]:
    behind: dict[str, list[str]] = {name: [] for name in steps}
    for name, step in steps.items():
        for need in step.needs:
            behind[need].append(name)
    return behind


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


def in_order(steps: Mapping[str, Step]) -> list[Step]:
    """The steps so that each stands behind all that it needs, else as given. Raises BadValue that shows a cycle."""
    left = {name: len(step.needs) for name, step in steps.items()}
    behind = needed_by(steps)
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
    seen: dict[str, int] = {}
    while name not in seen:
        seen[name] = len(seen)
        name = min(need for need in steps[name].needs if need in stuck)
    names = [*list(seen)[seen[name] :], name]
    if len(names) > 12:
        names = [*names[:6], "...", *names[-5:]]
    return " needs ".join(names)


__all__ = ["NAMES", "NEEDS", "Step", "steps_of"]
