"""Handlers: Python functions that run typed jobs, and what they may raise to say how a job shall go on."""

from __future__ import annotations

from qctl.context import Context
from qctl.model import BadValue, TypeDefaults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from qctl.rules.annotations import Parameters

    Function = TypeVar("Function", bound=Callable[..., Any])


class Retry(Exception):
    """Fail this attempt and try again `after` a time of the handler's choice (`"5m"`, or seconds).

    It uses an attempt; without one left the job becomes a dead letter. `after` None: the job's own backoff.
    """

    def __init__(self, reason: str = "", *, after: str | float | None = None) -> None:
        super().__init__(reason or "retry asked for")
        self.after = delay(after)


class Snooze(Exception):
    """Run the job again later, without using an attempt: what it needs is not there yet. `after` as in Retry: `"5m"`, or
    seconds; None: the job's own backoff. A job may snooze as often as it likes."""

    def __init__(self, after: str | float | None = None, reason: str = "") -> None:
        super().__init__(reason or "snoozed")
        self.after = delay(after)


class Dead(Exception):
    """No further attempt can help: the job becomes a dead letter now."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "given up by its handler")


def delay(after: str | float | None) -> float | None:
    if after is None:
        return None
    from qctl.rules.newjob import seconds

    return seconds("after", after)


starters: list[Callable[[Context], Any]] = []
stoppers: list[Callable[[Context], Any]] = []


def on_start(function: Function) -> Function:
    """Have `function(context)` called once in each handler process, before its first job: connect there, and put what
    the jobs share into the context (`context.pool = ...`, in a handler `job.context.pool`). What it raises stops the worker."""
    starters.append(function)
    return function


def on_stop(function: Function) -> Function:
    """Have `function(context)` called when a handler process leaves in good order (not when it is killed)."""
    stoppers.append(function)
    return function


class Handler:
    """A registered handler: the function, and `says`: what its type says for its jobs, by name of the option."""

    __slots__ = ("function", "is_async", "known_parameters", "says", "type", "wants_inputs", "wants_job")

    def __init__(self, type: str, function: Callable[..., Any], says: Mapping[str, Any]) -> None:
        self.type = type
        self.function = function
        self.says = says
        code = getattr(function, "__code__", None)
        self.is_async = bool(code and code.co_flags & 0x80)  # inspect.CO_COROUTINE
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        self.wants_job = "job" in names
        self.wants_inputs = "inputs" in names
        self.known_parameters: Parameters | bool | None = False  # not looked at yet

    @property
    def defaults(self) -> TypeDefaults:
        """What it says of its jobs at the claim and after."""
        return TypeDefaults(**{name: self.says[name] for name in TypeDefaults.__slots__ if name in self.says})

    @property
    def parameters(self) -> Parameters | None:
        """What the function's annotations say of the payload; None: nothing. Read once, at the first job."""
        if self.known_parameters is False:
            self.known_parameters = None
            if getattr(self.function, "__annotations__", None):
                from qctl.rules.annotations import parameters_of

                self.known_parameters = parameters_of(self.function)
        return self.known_parameters or None  # type: ignore[return-value]

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema of the payload that the function's annotations describe; None when they describe nothing."""
        return self.parameters.schema if self.parameters else None


registry: dict[str, Handler] = {}


def handler(
    type: str,
    *,
    max_attempts: int | str | None = None,
    backoff: str | None = None,
    timeout: str | float | None = None,
    priority: int | str | None = None,
    output_limit: int | str | None = None,
    retention: str | float | None = None,
) -> Callable[[Function], Function]:
    """Register a function, plain or `async`, as the handler of a type.

    It is called with the payload's fields as keyword arguments, and with `job=` (a JobContext) or `inputs=` (the results
    of the jobs that it waited for, a dict) if it has such a parameter. Its annotations describe the payload: what does
    not fit is refused, with the path in it, and dataclasses arrive as instances. What it returns, which must have a JSON
    form, is the job's result. It raises to fail the attempt, or Retry, Snooze or Dead to say how to go on. The options
    are those of `qctl types set`, as text or numbers: they hold for jobs that do not say otherwise, and what is set in
    the queue comes before them. Raises BadValue for an option that is not accepted and for a second handler of a type.
    """
    from qctl.rules import newjob
    from qctl.rules.typefields import column

    name = newjob.name("type", type)
    given = {"max_attempts": max_attempts, "backoff": backoff, "timeout": timeout, "priority": priority,
             "output_limit": output_limit, "retention": retention}  # fmt: skip
    says = {key: column(key, value) for key, value in given.items() if value is not None}

    def register(function: Function) -> Function:
        known = registry.get(name)
        if known is not None and place(known.function) != place(function):
            raise BadValue(f"type {name!r} has two handlers: {place(known.function)} and {place(function)}")
        registry[name] = Handler(name, function, says)
        return function

    return register


def place(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', '?')}"
