"""Where an answer stands: the epoch asked about, what is covered and sure there, and what the rules must know."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from explorer.errors import EpochNotIndexed, MalformedEpoch
from explorer.index.answers import Document, Finality, Standpoint, programme_document
from explorer.index.questions import AsOf
from explorer.index.spans import load_coverage_at, load_index_epoch
from explorer.index.tipsets import Following, load_following, load_tipset_at
from explorer.verdict.coverage import Coverage, Milestones
from node.cid import cid_from_bytes
from node.errors import NetworkError
from node.network import Network, as_fork, epoch_at_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoints:
    """Finds where answers stand. `retires_at_epoch` and `vouches` are as the service has them."""

    network: Network
    now: Callable[[], datetime]
    retires_at_epoch: int | None
    vouches: Callable[[int], bool] | None

    async def load(self, connection: asyncpg.Connection, at: AsOf) -> Standpoint:
        """Where the answer stands; EpochNotIndexed beyond the index, MalformedEpoch for a time without an epoch."""
        following = await load_following(connection)
        head = await load_index_epoch(connection)
        network = self._network(following, head)
        epoch = _asked_epoch(at, head, network)
        coverage = Coverage() if epoch is None else await load_coverage_at(connection, epoch)
        link = None if following is None or epoch is None else await load_tipset_at(connection, epoch)
        return Standpoint(
            network=network,
            epoch=epoch,
            coverage=coverage,
            programme=self._programme(network, following),
            tipset=None if link is None else tuple(cid_from_bytes(raw) for raw in link.key),
            finality=self._finality(following, epoch, head),
            milestones=self._milestones(network, following),
        )

    def _finality(self, following: Following | None, epoch: int | None, head: int | None) -> Finality | None:
        """How sure the tipset of an epoch is. Of what is not even safe nobody knows more once no node is heard."""
        if following is None or epoch is None or head is None:
            return None
        said = following.finality_of(epoch)
        is_known = said != "head" or (self.vouches is not None and self.vouches(head))
        return said if is_known else None

    def _network(self, following: Following | None, head: int | None) -> Network:
        """The network, with the clock of the followed chain where nothing else tells it."""
        begins = head if following is None else following.start_epoch
        network = self.network if begins is None else as_fork(self.network, begins)
        if following is None or network.genesis_time is not None:
            return network
        return replace(network, genesis_time=following.genesis_time)

    def _milestones(self, network: Network, following: Following | None) -> Milestones:
        """When the rules changed; the end of FIL+ by the node's word, else the operator's, else the network's."""
        told = None if following is None else following.retires_at_epoch
        retires_at = next((one for one in (told, self.retires_at_epoch) if one is not None), network.nv29_epoch)
        return Milestones(nv17_epoch=network.nv17_epoch, nv22_epoch=network.nv22_epoch, retires_at_epoch=retires_at)

    def _programme(self, network: Network, following: Following | None) -> Document:
        return programme_document(
            network,
            self._milestones(network, following).retires_at_epoch,
            self.now(),
            network_version=None if following is None else following.network_version,
        )


def _asked_epoch(at: AsOf, head: int | None, network: Network) -> int | None:
    if at.epoch is not None:
        epoch = at.epoch
    elif at.time is not None:
        epoch = _epoch_at(at.time, network)
    else:
        return head
    if head is None or epoch > head:
        reach = "is empty" if head is None else f"ends at epoch {head}"
        raise EpochNotIndexed(f"epoch {epoch} is not indexed: the index {reach}; ask for an earlier one", value=epoch)
    return epoch


def _epoch_at(time: datetime, network: Network) -> int:
    try:
        return epoch_at_time(network, time)
    except NetworkError as error:
        raise MalformedEpoch(str(error), value=time.isoformat()) from error
