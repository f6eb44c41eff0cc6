"""One websocket's conversation, as go-jsonrpc leads it. Pure: frames in, frames out, all in the chain's thread.

request      → its answer, at once or when the chain has grown; none for a notification, a list, or what is no JSON
subscription → {"id":1,"result":7}, then {"method":"xrpc.ch.val","params":[7,…]} for each value
xrpc.cancel  → {"method":"xrpc.ch.close","params":[7]}; a request that waits is answered with an error
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from node.sim.chain import HeadChange
from node.sim.errors import RpcFault, failure
from node.sim.faults import FaultAction
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.envelope import Answer, Exchange, encode, error_document

GARBAGE = b"<html><body><h1>It works!</h1></body></html>"


class Line(Protocol):
    """What a session writes to."""

    def send(self, frame: bytes) -> None:
        """Sends a text frame."""

    def refuse(self) -> None:
        """Closes the connection: too many requests."""

    def cut(self, frame: bytes) -> None:
        """Sends half of a frame and ends the connection."""


@dataclass(frozen=True, slots=True)
class _Channel:
    """An open subscription: its number, and how to end it."""

    number: int
    close: Callable[[], None]


class Session:
    """Answers the frames of one connection."""

    def __init__(self, dispatcher: Dispatcher, permissions: frozenset[str], line: Line) -> None:
        self._dispatcher = dispatcher
        self._permissions = permissions
        self._line = line
        self._opened = 0
        self._channels: dict[str, _Channel] = {}
        """By the id of the request that opened it, as JSON."""
        self._waiting: dict[str, Exchange] = {}
        self._stop_listening = dispatcher.node.chain.listen(self._retry)

    def receive(self, frame: str | bytes) -> None:
        """Takes a frame: text, or bytes of the same."""
        text = frame.encode(errors="replace") if isinstance(frame, str) else frame
        request = _parsed(text)
        if not isinstance(request, dict):
            return
        name = str(request.get("method", ""))
        if name == "xrpc.cancel":
            self._cancel(request.get("params"))
        elif name == "eth_unsubscribe":
            self._unsubscribe(request)
        elif self._dispatcher.is_channel(name):
            self._open(name, request)
        else:
            key = json.dumps(request.get("id"))
            self._waiting[key] = Exchange(self._dispatcher, text, self._permissions)
            self._advance(key)

    def close(self) -> None:
        """Ends every subscription."""
        self._stop_listening()
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        self._waiting.clear()

    def _retry(self, _: Sequence[HeadChange]) -> None:
        for key in tuple(self._waiting):
            self._advance(key)

    def _advance(self, key: str) -> None:
        outcome = self._waiting[key].advance()
        if isinstance(outcome, FaultAction) and outcome.kind == "cut":
            outcome = self._waiting[key].advance()
            self._line.cut(outcome.body if isinstance(outcome, Answer) else GARBAGE)
        elif isinstance(outcome, FaultAction):
            self._misbehave(outcome)
        elif isinstance(outcome, Answer) and outcome.body:
            self._line.send(outcome.body.rstrip(b"\n"))
        if outcome is not None:
            self._waiting.pop(key, None)

    def _misbehave(self, fault: FaultAction) -> None:
        """What a failing node does instead of answering; a request that hangs is forgotten."""
        if fault.kind == "garbage":
            self._line.send(GARBAGE)
        elif fault.kind == "429":
            self._line.refuse()
        elif fault.kind == "cut":
            self._line.cut(GARBAGE)

    def _open(self, name: str, request: dict[str, Any]) -> None:
        """Opens a subscription: its channel's number, then what it begins with."""
        number, eth_id = self._opened + 1, ""

        def emit(value: object) -> None:
            self._line.send(encode(_value_frame(eth_id or number, value)).rstrip())

        try:
            opened = self._dispatcher.subscribe(name, request.get("params"), emit, permissions=self._permissions)
        except RpcFault as fault:
            self._line.send(encode(error_document(fault, request.get("id"))).rstrip())
            return
        eth_id = opened.eth_id or ""
        self._opened += 0 if eth_id else 1
        self._channels[json.dumps(eth_id or request.get("id"))] = _Channel(number, opened.close)
        self._line.send(encode({"id": request.get("id"), "jsonrpc": "2.0", "result": eth_id or number}).rstrip())
        for value in opened.first:
            emit(value)

    def _cancel(self, params: object) -> None:
        """Ends the subscription, or the wait, of a request's id."""
        key = json.dumps(params[0]) if isinstance(params, list) and params else ""
        channel = self._channels.pop(key, None)
        if channel is not None:
            channel.close()
            self._line.send(encode({"jsonrpc": "2.0", "method": "xrpc.ch.close", "params": [channel.number]}).rstrip())
        elif self._waiting.pop(key, None) is not None:
            self._line.send(encode(error_document(failure("context canceled"), json.loads(key))).rstrip())

    def _unsubscribe(self, request: dict[str, Any]) -> None:
        """Ends a subscription of eth_subscribe; whether there was one."""
        params = request.get("params")
        channel = self._channels.pop(json.dumps(params[0]) if isinstance(params, list) and params else "", None)
        if channel is not None:
            channel.close()
        self._line.send(encode({"id": request.get("id"), "jsonrpc": "2.0", "result": channel is not None}).rstrip())


def _value_frame(channel: int | str, value: object) -> dict[str, object]:
    """A value of a channel: of a numbered one, or of one of Ethereum's."""
    if isinstance(channel, str):
        params = {"subscription": channel, "result": value}
        return {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
    return {"jsonrpc": "2.0", "method": "xrpc.ch.val", "params": [channel, value]}


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
