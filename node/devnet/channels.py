"""Open subscriptions of a connection, and the faults that strike what they tell.

fault     of an opening                      of a frame
429       the connection is closed           the connection is closed
hang      never answered, nothing is opened  kept back; it comes, in order, with the next one that is not
cut       half of the answer, then the end   half of the frame, then the end
garbage   what is no JSON in its place       what is no JSON in its place
lost      answered, and nothing ever comes   never comes
stale     ChainNotify begins with an older   ChainNotify names an older head as the current one
fork      the chain forks first              the chain forks first
network   ChainNotify tells of tipsets of another network
"""

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

from node.devnet.lines import Line
from node.sim.faults import FaultKind
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.envelope import encode, result_frame
from node.sim.rpc.faulty import fork_first, from_behind, struck_value
from node.sim.rpc.requests import Request
from node.sim.rpc.subscriptions import Subscription

GARBAGE = b"<html><body><h1>It works!</h1></body></html>"


@dataclass(slots=True)
class _Channel:
    """An open subscription: by what its frames name it, and how to end it."""

    method: str
    request_id: str
    name: int | str = 0
    """A number, or the text that eth_subscribe answered."""
    close: Callable[[], None] = lambda: None
    held: list[bytes] = field(default_factory=list)
    """Frames that a fault keeps back."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A value that a channel is to tell."""

    channel: _Channel
    value: object
    is_of_fault: bool
    """Whether a fault has made it already: such values are struck by none."""


class Channels:
    """The subscriptions of one connection. What the chain tells waits until `tell` sends it."""

    def __init__(self, dispatcher: Dispatcher, permissions: frozenset[str], line: Line) -> None:
        self._dispatcher = dispatcher
        self._node = dispatcher.node
        self._permissions = permissions
        self._line = line
        self._opened = 0
        self._open: list[_Channel] = []
        self._told: deque[_Told] = deque()

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._told)

    def open(self, request: Request) -> None:
        """Opens a subscription: answers with its name, and then tells what it begins with. RpcFault: why not."""
        fault = self._node.faults.take(request.method)
        if fault == "hang":
            return
        if fault == "429":
            self._line.refuse()
        elif fault == "garbage":
            self._line.send(GARBAGE)
        else:
            self._open_faulty(request, fault)

    def _open_faulty(self, request: Request, fault: FaultKind | None) -> None:
        channel = _Channel(request.method, request.id)
        if fault == "fork":
            fork_first(self._node)
        with from_behind(self._node) if fault == "stale" else nullcontext():
            subscription = self._subscribed(channel, request)
        answer = result_frame(request.id, channel.name)
        if fault in {"cut", "lost"}:
            subscription.close()
            (self._line.cut if fault == "cut" else self._line.send)(answer)
            return
        self._open.append(channel)
        self._line.send(answer)
        for value in subscription.first:
            told = struck_value(self._node, channel.method, value, fault) if fault == "network" else value
            self._hear(channel, told, is_of_fault=fault == "network")

    def _subscribed(self, channel: _Channel, request: Request) -> Subscription:
        """The chain's subscription; gives the channel its name."""
        opened = self._dispatcher.subscribe(
            request.method, request.params, lambda value: self._hear(channel, value), permissions=self._permissions
        )
        self._opened += 0 if opened.eth_id else 1
        channel.name, channel.close = opened.eth_id or self._opened, opened.close
        return opened

    def _hear(self, channel: _Channel, value: object, *, is_of_fault: bool = False) -> None:
        """Keeps a value until the change of the chain that told it is through."""
        self._told.append(_Told(channel, value, is_of_fault or self._node.faults.is_playing))
        self._line.settle_soon()

    def tell(self) -> None:
        """Sends what the chain has told, as far as no fault is in the way."""
        while self._told:
            told = self._told.popleft()
            if told.channel in self._open:
                self._send(told)

    def _send(self, told: _Told) -> None:
        channel = told.channel
        fault = None if told.is_of_fault else self._node.faults.take(channel.method)
        frame = encode(_value_frame(channel.name, struck_value(self._node, channel.method, told.value, fault)))
        if fault == "hang":
            channel.held.append(frame)
            return
        for held in channel.held:
            self._line.send(held)
        channel.held.clear()
        self._send_struck(frame, fault)

    def _send_struck(self, frame: bytes, fault: FaultKind | None) -> None:
        if fault == "429":
            self._line.refuse()
        elif fault == "cut":
            self._line.cut(frame)
        elif fault != "lost":
            self._line.send(GARBAGE if fault == "garbage" else frame)

    def cancel(self, request_id: str) -> bool:
        """Ends every subscription of a request's id; whether there was one."""
        ended = [channel for channel in self._open if channel.request_id == request_id]
        for channel in ended:
            self._end(channel)
            closed = {"jsonrpc": "2.0", "method": "xrpc.ch.close", "params": [channel.name]}
            self._line.send(encode(closed))
        return bool(ended)

    def unsubscribe(self, name: object) -> bool:
        """Ends a subscription of eth_subscribe; whether there was one."""
        ended = [channel for channel in self._open if isinstance(name, str) and channel.name == name]
        for channel in ended:
            self._end(channel)
        return bool(ended)

    def close(self) -> None:
        """Ends every subscription."""
        for channel in tuple(self._open):
            self._end(channel)
        self._told.clear()

    def _end(self, channel: _Channel) -> None:
        channel.close()
        self._open.remove(channel)


def _value_frame(channel: int | str, value: object) -> dict[str, object]:
    """A value of a channel: of a numbered one, or of one of Ethereum's."""
    if isinstance(channel, str):
        params = {"subscription": channel, "result": value}
        return {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
    return {"jsonrpc": "2.0", "method": "xrpc.ch.val", "params": [channel, value]}
