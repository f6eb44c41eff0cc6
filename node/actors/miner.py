"""Storage miners: what brings data into sectors and takes it out again, as far as Filecoin Plus needs it.

Source: builtin-actors actors/miner/src/types.rs; FIP-0076. Sizes are padded bytes, sectors are sector numbers.
"""

from dataclasses import dataclass

from node.actors.batch import BatchReturn
from node.address import Address
from node.bitfield import BitField
from node.cid import Cid
from node.elements import ADDRESS, BIG_INTEGER, BOOLEAN, NOTHING
from node.methods import exported_method, native_method
from node.tuples import Amount, CborTuple, Int, Uint, tuple_of


@dataclass(frozen=True, slots=True)
class ControlAddresses(CborTuple):
    """Who may act for a miner: its owner, its worker, and further addresses that may act like the worker."""

    owner: Address
    worker: Address
    control_addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class SectorPreCommit(CborTuple):
    """A sector that is announced. `unsealed_cid` is null for one without data."""

    seal_proof: Int
    sector: Uint
    sealed_cid: Cid
    seal_rand_epoch: Int
    deal_ids: tuple[Uint, ...]
    expiration_epoch: Int
    unsealed_cid: Cid | None


@dataclass(frozen=True, slots=True)
class PreCommitSectorBatchParams(CborTuple):
    """Announces sectors (PreCommitSectorBatch2)."""

    sectors: tuple[SectorPreCommit, ...]


@dataclass(frozen=True, slots=True)
class AllocationKey(CborTuple):
    """The allocation that a piece claims."""

    client_id: Uint
    allocation_id: Uint


@dataclass(frozen=True, slots=True)
class Notification(CborTuple):
    """Whom to tell of a piece, and what: for the market the payload is the deal's id in CBOR."""

    address: Address
    payload: bytes


@dataclass(frozen=True, slots=True)
class PieceActivation(CborTuple):
    """A piece that comes into a sector, the allocation that it claims if any, and who is told."""

    data: Cid
    size_bytes: Uint
    allocation: AllocationKey | None
    notify: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class SectorActivation(CborTuple):
    """A sector that is proven, with all its pieces."""

    sector: Uint
    pieces: tuple[PieceActivation, ...]


@dataclass(frozen=True, slots=True)
class ProveCommitSectorsParams(CborTuple):
    """Proves announced sectors (ProveCommitSectors3): a proof each, or one for all."""

    sectors: tuple[SectorActivation, ...]
    sector_proofs: tuple[bytes, ...]
    aggregate_proof: bytes
    aggregate_proof_type: Int | None
    require_activation_success: bool
    require_notification_success: bool


@dataclass(frozen=True, slots=True)
class SectorUpdate(CborTuple):
    """An empty sector that gets data, and where it stands among the miner's."""

    sector: Uint
    deadline: Uint
    partition: Uint
    new_sealed_cid: Cid
    pieces: tuple[PieceActivation, ...]


@dataclass(frozen=True, slots=True)
class ProveReplicaUpdatesParams(CborTuple):
    """Puts data into empty sectors (ProveReplicaUpdates3)."""

    sectors: tuple[SectorUpdate, ...]
    sector_proofs: tuple[bytes, ...]
    aggregate_proof: bytes
    update_proof_type: Int
    aggregate_proof_type: Int | None
    require_activation_success: bool
    require_notification_success: bool


@dataclass(frozen=True, slots=True)
class SectorTermination(CborTuple):
    """Sectors of one partition that are given up."""

    deadline: Uint
    partition: Uint
    sectors: BitField


@dataclass(frozen=True, slots=True)
class TerminateSectorsParams(CborTuple):
    """Gives up sectors. Their claims stay in the registry until their terms end."""

    terminations: tuple[SectorTermination, ...]


@dataclass(frozen=True, slots=True)
class TerminateSectorsReturn(CborTuple):
    """Whether all of it is done, or some is left for a next call."""

    done: bool


@dataclass(frozen=True, slots=True)
class WithdrawBalanceParams(CborTuple):
    """Funds for the owner or beneficiary; the return is what it got."""

    amount_attofil: Amount


CONTROL_ADDRESSES = native_method("ControlAddresses", 2, NOTHING, tuple_of(ControlAddresses))
TERMINATE_SECTORS = native_method(
    "TerminateSectors", 9, tuple_of(TerminateSectorsParams), tuple_of(TerminateSectorsReturn)
)
WITHDRAW_BALANCE = exported_method("WithdrawBalance", tuple_of(WithdrawBalanceParams), BIG_INTEGER, native=16)
CHANGE_OWNER_ADDRESS = exported_method("ChangeOwnerAddress", ADDRESS, NOTHING, native=23)
PRE_COMMIT_SECTOR_BATCH = native_method("PreCommitSectorBatch2", 28, tuple_of(PreCommitSectorBatchParams), NOTHING)
PROVE_COMMIT_SECTORS = native_method(
    "ProveCommitSectors3", 34, tuple_of(ProveCommitSectorsParams), tuple_of(BatchReturn)
)
PROVE_REPLICA_UPDATES = native_method(
    "ProveReplicaUpdates3", 35, tuple_of(ProveReplicaUpdatesParams), tuple_of(BatchReturn)
)
IS_CONTROLLING_ADDRESS = exported_method("IsControllingAddress", ADDRESS, BOOLEAN)

METHODS = (
    *(CONTROL_ADDRESSES, TERMINATE_SECTORS, WITHDRAW_BALANCE, CHANGE_OWNER_ADDRESS, PRE_COMMIT_SECTOR_BATCH),
    *(PROVE_COMMIT_SECTORS, PROVE_REPLICA_UPDATES, IS_CONTROLLING_ADDRESS),
)
