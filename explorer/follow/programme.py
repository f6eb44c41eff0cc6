"""Whether FIL+ is open, by the network version that the node reports: version 29 ends it (FIP-0118)."""

from dataclasses import dataclass

from node.chain.errors import NotFound, NotSupported
from node.chain.protocol import Chain
from node.chain.tipset import TipSet
from node.network import LAST_VERSION_WITH_DATACAP


@dataclass(frozen=True, slots=True)
class Programme:
    """The network version at a head, and the first epoch at version 29 where that is behind."""

    network_version: int
    retires_at_epoch: int | None


async def programme_at(chain: Chain, head: TipSet, known: Programme) -> Programme:
    """The programme at a head. `known` is what was found before; a reorg over its first epoch is noticed.

    The first epoch of version 29 is not known where the node doesn't hold the chain so far down, as a gateway.
    """
    version = await chain.network_version(at=head.key)
    if version <= LAST_VERSION_WITH_DATACAP:
        return Programme(version, None)
    try:
        if known.retires_at_epoch is not None and await _is_first(chain, head, known.retires_at_epoch):
            return Programme(version, known.retires_at_epoch)
        return Programme(version, await _first_without(chain, head))
    except (NotSupported, NotFound):
        return Programme(version, known.retires_at_epoch)


async def _is_first(chain: Chain, head: TipSet, epoch: int) -> bool:
    """Whether the first tipset at version 29 or later is still the one at the epoch."""
    if epoch > head.epoch or not await _is_without(chain, head, epoch):
        return False
    return epoch == 0 or not await _is_without(chain, head, epoch - 1)


async def _is_without(chain: Chain, head: TipSet, epoch: int) -> bool:
    tipset = await chain.tipset_at(epoch, anchor=head.key)
    return await chain.network_version(at=tipset.key) > LAST_VERSION_WITH_DATACAP


async def _first_without(chain: Chain, head: TipSet) -> int:
    """The epoch of the first tipset at version 29 or later, by halving the chain below the head."""
    low, high = 0, head.epoch
    while low < high:
        middle = (low + high) // 2
        tipset = await chain.tipset_at(middle, anchor=head.key)
        if await chain.network_version(at=tipset.key) > LAST_VERSION_WITH_DATACAP:
            high = tipset.epoch
        else:
            low = middle + 1
    return high
