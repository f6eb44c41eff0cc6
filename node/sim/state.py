"""The state of the chain after a tipset: what every actor holds.

Everything is immutable and shares what it has in common with the states before it. Only `machine.World` replaces
one state by the next.
"""

from dataclasses import dataclass, field

from immutables import Map

from node.actors.market import DealProposal
from node.actors.verifreg import StoredClaim
from node.address import Address
from node.cid import Cid
from node.sim.tables import Table
from node.tuples import CborTuple, Int, Uint

NEVER = -1


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor's entry in the state tree. `kind` is Lotus' name of its code."""

    kind: str
    address: Address | None = None
    """The key of an account, the f2 address of others, the f410 address of a placeholder; None for a singleton."""
    balance_attofil: int = 0
    nonce: int = 0
    head: bytes = b""
    """Changes whenever the actor's own state does."""


@dataclass(frozen=True, slots=True)
class StoredAllocation(CborTuple):
    """An allocation as it stands in the registry's state, without its id."""

    client_id: Uint
    provider_id: Uint
    data: Cid
    size_bytes: Uint
    term_min_epochs: Int
    term_max_epochs: Int
    expiration_epoch: Int


def allocation_owner(allocation: StoredAllocation) -> int:
    """The client, by whom allocations are asked for."""
    return allocation.client_id


def claim_owner(claim: StoredClaim) -> int:
    """The provider, by whom claims are asked for."""
    return claim.provider_id


@dataclass(frozen=True, slots=True)
class Registry:
    """The verified registry (f06)."""

    root_id: int
    verifiers: Map[int, int] = field(default_factory=Map)
    """Notary to allowance in bytes."""
    removals: Map[tuple[int, int], int] = field(default_factory=Map)
    """Notary and client to the number of the next removal."""
    allocations: Table[StoredAllocation] = field(default_factory=lambda: Table(owner=allocation_owner))
    claims: Table[StoredClaim] = field(default_factory=lambda: Table(owner=claim_owner))
    next_allocation_id: int = 1


@dataclass(frozen=True, slots=True)
class Token:
    """The DataCap token (f07), in tokens: bytes times 10^18. Accounts without tokens are not listed."""

    supply: int = 0
    balances: Map[int, int] = field(default_factory=Map)
    allowances: Map[tuple[int, int], int] = field(default_factory=Map)
    """Owner and operator to what the operator may move."""


@dataclass(frozen=True, slots=True)
class StoredDeal:
    """A deal in the market's state; -1 where something has not happened."""

    proposal: DealProposal
    label_known: bool = True
    """False for an imported deal whose label the importer could not tell."""
    sector: int = 0
    sector_start_epoch: int = NEVER
    last_updated_epoch: int = NEVER
    slash_epoch: int = NEVER


def deal_owner(deal: StoredDeal) -> int:
    """The provider."""
    provider_id = deal.proposal.provider.actor_id
    return NEVER if provider_id is None else provider_id


def is_in_sector(deal: StoredDeal, sector: int) -> bool:
    """Whether a deal is active in a sector. Number 0 also stands for a sector that is not known, so it is none."""
    return sector != 0 and deal.sector == sector and deal.sector_start_epoch != NEVER


@dataclass(frozen=True, slots=True)
class Market:
    """The storage market (f05)."""

    deals: Table[StoredDeal] = field(default_factory=lambda: Table(owner=deal_owner))
    next_deal_id: int = 0
    pending: Map[bytes, int] = field(default_factory=Map)
    """Digest of a proposal to its deal, until that is over: none is published twice."""
    allocation_ids: Map[int, int] = field(default_factory=Map)
    """A verified deal that is not activated, to its allocation."""
    starting: Map[int, tuple[int, ...]] = field(default_factory=Map)
    """Start epoch to the deals that have to be activated until then."""
    escrow: Map[int, int] = field(default_factory=Map)
    locked: Map[int, int] = field(default_factory=Map)
    sector_deals: Map[tuple[int, int], tuple[int, ...]] = field(default_factory=Map)
    """Provider and sector to the deals in it."""


@dataclass(frozen=True, slots=True)
class Miner:
    """A storage miner."""

    owner_id: int
    worker_id: int
    next_sector: int = 1000


@dataclass(frozen=True, slots=True)
class Sector:
    """A sector: announced, or proven, with what its data weighs in bytes times epochs."""

    expiration_epoch: int
    seal_proof: int
    sealed_cid: Cid
    unsealed_cid: Cid | None = None
    activation_epoch: int = NEVER
    deal_weight: int = 0
    verified_weight: int = 0
    without_quality: bool = False
    """Proven after Filecoin Plus ended (network version 29)."""

    @property
    def proven(self) -> bool:
        """Whether it was proven, not only announced."""
        return self.activation_epoch != NEVER


@dataclass(frozen=True, slots=True)
class Transaction:
    """A call that signers of a multisig are asked to approve."""

    to: Address
    value_attofil: int
    method: int
    params: bytes
    approved: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Multisig:
    """A multisig account. Its signers are actor ids."""

    signers: tuple[int, ...]
    threshold: int
    unlock_duration_epochs: int = 0
    start_epoch: int = 0
    initial_balance_attofil: int = 0
    next_transaction_id: int = 0
    pending: Map[int, Transaction] = field(default_factory=Map)


@dataclass(frozen=True, slots=True)
class State:
    """The whole state. `version` is the network version whose actors are in it."""

    version: int
    actors: Map[int, Actor]
    ids: Map[Address, int]
    next_actor_id: int
    registry: Registry
    token: Token = field(default_factory=Token)
    market: Market = field(default_factory=Market)
    miners: Map[int, Miner] = field(default_factory=Map)
    sectors: Map[int, Map[int, Sector]] = field(default_factory=Map)
    """Miner to its sectors by number."""
    multisigs: Map[int, Multisig] = field(default_factory=Map)

    def actor_id(self, address: Address) -> int | None:
        """The actor's id that an address stands for; None where no actor has it. An f0 address is not looked up."""
        return self.ids.get(address) if address.actor_id is None else address.actor_id

    def actor(self, address: Address) -> Actor | None:
        """The actor at an address, or None."""
        actor_id = self.actor_id(address)
        return None if actor_id is None else self.actors.get(actor_id)

    def sector(self, miner_id: int, number: int) -> Sector | None:
        """A sector of a miner, or None."""
        return self.sectors.get(miner_id, Map()).get(number)
