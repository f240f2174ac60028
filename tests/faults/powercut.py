"""The disk of a recorded run, cut at any point: what was synced is sure, of the rest any part may have come, torn or whole.

`recorder.c` logs the run. A write that no fsync of its file followed may be there or not, whatever came after it; of a torn
one single sectors are. A file that was made, or removed, is so for sure only after an fsync of its directory.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

HEAD = struct.Struct("<cB2xiQQ")
SECTOR = 512
FOLDER = "/"


class Event:
    """One thing that happened: C made, U removed, W written, T cut, B and E begin and end of an fsync, F: it
    failed, A said."""

    __slots__ = ("data", "kind", "name", "offset", "pid")

    def __init__(self, kind: str, name: str, pid: int, offset: int, data: bytes) -> None:
        self.kind, self.name, self.pid, self.offset, self.data = kind, name, pid, offset, data


def events(log: Path) -> Iterator[Event]:
    data, at = log.read_bytes(), 0
    while at < len(data):
        kind, name_length, pid, offset, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        name = data[at : at + name_length].decode()
        at += name_length
        body = data[at : at + length]
        at += length
        yield Event(kind.decode(), name, pid, offset, body)


class File:
    """The bytes of one inode: those that are sure, and what was written since."""

    def __init__(self) -> None:
        self.sure = bytearray()
        self.open: list[Event] = []
        self.done = 0  # how many there were before those in `open`
        self.begun: dict[int, list[int]] = {}  # by process: how many had been written when its fsyncs began

    def take(self, event: Event) -> None:
        if event.kind in "WT":
            self.open.append(event)
        elif event.kind == "B":
            self.begun.setdefault(event.pid, []).append(self.done + len(self.open))
        elif event.kind == "E":  # of two threads' at once the first is taken to have ended first: that makes less sure
            count = self.begun[event.pid].pop(0) - self.done
            if count > 0:
                for one in self.open[:count]:
                    apply(self.sure, one)
                del self.open[:count]
                self.done += count
        elif event.kind == "F":  # the system takes them for written now: no later fsync brings them to the disk
            self.done += len(self.open)
            self.open.clear()

    def image(self, chance: random.Random, share: float) -> bytearray:
        """The bytes as a cut may leave them: about `share` of what is not sure."""
        found = bytearray(self.sure)
        for event in self.open:
            if share >= 1 or chance.random() < share:
                whole = event.kind == "T" or share >= 1 or chance.random() < 0.7
                for part in [event] if whole else torn(event, chance):
                    apply(found, part)
        return found


def apply(content: bytearray, event: Event) -> None:
    if event.kind == "T":
        del content[event.offset :]
    end = event.offset + len(event.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[event.offset : end] = event.data


def torn(event: Event, chance: random.Random) -> Iterator[Event]:
    """Some sectors of a write."""
    at, end = event.offset, event.offset + len(event.data)
    while at < end:
        below = min(end, at - at % SECTOR + SECTOR)
        if chance.random() < 0.5:
            yield Event("W", event.name, event.pid, at, event.data[at - event.offset : below - event.offset])
        at = below


class Disk:
    """All files of a run, as far as it has been replayed."""

    def __init__(self) -> None:
        self.now: dict[str, File] = {}
        self.sure: dict[str, File | None] = {}
        self.open: list[tuple[str, File | None]] = []  # names given and taken that are not sure yet
        self.done = 0
        self.begun: dict[int, int] = {}

    def take(self, event: Event) -> None:
        if event.kind == "C":
            self.now[event.name] = File()
            self.open.append((event.name, self.now[event.name]))
        elif event.kind == "U":
            del self.now[event.name]
            self.open.append((event.name, None))
        elif event.name != FOLDER:
            self.now[event.name].take(event)
        elif event.kind == "B":
            self.begun[event.pid] = self.done + len(self.open)
        elif event.kind == "E":
            count = max(0, self.begun.pop(event.pid) - self.done)
            self.sure |= dict(self.open[:count])
            del self.open[:count]
            self.done += count

    def cut(self, chance: random.Random, share: float) -> dict[str, bytearray]:
        """The files as a power cut may leave them now, by name."""
        names = dict(self.sure)
        for name, file in self.open:
            if share >= 1 or chance.random() < share:
                names[name] = file
        return {name: file.image(chance, share) for name, file in names.items() if file is not None}
