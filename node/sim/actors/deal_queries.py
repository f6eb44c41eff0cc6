"""The storage market (f05), third part: the methods that tell one thing of a deal."""

from collections.abc import Callable
from typing import Any

from node.actors import market
from node.exit_codes import NOT_FOUND
from node.sim.actors.deal_lives import parties
from node.sim.errors import ActorFailure
from node.sim.machine import Call
from node.sim.state import NEVER, StoredDeal


def _deal(call: Call, deal_id: int) -> StoredDeal:
    """The deal; ActorFailure: 32 where it is gone, 17 where there never was one of that id."""
    book = call.state.market
    deal = book.deals.get(deal_id)
    if deal is not None:
        return deal
    if deal_id < book.next_deal_id:
        raise ActorFailure(market.DEAL_EXPIRED, f"deal {deal_id} expired")
    raise ActorFailure(NOT_FOUND, f"no such deal {deal_id}")


def _tell(tell: Callable[[StoredDeal], Any]) -> Callable[[Call, int], Any]:
    return lambda call, deal_id: tell(_deal(call, deal_id))


def _total_price(deal: StoredDeal) -> int:
    proposal = deal.proposal
    return proposal.price_per_epoch_attofil * (proposal.end_epoch - proposal.start_epoch)


def _term(deal: StoredDeal) -> market.DealTerm:
    proposal = deal.proposal
    return market.DealTerm(proposal.start_epoch, proposal.end_epoch - proposal.start_epoch)


def activation(call: Call, deal_id: int) -> market.DealActivation:
    """When the deal's sector was proven; ActorFailure 33 where it was not yet."""
    deal = _deal(call, deal_id)
    if deal.sector_start_epoch == NEVER:
        raise ActorFailure(market.DEAL_NOT_ACTIVATED, f"deal {deal_id} not yet activated")
    return market.DealActivation(deal.sector_start_epoch, deal.slash_epoch)


def sector(call: Call, deal_id: int) -> int:
    """The sector that the deal is in; ActorFailure 33 where it is in none yet."""
    deal = _deal(call, deal_id)
    if deal.sector_start_epoch == NEVER:
        raise ActorFailure(market.DEAL_NOT_ACTIVATED, f"deal {deal_id} not yet activated")
    return deal.sector


METHODS = (
    (
        market.GET_DEAL_DATA_COMMITMENT,
        _tell(lambda deal: market.DealDataCommitment(deal.proposal.piece_cid, deal.proposal.size_bytes)),
    ),
    (market.GET_DEAL_CLIENT, _tell(lambda deal: parties(deal)[0])),
    (market.GET_DEAL_PROVIDER, _tell(lambda deal: parties(deal)[1])),
    (market.GET_DEAL_LABEL, _tell(lambda deal: deal.proposal.label)),
    (market.GET_DEAL_TERM, _tell(_term)),
    (market.GET_DEAL_TOTAL_PRICE, _tell(_total_price)),
    (market.GET_DEAL_CLIENT_COLLATERAL, _tell(lambda deal: deal.proposal.client_collateral_attofil)),
    (market.GET_DEAL_PROVIDER_COLLATERAL, _tell(lambda deal: deal.proposal.provider_collateral_attofil)),
    (market.GET_DEAL_VERIFIED, _tell(lambda deal: deal.proposal.verified)),
    (market.GET_DEAL_ACTIVATION, activation),
    (market.GET_DEAL_SECTOR, sector),
)
