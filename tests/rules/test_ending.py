"""What a death is charged to: the one decision about a job that ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qctl.model import CANCELLED, COMPLETED, FAILED, PENDING
from qctl.rules import ending
from qctl.rules.ending import MAX_CRASHES, MAX_RESCUES, Ending, Facts, Move, decide

WORDS = (
    ending.SUCCEEDED, ending.ERROR, ending.TIMEOUT, ending.CRASH, ending.RETRY, ending.SNOOZE, ending.DEAD, ending.CANCEL,
    ending.STOPPED, ending.LOST, ending.RESTARTED,
)  # fmt: skip
FREE = (ending.STOPPED, ending.RESTARTED, ending.SNOOZE, ending.LOST)


def move(how: str, facts: Facts, error: str | None = "why", after: float | None = None) -> Move:
    one = Ending(1, 1, how, started_at=0.0, finished_at=1.0, error=error, after=after)
    return decide(one, facts, lambda: 0.5)


facts = st.builds(
    Facts,
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([None, "fixed:1s", "no backoff"]),
    st.integers(0, MAX_RESCUES - 1),
    st.none() | st.integers(0, 5),
)


@given(st.sampled_from(WORDS), facts, st.none() | st.floats(0, 1e6))
def test_every_end_leads_somewhere_and_only_pending_has_a_time(how: str, known: Facts, after: float | None) -> None:
    made = move(how, known, after=after)
    assert made.status in (PENDING, COMPLETED, FAILED, CANCELLED)
    assert (made.due_at is not None) == (made.status == PENDING)
    if made.due_at is not None:
        assert made.due_at >= 1.0
    assert 0 <= made.attempts <= known.attempts


@given(st.sampled_from(WORDS), facts)
def test_an_attempt_is_charged_to_whoever_used_it_and_to_nobody_else(how: str, known: Facts) -> None:
    assert move(how, known).attempts == known.attempts - (how in FREE)


@given(st.sampled_from(WORDS), facts)
def test_a_death_of_a_worker_counts_lightly_and_nothing_else_counts_so(how: str, known: Facts) -> None:
    made = move(how, known)
    expected = 0 if how == ending.SUCCEEDED else known.rescues + (how == ending.LOST)
    assert made.rescues == expected
    if how == ending.LOST:
        assert (made.status == FAILED) == (made.rescues >= MAX_RESCUES)


@given(facts)
def test_a_restart_and_a_stop_of_our_own_never_end_a_job(known: Facts) -> None:
    for how in (ending.STOPPED, ending.RESTARTED):
        made = move(how, known)
        assert (made.status, made.due_at) == (PENDING, 1.0), "at once"


@given(facts)
def test_three_deaths_of_its_process_end_a_job_whatever_attempts_are_left(known: Facts) -> None:
    made = move(ending.CRASH, known, error="its process was killed by signal 11 (SIGSEGV)")
    is_poison = known.crashes is not None and known.crashes + 1 >= MAX_CRASHES
    assert (made.status == FAILED) == (is_poison or known.attempts >= known.max_attempts)
    assert made.error is not None and "SIGSEGV" in made.error
    if is_poison:
        assert f"({(known.crashes or 0) + 1} times: given up)" in made.error


@given(
    st.lists(
        st.sampled_from([w for w in WORDS if w not in (ending.SNOOZE, ending.STOPPED, ending.RESTARTED)]), min_size=40
    )
)
def test_nothing_that_a_job_does_lets_it_run_for_ever(ends: list[str]) -> None:
    """But for what it asks for itself (snooze), and what others did to it (a stop, a restart)."""
    known, crashes = Facts(0, 7, None, 0, 0), 0
    for run, how in enumerate(ends, 1):
        known = Facts(known.attempts + 1, 7, None, known.rescues, crashes)
        made = move(how, known)
        if made.status != PENDING:
            break
        crashes += how == ending.CRASH
        known = Facts(made.attempts, 7, None, made.rescues, crashes)
    assert made.status != PENDING
    assert run <= 7 + MAX_RESCUES
