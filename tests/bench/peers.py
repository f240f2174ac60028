"""Other queues at the same work, where they are installed: each in the way its own documents run it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

HUEY_APP = """
import os
from huey import SqliteHuey
huey = SqliteHuey(filename=os.environ["HUEY_DB"])

@huey.task()
def noop(n):
    pass
"""


def huey_drain(place: Path, count: int) -> float:
    """huey's consumer with one worker process: jobs a second from the first that is taken to the last."""
    from huey import SqliteHuey

    path = place / "huey.db"
    for name in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm"))):
        name.unlink(missing_ok=True)
    (place / "huey_app.py").write_text(HUEY_APP)
    store = SqliteHuey(filename=str(path), name="huey_app")
    environment = dict(os.environ, HUEY_DB=str(path), PYTHONPATH=str(place))
    code = f"import huey_app\nfor n in range({count}): huey_app.noop(n)"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert store is not None
    look = sqlite3.connect(path)
    argv = [sys.executable, "-m", "huey.bin.huey_consumer", "huey_app.huey", "-w", "1", "-k", "process", "-q"]
    consumer = subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:

        def left() -> int:
            return int(look.execute("SELECT count(*) FROM task").fetchone()[0])

        while left() == count:
            time.sleep(0.001)
        begun = time.perf_counter()
        while left():
            time.sleep(0.001)
        return count / (time.perf_counter() - begun)
    finally:
        consumer.terminate()
        consumer.wait()
        look.close()


def honker_drain(place: Path, count: int) -> float:
    """honker's claim and acknowledgement in batches of 100, in one process."""
    import honker

    path = place / "honker.db"
    for name in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm"))):
        name.unlink(missing_ok=True)
    database = honker.open(str(path))
    queue = database.queue("bench")
    with database.transaction() as transaction:
        for n in range(count):
            queue.enqueue({"n": n}, tx=transaction)
    done = 0
    begun = time.perf_counter()
    while done < count:
        jobs = queue.claim_batch("bench", 100)
        for job in jobs:
            assert job.payload is not None
        done += queue.ack_batch([job.id for job in jobs], "bench")
    return count / (time.perf_counter() - begun)


def litequeue_drain(place: Path, count: int) -> float:
    """litequeue's pop and done, one by one, as it has no batches."""
    from litequeue import LiteQueue

    path = place / "litequeue.db"
    path.unlink(missing_ok=True)
    queue = LiteQueue(str(path))
    for n in range(count):
        queue.put(json.dumps({"n": n}))
    begun = time.perf_counter()
    for _ in range(count):
        message = queue.pop()
        queue.done(message.message_id)
    return count / (time.perf_counter() - begun)


def persist_queue_drain(place: Path, count: int) -> float:
    """persist-queue's get and ack, one by one, as it has no batches."""
    from persistqueue import SQLiteAckQueue

    folder = place / "persist-queue"
    shutil.rmtree(folder, ignore_errors=True)
    queue = SQLiteAckQueue(str(folder))
    for n in range(count):
        queue.put({"n": n})
    begun = time.perf_counter()
    for _ in range(count):
        queue.ack(queue.get())
    speed = count / (time.perf_counter() - begun)
    queue.close()
    return speed


MODULES = {"persist-queue": "persistqueue"}  # those that are imported by another name
PEERS = {
    "huey": huey_drain,
    "honker": honker_drain,
    "litequeue": litequeue_drain,
    "persist-queue": persist_queue_drain,
}


def installed() -> tuple[list[str], str]:
    """The peers that are there, and the names of those that are not."""
    import importlib.util

    there = [name for name in PEERS if importlib.util.find_spec(MODULES.get(name, name))]
    return there, ", ".join(name for name in PEERS if name not in there)
