"""Filecoin.Msig…: messages for multisigs as prototypes to be signed, and what is pending in one."""

from node.actors import multisig
from node.actors.accounts import EXEC, ExecParams
from node.address import Address, actor_address
from node.message import Message, bytes_text, message_document
from node.sim.blocks import TipsetKey
from node.sim.codes import code_of
from node.sim.errors import failure
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import ADDRESS, ADDRESSES, AMOUNT, BYTES, EPOCH, TIPSET_KEY, UINT64
from node.singletons import INIT


def prototype(node: Node, to: Address, sender: Address, number: int, params: bytes, value: int = 0) -> object:
    """A message without nonce and gas, as these methods answer."""
    message = Message(to=to, sender=sender, nonce=0, value_attofil=value, method=number, params=params)
    return {"Message": message_document(message, prefix=node.prefix), "ValidNonce": False}


def create(
    node: Node, required: int, signers: list[Address], duration: int, value: int, source: Address, gas_price: int
) -> object:
    """The message that makes a multisig."""
    del gas_price
    if not signers:
        raise failure("must provide source addresses")
    threshold = required or len(signers)
    constructor = multisig.ConstructorParams(tuple(signers), threshold, duration, 0)
    code = code_of("multisig", node.state(()).version)
    params = EXEC.params.to_bytes(ExecParams(code, constructor.to_bytes()))
    return prototype(node, INIT, source, EXEC.numbers[0], params, value)


def propose(
    node: Node, account: Address, to: Address, value: int, source: Address, number: int, params: bytes
) -> object:
    """The message that proposes a call."""
    proposal = multisig.ProposeParams(to, value, number, params)
    return prototype(node, account, source, multisig.PROPOSE.numbers[0], proposal.to_bytes())


def approve(node: Node, account: Address, number: int, source: Address) -> object:
    """The message that approves a proposal."""
    params = multisig.TransactionParams(number, b"").to_bytes()
    return prototype(node, account, source, multisig.APPROVE.numbers[0], params)


def cancel(node: Node, account: Address, number: int, source: Address) -> object:
    """The message that takes a proposal back."""
    params = multisig.TransactionParams(number, b"").to_bytes()
    return prototype(node, account, source, multisig.CANCEL.numbers[0], params)


def pending(node: Node, address: Address, key: TipsetKey) -> object:
    """The proposals that wait for approvals."""
    state = node.state(key)
    actor = node.actor(address, state)
    account = state.multisigs.get(state.actor_id(address) or 0)
    if account is None:
        raise failure(f"failed to load multisig actor state: actor code is not multisig: {actor.kind}")
    return [
        {
            "ID": number,
            "To": node.text(one.to),
            "Value": str(one.value_attofil),
            "Method": one.method,
            "Params": bytes_text(one.params),
            "Approved": [node.text(actor_address(signer)) for signer in one.approved],
        }
        for number, one in sorted(account.pending.items())
    ]


METHODS = (
    lotus("MsigCreate", create, UINT64, ADDRESSES, EPOCH, AMOUNT, ADDRESS, AMOUNT, permission="sign"),
    lotus("MsigPropose", propose, ADDRESS, ADDRESS, AMOUNT, ADDRESS, UINT64, BYTES, permission="sign"),
    lotus("MsigApprove", approve, ADDRESS, UINT64, ADDRESS, permission="sign"),
    lotus("MsigCancel", cancel, ADDRESS, UINT64, ADDRESS, permission="sign"),
    lotus("MsigGetPending", pending, ADDRESS, TIPSET_KEY),
)
