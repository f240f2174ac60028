"""Libraries that are preloaded into a process: to log what it does to a queue file, or let that fail; to set its clock."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEEDS = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="preloads a library that a C compiler makes here"
)


def compiled(folder: Path, name: str = "recorder") -> Path:
    """The library, made anew in `folder`."""
    library, source = folder / f"{name}.so", Path(__file__).parent / f"{name}.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, timeout=60)
    return library
