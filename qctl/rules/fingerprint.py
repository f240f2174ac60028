"""What errors have in common: their text with numbers, ids, paths and addresses taken out."""

from __future__ import annotations

from functools import cache, lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

LONGEST = 400  # characters of an error that count
DIGITS = 8

RULES = (
    (r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>),;]+", "<url>"),
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<mail>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", "<time>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<address>"),
    (r"(?<![\w:])\[?(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}\]?(?![\w:])", "<address>"),
    (r"(?<![\w/])(?:~|\.{1,2})?(?:/[\w.@+%=~-]+)+/?", "<path>"),
    (r"\b[A-Za-z]:\\[^\s'\"]+", "<path>"),
    (r"\b0x[0-9a-f]+\b", "<hex>"),
    (r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b", "<hex>"),
    (r"(?<![A-Za-z<])[-+]?\d+(?:[.,_]\d+)*", "<n>"),
    (r"\d+", "<n>"),
)


@cache
def rules() -> list[tuple[re.Pattern[str], str]]:
    import re

    return [(re.compile(pattern, re.IGNORECASE), mark) for pattern, mark in RULES]


@lru_cache(4096)
def pattern_of(error: str) -> str:
    """The error without what differs from one time to the next. A second pass changes nothing."""
    text = " ".join(error[:LONGEST].split())
    for rule, mark in rules():
        text = rule.sub(mark, text)
    return text


@lru_cache(4096)
def fingerprint(error: str) -> str:
    """Eight hexadecimal digits that errors of one pattern share, in every process and version."""
    from hashlib import blake2b

    return blake2b(pattern_of(error).encode("utf-8", "replace"), digest_size=DIGITS // 2).hexdigest()
