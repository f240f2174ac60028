"""Whatever is typed: a documented exit code, one line that says what is wrong, no traceback, and a file left as it was."""

from __future__ import annotations

import io
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from qctl.cli.main import run
from qctl.queue import Queue
from tests.cli.fuzz import Line, line
from tests.states import dead

DOCUMENTED = {0, 1, 2, 3, 4, 5, 124, 130}
PARTLY = {"import"}
"""What stores the good lines before the bad one, and says so; `enqueue --from` does too, without --atomic."""


class Reader(io.TextIOWrapper):
    """A stream that is no terminal, and keeps what was written to it."""

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode("utf-8", "surrogateescape")


def call(monkeypatch: pytest.MonkeyPatch, given: Line) -> tuple[int, str, str]:
    out, err = Reader(io.BytesIO(), "utf-8"), Reader(io.BytesIO(), "utf-8", errors="backslashreplace")
    for name, data in given.files.items():
        Path(name).write_bytes(data)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.stdin), "utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        return run(given.argv), out.text(), err.text()


def judge(given: Line, code: int, err: str, *, is_changed: bool) -> None:
    assert code in DOCUMENTED, (given, code, err)
    assert "Traceback" not in err and "fault in qctl" not in err, (given, err)
    assert all(one.isprintable() or one == "\n" for one in err), (given, err)
    if code in (2, 3, 4, 5):
        said = [one for one in err.splitlines() if one.startswith("qctl: ")]
        assert len(said) <= 1 and err.count("\n") - err.startswith("new queue") <= 1, (given, code, err)
        assert said or given.argv[0] == "health", (given, code, err)
    stores_some = given.argv[0] in PARTLY or ("--from" in " ".join(given.argv) and "--atomic" not in given.argv)
    if code in (2, 4, 5) and not stores_some:
        assert not is_changed, (given, code, err)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a queue that has one of everything."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("QCTL_DB", str(tmp_path / "queue.db"))
    fill(tmp_path / "queue.db")
    return tmp_path


def fill(db: Path) -> None:
    with Queue(db) as queue:
        queue.enqueue("mail", {"to": "ana"}, key="k")
        queue.enqueue(shell="true", after=1)
        dead(queue)


@pytest.mark.parametrize("trials", [500, pytest.param(100_000, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
def test_whatever_is_typed_is_answered_as_documented(
    folder: Path, monkeypatch: pytest.MonkeyPatch, trials: int
) -> None:
    db = folder / "queue.db"
    watch: Any = sqlite3.connect(db)
    codes: dict[int, int] = {}
    for trial in range(trials):
        chance = random.Random(f"{trials}-{trial}")
        given = line(chance)
        before = watch.execute("PRAGMA data_version").fetchone()
        code, _out, err = call(monkeypatch, given)
        judge(given, code, err, is_changed=watch.execute("PRAGMA data_version").fetchone() != before)
        codes[code] = codes.get(code, 0) + 1
        if trial % 500 == 499:  # a fresh one, so that it stays small
            assert watch.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            watch.close()
            for path in [*folder.glob("queue.db*"), *(folder / "work").iterdir()]:
                path.unlink()
            fill(db)
            watch = sqlite3.connect(db)
    watch.close()
    assert codes[0] > trials // 20 and codes[2] > trials // 4, codes
