"""What a tipset's messages did, as far as it can be told without actor events, which a node has off by default.

    Transfer of DataCap to f06      allocations      each is then looked up in the state, so that what is told is true
    ProveCommitSectors3 and kin     claims           the same
    PublishStorageDeals             deals
    TerminateSectors                sectors

What contracts, multisigs and the chain itself do beneath a message stays untold, so every kind counts as missing.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import fields
from typing import Any

from node.actors.allocations import AllocationsResponse
from node.actors.datacap import TRANSFER
from node.actors.market import PUBLISH_STORAGE_DEALS
from node.actors.miner import PROVE_COMMIT_SECTORS, PROVE_REPLICA_UPDATES, TERMINATE_SECTORS
from node.address import Address
from node.chain.errors import NotFound
from node.chain.protocol import Chain
from node.chain.results import ExecutedMessage
from node.chain.tipset import TipSet
from node.cid import Cid, cid_from_bytes
from node.errors import FilecoinError
from node.event_types import (
    AllocationCreated,
    ClaimCreated,
    DealActivated,
    DealPublished,
    Payload,
    SectorTerminated,
)
from node.events import ActorEvent
from node.market import NEVER
from node.piece import piece_v1
from node.registry import Allocation, Claim
from node.singletons import DATACAP, MARKET, VERIFIED_REGISTRY

_SECTORS_MAX = 10_000


async def events_of_messages(
    chain: Chain, executed: Iterable[ExecutedMessage], tipset: TipSet, *, height: int
) -> list[ActorEvent]:
    """The events that these messages of `height` must have caused; `tipset` is the first that shows their effect."""
    events: list[ActorEvent] = []
    for one in executed:
        if one.receipt.ok:
            async for payload in _told(chain, one, tipset):
                emitter = _emitter(payload, one)
                events.append(
                    ActorEvent(payload, emitter, height, tipset.parents.texts, one.cid.to_text(), reverted=False)
                )
    return events


def _emitter(payload: Payload, executed: ExecutedMessage) -> Address:
    if isinstance(payload, SectorTerminated):
        return executed.message.to
    return MARKET if isinstance(payload, DealPublished | DealActivated) else VERIFIED_REGISTRY


async def _told(chain: Chain, executed: ExecutedMessage, tipset: TipSet) -> AsyncIterator[Payload]:
    message = executed.message
    try:
        if message.to == DATACAP and message.method in TRANSFER.numbers:
            async for allocation in _allocations(chain, executed, tipset):
                yield allocation
        elif message.to == MARKET and message.method in PUBLISH_STORAGE_DEALS.numbers:
            async for deal in _deals(chain, executed, tipset):
                yield deal
        elif message.method in PROVE_COMMIT_SECTORS.numbers or message.method in PROVE_REPLICA_UPDATES.numbers:
            async for claim in _claims(chain, executed, tipset):
                yield claim
        elif message.method in TERMINATE_SECTORS.numbers and message.to.actor_id is not None:
            for sector in _terminated(executed):
                yield SectorTerminated(sector)
    except (FilecoinError, NotFound):
        return  # another actor's method of the same number


async def _allocations(chain: Chain, executed: ExecutedMessage, tipset: TipSet) -> AsyncIterator[Payload]:
    params = TRANSFER.params.from_bytes(executed.message.params)
    if params.to != VERIFIED_REGISTRY:
        return
    answered = TRANSFER.returns.from_bytes(executed.receipt.return_value)
    for allocation_id in AllocationsResponse.from_bytes(answered.recipient_data).new_allocation_ids:
        found = await chain.allocation(executed.message.sender, allocation_id, at=tipset.key)
        if found is not None:
            yield _created(found)


async def _claims(chain: Chain, executed: ExecutedMessage, tipset: TipSet) -> AsyncIterator[Payload]:
    method = PROVE_COMMIT_SECTORS if executed.message.method in PROVE_COMMIT_SECTORS.numbers else PROVE_REPLICA_UPDATES
    provider = executed.message.to
    for sector in method.params.from_bytes(executed.message.params).sectors:
        for piece in sector.pieces:
            if piece.allocation is not None:
                found = await chain.claim(provider, piece.allocation.allocation_id, at=tipset.key)
                if found is not None:
                    yield _claimed(found)


async def _deals(chain: Chain, executed: ExecutedMessage, tipset: TipSet) -> AsyncIterator[Payload]:
    for deal_id in PUBLISH_STORAGE_DEALS.returns.from_bytes(executed.receipt.return_value).deal_ids:
        found = await chain.deal(deal_id, at=tipset.key)
        if found is not None:
            yield DealPublished(found.id, found.client_id, found.provider_id)
            if found.sector_start_epoch != NEVER:
                yield DealActivated(found.id, found.client_id, found.provider_id)


def _terminated(executed: ExecutedMessage) -> list[int]:
    """The sectors that a message gives up; none of one that names more than a message can mean."""
    params = TERMINATE_SECTORS.params.from_bytes(executed.message.params)
    if sum(one.sectors.count for one in params.terminations) > _SECTORS_MAX:
        return []
    return [sector for one in params.terminations for sector in one.sectors]


def _created(allocation: Allocation) -> AllocationCreated:
    return AllocationCreated(allocation_id=allocation.id, **_same(allocation, AllocationCreated))


def _claimed(claim: Claim) -> ClaimCreated:
    return ClaimCreated(claim_id=claim.id, **_same(claim, ClaimCreated))


def _same(record: Allocation | Claim, event: type[AllocationCreated | ClaimCreated]) -> dict[str, Any]:
    """What an event tells of a record; their fields have the same names, but for the id and the piece."""
    names = {field.name for field in fields(event)} & {field.name for field in fields(record)}
    return {"piece_cid": _data_cid(record), **{name: getattr(record, name) for name in names}}


def _data_cid(record: Allocation | Claim) -> Cid:
    return piece_v1(record.piece) if record.piece is not None else cid_from_bytes(record.data_cid or b"")
