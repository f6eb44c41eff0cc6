"""A simulated node in the same process: no socket, but the same questions, answers and faults as over one."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

from node.chain.errors import AnswerCut, ChainError, GarbledAnswer, NodeTimeout, RateLimited
from node.lotus.transport import Call, Frame, RpcFault
from node.sim.errors import RpcFault as SimulatedFault
from node.sim.faults import FaultAction
from node.sim.rpc.dispatch import VERSION_2, Dispatcher, Waiting

_PIECE_CHARS = 1 << 16

# What a connection would have made of the faults that a simulated node leaves to its transport.
_FAULTS: Final[Mapping[str, Callable[[], ChainError]]] = {
    "garbage": partial(GarbledAnswer, "the answer is no JSON"),
    "429": partial(RateLimited, "too many requests (HTTP 429)"),
    "hang": partial(NodeTimeout, "no answer"),
    "cut": partial(AnswerCut, "the connection ended inside the answer"),
}


class InProcessTransport:
    """Asks a dispatcher. Every answer goes through JSON's text, as it would over a wire."""

    def __init__(self, dispatcher: Dispatcher, *, name: str = "simulated") -> None:
        self._dispatcher = dispatcher
        self._by_version = {1: dispatcher, 2: Dispatcher(dispatcher.node, VERSION_2)}
        self._name = name

    @property
    def name(self) -> str:
        """What the node is called."""
        return self._name

    async def call(self, call: Call) -> object:
        """The result's JSON value."""
        return _through_json(self._answer(call))

    async def batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        """The results' JSON values, an RpcFault in the place of each that failed."""
        return tuple([await self._result_or_fault(call) for call in calls])

    async def stream(self, call: Call) -> AsyncGenerator[str, None]:
        """The text of the whole answer in pieces."""
        text = json.dumps({"id": 1, "jsonrpc": "2.0", "result": self._answer(call)})
        for start in range(0, len(text), _PIECE_CHARS):
            yield text[start : start + _PIECE_CHARS]

    async def subscribe(self, calls: Sequence[Call]) -> AsyncGenerator[Frame, None]:
        """What the subscriptions bring, in the order in which the chain tells it. Never ends."""
        frames: asyncio.Queue[Frame] = asyncio.Queue()
        with ExitStack() as open_channels:
            for index, call in enumerate(calls):
                self._open(index, call, frames, open_channels)
            while True:
                frame = await frames.get()
                yield Frame(frame.index, _through_json(frame.value))

    async def close(self) -> None:
        """Nothing is held."""

    def _answer(self, call: Call) -> object:
        try:
            result = self._by_version[call.version].call(call.method, _through_json(list(call.params)))
        except SimulatedFault as fault:
            raise RpcFault(fault.code, fault.message, data=fault.data) from fault
        if isinstance(result, FaultAction):
            raise _FAULTS[result.kind]()
        if isinstance(result, Waiting):
            raise NodeTimeout("the answer comes only after the chain has grown")
        return result

    async def _result_or_fault(self, call: Call) -> object:
        try:
            return await self.call(call)
        except RpcFault as fault:
            return fault

    def _open(self, index: int, call: Call, frames: asyncio.Queue[Frame], open_channels: ExitStack) -> None:
        def emit(value: object) -> None:
            frames.put_nowait(Frame(index, value))

        try:
            subscription = self._dispatcher.subscribe(call.method, _through_json(list(call.params)), emit)
        except SimulatedFault as fault:
            raise RpcFault(fault.code, fault.message, data=fault.data, index=index) from fault
        open_channels.callback(subscription.close)
        for value in subscription.first:
            emit(value)


def _through_json(value: object) -> object:
    """The value as it comes out of its text: tuples as lists, and nothing that is no JSON."""
    copy: object = json.loads(json.dumps(value))
    return copy
