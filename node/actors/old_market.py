"""What miners told the market (f05) from nv17 to nv20, before whole batches of sectors were activated.

Mainnet's history has them inside other messages' traces. Source: builtin-actors v9 to v11, actors/market/src/types.rs.
"""

from dataclasses import dataclass

from node.cid import Cid
from node.elements import NOTHING
from node.methods import native_method
from node.tuples import Amount, CborTuple, Int, Uint, tuple_of


@dataclass(frozen=True, slots=True)
class SectorDeals(CborTuple):
    """The deals that a sector is to hold."""

    sector_type: Int
    sector_expiry_epoch: Int
    deal_ids: tuple[Uint, ...]


@dataclass(frozen=True, slots=True)
class VerifyDealsParams(CborTuple):
    """Asks whether deals can go into sectors."""

    sectors: tuple[SectorDeals, ...]


@dataclass(frozen=True, slots=True)
class SectorData(CborTuple):
    """What a sector's deals commit to; null for one without deals."""

    unsealed_cid: Cid | None


@dataclass(frozen=True, slots=True)
class VerifyDealsReturn(CborTuple):
    """One commitment for each sector."""

    sectors: tuple[SectorData, ...]


@dataclass(frozen=True, slots=True)
class ActivateDealsParams(CborTuple):
    """The deals of one sector that was proven."""

    deal_ids: tuple[Uint, ...]
    sector_expiry_epoch: Int


@dataclass(frozen=True, slots=True)
class VerifiedDeal(CborTuple):
    """A deal that spends DataCap, and its allocation."""

    client_id: Uint
    allocation_id: Uint
    data: Cid
    size_bytes: Uint


@dataclass(frozen=True, slots=True)
class ActivateDealsReturn(CborTuple):
    """How much of the sector is unverified deals, and every verified one."""

    unverified_bytes: Amount
    verified_deals: tuple[VerifiedDeal, ...]


@dataclass(frozen=True, slots=True)
class SectorsTerminateParams(CborTuple):
    """The deals of terminated sectors; from nv22 on the sectors are named instead."""

    epoch: Int
    deal_ids: tuple[Uint, ...]


@dataclass(frozen=True, slots=True)
class SectorSpec(CborTuple):
    """Deals whose data together is a sector's."""

    deal_ids: tuple[Uint, ...]
    sector_type: Int


@dataclass(frozen=True, slots=True)
class ComputeDataParams(CborTuple):
    """Asks what sectors of those deals commit to."""

    inputs: tuple[SectorSpec, ...]


@dataclass(frozen=True, slots=True)
class ComputeDataReturn(CborTuple):
    """One commitment for each sector."""

    unsealed_cids: tuple[Cid, ...]


VERIFY_DEALS = native_method("VerifyDealsForActivation", 5, tuple_of(VerifyDealsParams), tuple_of(VerifyDealsReturn))
ACTIVATE_DEALS = native_method("ActivateDeals", 6, tuple_of(ActivateDealsParams), tuple_of(ActivateDealsReturn))
SECTORS_TERMINATE = native_method("OnMinerSectorsTerminate", 7, tuple_of(SectorsTerminateParams), NOTHING)
COMPUTE_DATA_COMMITMENT = native_method(
    "ComputeDataCommitment", 8, tuple_of(ComputeDataParams), tuple_of(ComputeDataReturn)
)

METHODS = (VERIFY_DEALS, ACTIVATE_DEALS, SECTORS_TERMINATE, COMPUTE_DATA_COMMITMENT)
