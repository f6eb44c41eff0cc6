"""Filecoin.Wallet…: the keys that the node holds, which are the chain's own."""

from node.address import Address
from node.errors import SignatureError
from node.message import Message, SignedMessage, signed_message_document
from node.signature import Signature, signature_document
from node.sim.errors import failure
from node.sim.keys import check_signature
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import ADDRESS, BYTES, MESSAGE, SIGNATURE, require_addresses


def _key_of(node: Node, address: Address) -> Address:
    """The key's address of an account of the wallet."""
    if address.actor_id is None:
        return address
    actor = node.chain.state_after(node.chain.head).actor(address)
    return address if actor is None or actor.address is None else actor.address


def signed_by_wallet(node: Node, address: Address, message: Message) -> SignedMessage:
    """The message, signed by a key that the node holds; RpcFault where it holds none of that address."""
    signer = _key_of(node, address)
    if signer not in node.chain.wallet:
        raise failure(f"failed to sign message: key not found for {node.text(signer)}")
    return node.chain.wallet.sign_message(signer, message)


def wallet_sign_message(node: Node, address: Address, message: Message | None) -> object:
    """The message, signed by a key that the node holds."""
    return signed_message_document(signed_by_wallet(node, address, require_addresses(message)), prefix=node.prefix)


def wallet_sign(node: Node, address: Address, data: bytes) -> object:
    """A signature over bytes."""
    signer = _key_of(node, address)
    if signer not in node.chain.wallet:
        raise failure(f"key not found for {node.text(signer)}")
    return signature_document(node.chain.wallet.sign(signer, data))


def wallet_verify(node: Node, address: Address, data: bytes, signature: Signature) -> object:
    """Whether a signature is an address's."""
    try:
        check_signature(signature, data, signer=_key_of(node, address))
    except SignatureError:
        return False
    return True


def wallet_list(node: Node) -> object:
    """The addresses whose keys the node holds."""
    return [node.text(address) for address in node.chain.wallet]


def wallet_has(node: Node, address: Address) -> object:
    """Whether the node holds an address's key."""
    return address in node.chain.wallet


def wallet_balance(node: Node, address: Address) -> object:
    """An address's funds in attoFIL; 0 where it has no actor."""
    actor = node.state(()).actor(address)
    return str(0 if actor is None else actor.balance_attofil)


def wallet_default(node: Node) -> object:
    """The first address whose key the node holds."""
    return node.text(next(iter(node.chain.wallet)))


METHODS = (
    lotus("WalletSignMessage", wallet_sign_message, ADDRESS, MESSAGE, permission="sign"),
    lotus("WalletSign", wallet_sign, ADDRESS, BYTES, permission="sign"),
    lotus("WalletVerify", wallet_verify, ADDRESS, BYTES, SIGNATURE),
    lotus("WalletList", wallet_list, permission="write"),
    lotus("WalletHas", wallet_has, ADDRESS, permission="write"),
    lotus("WalletBalance", wallet_balance, ADDRESS),
    lotus("WalletDefaultAddress", wallet_default, permission="write"),
)
