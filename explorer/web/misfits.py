"""What doesn't fit in a body, in the words of JSON and of the contract: never a regular expression, nor Python's."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

import orjson
from jsonschema.exceptions import ValidationError

from explorer.web.problems import Problem, shortened

_KINDS: Final = {
    "array": "a list",
    "object": "an object",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_SHOWN_CHARACTERS: Final = 60
_NAMED_FIELDS: Final = 5


def body_problem(error: ValidationError) -> Problem:
    """The problem of a body's first misfit, whose field decides the code: too many CIDs, a bad epoch, another shape."""
    error = _innermost(error)
    where = _where(error.absolute_path)
    if error.validator == "maxItems":
        count = len(cast("list[Any]", error.instance))
        detail = f"{where or 'The body'} has {count} entries; {error.validator_value} are allowed."
        return Problem("too_many_cids", detail, str(count))
    code = "malformed_epoch" if where == "at_epoch" else "malformed_body"
    return Problem(code, f"{_sentence(error, where)}.", _value(error.instance))


def _innermost(error: ValidationError) -> ValidationError:
    """What is wrong with the one branch that was meant, where the others only take null; else the error itself."""
    while error.validator in ("oneOf", "anyOf"):
        meant = [inner for inner in error.context or () if inner.validator_value != "null"]
        branches = {inner.schema_path[0] for inner in meant}
        if len(branches) != 1:
            break
        error = meant[0]
    return error


def _where(path: Iterable[str | int]) -> str:
    """`results.outputs[0].cid`; empty for the body itself."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _sentence(error: ValidationError, where: str) -> str:
    match error.validator:
        case "required":
            return _missing(error, where)
        case "additionalProperties":
            return _unknown(error, where)
        case "minLength" if not error.instance:
            return f"{where} is empty: {_expectation(error)} is due"
        case "maxLength":
            length = len(cast("str", error.instance))
            return f"{where} may have at most {error.validator_value} characters, not {length}"
        case "minItems" if not error.instance:
            return f"{where} is an empty list: at least one entry is due"
        case _:
            return f"{where or 'The body'} must be {_expectation(error)}, not {_instance(error.instance)}"


def _missing(error: ValidationError, where: str) -> str:
    due, held = cast("list[str]", error.validator_value), cast("Mapping[str, Any]", error.instance)
    names = [f"{where}.{name}" if where else name for name in due if name not in held]
    return f"{_listed(names, 'and')} {'is' if len(names) == 1 else 'are'} missing"


def _unknown(error: ValidationError, where: str) -> str:
    schema, held = cast("Mapping[str, Any]", error.schema), cast("Mapping[str, Any]", error.instance)
    known = list(schema.get("properties", ()))
    others = [_instance(name) for name in held if name not in known]
    more = [f"{len(others) - _NAMED_FIELDS} more"] if len(others) > _NAMED_FIELDS else []
    named = _listed([*others[:_NAMED_FIELDS], *more], "and")
    are = "is no field" if len(others) == 1 else "are no fields"
    return f"{named} {are} of {where or 'the body'}, which takes {_listed(known, 'and')}"


def _expectation(error: ValidationError) -> str:
    """What the schema takes there."""
    schema = cast("Mapping[str, Any]", error.schema)
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return _listed([json.dumps(one) for one in schema["enum"]], "or")
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else list(schema.get("type", ()))
    return _listed([_kind(kind, schema) for kind in kinds], "or") or "of another form"


def _kind(kind: str, schema: Mapping[str, Any]) -> str:
    if kind in ("integer", "number") and "minimum" in schema and "maximum" in schema:
        return f"{_KINDS[kind]} from {schema['minimum']} to {schema['maximum']}"
    if kind in ("integer", "number") and "minimum" in schema:
        return f"{_KINDS[kind]} from {schema['minimum']} on"
    if kind == "string" and "maxLength" in schema:
        return f"text of at most {schema['maxLength']} characters"
    return _KINDS[kind]


def _instance(value: Any) -> str:
    """What was sent, as JSON; of lists and objects only that they are that."""
    if isinstance(value, list | dict):
        return _KINDS["array" if isinstance(value, list) else "object"]
    text = shortened(json.dumps(value, ensure_ascii=False), _SHOWN_CHARACTERS)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _listed(names: Sequence[str], word: str) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = names or [""]
    return f"{', '.join(most)} {word} {last}" if most else last


def _value(instance: Any) -> str | None:
    """The culprit as JSON, shortened; None where it is nested too deeply to be written."""
    try:
        return shortened(orjson.dumps(instance, default=str).decode(), _SHOWN_CHARACTERS)
    except TypeError:
        return None
