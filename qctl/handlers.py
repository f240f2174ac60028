"""Handlers: Python functions that run typed jobs, and what they may raise to say how a job shall go on."""

from __future__ import annotations

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
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
    """Run the job again later, without using an attempt: what it needs is not there yet. `after` as in Retry."""

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


class JobContext:
    """What a handler is told of its job if it has a parameter `job`: number, id, type, attempt, max_attempts, and
    `context`, where the functions of `on_start` put what all jobs of a process share."""

    __slots__ = ("attempt", "id", "inputs_text", "max_attempts", "number", "type")

    def __init__(
        self, number: int, id: str, type: str, attempt: int, max_attempts: int, inputs: str | None = None
    ) -> None:
        self.inputs_text = inputs
        self.number = number
        self.id = id
        self.type = type
        self.attempt = attempt
        self.max_attempts = max_attempts

    def once(self, connection: sqlite3.Connection, name: str = "") -> bool:
        """Mark this job's effect as done, in the caller's own transaction; False when an earlier run did it already.

        `connection`: to the database that the effect is made in; mark and effect commit together or not at all, so a
        repeat after a crash skips what was done. The mark is a row of `processed_jobs`, which is made when it is missing.
        `name` tells several effects of one job apart. Raises BadValue when the connection would commit at once.

            if job.once(connection):
                connection.execute("UPDATE accounts SET ...")
            connection.commit()
        """
        from qctl.store.sqlite.once import mark

        return mark(connection, f"{self.id}:{name}" if name else self.id)

    @property
    def inputs(self) -> dict[str, Any]:
        """The results of the jobs that this one waited for: by step within its flow, else by number (as text)."""
        import json

        return json.loads(self.inputs_text) if self.inputs_text else {}

    @property
    def context(self) -> Context:
        return shared


class Context:
    """What all jobs of one handler process share, such as clients and pools: attributes, as `on_start` sets them."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no function of on_start has put {name!r} into the context")

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


shared = Context()
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
    """A registered handler: the function, and what its type says for its jobs."""

    __slots__ = (
        "backoff", "function", "is_async", "known_parameters", "max_attempts", "priority", "timeout", "type", "wants_inputs",
        "wants_job",
    )  # fmt: skip

    def __init__(
        self,
        type: str,
        function: Callable[..., Any],
        max_attempts: int | None,
        backoff: str | None,
        timeout: float | None,
        priority: int | None,
    ) -> None:
        self.type = type
        self.function = function
        self.max_attempts = max_attempts
        self.backoff = backoff
        self.timeout = timeout
        self.priority = priority
        code = getattr(function, "__code__", None)
        self.is_async = bool(code and code.co_flags & 0x80)  # inspect.CO_COROUTINE
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        self.wants_job = "job" in names
        self.wants_inputs = "inputs" in names
        self.known_parameters: Parameters | bool | None = False  # not looked at yet

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
) -> Callable[[Function], Function]:
    """Register a function, plain or `async`, as the handler of a type.

    It is called with the payload's fields as keyword arguments, and with `job=` (a JobContext) or `inputs=` (the results
    of the jobs that it waited for, a dict) if it has such a parameter. Its annotations describe the payload: what does
    not fit is refused, with the path in it, and dataclasses arrive as instances. What it returns, which must have a JSON
    form, is the job's result. It raises to fail the attempt, or Retry, Snooze or Dead to say how to go on. The options,
    as text or numbers like on the command line, hold for jobs
    that do not say otherwise. Raises BadValue for an option that is not accepted and for a second handler of a type.
    """
    from qctl.rules import newjob

    name = newjob.name("type", type)
    attempts = None if max_attempts is None else newjob.whole("max_attempts", max_attempts, 1, newjob.MOST_ATTEMPTS)
    wait = None if backoff is None else newjob.backoff_text(backoff)
    limit = None if timeout is None else newjob.timeout(timeout)
    rank = None if priority is None else newjob.priority(priority)

    def register(function: Function) -> Function:
        known = registry.get(name)
        if known is not None and place(known.function) != place(function):
            raise BadValue(f"type {name!r} has two handlers: {place(known.function)} and {place(function)}")
        registry[name] = Handler(name, function, attempts, wait, limit, rank)
        return function

    return register


def place(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', '?')}"


class Verdict:
    """How one call of a handler ended, in the words of rules/ending.py. `result` is JSON text."""

    __slots__ = ("after", "error", "how", "result")

    def __init__(
        self, how: str, result: str | None = None, error: str | None = None, after: float | None = None
    ) -> None:
        self.how = how
        self.result = result
        self.error = error
        self.after = after


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
        value = known.function(**fields)
        if known.is_async:
            value = run_async(value)
        if value is None:
            return Verdict(ending.SUCCEEDED)
        return result_of(value)
    except Exception as error:
        return verdict_of(error)


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
    from qctl.rules import ending

    try:
        return call(known, payload, context, begun)  # it did not get as far as the coroutine
    except Begun as it:
        try:
            value = await it.coroutine
        except Exception as error:
            return verdict_of(error)
        return Verdict(ending.SUCCEEDED) if value is None else result_of(value)


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
