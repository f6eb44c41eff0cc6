"""`/docs` from `openapi.json`: operations by tag, with parameters, fields, examples and a curl line each."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from explorer.web.contract import Contract

_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a document: its path in it, `evidence.claims.items[].id`, its type, what it means."""

    path: str
    type_name: str
    description: str
    optional: bool


@dataclass(frozen=True, slots=True)
class OperationView:
    """One operation, as the page shows it."""

    operation_id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Mapping[str, Any]]
    statuses: list[tuple[str, str]]
    media_types: list[str]
    fields: list[Field]
    curl: str
    example: str | None


def docs_view(contract: Contract, *, public_url: str) -> dict[str, Any]:
    """What the template is told: the file's own words, and its operations by tag."""
    groups = [(tag, _operations(contract, tag["name"], public_url)) for tag in contract.document["tags"]]
    return {"info": contract.document["info"], "groups": groups}


def _operations(contract: Contract, tag: str, public_url: str) -> list[OperationView]:
    found = []
    for path, item in contract.document["paths"].items():
        for method, node in item.items():
            if tag in node["tags"]:
                found.append(_operation(contract, method, path, node, public_url))
    return found


def _operation(contract: Contract, method: str, path: str, node: Mapping[str, Any], public_url: str) -> OperationView:
    parameters = [contract.resolve(p) for p in node.get("parameters", [])]
    content = _answered(node)
    schema = content.get("application/json", {}).get("schema", {})
    return OperationView(
        node["operationId"],
        method.upper(),
        path,
        node["summary"],
        node.get("description", ""),
        parameters,
        [(status, contract.resolve(r)["description"]) for status, r in node["responses"].items()],
        list(content),
        list(_fields(contract, schema, "", 0)),
        curl_line(method, public_url + _filled(path, parameters), node),
        _example(content),
    )


def _filled(path: str, parameters: list[Mapping[str, Any]]) -> str:
    """The path with examples in place of its parameters, and the query that is most worth seeing."""
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(parameter["example"]), safe=""))
    shown = {p["name"]: p["example"] for p in parameters if p["in"] == "query" and p["name"] in ("evidence", "q")}
    return f"{path}?{urlencode(shown)}" if shown else path


def _answered(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the operation answers when all is well, by media type; nothing where the status says it all."""
    good = (response for status, response in sorted(node["responses"].items()) if status.startswith("2"))
    first: Mapping[str, Any] = next(good, {})
    content: Mapping[str, Any] = first.get("content", {})
    return content


def curl_line(method: str, address: str, node: Mapping[str, Any]) -> str:
    """The operation's example as a line for a shell."""
    if "text/event-stream" in _answered(node):
        return f"curl --no-buffer {shlex.quote(address)}"
    words = ["curl", *([] if method in ("get", "post") else ["-X", method.upper()]), shlex.quote(address)]
    lines = [" ".join(words)]
    if any("clusterKey" in way for way in node.get("security", [])):
        lines.append('-H "Authorization: Bearer $KEY"')
    if "requestBody" in node:
        lines += _body_words(node["requestBody"]["content"])
    elif method == "post":
        lines[0] = lines[0].replace("curl", "curl -X POST", 1)
    return " \\\n  ".join(lines)


def _body_words(content: Mapping[str, Any]) -> list[str]:
    """An example of the body: JSON, or a form's fields."""
    if "application/json" not in content:
        [form] = content.values()
        return [f"--data-urlencode {shlex.quote(f'{name}={text}')}" for name, text in form["example"].items()]
    example = json.dumps(content["application/json"]["example"])
    return ["-H 'Content-Type: application/json'", f"-d {shlex.quote(example)}"]


def _example(content: Mapping[str, Any]) -> str | None:
    if "text/event-stream" in content:
        return str(content["text/event-stream"]["example"])
    example = content.get("application/json", {}).get("example")
    return None if example is None else json.dumps(example, indent=2, ensure_ascii=False)


def _fields(contract: Contract, schema: Mapping[str, Any], prefix: str, depth: int) -> Iterator[Field]:
    """The fields of a schema, depth first, as far down as a page can be read."""
    schema = contract.resolve(schema)
    for choice in schema.get("oneOf", []):
        yield from _fields(contract, choice, prefix, depth)
    required = schema.get("required", [])
    for name, node in schema.get("properties", {}).items():
        if "type" not in node and "$ref" not in node and "oneOf" not in node:
            continue
        yield from _field(contract, node, f"{prefix}{name}", optional=name not in required, depth=depth)


def _field(contract: Contract, node: Mapping[str, Any], path: str, *, optional: bool, depth: int) -> Iterator[Field]:
    found = contract.resolve(node)
    yield Field(path, _type_name(found), node.get("description", found.get("description", "")), optional)
    if depth < _DEPTH:
        if found.get("type") == "array":
            yield from _fields(contract, found["items"], f"{path}[].", depth + 1)
        else:
            yield from _fields(contract, found, f"{path}.", depth + 1)


def _type_name(schema: Mapping[str, Any]) -> str:
    """`integer or null`, `active | pending`, `date-time`."""
    if "enum" in schema:
        return " | ".join("null" if value is None else str(value) for value in schema["enum"])
    kinds = schema.get("type", "object")
    words = kinds if isinstance(kinds, str) else " or ".join(kinds)
    return words.replace("string", schema["format"]) if schema.get("format") == "date-time" else words
