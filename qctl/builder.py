"""Flows in Python: steps, and what puts them in order. They become the same document as a flow file holds.

from qctl import Queue, chain, flow, group, step

charge = step("charge", {"order": 7}, name="charge")
mail = step("send_email", {"receipt": charge.result["receipt"]})
Queue().run_flow(chain(charge, group("invoice", "inventory"), mail))
"""

from __future__ import annotations

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

ORDERS = ("after", "after_any", "after_failed")


class Result(str):
    """A result that will be: in a payload or an argument it stands for the value. `charge.result["receipt"]["id"]`."""

    def __getitem__(self, key: str | int) -> Result:  # type: ignore[override]
        inner = str(self)[:-1]
        return Result(f"{inner}[{key}]}}" if isinstance(key, int) else f"{inner}.{key}}}")


item = Result("${item}")
"""In a step with `foreach`: the item that a job is for. `item["id"]` is a field of it."""


class Part:
    """Steps in some order. `heads`: those that begin it, `tails`: those that end it."""

    def __init__(self, steps: list[Step], heads: list[Step], tails: list[Step]) -> None:
        self.steps = steps
        self.heads = heads
        self.tails = tails

    def document(self) -> dict[str, Any]:
        """What a flow file would hold."""
        return flow("flow", self).document()


class Step(Part):
    """One step, made by `step`. What it needs is kept by the steps themselves until the names are known."""

    def __init__(self, name: str | None, fields: dict[str, Any]) -> None:
        super().__init__([self], [self], [self])
        self.name = name
        self.fields = fields
        self.needs: dict[str, list[Step | str]] = {}

    @property
    def result(self) -> Result:
        """What its handler returns, or its command leaves in $QCTL_RESULT. Raises BadValue when the step has no name."""
        if self.name is None:
            raise BadValue("a step whose result is used needs a name: step(..., name=...)")
        return Result(f"${{steps.{self.name}.result}}")


def step(
    type: str | Callable[..., Any] | None = None,
    payload: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    after: Any = (),
    after_any: Any = (),
    after_failed: Any = (),
    on_failure: Any = (),
    when: str | None = None,
    foreach: str | None = None,
    **options: Any,
) -> Step:
    """A step: a job of a type (its name, or its function with @handler), or a command (`command=`, `shell=`).

    `after`, `after_any`, `after_failed`: a step or several that it waits for, as in `Queue.enqueue`. `on_failure`: the
    steps that clean up after it. `when`: a condition on results, `foreach`: the result whose items each get a job, as in
    a flow file. `options`: as in `Queue.enqueue`. Without a `name` it is called after its type. Raises BadValue.
    """
    fields: dict[str, Any] = {"type": type_of(type), "payload": payload, "when": when, "foreach": foreach, **options}
    made = Step(name, {key: value for key, value in fields.items() if value is not None})
    for key, value in (
        ("after", after),
        ("after_any", after_any),
        ("after_failed", after_failed),
        ("on_failure", on_failure),
    ):
        found = named(value)
        if found:
            made.needs[key] = found
    return made


def named(value: Any) -> list[Step | str]:
    """Steps, given as one or several, by themselves or by name. Of a chain or group: those that end it."""
    if isinstance(value, (str, Step)):
        return [value]
    if isinstance(value, Part):
        return list(value.tails)
    return [one for several in value for one in named(several)]


def type_of(given: str | Callable[..., Any] | None) -> str | None:
    if given is None or isinstance(given, str):
        return given
    import sys

    handlers = sys.modules.get("qctl.handlers")
    for known in handlers.registry.values() if handlers else ():
        if known.function is given:
            return str(known.type)
    raise BadValue(f"{given!r:.60} is no handler: use a type, or a function with @handler")


def part(given: Part | str | Callable[..., Any]) -> Part:
    return given if isinstance(given, Part) else step(given)


def chain(*parts: Part | str | Callable[..., Any]) -> Part:
    """One after the other: each begins when the one before it is completed. Parts are steps, types, chains and groups."""
    several = whole("chain", parts)
    for place, then in enumerate(several[1:]):
        for head in then.heads:
            head.needs.setdefault("after", []).extend(several[place].tails)
    return Part([one for each in several for one in each.steps], several[0].heads, several[-1].tails)


def group(*parts: Part | str | Callable[..., Any]) -> Part:
    """Side by side: what follows in a chain waits for all of them."""
    several = whole("group", parts)
    return Part(
        [one for each in several for one in each.steps],
        [one for each in several for one in each.heads],
        [one for each in several for one in each.tails],
    )


def whole(what: str, parts: Iterable[Part | str | Callable[..., Any]]) -> list[Part]:
    several = [part(one) for one in parts]
    if not several:
        raise BadValue(f"{what}: there are no steps in it")
    return several


class Flow:
    """A flow that is put together step by step; `Queue.run_flow` takes it. Made by `flow`."""

    def __init__(self, name: str, vars: Mapping[str, Any] | None, on_failure: Any) -> None:
        self.name = name
        self.vars = vars
        self.on_failure = named(on_failure)
        self.steps: list[Step] = []

    def add(self, *parts: Part | str | Callable[..., Any]) -> Flow:
        """Take in steps, chains and groups; the flow itself."""
        self.steps += [one for each in parts for one in part(each).steps]
        return self

    def step(self, type: str | Callable[..., Any] | None = None, payload: Any = None, **options: Any) -> Step:
        """Make a step, as `step` does, and take it in."""
        made = step(type, payload, **options)
        self.add(made)
        return made

    def document(self) -> dict[str, Any]:
        """What a flow file would hold. Raises BadValue."""
        steps = list(dict.fromkeys([*self.steps, *[one for one in self.on_failure if isinstance(one, Step)]]))
        names = names_of(steps)
        tables = []
        for one in steps:
            table: dict[str, Any] = {"name": names[one], **one.fields}
            for key, others in one.needs.items():
                table[key] = [known(other, names) for other in dict.fromkeys(others)]
            tables.append(table)
        document: dict[str, Any] = {"name": self.name, "steps": tables}
        if self.vars:
            document["vars"] = dict(self.vars)
        if self.on_failure:
            document["on_failure"] = [known(one, names) for one in self.on_failure]
        return document


def flow(name: str, *parts: Part | str | Callable[..., Any], vars: Any = None, on_failure: Any = ()) -> Flow:
    """A flow of steps, chains and groups, to which more may be added.

    `vars`: values for `${vars.NAME}`. `on_failure`: the step that runs once no other can go on, if one has failed.

        order = flow("order 7")
        charge = order.step("charge", {"order": 7}, name="charge")
        order.step("send_email", {"receipt": charge.result["receipt"]}, after=charge)
        number = queue.run_flow(order)
    """
    return Flow(name, vars, on_failure).add(*parts)


def names_of(steps: list[Step]) -> dict[Step, str]:
    """The name of each step: its own, else that of its type or program, with a number where that is taken."""
    taken = {one.name for one in steps if one.name is not None}
    counts: dict[str, int] = {}
    names = {}
    for one in steps:
        name = one.name
        if name is None:
            command = one.fields.get("command")
            base = str(one.fields.get("type") or (command[0] if command else "step")).rpartition("/")[2] or "step"
            name = base
            while name in taken:
                counts[base] = counts.get(base, 1) + 1
                name = f"{base}-{counts[base]}"
            taken.add(name)
        names[one] = name
    return names


def known(one: Step | str, names: Mapping[Step, str]) -> str:
    if isinstance(one, str):
        return one
    if one not in names:
        raise BadValue(
            f"a step waits for {one.name or one.fields.get('type') or 'another'!r:.60}, which is not in the flow"
        )
    return names[one]
