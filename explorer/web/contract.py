"""The contract at work: routes, parameters and bodies as `openapi.json` describes them.

Validators are compiled once, at start. Texts of the address are turned into the type that their schema names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self, cast

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from multidict import MultiMapping
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from explorer.web.ports import Document
from explorer.web.problems import Problem, shortened

_ROOT = "urn:filplus:openapi"
_METHODS = ("get", "post", "put", "patch", "delete")
_INTEGER = re.compile(r"-?[0-9]{1,20}")

Validator = Draft202012Validator


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an address, in its path or its query."""

    name: str
    where: str
    schema: Mapping[str, Any]
    code: str
    validator: Validator

    def parse(self, text: str) -> str | int:
        """The parameter's value. Raises the problem that the contract names for this parameter."""
        is_number = self.schema.get("type") == "integer" and _INTEGER.fullmatch(text)
        value = int(text) if is_number else text
        if not self.validator.is_valid(value):
            shown = shortened(text, 60)
            raise Problem(self.code, f"{self.name} must be {_expectation(self.schema)}, not {shown!r}.", text)
        return value


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    operation_id: str
    method: str
    path: str
    parameters: Mapping[str, Parameter]
    body: Validator | None

    def read_query(self, query: MultiMapping[str]) -> dict[str, Any]:
        """The query's parameters by name, with defaults. Raises Problem for unknown, repeated, malformed ones."""
        known = {name: p for name, p in self.parameters.items() if p.where == "query"}
        for name in query:
            if name not in known:
                raise _unknown(name, known)
            if len(query.getall(name)) > 1:
                raise Problem("repeated_parameter", f"{name} is given more than once.", name)
        defaults = {name: p.schema.get("default") for name, p in known.items()}
        return defaults | {name: known[name].parse(query[name]) for name in query}

    def read_path(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The path's parameters by name. Raises Problem for malformed ones."""
        return {name: self.parameters[name].parse(text) for name, text in texts.items()}

    def check_body(self, document: Any) -> None:
        """Returns when the body fits. Raises Problem with the first thing that doesn't."""
        error = next(self.body.iter_errors(document), None) if self.body else None
        if error is not None:
            raise _body_problem(error)


def _unknown(name: str, known: Mapping[str, Parameter]) -> Problem:
    takes = ", ".join(known) or "no parameters"
    shown = shortened(name, 60)
    return Problem("unknown_parameter", f"{shown!r} is no parameter of this address.", name, f"It takes {takes}.")


def _expectation(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    kind = {"cid": "a CID", "date-time": "an RFC 3339 time"}.get(schema.get("format", ""), "text")
    limit = f" of at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    return f"{kind}{limit} without control characters"


def _body_problem(error: ValidationError) -> Problem:
    """The first member of a body decides the code: too many CIDs, a bad epoch, or another shape."""
    where = ".".join(map(str, error.absolute_path)) or "the body"
    if error.validator == "maxItems":
        count = len(cast("list[Any]", error.instance))
        return Problem(
            "too_many_cids", f"{where} has {count} entries; {error.validator_value} are allowed.", str(count)
        )
    code = "malformed_epoch" if where == "at_epoch" else "malformed_body"
    value = shortened(orjson.dumps(error.instance, default=str).decode(), 60)
    return Problem(code, f"{where}: {shortened(error.message, 200)}.", value)


class Contract:
    """The whole of `openapi.json`, with its operations and schemas ready to be checked against."""

    def __init__(self, document: Document) -> None:
        self.document = document
        resource = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, resource)
        self.operations = {found.operation_id: found for found in self._read_operations()}

    @classmethod
    def load(cls, *, public_url: str, version: str) -> Self:
        """The packaged contract, with this service's address and version written in."""
        document = orjson.loads(files(__package__).joinpath("openapi.json").read_bytes())
        document["info"]["version"] = version
        document["servers"] = [{"url": public_url}]
        return cls(document)

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The node itself, or what its `$ref` points at."""
        while "$ref" in node:
            found: Any = self.document
            for step in str(node["$ref"]).removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def validator(self, schema: Mapping[str, Any]) -> Validator:
        """A validator of a schema of this file, whose references count from the file's root."""
        return Draft202012Validator(_absolute(schema), registry=self._registry)

    def response_schema(self, operation_id: str, status: int, media_type: str) -> Mapping[str, Any] | None:
        """The schema of an answer; None when the contract has no such status or type."""
        operation = self.operations[operation_id]
        responses = self.document["paths"][operation.path][operation.method]["responses"]
        if str(status) not in responses:
            return None
        content = self.resolve(responses[str(status)]).get("content", {})
        schema: Mapping[str, Any] | None = content.get(media_type, {}).get("schema")
        return schema

    def _read_operations(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            for method in _METHODS:
                if method in item:
                    yield self._read_operation(path, method, item[method])

    def _read_operation(self, path: str, method: str, node: Mapping[str, Any]) -> Operation:
        parameters = [self._read_parameter(self.resolve(p)) for p in node.get("parameters", [])]
        content = self.resolve(node.get("requestBody", {})).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        body = None if schema is None else self.validator(schema)
        return Operation(node["operationId"], method, path, {p.name: p for p in parameters}, body)

    def _read_parameter(self, node: Mapping[str, Any]) -> Parameter:
        schema = self.resolve(node["schema"])
        code = node.get("x-problem-code", "malformed_parameter")
        return Parameter(node["name"], node["in"], schema, code, self.validator(schema))


def _absolute(node: Any) -> Any:
    """The schema with `#/…` references made to count from the registered file."""
    if isinstance(node, dict):
        return {
            key: f"{_ROOT}{value}" if key == "$ref" and value.startswith("#") else _absolute(value)
            for key, value in node.items()
        }
    return [_absolute(entry) for entry in node] if isinstance(node, list) else node
