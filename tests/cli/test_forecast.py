"""`forecast`: when the queue is empty, by its rate, what arrives, and how many run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.rules import ending
from qctl.rules.forecast import drain_time
from tests.states import run_one

Cli = Callable[..., Any]


@pytest.mark.parametrize(
    ("due", "done", "arrived", "slots", "wanted", "seconds"),
    [
        (0, 0, 5, 0, None, 0),
        (100, 2, 0, 4, None, 50),
        (100, 2, 1, 4, None, 100),
        (100, 2, 2, 4, None, None),
        (100, 2, 2, 4, 8, 50),
        (100, 0, 0, 4, 8, None),
    ],
)
def test_the_time_to_drain(due: int, done: float, arrived: float, slots: float, wanted: Any, seconds: Any) -> None:
    assert drain_time(due, done, arrived, slots, wanted) == seconds


def test_an_empty_queue_is_empty_and_a_standing_one_never_will_be(cli: Cli, queue: Queue) -> None:
    assert (cli("forecast").code, cli("forecast").out) == (0, "nothing is due\n")
    queue.enqueue("a")
    done = cli("forecast", "--json")
    assert (done.code, json.loads(done.out)["seconds"]) == (1, None)
    assert cli("forecast", "--workers", "0").code == 2


def test_it_goes_by_what_was_done(cli: Cli, queue: Queue) -> None:
    for _ in range(4):
        queue.enqueue("a")
    for number in (1, 2, 3):
        run_one(queue, number, ending.SUCCEEDED, time.time() - 30)
    row = json.loads(cli("forecast", "--json").out)
    assert (row["due"], row["rate_per_minute"]) == (1, 3)
    assert 15 < row["seconds"] < 30
