"""Where a claimed job goes."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import Any

import pytest

from qctl.model import Lease
from qctl.worker.pace import AHEAD
from qctl.worker.pool import Pool
from qctl.worker.run import Run
from qctl.worker.supply import SUSPECT, Supply
from qctl.worker.widepool import WidePool


class Thing(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]


def lease(rescues: int) -> Lease:
    one = Lease()
    one.number, one.token, one.type, one.rescues, one.command = 1, 1, "tiny", rescues, None
    one.timeout = None
    return one


@pytest.mark.parametrize(("first", "second", "shares"), [(0, 0, True), (0, 1, False), (1, 0, False)])
def test_a_job_whose_worker_died_shares_a_process_with_none_that_waits(first: int, second: int, shares: bool) -> None:
    """So that the next death is charged to what ran, and to nothing that only lay behind it."""
    process: Any = Thing(queue=[], dead=False, load=0.0, ready=True)
    pool: Any = SimpleNamespace(processes=[process], busy=1, room=lambda _process: 100, idle=lambda _parcels: None)
    pool.begun = SimpleNamespace(waiting={}, latest=lambda _number: None)
    types: Any = SimpleNamespace(outputs={}, refuse=lambda *_: None)
    given: list[Run] = []
    process.give = lambda runs, *_: given.extend(runs)
    nothing: Any = SimpleNamespace(running={}, runs={}, log=None, bear=None)
    supply = Supply(*[nothing] * 2, 1, nothing, pool, nothing, nothing, 1.0, 100, types, lambda *_: None)  # type: ignore[arg-type]
    supply.pace.learn("tiny", AHEAD / 100)
    process.queue = [object()]
    process.load = SUSPECT if first else AHEAD / 100
    supply.add([lease(second)])
    supply.since += 100  # not yet for giving back
    process.queue[0] = SimpleNamespace(started_at=1e12, lease=None)
    supply.start(0.0)
    assert bool(given) == shares


def test_where_the_system_has_no_room_for_a_process_the_job_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ulimit -u`, say: the worker lives on, no descriptor stays open, and the next try may find room."""

    def refuse(*_argv: object, **_options: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    pool = Pool([], 2, verbose=False, db=":memory:", watch=lambda *_: None, unwatch=lambda *_: None, worker="w")
    pool.coroutines = {"wide"}
    wide = WidePool(pool, 0, 10)
    pool.marks.take()
    monkeypatch.setattr("qctl.worker.launch.subprocess.Popen", refuse)
    before = len(os.listdir("/dev/fd"))
    assert pool.idle([]) is None
    assert pool.ready() == 0
    assert wide.types() == [({"wide"}, 10)]
    assert not wide.give([Run(lease(0), 1.0, 100)], 0.0, 0.0)
    assert len(os.listdir("/dev/fd")) == before
    assert wide.types() == [] and not wide.reopens() and not wide.runs, "nothing is claimed for it"
    wide.shut_until = 1e-9
    assert wide.reopens() and wide.types() == [({"wide"}, 10)]
    assert wide.ready(1) == 0
    pool.close()
