"""What a handler's annotations say of its payload: a JSON Schema, and the values as the function wants them.

`int`, `float`, `str`, `bool`, `None`, `Literal`, `Optional` and unions, lists, mappings by text, TypedDicts, dataclasses
(which arrive as instances). Whatever else an annotation says is taken for anything: it refuses nothing.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections import abc
from typing import Any

from qctl.model import BadValue
from qctl.rules.newjob import shown
from qctl.rules.payload import kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Convert = Callable[[Any, str], Any]

ARRAYS = (list, abc.Sequence, abc.MutableSequence, abc.Iterable, abc.Collection)
OBJECTS = (dict, abc.Mapping, abc.MutableMapping)
NAMES = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
         "null": "null", "array": "an array", "object": "an object"}  # fmt: skip


class Shape:
    """What a value must look like: `schema`, and `convert(value, path)`, which raises BadValue that names the path."""

    __slots__ = ("convert", "schema")

    def __init__(self, schema: dict[str, Any], convert: Convert) -> None:
        self.schema = schema
        self.convert = convert


class Parameters:
    """The parameters of a handler as the fields of its payload."""

    def __init__(self, fields: dict[str, tuple[Shape, bool]], open_: bool, defs: dict[str, Any]) -> None:
        self.fields = fields
        self.is_open = open_
        self.schema = {**object_schema(fields, open_), **({"$defs": defs} if defs else {})}

    def convert(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments for a payload. Raises BadValue that names the path in it."""
        return convert_fields(payload, "payload", self.fields, self.is_open)


def parameters_of(function: Callable[..., Any]) -> Parameters | None:
    """The payload that a handler's annotations describe; None when they describe nothing, or cannot be read."""
    try:
        signature = inspect.signature(function, follow_wrapped=False)
        hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, ValueError, AttributeError, SyntaxError):
        return None  # names that only a type checker sees: the function runs all the same
    builder = Builder()
    fields: dict[str, tuple[Shape, bool]] = {}
    is_open = False
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            is_open = True
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            return None
        elif name not in ("job", "inputs"):
            fields[name] = builder.shape(hints.get(name, Any)), parameter.default is parameter.empty
    if not any(shape.schema for shape, _required in fields.values()):
        return None
    if "job" in signature.parameters or "inputs" in signature.parameters:
        is_open = True  # a payload may have a field of that name, which then is the argument
    return Parameters(fields, is_open, builder.defs)


def object_schema(fields: Mapping[str, tuple[Shape, bool]], open_: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: shape.schema for name, (shape, _required) in fields.items()},
    }
    required = [name for name, (_shape, required) in fields.items() if required]
    if required:
        schema["required"] = required
    if not open_:
        schema["additionalProperties"] = False
    return schema


def convert_fields(
    value: Mapping[str, Any], path: str, fields: Mapping[str, tuple[Shape, bool]], open_: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in value.items():
        known = fields.get(name)
        if known is not None:
            found[name] = known[0].convert(field, f"{path}.{name}")
        elif open_:
            found[name] = field
        else:
            raise BadValue(f"{path}.{name[:60]}: there is no such field: use {', '.join(fields) or 'none'}")
    for name, (_shape, required) in fields.items():
        if required and name not in found:
            raise BadValue(f"{path}.{name}: it is missing")
    return found


class Builder:
    """Shapes of annotations. `defs`: the schemas of named types, which may refer to themselves."""

    def __init__(self) -> None:
        self.defs: dict[str, Any] = {}
        self.named: dict[Any, Shape] = {}

    def shape(self, annotation: Any) -> Shape:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in (typing.Annotated, typing.Required, typing.NotRequired):
            return self.shape(arguments[0])
        if annotation is None or annotation is type(None):
            return plain("null")
        if origin in (typing.Union, types.UnionType):
            return self.union(arguments)
        if origin is typing.Literal:
            return literal(arguments)
        scalar = {bool: "boolean", int: "integer", float: "number", str: "string"}
        if isinstance(annotation, type) and annotation in scalar:
            return plain(scalar[annotation])
        if (origin or annotation) in ARRAYS:
            return self.array(arguments)
        if (origin or annotation) in OBJECTS:
            return self.mapping(arguments)
        if typing.is_typeddict(annotation) or (dataclasses.is_dataclass(annotation) and isinstance(annotation, type)):
            return self.record(annotation)
        return Shape({}, lambda value, _path: value)

    def union(self, members: tuple[Any, ...]) -> Shape:
        shapes = [self.shape(member) for member in members]
        if any(not shape.schema for shape in shapes):
            return Shape({}, lambda value, _path: value)
        others = [shape for shape in shapes if shape.schema != {"type": "null"}]

        def convert(value: Any, path: str) -> Any:
            if value is None and len(others) < len(shapes):
                return None
            if len(others) == 1:
                return others[0].convert(value, path)
            for shape in others:
                try:
                    return shape.convert(value, path)
                except BadValue:
                    continue
            raise BadValue(f"{path}: {shown(value)} fits none of the {len(shapes)} kinds that are accepted")

        return Shape({"anyOf": [shape.schema for shape in shapes]}, convert)

    def array(self, arguments: tuple[Any, ...]) -> Shape:
        items = self.shape(arguments[0]) if arguments else None

        def convert(value: Any, path: str) -> Any:
            if not isinstance(value, list):
                raise wrong(value, path, "array")
            if items is None or not items.schema:
                return value
            return [items.convert(item, f"{path}[{index}]") for index, item in enumerate(value)]

        return Shape({"type": "array", **({"items": items.schema} if items and items.schema else {})}, convert)

    def mapping(self, arguments: tuple[Any, ...]) -> Shape:
        values = self.shape(arguments[1]) if len(arguments) == 2 and arguments[0] is str else None

        def convert(value: Any, path: str) -> Any:
            if not isinstance(value, dict):
                raise wrong(value, path, "object")
            if values is None or not values.schema:
                return value
            return {name: values.convert(field, f"{path}.{name}") for name, field in value.items()}

        more = {"additionalProperties": values.schema} if values and values.schema else {}
        return Shape({"type": "object", **more}, convert)

    def record(self, annotation: Any) -> Shape:
        """A TypedDict, or a dataclass, whose instance is made."""
        known = self.named.get(annotation)
        if known is not None:
            return known
        name = annotation.__name__
        while name in self.defs:
            name += "_"
        self.defs[name] = {}
        fields: dict[str, tuple[Shape, bool]] = {}
        is_class = dataclasses.is_dataclass(annotation)

        def convert(value: Any, path: str) -> Any:
            if not isinstance(value, dict):
                raise wrong(value, path, "object")
            found = convert_fields(value, path, fields, not is_class)
            if not is_class:
                return found
            try:
                return annotation(**found)
            except (TypeError, ValueError) as error:
                raise BadValue(f"{path}: {error}") from None

        shape = self.named[annotation] = Shape({"$ref": f"#/$defs/{name}"}, convert)
        hints = typing.get_type_hints(annotation, include_extras=True)
        for field, required in required_of(annotation, hints).items():
            fields[field] = self.shape(hints[field]), required
        self.defs[name] = object_schema(fields, not is_class)
        return shape


def required_of(annotation: Any, hints: Mapping[str, Any]) -> dict[str, bool]:
    """The fields of a TypedDict or a dataclass, and whether each must be there."""
    if dataclasses.is_dataclass(annotation):
        missing = dataclasses.MISSING
        return {
            field.name: field.default is missing and field.default_factory is missing
            for field in dataclasses.fields(annotation)
            if field.init
        }
    marks = {typing.Required: True, typing.NotRequired: False}
    # The marks are looked at here, because as text (`from __future__ import annotations`) the class did not see them.
    return {
        name: marks.get(typing.get_origin(hint), name in annotation.__required_keys__) for name, hint in hints.items()
    }


def plain(name: str) -> Shape:
    accepts = {"null": type(None), "boolean": bool, "integer": int, "number": (int, float), "string": str}[name]
    is_number = name in ("integer", "number")

    def convert(value: Any, path: str) -> Any:
        if isinstance(value, accepts) and not (is_number and isinstance(value, bool)):  # type: ignore[arg-type]
            return value
        if name == "integer" and isinstance(value, float) and value.is_integer():
            return int(value)  # 1.0 is a whole number in JSON
        raise wrong(value, path, name)

    return Shape({"type": name}, convert)


def literal(options: tuple[Any, ...]) -> Shape:
    if not all(option is None or isinstance(option, (str, int)) for option in options):
        return Shape({}, lambda value, _path: value)  # an enum's member, bytes: JSON has no such value

    def convert(value: Any, path: str) -> Any:
        for option in options:
            if value == option and isinstance(value, bool) == isinstance(option, bool):
                return option
        raise BadValue(f"{path}: {shown(value)} is not among what is accepted: {', '.join(map(repr, options))}")

    return Shape({"enum": list(options)}, convert)


def wrong(value: Any, path: str, name: str) -> BadValue:
    what = kind(value) if isinstance(value, (list, dict, type(None))) else shown(value)
    return BadValue(f"{path}: use {NAMES[name]}, not {'an object' if isinstance(value, dict) else what}")
