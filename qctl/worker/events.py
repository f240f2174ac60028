"""What a worker waits for: descriptors, and what is called when one of them has something to say."""

from __future__ import annotations

import selectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Events:
    """One selector, and a callback for each descriptor."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        self.selector.register(fd, selectors.EVENT_READ, callback)

    def unwatch(self, fd: int) -> None:
        try:
            self.selector.unregister(fd)
        except (KeyError, ValueError):
            pass  # it was not watched any more, or is closed

    def wait(self, timeout: float) -> None:
        """Wait for an event, `timeout` seconds at most, and see to all that came."""
        watched = self.selector.get_map()
        for key, _events in self.selector.select(max(0.0, timeout)):
            if watched.get(key.fd) is key:  # one before it in this round may have closed it
                key.data()
