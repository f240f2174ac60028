"""One step of a flow: what its table may say, and what its templates ask of others."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.template import Reference, pieces, reference, references, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

NEEDS = {"needs": "completed", "after": "completed", "after_any": "ended", "after_failed": "failed"}
"""The keys of a step that name other steps, and the end of those that each asks for."""

NAMES = (*NEEDS, "on_failure")
OWN = ("when", "foreach")
TEMPLATED = ("payload", "command", "env")
LONGEST_NAME = 200


class Step:
    """A step: `fields` as in rules/newjob.py, `needs`: by the name of a step the end of it that is waited for.

    `asks`: the steps whose results its templates ask for; `on_failure`: the steps that clean up after it. `plan`: what
    is looked at when it starts, by name: `templates`, `when`, `foreach`, `on_failure` (names of steps; True: any).
    """

    __slots__ = ("asks", "fields", "name", "needs", "on_failure", "plan")

    def __init__(self, name: str, fields: dict[str, Any], needs: dict[str, str]) -> None:
        self.name = name
        self.fields = fields
        self.needs = needs
        self.asks: list[str] = []
        self.on_failure: list[str] = []
        self.plan: dict[str, Any] = {}


def step_of(name: str, table: object, variables: Mapping[str, Any]) -> Step:
    if not isinstance(name, str) or not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadValue(f"step {name!r:.40}: use 1 to {LONGEST_NAME} printable characters as its name")
    if name != name.strip() or "[" in name:
        raise BadValue(f"step {name!r:.40}: a name has no [ and no space at its ends")
    if not isinstance(table, dict):
        raise BadValue(f"step {name!r}: use a table with a type or a command")
    step = Step(name, {}, {})
    try:
        for key, value in table.items():
            key = key.replace("-", "_")
            if key == "on_failure":
                step.on_failure = names_of(key, value)
            elif key in NEEDS:
                for one in names_of(key, value):
                    if step.needs.setdefault(one, NEEDS[key]) != NEEDS[key]:
                        raise BadValue(f"it needs {one!r:.60} in two ways: give it once")
            else:
                field = filled(value, variables, key)
                (step.plan if key in OWN else step.fields)[key] = field
        learn(step)
    except BadValue as error:
        raise BadValue(f"step {name!r}: {error}") from None
    return step


def names_of(key: str, value: object) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(one, str) for one in names):
        raise BadValue(f"{key}: use a list of names of steps")
    return list(dict.fromkeys(names))


def learn(step: Step) -> None:
    """What the step's templates, its condition and its foreach ask for. Raises BadValue."""
    fields, plan = step.fields, step.plan
    found: list[Reference] = []
    if "foreach" in plan:
        one = whole(plan["foreach"])
        plan["foreach"] = one.text
        found.append(one)
    if "when" in plan:
        from qctl.rules.condition import asked, condition

        step.asks += asked(condition(plan["when"]))
    for key in TEMPLATED:
        if any(True for _text in texts(fields.get(key))):
            try:
                found += references(fields[key])
            except BadValue as error:
                raise BadValue(f"{key}: {error}") from None
    shell = fields.get("shell")
    if isinstance(shell, str) and any(isinstance(piece, Reference) and takes(piece, plan) for piece in pieces(shell)):
        raise BadValue(
            "shell: a result is never pasted into a shell line: give it in env, as in"
            ' env = {ID = "${steps.charge.result.id}"}, or as an argument of a command'
        )
    command = fields.get("command")
    if isinstance(command, list) and command and isinstance(command[0], str) and references(command[0]):
        raise BadValue("command: which program runs is no matter of a result: use templates in its arguments")
    for one in found:
        if one.root == "steps":
            step.asks.append(one.step)
        elif "foreach" not in plan:
            raise BadValue(f"${{{one.text}}}: this step has no foreach, and so no {one.root}")
    step.asks = list(dict.fromkeys(step.asks))
    if found:
        plan["templates"] = True


def takes(one: Reference, plan: Mapping[str, Any]) -> bool:
    """Whether it is ours: ${item} in a shell line may be a variable of the shell."""
    return one.root == "steps" or "foreach" in plan


def whole(value: object) -> Reference:
    """What a foreach goes over. Raises BadValue."""
    if isinstance(value, str):
        one = reference(value.removeprefix("${").removesuffix("}"))
        if one is not None and one.root == "steps":
            return one
    raise BadValue('foreach: use the list in the result of a step: "${steps.NAME.result.files}"')


def filled(value: Any, variables: Mapping[str, Any], where: str) -> Any:
    """The value with `${vars.NAME}` put in; a text that is nothing else takes the variable's own kind."""
    if isinstance(value, dict):
        return {key: filled(one, variables, where) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, variables, where) for one in value]
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


def some(names: Sequence[str]) -> str:
    """The first names of a list, as an error may show them."""
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
