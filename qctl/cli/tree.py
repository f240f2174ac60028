"""A flow as a tree: each step under the last of those it needs, with its state, its time, and what it waits for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Step = Mapping[str, Any]

DEEPEST = 24  # columns of the branches before a step
WIDEST = 40  # columns of a name
FEW = 6  # jobs that a step added of which all are drawn
SHOWN = 3  # steps that a note names; jobs of a foreach that are drawn
NEWS = {"processing": 0, "failed": 0, "cancelled": 1, "pending": 1, "blocked": 2, "completed": 3}
"""What is left out last when not all fits."""


def lines(flow: Mapping[str, Any], steps: Sequence[Step], now: float, room: int, most: int | None = None) -> list[str]:
    """The flow and its steps, painted for stdout, none wider than `room`; `most`: so many lines, what is done left out."""
    import sys

    from qctl.cli.terminal import COLOURS, cell_width, colour, cut, escape, glyph, narrowed, paint, unicode

    coloured, drawn = colour(sys.stdout), unicode(sys.stdout)

    def safe(text: str) -> str:
        return escape(text) if drawn else narrowed(text, sys.stdout)

    steps = timed(steps)
    rows = arranged(steps)
    left = 0
    if most is not None and len(rows) + 1 > most:
        order = sorted(range(len(rows)), key=lambda place: (NEWS.get(rows[place][1]["status"], 3), place))
        kept = set(order[: max(1, most - 2)])
        left = len(rows) - len(kept)
        rows = [row for place, row in enumerate(rows) if place in kept]
    names = [branch + safe(title(step)) for branch, step in rows]
    size = min(WIDEST, max((cell_width(name) + 2 for name in names), default=0))
    found = [painted(heading(flow, now), str(flow["status"]).replace("running", "processing"), coloured, room, safe)]
    by_number = {step["number"]: step for step in steps}
    for (branch, step), name in zip(rows, names, strict=True):
        state = state_of(step)
        sign = glyph(state)
        name = name[len(branch) :]
        head = f"{safe(branch)}{paint(sign, COLOURS.get(state)) if coloured else sign} "
        columns = cell_width(branch) + 2
        name = cut(name, max(4, size - columns + 2))
        tail = safe(f"{took(step, now):>6}  {note(step, by_number, steps)}".rstrip())
        space = " " * max(0, size - columns + 2 - cell_width(name))
        found.append(head + (name + space + " " + cut(tail, max(0, room - size - 3))).rstrip())
    if left:
        found.append(safe(f"… {left:,} more · qctl list --flow {flow['number']} --limit 0"))
    return found


def timed(steps: Sequence[Step]) -> list[Step]:
    """The steps, those with a foreach as begun with the first of their jobs; `added`: how many jobs one has added."""
    first: dict[int, str] = {}
    added: dict[int, int] = {}
    for step in steps:
        if step["parent"] is not None and step["step"] is None:
            added[step["parent"]] = added.get(step["parent"], 0) + 1
        elif step["parent"] is not None and step["started_at"]:
            first[step["parent"]] = min(step["started_at"], first.get(step["parent"], step["started_at"]))
    return [
        {
            **step,
            "started_at": first.get(step["number"], step["started_at"]),
            "added": added.get(step["number"], 0),
        }
        for step in steps
    ]


def painted(text: str, state: str, coloured: bool, room: int, safe: Any) -> str:
    from qctl.cli.terminal import COLOURS, cut, glyph, paint

    sign = glyph(state)
    return (paint(sign, COLOURS.get(state)) if coloured else sign) + " " + cut(safe(text), room - 2)


def ran(flow: Mapping[str, Any], now: float) -> str:
    """How long a flow took, or has been running."""
    from qctl.rules.clock import human
    from qctl.rules.when import from_text

    try:
        ended = from_text(flow["ended_at"]) if flow["ended_at"] else now
        return human(max(0.0, ended - from_text(flow["created_at"])))
    except ValueError:  # an UPDATE from elsewhere may have written anything
        return "-"


def heading(flow: Mapping[str, Any], now: float) -> str:
    """`order 12   running 12s   3 of 5 done`"""
    status = "running" if flow["status"] == "running" else f"{flow['status']} in"
    took = ran(flow, now)
    done = f"{flow['completed']:,} of {flow['steps']:,} done"
    bad = f", {flow['failed']:,} failed" if flow["failed"] else ""
    return f"{flow['name']}   {status} {took}   {done}{bad}   {bar(flow)}".rstrip()


def bar(flow: Mapping[str, Any], size: int = 12) -> str:
    """How far a running flow is."""
    if flow["status"] != "running" or flow["steps"] < 2:
        return ""
    full = int(size * flow["completed"] / flow["steps"])
    return "█" * full + "▁" * (size - full)


def arranged(steps: Sequence[Step]) -> list[tuple[str, Step]]:
    """The steps as a tree, each with the branch that leads to it. Of the jobs of a foreach only some are drawn."""
    below: dict[int | None, list[Step]] = {}
    numbers = {step["number"] for step in steps}
    for step in steps:
        below.setdefault(above(step, numbers), []).append(step)
    for number, children in below.items():
        made = [step for step in children if number is not None and step["parent"] == number]
        if any(step["step"] is not None for step in made) or len(made) > FEW:
            news = sorted(made, key=lambda step: NEWS.get(step["status"], 3))[:SHOWN]
            drawn = {step["number"] for step in news if step["status"] != "completed"}
            below[number] = [step for step in children if step["parent"] != number or step["number"] in drawn]
    found: list[tuple[str, Step]] = []
    left: list[tuple[str, str, Step]] = [("", "", step) for step in reversed(below.get(None, []))]
    while left:
        before, corner, step = left.pop()
        found.append((before[-DEEPEST:] + corner, step))
        inner = before + ("" if not corner else "│" if corner == "├" else " ")
        children = below.get(step["number"], [])
        for place in range(len(children) - 1, -1, -1):
            left.append((inner, "└" if place == len(children) - 1 else "├", children[place]))
    return found


def above(step: Step, numbers: set[int]) -> int | None:
    """The number of the step that one is drawn under."""
    parent = int(step["parent"]) if step["parent"] in numbers else None
    if parent is not None and step["step"] is not None:
        return parent
    if step["plan"].get("on_failure") is True:
        return None
    # A foreach needs jobs that were made of it, which come after it.
    needs = [one for one in step["needs"] if one in numbers and one < step["number"]]
    return max(needs, default=parent)


def state_of(step: Step) -> str:
    return "retry" if step["status"] == "pending" and step["attempts"] else str(step["status"])


def title(step: Step) -> str:
    total = step["plan"].get("total")
    return str(step["step"] or step["type"]) + (f" ×{total:,}" if total is not None else "")


def surroundings(steps: Sequence[Step], number: int, now: float) -> list[str]:
    """A step with what it needs above it and what needs it below, as plain text."""
    from qctl.cli.terminal import glyph

    by_number = {step["number"]: step for step in steps}
    own = by_number[number]
    before = [by_number[one] for one in sorted(own["needs"]) if one in by_number and one < number]
    if own["parent"] in by_number and by_number[own["parent"]] not in before:
        before.append(by_number[own["parent"]])
    behind = [step for step in steps if number in step["needs"] and step["number"] > number]

    def some(found: list[Step], branch: str) -> list[str]:
        lines = [f"{branch}{glyph(state_of(step))} {title(step)}" for step in found[:SHOWN]]
        return [*lines, f"{branch}… {len(found) - SHOWN:,} more"] if len(found) > SHOWN else lines

    text = f"{glyph(state_of(own))} {title(own)}  {took(own, now)} {note(own, by_number, steps)}".rstrip()
    return [*some(before, ""), ("└" if before else "") + text + "   ← this job", *some(behind, " └" if before else "└")]


def took(step: Step, now: float) -> str:
    """How long it ran, or runs."""
    from qctl.rules.clock import human
    from qctl.rules.when import from_text

    if step["status"] not in ("processing", "completed", "failed") or not step["started_at"] or is_skipped(step):
        return ""
    try:
        end = now if step["status"] == "processing" else from_text(step["completed_at"] or step["updated_at"])
        seconds = max(0.0, end - from_text(step["started_at"]))
    except ValueError:  # an UPDATE from elsewhere may have written anything
        return ""
    return f"{seconds * 1000:.0f}ms" if seconds < 0.9995 else human(seconds)


def is_skipped(step: Step) -> bool:
    return step["status"] == "completed" and str(step["last_error"] or "").startswith("skipped: ")


def note(step: Step, by_number: Mapping[int, Step], steps: Sequence[Step]) -> str:
    """What a person may want to know of a step in its state."""
    status, plan = step["status"], step["plan"]
    if status in ("failed", "cancelled") or is_skipped(step) or state_of(step) == "retry":
        return str(step["last_error"] or "")
    if status != "blocked":
        return f"added {step['added']:,} jobs" if step.get("added", 0) > FEW else ""
    if plan.get("total") is not None:
        made = [one for one in steps if one["parent"] == step["number"]]
        done = sum(one["status"] == "completed" for one in made)
        bad = sum(one["status"] in ("failed", "cancelled") for one in made)
        return f"{done:,} of {plan['total']:,} done" + (f", {bad:,} failed" if bad else "")
    if "on_failure" in plan:
        watched = plan["on_failure"]
        return "if a step fails" if watched is True else f"if {' or '.join(watched)} fails"
    names = [title(by_number[one]) for one in sorted(step["waits_for"]) if one in by_number]
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"waits for {', '.join(names[:SHOWN])}{more}" if names else ""
