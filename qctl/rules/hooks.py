"""Hooks: what is told to a command or a URL when something happens, as a job of the queue itself."""

from __future__ import annotations

from qctl.model import BadValue, NewJob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TYPE = "qctl_hook"
EVENTS = ("dead", "health", "flow")
ATTEMPTS, BACKOFF, TIMEOUT = 5, "exponential:10s,max=10m", 60.0
LONGEST = 4096  # characters of a command or URL
ERROR = 500  # characters of an error that are passed on


def is_url(target: str) -> bool:
    return target.lower().startswith(("http://", "https://"))


def check(name: str, text: str) -> str:
    """The value of a hook's setting. Raises BadValue."""
    target = text.strip()
    if not target or len(target) > LONGEST or "\0" in target:
        raise BadValue(f"{name}: use a URL (http://, https://) or a command line, or --unset")
    if is_url(target):
        host = target.partition("://")[2].partition("/")[0]
        if not host or not target.isprintable() or " " in target:
            raise BadValue(f"{name}: {target[:60]!r} is no URL")
    return target


def job(target: str, event: dict[str, Any]) -> NewJob:
    """The job that tells the target: a command gets the event as a line on its stdin, a URL by POST."""
    from qctl.rules.payload import dumps

    common: dict[str, Any] = {"max_attempts": ATTEMPTS, "backoff": BACKOFF, "timeout": TIMEOUT}
    if is_url(target):
        return NewJob(TYPE, dumps({"url": target, "event": event}), **common)
    return NewJob(TYPE, dumps(event) + "\n", command=dumps(["/bin/sh", "-c", target]), **common)


def shortened(error: str | None) -> str | None:
    return error if error is None or len(error) <= ERROR else error[: ERROR - 1] + "…"
