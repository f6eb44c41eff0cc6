"""The storage market (f05), second part: deals are activated, paid, ended, or never begin."""

from dataclasses import replace
from hashlib import blake2b

from immutables import Map

from node.actors import market
from node.actors.sectors import SECTOR_CONTENT_CHANGED, PieceChange, SectorChanges
from node.bitfield import BitField
from node.elements import UINT
from node.errors import ParamsError
from node.event_types import DealActivated, DealCompleted, DealEvent, DealTerminated
from node.exit_codes import FORBIDDEN, NOT_FOUND, OK
from node.sim.actors.claims import batch_of
from node.sim.actors.terminations import SECTORS_TERMINATE, SectorsTerminated
from node.sim.errors import ActorFailure
from node.sim.machine import Call, World
from node.sim.state import NEVER, Market, StoredDeal

_BURNT_FUNDS_ID = 99
_MARKET_ID = 5


def parties(deal: StoredDeal) -> tuple[int, int]:
    """Client's and provider's actor ids."""
    return deal.proposal.client.actor_id or 0, deal.proposal.provider.actor_id or 0


def _event(kind: type[DealEvent], deal_id: int, deal: StoredDeal) -> DealEvent:
    client_id, provider_id = parties(deal)
    return kind(deal_id, client_id, provider_id)


def sector_content_changed(call: Call, sectors: tuple[SectorChanges, ...]) -> tuple[tuple[bool, ...], ...]:
    """Activates the deals whose ids the pieces carry; for each piece whether it was."""
    if call.caller_id not in call.state.miners:
        raise ActorFailure(FORBIDDEN, f"caller {call.caller} is not one of supported")
    return tuple(tuple(_activate(call, sector, piece) for piece in sector.added) for sector in sectors)


def _activate(call: Call, sector: SectorChanges, piece: PieceChange) -> bool:
    try:
        deal_id = UINT.from_bytes(piece.payload)
    except ParamsError:
        return False
    deal = call.state.market.deals.get(deal_id)
    if deal is None or not _may_activate(call, deal, sector, piece):
        return False
    book = call.state.market
    key = (call.caller_id, sector.sector)
    allocations = book.allocation_ids
    # The actors of network version 29 leave the allocation behind, as recorded.
    if deal_id in allocations and not call.world.datacap_ended:
        allocations = allocations.delete(deal_id)
    # The proposal stays among the pending ones: a node refuses it a second time after the activation too.
    active = replace(deal, sector=sector.sector, sector_start_epoch=call.world.epoch)
    call.world.set_market(
        replace(
            book,
            deals=book.deals.put(deal_id, active),
            allocation_ids=allocations,
            sector_deals=book.sector_deals.set(key, (*book.sector_deals.get(key, ()), deal_id)),
        )
    )
    call.emit(_event(DealActivated, deal_id, deal))
    return True


def _may_activate(call: Call, deal: StoredDeal, sector: SectorChanges, piece: PieceChange) -> bool:
    proposal = deal.proposal
    return (
        parties(deal)[1] == call.caller_id
        and deal.sector_start_epoch == NEVER
        and proposal.piece_cid == piece.data
        and proposal.size_bytes == piece.size_bytes
        and call.world.epoch <= proposal.start_epoch
        and sector.minimum_commitment_epoch >= proposal.end_epoch
    )


def _without(book: Market, deal: StoredDeal) -> Map[bytes, int]:
    """The pending proposals without this one."""
    digest = blake2b(deal.proposal.to_bytes(), digest_size=32).digest()
    return book.pending.delete(digest) if digest in book.pending else book.pending


def sectors_terminated(call: Call, params: SectorsTerminated) -> None:
    """Ends the deals of sectors that were given up: they go at once, the provider loses its collateral."""
    for number in params.sectors:
        key = (call.caller_id, number)
        for deal_id in call.state.market.sector_deals.get(key, ()):
            deal = call.state.market.deals.get(deal_id)
            if deal is not None and deal.proposal.end_epoch > params.epoch:
                close_deal(call.world, deal_id, deal, lost_by_provider=True)
                call.emit(_event(DealTerminated, deal_id, deal))
        book = call.state.market
        if key in book.sector_deals:
            call.world.set_market(replace(book, sector_deals=book.sector_deals.delete(key)))


def close_deal(world: World, deal_id: int, deal: StoredDeal, *, lost_by_provider: bool) -> None:
    """Removes a deal and unlocks its funds; a provider's collateral may be burnt."""
    book = world.state.market
    client_id, provider_id = parties(deal)
    proposal = deal.proposal
    fee = proposal.price_per_epoch_attofil * (proposal.end_epoch - proposal.start_epoch)
    locked = _less(book.locked, client_id, fee + proposal.client_collateral_attofil)
    locked = _less(locked, provider_id, proposal.provider_collateral_attofil)
    escrow = book.escrow
    if lost_by_provider:
        escrow = _less(escrow, provider_id, proposal.provider_collateral_attofil)
    allocations = book.allocation_ids
    world.set_market(
        replace(
            book,
            deals=book.deals.remove(deal_id),
            pending=_without(book, deal),
            allocation_ids=allocations.delete(deal_id) if deal_id in allocations else allocations,
            locked=locked,
            escrow=escrow,
        )
    )
    if lost_by_provider:
        world.move(_MARKET_ID, _BURNT_FUNDS_ID, proposal.provider_collateral_attofil)


def _less(amounts: Map[int, int], actor_id: int, amount: int) -> Map[int, int]:
    """The amounts with one of them smaller, gone where nothing is left."""
    left = amounts.get(actor_id, 0) - amount
    if left > 0:
        return amounts.set(actor_id, left)
    return amounts.delete(actor_id) if actor_id in amounts else amounts


def settle(call: Call, deal_ids: BitField) -> market.SettleDealPaymentsReturn:
    """Pays what deals have earned since they were last settled, and removes those that are over."""
    codes, settlements = [], []
    for deal_id in deal_ids:
        code, settlement = _settle(call, deal_id)
        codes.append(code)
        if settlement is not None:
            settlements.append(settlement)
    return market.SettleDealPaymentsReturn(batch_of(codes), tuple(settlements))


def _settle(call: Call, deal_id: int) -> tuple[int, market.DealSettlement | None]:
    deal = call.state.market.deals.get(deal_id)
    if deal is None:
        return (market.DEAL_EXPIRED if deal_id < call.state.market.next_deal_id else NOT_FOUND), None
    proposal, epoch = deal.proposal, call.world.epoch
    if deal.sector_start_epoch == NEVER or epoch < proposal.start_epoch:
        return OK, market.DealSettlement(0, completed=False)
    since = max(deal.last_updated_epoch, proposal.start_epoch)
    payment = proposal.price_per_epoch_attofil * max(min(epoch, proposal.end_epoch) - since, 0)
    _pay(call, deal, payment)
    if epoch < proposal.end_epoch:
        book = call.state.market
        updated = replace(deal, last_updated_epoch=epoch)
        call.world.set_market(replace(book, deals=book.deals.put(deal_id, updated)))
        return OK, market.DealSettlement(payment, completed=False)
    paid = replace(deal, proposal=replace(proposal, price_per_epoch_attofil=0))
    close_deal(call.world, deal_id, paid, lost_by_provider=False)
    call.emit(_event(DealCompleted, deal_id, deal))
    return OK, market.DealSettlement(payment, completed=True)


def _pay(call: Call, deal: StoredDeal, amount: int) -> None:
    """Moves a payment from the client's escrow, where it is locked, to the provider's."""
    if not amount:
        return
    client_id, provider_id = parties(deal)
    book = call.state.market
    escrow = _less(book.escrow, client_id, amount)
    escrow = escrow.set(provider_id, escrow.get(provider_id, 0) + amount)
    call.world.set_market(replace(book, escrow=escrow, locked=_less(book.locked, client_id, amount)))


def end_unstarted_deals(world: World, epochs: range) -> None:
    """What the market's cron does: removes deals whose start came without activation."""
    for epoch in sorted(epoch for epoch in world.state.market.starting if epoch in epochs):
        for deal_id in world.state.market.starting[epoch]:
            deal = world.state.market.deals.get(deal_id)
            if deal is not None and deal.sector_start_epoch == NEVER:
                close_deal(world, deal_id, deal, lost_by_provider=True)
        book = world.state.market
        world.set_market(replace(book, starting=book.starting.delete(epoch)))


METHODS = (
    (SECTOR_CONTENT_CHANGED, sector_content_changed),
    (SECTORS_TERMINATE, sectors_terminated),
    (market.SETTLE_DEAL_PAYMENTS, settle),
)
