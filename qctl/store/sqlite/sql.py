"""The statements: one per file in `queries/`, named by its verb."""

from __future__ import annotations

import os
from functools import cache

FOLDER = os.path.dirname(os.path.abspath(__file__))


@cache
def sql(verb: str) -> str:
    """The text of `queries/VERB.sql`, read once."""
    return read(os.path.join("queries", verb + ".sql"))


@cache
def read(path: str) -> str:
    """The text of a file of this package, read once: every queue in memory needs the schema."""
    with open(os.path.join(FOLDER, path), encoding="utf-8") as file:
        return file.read()
