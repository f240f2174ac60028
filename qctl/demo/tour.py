"""`qctl demo`: the real commands, one after the other, on a queue file of their own, each checked."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from qctl.queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IMAGES = 50


class Surprise(Exception):
    """A step did not do what it shows: the demo is a test, too."""


class Tour:
    """Runs `qctl` in processes of their own and shows what was typed."""

    def __init__(self, db: str, folder: str) -> None:
        self.db = db
        self.folder = folder
        self.environment = dict(os.environ, QCTL_DB=db, QCTL_DEMO_FOLDER=folder)

    def say(self, text: str) -> None:
        bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "")
        sys.stdout.write(f"\n{bold}{text}{plain}\n")
        sys.stdout.flush()

    def qctl(self, *argv: str, expect: int = 0, input: str | None = None, quiet: bool = False) -> None:
        """Run one command as the user would, and check its exit code."""
        shown = " ".join(word if word and not set(word) & set(" '\"{}$&|;<>*") else f"'{word}'" for word in argv)
        sys.stdout.write(f"$ qctl {shown}\n")
        sys.stdout.flush()
        result = subprocess.run(
            [sys.executable, "-m", "qctl", *argv],
            env=self.environment,
            input=input,
            text=True,
            stdin=subprocess.DEVNULL if input is None else None,
            stdout=subprocess.DEVNULL if quiet else None,
            check=False,
        )
        if result.returncode != expect:
            raise Surprise(f"`qctl {shown}` left with {result.returncode} and not with {expect}")

    def figures(self) -> dict[str, Any]:
        with Queue(self.db, create=False) as queue:
            return queue.stats()

    def check(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise Surprise(f"{what}: {found!r} and not {wanted!r}")


def tour(db: str, folder: str) -> None:
    """All of it, in under 20 seconds. Raises Surprise when something is not as it is told."""
    one = Tour(db, folder)
    begun = time.monotonic()
    one.say("1. Jobs of both kinds: typed ones for Python handlers, and commands")
    lines = "".join(
        f'{{"type":"resize_image","payload":{{"name":"{n}.jpg","width":{320 + n}}}}}\n' for n in range(IMAGES)
    )
    one.qctl("enqueue", "--from", "-", input=lines, quiet=True)
    one.qctl("enqueue", "send_email", "to=ana@example.com", "--priority", "high")
    one.qctl("enqueue", "send_email", "to=busy@example.com")
    one.qctl("enqueue", "send_email", "to=nobody")
    one.qctl("enqueue", "fetch_rates", '{"currency": "EUR"}')
    one.qctl("enqueue", "charge_card", "order:=4711")
    one.qctl("enqueue", "charge_card", "order:=4712", "--in", "1s")
    one.qctl("enqueue", "--", "uname", "-sr")
    one.qctl("enqueue", "--shell", "echo checking; echo disk is broken >&2; exit 3", "--max-attempts", "1")

    one.say("2. The queue before a worker")
    one.qctl("stats")
    one.check("jobs that wait", one.figures()["queue"]["pending"], IMAGES + 8)

    one.say("3. A worker runs them, retries what failed, and leaves when nothing is left (1: some jobs died)")
    one.qctl("work", "--drain", "-c", "2", "--handlers", "qctl.demo.jobs", expect=1)

    one.say("4. The queue after it")
    one.qctl("stats")
    after = one.figures()
    one.check("jobs that wait", after["queue"]["pending"], 0)
    one.check("dead letters", after["dead_letter_queue"]["unreviewed"], 4)
    one.qctl("dlq", "list")

    one.say("5. The payment service is up again: note it down, and replay its jobs")
    open(os.path.join(folder, "payment-service-is-up"), "w").close()
    one.qctl("dlq", "note", str(IMAGES + 5), "payment service was down, back at noon")
    one.qctl("dlq", "replay", "--type", "charge_card")
    one.qctl("work", "--drain", "--handlers", "qctl.demo.jobs")
    one.qctl("show", str(IMAGES + 5))
    one.check("dead letters", one.figures()["dead_letter_queue"]["unreviewed"], 2)

    one.say("6. Old jobs, and what cron calls at night")
    age(db)
    one.qctl("purge")
    one.check("old jobs", old_jobs(db), 0)

    one.say("7. Is all well?")
    one.qctl("health")
    one.say(f"That took {time.monotonic() - begun:.1f}s. Look further:")
    sys.stdout.write(
        f"  export QCTL_DB={db}\n"
        "  qctl list                 all jobs\n"
        f"  qctl logs {IMAGES + 8}              what a job wrote\n"
        f"  qctl dlq show {IMAGES + 3}          a dead letter whole\n"
        "  qctl enqueue -- make      a job of yours, then: qctl work\n"
    )


def age(db: str) -> None:
    """Let 20 completed jobs of ten days ago appear, by plain SQL, as any program may."""
    import sqlite3

    connection = sqlite3.connect(db)
    with connection:
        connection.executemany(
            "INSERT INTO jobs (type, status, completed_at) VALUES ('resize_image', 'completed', datetime('now', '-10 days'))",
            [()] * 20,
        )
    connection.close()
    sys.stdout.write("20 jobs that were completed ten days ago were put in, by plain SQL\n")


def old_jobs(db: str) -> int:
    import sqlite3

    connection = sqlite3.connect(db)
    count: int = connection.execute(
        "SELECT count(*) FROM jobs WHERE status = 'completed' AND completed_at < datetime('now', '-7 days')"
    ).fetchone()[0]
    connection.close()
    return count
