"""The storage market (f05), first part: funds, and deals from their publication to their activation."""

from dataclasses import dataclass, replace
from hashlib import blake2b

from node.actors import datacap, market
from node.actors.accounts import AUTHENTICATE, AuthenticateParams
from node.actors.allocations import AllocationRequest, AllocationRequests, AllocationsResponse
from node.actors.miner import IS_CONTROLLING_ADDRESS
from node.address import Address, actor_address
from node.bitfield import bitfield_of
from node.cid import CODEC_COMMITMENT_UNSEALED
from node.event_types import DealPublished
from node.exit_codes import FORBIDDEN, ILLEGAL_ARGUMENT
from node.sim.actors.deal_lives import METHODS as LIFE_METHODS
from node.sim.errors import ActorFailure
from node.sim.machine import Call
from node.sim.state import StoredDeal
from node.singletons import DATACAP, VERIFIED_REGISTRY
from node.tokens import TOKENS_PER_BYTE


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A deal that is good so far: its position in what was sent, and its proposal with ids for addresses."""

    position: int
    proposal: market.DealProposal
    client_id: int


def deal_digest(proposal: market.DealProposal) -> bytes:
    """What tells a proposal from another: the hash of its CBOR."""
    return blake2b(proposal.to_bytes(), digest_size=32).digest()


def add_balance(call: Call, address: Address) -> None:
    """Puts the message's value into the escrow of an address; a miner's is its own, not its owner's."""
    if call.value_attofil <= 0:
        raise ActorFailure(ILLEGAL_ARGUMENT, "balance to add must be greater than zero")
    actor_id = call.resolve(address)
    book = call.state.market
    escrow = book.escrow.set(actor_id, book.escrow.get(actor_id, 0) + call.value_attofil)
    call.world.set_market(replace(book, escrow=escrow))


def withdraw_balance(call: Call, params: market.WithdrawBalanceParams) -> int:
    """Pays out of an escrow what no deal locks; what was paid."""
    actor_id = call.resolve(params.provider_or_client)
    owner_id = call.state.miners[actor_id].owner_id if actor_id in call.state.miners else actor_id
    if call.caller_id not in {owner_id, actor_id}:
        raise ActorFailure(FORBIDDEN, f"caller {call.caller} is not one of supported")
    book = call.state.market
    free = book.escrow.get(actor_id, 0) - book.locked.get(actor_id, 0)
    paid = max(min(params.amount_attofil, free), 0)
    call.world.set_market(replace(book, escrow=book.escrow.set(actor_id, book.escrow.get(actor_id, 0) - paid)))
    call.world.move(call.receiver_id, owner_id, paid)
    return paid


def balance_of(call: Call, address: Address) -> market.BalanceReturn:
    """An address's escrow, and what of it is locked."""
    actor_id = call.state.actor_id(address) or 0
    book = call.state.market
    return market.BalanceReturn(book.escrow.get(actor_id, 0), book.locked.get(actor_id, 0))


def publish(call: Call, params: market.PublishStorageDealsParams) -> market.PublishStorageDealsReturn:
    """Takes the deals that are in order; a verified one spends its client's DataCap on an allocation."""
    provider_id = _check_caller(call, params)
    taken: list[_Candidate] = []
    for position, deal in enumerate(params.deals):
        candidate = _check_deal(call, position, deal, provider_id)
        if candidate is not None and _fits(call, taken, candidate):
            taken.append(candidate)
    taken = _with_datacap(call, taken)
    if not taken:
        raise ActorFailure(ILLEGAL_ARGUMENT, "All deal proposals invalid")
    allocation_ids = _allocate(call, taken)
    ids = [_store(call, candidate, allocation_ids.get(candidate.position)) for candidate in taken]
    for deal_id, candidate in zip(ids, taken, strict=True):
        call.emit(DealPublished(deal_id, candidate.client_id, provider_id))
        _notify_client(call, deal_id, candidate)
    return market.PublishStorageDealsReturn(tuple(ids), bitfield_of(candidate.position for candidate in taken))


def _check_caller(call: Call, params: market.PublishStorageDealsParams) -> int:
    """The provider's id; ActorFailure where the caller does not act for it."""
    if not params.deals:
        raise ActorFailure(ILLEGAL_ARGUMENT, "empty deals parameter")
    provider_id = call.state.actor_id(params.deals[0].proposal.provider)
    miner = None if provider_id is None else call.state.miners.get(provider_id)
    if provider_id is None or miner is None:
        raise ActorFailure(ILLEGAL_ARGUMENT, "deal provider is not a storage miner actor")
    asked = actor_address(provider_id), IS_CONTROLLING_ADDRESS, call.caller
    if not call.send(*asked):
        text = f"caller {call.caller} is not worker or control address of provider {provider_id}"
        raise ActorFailure(FORBIDDEN, text)
    return provider_id


def _check_deal(call: Call, position: int, deal: market.ClientDealProposal, provider_id: int) -> _Candidate | None:
    """The deal with ids for addresses; None where it is not valid, which the market passes over."""
    proposal = deal.proposal
    client_id = call.state.actor_id(proposal.client)
    if client_id is None or client_id not in call.state.actors or not _is_sound(call, proposal):
        return None
    if call.state.actor_id(proposal.provider) != provider_id or not _is_signed(call, client_id, deal):
        return None
    named = replace(proposal, client=actor_address(client_id), provider=actor_address(provider_id))
    return _Candidate(position, named, client_id)


def _is_sound(call: Call, proposal: market.DealProposal) -> bool:
    rules, size = call.world.rules, proposal.size_bytes
    duration = proposal.end_epoch - proposal.start_epoch
    return (
        len(proposal.label_bytes) <= rules.max_label_bytes
        and size >= 128
        and size & (size - 1) == 0
        and size <= rules.sector_bytes
        and proposal.piece_cid.codec == CODEC_COMMITMENT_UNSEALED
        and call.world.epoch <= proposal.start_epoch
        and rules.min_deal_epochs <= duration <= rules.max_deal_epochs
        and min(proposal.price_per_epoch_attofil, proposal.provider_collateral_attofil) >= 0
        and proposal.client_collateral_attofil >= 0
    )


def _is_signed(call: Call, client_id: int, deal: market.ClientDealProposal) -> bool:
    """Whether the client's account says that it signed the proposal."""
    if call.world.trusted:
        return True
    params = AuthenticateParams(deal.client_signature.data, deal.proposal.to_bytes())
    try:
        call.send(deal.proposal.client, AUTHENTICATE, params, read_only=True)
    except ActorFailure:
        return False
    return True


def lockups(proposal: market.DealProposal) -> tuple[int, int]:
    """What a deal locks of its client's and of its provider's escrow."""
    fee = proposal.price_per_epoch_attofil * (proposal.end_epoch - proposal.start_epoch)
    return fee + proposal.client_collateral_attofil, proposal.provider_collateral_attofil


def _fits(call: Call, taken: list[_Candidate], candidate: _Candidate) -> bool:
    """Whether the deal is none of the pending and taken ones, and funds and DataCap suffice for it beside those."""
    book, token = call.state.market, call.state.token
    digest = deal_digest(candidate.proposal)
    if digest in book.pending or digest in {deal_digest(other.proposal) for other in taken}:
        return False
    needs: dict[int, int] = {}
    spent = 0
    for one in (*taken, candidate):
        for_client, for_provider = lockups(one.proposal)
        provider_id = one.proposal.provider.actor_id or 0
        needs[one.client_id] = needs.get(one.client_id, 0) + for_client
        needs[provider_id] = needs.get(provider_id, 0) + for_provider
        if one.proposal.verified and one.client_id == candidate.client_id:
            spent += one.proposal.size_bytes * TOKENS_PER_BYTE
    funded = all(book.escrow.get(at, 0) - book.locked.get(at, 0) >= need for at, need in needs.items())
    if not candidate.proposal.verified or call.world.datacap_ended:
        return funded
    large_enough = candidate.proposal.size_bytes >= call.world.rules.min_verified_bytes
    return funded and large_enough and token.balances.get(candidate.client_id, 0) >= spent


def _with_datacap(call: Call, taken: list[_Candidate]) -> list[_Candidate]:
    """The deals without those that are verified and whose client has not DataCap enough left for them."""
    if call.world.datacap_ended:
        return taken
    left: dict[int, int] = {}
    covered: list[_Candidate] = []
    for candidate in taken:
        client_id, needed = candidate.client_id, candidate.proposal.size_bytes * TOKENS_PER_BYTE
        if candidate.proposal.verified:
            if client_id not in left:
                left[client_id] = call.send(DATACAP, datacap.BALANCE, actor_address(client_id))
            if left[client_id] < needed:
                continue
            left[client_id] -= needed
        covered.append(candidate)
    return covered


def _allocate(call: Call, taken: list[_Candidate]) -> dict[int, int]:
    """Spends DataCap on the verified deals, client by client; position of a deal to its allocation's id."""
    if call.world.datacap_ended:
        return {}
    by_client: dict[int, list[_Candidate]] = {}
    for candidate in taken:
        if candidate.proposal.verified:
            by_client.setdefault(candidate.client_id, []).append(candidate)
    ids: dict[int, int] = {}
    for client_id, candidates in by_client.items():
        requests = AllocationRequests(tuple(_request(call, one.proposal) for one in candidates))
        amount = sum(one.proposal.size_bytes for one in candidates) * TOKENS_PER_BYTE
        params = datacap.TransferFromParams(actor_address(client_id), VERIFIED_REGISTRY, amount, requests.to_bytes())
        returned = call.send(DATACAP, datacap.TRANSFER_FROM, params)
        made = AllocationsResponse.from_bytes(returned.recipient_data).new_allocation_ids
        ids.update(zip((one.position for one in candidates), made, strict=True))
    return ids


def _notify_client(call: Call, deal_id: int, candidate: _Candidate) -> None:
    """Tells the client's actor of the deal; whatever it says, the deal stands."""
    notice = market.NotifyDealParams(candidate.proposal.to_bytes(), deal_id)
    try:
        call.send(actor_address(candidate.client_id), market.NOTIFY_DEAL, notice)
    except ActorFailure:
        return


def _request(call: Call, proposal: market.DealProposal) -> AllocationRequest:
    rules = call.world.rules
    duration = proposal.end_epoch - proposal.start_epoch
    latest = call.world.epoch + rules.max_allocation_expiration_epochs
    return AllocationRequest(
        provider=proposal.provider.actor_id or 0,
        data=proposal.piece_cid,
        size_bytes=proposal.size_bytes,
        term_min_epochs=duration,
        term_max_epochs=min(duration + rules.deal_term_slack_epochs, rules.max_allocation_term_epochs),
        expiration_epoch=min(proposal.start_epoch, latest),
    )


def _store(call: Call, candidate: _Candidate, allocation_id: int | None) -> int:
    """Adds a deal and locks its funds; its id."""
    book, proposal = call.state.market, candidate.proposal
    deal_id = book.next_deal_id
    locked = book.locked
    for_client, for_provider = lockups(proposal)
    for actor_id, amount in ((candidate.client_id, for_client), (proposal.provider.actor_id or 0, for_provider)):
        if amount:
            locked = locked.set(actor_id, locked.get(actor_id, 0) + amount)
    due = (*book.starting.get(proposal.start_epoch, ()), deal_id)
    allocations = book.allocation_ids
    call.world.set_market(
        replace(
            book,
            deals=book.deals.put(deal_id, StoredDeal(proposal)),
            next_deal_id=deal_id + 1,
            pending=book.pending.set(deal_digest(proposal), deal_id),
            starting=book.starting.set(proposal.start_epoch, due),
            allocation_ids=allocations if allocation_id is None else allocations.set(deal_id, allocation_id),
            locked=locked,
        )
    )
    return deal_id


METHODS = (
    (market.ADD_BALANCE, add_balance),
    (market.WITHDRAW_BALANCE, withdraw_balance),
    (market.GET_BALANCE, balance_of),
    (market.PUBLISH_STORAGE_DEALS, publish),
    *LIFE_METHODS,
)
