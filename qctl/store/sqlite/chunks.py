"""Bulk work in chunks, each a transaction of its own, so that others get their turn."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeVar

    Item = TypeVar("Item")

CHUNK = 500


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of CHUNK, the last one shorter; taken from `items` as they are asked for."""
    chunk: list[Item] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
