"""The settings of a queue: what they are called, what they mean, what they may be. They live in the queue file."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.newjob import seconds, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Setting:
    """A setting. `check` takes the text given and returns the text to store, or raises BadValue."""

    __slots__ = ("check", "default", "meaning", "name")

    def __init__(self, name: str, default: str, meaning: str, check: Callable[[str, str], str]) -> None:
        self.name = name
        self.default = default
        self.meaning = meaning
        self.check = check


def at_least(low: int) -> Callable[[str, str], str]:
    return lambda name, text: str(whole(name, text, low, 2**40))


def duration(low: float) -> Callable[[str, str], str]:
    def check(name: str, text: str) -> str:
        if seconds(name, text) < low:
            raise BadValue(f"{name}: {text} is too short: use at least {low:g}s")
        return text

    return check


def room(name: str, text: str) -> str:
    from qctl.rules.size import size

    size(name, text, 1 << 16)
    return text


def until_or_off(name: str, text: str) -> str:
    if text != "off":
        seconds(name, text)
    return text


def free_room(name: str, text: str) -> str:
    """The room a disk must have."""
    from qctl.rules.room import checked

    return checked(name, text)


def vital(name: str, text: str) -> str:
    """A limit of one of the further checks of health."""
    from qctl.rules.vitals import limit

    limit(name.removeprefix("health."), text, name)
    return text


def hook(name: str, text: str) -> str:
    from qctl.rules.hooks import check

    return check(name, text)


SETTINGS = {
    one.name: one
    for one in (
        Setting("max_payload", "1048576", "bytes a payload may have", at_least(1024)),
        Setting("max_inputs", "16777216", "bytes of results that a step is given of those it needs", at_least(1024)),
        Setting("max_foreach", "1000000", "jobs that one foreach may make", at_least(1)),
        Setting("output_limit", "1048576", "bytes kept of what a job writes, head and tail", at_least(4096)),
        Setting("default_timeout", "24h", "longest time of an attempt that says nothing itself", duration(0)),
        Setting("stale_after", "5m", "silence after which a lock elsewhere counts as lost", duration(10)),
        Setting("ageing", "0", "waiting time worth a point of priority; 0: priorities do not age", duration(0)),
        Setting("health.max_pending", "1000", "pending jobs above which health has an issue", at_least(0)),
        Setting("health.max_age", "30m", "waiting time above which health has an issue", duration(0)),
        Setting("health.max_dead", "10", "unreviewed dead letters above which health has an issue", at_least(0)),
        Setting("undo_for", "1d", "how long `qctl undo` can take a command back; 0: not at all", duration(0)),
        Setting("undo_size", "64m", "room for what `qctl undo` remembers; the oldest goes first", room),
        Setting("health.max_failure_rate", "off", "share of attempts failing in an hour; off: it is only noted", vital),
        Setting("health.max_running", "24h", "time a job may run before health has an issue, or off", vital),
        Setting("health.max_overdue", "off", "time a schedule may be late to fire; off: it is only noted", vital),
        Setting("health.max_unserved", "off", "time a due job may have no worker for it; off: it is only noted", vital),
        Setting("health.max_silence", "5m", "silence of a worker above which health has an issue, or off", vital),
        Setting("health.max_wal", "1g", "size of the write-ahead log above which health has an issue, or off", vital),
        Setting("health.min_disk", "64m", "free disk space below which health has an issue, or off", vital),
        Setting("min_free", "auto", "free disk space below which nothing new is taken in; auto: 64m or 1 %", free_room),
        Setting("hook.dead", "", "URL or command line that is told of jobs that died", hook),
        Setting("hook.health", "", "URL or command line that is told when health changes", hook),
        Setting("hook.flow", "", "URL or command line that is told of flows that ended", hook),
        Setting("purge.older_than", "7d", "age from which purge deletes", duration(0)),
        Setting("purge.once", "off", "age from which purge forgets what was done once; off: never", until_or_off),
    )
}


def known(name: str) -> Setting:
    """The setting of this name. Raises BadValue."""
    setting = SETTINGS.get(name)
    if setting is None:
        raise BadValue(f"{name[:40]!r} is no setting: use {', '.join(SETTINGS)}")
    return setting
