"""How many examples property tests try: few in the suite, many with `pytest --hypothesis-profile long`."""

from __future__ import annotations

from hypothesis import settings

NORMAL = 100  # the examples of the suite's profile: the measure of the others

settings.register_profile("suite", max_examples=NORMAL, deadline=None)
settings.register_profile("long", max_examples=20 * NORMAL, deadline=None)


def examples(count: int) -> int:
    """So many in the suite, and as many times more as the profile says."""
    return max(1, count * settings().max_examples // NORMAL)
