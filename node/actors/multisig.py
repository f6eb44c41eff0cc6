"""Multisig accounts: one signer proposes a call, others approve it, with the last one it is made.

The receipt of the last approval, or of a proposal that needs no other, has exit code 0 even if the call failed:
`applied` and `code` of the return tell. Source: builtin-actors actors/multisig/src/types.rs.
"""

import hashlib
from dataclasses import dataclass

from node.actors.receiver import RECEIVE
from node.address import Address
from node.elements import NOTHING
from node.methods import CONSTRUCTOR, exported_method, native_method
from node.tuples import Amount, CborTuple, Int, Uint, tuple_of


@dataclass(frozen=True, slots=True)
class ConstructorParams(CborTuple):
    """A new multisig: its signers, how many must approve, and over which epochs its first funds are unlocked."""

    signers: tuple[Address, ...]
    approvals_threshold: Uint
    unlock_duration_epochs: Int
    start_epoch: Int


@dataclass(frozen=True, slots=True)
class ProposeParams(CborTuple):
    """The call that is proposed; its proposer approves it by that."""

    to: Address
    value_attofil: Amount
    method: Uint
    params: bytes


@dataclass(frozen=True, slots=True)
class ProposeReturn(CborTuple):
    """The proposal's id and what became of the call. Where `applied` is False it waits: code and return say nothing."""

    transaction_id: Int
    applied: bool
    code: Uint
    return_value: bytes


@dataclass(frozen=True, slots=True)
class TransactionParams(CborTuple):
    """The proposal to approve or cancel; with its hash it can be no other one of the same id."""

    transaction_id: Int
    proposal_hash: bytes = b""


@dataclass(frozen=True, slots=True)
class ApproveReturn(CborTuple):
    """What became of the call. Where `applied` is False, it waits: code and return say nothing."""

    applied: bool
    code: Uint
    return_value: bytes


@dataclass(frozen=True, slots=True)
class Proposal(CborTuple):
    """A proposal as its hash sees it: `requester` is the id address of the first signer who approved."""

    requester: Address | None
    to: Address
    value_attofil: Amount
    method: Uint
    params: bytes

    def hash(self) -> bytes:
        """The 32 bytes for `TransactionParams.proposal_hash`: blake2b-256 of the CBOR bytes."""
        return hashlib.blake2b(self.to_bytes(), digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class AddSignerParams(CborTuple):
    """A new signer; the threshold grows by one if wanted."""

    signer: Address
    increase: bool


@dataclass(frozen=True, slots=True)
class RemoveSignerParams(CborTuple):
    """A signer to go; the threshold falls by one if wanted."""

    signer: Address
    decrease: bool


@dataclass(frozen=True, slots=True)
class SwapSignerParams(CborTuple):
    """A signer in the place of another."""

    from_address: Address
    to: Address


@dataclass(frozen=True, slots=True)
class ChangeThresholdParams(CborTuple):
    """How many must approve from now on."""

    approvals_threshold: Uint


@dataclass(frozen=True, slots=True)
class LockBalanceParams(CborTuple):
    """Funds that are unlocked bit by bit."""

    start_epoch: Int
    unlock_duration_epochs: Int
    amount_attofil: Amount


CONSTRUCT = native_method("Constructor", CONSTRUCTOR, tuple_of(ConstructorParams), NOTHING)
"""Called by the init actor's Exec alone."""
PROPOSE = exported_method("Propose", tuple_of(ProposeParams), tuple_of(ProposeReturn), native=2)
APPROVE = exported_method("Approve", tuple_of(TransactionParams), tuple_of(ApproveReturn), native=3)
CANCEL = exported_method("Cancel", tuple_of(TransactionParams), NOTHING, native=4)
ADD_SIGNER = exported_method("AddSigner", tuple_of(AddSignerParams), NOTHING, native=5)
REMOVE_SIGNER = exported_method("RemoveSigner", tuple_of(RemoveSignerParams), NOTHING, native=6)
SWAP_SIGNER = exported_method("SwapSigner", tuple_of(SwapSignerParams), NOTHING, native=7)
CHANGE_THRESHOLD = exported_method("ChangeNumApprovalsThreshold", tuple_of(ChangeThresholdParams), NOTHING, native=8)
LOCK_BALANCE = exported_method("LockBalance", tuple_of(LockBalanceParams), NOTHING, native=9)

METHODS = (
    *(CONSTRUCT, PROPOSE, APPROVE, CANCEL, ADD_SIGNER, REMOVE_SIGNER, SWAP_SIGNER, CHANGE_THRESHOLD, LOCK_BALANCE),
    RECEIVE,
)
