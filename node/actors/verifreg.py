"""The verified registry (f06): notaries, clients, allocations and claims.

Source: builtin-actors actors/verifreg/src/types.rs and lib.rs; FIP-0045, FIP-0076. Client and provider ids are
actor ids, sizes are padded bytes, DataCap is in bytes, terms are lengths in epochs.
"""

from dataclasses import dataclass

from node.actors.allocations import AllocationsResponse
from node.actors.batch import BatchReturn
from node.actors.receiver import UniversalReceiverParams
from node.address import Address
from node.cid import Cid
from node.elements import ADDRESS, NOTHING, either
from node.methods import exported_method, native_method
from node.signature import Signature
from node.tuples import Amount, CborTuple, Int, Uint, tuple_of

REMOVAL_PREFIX = b"fil_removedatacap:"
"""What a notary signs stands before the proposal in CBOR, so that it can be nothing else."""


@dataclass(frozen=True, slots=True)
class AddVerifierParams(CborTuple):
    """Makes a notary, or sets the allowance of one: the new allowance replaces the old."""

    verifier: Address
    allowance_bytes: Amount


@dataclass(frozen=True, slots=True)
class AddVerifiedClientParams(CborTuple):
    """Gives a client DataCap. It adds: the same message content again gives the same amount again."""

    client: Address
    datacap_bytes: Amount


@dataclass(frozen=True, slots=True)
class BytesParams(CborTuple):
    """How much DataCap a deal used or gave back, before the market moved tokens (until nv17)."""

    client: Address
    size_bytes: Amount


@dataclass(frozen=True, slots=True)
class RemovalProposalId(CborTuple):
    """Counts the removals that a notary and a client took part in, from 0."""

    id: Uint


@dataclass(frozen=True, slots=True)
class RemovalProposal(CborTuple):
    """What each of two notaries signs for RemoveVerifiedClientDataCap."""

    client: Address
    datacap_bytes: Amount
    proposal_id: RemovalProposalId

    def signing_bytes(self) -> bytes:
        """The bytes to be signed."""
        return REMOVAL_PREFIX + self.to_bytes()


@dataclass(frozen=True, slots=True)
class RemovalRequest(CborTuple):
    """A notary's consent to a removal."""

    verifier: Address
    signature: Signature


@dataclass(frozen=True, slots=True)
class RemoveDataCapParams(CborTuple):
    """Takes DataCap from a client; only the root may, with two notaries' consent."""

    client: Address
    datacap_bytes: Amount
    first_request: RemovalRequest
    second_request: RemovalRequest


@dataclass(frozen=True, slots=True)
class RemoveDataCapReturn(CborTuple):
    """What was really taken: no more than the client had."""

    client: Address
    removed_bytes: Amount


@dataclass(frozen=True, slots=True)
class RemoveExpiredAllocationsParams(CborTuple):
    """Gives a client back the DataCap of expired allocations; no ids mean all of them."""

    client_id: Uint
    allocation_ids: tuple[Uint, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveExpiredAllocationsReturn(CborTuple):
    """Which allocations were looked at, which of them were removed, and how much came back."""

    considered_ids: tuple[Uint, ...]
    results: BatchReturn
    recovered_bytes: Amount


@dataclass(frozen=True, slots=True)
class AllocationClaim(CborTuple):
    """An allocation that a provider claims, as it must stand in the registry."""

    client_id: Uint
    allocation_id: Uint
    data: Cid
    size_bytes: Uint


@dataclass(frozen=True, slots=True)
class SectorClaims(CborTuple):
    """The allocations claimed with one sector."""

    sector: Uint
    expiry_epoch: Int
    claims: tuple[AllocationClaim, ...]


@dataclass(frozen=True, slots=True)
class ClaimAllocationsParams(CborTuple):
    """Makes claims of allocations; only miners may call it. From nv22 on."""

    sectors: tuple[SectorClaims, ...]
    all_or_nothing: bool


@dataclass(frozen=True, slots=True)
class ClaimAllocationsReturn(CborTuple):
    """Which sectors succeeded, and the claimed bytes of each that did."""

    sector_results: BatchReturn
    claimed_bytes: tuple[Amount, ...]


@dataclass(frozen=True, slots=True)
class SectorAllocationClaim(CborTuple):
    """An allocation and the sector it is claimed with, until nv21."""

    client_id: Uint
    allocation_id: Uint
    data: Cid
    size_bytes: Uint
    sector: Uint
    sector_expiry_epoch: Int


@dataclass(frozen=True, slots=True)
class OldClaimAllocationsParams(CborTuple):
    """ClaimAllocations from nv17 to nv21."""

    claims: tuple[SectorAllocationClaim, ...]
    all_or_nothing: bool


@dataclass(frozen=True, slots=True)
class OldClaimAllocationsReturn(CborTuple):
    """The return of ClaimAllocations from nv17 to nv21."""

    results: BatchReturn
    claimed_bytes: Amount


@dataclass(frozen=True, slots=True)
class GetClaimsParams(CborTuple):
    """Asks for claims of one provider."""

    provider_id: Uint
    claim_ids: tuple[Uint, ...]


@dataclass(frozen=True, slots=True)
class StoredClaim(CborTuple):
    """A claim as it stands in the registry's state, without its id. `registry.Claim` is the one of a node's JSON."""

    provider_id: Uint
    client_id: Uint
    data: Cid
    size_bytes: Uint
    term_min_epochs: Int
    term_max_epochs: Int
    term_start_epoch: Int
    sector: Uint


@dataclass(frozen=True, slots=True)
class GetClaimsReturn(CborTuple):
    """The claims that were found, in the order asked; the others are failures of the batch."""

    results: BatchReturn
    claims: tuple[StoredClaim, ...]


@dataclass(frozen=True, slots=True)
class ClaimTerm(CborTuple):
    """A claim and its new longest term."""

    provider_id: Uint
    claim_id: Uint
    term_max_epochs: Int


@dataclass(frozen=True, slots=True)
class ExtendClaimTermsParams(CborTuple):
    """Extends claims of the calling client."""

    terms: tuple[ClaimTerm, ...]


@dataclass(frozen=True, slots=True)
class RemoveExpiredClaimsParams(CborTuple):
    """Removes claims after their term; no ids mean all of the provider's."""

    provider_id: Uint
    claim_ids: tuple[Uint, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveExpiredClaimsReturn(CborTuple):
    """Which claims were looked at and which of them were removed."""

    considered_ids: tuple[Uint, ...]
    results: BatchReturn


_CLAIM_PARAMS = either(
    tuple_of(ClaimAllocationsParams),
    tuple_of(OldClaimAllocationsParams),
    is_second=lambda value: isinstance(value, OldClaimAllocationsParams),
)
_CLAIM_RETURN = either(
    tuple_of(ClaimAllocationsReturn),
    tuple_of(OldClaimAllocationsReturn),
    is_second=lambda value: isinstance(value, OldClaimAllocationsReturn),
)
_REMOVE_ALLOCATIONS = tuple_of(RemoveExpiredAllocationsParams), tuple_of(RemoveExpiredAllocationsReturn)
_REMOVE_CLAIMS = tuple_of(RemoveExpiredClaimsParams), tuple_of(RemoveExpiredClaimsReturn)

ADD_VERIFIER = native_method("AddVerifier", 2, tuple_of(AddVerifierParams), NOTHING)
REMOVE_VERIFIER = native_method("RemoveVerifier", 3, ADDRESS, NOTHING)
ADD_VERIFIED_CLIENT = exported_method("AddVerifiedClient", tuple_of(AddVerifiedClientParams), NOTHING, native=4)
USE_BYTES = native_method("UseBytes", 5, tuple_of(BytesParams), NOTHING)
"""Until nv16; a node now says that there is no such method."""
RESTORE_BYTES = native_method("RestoreBytes", 6, tuple_of(BytesParams), NOTHING)
"""Until nv16, as UseBytes."""
REMOVE_VERIFIED_CLIENT_DATACAP = native_method(
    "RemoveVerifiedClientDataCap", 7, tuple_of(RemoveDataCapParams), tuple_of(RemoveDataCapReturn)
)
REMOVE_EXPIRED_ALLOCATIONS = exported_method("RemoveExpiredAllocations", *_REMOVE_ALLOCATIONS, native=8)
CLAIM_ALLOCATIONS = native_method("ClaimAllocations", 9, _CLAIM_PARAMS, _CLAIM_RETURN)
GET_CLAIMS = exported_method("GetClaims", tuple_of(GetClaimsParams), tuple_of(GetClaimsReturn), native=10)
EXTEND_CLAIM_TERMS = exported_method(
    "ExtendClaimTerms", tuple_of(ExtendClaimTermsParams), tuple_of(BatchReturn), native=11
)
REMOVE_EXPIRED_CLAIMS = exported_method("RemoveExpiredClaims", *_REMOVE_CLAIMS, native=12)
RECEIVE = exported_method("Receive", tuple_of(UniversalReceiverParams), tuple_of(AllocationsResponse))
"""Called by the DataCap token alone; the payload is TokensReceived."""

METHODS = (
    *(ADD_VERIFIER, REMOVE_VERIFIER, ADD_VERIFIED_CLIENT, USE_BYTES, RESTORE_BYTES, REMOVE_VERIFIED_CLIENT_DATACAP),
    *(REMOVE_EXPIRED_ALLOCATIONS, CLAIM_ALLOCATIONS, GET_CLAIMS, EXTEND_CLAIM_TERMS, REMOVE_EXPIRED_CLAIMS, RECEIVE),
)
