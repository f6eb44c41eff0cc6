"""Messages as Ethereum's transactions: their hash is that of the message's CID."""

from node.address import Address, actor_address
from node.cid import Cid
from node.message import Message, signed_message_cid
from node.sim.blocks import Tipset, tipset_key_cid
from node.sim.rpc.methods import Node
from node.sim.search import search_message

ZERO_HASH = "0x" + "00" * 32
_CODEC_DAG_CBOR = 0x71
_HASH_BLAKE2B_256 = 0xB220


def hash_text(cid: Cid) -> str:
    """A CID's hash as Ethereum writes one."""
    return "0x" + cid.digest.hex()


def hash_of_cid(node: Node, cid: Cid | None) -> object:
    """The transaction hash of a message."""
    del node
    return None if cid is None else hash_text(cid)


def cid_of_hash(node: Node, text: str) -> object:
    """The message of a transaction hash, or null."""
    found = _message_of(node, text)
    return None if found is None else {"/": found.to_text()}


def _message_of(node: Node, text: str) -> Cid | None:
    """The CID of a stored message, by its hash."""
    try:
        digest = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return None
    if len(digest) != 32:
        return None
    cid = Cid(1, _CODEC_DAG_CBOR, _HASH_BLAKE2B_256, digest)
    return cid if cid in node.chain.store.messages else None


def _party(node: Node, address: Address) -> str | None:
    """An address as Ethereum writes it; of an account its id masked."""
    return address.to_eth() or actor_address(node.state(()).actor_id(address) or 0).to_eth()


def _position(tipset: Tipset, cid: Cid) -> int:
    """Where a message stands among its tipset's."""
    return next((at for at, one in enumerate(tipset.messages) if signed_message_cid(one) == cid), 0)


def transaction_receipt(node: Node, text: str) -> object:
    """A message's receipt as Ethereum's; null until it is executed."""
    cid = _message_of(node, text)
    if cid is None:
        return None
    message = node.chain.store.messages[cid].message
    found = search_message(node.chain, cid, message, start=node.chain.head, limit=-1, allow_replaced=False)
    if found is None:
        return None
    inclusion = node.chain.store.parent(found.tipset)
    return {
        "transactionHash": text,
        "transactionIndex": hex(_position(inclusion, cid)),
        "blockHash": hash_text(tipset_key_cid(inclusion.key)),
        "blockNumber": hex(inclusion.height),
        "from": _party(node, message.sender),
        "to": _party(node, message.to),
        "root": ZERO_HASH,
        "status": "0x1" if found.receipt.ok else "0x0",
        "contractAddress": None,
        "cumulativeGasUsed": "0x0",
        "gasUsed": hex(found.receipt.gas_used),
        "effectiveGasPrice": hex(inclusion.base_fee + message.gas_premium_attofil),
        "logsBloom": "0x" + "00" * 256,
        "logs": [],
        "type": "0x2",
    }


def transaction(node: Node, text: str) -> object:
    """A message as a transaction: its call is put as one of a native method; null where none has that hash."""
    cid = _message_of(node, text)
    if cid is None:
        return None
    message = node.chain.store.messages[cid].message
    found = search_message(node.chain, cid, message, start=node.chain.head, limit=-1, allow_replaced=False)
    inclusion = None if found is None else node.chain.store.parent(found.tipset)
    return {
        "chainId": hex(node.chain.options.chain_id),
        "nonce": hex(message.nonce),
        "hash": text,
        "blockHash": None if inclusion is None else hash_text(tipset_key_cid(inclusion.key)),
        "blockNumber": None if inclusion is None else hex(inclusion.height),
        "transactionIndex": None if inclusion is None else hex(_position(inclusion, cid)),
        "from": _party(node, message.sender),
        "to": _party(node, message.to),
        "value": hex(message.value_attofil),
        "type": "0x2",
        "input": "0x868e10c4" + _native_call(message).hex(),
        "gas": hex(message.gas_limit),
        "maxFeePerGas": hex(message.gas_fee_cap_attofil),
        "maxPriorityFeePerGas": hex(message.gas_premium_attofil),
        "accessList": [],
        "v": "0x0",
        "r": "0x0",
        "s": "0x0",
    }


def _native_call(message: Message) -> bytes:
    """A native call's method, codec and params, as Solidity's ABI writes them."""
    words = (message.method, 0x51 if message.params else 0, 0x60, len(message.params))
    padding = bytes(-len(message.params) % 32)
    return b"".join(word.to_bytes(32, "big") for word in words) + message.params + padding
