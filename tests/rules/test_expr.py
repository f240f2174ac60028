"""The language of `assert`: what it means, and that nothing else is let in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qctl.rules.expr import FIGURES, BadExpression, Call, calls, holds, parse


def value(text: str, **figures: float) -> bool:
    return holds(parse(text), lambda call: figures.get(call.name, 0.0))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("dlq == 0", True),
        ("dlq == 0 and p95(run, 1h) < 30s", False),
        ("not dlq == 0 or pending == 3", True),
        ("not (dlq == 0 or pending == 3)", False),
        ("1 < pending <= 3", True),
        ("1 < pending < 3", False),
        ("p95(run) > 0.5m", True),
        ("oldest >= 1h30m", True),
        ("failure_rate < 5%", True),
        ("failure_rate != 4%", False),
        ("pending == 1 or pending == 2 and dlq == 0", False),
        ("(pending == 3 or pending == 2) and dlq == 0", True),
    ],
)
def test_it_means_what_it_says(text: str, answer: bool) -> None:
    figures = {"dlq": 0, "pending": 3, "p95": 31, "oldest": 5400, "failure_rate": 0.04}
    assert value(text, **figures) is answer


def test_arguments_are_the_time_the_window_and_the_type() -> None:
    (one,) = calls(parse("p99(wait, 15m, send-mail) < 1"))
    assert (one.name, one.kind, one.window, one.type) == ("p99", "wait", 900, "send-mail")
    (one,) = calls(parse("oldest('a b, c') < 1"))
    assert (one.type, one.window, one.text) == ("a b, c", 3600, "oldest('a b, c')")
    (one,) = calls(parse("rate(2h) > 1"))
    assert (one.window, one.type) == (7200, None)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("dlq", 1),
        ("dlq = 0", 5),
        ("dlq == ", 8),
        ("dlq == 0 pending", 10),
        ("(dlq == 0", 10),
        ("dlq == 0 and", 13),
        ("dlq == 0 and pending", 14),
        ("not dlq", 5),
        ("foo == 1", 1),
        ("p95 < 1", 1),
        ("p95(nothing) < 1", 5),
        ("p95(run, 5) < 1", 10),
        ("p95(run, 1h, a, b) < 1", 17),
        ("dlq(1h) == 0", 5),
        ("workers(a) == 0", 9),
        ("dlq == 1x", 8),
        ("(dlq == 0) == (dlq == 0)", 2),
        ("dlq.__class__ == 0", 1),
        ("dlq == 0; import os", 9),
        ("dlq == 1_000", 8),
        ("(" * 200 + "dlq", 101),
        ("not " * 200 + "dlq == 0", 401),
    ],
)
def test_what_is_wrong_is_pointed_at(text: str, column: int) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(text)
    assert caught.value.at + 1 == column
    message = str(caught.value)
    assert message.startswith(f"column {column}: ")
    before, _, after = message.rpartition("→")
    assert before.endswith(text[max(0, column - 31) : column - 1])
    assert after == text[column - 1 : column + 19]


def test_a_long_one_is_refused() -> None:
    with pytest.raises(BadExpression):
        parse("dlq == 0 and " * 1000 + "dlq == 0")


PIECES = st.sampled_from(
    [*FIGURES, "and", "or", "not", "(", ")", "<", "<=", "==", ",", "1", "30s", "5%", "run", "'a'", " ", "=", "é", "\n"]
)


@given(
    st.one_of(
        st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES, max_size=25).map("".join)
    )
)
def test_any_text_is_an_expression_or_an_error_with_a_place(text: str) -> None:
    try:
        tree = parse(text)
    except BadExpression as error:
        assert 0 <= error.at <= len(text)
        return
    assert holds(tree, lambda call: 1.0) in (True, False)


COMPARED = st.builds(
    lambda name, sign, number: (f"{name} {sign} {number}", f"{{{name!r}}}", (name, sign, number)),
    st.sampled_from(["dlq", "pending", "due", "retry"]),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(0, 3),
).map(lambda one: (one[0], f"(f[{one[2][0]!r}] {one[2][1]} {one[2][2]})"))
TREES = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.builds(lambda a, b: (f"({a[0]}) or {b[0]}", f"(({a[1]}) or {b[1]})"), inner, COMPARED),
        st.builds(lambda a, b: (f"({a[0]}) and ({b[0]})", f"(({a[1]}) and ({b[1]}))"), inner, inner),
        st.builds(lambda a: (f"not ({a[0]})", f"(not ({a[1]}))"), inner),
    ),
    max_leaves=8,
)


@given(TREES, st.fixed_dictionaries({name: st.integers(0, 3) for name in ("dlq", "pending", "due", "retry")}))
def test_it_agrees_with_the_language_it_looks_like(pair: tuple[str, str], figures: dict[str, int]) -> None:
    ours, theirs = pair

    def look(call: Call) -> float:
        return figures[call.name]

    assert holds(parse(ours), look) is eval(theirs, {"f": figures})
