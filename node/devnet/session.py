"""One websocket's conversation, as go-jsonrpc leads it. Pure: frames in, frames out, all in the chain's thread.

request      → its answer, at once or when the chain has grown; none for a notification, a list, or what is no JSON
subscription → {"id":1,"result":7}, then {"method":"xrpc.ch.val","params":[7,…]} for each value
xrpc.cancel  → {"method":"xrpc.ch.close","params":[7]}; a request that waits is answered with an error

While the chain changes, a session only notes that it does: a request within which the chain grows is never taken up
again by its own doing. What the change means for it is done by `settle`, after the change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.devnet.channels import GARBAGE, Channels
from node.devnet.lines import Frame, Line
from node.sim.chain import HeadChange
from node.sim.errors import RpcFault, failure
from node.sim.faults import FaultAction
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.envelope import Answer, Exchange, error_frame, result_frame
from node.sim.rpc.panics import panicked
from node.sim.rpc.requests import Request, id_text, parse_frame


@dataclass(frozen=True, slots=True)
class _Wait:
    """A request that waits for the chain to grow."""

    request_id: str
    exchange: Exchange


class Session:
    """Answers the frames of one connection."""

    def __init__(self, dispatcher: Dispatcher, permissions: frozenset[str], line: Line) -> None:
        self._dispatcher = dispatcher
        self._permissions = permissions
        self._line = line
        self._channels = Channels(dispatcher, permissions, line)
        self._waiting: list[_Wait] = []
        self._has_grown = False
        self._stop_listening = dispatcher.node.chain.listen(self._hear)

    def receive(self, frame: str | bytes) -> None:
        """Takes a frame: text, or bytes of the same."""
        self.settle()
        text = frame.encode(errors="replace") if isinstance(frame, str) else frame
        request = parse_frame(text)
        if request is not None and request.method:
            self._take(request, text)
        self.settle()

    def _take(self, request: Request, text: bytes) -> None:
        if request.method == "xrpc.cancel":
            self._cancel(request.params)
        elif request.method == "eth_unsubscribe":
            self._unsubscribe(request)
        elif self._dispatcher.is_channel(request.method):
            self._open(request)
        else:
            self._advance(_Wait(request.id, Exchange(self._dispatcher, text, self._permissions)))

    def settle(self) -> None:
        """Sends what the chain has told, and tries again what waits for it to grow. Never within a change of it."""
        while self._has_grown or self._channels.has_news:
            self._has_grown = False
            self._channels.tell()
            waiting, self._waiting = self._waiting, []
            for wait in waiting:
                self._advance(wait)

    def close(self) -> None:
        """Ends every subscription."""
        self._stop_listening()
        self._channels.close()
        self._waiting.clear()

    def _hear(self, _: Sequence[HeadChange]) -> None:
        self._has_grown = True
        if self._waiting:
            self._line.settle_soon()

    def _advance(self, wait: _Wait) -> None:
        outcome = wait.exchange.advance()
        self._channels.tell()
        if outcome is None:
            self._waiting.append(wait)
        elif isinstance(outcome, Answer):
            self._send(outcome)
        elif outcome.kind == "cut":
            answer = wait.exchange.advance()
            self._line.cut(_frame_of(answer) if isinstance(answer, Answer) else GARBAGE)
        else:
            self._misbehave(outcome)

    def _send(self, answer: Answer) -> None:
        if answer.parts:
            self._line.send(_frame_of(answer))

    def _misbehave(self, fault: FaultAction) -> None:
        """What a failing node does instead of answering; a request that hangs is forgotten."""
        if fault.kind == "garbage":
            self._line.send(GARBAGE)
        elif fault.kind == "429":
            self._line.refuse()

    def _open(self, request: Request) -> None:
        try:
            self._channels.open(request)
        except RpcFault as fault:
            self._line.send(error_frame(fault, request.id))
        except Exception as error:  # noqa: BLE001
            self._line.send(error_frame(panicked(request.method, error), request.id))

    def _cancel(self, params: object) -> None:
        """Ends the subscriptions, or the waits, of a request's id."""
        try:
            request_id = id_text(params[0] if isinstance(params, list) and params else None)
        except RpcFault:
            return
        if self._channels.cancel(request_id):
            return
        ended = [wait for wait in self._waiting if wait.request_id == request_id]
        self._waiting = [wait for wait in self._waiting if wait not in ended]
        for _ in ended:
            self._line.send(error_frame(failure("context canceled"), request_id))

    def _unsubscribe(self, request: Request) -> None:
        """Ends a subscription of eth_subscribe; whether there was one."""
        params = request.params
        found = self._channels.unsubscribe(params[0] if isinstance(params, list) and params else None)
        self._line.send(result_frame(request.id, found))


def _frame_of(answer: Answer) -> Frame:
    """An answer's frame; a large one is rendered when its turn comes."""
    return (lambda: answer.body.rstrip(b"\n")) if answer.is_large else answer.body.rstrip(b"\n")
