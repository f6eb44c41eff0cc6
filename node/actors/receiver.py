"""The hook by which a token tells an actor that it was sent some: FRC-46, through the universal receiver of FRC-42."""

from dataclasses import dataclass

from node.elements import NOTHING
from node.methods import exported_method, exported_number
from node.tuples import Amount, CborTuple, Uint, tuple_of

FRC46_TOKEN = exported_number("FRC46")
"""The `type_number` of a payload that is `TokensReceived`."""


@dataclass(frozen=True, slots=True)
class UniversalReceiverParams(CborTuple):
    """What was received: a number that says what the payload is, and the payload in CBOR."""

    type_number: Uint
    payload: bytes


@dataclass(frozen=True, slots=True)
class TokensReceived(CborTuple):
    """The payload of an FRC-46 token. DataCap comes in tokens: bytes times 10^18."""

    from_id: Uint
    to_id: Uint
    operator_id: Uint
    """Who moved the tokens: their owner, or the market for a deal."""
    amount_tokens: Amount
    operator_data: bytes
    """For the verified registry: AllocationRequests."""
    token_data: bytes


RECEIVE = exported_method("Receive", tuple_of(UniversalReceiverParams), NOTHING)
"""Of accounts and multisigs, which take what comes. The verified registry has its own, with a return."""
