"""Requests and answers of JSON-RPC as a node's HTTP server has them, without the server.

exchange = Exchange(dispatcher, body, permissions)
exchange.advance() → Answer         what to send
                   → FaultAction    what to do instead; `Answer` follows with the next `advance`
                   → None           nothing yet: call again after the chain has grown
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from node.sim.errors import INVALID_REQUEST, PARSE_ERROR, RpcFault
from node.sim.faults import FaultAction
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.methods import Waiting

MAX_REQUEST_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status and body; no body for a notification."""

    status: int
    body: bytes


def parse_request(body: bytes) -> object:
    """The first JSON value of a body; RpcFault for none, and for one that is too large. What follows is passed over."""
    if len(body) > MAX_REQUEST_BYTES:
        text = f"request bigger than maximum {MAX_REQUEST_BYTES} allowed"
        raise RpcFault(PARSE_ERROR, text, http_status=500)
    if not body.strip():
        raise RpcFault(INVALID_REQUEST, "Invalid request", http_status=400)
    try:
        value, _ = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode(body.decode().lstrip())
    except (ValueError, RecursionError) as error:
        raise RpcFault(PARSE_ERROR, "Parse error", http_status=500) from error
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def encode(document: object) -> bytes:
    """JSON as Go writes it: no blanks, text as UTF-8, and a line's end."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def error_document(fault: RpcFault, request_id: object) -> dict[str, object]:
    """An error answer."""
    return {"error": fault.document(), "id": request_id, "jsonrpc": "2.0"}


class Exchange:
    """One HTTP request with its requests in it, answered one after the other."""

    def __init__(self, dispatcher: Dispatcher, body: bytes, permissions: frozenset[str]) -> None:
        self._dispatcher = dispatcher
        self._permissions = permissions
        self._answers: list[dict[str, object]] = []
        self._status = 200
        self._retry: Callable[[], object] | None = None
        self._early: Answer | None = None
        self._requests, self._is_batch = self._take(body)

    def _take(self, body: bytes) -> tuple[list[Any], bool]:
        try:
            parsed = parse_request(body)
        except RpcFault as fault:
            self._early = Answer(fault.http_status, encode(error_document(fault, None)))
            return [], False
        if isinstance(parsed, list) and not parsed:
            empty = RpcFault(INVALID_REQUEST, "Invalid request", http_status=400)
            self._early = Answer(400, encode(error_document(empty, None)))
            return [], False
        return (parsed, True) if isinstance(parsed, list) else ([parsed], False)

    def advance(self) -> Answer | FaultAction | None:
        """The answer, or what the transport is to do, or None where the chain has to grow first."""
        if self._early is not None:
            return self._early
        while self._requests:
            request = self._requests[0]
            outcome = self._attempt(request)
            if isinstance(outcome, Waiting):
                self._retry = outcome.retry
                return None
            self._retry = None
            if isinstance(outcome, FaultAction):
                return outcome
            self._requests.pop(0)
            if outcome is not None:
                self._answers.append(outcome)
        return self._answer()

    def _attempt(self, request: Any) -> dict[str, object] | Waiting | FaultAction | None:
        """One request's answer; None for a notification."""
        if not isinstance(request, dict):
            fault = RpcFault(PARSE_ERROR, "Parse error", http_status=500)
            return self._failed(fault, None)
        request_id = request.get("id")
        try:
            result = self._retry() if self._retry else self._call(request)
        except RpcFault as fault:
            return self._failed(fault, request_id)
        if isinstance(result, Waiting | FaultAction):
            return result
        if request_id is None:
            return None
        return {"id": request_id, "jsonrpc": "2.0", "result": result}

    def _call(self, request: dict[str, object]) -> object:
        name = str(request.get("method", ""))
        return self._dispatcher.call(name, request.get("params"), permissions=self._permissions)

    def _failed(self, fault: RpcFault, request_id: object) -> dict[str, object]:
        if not self._is_batch:
            self._status = fault.http_status
        return error_document(fault, request_id)

    def _answer(self) -> Answer:
        if not self._answers:
            return Answer(self._status, b"")
        return Answer(self._status, encode(self._answers if self._is_batch else self._answers[0]))
