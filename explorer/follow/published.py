"""The deals that a tipset's messages published: their proposals, for which the market's events have no room.

deal-published event    id, client, provider
PublishStorageDeals     piece, size, term, verified, label, byte for byte     where the message is one
the market's state      the same, a label that is no text left out            where a contract or multisig sent it
GetDealLabel            that label
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from node.actors.market import GET_DEAL_LABEL, PUBLISH_STORAGE_DEALS, DealProposal
from node.chain.errors import ChainError, GarbledAnswer, TransientError
from node.chain.protocol import Chain
from node.chain.results import ExecutedMessage
from node.chain.tipset import TipSet
from node.cid import Cid, commitment_of
from node.errors import FilecoinError
from node.event_types import DealPublished
from node.events import ActorEvent
from node.market import NEVER, Deal
from node.message import Message
from node.singletons import MARKET, SYSTEM
from node.state import INT64_MAX


async def published_deals(
    chain: Chain, events: Sequence[ActorEvent], executed: Iterable[ExecutedMessage], tipset: TipSet
) -> tuple[list[Deal], int]:
    """The deals that the events say were published, and how many of them could not be read.

    `executed` are the messages behind the events, `tipset` the one at which the market has the deals.
    """
    proposals = _proposals(executed)
    deals: list[Deal] = []
    unread = 0
    for event in events:
        if not isinstance(event.payload, DealPublished):
            continue
        proposal = proposals.get(event.payload.deal_id)
        deal = _proposed(event.payload, proposal) if proposal else await _stored(chain, event.payload.deal_id, tipset)
        if deal is None or not _is_storable(deal):
            unread += 1
        else:
            deals.append(deal)
    return deals, unread


def _proposals(executed: Iterable[ExecutedMessage]) -> dict[int, DealProposal]:
    """The proposals that messages to the market published, by the ids that they were given."""
    found: dict[int, DealProposal] = {}
    for one in executed:
        if one.receipt.ok and one.message.to == MARKET and one.message.method in PUBLISH_STORAGE_DEALS.numbers:
            found |= _published(one)
    return found


def _published(executed: ExecutedMessage) -> dict[int, DealProposal]:
    """One message's proposals by id; none where its params or return can't be read, as of a future version."""
    try:
        sent = PUBLISH_STORAGE_DEALS.params.from_bytes(executed.message.params).deals
        taken = PUBLISH_STORAGE_DEALS.returns.from_bytes(executed.receipt.return_value)
    except FilecoinError:
        return {}
    if taken.valid_deals.count != len(taken.deal_ids):
        return {}
    positions = list(taken.valid_deals)
    if any(position >= len(sent) for position in positions):
        return {}
    return {deal_id: sent[position].proposal for deal_id, position in zip(taken.deal_ids, positions, strict=True)}


def _proposed(event: DealPublished, proposal: DealProposal) -> Deal:
    """The deal of a proposal, with the parties' ids as the event has them."""
    piece, data_cid = _data_of(proposal.piece_cid)
    return Deal(
        id=event.deal_id,
        client_id=event.client_id,
        provider_id=event.provider_id,
        piece=piece,
        data_cid=data_cid,
        size_bytes=proposal.size_bytes,
        verified=proposal.verified,
        label=proposal.label_bytes,
        label_known=True,
        start_epoch=proposal.start_epoch,
        end_epoch=proposal.end_epoch,
        sector_start_epoch=NEVER,
        last_updated_epoch=NEVER,
        slash_epoch=NEVER,
    )


def _is_storable(deal: Deal) -> bool:
    """Whether its numbers are such as the market takes: a node may make up any."""
    numbers = (deal.size_bytes, deal.start_epoch, deal.end_epoch)
    return all(-INT64_MAX <= number <= INT64_MAX for number in numbers)


def _data_of(cid: Cid) -> tuple[bytes | None, bytes | None]:
    piece = commitment_of(cid)
    return (piece, None) if piece else (None, cid.to_bytes())


async def _stored(chain: Chain, deal_id: int, tipset: TipSet) -> Deal | None:
    """The deal in the market's state, its label asked for where the node prints none; None where it can't be had."""
    try:
        deal = await chain.deal(deal_id, at=tipset.key)
        if deal is None or deal.label_known:
            return deal
        label = await _label(chain, deal_id, tipset)
    except TransientError:
        raise
    except ChainError:
        return None
    return replace(deal, label=label, label_known=True)


async def _label(chain: Chain, deal_id: int, tipset: TipSet) -> bytes:
    """The label's bytes, by the market's own method."""
    message = Message(
        to=MARKET,
        sender=SYSTEM,
        nonce=0,
        method=GET_DEAL_LABEL.numbers[0],
        params=GET_DEAL_LABEL.params.to_bytes(deal_id),
    )
    answer = await chain.call(message, at=tipset.key)
    try:
        label = GET_DEAL_LABEL.returns.from_bytes(answer.receipt.return_value)
    except FilecoinError as error:
        raise GarbledAnswer(f"no label of deal {deal_id}: {answer.error or error}") from error
    return label.encode() if isinstance(label, str) else label
