"""Flows of 10,000 steps against the same jobs without dependencies: a chain, a wide fan into one step, a random graph."""

from __future__ import annotations

import random
import sqlite3
import statistics
import time
from pathlib import Path
from typing import Any

from qctl.queue import Queue
from qctl.rules.ending import SUCCEEDED, Ending, Facts
from qctl.rules.when import to_text
from qctl.store.sqlite.sql import sql
from tests.bench.measure import QCTL, Row, folder, in_turn, seconds

NOW = "2999-01-01 00:00:00.000"
HANDLERS = str(Path(__file__).with_name("handlers.py"))


def chain(count: int) -> dict[str, list[str]]:
    """What each step needs: the one before it."""
    return {f"s{n}": [f"s{n - 1}"] if n else [] for n in range(count)}


def fan(count: int) -> dict[str, list[str]]:
    """All but the last need nothing, and that needs all of them."""
    names = [f"s{n}" for n in range(count - 1)]
    return {name: list[str]() for name in names} | {"last": names}


def graph(count: int) -> dict[str, list[str]]:
    """Each needs up to three of those before it, whichever."""
    chance = random.Random(count)
    names = [f"s{n}" for n in range(count)]
    return {name: chance.sample(names[:n], min(n, chance.randrange(4))) for n, name in enumerate(names)}


def document(needs: dict[str, list[str]], type_: str = "noop") -> dict[str, Any]:
    return {
        "name": "bench",
        "steps": {
            name: {"type": type_, "payload": {"n": n}} | ({"needs": others} if others else {})
            for n, (name, others) in enumerate(needs.items())
        },
    }


def stored(path: Path, steps: dict[str, Any] | int, type_: str = "noop") -> float:
    """Enqueue a flow, or so many plain jobs of a type, in a new file; the seconds that it took."""
    with Queue(fresh(path)) as queue:
        begun = time.perf_counter()
        if isinstance(steps, int):
            queue.enqueue_many([{"type": type_, "payload": {"n": n}} for n in range(steps)])
        else:
            queue.run_flow(steps)
        return time.perf_counter() - begun


def fresh(path: Path) -> Path:
    for one in path.parent.glob(path.name + "*"):
        one.unlink()
    return path


def drained(path: Path) -> float:
    """Run a worker; seconds from the first start to the last completion, as the file has them."""
    seconds([QCTL, "--db", str(path), "work", "--drain", "--quiet", "--handlers", HANDLERS])
    connection = sqlite3.connect(path)
    undone, first, last = connection.execute(
        "SELECT sum(status <> 'completed'), min(julianday(started_at)), max(julianday(completed_at)) FROM jobs"
    ).fetchone()
    connection.close()
    assert undone == 0
    return float(last - first) * 86400


def release(path: Path, at: int) -> float:
    """Microseconds of CPU that the end of a step of a fan takes, around the `at`-th of them: a batch of 1 by the store."""
    costs = []
    with Queue(path) as queue:
        store = queue.store
        store.connection.execute("PRAGMA synchronous=NORMAL")

        def end(most: int) -> None:
            now = time.time()
            ended = [
                (
                    Ending(one.number, one.token, SUCCEEDED, started_at=now, finished_at=now),
                    Facts(one.attempts, one.max_attempts, one.backoff, type=one.type, due=one.due),
                )
                for one in store.claim("bench", most, NOW, handlers={"noop"})
            ]
            begun = time.process_time()
            store.finish("bench", ended, to_text(now), random.random)
            costs.append((time.process_time() - begun) * 1e6)

        if at > 25:
            end(at - 25)
        costs.clear()
        for _ in range(51):
            end(1)
    return statistics.median(costs)


def one_by_one(path: Path, count: int) -> float:
    """The floor of a chain: seconds of a raw loop that ends a job and claims the next in one commit each, and runs nothing."""
    stored(path, count)
    with Queue(path) as queue:
        connection = queue.store.connection
        connection.execute("PRAGMA synchronous=NORMAL")
        begun = time.perf_counter()
        for number in range(1, count + 1):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(sql("complete_job"), (NOW, NOW, NOW, None, None, number - 1, 1, "raw"))
            connection.execute(sql("lease_job"), ("raw", NOW, NOW, NOW, 5, number))
            connection.execute("COMMIT")
        return time.perf_counter() - begun


def compared(place: Path, name: str, needs: dict[str, list[str]], type_: str, floor: bool) -> list[Row]:
    """A flow and the same jobs without needs, in turn."""
    count, steps, enqueuing = len(needs), document(needs, type_), list[float]()

    def ours() -> float:
        enqueuing.append(stored(place / "flow.db", steps))
        return drained(place / "flow.db") * 1000

    def plain() -> float:
        stored(place / "plain.db", count, type_)
        return drained(place / "plain.db") * 1000

    contenders = {"qctl": ours, "without needs": plain}
    if floor:
        contenders["raw loop, a commit each"] = lambda: one_by_one(place / "raw.db", count) * 1000
    figures = in_turn(3, **contenders)
    taken = {"qctl": statistics.median(enqueuing), "2 s": 2.0}
    return [
        Row(f"{name}, {count:,} steps: checked and stored", "s", taken, "2 s", 1.0, higher=False),
        Row("the same: drained", "ms", figures, "without needs", 1.2, higher=False),
    ]


def flows(scale: float) -> list[Row]:
    """No-op steps, and a chain of steps that do something: 5 ms each."""
    count = max(500, int(10_000 * scale))
    few = count // 10
    with folder() as place:
        rows = compared(place, "a chain", chain(count), "noop", True)
        rows += compared(place, "a chain", chain(few), "nap", False)[1:]
        rows[-1].work = f"a chain of {few:,} steps of 5 ms: drained"
        rows += compared(place, "a fan into one", fan(count), "noop", False)
        rows += compared(place, "a random graph", graph(count), "noop", False)
        steps = document(fan(count))

        def at(number: int) -> float:
            stored(place / "release.db", steps)
            return release(place / "release.db", number)

        figures = in_turn(5, **{"qctl": lambda: at(count - 30), "the 25th": lambda: at(25)})
        rows.append(Row(f"the {count - 30:,}th end of a fan, CPU", "µs", figures, "the 25th", 1.2, higher=False))
    return rows
