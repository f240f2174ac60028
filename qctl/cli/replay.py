"""The pace of a replay: so many per second, and a few first, to see how they do."""

from __future__ import annotations

import time

from qctl.model import CANCELLED, FAILED, FINISHED, NO, BadValue, NotFound, QctlError, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from qctl.cli.spec import Values
    from qctl.queue import Queue

CHUNK = 500
FASTEST, SLOWEST = 0.02, 0.5

Letters = list[dict[str, "Any"]]


class Aborted(QctlError):
    """Too many of the first ones died again."""

    exit_code = NO


class Pace:
    """What the options --rate, --canary, --abort-if and --wait-timeout say. Raises BadValue."""

    def __init__(self, values: Values) -> None:
        from qctl.rules.limits import parse_rate
        from qctl.rules.newjob import seconds, whole
        from qctl.rules.share import share

        rate, canary, ratio = values.get("rate"), values.get("canary"), values.get("abort_if")
        wait = values.get("wait_timeout")
        for name, value in (("--abort-if", ratio), ("--wait-timeout", wait)):
            if value is not None and canary is None:
                raise BadValue(f"{name}: it goes with --canary N")
        try:
            self.rate = None if rate is None else parse_rate(rate)
        except BadValue as error:
            raise BadValue(f"--{error}") from None
        self.canary = None if canary is None else whole("--canary", canary, 1, 10**6)
        self.ratio = 0.0 if ratio is None else share("--abort-if", ratio)
        self.patience = None if wait is None else seconds("--wait-timeout", wait)

    def pieces(self, queue: Queue, letters: Letters) -> Iterator[Letters]:
        """The letters in the pieces in which to replay them. The next one is asked for when the last was replayed."""
        rest = letters
        if self.canary is not None:
            first, rest = letters[: self.canary], letters[self.canary :]
            yield from self.spread(first)
            self.wait(queue, [one["number"] for one in first if one["number"] is not None], len(rest))
        yield from self.spread(rest)

    def spread(self, letters: Letters) -> Iterator[Letters]:
        """At the rate: one by one, or as many as are due in a tenth of a second."""
        if self.rate is None:
            for start in range(0, len(letters), CHUNK):
                yield letters[start : start + CHUNK]
            return
        count, period = self.rate
        gap = max(period / count, 0.1)
        size = min(CHUNK, max(1, int(count / period * gap)))
        due = time.monotonic()
        for start in range(0, len(letters), size):
            time.sleep(max(0.0, due - time.monotonic()))
            yield letters[start : start + size]
            due = max(due, time.monotonic() - gap) + size * period / count

    def wait(self, queue: Queue, numbers: list[int], left: int) -> None:
        """Until the first ones have ended; raises Aborted when more than the ratio of them died again."""
        from qctl.cli.render import say
        from qctl.cli.wait import warn_without_worker

        warn_without_worker(queue)
        until = None if self.patience is None else time.monotonic() + self.patience
        running, bad, pause = list(numbers), 0, FASTEST
        while running:
            for number in list(running):
                try:
                    status = queue.get(number).status
                except NotFound:
                    status = CANCELLED  # somebody deleted it meanwhile
                if status in FINISHED:
                    running.remove(number)
                    bad += status == FAILED
            if bad > self.ratio * len(numbers):
                raise Aborted(
                    f"{bad} of {len(numbers)} died again, which is too many: the other {left:,} were left as they are"
                )
            if not running:
                break
            if until is not None and time.monotonic() >= until:
                raise TimedOut(
                    f"{len(running)} of the first {len(numbers)} have not ended: the other {left:,} were left as they are"
                )
            time.sleep(pause)
            pause = min(pause * 1.3, SLOWEST)
        say(f"{len(numbers) - bad} of the first {len(numbers)} did not die again: going on with {left:,}")


class Stopping:
    """Says what was done when Ctrl-C comes: that is whole, chunk by chunk, and the same command goes on with the rest."""

    def __init__(self, done: Callable[[], str]) -> None:
        self.done = done

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is KeyboardInterrupt:
            from qctl.cli.render import say

            say(f"stopped: {self.done()}; the same command goes on with the rest")
