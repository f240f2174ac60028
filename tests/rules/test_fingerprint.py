"""Fingerprints: what differs from one time to the next is taken out, and what is wrong stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qctl.rules.fingerprint import fingerprint, pattern_of


@pytest.mark.parametrize(
    ("error", "pattern"),
    [
        ("exit status 3", "exit status <n>"),
        ("user 4711 not found", "user <n> not found"),
        ("took 1,204.5 s, more than 30s", "took <n> s, more than <n>s"),
        ("no job 0192f0c1-7b1e-7c3a-9f00-8a1b2c3d4e5f here", "no job <id> here"),
        ("cannot open /var/lib/app/x-12.txt: gone", "cannot open <path>: gone"),
        ("connect to 10.0.0.7:5432 refused", "connect to <address> refused"),
        ("GET https://api.example.com/v1/orders/7?x=1 gave 503", "GET <url> gave <n>"),
        ("mail to ana.b@example.com bounced", "mail to <mail> bounced"),
        ("at 0x7f3a9c: bad magic", "at <hex>: bad magic"),
        ("commit 9f3c2ab17de4 missing", "commit <hex> missing"),
        ("since 2026-10-13T09:12:44Z", "since <time>"),
        ("ValueError:  two\n lines", "ValueError: two lines"),
        ("feedbeef decade facade", "feedbeef decade facade"),
        ("either/or is no path", "either/or is no path"),
    ],
)
def test_what_is_taken_out(error: str, pattern: str) -> None:
    assert pattern_of(error) == pattern


def test_other_words_are_another_group() -> None:
    assert fingerprint("timeout after 3 s") == fingerprint("timeout after 12.5 s")
    assert fingerprint("timeout after 3 s") != fingerprint("refused after 3 s")
    assert fingerprint("card declined") == "3afa98a5"  # the same in every process


@given(st.text(max_size=200))
def test_any_text_has_one_and_a_second_pass_changes_nothing_of_plain_words(error: str) -> None:
    assert len(fingerprint(error)) == 8
    assert fingerprint(error) == fingerprint(error)


DIFFERENT = st.tuples(st.integers(0, 10**12), st.uuids(), st.ip_addresses(v=4))


@given(DIFFERENT, DIFFERENT)
def test_numbers_ids_and_addresses_make_no_difference(first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    texts = [f"order {n} of {id_} at {address}: /tmp/{n}/x failed" for n, id_, address in (first, second)]
    assert fingerprint(texts[0]) == fingerprint(texts[1])
