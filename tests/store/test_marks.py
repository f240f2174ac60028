"""The tables of what workers run: whose is left over goes, whose is new stays."""

from __future__ import annotations

import os
from pathlib import Path

from qctl.store.sqlite import marks
from qctl.store.sqlite.store import SQLiteStore
from qctl.worker.process import LOADING
from tests.store.conftest import NOW


def left(store: SQLiteStore, worker: str, age: float) -> Path:
    """A table that was made `age` seconds ago."""
    path = Path(store.path + marks.MARK + worker)
    path.touch(0o600)
    os.utime(path, (NOW - age, NOW - age))
    return path


def test_the_table_of_a_worker_that_still_loads_its_handlers_stays(file_store: SQLiteStore) -> None:
    loading, dead = left(file_store, "w-1", LOADING), left(file_store, "w-2", 10 * LOADING)
    marks.tidy(file_store, NOW)
    assert loading.exists() and not dead.exists()


def test_a_table_that_cannot_be_taken_away_is_left_to_the_doctor(file_store: SQLiteStore) -> None:
    """Another user's in a sticky directory, say; here it is a directory, which nobody may unlink."""
    stays = Path(file_store.path + marks.MARK + "w-1")
    stays.mkdir()
    os.utime(stays, (1.0, 1.0))
    goes = left(file_store, "w-2", 10 * LOADING)
    marks.tidy(file_store, NOW)
    assert stays.exists() and not goes.exists()


def test_what_runs_is_known_again_when_nothing_runs_unmarked_any_more(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")
    table = marks.Marks(queue, "w-1")
    last = marks.PLACES - 1
    for number in range(1, last + 3):
        table.add(number)
    table.drop(7)  # the two without a place go on without one
    table.drop(last + 5)  # which never ran
    table.drop(last + 1)
    assert marks.running(queue, "w-1") is None
    table.add(last + 3)
    table.drop(last + 2)
    assert marks.running(queue, "w-1") == {*range(1, last + 1), last + 3} - {7}
    table.close()


def test_handler_processes_that_have_no_place_count_as_unmarked_while_they_live(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue.db")
    table = marks.Marks(queue, "w-1")
    places = [table.take() for _ in range(marks.PLACES + 1)]
    assert places[-2:] == [0, 0]
    table.give(places[0])
    table.give(0)
    assert marks.running(queue, "w-1") is None
    table.give(0)
    assert marks.running(queue, "w-1") == set()
    table.close()
