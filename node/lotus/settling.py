"""The part of `LotusChain` that tells how far below the head nothing changes any more, and who says so.

v2_tag   ChainGetTipSet {"tag": "finalized"} at /rpc/v2: fast finality where it runs
v1_call  ChainGetFinalizedTipSet: the same of older nodes, for `finalized` alone
depth    900 epochs below the head, 200 for `safe`: what a node without fast finality counts itself
"""

from typing import Final

from node.chain.errors import BadRequest, NotFound, NotSupported, RequestFailed
from node.chain.results import Finality, FinalityLevel, FinalitySource
from node.chain.tipset import TipSet
from node.lotus import decoding, params
from node.lotus.asking import Asking, lotus_call
from node.lotus.health import Node
from node.lotus.transport import Call

_DEPTHS_EPOCHS: Final[dict[FinalityLevel, int]] = {"finalized": 900, "safe": 200}
# A node that cannot say; anything else is an ill node, and another is asked. RequestFailed: fast finality is starting.
_CANNOT_SAY = (NotSupported, BadRequest, NotFound, RequestFailed)


_WAYS: Final[dict[FinalityLevel, tuple[tuple[FinalitySource, Call], ...]]] = {
    "finalized": (
        ("v2_tag", Call("Filecoin.ChainGetTipSet", ({"tag": "finalized"},), version=2)),
        ("v1_call", lotus_call("ChainGetFinalizedTipSet")),
    ),
    "safe": (("v2_tag", Call("Filecoin.ChainGetTipSet", ({"tag": "safe"},), version=2)),),
}


class Settling(Asking):
    """Tells finality."""

    async def finality(self, level: FinalityLevel = "finalized") -> Finality:
        """The newest tipset of that level, by one node's word."""

        async def ask(node: Node) -> Finality:
            for source, call in _WAYS[level]:
                try:
                    return Finality(level=level, source=source, tipset=await _tipset(node, call))
                except _CANNOT_SAY:
                    continue
            return Finality(level=level, source="depth", tipset=await _tipset_below_head(node, _DEPTHS_EPOCHS[level]))

        return await self._pool.run(ask)


async def _tipset_below_head(node: Node, depth_epochs: int) -> TipSet:
    head = await _tipset(node, lotus_call("ChainHead"))
    epoch = max(head.epoch - depth_epochs, 0)
    return await _tipset(node, lotus_call("ChainGetTipSetByHeight", epoch, params.tipset_key(head.key)))


async def _tipset(node: Node, call: Call) -> TipSet:
    document = await node.call(call)
    return node.decoded(call.title, lambda: decoding.tipset(document))
