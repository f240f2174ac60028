"""What `assert` is told: a small language over the figures. `dlq == 0 and p95(run, 1h) < 30s`.

    or      = and ("or" and)*
    and     = not ("and" not)*
    not     = "not" not | compared
    compared= value (("<" | "<=" | ">" | ">=" | "==" | "!=") value)*
    value   = NUMBER | DURATION | PERCENT | FIGURE | FIGURE "(" [argument ("," argument)*] ")" | "(" or ")"

Durations are seconds. Nothing is looked up by name but the FIGURES below, and nothing is called.
"""

from __future__ import annotations

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Token = tuple[str, str, int]  # kind, text, place

LONGEST, DEEPEST = 4000, 100
WINDOW = 3600.0
TIMES = ("run", "wait")
OPERATORS = ("<=", ">=", "==", "!=", "<", ">")
COUNTS = ("pending", "due", "delayed", "retry", "processing", "blocked", "completed", "failed", "cancelled")
"""Figures of `queue` in what `stats` says; all of them are there for a type, too."""
WINDOWED = ("rate", "failure_rate", "p50", "p95", "p99", "done")
WHOLE = ("workers", "slots", "total")  # of the queue alone, never of a type
FIGURES = (*COUNTS, "dlq", "dead", "oldest", *WINDOWED, *WHOLE)


class Call:
    """A figure that is asked for. `kind` is run or wait, for percentiles; `type` None: of the whole queue."""

    def __init__(self, name: str, kind: str | None, window: float, type: str | None, text: str) -> None:
        self.name = name
        self.kind = kind
        self.window = window
        self.type = type
        self.text = text


class Node:
    """A part of an expression: `op` is or, and, not, a comparison, number or figure."""

    def __init__(self, op: str, parts: list[Node], at: int, value: float = 0.0, call: Call | None = None) -> None:
        self.op = op
        self.parts = parts
        self.at = at
        self.value = value
        self.call = call

    @property
    def is_answer(self) -> bool:
        """Whether it is a yes or no, and not a number."""
        return self.op not in ("number", "figure")


class BadExpression(BadValue):
    """What is wrong, and where: by column, and by an arrow before it."""

    def __init__(self, text: str, at: int, why: str) -> None:
        begin = max(0, at - 30)
        before, after = (
            "".join(one if one.isprintable() else " " for one in part) for part in (text[begin:at], text[at : at + 20])
        )
        super().__init__(f"column {at + 1}: {why}: {before}→{after}")
        self.at = at


def parse(text: str) -> Node:
    """The expression as a tree. Raises BadExpression."""
    if len(text) > LONGEST:
        raise BadExpression(text, LONGEST, f"it is longer than {LONGEST:,} characters")
    return Parser(text).whole()


class Parser:
    """Reads one expression, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = list(tokens(text))
        self.place = 0
        self.depth = 0

    def whole(self) -> Node:
        tree = self.either()
        kind, text, at = self.tokens[self.place]
        if kind != "end":
            raise self.wrong(at, f"{text[:20]!r} is one too many: use and, or, or a comparison")
        self.answer(tree)
        return tree

    def wrong(self, at: int, why: str) -> BadExpression:
        return BadExpression(self.text, at, why)

    def take(self, *texts: str) -> Token | None:
        """The next token, if it is one of these signs or words."""
        token: Token = self.tokens[self.place]
        if token[1] in texts and token[0] in ("sign", "name"):
            self.place += 1
            return token
        return None

    def answer(self, node: Node) -> Node:
        if not node.is_answer:
            raise self.wrong(node.at, "this is a number, no yes or no: compare it, as in `dlq == 0`")
        return node

    def either(self) -> Node:
        return self.joined("or", self.both)

    def both(self) -> Node:
        return self.joined("and", self.negated)

    def joined(self, word: str, inner: Callable[[], Node]) -> Node:
        first = inner()
        parts = [first]
        while self.take(word):
            self.answer(parts[-1])
            parts.append(inner())
            self.answer(parts[-1])
        return first if len(parts) == 1 else Node(word, parts, first.at)

    def negated(self) -> Node:
        token = self.take("not")
        if token is None:
            return self.compared()
        self.deeper(token[2])
        inner = self.answer(self.negated())
        self.depth -= 1
        return Node("not", [inner], token[2])

    def compared(self) -> Node:
        first = self.value()
        found: list[Node] = []
        left = first
        while token := self.take(*OPERATORS):
            right = self.value()
            for one in (left, right):
                if one.is_answer:
                    raise self.wrong(one.at, "a yes or no cannot be compared: join it by and, or, not")
            found.append(Node(token[1], [left, right], left.at))
            left = right
        if not found:
            return first
        return found[0] if len(found) == 1 else Node("and", found, first.at)

    def deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(at, f"it is nested more than {DEEPEST} deep")

    def value(self) -> Node:
        kind, text, at = self.tokens[self.place]
        if self.take("("):
            self.deeper(at)
            inner = self.either()
            self.depth -= 1
            self.close()
            return inner
        if kind == "number":
            self.place += 1
            return Node("number", [], at, number(self.text, text, at))
        if kind != "name" or text in ("and", "or", "not"):
            what = "the end" if kind == "end" else repr(text[:20])
            raise self.wrong(at, f"here is {what}, where a figure or a number is wanted")
        self.place += 1
        if text not in FIGURES:
            raise self.wrong(at, f"{text[:30]!r} is no figure: use {', '.join(FIGURES)}")
        arguments = self.arguments() if self.take("(") else []
        end = self.tokens[self.place - 1]
        shown = self.text[at : end[2] + len(end[1])]
        return Node("figure", [], at, call=self.call(text, at, arguments, shown))

    def close(self) -> None:
        if not self.take(")"):
            _kind, text, at = self.tokens[self.place]
            raise self.wrong(at, f"a closing ) is missing{f' before {text[:20]!r}' if text else ''}")

    def arguments(self) -> list[Token]:
        found: list[Token] = []
        while not self.take(")"):
            if found and not self.take(","):
                self.close()
                break
            token = self.tokens[self.place]
            if token[0] not in ("name", "number", "quoted"):
                raise self.wrong(token[2], "an argument is run or wait, a window such as 1h, or a type")
            found.append(token)
            self.place += 1
        return found

    def call(self, name: str, at: int, arguments: list[Token], shown: str) -> Call:
        kind: str | None = None
        window, type_ = WINDOW, None
        if name in ("p50", "p95", "p99"):
            if not arguments or arguments[0][1] not in TIMES:
                raise self.wrong(arguments[0][2] if arguments else at, f"say of what: {name}(run) or {name}(wait)")
            kind = arguments.pop(0)[1]
        if arguments and arguments[0][0] == "number":
            if name not in WINDOWED:
                raise self.wrong(
                    arguments[0][2], f"{name} is of now and has no window: only {', '.join(WINDOWED)} have"
                )
            _, text, place = arguments.pop(0)
            window = number(self.text, text, place)
            if not 0 < window <= 1e9 or text[-1] not in "smhdw":
                raise self.wrong(place, f"{text[:20]!r} is no window: use a duration such as 30m or 1h")
        if arguments and arguments[0][0] != "number":
            if name in WHOLE:
                raise self.wrong(arguments[0][2], f"{name} is of the whole queue, not of a type")
            token = arguments.pop(0)
            type_ = token[1][1:-1] if token[0] == "quoted" else token[1]
        if arguments:
            raise self.wrong(arguments[0][2], f"{arguments[0][1][:20]!r} is one argument too many")
        return Call(name, kind, window, type_, shown)


def tokens(text: str) -> Any:
    """Names, numbers, quoted types and signs with their places, and an end."""
    import re

    pattern = re.compile(
        r"\s+|(?P<number>[0-9][0-9A-Za-z_.]*%?)|(?P<name>[A-Za-z_][\w.:-]*)|(?P<quoted>'[^']*'|\"[^\"]*\")"
        r"|(?P<sign><=|>=|==|!=|[<>(),])"
    )
    place = 0
    while place < len(text):
        match = pattern.match(text, place)
        if match is None:
            hint = ": == compares" if text[place] == "=" else ""
            raise BadExpression(text, place, f"{text[place]!r} has no meaning here{hint}")
        if match.lastgroup:
            yield match.lastgroup, match.group(), place
        place = match.end()
    yield "end", "", len(text)


def number(whole: str, text: str, at: int) -> float:
    """A number, a percentage, or a duration in seconds."""
    from qctl.rules.when import parse_duration

    try:
        if text[-1] == "%":
            value = float(text[:-1]) / 100
        elif text[-1] in "smhdw":
            value = parse_duration(text)
        else:
            value = float(text.replace("_", "x"))
    except (ValueError, BadValue):
        raise BadExpression(whole, at, f"{text[:20]!r} is no number: use 10, 0.5, 5%, 30s, 1h30m") from None
    if value > 1e300:
        raise BadExpression(whole, at, "this number is too large")
    return value


def calls(tree: Node) -> list[Call]:
    """Every figure that an expression asks for, in order."""
    found = [tree.call] if tree.call is not None else []
    for part in tree.parts:
        found += calls(part)
    return found


def holds(tree: Node, look: Callable[[Call], float]) -> bool:
    """Whether an expression is true, where `look` tells the figures."""
    if tree.op == "or":
        return any(holds(part, look) for part in tree.parts)
    if tree.op == "and":
        return all(holds(part, look) for part in tree.parts)
    if tree.op == "not":
        return not holds(tree.parts[0], look)
    left, right = (look(part.call) if part.call is not None else part.value for part in tree.parts)
    return {
        "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "==": left == right,
        "!=": left != right,
    }[tree.op]  # fmt: skip


def figure(call: Call, stats: dict[str, Any]) -> float:
    """What `stats`, over the call's window, says of it. Where nothing waits, ran or failed, that is 0."""
    queue, name = stats["queue"], call.name
    if name in ("workers", "slots"):
        return float(stats["workers"]["alive" if name == "workers" else "slots"])
    if name == "total":
        return float(sum(row["count"] for row in stats["by_type"]))
    of: dict[str, Any] = stats
    if call.type is not None:
        of = next((one for one in stats["types"] if one["type"] == call.type), {})
    if name in COUNTS:
        if call.type is None:
            return float(queue[name])
        if name in ("due", "retry", "delayed"):
            return float(of.get({"due": "pending"}.get(name, name), 0))
        rows = [row["count"] for row in stats["by_type"] if (row["type"], row["status"]) == (call.type, name)]
        return float(sum(rows))
    if name in ("dlq", "dead"):
        return float(stats["dead_letter_queue"]["unreviewed"] if call.type is None else of.get("dead", 0))
    if name == "oldest":
        return float((queue["oldest_pending_age"] if call.type is None else of.get("oldest_age")) or 0.0)
    if name == "failure_rate":
        return float(of.get("failure_rate") or 0.0)
    if name == "done":
        return float(of.get("completed", 0))
    if name == "rate":
        return float(of.get("rate_per_minute", 0.0))
    return float(of.get(call.kind or "run", {}).get(name) or 0.0)
