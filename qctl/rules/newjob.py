"""What a job may be: from the fields people give (CLI options, NDJSON keys, Python arguments) to a row to store."""

from __future__ import annotations

from qctl.model import BLOCKED, COMMAND_TYPE, PRIORITIES, BadValue, NewJob
from qctl.rules.when import parse_duration, parse_time, to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

FIELDS = (
    "type",
    "payload",
    "command",
    "shell",
    "priority",
    "in",
    "at",
    "queue",
    "tags",
    "id",
    "max_attempts",
    "backoff",
    "timeout",
    "cwd",
    "env",
    "key",
    "key_for",
    "expires",
    "after",
    "after_any",
    "after_failed",
)

LOWEST, HIGHEST = -(2**63), 2**63 - 1
LONGEST_NAME = 200
MOST_ATTEMPTS = 1_000_000


def new_job(fields: Mapping[str, Any], now: float, payload_text: Callable[[Any], str]) -> NewJob:
    """The row for the given fields. Raises BadValue that names the field.

    `fields`: keys of FIELDS; None means not given. `payload_text` turns a payload (JSON text or a mapping) into checked
    JSON text. Values may be text as on the command line, or the number, list or mapping they stand for.
    """
    for key in fields:
        if key not in FIELDS:
            raise BadValue(f"{shown(key)} is no field of a job: use {', '.join(FIELDS)}")
    get = fields.get
    command = command_text(get("command"), get("shell"))
    type_ = get("type")
    if type_ is None:
        if command is None:
            raise BadValue("type: a job needs a type, or a command to run")
        type_ = COMMAND_TYPE
    job = NewJob(name("type", type_))
    if get("payload") is not None:
        job.payload = payload_text(get("payload"))
    job.command = command
    if get("priority") is not None:
        job.priority = priority(get("priority"))
    job.scheduled_at = due(get("in"), get("at"), now)
    if get("queue") is not None:
        job.queue = name("queue", get("queue"))
    if get("tags"):
        job.tags = tags_text(get("tags"))
    if get("id") is not None:
        job.id = job_id(get("id"))
    if get("max_attempts") is not None:
        job.max_attempts = whole("max_attempts", get("max_attempts"), 1, MOST_ATTEMPTS)
    if get("backoff") is not None:
        job.backoff = backoff_text(get("backoff"))
    if get("timeout") is not None:
        job.timeout = timeout(get("timeout"))
    if get("cwd") is not None or get("env"):
        if command is None:
            raise BadValue("cwd and env are for commands: a typed job runs in its worker")
        job.cwd = get("cwd")
        job.env = env_text(get("env")) if get("env") else None
    if get("key") is not None or get("key_for") is not None or get("expires") is not None:
        job.more = rare(get("key"), get("key_for"), get("expires"), now, job.scheduled_at)
    if get("after") is not None or get("after_any") is not None or get("after_failed") is not None:
        from qctl.rules.needs import needs_of

        needs = needs_of(fields)
        if needs:
            job.more = {**(job.more or {}), "needs": needs, "status": BLOCKED}
    return job


def rare(key: object, key_for: object, expires: object, now: float, due_at: str | None) -> dict[str, str]:
    """What NewJob.more holds for a job with a key or an expiry."""
    more: dict[str, str] = {}
    if key is not None:
        more["key"] = name("key", key)
    if key_for is not None:
        if key is None:
            raise BadValue("key_for: it goes with a key: give that, too")
        more["key_since"] = to_text(max(0.0, now - seconds("key_for", key_for)))
    if expires is not None:
        after = seconds("expires", expires)
        if not after:
            raise BadValue("expires: 0 is no time to start in: use a duration such as 10m")
        more["expires_at"] = to_text(now + after)
        if due_at is not None and due_at >= more["expires_at"]:
            raise BadValue("expires: it would be over before the job may run: it counts from now, like in")
    return more


def shown(value: object) -> str:
    """A value as an error may show it: short, and without control characters."""
    text = repr(value)
    return text if len(text) <= 42 else text[:38] + "...'"


def name(field: str, value: object) -> str:
    """A type, queue or tag: 1 to 200 printable characters, UTF-8."""
    if not isinstance(value, str) or not value or len(value) > LONGEST_NAME or not value.isprintable():
        raise BadValue(f"{field}: {shown(value)} is no name: use 1 to {LONGEST_NAME} printable characters")
    if value[0] == "-" or value != value.strip():
        raise BadValue(
            f"{field}: {shown(value)} is no name: it may not begin with a dash, or begin or end with a space"
        )
    return value


def whole(field: str, value: object, low: int, high: int) -> int:
    """A whole number within bounds, given as a number or as text."""
    number = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and value.isascii() and value.lstrip("+-").isdigit() and len(value) < 40:
        try:
            number = int(value)
        except ValueError:
            number = None
    if number is None:
        raise BadValue(f"{field}: {shown(value)} is no whole number: use {low} to {high}")
    if not low <= number <= high:
        raise BadValue(f"{field}: {number} is out of range: use {low} to {high}")
    return number


def priority(value: object) -> int:
    """`low normal high critical`, or a whole number of 64 bits; higher runs first."""
    if isinstance(value, str):
        named = PRIORITIES.get(value.lower())
        if named is not None:
            return named
    try:
        return whole("priority", value, LOWEST, HIGHEST)
    except BadValue as error:
        if "out of range" in str(error):
            raise
        raise BadValue(
            f"priority: {shown(value)} is no priority: use low, normal, high, critical or a whole number"
        ) from None


def seconds(field: str, value: object) -> float:
    """A duration: text such as `1h30m`, or a number of seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if 0 <= value <= 36_525 * 86_400:
            return float(value)
        raise BadValue(f"{field}: {shown(value)} is out of range: use 0 to 100 years of seconds")
    if not isinstance(value, str):
        raise BadValue(f"{field}: {shown(value)} is no duration: use 30s, 5m, 2h, 7d, 1w or 1h30m")
    try:
        return parse_duration(value)
    except BadValue as error:
        raise BadValue(f"{field}: {error}") from None


def timeout(value: object) -> float:
    """Seconds an attempt may take; `none` or 0: no limit."""
    if isinstance(value, str) and value.lower() == "none":
        return 0.0
    return seconds("timeout", value)


def due(delay: object, at: object, now: float) -> str | None:
    """When the job may run first, as stored; None for at once."""
    if delay is not None and at is not None:
        raise BadValue("in and at exclude each other: give one of them")
    if delay is not None:
        return to_text(now + seconds("in", delay))
    if at is None:
        return None
    if isinstance(at, (int, float)) and not isinstance(at, bool):
        moment = float(at)
    elif hasattr(at, "timestamp"):
        moment = at.timestamp()
    elif isinstance(at, str):
        try:
            moment = parse_time(at, now)
        except BadValue as error:
            raise BadValue(f"at: {error}") from None
    else:
        raise BadValue(f"at: {shown(at)} is no time: use ISO 8601, HH:MM, tomorrow 09:00 or +duration")
    if not 0 <= moment < 253_402_300_800:
        raise BadValue(f"at: {shown(at)} is out of range: use the years 1970 to 9999")
    return to_text(moment)


def job_id(value: object) -> str:
    """An id of one's own: like a name, and not all digits, which would be a number."""
    text = name("id", value)
    if text.isdigit():
        raise BadValue(f"id: {shown(text)} is all digits and would be taken for a job's number: add a letter")
    first, dash, last = text.partition("-")
    if dash and first.isdigit() and last.isdigit():
        raise BadValue(f"id: {shown(text)} would be taken for a range of jobs: add a letter")
    if any(character.isspace() for character in text):
        raise BadValue(f"id: {shown(text)} has a space in it: use letters, digits and dashes")
    return text


def backoff_text(value: object) -> str:
    from qctl.rules.backoff import Backoff, parse_backoff

    if isinstance(value, Backoff):
        return value.text()
    if not isinstance(value, str):
        raise BadValue(f"backoff: {shown(value)} is no backoff: use linear:30s, exponential:30s or fixed:30s[,max=1h]")
    try:
        return parse_backoff(value).text()
    except BadValue as error:
        raise BadValue(f"backoff: {error}") from None


def command_text(command: object, shell: object) -> str | None:
    """The command as stored: a JSON array of the program and its arguments, each without NUL."""
    if command is not None and shell is not None:
        raise BadValue("command and shell exclude each other: give one of them")
    if shell is not None:
        if not isinstance(shell, str) or not shell.strip():
            raise BadValue("shell: the line to run is empty")
        words: Any = ["/bin/sh", "-c", shell]
    elif command is None:
        return None
    else:
        words = command
        if not isinstance(words, (list, tuple)) or not words or not all(isinstance(word, str) for word in words):
            raise BadValue("command: use a list of texts: the program and its arguments")
        if not words[0]:
            raise BadValue("command: the name of the program is empty")
    if any("\0" in word for word in words):
        raise BadValue("command: an argument holds a NUL character, which no program can be given")
    return "[" + ",".join([quote(word) for word in words]) + "]"


def quote(text: str) -> str:
    """A JSON string in ASCII: bytes of an argument that are no UTF-8 survive as lone surrogates."""
    try:
        from _json import encode_basestring_ascii
    except ImportError:
        from json.encoder import encode_basestring_ascii
    return str(encode_basestring_ascii(text))


def tags_text(value: object) -> str:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise BadValue(f"tags: {shown(value)} is no list of names")
    return "[" + ",".join([quote(name("tag", tag)) for tag in dict.fromkeys(value)]) + "]"


def env_text(value: object) -> str:
    """Variables as a JSON object. Given as a mapping, or as NAME=VALUE texts."""
    pairs: dict[str, str] = {}
    if isinstance(value, str):
        value = [value]
    if hasattr(value, "items"):
        for key, text in value.items():
            if not isinstance(key, str) or not isinstance(text, str):
                raise BadValue("env: names and values are text")
            pairs[key] = text
    elif isinstance(value, (list, tuple)):
        for entry in value:
            if not isinstance(entry, str) or "=" not in entry:
                raise BadValue(f"env: {shown(entry).partition('=')[0]} is no variable: use NAME=VALUE")
            key, _, text = entry.partition("=")
            pairs[key] = text
    else:
        raise BadValue("env: use NAME=VALUE")
    for key, text in pairs.items():
        if not key or "=" in key or "\0" in key or "\0" in text:
            raise BadValue(f"env: {shown(key)} is no name of a variable, or its value holds a NUL character")
    return "{" + ",".join([f"{quote(key)}:{quote(text)}" for key, text in pairs.items()]) + "}"


def pack_jobs(jobs: Sequence[NewJob] | None) -> list[tuple[Any, ...]] | None:
    """New jobs in the plain values that a message or a file may hold; None for none."""
    return [tuple(getattr(job, name) for name in job.__slots__) for job in jobs] if jobs else None


def unpack_jobs(rows: Sequence[tuple[Any, ...]] | None) -> list[NewJob]:
    """What `pack_jobs` gave, as jobs again."""
    return [NewJob(**dict(zip(NewJob.__slots__, row, strict=True))) for row in rows or ()]
