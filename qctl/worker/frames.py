"""Messages between a worker and its handler processes: a length, then marshal, which is the fastest both sides have.

Both ends run the same interpreter, and nobody else can reach the socket.
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


PREFIX = 4


def pack(message: Any) -> bytes:
    data = marshal.dumps(message)
    return len(data).to_bytes(PREFIX, "little") + data


class Unpacker:
    """Takes bytes as they come, gives whole messages."""

    __slots__ = ("buffer",)

    def __init__(self) -> None:
        self.buffer = b""

    def feed(self, data: bytes) -> list[Any]:
        data = self.buffer + data if self.buffer else data
        messages = []
        position, size = 0, len(data)
        while size - position >= PREFIX:
            end = position + PREFIX + int.from_bytes(data[position : position + PREFIX], "little")
            if end > size:
                break
            # From our own child, over a pair of sockets that nobody else has.
            messages.append(marshal.loads(data[position + PREFIX : end]))  # nosec B302
            position = end
        self.buffer = data[position:]
        return messages
