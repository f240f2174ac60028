"""`qctl demo orders`: it runs whole in a pipe, finds what it looks for, and leaves a file to go on with and no process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.demo.audit import checks
from qctl.demo.orders import connect
from qctl.demo.shop import Played
from qctl.queue import Queue
from tests.worker.conftest import until

ORDERS = 12


def start(db: Path, **options: Any) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "qctl", "demo", "orders", "--orders", str(ORDERS), "--db", str(db)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """The file that one run left, its exit code and what it said."""
    db = tmp_path_factory.mktemp("demo") / "shop.db"
    process = start(db)
    out, err = process.communicate(timeout=120)
    return db, process.returncode, out + err


def test_the_shop_runs_and_everything_holds(played: tuple[Path, int, str]) -> None:
    db, code, said = played
    assert code == 0, said
    assert "✗" not in said.partition("$ qctl")[0]
    for words in (
        "kill -9",
        "none twice",
        "every order is accounted for: 9 done, 1 waits",
        "qctl dlq replay",
        "healthy",
    ):
        assert words in said
    assert "\x1b" not in said
    with Queue(db) as queue:
        assert queue.live_workers() == 0


def test_what_it_says_to_type_next_mends_the_order_that_waits(
    played: tuple[Path, int, str], cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    db = played[0]
    words = [line.strip().split(" ") for line in played[2].splitlines() if line.startswith("  qctl dlq edit")][0]
    number = words[3]
    assert cli("dlq", "edit", number, "--set", "country=PT", db=db).code == 0
    assert cli("dlq", "replay", number, db=db).out == f"{number}\n"
    drain = [sys.executable, "-m", "qctl", "--db", str(db), "work", "--drain", "--handlers", "qctl.demo.orders"]
    assert subprocess.run(drain, capture_output=True, timeout=60, check=False).returncode == 0
    with Queue(db) as queue:
        assert not [job for job in queue.find() if job.status in ("blocked", "pending")]
        assert queue.store.read("SELECT count(*) FROM notices") == [(10,)]


@pytest.mark.parametrize(
    ("harm", "seen"),
    [
        ("INSERT INTO mails SELECT * FROM mails LIMIT 1", "follow-up, none twice|confirmation, none twice"),
        ("INSERT INTO charges SELECT * FROM charges LIMIT 1", "charged, none twice"),
        ("DELETE FROM stock_moves WHERE rowid = 1", "taken from stock once"),
        ("UPDATE mails SET sent_at = 1.0", "mails kept to"),
        ("INSERT INTO reports SELECT * FROM reports", "one report"),
        ("INSERT INTO jobs (type, payload) VALUES ('process_order', '{\"order\": 1}')", "each with its job"),
    ],
)
def test_the_audit_finds_what_is_wrong(played: tuple[Path, int, str], harm: str, seen: str) -> None:
    shop = connect(str(played[0]))
    placed = Played(ORDERS)
    placed.placed = [row[0] for row in shop.execute("SELECT number FROM orders")]
    placed.closed, placed.declined, placed.killed = [], ORDERS - len(placed.placed), 1
    before = {what for holds, what in checks(shop, placed) if not holds}
    shop.execute(harm)
    found = {what for holds, what in checks(shop, placed) if not holds} - before
    shop.rollback()
    shop.close()
    assert any(words in what for what in found for words in seen.split("|")), found


def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    db = tmp_path / "shop.db"
    process = start(db, start_new_session=True)
    assert process.stdout is not None
    assert "two workers" in process.stdout.readline()
    with Queue(db) as queue:
        until(lambda: queue.live_workers() == 2)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (130, "")
        assert queue.live_workers() == 0


def test_a_demo_that_is_none_and_too_few_orders_are_refused(cli: Callable[..., Any]) -> None:
    assert cli("demo", "flowers").code == 2
    assert cli("demo", "orders", "--orders", "3").code == 2
    assert cli("demo", "--orders", "30").code == 2
