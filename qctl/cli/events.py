"""`qctl events`: what happens in the queue, one JSON object a line."""

from __future__ import annotations

import sys
import time

from qctl.cli.options import look_at_queue
from qctl.cli.spec import Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

PAUSE = 0.5
OVERLAP = 10.0  # seconds that are read again: what is committed late carries an earlier time


def run(values: Values) -> int:
    from qctl.cli.filters import moment
    from qctl.cli.render import object_json
    from qctl.rules.when import from_text, iso, to_text

    now = time.time()
    begin = moment("--since", values["since"], now)
    if begin is None:
        begin = now if values["follow"] else now - 3600
    queue = look_at_queue(values)
    types = set(values["type"])
    since = to_text(begin)
    seen: dict[tuple[str, int, int], str] = {}
    above = queue.newest() if values["follow"] and values["since"] is None else None
    while True:
        newest = queue.newest()
        for one in queue.events(since, above=above):
            key = (one["event"], one["number"], one.pop("token"))
            if key in seen or (types and one["type"] not in types):
                continue
            seen[key] = one["at"]
            try:
                from_text(one["at"])
                one["at"] = iso(one["at"])
            except ValueError:
                pass  # an UPDATE from elsewhere wrote it: it is shown as it is
            sys.stdout.write(object_json({name: value for name, value in one.items() if value is not None}) + "\n")
        sys.stdout.flush()
        if not values["follow"]:
            return 0
        above = newest  # from here on only what is new is read, however large the queue is
        since = max(since, to_text(time.time() - OVERLAP))
        old = to_text(time.time() - 2 * OVERLAP)
        seen = {key: at for key, at in seen.items() if at >= old}
        time.sleep(PAUSE)


EVENTS = Command(
    "events",
    "Print what happened to jobs, as NDJSON.",
    run,
    Option("--since", metavar="WHEN", help="From then on: 1h, 09:00, 2026-10-13 (default 1h; with -f: now)."),
    Option("--follow", "-f", help="Go on as it happens."),
    Option(
        "--type", "-t", metavar="TYPE", multiple=True, help="Only jobs of this type; may be repeated.", complete="types"
    ),
    epilog=("qctl events -f | jq -r .event", "qctl events --since 1d --type charge"),
)
