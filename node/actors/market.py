"""The storage market (f05): deals are published, asked for and settled.

Source: builtin-actors actors/market/src/types.rs, deal.rs and lib.rs. Sizes are padded bytes, ids of parties are
actor ids; a deal's id is an integer.
"""

from dataclasses import dataclass
from typing import TypeVar

from node.actors.batch import BatchReturn
from node.actors.sectors import SECTOR_CONTENT_CHANGED
from node.address import Address
from node.bitfield import BitField
from node.cid import Cid
from node.elements import ADDRESS, BIG_INTEGER, BIT_FIELD, BOOLEAN, LABEL, NOTHING, UINT, Element
from node.methods import Method, exported_method
from node.signature import Signature
from node.tuples import Amount, CborTuple, Int, Label, Uint, tuple_of

DEAL_EXPIRED = 32
"""Exit code of the Get… methods: the deal was settled, terminated or never activated, and is gone."""
DEAL_NOT_ACTIVATED = 33
"""Exit code of the Get… methods: the deal is published, its sector is not proven yet."""
MAX_LABEL_BYTES = 256
"""A longer one is refused by the market, not here."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DealProposal(CborTuple):
    """What client and provider agreed on. The client signs its CBOR bytes; then the chain's ids take the place of
    its addresses, so the proposal in the state is another one.
    """

    piece_cid: Cid
    size_bytes: Uint
    verified: bool
    client: Address
    provider: Address
    label: Label
    start_epoch: Int
    end_epoch: Int
    price_per_epoch_attofil: Amount
    provider_collateral_attofil: Amount
    client_collateral_attofil: Amount

    @property
    def label_bytes(self) -> bytes:
        """The label's bytes, as `market.Deal` and `label` have them."""
        return self.label.encode() if isinstance(self.label, str) else self.label


@dataclass(frozen=True, slots=True)
class ClientDealProposal(CborTuple):
    """A proposal and its client's signature over `proposal.to_bytes()`."""

    proposal: DealProposal
    client_signature: Signature


@dataclass(frozen=True, slots=True)
class PublishStorageDealsParams(CborTuple):
    """Deals of one provider, sent by its worker or control address."""

    deals: tuple[ClientDealProposal, ...]


@dataclass(frozen=True, slots=True)
class PublishStorageDealsReturn(CborTuple):
    """The ids of the deals that were taken, and the positions of those in what was sent."""

    deal_ids: tuple[Uint, ...]
    valid_deals: BitField


@dataclass(frozen=True, slots=True)
class WithdrawBalanceParams(CborTuple):
    """Funds that a provider or client takes out of its escrow; the return is what it got."""

    provider_or_client: Address
    amount_attofil: Amount


@dataclass(frozen=True, slots=True)
class BalanceReturn(CborTuple):
    """The funds in escrow, and how much of them is locked by deals."""

    balance_attofil: Amount
    locked_attofil: Amount


@dataclass(frozen=True, slots=True)
class DealDataCommitment(CborTuple):
    """The deal's piece."""

    data: Cid
    size_bytes: Uint


@dataclass(frozen=True, slots=True)
class DealTerm(CborTuple):
    """The deal's first epoch and its length."""

    start_epoch: Int
    duration_epochs: Int


@dataclass(frozen=True, slots=True)
class DealActivation(CborTuple):
    """When the deal's sector was proven and when the deal was ended before its time; -1 where it was not."""

    activated_epoch: Int
    terminated_epoch: Int


@dataclass(frozen=True, slots=True)
class DealSettlement(CborTuple):
    """What the provider got for a deal, and whether the deal is over."""

    payment_attofil: Amount
    completed: bool


@dataclass(frozen=True, slots=True)
class SettleDealPaymentsReturn(CborTuple):
    """Which deals were settled, and what came of each that was."""

    results: BatchReturn
    settlements: tuple[DealSettlement, ...]


@dataclass(frozen=True, slots=True)
class NotifyDealParams(CborTuple):
    """What the market tells the client of a published deal: the proposal in CBOR, with ids as addresses."""

    proposal: bytes
    deal_id: Uint


def _query(name: str, returns: Element[T]) -> Method[int, T]:
    """A method that tells one thing of a deal, asked for by its id."""
    return exported_method(name, UINT, returns)


ADD_BALANCE = exported_method("AddBalance", ADDRESS, NOTHING, native=2)
WITHDRAW_BALANCE = exported_method("WithdrawBalance", tuple_of(WithdrawBalanceParams), BIG_INTEGER, native=3)
PUBLISH_STORAGE_DEALS = exported_method(
    "PublishStorageDeals", tuple_of(PublishStorageDealsParams), tuple_of(PublishStorageDealsReturn), native=4
)
GET_BALANCE = exported_method("GetBalance", ADDRESS, tuple_of(BalanceReturn))
GET_DEAL_DATA_COMMITMENT = _query("GetDealDataCommitment", tuple_of(DealDataCommitment))
GET_DEAL_CLIENT = _query("GetDealClient", UINT)
GET_DEAL_PROVIDER = _query("GetDealProvider", UINT)
GET_DEAL_LABEL = _query("GetDealLabel", LABEL)
"""The one way to learn a label that is no text: Lotus prints it as empty."""
GET_DEAL_TERM = _query("GetDealTerm", tuple_of(DealTerm))
GET_DEAL_TOTAL_PRICE = _query("GetDealTotalPrice", BIG_INTEGER)
GET_DEAL_CLIENT_COLLATERAL = _query("GetDealClientCollateral", BIG_INTEGER)
GET_DEAL_PROVIDER_COLLATERAL = _query("GetDealProviderCollateral", BIG_INTEGER)
GET_DEAL_VERIFIED = _query("GetDealVerified", BOOLEAN)
GET_DEAL_ACTIVATION = _query("GetDealActivation", tuple_of(DealActivation))
GET_DEAL_SECTOR = _query("GetDealSector", UINT)
SETTLE_DEAL_PAYMENTS = exported_method("SettleDealPayments", BIT_FIELD, tuple_of(SettleDealPaymentsReturn))
NOTIFY_DEAL = exported_method("MarketNotifyDeal", tuple_of(NotifyDealParams), NOTHING)
"""A method of the client's actor: accounts take it and do nothing."""

METHODS = (
    *(ADD_BALANCE, WITHDRAW_BALANCE, PUBLISH_STORAGE_DEALS, GET_BALANCE, GET_DEAL_DATA_COMMITMENT, GET_DEAL_CLIENT),
    *(GET_DEAL_PROVIDER, GET_DEAL_LABEL, GET_DEAL_TERM, GET_DEAL_TOTAL_PRICE, GET_DEAL_CLIENT_COLLATERAL),
    *(GET_DEAL_PROVIDER_COLLATERAL, GET_DEAL_VERIFIED, GET_DEAL_ACTIVATION, GET_DEAL_SECTOR, SETTLE_DEAL_PAYMENTS),
    SECTOR_CONTENT_CHANGED,
)
