"""The contract at work: routes, parameters and bodies as `openapi.json` describes them.

Validators are compiled once, at start. Texts of the address are turned into the type that their schema names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

import orjson
from jsonschema import Draft202012Validator
from multidict import MultiMapping
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from explorer.web.misfits import body_problem
from explorer.web.ports import Document
from explorer.web.problems import Problem, shortened

_ROOT = "urn:filplus:openapi"
_METHODS = ("get", "post", "put", "patch", "delete")
_BODIES = ("application/json", "application/x-www-form-urlencoded")
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
    is_required: bool = False
    named: str | None = None
    """What the parameter is the id of, where a text that can't be one is answered as an id that nothing has."""
    example: str | None = None

    def parse(self, text: str) -> str | int:
        """The parameter's value. Raises the problem that the contract names for this parameter."""
        is_number = self.schema.get("type") == "integer" and _INTEGER.fullmatch(text)
        value = int(text) if is_number else text
        if not self.validator.is_valid(value):
            shown = shortened(text, 60)
            if self.named is not None:
                raise self._nothing_named(shown, text)
            raise Problem(self.code, f"{self.name} must be {_expectation(self.schema)}, not {shown!r}.", text)
        return value

    def _nothing_named(self, shown: str, text: str) -> Problem:
        detail = f"There is no {self.named} {shown!r}: ids of {self.named}s look like {self.example}."
        return Problem(self.code, detail, text, f"GET /{self.named}s lists those that you may see.")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One way to be let in: the security scheme to be recognised by, and the scopes that must all be had."""

    scheme: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address. `security` lists the ways in; `is_open`: one may come without any; `has_page`: a
    browser gets a page of it."""

    operation_id: str
    method: str
    path: str
    parameters: Mapping[str, Parameter]
    body: Validator | None
    security: tuple[Requirement, ...] = ()
    is_open: bool = True
    has_page: bool = False

    def read_query(self, query: MultiMapping[str]) -> dict[str, Any]:
        """The query's parameters by name, with defaults. Problem for unknown, repeated, missing, malformed ones."""
        known = {name: p for name, p in self.parameters.items() if p.where == "query"}
        for name in query:
            if name not in known:
                raise _unknown(name, known)
            if len(query.getall(name)) > 1:
                raise Problem("repeated_parameter", f"{name} is given more than once.", name)
        for name, parameter in known.items():
            if parameter.is_required and name not in query:
                raise Problem(parameter.code, f"{name} is missing.", name)
        defaults = {name: p.schema.get("default") for name, p in known.items()}
        return defaults | {name: known[name].parse(query[name]) for name in query}

    def read_path(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The path's parameters by name. Raises Problem for malformed ones."""
        return {name: self.parameters[name].parse(text) for name, text in texts.items()}

    def check_body(self, document: Any) -> None:
        """Returns when the body fits. Raises Problem with the first thing that doesn't."""
        try:
            error = next(self.body.iter_errors(document), None) if self.body else None
        except RecursionError as too_deep:
            raise Problem("malformed_body", "the body is nested too deeply.") from too_deep
        if error is not None:
            raise body_problem(error)


def _unknown(name: str, known: Mapping[str, Parameter]) -> Problem:
    takes = ", ".join(known) or "no parameters"
    shown = shortened(name, 60)
    return Problem("unknown_parameter", f"{shown!r} is no parameter of this address.", name, f"It takes {takes}.")


def _expectation(schema: Mapping[str, Any]) -> str:
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    kind = {"cid": "a CID", "date-time": "an RFC 3339 time"}.get(schema.get("format", ""), "text")
    limit = f" of at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    return f"{kind}{limit} without control characters"


class Contract:
    """The whole of `openapi.json`, with its operations and schemas ready to be checked against."""

    def __init__(self, document: Document) -> None:
        self.document = document
        resource = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, resource)
        self.operations = {found.operation_id: found for found in self._read_operations()}
        self._by_place = {(found.path, found.method): found for found in self.operations.values()}

    @classmethod
    def load(cls, *, public_url: str, version: str) -> Self:
        """The packaged contract, with this service's address and version written in."""
        document = orjson.loads(files(__package__).joinpath("openapi.json").read_bytes())
        document["info"]["version"] = version
        document["servers"] = [{"url": public_url}]
        return cls(document)

    def operation_at(self, path: str, method: str) -> Operation | None:
        """The operation of a path's template and a method; None where there is none. HEAD is what GET is."""
        return self._by_place.get((path, "get" if method == "HEAD" else method.lower()))

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
        schema = next((content[kind]["schema"] for kind in _BODIES if kind in content), None)
        body = None if schema is None else self.validator(schema)
        security, is_open = self._read_security(method, node)
        answers = node["responses"].get("200", {}).get("content", {})
        return Operation(
            node["operationId"],
            method,
            path,
            {p.name: p for p in parameters},
            body,
            security,
            is_open=is_open,
            has_page="text/html" in answers,
        )

    def _read_security(self, method: str, node: Mapping[str, Any]) -> tuple[tuple[Requirement, ...], bool]:
        """The ways in, and whether anybody may come. What isn't a GET must say it, `[]` where everybody may."""
        if method != "get" and "security" not in node:
            raise RuntimeError(f"openapi.json: {node['operationId']} does not say who may use it (security)")
        ways = node.get("security", [])
        schemes = self.document["components"].get("securitySchemes", {})
        for way in ways:
            if len(way) > 1 or not set(way).issubset(schemes):
                raise RuntimeError(f"openapi.json: {node['operationId']} names a way in that isn't known: {way}")
        required = tuple(Requirement(name, frozenset(scopes)) for way in ways for name, scopes in way.items())
        return required, not required or {} in ways

    def _read_parameter(self, node: Mapping[str, Any]) -> Parameter:
        schema = self.resolve(node["schema"])
        code = node.get("x-problem-code", "malformed_parameter")
        is_required = bool(node.get("required", False))
        return Parameter(
            node["name"],
            node["in"],
            schema,
            code,
            self.validator(schema),
            is_required=is_required,
            named=node.get("x-id-of"),
            example=node.get("example"),
        )


def _absolute(node: Any) -> Any:
    """The schema with `#/…` references made to count from the registered file."""
    if isinstance(node, dict):
        return {
            key: f"{_ROOT}{value}" if key == "$ref" and value.startswith("#") else _absolute(value)
            for key, value in node.items()
        }
    return [_absolute(entry) for entry in node] if isinstance(node, list) else node
