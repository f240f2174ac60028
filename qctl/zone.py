"""The name of the local time zone: a schedule is stored with a name, which holds on any machine and at any time of year."""

from __future__ import annotations

import os
import time

from qctl.model import BadValue
from qctl.rules.cron import zone_of

UTC = "UTC"


def local_zone() -> str:
    """The name of the zone that this machine keeps. Raises BadValue where it has none that is known."""
    if "TZ" in os.environ:
        places = [os.environ["TZ"].lstrip(":") or UTC]
    else:
        places = [os.path.realpath("/etc/localtime"), first_line("/etc/timezone")]
    for place in places:
        name = place.partition("/zoneinfo/")[2] or place
        if name and is_known(name):
            return UTC if name in ("Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal") else name
    if not any(time.localtime(at).tm_gmtoff for at in (0, 15_552_000, time.time())):
        return UTC
    raise BadValue("time zone: this machine's has no name: give one with --tz, such as --tz Europe/Berlin")


def own_zone() -> str:
    """The zone for schedules that name none."""
    try:
        return local_zone()
    except BadValue:  # the zone of this machine has no name; cron list shows which one was taken
        return UTC


def first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, ValueError):
        return ""


def is_known(name: str) -> bool:
    try:
        zone_of(name)
    except BadValue:
        return False
    return True
