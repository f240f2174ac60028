"""Calling a handler: the payload becomes its arguments, and what it returns or raises becomes a verdict."""

from __future__ import annotations

from qctl.context import running
from qctl.handlers import Dead, Retry, Snooze
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from qctl.context import JobContext
    from qctl.handlers import Handler
    from qctl.model import NewJob


class Verdict:
    """How one call of a handler ended, in the words of rules/ending.py. `result`: JSON text; `children`: jobs it adds."""

    __slots__ = ("after", "children", "error", "how", "result")

    def __init__(
        self, how: str, result: str | None = None, error: str | None = None, after: float | None = None
    ) -> None:
        self.how = how
        self.result = result
        self.error = error
        self.after = after
        self.children: list[NewJob] | None = None


def call(known: Handler, payload: str, context: JobContext, run_async: Callable[[Any], Any]) -> Verdict:
    """Call a handler with a payload; never raises for what the handler does, SystemExit and KeyboardInterrupt apart."""
    from qctl.rules import ending

    try:
        try:
            import json

            fields = json.loads(payload)
        except (ValueError, RecursionError) as error:
            return Verdict(ending.DEAD, error=f"its payload is not JSON: {error}")
        if not isinstance(fields, dict):
            return Verdict(ending.DEAD, error="its payload is no JSON object")
        parameters = known.parameters
        if parameters is not None:
            try:
                fields = parameters.convert(fields)
            except BadValue as problem:
                return Verdict(ending.DEAD, error=str(problem))
        if known.wants_job and "job" not in fields:
            fields["job"] = context
        if known.wants_inputs and "inputs" not in fields:
            fields["inputs"] = context.inputs
        if context.begins and not context.begins():
            return Verdict(ending.STOPPED, error="it could not begin within the period of its rate")
        running.set(context)
        value = known.function(**fields)
        if known.is_async:
            value = run_async(value)
        return success(value, context)
    except Exception as error:
        return verdict_of(error)


def success(value: Any, context: JobContext) -> Verdict:
    """The handler returned."""
    from qctl.rules import ending

    verdict = Verdict(ending.SUCCEEDED) if value is None else result_of(value)
    if context.children is not None and verdict.how == ending.SUCCEEDED:
        verdict.children = context.children
    return verdict


def verdict_of(error: Exception) -> Verdict:
    """What an exception of a handler says."""
    from qctl.rules import ending

    if isinstance(error, Retry):
        return Verdict(ending.RETRY, error=str(error), after=error.after)
    if isinstance(error, Snooze):
        return Verdict(ending.SNOOZE, error=str(error), after=error.after)
    if isinstance(error, Dead):
        return Verdict(ending.DEAD, error=str(error))
    return Verdict(ending.ERROR, error=describe(error))


class Begun(BaseException):
    """Raised by `begun`: the handler is a coroutine, which waits to be awaited."""

    def __init__(self, coroutine: Any) -> None:
        super().__init__()
        self.coroutine = coroutine


def begun(coroutine: Any) -> Any:
    raise Begun(coroutine)


async def call_async(known: Handler, payload: str, context: JobContext) -> Verdict:
    """Like `call`, for a handler that is a coroutine, on the running event loop."""
    try:
        return call(known, payload, context, begun)  # it did not get as far as the coroutine
    except Begun as it:
        try:
            value = await it.coroutine
        except Exception as error:
            return verdict_of(error)
        return success(value, context)


def result_of(value: Any) -> Verdict:
    """A handler's value as the job's result. One that has no JSON form fails for good: it would do so every time."""
    from qctl.rules import ending
    from qctl.rules.payload import DEFAULT_LIMIT, dumps

    try:
        text = dumps(value)
    except BadValue as error:
        return Verdict(ending.DEAD, error=f"its result {str(error).removeprefix('payload: it ')}")
    size = len(text) if text.isascii() else len(text.encode())
    if size > DEFAULT_LIMIT:
        return Verdict(ending.DEAD, error=f"its result has {size:,} bytes: at most {DEFAULT_LIMIT:,} are kept")
    return Verdict(ending.SUCCEEDED, result=text)


def describe(error: BaseException) -> str:
    """An exception as one line: its class and message."""
    text = str(error)
    name = type(error).__name__
    return (f"{name}: {text}" if text else name)[:2000]
