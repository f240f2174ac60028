"""Fixtures that all tests share."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from qctl.queue import Queue
from qctl.store.sqlite import connection as opening
from tests import profile

profile.settings.load_profile("suite")  # `--hypothesis-profile long` comes after it, and over it


class Result:
    """What a command did: `code`, `out`, `err`."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"<{self.code}\n{self.out}\n{self.err}>"


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("QCTL_")] + ["NO_COLOR", "FORCE_COLOR", "COLUMNS"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent.parent), *sys.path[:0]]))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The path of a queue file that is not there yet."""
    return tmp_path / "queue.db"


build = opening.build


@cache
def laid_before() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    build(connection)
    return connection


def copied(connection: sqlite3.Connection) -> None:
    """Lay the tables; in memory as a copy of what was laid once, since most tests begin so, and many times."""
    if connection.execute("PRAGMA database_list").fetchone()[2]:
        build(connection)
    else:
        laid_before().backup(connection)


opening.build = copied


@cache
def new_file() -> bytes:
    """A queue file that nothing was done to: it is made once, as that takes as long as most tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "queue.db"
        Queue(path).close()
        return path.read_bytes()


def lay(path: Path) -> Path:
    """Put a new queue file at `path`."""
    path.touch(0o600)
    path.write_bytes(new_file())
    return path


@pytest.fixture
def queue(db: Path) -> Any:
    """A new queue in a file."""
    with Queue(lay(db)) as one:
        yield one


@pytest.fixture
def cli(db: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command line in this process, on the queue at `db`: `cli("list", "--json", input="...")`."""
    from qctl.cli.main import run

    def call(*argv: str, db: Path | None = db, input: str | bytes = b"") -> Result:
        data = input.encode() if isinstance(input, str) else input
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            if db is not None:
                patch.setenv("QCTL_DB", str(db))
            code = run(list(argv))
            texts = []
            for stream in (out, err):
                stream.flush()
                buffer = stream.buffer
                assert isinstance(buffer, io.BytesIO)
                texts.append(buffer.getvalue().decode())
        return Result(code, *texts)

    return call
