"""Every command of the README runs as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(<!-- (\w+) -->\n)?```(sh|python)\n(.*?)```", re.S)


def blocks(language: str) -> list[str]:
    """The code of the README in a language; what is marked as installing (CI runs that) left out."""
    return [code for _mark, name, kind, code in BLOCK.findall(README) if kind == language and not name]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with `qctl` on the PATH, and the README's handlers in jobs.py."""
    tools = tmp_path / "bin"
    tools.mkdir()
    script = tools / "qctl"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m qctl "$@"\n')
    script.chmod(0o755)
    here = tmp_path / "here"
    here.mkdir()
    (here / "notes.txt").write_text("something to back up\n")
    handlers = [code for code in blocks("python") if "@handler" in code]
    assert len(handlers) == 1
    (here / "jobs.py").write_text(handlers[0])
    return here


def environment(place: Path) -> dict[str, str]:
    return dict(
        os.environ,
        PATH=f"{place.parent / 'bin'}:{os.environ['PATH']}",
        PYTHONPATH=str(ROOT),
        QCTL_DB=str(place / "queue.db"),
    )


def test_the_commands_of_the_readme_work_one_after_the_other(place: Path) -> None:
    code = "".join(blocks("sh"))
    assert code.count("qctl ") > 15
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=place,
        env=environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "hello" in result.stdout
    assert "some jobs died" in result.stdout
    assert (place / "backup.tar.gz").exists()


def test_the_python_of_the_readme_works(place: Path) -> None:
    code = [code for code in blocks("python") if "Queue(" in code]
    assert len(code) == 1
    check = (
        code[0]
        + '\nassert queue.count() == 2, queue.count()\nassert queue.get(2).payload == {"to": "ana@example.com"}\n'
    )
    result = subprocess.run(
        [sys.executable, "-c", check], cwd=place, env=environment(place), capture_output=True, text=True, timeout=30
    )
    assert result.returncode == 0, result.stderr


def test_the_pictures_of_the_readme_are_there_and_those_made_by_qctl_ask_for_nothing_outside() -> None:
    names = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert {name[-4:] for name in names} == {".svg", ".png"}
    for name in names:
        if name.endswith(".png"):  # the page, as a browser shows it
            assert (ROOT / name).read_bytes().startswith(b"\x89PNG")
            continue
        picture = (ROOT / name).read_text(encoding="utf-8")
        assert picture.startswith("<svg")
        assert "qctl" in picture
        assert not re.findall(r"(?:href|url|src)\s*[=(]\s*[\"']?https?:", picture)
