"""What a client sends, read as Go's decoder reads it into go-jsonrpc's request.

Members are found in any case, the last one counts; a method is a text; an id is a text, a number or null, and numbers
are Go's float64. Text that is no Unicode has U+FFFD in its place.

Source: go-jsonrpc handler.go (request, normalizeID); encoding/json.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import orjson

from node.sim.errors import INVALID_REQUEST, PARSE_ERROR, RpcFault

MAX_REQUEST_BYTES = 100 * 1024 * 1024
TOO_LARGE = f"request bigger than maximum {MAX_REQUEST_BYTES} allowed"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_EXACT_INTEGER = 1 << 53
_LEAST_PLAIN, _LEAST_EXPONENT = 1e-6, 1e21
_GO_KINDS = {bool: "bool", list: "[]interface {}", dict: "map[string]interface {}"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `id`: its JSON as Go prints it, "null" for a notification."""

    id: str
    method: str
    params: object = None

    @property
    def is_notification(self) -> bool:
        """Whether nobody waits for its answer."""
        return self.id == "null"


def parse_request(body: bytes) -> object:
    """The first JSON value of a body; RpcFault for none, and for one that is too large. What follows is passed over."""
    if len(body) > MAX_REQUEST_BYTES:
        raise RpcFault(PARSE_ERROR, TOO_LARGE, http_status=500)
    if not body.strip():
        raise RpcFault(INVALID_REQUEST, "Invalid request", http_status=400)
    try:
        return _value_of(body, whole=False)
    except (ValueError, RecursionError) as error:
        raise parse_error() from error


def parse_frame(body: bytes) -> Request | None:
    """The request of a websocket's frame; None for all that a node passes over."""
    try:
        value = _value_of(body, whole=True)
        return read_request(value) if isinstance(value, Mapping) else None
    except (ValueError, RecursionError, RpcFault):
        return None


def read_request(value: object) -> Request:
    """The request of a JSON value; RpcFault where it is none."""
    members = _members({} if value is None else value)
    method, meta = members.get("method"), members.get("meta")
    texts = [method, members.get("jsonrpc"), *(meta.values() if isinstance(meta, Mapping) else ())]
    if not all(one is None or isinstance(one, str) for one in texts) or not isinstance(meta, Mapping | None):
        raise parse_error()
    return Request(id_text(members.get("id")), str(method or ""), members.get("params"))


def _members(value: object) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise parse_error()
    return {name.lower(): member for name, member in value.items()}


def parse_error() -> RpcFault:
    """The answer to what is no request."""
    return RpcFault(PARSE_ERROR, "Parse error", http_status=500)


def id_text(value: object) -> str:
    """An id's JSON; RpcFault for what is no id."""
    if value is None or isinstance(value, str):
        return orjson.dumps(value).decode()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(value)
    text = f"failed to parse ID: invalid id type: {_GO_KINDS[type(value)]}"
    raise RpcFault(PARSE_ERROR, text, http_status=500)


def _number_text(value: float) -> str:
    """A number as Go prints a float64: digits, or an exponent where they were many."""
    if isinstance(value, int) and abs(value) <= _EXACT_INTEGER:
        return str(value)
    try:
        number = float(value)
    except OverflowError as error:
        raise parse_error() from error
    if number and not _LEAST_PLAIN <= abs(number) < _LEAST_EXPONENT:
        mantissa, _, exponent = repr(number).partition("e")
        return f"{mantissa}e{exponent[0]}{abs(int(exponent))}"
    return format(Decimal(repr(number)), "f").removesuffix(".0")


def _value_of(body: bytes, *, whole: bool) -> object:
    """The JSON value at the start of a body, or that is all of it. ValueError, or RecursionError, for none."""
    text = body.decode(errors="replace").lstrip(" \t\r\n")
    value, end = _DECODER.raw_decode(text)
    if whole and text[end:].strip(" \t\r\n"):
        raise ValueError("something follows")
    return _without_surrogates(value) if _ESCAPED_SURROGATE.search(body) else value


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(one) for one in value]
    if isinstance(value, Mapping):
        return {_without_surrogates(key): _without_surrogates(one) for key, one in value.items()}
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond a float64")
    return number


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
