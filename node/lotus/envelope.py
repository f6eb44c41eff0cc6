"""JSON-RPC 2.0: the text of a request, and the result or the error of an answer."""

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn

from node.chain.errors import GarbledAnswer
from node.errors import excerpt
from node.lotus.transport import Call, RpcFault

_MESSAGE_CHARS_MAX = 20_000


def request_document(call: Call, request_id: int) -> dict[str, object]:
    """A request as the wire has it."""
    return {"jsonrpc": "2.0", "id": request_id, "method": call.method, "params": list(call.params)}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; a name that stands twice in one leaves open what was meant."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return members


def parse_json(raw: bytes | str) -> object:
    """The JSON value of a whole text; GarbledAnswer where it is none."""
    try:
        document: object = json.loads(raw, parse_constant=_refuse_constant, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise GarbledAnswer(f"{excerpt(raw)} is no JSON: {_complaint(error)}") from error
    return document


def _complaint(error: Exception) -> str:
    return str(error)[:200] if str(error) else type(error).__name__


def result_of(document: object, request_id: int) -> object:
    """The result of an answer to that request. RpcFault for an error answer, GarbledAnswer for what is no answer."""
    if not isinstance(document, Mapping):
        raise GarbledAnswer(f"an answer is an object, not {excerpt(document)}")
    if document.get("error") is not None:
        raise fault_of(document["error"])
    if "result" not in document:
        raise GarbledAnswer("an answer with neither result nor error")
    if document.get("id") != request_id or isinstance(document.get("id"), bool):
        raise GarbledAnswer(f"an answer to {excerpt(document.get('id'))}, the question was {request_id}")
    return document["result"]


def fault_of(error: object) -> RpcFault:
    """The fault that an answer's `error` member tells; GarbledAnswer where it tells none."""
    if not isinstance(error, Mapping):
        raise GarbledAnswer(f"the error of an answer is an object, not {excerpt(error)}")
    code, message = error.get("code"), error.get("message")
    if type(code) is not int or not isinstance(message, str):
        raise GarbledAnswer(f"an error with code {excerpt(code)} and message {excerpt(message)}")
    return RpcFault(code, _printable(message[:_MESSAGE_CHARS_MAX]), data=error.get("data"))


def _printable(message: str) -> str:
    """The text without halves of characters, which no log can hold."""
    return message.encode("utf-8", "replace").decode("utf-8")


def batch_results(document: object, request_ids: Sequence[int]) -> tuple[object, ...]:
    """The results of a batch in the order of the requests, an RpcFault in the place of each that failed.

    RpcFault where the node refused the batch as a whole; GarbledAnswer where an answer is missing, doubled or odd.
    """
    if isinstance(document, Mapping) and document.get("error") is not None:
        raise fault_of(document["error"])
    if not isinstance(document, list) or len(document) != len(request_ids):
        raise GarbledAnswer(f"a batch of {len(request_ids)} was answered with {excerpt(document)}")
    by_id = {answer.get("id"): answer for answer in document if isinstance(answer, Mapping) and _has_id(answer)}
    return tuple(_result_or_fault(by_id.get(request_id), request_id) for request_id in request_ids)


def _has_id(answer: Mapping[str, object]) -> bool:
    return type(answer.get("id")) is int


def _result_or_fault(answer: object, request_id: int) -> object:
    try:
        return result_of(answer, request_id)
    except RpcFault as fault:
        return fault
