"""Signals as events of the loop: handlers only count, the loop decides."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Signals:
    """SIGINT and SIGTERM counted, SIGCHLD noticed; `fd` becomes readable at each of them."""

    def __init__(self) -> None:
        self.fd, self.write_end = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self.write_end, False)
        self.count = 0
        self.last = 0
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        signal.set_wakeup_fd(self.write_end, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.before[number] = signal.signal(number, self.asked)
        self.before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self.child_ended)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self.before.items():
            signal.signal(number, handler)
        os.close(self.fd)
        os.close(self.write_end)

    def asked(self, number: int, _frame: object) -> None:
        self.count += 1
        self.last = number

    def child_ended(self, _number: int, _frame: object) -> None:
        pass  # the byte in the pipe wakes the loop, which looks

    def clear(self) -> None:
        try:
            os.read(self.fd, 4096)
        except BlockingIOError:
            pass  # nothing came
