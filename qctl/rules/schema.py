"""JSON Schema: what the payloads of a type must look like. The only module that imports the validator, and late."""

from __future__ import annotations

from functools import lru_cache

from qctl.model import BadValue
from qctl.rules.payload import dumps, kind, refuse_constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LONGEST = 160  # characters of the validator's complaint that an error shows: it quotes the payload


def schema_text(text: str) -> str:
    """A schema as stored: compact JSON. Raises BadValue for what is no JSON Schema, or leads out of itself."""
    import json

    try:
        schema = json.loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise BadValue("schema: it is nested too deeply") from None
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadValue(f"schema: not JSON{where}: use a JSON Schema, which is an object") from None
    if not isinstance(schema, dict):
        raise BadValue(f"schema: use a JSON Schema, which is an object, not {kind(schema)}")
    stored = dumps(schema)
    compiled(stored)
    return stored


@lru_cache(maxsize=256)
def compiled(text: str) -> Any:
    """The validator of a schema. Raises BadValue that names the place in it. References stay within the schema."""
    import json

    from jsonschema import validators
    from jsonschema.exceptions import SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    schema = json.loads(text)
    draft = schema.get("$schema", "")
    if draft != "" and not (isinstance(draft, str) and draft in known_drafts()):
        raise BadValue(f"schema: $schema {str(draft)[:60]!r} is not known: leave it out for draft 2020-12")
    maker = validators.validator_for(schema, default=validators.Draft202012Validator)
    try:
        maker.check_schema(schema)
    except SchemaError as error:
        raise BadValue(f"schema: {place('schema', error.absolute_path)}: {shortened(error.message)}") from None
    except RecursionError:
        raise BadValue("schema: it is nested too deeply") from None
    registry: Any = Registry()  # an empty one: nothing is ever fetched
    resolver = registry.resolver_with_root(DRAFT202012.create_resource(schema))
    for reference in references(schema):
        if "$id" not in schema:
            try:
                resolver.lookup(reference)
            except (Unresolvable, ValueError):
                raise BadValue(
                    f"schema: $ref {reference[:60]!r} leads nowhere: use one within it, such as #/$defs/x"
                ) from None
    return maker(schema, registry=registry)


def known_drafts() -> set[str]:
    from jsonschema import validators

    makers = (
        validators.Draft202012Validator,
        validators.Draft201909Validator,
        validators.Draft7Validator,
        validators.Draft6Validator,
        validators.Draft4Validator,
    )
    names = {str(maker.META_SCHEMA.get("$id") or maker.META_SCHEMA.get("id")).rstrip("#") for maker in makers}
    return names | {name + "#" for name in names}


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            elif key not in ("enum", "const", "default", "examples"):
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def complaint(schema: str, payload: str, *, but: str | None = None) -> str | None:
    """Why a payload (JSON text) does not fit a schema (as stored), with the path in the payload; None when it does.

    `but`: texts with this in them stand for something else, and fit anything.
    """
    import json

    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return "payload: it is not JSON"
    from jsonschema.exceptions import best_match

    try:
        errors = compiled(schema).iter_errors(value)
        error = best_match(errors if but is None else (one for one in errors if not is_open(one, but)))
    except Exception as problem:  # plain SQL may have stored any text as a schema, and it must not end a worker
        return f"payload: its schema cannot be applied: {shortened(str(problem)) or type(problem).__name__}"
    return None if error is None else f"{place('payload', error.absolute_path)}: {shortened(error.message)}"


SURE = ("required", "additionalProperties", "type", "minItems", "maxItems", "minProperties", "maxProperties")
"""What a schema says of a whole that holds however a text within it reads."""


def is_open(error: Any, mark: str) -> bool:
    """Whether a complaint may be about a text that stands for something else."""
    if isinstance(error.instance, str) or error.validator not in SURE:
        return mark in dumps(error.instance)
    return False


def place(root: str, path: Any) -> str:
    """`payload.items[2].n`"""
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST // 2 - 3] + " ... " + line[-(LONGEST // 2 - 2) :]
