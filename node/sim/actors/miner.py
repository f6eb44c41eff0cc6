"""Storage miners, simplified: a sector is announced, proven with its pieces, and may be given up.

No proofs are checked and no time has to pass between announcing and proving.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from immutables import Map

from node.actors import miner as codec
from node.actors import verifreg
from node.actors.batch import BatchReturn
from node.actors.sectors import SECTOR_CONTENT_CHANGED, PieceChange, SectorChanges
from node.address import Address, actor_address
from node.bitfield import bitfield_of
from node.event_types import SectorActivated, SectorPiece, SectorPrecommitted, SectorTerminated, SectorUpdated
from node.exit_codes import FORBIDDEN, ILLEGAL_ARGUMENT, NOT_FOUND, OK
from node.sim.actors.claims import batch_of, batch_text
from node.sim.actors.terminations import SECTORS_TERMINATE, SectorsTerminated
from node.sim.commd import unsealed_cid
from node.sim.errors import ActorFailure
from node.sim.machine import Call
from node.sim.state import Miner, Sector
from node.singletons import MARKET, VERIFIED_REGISTRY

Filled = codec.SectorActivation | codec.SectorUpdate
AnyFilled = TypeVar("AnyFilled", codec.SectorActivation, codec.SectorUpdate)
Proven = codec.ProveCommitSectorsParams | codec.ProveReplicaUpdatesParams
_LEAST_PIECE_BYTES = 128
_DIGEST_BYTES = 32


def _miner(call: Call) -> Miner:
    return call.state.miners[call.receiver_id]


def _require_control(call: Call) -> None:
    miner = _miner(call)
    if call.caller_id not in {miner.owner_id, miner.worker_id}:
        raise ActorFailure(FORBIDDEN, f"caller {call.caller} is not one of supported")


def _put_sector(call: Call, number: int, sector: Sector | None) -> None:
    """Stores a sector, or removes it where it is None."""
    sectors = call.state.sectors.get(call.receiver_id, Map())
    sectors = sectors.delete(number) if sector is None else sectors.set(number, sector)
    call.world.state = replace(call.state, sectors=call.state.sectors.set(call.receiver_id, sectors))
    miner = _miner(call)
    if number >= miner.next_sector:
        miners = call.state.miners.set(call.receiver_id, replace(miner, next_sector=number + 1))
        call.world.state = replace(call.state, miners=miners)
    call.world.touch(call.receiver_id)


def control_addresses(call: Call, _params: None) -> codec.ControlAddresses:
    """Who acts for the miner."""
    miner = _miner(call)
    return codec.ControlAddresses(actor_address(miner.owner_id), actor_address(miner.worker_id), ())


def is_controlling(call: Call, address: Address) -> bool:
    """Whether an address acts for the miner."""
    miner = _miner(call)
    return call.state.actor_id(address) in {miner.owner_id, miner.worker_id}


def precommit(call: Call, params: codec.PreCommitSectorBatchParams) -> None:
    """Announces sectors."""
    _require_control(call)
    for announced in params.sectors:
        if call.state.sector(call.receiver_id, announced.sector) is not None:
            raise ActorFailure(ILLEGAL_ARGUMENT, f"sector {announced.sector} already allocated")
        if announced.expiration_epoch <= call.world.epoch:
            text = f"sector expiration {announced.expiration_epoch} must be after activation {call.world.epoch}"
            raise ActorFailure(ILLEGAL_ARGUMENT, text)
        sector = Sector(announced.expiration_epoch, announced.seal_proof, announced.sealed_cid, announced.unsealed_cid)
        _put_sector(call, announced.sector, sector)
        call.emit(SectorPrecommitted(announced.sector))


def prove_commit(call: Call, params: codec.ProveCommitSectorsParams) -> BatchReturn:
    """Proves announced sectors: their allocations are claimed, and who is to be told of their pieces is told."""
    return _prove(call, params, params.sectors, ("prove", "sectors"), _precommit_code, _activate)


def prove_updates(call: Call, params: codec.ProveReplicaUpdatesParams) -> BatchReturn:
    """Puts data into proven sectors without any: as `prove_commit`, for sectors that go on as they are otherwise."""
    return _prove(call, params, params.sectors, ("update", "updates"), _update_code, _update)


def _prove(
    call: Call,
    params: Proven,
    sectors: Sequence[AnyFilled],
    words: tuple[str, str],
    code_of: Callable[[Call, AnyFilled], int],
    take: Callable[[Call, AnyFilled], None],
) -> BatchReturn:
    """Judges each sector, claims the allocations, takes the sectors that are in order, and tells who is to be told."""
    _require_control(call)
    if not sectors:
        raise ActorFailure(ILLEGAL_ARGUMENT, f"no sectors to {words[0]}")
    codes = [code_of(call, one) for one in sectors]
    claim_codes = _claim(call, params, codes)
    codes = [code or claimed for code, claimed in zip(codes, claim_codes, strict=True)]
    batch = batch_of(codes)
    if batch.failures and (params.require_activation_success or not batch.success_count):
        raise ActorFailure(ILLEGAL_ARGUMENT, f"invalid {words[1]}: {batch_text(batch)}")
    taken = [one for one, code in zip(sectors, codes, strict=True) if code == OK]
    for one in taken:
        take(call, one)
    _notify(call, taken, required=params.require_notification_success)
    return batch


def _update_code(call: Call, update: codec.SectorUpdate) -> int:
    """Whether a sector is proven and still empty, and its pieces fit; an exit code."""
    sector = call.state.sector(call.receiver_id, update.sector)
    if sector is None or not sector.proven:
        return NOT_FOUND
    sizes = [piece.size_bytes for piece in update.pieces]
    sound = all(size >= _LEAST_PIECE_BYTES and size & (size - 1) == 0 for size in sizes)
    fits = sound and 0 < sum(sizes) <= call.world.rules.sector_bytes
    digests = all(len(piece.data.digest) == _DIGEST_BYTES for piece in update.pieces)
    is_empty = sector.unsealed_cid is None and not sector.deal_weight and not sector.verified_weight
    return OK if is_empty and fits and digests else ILLEGAL_ARGUMENT


def _update(call: Call, update: codec.SectorUpdate) -> None:
    sector = call.state.sectors[call.receiver_id][update.sector]
    data = unsealed_cid([(piece.data, piece.size_bytes) for piece in update.pieces], call.world.rules.sector_bytes)
    filled = replace(_filled(call, sector, update.pieces), sealed_cid=update.new_sealed_cid, unsealed_cid=data)
    _put_sector(call, update.sector, filled)
    pieces = tuple(SectorPiece(piece.data, piece.size_bytes) for piece in update.pieces)
    call.emit(SectorUpdated(update.sector, data, pieces))


def _precommit_code(call: Call, activation: codec.SectorActivation) -> int:
    sector = call.state.sector(call.receiver_id, activation.sector)
    return OK if sector is not None and not sector.proven else NOT_FOUND


def _claim(call: Call, params: Proven, codes: Sequence[int]) -> list[int]:
    """Claims the allocations of the sectors that are in order; an exit code for each sector."""
    results = [OK] * len(codes)
    if call.world.datacap_ended:
        return results
    activations: Sequence[Filled] = params.sectors
    chosen = [
        (at, _sector_claims(call, activation))
        for at, activation in enumerate(activations)
        if codes[at] == OK and any(piece.allocation for piece in activation.pieces)
    ]
    if not chosen:
        return results
    request = verifreg.ClaimAllocationsParams(
        tuple(claims for _, claims in chosen), all_or_nothing=params.require_activation_success
    )
    try:
        returned = call.send(VERIFIED_REGISTRY, verifreg.CLAIM_ALLOCATIONS, request)
    except ActorFailure as error:
        text = f"error claiming allocations on batch: send aborted with code {error.exit_code}"
        raise ActorFailure(error.exit_code, text) from error
    if isinstance(returned, verifreg.ClaimAllocationsReturn):
        for failed in returned.sector_results.failures:
            results[chosen[failed.position][0]] = failed.exit_code
    return results


def _sector_claims(call: Call, activation: Filled) -> verifreg.SectorClaims:
    sector = call.state.sectors[call.receiver_id][activation.sector]
    claims = tuple(
        verifreg.AllocationClaim(
            piece.allocation.client_id, piece.allocation.allocation_id, piece.data, piece.size_bytes
        )
        for piece in activation.pieces
        if piece.allocation
    )
    return verifreg.SectorClaims(activation.sector, sector.expiration_epoch, claims)


def _filled(call: Call, sector: Sector, pieces: Sequence[codec.PieceActivation]) -> Sector:
    """The sector with what the pieces weigh until its end."""
    ended = call.world.datacap_ended
    life = sector.expiration_epoch - call.world.epoch
    verified = sum(piece.size_bytes for piece in pieces if piece.allocation and not ended)
    total = sum(piece.size_bytes for piece in pieces)
    return replace(
        sector,
        deal_weight=(total - verified) * life,
        verified_weight=verified * life,
        without_quality=ended,
    )


def _activate(call: Call, activation: codec.SectorActivation) -> None:
    sector = call.state.sectors[call.receiver_id][activation.sector]
    active = replace(_filled(call, sector, activation.pieces), activation_epoch=call.world.epoch)
    _put_sector(call, activation.sector, active)
    pieces = tuple(SectorPiece(piece.data, piece.size_bytes) for piece in activation.pieces)
    call.emit(SectorActivated(activation.sector, sector.unsealed_cid, pieces))


def _notify(call: Call, activations: Sequence[Filled], *, required: bool) -> None:
    """Tells the actors that the pieces name, sector by sector."""
    by_address: dict[Address, list[SectorChanges]] = {}
    for activation in activations:
        for address in dict.fromkeys(one.address for piece in activation.pieces for one in piece.notify):
            by_address.setdefault(address, []).append(_changes(call, activation, address))
    for address, changes in by_address.items():
        try:
            answers = call.send(address, SECTOR_CONTENT_CHANGED, tuple(changes))
        except ActorFailure as error:
            if required:
                raise ActorFailure(ILLEGAL_ARGUMENT, "sector change rejected") from error
            continue
        if required and not all(accepted for sector in answers for accepted in sector):
            raise ActorFailure(ILLEGAL_ARGUMENT, "sector change rejected")


def _changes(call: Call, activation: Filled, address: Address) -> SectorChanges:
    sector = call.state.sectors[call.receiver_id][activation.sector]
    added = tuple(
        PieceChange(piece.data, piece.size_bytes, one.payload)
        for piece in activation.pieces
        for one in piece.notify
        if one.address == address
    )
    return SectorChanges(activation.sector, sector.expiration_epoch, added)


def terminate(call: Call, params: codec.TerminateSectorsParams) -> codec.TerminateSectorsReturn:
    """Gives up sectors: their deals end, their claims stay."""
    _require_control(call)
    numbers = sorted({number for part in params.terminations for number in part.sectors})
    for number in numbers:
        sector = call.state.sector(call.receiver_id, number)
        if sector is None or not sector.proven:
            raise ActorFailure(NOT_FOUND, f"sector {number} not found")
    for number in numbers:
        _put_sector(call, number, None)
        call.emit(SectorTerminated(number))
    call.send(MARKET, SECTORS_TERMINATE, SectorsTerminated(call.world.epoch, bitfield_of(numbers)))
    return codec.TerminateSectorsReturn(done=True)


METHODS = (
    (codec.CONTROL_ADDRESSES, control_addresses),
    (codec.IS_CONTROLLING_ADDRESS, is_controlling),
    (codec.PRE_COMMIT_SECTOR_BATCH, precommit),
    (codec.PROVE_COMMIT_SECTORS, prove_commit),
    (codec.PROVE_REPLICA_UPDATES, prove_updates),
    (codec.TERMINATE_SECTORS, terminate),
)
