"""The verified registry (f06), second part: DataCap that clients send becomes allocations and longer claims."""

from dataclasses import replace

from node.actors import datacap, verifreg
from node.actors.allocations import (
    AllocationRequest,
    AllocationRequests,
    AllocationsResponse,
    ClaimExtensionRequest,
)
from node.actors.batch import BatchReturn
from node.actors.receiver import TokensReceived, UniversalReceiverParams
from node.elements import Element
from node.errors import ParamsError
from node.event_types import AllocationCreated, AllocationEvent, ClaimEvent, ClaimUpdated
from node.exit_codes import FORBIDDEN, ILLEGAL_ARGUMENT, NOT_FOUND, SERIALIZATION
from node.sim.actors.notaries import refuse_after_end
from node.sim.errors import ActorFailure
from node.sim.machine import Call, serialization_text
from node.sim.state import StoredAllocation
from node.singletons import DATACAP
from node.tokens import TOKENS_PER_BYTE
from node.tuples import tuple_of

_DATACAP_ID = 7
_REQUESTS: Element[AllocationRequests] = tuple_of(AllocationRequests)
_KIND_NAMES = {"account": "Account", "multisig": "Multisig", "verifiedregistry": "VerifiedRegistry"}


def receive(call: Call, params: UniversalReceiverParams) -> AllocationsResponse:
    """Makes what a client's transfer of tokens asks for; the sizes must add up to what was sent."""
    if call.caller_id != _DATACAP_ID:
        raise ActorFailure(FORBIDDEN, f"caller {call.caller} is not one of supported")
    refuse_after_end(call, "new allocations")
    received = TokensReceived.from_bytes(params.payload)
    requests = _decode_requests(received.operator_data)
    allocations = [_check_allocation(call, request, received.from_id) for request in requests.allocations]
    claims = [_check_extension(call, request) for request in requests.extensions]
    extended_bytes = sum(claim.size_bytes for _, claim in claims)
    total = sum(allocation.size_bytes for allocation in allocations) + extended_bytes
    if total * TOKENS_PER_BYTE != received.amount_tokens:
        sent = received.amount_tokens // TOKENS_PER_BYTE
        text = f"total allocation size {total} must match data cap amount received {sent}"
        raise ActorFailure(ILLEGAL_ARGUMENT, text)
    ids = add_allocations(call, allocations)
    for claim_id, claim in claims:
        put_claim(call, claim_id, claim)
    if extended_bytes:
        call.send(DATACAP, datacap.BURN, datacap.BurnParams(extended_bytes * TOKENS_PER_BYTE))
    return AllocationsResponse(BatchReturn(len(ids)), BatchReturn(len(claims)), tuple(ids))


def _decode_requests(operator_data: bytes) -> AllocationRequests:
    try:
        return _REQUESTS.from_bytes(operator_data)
    except ParamsError as error:
        text = f"failed to deserialize allocation requests: {serialization_text(error, operator_data)}"
        raise ActorFailure(SERIALIZATION, text) from error


def add_allocations(call: Call, allocations: list[StoredAllocation]) -> list[int]:
    """Adds allocations; their ids, in the order given."""
    registry = call.state.registry
    ids = list(range(registry.next_allocation_id, registry.next_allocation_id + len(allocations)))
    table = registry.allocations
    for allocation_id, allocation in zip(ids, allocations, strict=True):
        table = table.put(allocation_id, allocation)
    next_id = registry.next_allocation_id + len(ids)
    call.world.set_registry(replace(registry, allocations=table, next_allocation_id=next_id))
    for allocation_id, allocation in zip(ids, allocations, strict=True):
        call.emit(allocation_event(AllocationCreated, allocation_id, allocation))
    return ids


def allocation_event(kind: type[AllocationEvent], allocation_id: int, allocation: StoredAllocation) -> AllocationEvent:
    """The event about an allocation."""
    return kind(
        allocation_id=allocation_id,
        client_id=allocation.client_id,
        provider_id=allocation.provider_id,
        piece_cid=allocation.data,
        size_bytes=allocation.size_bytes,
        term_min_epochs=allocation.term_min_epochs,
        term_max_epochs=allocation.term_max_epochs,
        expiration_epoch=allocation.expiration_epoch,
    )


def put_claim(call: Call, claim_id: int, claim: verifreg.StoredClaim) -> None:
    """Stores a claim whose term was extended, and says so."""
    registry = call.state.registry
    call.world.set_registry(replace(registry, claims=registry.claims.put(claim_id, claim)))
    call.emit(claim_event(ClaimUpdated, claim_id, claim))


def claim_event(kind: type[ClaimEvent], claim_id: int, claim: verifreg.StoredClaim) -> ClaimEvent:
    """The event about a claim."""
    return kind(
        claim_id=claim_id,
        client_id=claim.client_id,
        provider_id=claim.provider_id,
        piece_cid=claim.data,
        size_bytes=claim.size_bytes,
        term_min_epochs=claim.term_min_epochs,
        term_max_epochs=claim.term_max_epochs,
        term_start_epoch=claim.term_start_epoch,
        sector=claim.sector,
    )


def _check_allocation(call: Call, request: AllocationRequest, client_id: int) -> StoredAllocation:
    """The allocation that is asked for; ActorFailure where it is not allowed. The data may be any CID."""
    provider_id = _miner_id(call, request.provider_id)
    fault = _term_fault(call, request) or _expiration_fault(call, request.expiration_epoch)
    if fault:
        raise ActorFailure(ILLEGAL_ARGUMENT, f"allocation {fault}")
    return StoredAllocation(
        client_id=client_id,
        provider_id=provider_id,
        data=request.data,
        size_bytes=request.size_bytes,
        term_min_epochs=request.term_min_epochs,
        term_max_epochs=request.term_max_epochs,
        expiration_epoch=request.expiration_epoch,
    )


def _miner_id(call: Call, provider_id: int | None) -> int:
    actor = None if provider_id is None else call.state.actors.get(provider_id)
    if provider_id is None or actor is None:
        raise ActorFailure(ILLEGAL_ARGUMENT, f"failed to look up provider {provider_id}")
    if actor.kind != "storageminer":
        kind = _KIND_NAMES.get(actor.kind, actor.kind.capitalize())
        text = f"allocation provider {provider_id} must be a miner actor, was {kind}"
        raise ActorFailure(ILLEGAL_ARGUMENT, text)
    return provider_id


def _term_fault(call: Call, request: AllocationRequest) -> str | None:
    rules = call.world.rules
    if request.size_bytes < rules.min_verified_bytes:
        return f"size {request.size_bytes} below minimum {rules.min_verified_bytes}"
    if request.term_min_epochs < rules.min_allocation_term_epochs:
        return f"term min {request.term_min_epochs} below limit {rules.min_allocation_term_epochs}"
    if request.term_max_epochs > rules.max_allocation_term_epochs:
        return f"term max {request.term_max_epochs} above limit {rules.max_allocation_term_epochs}"
    if request.term_min_epochs > request.term_max_epochs:
        return f"term min {request.term_min_epochs} exceeds term max {request.term_max_epochs}"
    return None


def _expiration_fault(call: Call, expiration_epoch: int) -> str | None:
    epoch = call.world.epoch
    latest = epoch + call.world.rules.max_allocation_expiration_epochs
    if expiration_epoch < epoch:
        return f"expiration epoch {expiration_epoch} has passed current epoch {epoch}"
    if expiration_epoch > latest:
        return f"expiration {expiration_epoch} exceeds maximum {latest}"
    return None


def _check_extension(call: Call, request: ClaimExtensionRequest) -> tuple[int, verifreg.StoredClaim]:
    """The claim with its longer term; ActorFailure where it is not allowed. It may be another client's."""
    provider_id = _miner_id(call, request.provider_id)
    claim = call.state.registry.claims.get(request.claim_id)
    if claim is None or claim.provider_id != provider_id:
        raise ActorFailure(NOT_FOUND, f"no claim {request.claim_id} for provider {provider_id}")
    epoch, term = call.world.epoch, request.term_max_epochs
    limit = epoch + call.world.rules.max_allocation_term_epochs - claim.term_start_epoch
    expires = claim.term_start_epoch + claim.term_max_epochs
    if term > limit:
        text = f"term_max {term} for claim {request.claim_id} exceeds maximum {limit} at current epoch {epoch}"
    elif term <= claim.term_max_epochs:
        text = f"term_max {term} for claim {request.claim_id} is not larger than existing {claim.term_max_epochs}"
    elif epoch > expires:
        text = f"claim {request.claim_id} expired at {expires}, current epoch {epoch}"
    else:
        return request.claim_id, replace(claim, term_max_epochs=term)
    raise ActorFailure(ILLEGAL_ARGUMENT, text)
