"""The few Ethereum methods that wallets and tools ask a node before anything else. There is no EVM here."""

from collections.abc import Callable
from typing import Any

from node.address import Address, actor_address, parse_address
from node.cid import Cid
from node.errors import AddressError
from node.exit_codes import exit_code_text
from node.message import Message, message_cid
from node.sim.blocks import Tipset, tipset_key_cid
from node.sim.errors import NULL_ROUND, RpcFault, failure
from node.sim.rpc.calls import USUAL_PREMIUM, dry_run
from node.sim.rpc.methods import Node, RpcMethod, lotus
from node.sim.rpc.node_methods import VERSION
from node.sim.rpc.params import ADDRESS, ANY, CID, FLAG, TEXT, BadParam
from node.sim.rpc.search import search_message

_DISABLED = "module disabled, enable with Fevm.EnableEthRPC / LOTUS_FEVM_ENABLEETHRPC"
_ZERO_HASH = "0x" + "00" * 32
_EMPTY_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
_NO_TRANSACTIONS = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
_INVOKE = 3844450837
_BLOCK_GAS = 10_000_000_000


def _guarded(answer: Callable[..., object]) -> Callable[..., object]:
    """The method, refused where the node's owner has Ethereum's methods switched off."""

    def guard(node: Node, *params: Any) -> object:
        if not node.eth_enabled:
            raise failure(_DISABLED)
        return answer(node, *params)

    return guard


def chain_id(node: Node) -> object:
    """The chain's id."""
    return hex(node.chain.options.chain_id)


def block_number(node: Node) -> object:
    """The number of the latest block whose messages are executed: the head's parent."""
    return hex(_latest(node).height)


def _latest(node: Node) -> Tipset:
    return node.chain.store.parent(node.chain.head)


def network_id(node: Node) -> object:
    """The chain's id as a decimal text."""
    return str(node.chain.options.chain_id)


def client_version(node: Node) -> object:
    """The node's version."""
    del node
    return VERSION


def gas_price(node: Node) -> object:
    """What gas costs: twice the base fee and the usual premium."""
    return hex(node.chain.head.base_fee + 2 * USUAL_PREMIUM)


def syncing(node: Node) -> object:
    """Whether the node is syncing, which no devnet knows."""
    del node
    raise failure("missing syncing information, try again")


def _tipset_of(node: Node, number: str) -> Tipset:
    """The tipset of a block parameter; RpcFault code 12 for a null round."""
    if number in {"latest", "pending"}:
        return _latest(node) if number == "latest" else node.chain.head
    if number in {"safe", "finalized"}:
        raise RpcFault(4, "f3 is disabled")
    if number == "earliest":
        raise failure('block param "earliest" is not supported')
    try:
        height = int(number, 16)
    except ValueError as error:
        raise failure(f"cannot parse block number: {number}") from error
    if height > node.chain.head.height:
        raise failure("requested a future epoch (beyond 'latest')")
    tipset = node.chain.canon.at(height)
    if tipset.height != height:
        raise RpcFault(NULL_ROUND, f"requested epoch was a null round ({height})", data=height)
    return tipset


def _hash(cid: Cid) -> str:
    return "0x" + cid.digest.hex()


def get_block(node: Node, number: str, full: bool) -> object:
    """A tipset as an Ethereum block; its transactions as hashes alone."""
    del full
    tipset = _tipset_of(node, number)
    transactions = [_hash(message_cid(one.message)) for one in tipset.messages]
    gas = sum(one.receipt.gas_used for one in node.chain.execution_of(tipset).executed)
    return {
        "hash": _hash(tipset_key_cid(tipset.key)),
        "parentHash": _hash(tipset_key_cid(tipset.parents)),
        "sha3Uncles": _EMPTY_UNCLES,
        "miner": "0x" + "00" * 20,
        "stateRoot": _ZERO_HASH,
        "transactionsRoot": _ZERO_HASH if transactions else _NO_TRANSACTIONS,
        "receiptsRoot": _ZERO_HASH,
        "logsBloom": "0x" + ("ff" if transactions else "00") * 256,
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "number": hex(tipset.height),
        "gasLimit": hex(_BLOCK_GAS * len(tipset.blocks)),
        "gasUsed": hex(gas),
        "timestamp": hex(tipset.blocks[0].timestamp),
        "extraData": "0x",
        "mixHash": _ZERO_HASH,
        "nonce": "0x0000000000000000",
        "baseFeePerGas": hex(tipset.base_fee),
        "size": "0x0",
        "transactions": transactions,
        "uncles": [],
    }


def _address(text: object) -> Address:
    try:
        return parse_address(str(text))
    except AddressError as error:
        raise failure(f"cannot parse address: {error}") from error


def balance(node: Node, text: object, block: object) -> object:
    """An address's funds."""
    del block
    actor = node.state(()).actor(_address(text))
    return hex(0 if actor is None else actor.balance_attofil)


def transaction_count(node: Node, text: object, block: object) -> object:
    """An address's nonce."""
    del block
    actor = node.state(()).actor(_address(text))
    return hex(0 if actor is None else actor.nonce)


def eth_call(node: Node, call: object, block: object) -> object:
    """A call of a contract. There are none: an actor refuses it, an address without an actor answers nothing."""
    del block
    to = _address(call.get("to") if isinstance(call, dict) else None)
    actor = node.state(()).actor(to)
    if actor is None:
        return "0x"
    executed = dry_run(node, Message(to=to, sender=actor_address(0), nonce=0, method=_INVOKE), node.chain.head)
    if executed.receipt.exit_code == 0:
        return "0x"
    code = exit_code_text(executed.receipt.exit_code)
    raise RpcFault(3, f"message execution failed (exit=[{code}], vm error=[{executed.error}])", data="0x")


def logs(node: Node, wanted: object) -> object:
    """Contracts' logs: none."""
    del node, wanted
    return []


def hash_of_cid(node: Node, cid: Cid | None) -> object:
    """The transaction hash of a message."""
    del node
    return None if cid is None else _hash(cid)


def cid_of_hash(node: Node, text: str) -> object:
    """The message of a transaction hash, or null."""
    found = _message_of(node, text)
    return None if found is None else {"/": found.to_text()}


def _message_of(node: Node, text: str) -> Cid | None:
    return next((cid for cid in node.chain.store.messages if _hash(cid) == text.lower()), None)


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
    state = node.state(())
    return {
        "transactionHash": text,
        "transactionIndex": "0x0",
        "blockHash": _hash(tipset_key_cid(inclusion.key)),
        "blockNumber": hex(inclusion.height),
        "from": actor_address(state.actor_id(message.sender) or 0).to_eth(),
        "to": actor_address(state.actor_id(message.to) or 0).to_eth(),
        "root": _ZERO_HASH,
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
    state = node.state(())
    return {
        "chainId": hex(node.chain.options.chain_id),
        "nonce": hex(message.nonce),
        "hash": text,
        "blockHash": None if inclusion is None else _hash(tipset_key_cid(inclusion.key)),
        "blockNumber": None if inclusion is None else hex(inclusion.height),
        "transactionIndex": None if inclusion is None else "0x0",
        "from": actor_address(state.actor_id(message.sender) or 0).to_eth(),
        "to": actor_address(state.actor_id(message.to) or 0).to_eth(),
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


def to_eth(node: Node, address: Address, block: object) -> object:
    """An address as Ethereum writes it: of an account, its id masked."""
    direct = address.to_eth()
    if direct is not None:
        return direct
    actor_id = node.state(()).actor_id(address)
    if actor_id is None:
        text = node.text(address)
        raise failure(
            f"failed to lookup ID address for given Filecoin address {text} (ensure that the address has been "
            "instantiated on-chain and sufficient epochs have passed since instantiation to confirm to the given "
            f"'blkParam': \"{block}\"): resolve address {text}: actor not found"
        )
    return actor_address(actor_id).to_eth()


def from_eth(node: Node, text: str) -> object:
    """The Filecoin address of an Ethereum one."""
    try:
        return node.text(parse_address(text))
    except AddressError as error:
        raise BadParam(str(error)) from error


def _eth(name: str, answer: Callable[..., object], *params: Any, optional: int = 0) -> RpcMethod:
    return RpcMethod(name, _guarded(answer), params, "read", optional)


METHODS = (
    _eth("eth_chainId", chain_id),
    _eth("Filecoin.EthChainId", chain_id),
    _eth("eth_blockNumber", block_number),
    _eth("net_version", network_id),
    RpcMethod("web3_clientVersion", client_version),
    _eth("eth_gasPrice", gas_price),
    _eth("eth_syncing", syncing),
    _eth("eth_getBlockByNumber", get_block, TEXT, FLAG),
    _eth("eth_getBalance", balance, ANY, ANY),
    _eth("eth_getTransactionCount", transaction_count, ANY, ANY),
    _eth("eth_call", eth_call, ANY, ANY),
    _eth("eth_getLogs", logs, ANY),
    _eth("eth_getTransactionReceipt", transaction_receipt, TEXT),
    _eth("eth_getTransactionByHash", transaction, TEXT),
    _eth("Filecoin.EthGetTransactionHashByCid", hash_of_cid, CID),
    _eth("Filecoin.EthGetMessageCidByTransactionHash", cid_of_hash, TEXT),
    lotus("FilecoinAddressToEthAddress", _guarded(to_eth), ADDRESS, ANY),
    lotus("EthAddressToFilecoinAddress", _guarded(from_eth), TEXT),
)
