"""`python -m tests.bench [--quick] [NAME...]`: measure, and print one table."""

from __future__ import annotations

import sys
import time

from tests.bench.measure import machine, table
from tests.bench.works import WORKS


def main(argv: list[str]) -> int:
    scale = 0.1 if "--quick" in argv else 1.0
    names = [word for word in argv if not word.startswith("-")] or list(WORKS)
    unknown = [name for name in names if name not in WORKS]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are {', '.join(WORKS)}", file=sys.stderr)
        return 2
    rows = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        rows += WORKS[name](scale)
    print(table(rows))
    print(f"\n{time.strftime('%Y-%m-%d')}, {machine()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
