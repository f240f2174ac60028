"""The benchmarks run, and say what they found in one table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bench import peers, sight, spoolers, works
from tests.bench.measure import Row, table
from tests.bench.works import ahead, enqueue, purge


@pytest.mark.parametrize("work", [enqueue, ahead, purge])
def test_a_bench_gives_rows_with_figures_and_a_ratio(work: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "AHEAD", dict(list(works.AHEAD.items())[-2:]))
    rows = work(0.001)  # type: ignore[operator]
    assert rows
    for row in rows:
        assert row.figures["qctl"] > 0
        assert row.ratio == row.figures["qctl"] / row.figures[row.against]
    assert table(rows).count("\n") == len(rows) + 1


def test_the_bench_of_looks_gives_rows(tmp_path: Path) -> None:
    sight.queue_of(tmp_path / "own.db", 2000).close()
    rows = sight.looks(tmp_path / "own.db", 2000, 1, 5)
    assert [row.figures["qctl"] > 0 for row in rows] == [True, True]


@pytest.mark.parametrize("name", spoolers.SPOOLERS)
def test_a_queue_of_commands_that_is_installed_drains_and_one_that_is_not_is_named(name: str, tmp_path: Path) -> None:
    there, absent = spoolers.installed()
    if name in there:
        true = shutil.which("true") or "/bin/true"
        assert spoolers.SPOOLERS[name][0](tmp_path, 4, true) > 0
    else:
        assert name in absent.split(", ")


def test_persist_queue_drains_or_is_named(tmp_path: Path) -> None:
    there, absent = peers.installed()
    if "persist-queue" in there:
        assert peers.persist_queue_drain(tmp_path, 5) > 0
    else:
        assert "persist-queue" in absent.split(", ")


def test_a_bar_is_met_or_not_by_its_direction() -> None:
    figures = {"qctl": 90.0, "peer": 100.0}
    assert Row("x", "/s", figures, "peer", 0.8, higher=True).is_met
    assert not Row("x", "/s", figures, "peer", 1.0, higher=True).is_met
    assert Row("x", "ms", figures, "peer", 1.0, higher=False).is_met
