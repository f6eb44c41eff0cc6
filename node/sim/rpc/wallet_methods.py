"""Filecoin.Wallet…: the keys that the node holds: the chain's own, and those that clients make or import.

Source: lotus chain/wallet/wallet.go, node/impl/full/wallet.go.
"""

from dataclasses import dataclass

from node.address import Address
from node.errors import SecretKeyError, SignatureError
from node.message import Message, SignedMessage, signed_message_document, signing_bytes
from node.signature import BLS, SECP256K1, Signature, signature_document
from node.signing import SecretKey, secret_key_from_bytes, sign
from node.sim.errors import failure
from node.sim.keys import check_signature
from node.sim.rpc.documents import base64_text
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import (
    ADDRESS,
    BYTES,
    DOCUMENT,
    MESSAGE,
    SIGNATURE,
    TEXT,
    UNDEFINED,
    BadParam,
    Param,
    read_address,
    read_bytes,
    require_addresses,
)

_KINDS = {"secp256k1": SECP256K1, "bls": BLS}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_NOT_FOUND = "key info not found"
_UNSUPPORTED = "delegated keys are not supported by the simulated chain, use secp256k1 or bls"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as WalletExport prints it; of a type that Lotus may not know."""

    key_type: str
    private_key: bytes


def _read_key_type(value: object) -> str:
    """A key's type: its name, or the number of its signatures' kind."""
    if isinstance(value, str):
        return value
    name = _NAMES.get(value) if type(value) is int else None
    if name is None:
        raise BadParam("could not unmarshal KeyType either as string nor integer")
    return name


def _read_key_info(value: object) -> KeyInfo:
    members = {name.lower(): member for name, member in DOCUMENT.read(value).items()}
    return KeyInfo(_read_key_type(members.get("type", "")), read_bytes(members.get("privatekey")))


KEY_INFO = Param("types.KeyInfo", _read_key_info)
KEY_TYPE = Param("types.KeyType", _read_key_type)


def key_address(node: Node, address: Address) -> Address:
    """The key's address of an account; an address that is none of an account stays as it is."""
    if address.actor_id is None:
        return address
    actor = node.chain.state_after(node.chain.head).actor(address)
    return address if actor is None or actor.address is None else actor.address


def _held_key(node: Node, address: Address) -> SecretKey | None:
    """The key of a key's address, None where the node does not hold it."""
    actor_id = node.chain.state_after(node.chain.head).actor_id(address)
    return node.chain.wallet.key_of_account(address, actor_id)


def signed_by_wallet(node: Node, address: Address, message: Message) -> SignedMessage:
    """The message, signed by a key that the node holds; RpcFault where it holds none of that address."""
    signer = key_address(node, address)
    key = _held_key(node, signer)
    if key is None:
        raise failure(f"failed to sign message: key not found for {node.text(signer)}")
    return SignedMessage(message, sign(key, signing_bytes(message)))


def wallet_sign_message(node: Node, address: Address, message: Message | None) -> object:
    """The message, signed by a key that the node holds."""
    return signed_message_document(signed_by_wallet(node, address, require_addresses(message)), prefix=node.prefix)


def wallet_sign(node: Node, address: Address, data: bytes) -> object:
    """A signature over bytes."""
    signer = key_address(node, address)
    key = _held_key(node, signer)
    if key is None:
        raise failure(f"key not found for {node.text(signer)}")
    return signature_document(sign(key, data))


def wallet_verify(node: Node, address: Address, data: bytes, signature: Signature) -> object:
    """Whether a signature is an address's."""
    try:
        check_signature(signature, data, signer=key_address(node, address))
    except SignatureError:
        return False
    return True


def wallet_new(node: Node, key_type: str) -> object:
    """The address of a new key. It follows from the chain's seed and how many were made before."""
    if key_type == "delegated":
        raise failure(_UNSUPPORTED)
    if key_type not in _KINDS:
        raise failure(f"unknown sig type: {key_type}")
    return node.text(node.chain.wallet.make(_KINDS[key_type]))


def wallet_import(node: Node, info: KeyInfo) -> object:
    """The address of a key that the node holds from now on."""
    if info.key_type == "delegated":
        raise failure(f"failed to make key: {_UNSUPPORTED}")
    if info.key_type not in _KINDS:
        raise failure("failed to make key: cannot generate public key of unsupported type: 255")
    try:
        key = secret_key_from_bytes(info.private_key, _KINDS[info.key_type])
    except SecretKeyError as error:
        raise failure(f"failed to make key: {error}") from error
    return node.text(node.chain.wallet.add(key))


def wallet_export(node: Node, address: Address) -> object:
    """The key of an address, to be imported elsewhere."""
    key = _held_key(node, address)
    if key is None:
        raise failure("key not found")
    return {"Type": _NAMES[key.kind], "PrivateKey": base64_text(key.raw)}


def wallet_delete(node: Node, address: Address) -> None:
    """Forgets the key of an address, if it is there."""
    node.chain.wallet.remove(address)


def wallet_list(node: Node) -> object:
    """The addresses whose keys the node holds."""
    return [node.text(address) for address in node.chain.wallet]


def wallet_has(node: Node, address: Address) -> object:
    """Whether the node holds an address's key."""
    return _held_key(node, address) is not None


def wallet_balance(node: Node, address: Address) -> object:
    """An address's funds in attoFIL; 0 where it has no actor."""
    actor = node.state(()).actor(address)
    return str(0 if actor is None else actor.balance_attofil)


def wallet_default(node: Node) -> object:
    """The address whose funds are spent where nobody is named: the faucet's, until another is set."""
    default = node.chain.wallet.default
    if default is None:
        raise failure(f"failed to get default key: opening key 'default': {_NOT_FOUND}")
    return node.text(default)


def wallet_set_default(node: Node, address: Address) -> None:
    """Makes an address of the wallet the default."""
    if address not in node.chain.wallet:
        raise failure(f"opening key 'wallet-{node.text(address)}': {_NOT_FOUND}")
    node.chain.wallet.default = address


def wallet_validate(node: Node, text: str) -> object:
    """The address of a text; RpcFault where it is none."""
    address = read_address(text)
    return "<empty>" if address == UNDEFINED else node.text(address)


METHODS = (
    lotus("WalletNew", wallet_new, KEY_TYPE, permission="write"),
    lotus("WalletImport", wallet_import, KEY_INFO, permission="admin"),
    lotus("WalletExport", wallet_export, ADDRESS, permission="admin"),
    lotus("WalletDelete", wallet_delete, ADDRESS, permission="admin"),
    lotus("WalletSignMessage", wallet_sign_message, ADDRESS, MESSAGE, permission="sign"),
    lotus("WalletSign", wallet_sign, ADDRESS, BYTES, permission="sign"),
    lotus("WalletVerify", wallet_verify, ADDRESS, BYTES, SIGNATURE),
    lotus("WalletList", wallet_list, permission="write"),
    lotus("WalletHas", wallet_has, ADDRESS, permission="write"),
    lotus("WalletBalance", wallet_balance, ADDRESS),
    lotus("WalletDefaultAddress", wallet_default, permission="write"),
    lotus("WalletSetDefault", wallet_set_default, ADDRESS, permission="write"),
    lotus("WalletValidateAddress", wallet_validate, TEXT),
)
