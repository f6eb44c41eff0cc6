"""Filecoin.Msig…: what changes a multisig's signers, approvals that name what they approve, and what it may spend.

Those that change something answer with a message to be signed, as `multisig_methods`.
"""

from collections.abc import Callable
from typing import Any

from node.actors import multisig
from node.address import Address, actor_address
from node.methods import Method
from node.sim.blocks import TipsetKey
from node.sim.errors import failure
from node.sim.rpc.methods import Node, RpcMethod, lotus
from node.sim.rpc.multisig_methods import propose, prototype
from node.sim.rpc.params import ADDRESS, AMOUNT, BYTES, FLAG, TIPSET_KEY, UINT64, UNDEFINED, Param
from node.sim.state import Actor, Multisig


def _decide(
    node: Node, method: Method[Any, Any], account: Address, number: int, proposal: multisig.Proposal, by: Address
) -> object:
    """The message that approves or cancels a proposal, and no other of the same number."""
    if account == UNDEFINED:
        raise failure("must provide multisig address")
    if by == UNDEFINED:
        raise failure("must provide source address")
    params = multisig.TransactionParams(number, proposal.hash()).to_bytes()
    return prototype(node, account, by, method.numbers[0], params)


def _proposal(node: Node, proposer: Address, to: Address, value: int, number: int, params: bytes) -> multisig.Proposal:
    requester = actor_address(node.actor_id(proposer, node.state(())))
    return multisig.Proposal(requester, to, value, number, params)


def approve_hash(
    node: Node,
    account: Address,
    number: int,
    proposer: Address,
    to: Address,
    value: int,
    source: Address,
    method: int,
    params: bytes,
) -> object:
    """The message that approves a proposal if it is the one described."""
    proposal = _proposal(node, proposer, to, value, method, params)
    return _decide(node, multisig.APPROVE, account, number, proposal, source)


def cancel_hash(
    node: Node, account: Address, number: int, to: Address, value: int, source: Address, method: int, params: bytes
) -> object:
    """The message that takes the source's own proposal back if it is the one described."""
    proposal = _proposal(node, source, to, value, method, params)
    return _decide(node, multisig.CANCEL, account, number, proposal, source)


def _add_params(signer: Address, increase: bool) -> bytes:
    return multisig.AddSignerParams(signer, increase).to_bytes()


def _swap_params(old: Address, new: Address) -> bytes:
    return multisig.SwapSignerParams(old, new).to_bytes()


Encode = Callable[..., bytes]


def _proposing(method: Method[Any, Any], encode: Encode) -> Callable[..., object]:
    """The method that proposes a call of the multisig by itself."""

    def answer(node: Node, account: Address, source: Address, *values: Any) -> object:
        return propose(node, account, account, 0, source, method.numbers[0], encode(*values))

    return answer


def _approving(method: Method[Any, Any], encode: Encode) -> Callable[..., object]:
    def answer(node: Node, account: Address, source: Address, number: int, proposer: Address, *values: Any) -> object:
        inner = encode(*values)
        return approve_hash(node, account, number, proposer, account, 0, source, method.numbers[0], inner)

    return answer


def _cancelling(method: Method[Any, Any], encode: Encode) -> Callable[..., object]:
    def answer(node: Node, account: Address, source: Address, number: int, *values: Any) -> object:
        return cancel_hash(node, account, number, account, 0, source, method.numbers[0], encode(*values))

    return answer


def remove_signer(node: Node, account: Address, proposer: Address, signer: Address, decrease: bool) -> object:
    """The message that proposes to remove a signer."""
    params = multisig.RemoveSignerParams(signer, decrease).to_bytes()
    return propose(node, account, account, 0, proposer, multisig.REMOVE_SIGNER.numbers[0], params)


def _account(node: Node, address: Address, key: TipsetKey) -> tuple[Actor, Multisig]:
    state = node.state(key)
    actor = node.actor(address, state)
    account = state.multisigs.get(state.actor_id(address) or 0)
    if account is None:
        raise failure(f"failed to load multisig actor state: actor code is not multisig: {actor.kind}")
    return actor, account


def _locked(account: Multisig, epoch: int) -> int:
    """What of the first funds is not unlocked yet: it becomes less each epoch."""
    elapsed = epoch - account.start_epoch
    if account.unlock_duration_epochs <= 0 or elapsed >= account.unlock_duration_epochs:
        return 0
    left = min(account.unlock_duration_epochs - elapsed, account.unlock_duration_epochs)
    # Rounded up, as the actor does: at no time is less locked than there should be.
    return -(-account.initial_balance_attofil * left // account.unlock_duration_epochs)


def available_balance(node: Node, address: Address, key: TipsetKey) -> object:
    """What a multisig may spend, in attoFIL."""
    actor, account = _account(node, address, key)
    return str(max(actor.balance_attofil - _locked(account, node.tipset(key).height), 0))


def vesting_schedule(node: Node, address: Address, key: TipsetKey) -> object:
    """From when on and over how many epochs a multisig's first funds are unlocked."""
    _, account = _account(node, address, key)
    return {
        "InitialBalance": str(account.initial_balance_attofil),
        "StartEpoch": account.start_epoch,
        "UnlockDuration": account.unlock_duration_epochs,
    }


def vested(node: Node, address: Address, start: TipsetKey, end: TipsetKey) -> object:
    """How many attoFIL were unlocked between two tipsets."""
    _, account = _account(node, address, end)
    first, last = node.tipset(start).height, node.tipset(end).height
    if first > last:
        raise failure(f"start tipset {first} is after end tipset {last}")
    return str(_locked(account, first) - _locked(account, last))


def _signing(name: str, answer: Callable[..., object], *params: Param[Any]) -> RpcMethod:
    return lotus(name, answer, *params, permission="sign")


_CALL = (ADDRESS, AMOUNT, ADDRESS, UINT64, BYTES)
_ADD = multisig.ADD_SIGNER, _add_params
_SWAP = multisig.SWAP_SIGNER, _swap_params
METHODS = (
    _signing("MsigApproveTxnHash", approve_hash, ADDRESS, UINT64, ADDRESS, *_CALL),
    _signing("MsigCancelTxnHash", cancel_hash, ADDRESS, UINT64, *_CALL),
    _signing("MsigAddPropose", _proposing(*_ADD), ADDRESS, ADDRESS, ADDRESS, FLAG),
    _signing("MsigAddApprove", _approving(*_ADD), ADDRESS, ADDRESS, UINT64, ADDRESS, ADDRESS, FLAG),
    _signing("MsigAddCancel", _cancelling(*_ADD), ADDRESS, ADDRESS, UINT64, ADDRESS, FLAG),
    _signing("MsigSwapPropose", _proposing(*_SWAP), ADDRESS, ADDRESS, ADDRESS, ADDRESS),
    _signing("MsigSwapApprove", _approving(*_SWAP), ADDRESS, ADDRESS, UINT64, ADDRESS, ADDRESS, ADDRESS),
    _signing("MsigSwapCancel", _cancelling(*_SWAP), ADDRESS, ADDRESS, UINT64, ADDRESS, ADDRESS),
    _signing("MsigRemoveSigner", remove_signer, ADDRESS, ADDRESS, ADDRESS, FLAG),
    lotus("MsigGetAvailableBalance", available_balance, ADDRESS, TIPSET_KEY),
    lotus("MsigGetVestingSchedule", vesting_schedule, ADDRESS, TIPSET_KEY),
    lotus("MsigGetVested", vested, ADDRESS, TIPSET_KEY, TIPSET_KEY),
)
