"""Multisig accounts: a signer proposes a call, others approve it, the last approval makes it.

The call's failure is not the approval's: the return tells it, and the proposal is gone all the same.
"""

from dataclasses import replace

from node.actors import multisig as codec
from node.address import actor_address
from node.exit_codes import FORBIDDEN, ILLEGAL_ARGUMENT, INSUFFICIENT_FUNDS, NOT_FOUND, OK
from node.sim.errors import ActorFailure
from node.sim.machine import Call
from node.sim.state import Multisig, Transaction

_INIT_ID = 1


def construct(call: Call, params: codec.ConstructorParams) -> None:
    """Sets a new multisig up; only the init actor may."""
    if call.caller_id != _INIT_ID:
        raise ActorFailure(FORBIDDEN, f"caller {call.caller} is not one of supported")
    signers = [call.resolve(signer) for signer in params.signers]
    if not signers:
        raise ActorFailure(ILLEGAL_ARGUMENT, "Must have at least one signer.")
    if len(set(signers)) != len(signers):
        raise ActorFailure(ILLEGAL_ARGUMENT, "duplicate signer not allowed")
    if params.approvals_threshold > len(signers):
        raise ActorFailure(ILLEGAL_ARGUMENT, "must not require more approvals than signers")
    if params.approvals_threshold < 1:
        raise ActorFailure(ILLEGAL_ARGUMENT, "must require at least one approval")
    account = Multisig(
        tuple(signers),
        params.approvals_threshold,
        params.unlock_duration_epochs,
        params.start_epoch,
        call.value_attofil if params.unlock_duration_epochs else 0,
    )
    _save(call, account)


def _save(call: Call, account: Multisig) -> None:
    multisigs = call.state.multisigs.set(call.receiver_id, account)
    call.world.state = replace(call.state, multisigs=multisigs)
    call.world.touch(call.receiver_id)


def _load(call: Call) -> Multisig:
    return call.state.multisigs[call.receiver_id]


def _require_signer(call: Call) -> None:
    if call.caller_id not in _load(call).signers:
        raise ActorFailure(FORBIDDEN, f"{call.caller} is not a signer")


def propose(call: Call, params: codec.ProposeParams) -> codec.ProposeReturn:
    """Proposes a call, which the proposer approves by that."""
    if params.value_attofil < 0:
        raise ActorFailure(ILLEGAL_ARGUMENT, f"proposed value must be non-negative, was {params.value_attofil}")
    _require_signer(call)
    account = _load(call)
    number = account.next_transaction_id
    proposed = Transaction(params.to, params.value_attofil, params.method, params.params, ())
    _save(call, replace(account, next_transaction_id=number + 1, pending=account.pending.set(number, proposed)))
    applied = _approve(call, number, proposed)
    return codec.ProposeReturn(number, applied.applied, applied.code, applied.return_value)


def approve(call: Call, params: codec.TransactionParams) -> codec.ApproveReturn:
    """Approves a proposed call."""
    _require_signer(call)
    transaction = _find(call, params, "approval")
    return _approve(call, params.transaction_id, transaction)


def _find(call: Call, params: codec.TransactionParams, purpose: str) -> Transaction:
    """The proposal; ActorFailure where there is none, or it is not the one that is meant."""
    transaction = _load(call).pending.get(params.transaction_id)
    if transaction is None:
        raise ActorFailure(NOT_FOUND, f"no such transaction TxnID({params.transaction_id}) for {purpose}")
    if params.proposal_hash and params.proposal_hash != _hash_of(transaction):
        text = "hash does not match proposal params (ensure requester is an ID address)"
        raise ActorFailure(ILLEGAL_ARGUMENT, text)
    return transaction


def _hash_of(transaction: Transaction) -> bytes:
    return codec.Proposal(
        requester=actor_address(transaction.approved[0]) if transaction.approved else None,
        to=transaction.to,
        value_attofil=transaction.value_attofil,
        method=transaction.method,
        params=transaction.params,
    ).hash()


def _approve(call: Call, number: int, transaction: Transaction) -> codec.ApproveReturn:
    """Adds the caller's approval, and makes the call where it is the last one."""
    if call.caller_id in transaction.approved:
        raise ActorFailure(FORBIDDEN, f"{call.caller} already approved this message")
    account = _load(call)
    approved = replace(transaction, approved=(*transaction.approved, call.caller_id))
    if len(approved.approved) < account.threshold:
        _save(call, replace(account, pending=account.pending.set(number, approved)))
        return codec.ApproveReturn(applied=False, code=OK, return_value=b"")
    _save(call, replace(account, pending=account.pending.delete(number)))
    return _apply(call, approved)


def _apply(call: Call, transaction: Transaction) -> codec.ApproveReturn:
    if call.state.actors[call.receiver_id].balance_attofil < transaction.value_attofil:
        raise ActorFailure(INSUFFICIENT_FUNDS, f"insufficient funds unlocked for {transaction.value_attofil}")
    try:
        returned = call.send_raw(
            transaction.to, transaction.method, transaction.params, value=transaction.value_attofil
        )
    except ActorFailure as error:
        return codec.ApproveReturn(applied=True, code=error.exit_code, return_value=b"")
    return codec.ApproveReturn(applied=True, code=OK, return_value=returned)


def cancel(call: Call, params: codec.TransactionParams) -> None:
    """Takes a proposal back; only its proposer may."""
    _require_signer(call)
    account = _load(call)
    transaction = account.pending.get(params.transaction_id)
    if transaction is None:
        raise ActorFailure(NOT_FOUND, f"no such transaction TxnID({params.transaction_id}) to cancel")
    if not transaction.approved or transaction.approved[0] != call.caller_id:
        raise ActorFailure(FORBIDDEN, "Cannot cancel another signers transaction")
    _find(call, params, "cancel")
    _save(call, replace(account, pending=account.pending.delete(params.transaction_id)))


def _require_self(call: Call) -> Multisig:
    """The account, for a method that it may call only on itself."""
    if call.caller_id != call.receiver_id:
        raise ActorFailure(FORBIDDEN, f"caller {call.caller} is not one of supported")
    return _load(call)


def add_signer(call: Call, params: codec.AddSignerParams) -> None:
    """A new signer."""
    account = _require_self(call)
    signer_id = call.resolve(params.signer)
    if signer_id in account.signers:
        raise ActorFailure(FORBIDDEN, f"{actor_address(signer_id)} is already a signer")
    threshold = account.threshold + (1 if params.increase else 0)
    _save(call, replace(account, signers=(*account.signers, signer_id), threshold=threshold))


def remove_signer(call: Call, params: codec.RemoveSignerParams) -> None:
    """A signer less."""
    account = _require_self(call)
    signer_id = call.resolve(params.signer)
    if signer_id not in account.signers:
        raise ActorFailure(FORBIDDEN, f"{actor_address(signer_id)} is not a signer")
    signers = tuple(signer for signer in account.signers if signer != signer_id)
    threshold = account.threshold - (1 if params.decrease else 0)
    if not signers or not 1 <= threshold <= len(signers):
        raise ActorFailure(ILLEGAL_ARGUMENT, f"can't remove signer: {len(signers)} signers, threshold {threshold}")
    _save(call, replace(account, signers=signers, threshold=threshold))


def swap_signer(call: Call, params: codec.SwapSignerParams) -> None:
    """A signer in place of another."""
    account = _require_self(call)
    old_id, new_id = call.resolve(params.from_address), call.resolve(params.to)
    if old_id not in account.signers:
        raise ActorFailure(FORBIDDEN, f"{actor_address(old_id)} is not a signer")
    if new_id in account.signers:
        raise ActorFailure(ILLEGAL_ARGUMENT, f"{actor_address(new_id)} is already a signer")
    signers = tuple(signer for signer in account.signers if signer != old_id)
    _save(call, replace(account, signers=(*signers, new_id)))


def change_threshold(call: Call, params: codec.ChangeThresholdParams) -> None:
    """How many must approve from now on."""
    account = _require_self(call)
    if not 1 <= params.approvals_threshold <= len(account.signers):
        raise ActorFailure(ILLEGAL_ARGUMENT, "New threshold value not supported")
    _save(call, replace(account, threshold=params.approvals_threshold))


METHODS = (
    (codec.CONSTRUCT, construct),
    (codec.PROPOSE, propose),
    (codec.APPROVE, approve),
    (codec.CANCEL, cancel),
    (codec.ADD_SIGNER, add_signer),
    (codec.REMOVE_SIGNER, remove_signer),
    (codec.SWAP_SIGNER, swap_signer),
    (codec.CHANGE_THRESHOLD, change_threshold),
)
