"""The DataCap token (f07), an FRC-46 token that only the verified registry may mint and that goes only to it.

Every amount is in tokens: bytes of DataCap times 10^18 (`tokens.datacap_bytes`). Source: builtin-actors
actors/datacap/src/types.rs and the crate frc46_token.
"""

from dataclasses import dataclass

from node.address import Address
from node.elements import ADDRESS, BIG_INTEGER, NOTHING, TEXT, UINT
from node.methods import exported_method
from node.tuples import Amount, CborTuple, tuple_of


@dataclass(frozen=True, slots=True)
class MintParams(CborTuple):
    """New tokens for a client; the operators, the market for one, may move all of its tokens."""

    to: Address
    amount_tokens: Amount
    operators: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class MintReturn(CborTuple):
    """The client's balance and all tokens there are, after the mint."""

    balance_tokens: Amount
    supply_tokens: Amount
    recipient_data: bytes


@dataclass(frozen=True, slots=True)
class DestroyParams(CborTuple):
    """Tokens that the registry takes from a client."""

    owner: Address
    amount_tokens: Amount


@dataclass(frozen=True, slots=True)
class TransferParams(CborTuple):
    """Tokens of the caller for f06; `operator_data` is AllocationRequests, whose sizes must add up to the amount."""

    to: Address
    amount_tokens: Amount
    operator_data: bytes


@dataclass(frozen=True, slots=True)
class TransferReturn(CborTuple):
    """Both balances after it; `recipient_data` is AllocationsResponse."""

    from_balance_tokens: Amount
    to_balance_tokens: Amount
    recipient_data: bytes


@dataclass(frozen=True, slots=True)
class TransferFromParams(CborTuple):
    """Tokens of another that the caller may move: the market's way to allocate for a deal."""

    from_address: Address
    to: Address
    amount_tokens: Amount
    operator_data: bytes


@dataclass(frozen=True, slots=True)
class TransferFromReturn(CborTuple):
    """Both balances after it, and how much the caller may still move."""

    from_balance_tokens: Amount
    to_balance_tokens: Amount
    allowance_tokens: Amount
    recipient_data: bytes


@dataclass(frozen=True, slots=True)
class IncreaseAllowanceParams(CborTuple):
    """Lets an operator move more of the caller's tokens."""

    operator: Address
    increase_tokens: Amount


@dataclass(frozen=True, slots=True)
class DecreaseAllowanceParams(CborTuple):
    """Lets an operator move less of the caller's tokens."""

    operator: Address
    decrease_tokens: Amount


@dataclass(frozen=True, slots=True)
class RevokeAllowanceParams(CborTuple):
    """Lets an operator move none of the caller's tokens."""

    operator: Address


@dataclass(frozen=True, slots=True)
class BurnParams(CborTuple):
    """Tokens that the caller gives up."""

    amount_tokens: Amount


@dataclass(frozen=True, slots=True)
class BurnReturn(CborTuple):
    """What the owner has left."""

    balance_tokens: Amount


@dataclass(frozen=True, slots=True)
class BurnFromParams(CborTuple):
    """Tokens of another that an operator gives up."""

    owner: Address
    amount_tokens: Amount


@dataclass(frozen=True, slots=True)
class BurnFromReturn(CborTuple):
    """What the owner has left, and how much the operator may still move."""

    balance_tokens: Amount
    allowance_tokens: Amount


@dataclass(frozen=True, slots=True)
class AllowanceParams(CborTuple):
    """Asks how much of an owner's tokens an operator may move."""

    owner: Address
    operator: Address


NAME = exported_method("Name", NOTHING, TEXT)
SYMBOL = exported_method("Symbol", NOTHING, TEXT)
GRANULARITY = exported_method("Granularity", NOTHING, UINT)
"""10^18: only whole bytes of DataCap can be moved."""
TOTAL_SUPPLY = exported_method("TotalSupply", NOTHING, BIG_INTEGER)
BALANCE = exported_method("Balance", ADDRESS, BIG_INTEGER)
ALLOWANCE = exported_method("Allowance", tuple_of(AllowanceParams), BIG_INTEGER)
MINT = exported_method("Mint", tuple_of(MintParams), tuple_of(MintReturn))
DESTROY = exported_method("Destroy", tuple_of(DestroyParams), tuple_of(BurnReturn))
TRANSFER = exported_method("Transfer", tuple_of(TransferParams), tuple_of(TransferReturn))
TRANSFER_FROM = exported_method("TransferFrom", tuple_of(TransferFromParams), tuple_of(TransferFromReturn))
INCREASE_ALLOWANCE = exported_method("IncreaseAllowance", tuple_of(IncreaseAllowanceParams), BIG_INTEGER)
"""Returns the new allowance, as DecreaseAllowance does."""
DECREASE_ALLOWANCE = exported_method("DecreaseAllowance", tuple_of(DecreaseAllowanceParams), BIG_INTEGER)
REVOKE_ALLOWANCE = exported_method("RevokeAllowance", tuple_of(RevokeAllowanceParams), BIG_INTEGER)
"""Returns the allowance that was revoked."""
BURN = exported_method("Burn", tuple_of(BurnParams), tuple_of(BurnReturn))
BURN_FROM = exported_method("BurnFrom", tuple_of(BurnFromParams), tuple_of(BurnFromReturn))

METHODS = (
    *(NAME, SYMBOL, GRANULARITY, TOTAL_SUPPLY, BALANCE, ALLOWANCE, MINT, DESTROY, TRANSFER, TRANSFER_FROM),
    *(INCREASE_ALLOWANCE, DECREASE_ALLOWANCE, REVOKE_ALLOWANCE, BURN, BURN_FROM),
)
