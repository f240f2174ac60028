"""Lines that are too long for the terminal are broken at spaces, and a command to run next stays whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qctl.cli.terminal import cell_width, wrapped

WORDS = st.lists(st.text("abc→", min_size=1, max_size=12), min_size=1, max_size=20)


@given(WORDS, st.integers(0, 5), st.integers(20, 60))
def test_no_line_is_wider_and_no_word_is_lost(words: list[str], lead: int, columns: int) -> None:
    text = " " * lead + " ".join(words)
    lines = wrapped(text, columns, "  ")
    assert all(cell_width(line) <= columns for line in lines)
    assert " ".join(lines).split() == words
    assert lines[0].startswith(" " * lead + words[0])


def test_what_fits_stays_as_it_is() -> None:
    assert wrapped("! two   gaps → qctl work", 80) == ["! two   gaps → qctl work"]


def test_a_word_that_is_too_long_stands_alone() -> None:
    assert wrapped("a " + "b" * 30, 10, "  ") == ["a", "  " + "b" * 30]
