"""Nodes that know less than they should, over the same chain as one that knows all."""

from collections.abc import Callable
from dataclasses import dataclass, field

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
        answer = await super().call(call)
        if call.method != _EVENTS:
            return answer
        if self._forgetting.disabled:
            raise RpcFault(1, "module disabled, enable with Events.EnableActorEventsAPI")
        kept = [event for event in answer or () if not self._forgetting.heights(event["height"])]  # type: ignore[attr-defined]
        return kept or None
