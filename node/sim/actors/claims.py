"""The verified registry (f06), third part: allocations become claims, claims get longer, what expired is removed."""

from collections.abc import Sequence
from dataclasses import replace

from node.actors import datacap, verifreg
from node.actors.batch import BatchFailure, BatchReturn
from node.address import actor_address
from node.event_types import AllocationRemoved, ClaimCreated, ClaimRemoved
from node.exit_codes import FORBIDDEN, ILLEGAL_ARGUMENT, NOT_FOUND, OK
from node.sim.actors.allocations import allocation_event, claim_event, put_claim, receive
from node.sim.actors.notaries import refuse_after_end
from node.sim.errors import ActorFailure
from node.sim.machine import Call
from node.sim.state import StoredAllocation
from node.singletons import DATACAP
from node.tokens import TOKENS_PER_BYTE


def batch_of(codes: Sequence[int]) -> BatchReturn:
    """The return of a batch whose items ended with those codes."""
    failures = tuple(BatchFailure(position, code) for position, code in enumerate(codes) if code != OK)
    return BatchReturn(len(codes) - len(failures), failures)


def batch_text(batch: BatchReturn) -> str:
    """The batch as an actor's error shows it."""
    failing = ", ".join(f"code={failure.exit_code} at idx={failure.position}" for failure in batch.failures)
    return f"Batch successes {batch.success_count} / {batch.count}, Batch failing: [{failing}]"


def claim_allocations(call: Call, params: verifreg.ClaimAllocationsParams) -> verifreg.ClaimAllocationsReturn:
    """Makes claims of allocations, sector by sector: the sector's claims all succeed or none."""
    refuse_after_end(call, "claiming allocations")
    if call.state.actors[call.caller_id].kind != "storageminer":
        raise ActorFailure(FORBIDDEN, f"caller {call.caller} is not one of supported")
    if not params.sectors:
        raise ActorFailure(ILLEGAL_ARGUMENT, "claim allocations called with no claims")
    codes, sizes = [], []
    for sector in params.sectors:
        code, size = _claim_sector(call, sector)
        codes.append(code)
        if code == OK:
            sizes.append(size)
    batch = batch_of(codes)
    if params.all_or_nothing and batch.failures:
        raise ActorFailure(ILLEGAL_ARGUMENT, f"claim failed with all-or-nothing: {batch_text(batch)}")
    if sum(sizes):
        call.send(DATACAP, datacap.BURN, datacap.BurnParams(sum(sizes) * TOKENS_PER_BYTE))
    return verifreg.ClaimAllocationsReturn(batch, tuple(sizes))


def _claim_sector(call: Call, sector: verifreg.SectorClaims) -> tuple[int, int]:
    """Exit code and claimed bytes of one sector."""
    found: list[tuple[int, StoredAllocation]] = []
    for claim in sector.claims:
        allocation = call.state.registry.allocations.get(claim.allocation_id)
        if allocation is None or allocation.client_id != claim.client_id:
            return NOT_FOUND, 0
        if not _may_claim(call, claim, allocation, sector.expiry_epoch):
            return FORBIDDEN, 0
        if claim.allocation_id in {allocation_id for allocation_id, _ in found}:
            return NOT_FOUND, 0
        found.append((claim.allocation_id, allocation))
    for allocation_id, allocation in found:
        _claim(call, allocation_id, allocation, sector.sector)
    return OK, sum(allocation.size_bytes for _, allocation in found)


def _may_claim(
    call: Call, claim: verifreg.AllocationClaim, allocation: StoredAllocation, sector_expiry_epoch: int
) -> bool:
    """Whether the calling miner may claim the allocation for a sector that lasts until then."""
    epoch = call.world.epoch
    life = sector_expiry_epoch - epoch
    return (
        allocation.provider_id == call.caller_id
        and allocation.data == claim.data
        and allocation.size_bytes == claim.size_bytes
        and epoch <= allocation.expiration_epoch
        and allocation.term_min_epochs <= life <= allocation.term_max_epochs
    )


def _claim(call: Call, allocation_id: int, allocation: StoredAllocation, sector: int) -> None:
    claim = verifreg.StoredClaim(
        provider_id=allocation.provider_id,
        client_id=allocation.client_id,
        data=allocation.data,
        size_bytes=allocation.size_bytes,
        term_min_epochs=allocation.term_min_epochs,
        term_max_epochs=allocation.term_max_epochs,
        term_start_epoch=call.world.epoch,
        sector=sector,
    )
    registry = call.state.registry
    allocations = registry.allocations.remove(allocation_id)
    call.world.set_registry(
        replace(registry, allocations=allocations, claims=registry.claims.put(allocation_id, claim))
    )
    call.emit(claim_event(ClaimCreated, allocation_id, claim))


def get_claims(call: Call, params: verifreg.GetClaimsParams) -> verifreg.GetClaimsReturn:
    """A provider's claims by their ids."""
    table = call.state.registry.claims
    wanted = [table.get(claim_id) for claim_id in params.claim_ids]
    found = [claim if claim is not None and claim.provider_id == params.provider_id else None for claim in wanted]
    codes = [OK if claim is not None else NOT_FOUND for claim in found]
    return verifreg.GetClaimsReturn(batch_of(codes), tuple(claim for claim in found if claim is not None))


def extend_claim_terms(call: Call, params: verifreg.ExtendClaimTermsParams) -> BatchReturn:
    """Lengthens claims of the calling client."""
    refuse_after_end(call, "extending claim terms")
    return batch_of([_extend(call, term) for term in params.terms])


def _extend(call: Call, term: verifreg.ClaimTerm) -> int:
    if term.term_max_epochs > call.world.rules.max_allocation_term_epochs:
        return ILLEGAL_ARGUMENT
    claim = call.state.registry.claims.get(term.claim_id)
    if claim is None or claim.provider_id != term.provider_id:
        return NOT_FOUND
    if claim.client_id != call.caller_id:
        return FORBIDDEN
    if term.term_max_epochs < claim.term_max_epochs:
        return ILLEGAL_ARGUMENT
    put_claim(call, term.claim_id, replace(claim, term_max_epochs=term.term_max_epochs))
    return OK


def remove_expired_allocations(
    call: Call, params: verifreg.RemoveExpiredAllocationsParams
) -> verifreg.RemoveExpiredAllocationsReturn:
    """Removes expired allocations of a client, of anyone's will; the DataCap goes back to the client."""
    owned = call.state.registry.allocations.of_owner(params.client_id)
    expired = {at for at, allocation in owned.items() if allocation.expiration_epoch <= call.world.epoch}
    considered = params.allocation_ids or tuple(sorted(expired))
    codes = [OK if at in expired else FORBIDDEN if at in owned else NOT_FOUND for at in considered]
    removed = [at for at, code in zip(considered, codes, strict=True) if code == OK]
    for allocation_id in dict.fromkeys(removed):
        registry = call.state.registry
        call.world.set_registry(replace(registry, allocations=registry.allocations.remove(allocation_id)))
        call.emit(allocation_event(AllocationRemoved, allocation_id, owned[allocation_id]))
    recovered = sum(owned[at].size_bytes for at in dict.fromkeys(removed))
    if recovered:
        back = datacap.TransferParams(actor_address(params.client_id), recovered * TOKENS_PER_BYTE, b"")
        call.send(DATACAP, datacap.TRANSFER, back)
    return verifreg.RemoveExpiredAllocationsReturn(considered, batch_of(codes), recovered)


def remove_expired_claims(call: Call, params: verifreg.RemoveExpiredClaimsParams) -> verifreg.RemoveExpiredClaimsReturn:
    """Removes claims of a provider whose terms are over, of anyone's will."""
    owned = call.state.registry.claims.of_owner(params.provider_id)
    epoch = call.world.epoch
    expired = {at for at, claim in owned.items() if claim.term_start_epoch + claim.term_max_epochs <= epoch}
    considered = params.claim_ids or tuple(sorted(expired))
    codes = [OK if at in expired else FORBIDDEN if at in owned else NOT_FOUND for at in considered]
    for claim_id, code in dict(zip(considered, codes, strict=True)).items():
        if code == OK:
            registry = call.state.registry
            call.world.set_registry(replace(registry, claims=registry.claims.remove(claim_id)))
            call.emit(claim_event(ClaimRemoved, claim_id, owned[claim_id]))
    return verifreg.RemoveExpiredClaimsReturn(considered, batch_of(codes))


METHODS = (
    (verifreg.RECEIVE, receive),
    (verifreg.CLAIM_ALLOCATIONS, claim_allocations),
    (verifreg.GET_CLAIMS, get_claims),
    (verifreg.EXTEND_CLAIM_TERMS, extend_claim_terms),
    (verifreg.REMOVE_EXPIRED_ALLOCATIONS, remove_expired_allocations),
    (verifreg.REMOVE_EXPIRED_CLAIMS, remove_expired_claims),
)
