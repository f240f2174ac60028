"""The short way from one command to the next: a slot that is free is taken before anything is written down.

While commands that were claimed ahead lie ready, the loop of the worker goes round here: what ended makes room, the
next one starts in it, and only then is seen to what the one before left behind.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qctl.rules.ending import Ending, Facts
    from qctl.worker.run import Run
    from qctl.worker.supply import Supply


def relay(
    supply: Supply,
    add_ending: Callable[[Run, Ending, Facts], None],
    events: Callable[[float], None],
    until: float,
) -> None:
    """Go round until `until` (monotonic seconds), when endings have waited long enough, or as nothing lies ready.

    `events(timeout)` waits for an event. A failure to start is an ending like any other.
    """
    while True:
        gone = supply.commands.gone()
        if not gone:
            return  # it was something else that came
        now = time.monotonic()
        supply.start(now)
        for run, ending, facts in supply.settle(gone):
            add_ending(run, ending, facts)
        if not supply.waiting or not supply.commands.running or now >= until:
            return
        events(until - now)
