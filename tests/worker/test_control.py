"""What may end a run before its time, without processes and without waiting."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from qctl.rules.ending import CANCEL
from qctl.worker.control import CANCEL_LOOK, LOOK_AGAIN, Control


class Scene:
    """A control over one running job; `asked` is what the queue file shows of cancels."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.looks = 0
        self.run: Any = SimpleNamespace(
            lease=SimpleNamespace(number=7, token=3), fate=None, kill_at=None, deadline=None
        )
        self.ended: list[str] = []
        signals: Any = SimpleNamespace(count=0)
        self.runs = [self.run]
        supply: Any = SimpleNamespace(
            running=lambda: self.runs, pool=SimpleNamespace(end=self.end), wide=SimpleNamespace(runs={})
        )
        self.control = Control(self, "worker-1", supply, None, signals, 30.0)  # type: ignore[arg-type]

    def read(self, _statement: str, _parameters: Any) -> list[tuple[int, int]]:
        self.looks += 1
        return self.asked

    def end(self, run: Any, fate: str, _now: float) -> None:
        run.fate = fate
        self.ended.append(fate)


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.control.enforce(1000.0)
    return scene


def test_a_cancel_whose_commit_was_announced_before_it_could_be_read_is_seen_soon_after(scene: Scene) -> None:
    scene.control.somebody_wrote()
    scene.control.enforce(1000.0 + CANCEL_LOOK)  # the log has grown, the commit is still on its way to the disk
    scene.asked = [(7, 3)]
    at = min(scene.control.next_times())
    assert at <= 1000.0 + 2.5 * CANCEL_LOOK
    scene.control.enforce(at)
    assert scene.ended == [CANCEL]


def test_a_cancel_that_nothing_announced_is_seen_within_a_second(scene: Scene) -> None:
    scene.asked = [(7, 3)]
    at = min(scene.control.next_times())
    assert at <= 1000.0 + LOOK_AGAIN
    scene.control.enforce(at)
    assert scene.ended == [CANCEL]


def test_a_write_brings_the_next_look_for_cancels_forward(scene: Scene) -> None:
    scene.asked = [(7, 3)]
    scene.control.somebody_wrote()
    assert min(scene.control.next_times()) == pytest.approx(1000.0 + CANCEL_LOOK)
    scene.control.enforce(1000.0 + CANCEL_LOOK)
    assert scene.ended == [CANCEL]


def test_many_writes_cost_one_look_in_a_tenth_of_a_second(scene: Scene) -> None:
    looks = scene.looks
    for step in range(100):
        scene.control.somebody_wrote()
        scene.control.enforce(1000.0 + CANCEL_LOOK * step / 100)
    assert scene.looks == looks


def test_a_cancelled_run_is_told_to_end_once(scene: Scene) -> None:
    scene.asked = [(7, 3)]
    for second in range(1, 4):
        scene.control.enforce(1000.0 + 2 * second)
    assert scene.ended == [CANCEL]


def test_a_cancel_of_an_earlier_run_does_not_end_this_one(scene: Scene) -> None:
    scene.asked = [(7, 2), (8, 3)]
    scene.control.enforce(1005.0)
    assert scene.ended == []


def test_who_runs_nothing_looks_for_no_cancel(scene: Scene) -> None:
    scene.runs = []
    scene.control.enforce(1005.0)
    assert scene.control.next_times() == []
