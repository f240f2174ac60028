"""`when`: whether a step runs, by the results of others: `steps.check.result.total > 100 and not steps.check.result.paid`.

The grammar is that of rules/expr.py, over JSON values instead of figures:

    value = NUMBER | TEXT | "true" | "false" | "null" | steps.NAME.result.path | count(steps.NAME.result.path) | "(" or ")"

What is not there is null. A value alone is a yes unless it is null, false, 0, or empty.
"""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.expr import LONGEST, BadExpression, Node, Parser, number
from qctl.rules.template import Missing, Reference, reference, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from qctl.rules.template import Results

WORDS = {"true": True, "false": False, "null": None}


class Value(Node):
    """A value: a constant, or what a reference means; with `counted`, how many it holds."""

    def __init__(
        self, at: int, constant: Any = None, reference: Reference | None = None, counted: bool = False
    ) -> None:
        super().__init__("value", [], at)
        self.constant = constant
        self.reference = reference
        self.counted = counted

    @property
    def is_answer(self) -> bool:
        return False  # it may be compared


class Conditions(Parser):
    """Reads one condition. A value alone is an answer here."""

    def answer(self, node: Node) -> Node:
        return node

    def value(self) -> Node:
        kind, text, at = self.tokens[self.place]
        if kind == "quoted":
            self.place += 1
            return Value(at, text[1:-1])
        if kind == "number":
            self.place += 1
            return Value(at, number(self.text, text, at))
        if kind == "name" and text not in ("and", "or", "not"):
            self.place += 1
            if text in WORDS:
                return Value(at, WORDS[text])
            if text == "count" and self.take("("):
                inner = self.named()
                self.close()
                return Value(at, reference=inner, counted=True)
            self.place -= 1
            return Value(at, reference=self.named())
        if self.take("("):
            self.deeper(at)
            inner_node = self.either()
            self.depth -= 1
            self.close()
            return inner_node
        what = "the end" if kind == "end" else repr(text[:20])
        raise self.wrong(at, f"here is {what}, where a result or a value is wanted")

    def named(self) -> Reference:
        _kind, text, at = self.tokens[self.place]
        self.place += 1
        try:
            found = reference(text)
        except BadValue as error:
            raise self.wrong(at, str(error)) from None
        if found is None or found.root != "steps":
            raise self.wrong(at, f"{text[:30]!r} is no result: use steps.NAME.result, a number, or a 'text'")
        return found


def condition(text: object) -> Node:
    """The condition as a tree. Raises BadValue."""
    if not isinstance(text, str) or not text.strip():
        raise BadValue('when: use a condition such as "steps.check.result.total > 100"')
    text = text.replace("${", "  ").replace("}", " ")  # as templates write it
    if len(text) > LONGEST:
        raise BadExpression(text, LONGEST, f"it is longer than {LONGEST:,} characters")
    return Conditions(text).whole()


def asked(tree: Node) -> list[str]:
    """The names of the steps whose results a condition asks for."""
    own = [tree.reference.step] if isinstance(tree, Value) and tree.reference is not None else []
    return own + [name for part in tree.parts for name in asked(part)]


def holds(tree: Node, inputs: Results) -> bool:
    """Whether a condition is true, given the results by step. Raises BadValue where an order has no meaning."""
    if tree.op == "or":
        return any(holds(part, inputs) for part in tree.parts)
    if tree.op == "and":
        return all(holds(part, inputs) for part in tree.parts)
    if tree.op == "not":
        return not holds(tree.parts[0], inputs)
    if isinstance(tree, Value):
        return bool(value_of(tree, inputs))
    left, right = (value_of(part, inputs) for part in tree.parts)
    if tree.op in ("==", "!="):
        return same(left, right) == (tree.op == "==")
    return ORDERS[tree.op](ranked(left, right))


ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda rank: rank < 0, "<=": lambda rank: rank <= 0, ">": lambda rank: rank > 0, ">=": lambda rank: rank >= 0,
}  # fmt: skip


def value_of(node: Node, inputs: Results) -> Any:
    if not isinstance(node, Value):
        return holds(node, inputs)
    one = node.reference
    if one is None:
        return node.constant
    try:
        value = within(inputs[one.step], one, "") if one.step in inputs else None
    except Missing:
        value = None
    return (len(value) if isinstance(value, (list, dict, str)) else 0) if node.counted else value


def same(left: Any, right: Any) -> bool:
    """Equal in JSON: true is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def ranked(left: Any, right: Any) -> int:
    """-1, 0 or 1: numbers among numbers, texts among texts. Raises BadValue."""
    for kinds in ((int, float), (str,)):
        if all(isinstance(one, kinds) and not isinstance(one, bool) for one in (left, right)):
            return int(left > right) - int(left < right)
    from qctl.rules.payload import kind

    raise BadValue(f"when: {kind(left)} and {kind(right)} have no order: == and != compare everything")
