"""Requests and answers of JSON-RPC as a node's HTTP server has them, without the server.

exchange = Exchange(dispatcher, body, permissions)
exchange.advance() → Answer         what to send
                   → FaultAction    what to do instead; `Answer` follows with the next `advance`
                   → None           nothing yet: call again after the chain has grown
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from node.sim.errors import INVALID_REQUEST, RpcFault
from node.sim.faults import FaultAction
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.large import Large
from node.sim.rpc.methods import Waiting
from node.sim.rpc.panics import panicked
from node.sim.rpc.requests import MAX_REQUEST_BYTES, Request, parse_error, parse_request, read_request

Part = bytes | Large


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status and body; no body for a notification."""

    status: int
    parts: tuple[Part, ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether the body is better rendered where nobody waits for it."""
        return any(isinstance(part, Large) for part in self.parts)

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The body, rendered as it is read."""
        for part in self.parts:
            yield from part.pieces() if isinstance(part, Large) else (part,)


def encode(document: object) -> bytes:
    """JSON as Go writes it: no blanks, text as UTF-8."""
    return orjson.dumps(document)


def result_frame(request_id: str, result: object) -> bytes:
    """An answer to the request of an id, which is JSON already."""
    return _opening(request_id) + encode(result) + b"}"


def _opening(request_id: str) -> bytes:
    return f'{{"id":{request_id},"jsonrpc":"2.0","result":'.encode()


def _result_parts(request_id: str, result: object) -> tuple[Part, ...]:
    if isinstance(result, Large):
        return _opening(request_id), result, b"}"
    return (result_frame(request_id, result),)


def error_frame(fault: RpcFault, request_id: str) -> bytes:
    """An error answer to the request of an id, which is JSON already."""
    return b'{"error":' + encode(fault.document()) + f',"id":{request_id},"jsonrpc":"2.0"}}'.encode()


class Exchange:
    """One HTTP request with its requests in it, answered one after the other."""

    def __init__(self, dispatcher: Dispatcher, body: bytes, permissions: frozenset[str]) -> None:
        self._dispatcher = dispatcher
        self._permissions = permissions
        self._answers: list[tuple[Part, ...]] = []
        self._status = 200
        self._retry: Callable[[], object] | None = None
        self._is_batch = False
        self._requests: list[Request | RpcFault] = []
        try:
            self._take(parse_request(body))
        except RpcFault as fault:
            self._is_batch, self._requests = False, [fault]

    def _take(self, parsed: object) -> None:
        if not isinstance(parsed, list):
            self._requests = [_read(parsed)]
            return
        if not parsed:
            raise RpcFault(INVALID_REQUEST, "Invalid request", http_status=400)
        if not all(one is None or isinstance(one, dict) for one in parsed):
            raise parse_error()
        self._is_batch, self._requests = True, [_read(one) for one in parsed]

    def advance(self) -> Answer | FaultAction | None:
        """The answer, or what the transport is to do, or None where the chain has to grow first."""
        while self._requests:
            outcome = self._attempt(self._requests[0])
            if isinstance(outcome, Waiting):
                self._retry = outcome.retry
                return None
            self._retry = None
            if isinstance(outcome, FaultAction):
                return outcome
            self._requests.pop(0)
            if outcome:
                self._answers.append(outcome)
        return self._answer()

    def _attempt(self, request: Request | RpcFault) -> tuple[Part, ...] | Waiting | FaultAction:
        """One request's answer; nothing for a notification."""
        if isinstance(request, RpcFault):
            return self._failed(request, "null")
        try:
            result = self._result(request)
            if isinstance(result, Waiting | FaultAction):
                return result
            return () if request.is_notification else _result_parts(request.id, result)
        except RpcFault as fault:
            return self._failed(fault, request.id)
        except Exception as error:  # noqa: BLE001
            return self._failed(panicked(request.method, error), request.id)

    def _result(self, request: Request) -> object:
        if self._retry is not None:
            return self._retry()
        return self._dispatcher.answer(request.method, request.params, permissions=self._permissions)

    def _failed(self, fault: RpcFault, request_id: str) -> tuple[Part, ...]:
        if not self._is_batch:
            self._status = fault.http_status
        return (error_frame(fault, request_id),)

    def _answer(self) -> Answer:
        if not self._answers:
            return Answer(self._status)
        joined = _joined(self._answers)
        return Answer(self._status, (b"[", *joined, b"]\n") if self._is_batch else (*joined, b"\n"))


def _read(value: object) -> Request | RpcFault:
    try:
        return read_request(value)
    except RpcFault as fault:
        return fault


def _joined(answers: Sequence[tuple[Part, ...]]) -> Iterator[Part]:
    """The parts of all answers, with commas between them."""
    for position, answer in enumerate(answers):
        yield from answer if not position else (b",", *answer)


__all__ = ["MAX_REQUEST_BYTES", "Answer", "Exchange", "encode", "error_frame", "result_frame"]
