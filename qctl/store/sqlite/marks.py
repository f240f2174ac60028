"""What a worker runs at this moment, so that its death is charged to that alone and to nothing that only waited in it.

`QUEUE-runs-WORKER`: a table of places, each the number of a job or 0, mapped into memory by the worker and its handler
processes, so that a mark costs no more than a store there, and stands when they are killed. A restart of the machine, which
may take it, charges nobody anyhow. The first place says 1 while there are too few: then what runs is not known.
"""

from __future__ import annotations

import mmap
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from qctl.store.sqlite.store import SQLiteStore

PLACES: Final = 4096
WIDTH: Final = 8
MARK: Final = "-runs-"
NEW: Final = 300.0  # seconds: more than a worker takes to load its handlers, before it is entered in the file
FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


class Marks:
    """The table of one worker, made with the first mark. Where it cannot be made there is none, and all goes on."""

    __slots__ = ("free", "path", "places", "table", "unmarked")

    def __init__(self, queue_path: str, worker: str) -> None:
        self.path = "" if queue_path == ":memory:" else queue_path + MARK + worker
        self.table = local()
        self.free: list[int] | None = None  # from 1 on, the next one last
        self.places: dict[int, int] = {}  # by the number of the job: of those that this very process marks; 0 for none
        self.unmarked = 0  # how many run without a place

    def make(self) -> list[int]:
        places = list(range(PLACES - 1, 0, -1))
        try:
            if self.path:
                fd = os.open(self.path, FLAGS, 0o600)
                try:
                    os.write(fd, bytes(PLACES * WIDTH))  # all of it is taken from the disk now: later it may be full
                    self.table = table(fd)
                finally:
                    os.close(fd)  # the mapping has one of its own
        except (OSError, ValueError):
            remove(self.path)
            self.path = ""
        return places

    def take(self) -> int:
        """A place; 0, which is none, when all are taken."""
        if self.free is None:
            self.free = self.make()
        if not self.free:
            self.unmarked += 1
            self.table[0] = 1
            return 0
        return self.free.pop()

    def give(self, place: int) -> None:
        """What `take` gave this place to is gone."""
        if self.free is None:
            return
        if place:
            self.table[place] = 0
            self.free.append(place)
        elif self.unmarked:
            self.unmarked -= 1
            if not self.unmarked:
                self.table[0] = 0  # all that runs is marked again

    def add(self, number: int) -> None:
        """A job is about to run."""
        place = self.places[number] = self.take()
        if place:
            self.table[place] = number

    def drop(self, number: int) -> None:
        """It runs no more."""
        place = self.places.pop(number, None)
        if place is not None:
            self.give(place)

    def close(self) -> None:
        """Let go of it; the file stays, for whoever may have to bury this worker."""
        self.table = local()


def local() -> memoryview:
    """A table that nobody else sees."""
    return memoryview(bytearray(PLACES * WIDTH)).cast("q")


def table(fd: int) -> memoryview:
    return memoryview(mmap.mmap(fd, PLACES * WIDTH)).cast("q")


def of_process(path: str, place: int) -> memoryview:
    """The one place of a handler process, by what its worker told it; none: nobody looks at it."""
    if not path or not place:
        return local()[:1]
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
        try:
            return table(fd)[place : place + 1]
        finally:
            os.close(fd)
    except (OSError, ValueError):  # whoever looks sees 0 there
        return local()[:1]


def running(queue_path: str, worker: str) -> set[int] | None:
    """The numbers of the jobs that a worker, which is dead, was running; None where that cannot be told."""
    from qctl.store.sqlite.spool import is_ours

    if not is_ours(worker):
        return None
    try:
        fd = os.open(queue_path + MARK + worker, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    with open(fd, "rb") as file:
        data = file.read(PLACES * WIDTH)
    if len(data) < PLACES * WIDTH:
        return None
    numbers = memoryview(data).cast("q")
    return None if numbers[0] else set(numbers) - {0}


def forget(queue_path: str, worker: str) -> None:
    """Take the table of a worker away: its jobs are somebody else's now."""
    from qctl.store.sqlite.spool import is_ours

    if is_ours(worker):
        remove(queue_path + MARK + worker)


def tidy(store: SQLiteStore, now: float) -> None:
    """Take away the tables of workers that died just before they were entered in the file; what is new may belong to one that
    is about to be."""
    folder, name = os.path.split(store.path)
    for found in os.listdir(folder):
        worker = found.removeprefix(name + MARK)
        if worker != found and not store.read("SELECT 1 FROM qctl_workers WHERE id = ?", (worker,)):
            path = os.path.join(folder, found)
            if is_old(path, now):
                remove(path)


def is_old(path: str, now: float) -> bool:
    """Whether a table is too old to be that of a worker which is about to be entered."""
    try:
        return os.lstat(path).st_mtime < now - NEW
    except OSError:
        return False  # it is gone


def remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # there is none; or it stays, and `qctl doctor` names it
