"""How long a job waits before it is tried again."""

from __future__ import annotations

from qctl.model import BadValue
from qctl.rules.when import LONGEST, parse_duration, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_JITTER = {"linear": 0.0, "exponential": 0.1, "fixed": 0.0}  # by kind, where none is given
_FORMS = "use linear:30s, exponential:30s or fixed:30s, then ,max=1h or ,jitter=0.1 if wanted"


class Backoff:
    """A rule for the delay before the next attempt.

    `kind` is linear, exponential or fixed; `base` and `maximum` (None: no cap) are seconds; `jitter` (0..1)
    is the share of a delay that is added at random, by default none, and 0.1 for exponential.
    """

    __slots__ = ("base", "jitter", "kind", "maximum")

    def __init__(self, kind: str, base: float, maximum: float | None = None, jitter: float | None = None) -> None:
        self.kind = kind
        self.base = base
        self.maximum = maximum
        self.jitter = _JITTER[kind] if jitter is None else jitter

    def delay(self, attempts: int, random: Callable[[], float]) -> float:
        """Return the seconds to wait after attempt number `attempts` (from 1) failed; `random` gives 0..1.

        Never more than `maximum`, jitter included, nor than 100 years.
        """
        attempts = max(attempts, 1)
        wait = self.base
        if self.kind == "linear":
            wait *= attempts
        elif self.kind == "exponential":
            wait *= 2.0 ** min(attempts - 1, 64)  # 1 ms doubled 64 times is beyond 100 years
        if self.jitter:
            wait += wait * self.jitter * random()
        return min(wait, LONGEST if self.maximum is None else self.maximum, LONGEST)

    def text(self) -> str:
        """Spell the rule so that parse_backoff reads an equal one; what goes without saying is left out."""
        from qctl.rules.clock import duration_text

        text = f"{self.kind}:{duration_text(self.base)}"
        if self.maximum is not None:
            text += f",max={duration_text(self.maximum)}"
        if self.jitter != _JITTER[self.kind]:
            text += ",jitter=" + f"{self.jitter:.6f}".rstrip("0").rstrip(".")
        return text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Backoff):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((self.kind, self.base, self.maximum, self.jitter))

    def __repr__(self) -> str:
        return f"<Backoff {self.text()}>"


DEFAULT = Backoff("linear", 30.0)  # the course's: 30 s times the attempts made


def parse_backoff(text: str) -> Backoff:
    """Read `linear|exponential|fixed:DURATION[,max=DURATION][,jitter=0.1|10%]`. Raises BadValue."""
    rule, *options = [part.strip() for part in text.split(",")]
    kind, colon, base = rule.partition(":")
    if kind not in _JITTER or not colon:
        raise BadValue(f"{quoted(text)} is not a backoff: {_FORMS}")
    found: dict[str, float] = {}
    try:
        seconds = parse_duration(base)
        for option in options:
            name, _, value = option.partition("=")
            if name not in ("max", "jitter") or name in found:
                raise BadValue(_FORMS)
            found[name] = parse_duration(value) if name == "max" else _parse_jitter(value)
    except BadValue as error:
        raise BadValue(f"{quoted(text)} is not a backoff: {error}") from None
    return Backoff(kind, seconds, found.get("max"), found.get("jitter"))


def _parse_jitter(text: str) -> float:
    digits = text.removesuffix("%")
    whole, _, decimals = digits.partition(".")
    share = -1.0
    if text.isascii() and (whole + decimals).isdigit():  # float() alone would take nan, 1e3 and 1_0
        share = float(digits) / (100 if digits != text else 1)
    if not 0 <= share <= 1:
        raise BadValue(f"{quoted(text)} is not a jitter: use 0 to 1, or 0% to 100%")
    return round(share, 6)
