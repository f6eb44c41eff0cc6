"""Nodes that know less than they should, over the same chain as one that knows all."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from node.lotus.in_process import InProcessTransport
from node.lotus.transport import Call, RpcFault
from node.sim.rpc.dispatch import Dispatcher

_EVENTS = "Filecoin.GetActorEventsRaw"


@dataclass(slots=True)
class Forgetting:
    """How a node loses events: of some heights without a word, or by a setting."""

    heights: Callable[[int], bool] = field(default=lambda _height: False)
    """Heights whose events the node has lost: it answers as if there had been none."""
    disabled: bool = False
    """Actor events are off, Lotus' default."""


class ForgetfulTransport(InProcessTransport):
    """A node without some events."""

    def __init__(self, dispatcher: Dispatcher, forgetting: Forgetting) -> None:
        super().__init__(dispatcher, name="forgetful")
        self._forgetting = forgetting

    async def call(self, call: Call) -> object:
        answer: Any = await super().call(call)
        if call.method != _EVENTS:
            return answer
        if self._forgetting.disabled:
            raise RpcFault(1, "module disabled, enable with Events.EnableActorEventsAPI")
        kept = [event for event in answer or () if not self._forgetting.heights(event["height"])]
        return kept or None


class BeneathTransport(InProcessTransport):
    """A node on whose chain every deal was published by a contract: no message to the market is seen."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__(dispatcher, name="beneath")
        self._hidden: dict[str, set[int]] = {}

    async def call(self, call: Call) -> object:
        answer: Any = await super().call(call)
        block = str(call.params)
        if call.method == "Filecoin.ChainGetParentMessages":
            self._hidden[block] = {at for at, one in enumerate(answer or ()) if one["Message"]["To"] == "f05"}
        elif call.method != "Filecoin.ChainGetParentReceipts":
            return answer
        return [one for at, one in enumerate(answer or ()) if at not in self._hidden[block]]


class GatewayTransport(InProcessTransport):
    """A node that gives no deals of the market at once, as a gateway."""

    async def stream(self, call: Call) -> AsyncGenerator[str, None]:
        if call.method == "Filecoin.StateMarketDeals":
            raise RpcFault(-32601, f"method '{call.method}' not found")
        async for text in super().stream(call):
            yield text
