"""The works that are measured. Each returns the rows of the table that it fills; `scale` makes it smaller for a look."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from qctl.queue import Queue
from qctl.store.sqlite import workers
from qctl.store.sqlite.insert import row_of
from qctl.store.sqlite.sql import sql
from tests.bench import spoolers
from tests.bench.flows import flows
from tests.bench.measure import QCTL, Row, folder, in_turn, seconds
from tests.bench.peers import PEERS, installed
from tests.bench.scale import memory, purge, rows, writers
from tests.bench.sight import sight, sight10

BARE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA synchronous=FULL")
connection.execute("BEGIN IMMEDIATE")
cursor = connection.execute("INSERT INTO jobs (type, payload) VALUES (?, ?)", ("noop", '{"a": 1}'))
connection.execute("COMMIT")
print(cursor.lastrowid)
"""
NOW = "2026-01-01 00:00:00.000"


def start(scale: float) -> list[Row]:
    """Whole processes."""
    rounds = max(5, int(40 * scale))
    with folder() as place:
        script = place / "bare.py"
        script.write_text(BARE)
        for name in ("own.db", "bare.db"):
            Queue(place / name).close()
        figures = in_turn(
            rounds,
            python=lambda: seconds([sys.executable, "-c", "pass"]) * 1000,
            version=lambda: seconds([QCTL, "--version"]) * 1000,
            bare=lambda: seconds([sys.executable, str(script), str(place / "bare.db")]) * 1000,
            enqueue=lambda: seconds([QCTL, "--db", str(place / "own.db"), "enqueue", "noop", '{"a": 1}']) * 1000,
            stats=lambda: seconds([QCTL, "--db", str(place / "none.db"), "stats"]) * 1000,
        )
    return [
        Row("`qctl --version`", "ms", {"qctl": figures["version"], "`python -c pass`": figures["python"]}, "`python -c pass`", 1.3, higher=False),
        Row("`qctl enqueue`, durable", "ms", {"qctl": figures["enqueue"], "bare script": figures["bare"]}, "bare script", 1.35, higher=False),
        Row("`qctl stats`, empty queue", "ms", {"qctl": figures["stats"], "`--version` + 250 ms": figures["version"] + 250}, "`--version` + 250 ms", 1.0, higher=False),
    ]  # fmt: skip


def enqueue(scale: float) -> list[Row]:
    """From Python, one durable commit each."""
    count = max(100, int(2000 * scale))
    with folder() as place:
        queue = Queue(place / "own.db")
        Queue(place / "raw.db").close()
        raw = sqlite3.connect(place / "raw.db", isolation_level=None)
        raw.execute("PRAGMA synchronous=FULL")

        def ours() -> float:
            begun = time.perf_counter()
            for n in range(count):
                queue.enqueue("noop", {"n": n})
            return count / (time.perf_counter() - begun)

        def floor() -> float:
            begun = time.perf_counter()
            for n in range(count):
                raw.execute("BEGIN IMMEDIATE")
                raw.execute("INSERT INTO jobs (type, payload) VALUES ('noop', ?)", (json.dumps({"n": n}),))
                raw.execute("COMMIT")
            return count / (time.perf_counter() - begun)

        contenders = {"qctl": ours, "raw sqlite3": floor}
        absent = ""
        try:
            from huey import SqliteHuey

            huey = SqliteHuey(filename=str(place / "huey.db"))
            task = huey.task()(lambda n: None)

            def peer() -> float:
                begun = time.perf_counter()
                for n in range(count):
                    task(n)
                return count / (time.perf_counter() - begun)

            contenders["huey"] = peer
        except ImportError:
            absent = "huey"
        figures = in_turn(3, **contenders)
        queue.close()
        raw.close()
    return [Row("enqueue from Python, one commit each", "/s", figures, "raw sqlite3", 0.6, higher=True, absent=absent)]


def bulk(scale: float) -> list[Row]:
    """NDJSON through the command line, whole process, against executemany of the same rows into the same tables."""
    count = max(2000, int(100_000 * scale))
    from qctl.model import NewJob

    rows = [row_of(NewJob("noop", f'{{"n":{n}}}'), NOW) for n in range(count)]
    with folder() as place:
        source = place / "jobs.ndjson"
        source.write_text("".join(f'{{"type":"noop","payload":{{"n":{n}}}}}\n' for n in range(count)))

        def ours() -> float:
            path = fresh(place / "own.db")
            return count / seconds([QCTL, "--db", str(path), "enqueue", "--from", str(source)])

        def floor() -> float:
            with Queue(fresh(place / "raw.db")) as queue:
                begun = time.perf_counter()
                with queue.store.write() as connection:
                    connection.executemany(sql("insert_job"), rows)
                return count / (time.perf_counter() - begun)

        figures = in_turn(3, **{"qctl": ours, "raw executemany": floor})
    return [Row(f"bulk enqueue, {count:,} lines of NDJSON", "/s", figures, "raw executemany", 0.5, higher=True)]


def fresh(path: Path) -> Path:
    for name in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm", "-lock", "-workers"))):
        name.unlink(missing_ok=True)
    return path


def drained(path: Path, argv: list[str]) -> float:
    """Run a worker; jobs a second from the first start to the last completion, as the file has them."""
    seconds([QCTL, "--db", str(path), "work", "--drain", "--quiet", *argv])
    connection = sqlite3.connect(path)
    count, first, last = connection.execute(
        "SELECT count(*), min(julianday(started_at)), max(julianday(completed_at)) FROM jobs WHERE status = 'completed'"
    ).fetchone()
    connection.close()
    return float(count / max((last - first) * 86400, 1e-3))


def drain(scale: float) -> list[Row]:
    """No-op Python jobs, one worker, handlers in a process of their own."""
    count = max(1000, int(20_000 * scale))
    with folder() as place:

        def filled(name: str) -> Path:
            path = fresh(place / name)
            with Queue(path) as queue:
                queue.enqueue_many([{"type": "noop", "payload": {"n": n}} for n in range(count)])
            return path

        def ours() -> float:
            return drained(filled("own.db"), ["--handlers", str(Path(__file__).with_name("handlers.py"))])

        def floor() -> float:
            path = filled("raw.db")
            with Queue(path) as queue:
                connection = queue.store.connection
                due = sql("lane_due") + " LIMIT 100"
                begun = time.perf_counter()
                while True:
                    connection.execute("BEGIN IMMEDIATE")
                    rows = connection.execute(due, (0, "default", "noop", 1, "9999")).fetchall()
                    connection.executemany(sql("lease_job"), [("raw", NOW, NOW, NOW, 5, row[1]) for row in rows])
                    done = [(NOW, NOW, NOW, None, None, row[1], 1, "raw") for row in rows]
                    connection.executemany(sql("complete_job"), done)
                    connection.execute("COMMIT")
                    if not rows:
                        return count / (time.perf_counter() - begun)

        contenders = {"qctl": ours, "raw loop": floor}
        there, absent = installed()
        for name in there:
            # The slow ones are given fewer jobs: their pace does not depend on it.
            own = count if name == "honker" else max(200, count // 10)
            contenders[name] = lambda peer=PEERS[name], own=own: peer(place, own)  # type: ignore[misc]
        figures = in_turn(3, **contenders)
    rows = [Row(f"drain, {count:,} no-op Python jobs", "/s", figures, "raw loop", 0.5, higher=True, absent=absent)]
    for name, bar in (("huey", 15.0), ("honker", 1.3)):
        if name in figures:
            pair = {key: figures[key] for key in ("qctl", name)}
            rows.append(Row(f"the same beside {name}", "/s", pair, name, bar, higher=True))
    return rows


def commands(scale: float) -> list[Row]:
    """`/bin/true`, two at a time, output captured, every result durable."""
    count = max(200, int(3000 * scale))
    true = shutil.which("true") or "/bin/true"
    with folder() as place:

        def ours() -> float:
            path = fresh(place / "own.db")
            with Queue(path) as queue:
                queue.enqueue_many([{"command": [true], "cwd": "/"}] * count)
            return drained(path, ["-c", "2"])

        def floor() -> float:
            begun = time.perf_counter()
            subprocess.run(["xargs", "-P2", "-n1", true], input="x\n" * count, text=True, check=True)
            return count / (time.perf_counter() - begun)

        contenders = {"qctl": ours, "`xargs -P2`": floor}
        there, absent = spoolers.installed()
        for name in there:
            spooler, most = spoolers.SPOOLERS[name]
            own = min(count, most)
            contenders[name] = lambda spooler=spooler, own=own: spooler(place, own, true)  # type: ignore[misc]
        figures = in_turn(3, **contenders)
    return [Row(f"{count:,} x /bin/true, two at a time", "/s", figures, "`xargs -P2`", 1.0, higher=True, absent=absent)]


AHEAD = {
    "of another type": "'other', 20, '2026-01-01 00:00:00.000', 'default', 'pending'",
    "of another queue": "'mine', 20, '2026-01-01 00:00:00.000', 'elsewhere', 'pending'",
    "that are delayed": "'mine', 20, '2999-01-01 00:00:00.000', 'default', 'pending'",
    "that are blocked": "'mine', 20, '2026-01-01 00:00:00.000', 'default', 'blocked'",
    "that are paused": "'paused', 20, '2026-01-01 00:00:00.000', 'default', 'pending'",
    "that are throttled": "'slow', 20, '2026-01-01 00:00:00.000', 'default', 'pending'",
    "that are throttled by key": "'keyed', 20, '2026-01-01 00:00:00.000', 'default', 'pending'",
    "that wait for a place": "'full', 20, '2026-01-01 00:00:00.000', 'default', 'pending'",
}
CLAIMED = "2026-06-01 00:00:00.000"


def ahead(scale: float) -> list[Row]:
    """A claim that gets a job, behind many that may not run; each kind in a file of its own, against the same limits
    with nothing behind them."""
    count = max(1000, int(1_000_000 * scale))
    rounds, claims = (7, 50) if scale >= 0.1 else (2, 10)  # the fewer are for a test that it runs
    handlers = {"mine", "paused", "slow", "keyed", "full"}

    def filled(path: Path, values: str | None) -> Queue:
        queue = Queue(path)
        queue.pause("type", "paused")
        queue.set_limits("type", "slow", rate="1/h")
        queue.set_limits("type", "keyed", rate="1/h", rate_key="customer")
        queue.set_limits("type", "full", concurrency="1")
        row = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO jobs (type, priority, scheduled_at, queue, status) SELECT "
        )
        with queue.store.write() as connection:
            for limited in ("slow", "keyed", "full"):  # one of each runs, so that the next may not
                connection.execute(f"{row} '{limited}', 0, '2026-01-01', 'default', 'pending' FROM n", (1,))
        assert len(queue.store.claim("bench", 9, CLAIMED, handlers=handlers)) == 3
        with queue.store.write() as connection:
            if values is not None:
                connection.execute(f"{row} {values} FROM n", (count,))
            mine = "'mine', 0, '2026-02-01 00:00:00.000', 'default', 'pending'"
            connection.execute(f"{row} {mine} FROM n", (claims * (rounds + 1),))
        queue.store.tidy(0)
        return queue

    def claim(queue: Queue) -> float:
        spent = 0.0
        for _ in range(claims):
            begun = time.process_time()
            (got,) = queue.store.claim("bench", 1, CLAIMED, handlers=handlers, queues={"default"})
            spent += time.process_time() - begun
            assert got.type == "mine"
            workers.hand_back(queue.store, "bench", [(got.number, got.token)], time.time())  # else hundreds would run
        return spent / claims * 1e6

    rows = []
    with folder() as place:
        for kind, values in AHEAD.items():
            full = filled(fresh(place / "full.db"), values)
            again = filled(fresh(place / "empty.db"), None)
            figures = in_turn(rounds, **{"qctl": lambda q=full: claim(q), "nothing ahead": lambda q=again: claim(q)})  # type: ignore[misc]
            full.close()
            again.close()
            rows.append(
                Row(f"a claim behind {count:,} jobs {kind}, CPU", "µs", figures, "nothing ahead", 1.2, higher=False)
            )
    return rows


def pickup(scale: float) -> list[Row]:
    """From a commit here to the start of the job in an idle worker, and what the idle worker costs."""
    count = max(20, int(200 * scale))
    with folder() as place:
        module = place / "stamp.py"
        module.write_text(
            "import time\nfrom qctl import handler\n"
            f"@handler('stamp')\ndef stamp():\n    open({str(place / 'stamps')!r}, 'a').write(f'{{time.time()}}\\n')\n"
        )
        queue = Queue(place / "own.db")
        worker = subprocess.Popen([QCTL, "--db", queue.path, "work", "--quiet", "--handlers", str(module)])
        while not queue.live_workers():
            time.sleep(0.05)
        delays = []
        for n in range(count):
            time.sleep(0.02)
            queue.enqueue("stamp")
            committed = time.time()
            while not (place / "stamps").exists() or (place / "stamps").read_text().count("\n") <= n:
                time.sleep(0.001)
            delays.append((float((place / "stamps").read_text().split()[n]) - committed) * 1000)
        ticks, idle = cpu_ticks(worker.pid), max(2.0, 10 * scale)
        time.sleep(idle)
        share = (cpu_ticks(worker.pid) - ticks) / os.sysconf("SC_CLK_TCK") / idle * 100
        worker.terminate()
        worker.wait()
        queue.close()
    delays.sort()
    p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99) - 1]
    return [
        Row("pick-up by an idle worker, p50", "ms", {"qctl": p50, "2 ms": 2.0}, "2 ms", 1.0, higher=False),
        Row("pick-up by an idle worker, p99", "ms", {"qctl": p99, "10 ms": 10.0}, "10 ms", 1.0, higher=False),
        Row("CPU of an idle worker", "%", {"qctl": share, "0.5 %": 0.5}, "0.5 %", 1.0, higher=False),
    ]


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


WORKS = {
    one.__name__: one
    for one in (
        start,
        enqueue,
        bulk,
        drain,
        flows,
        commands,
        pickup,
        ahead,
        purge,
        writers,
        memory,
        rows,
        sight,
        sight10,
    )
}
