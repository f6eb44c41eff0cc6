"""Ethereum's methods, as far as a chain without contracts can answer them: enough to connect, to read, to estimate."""

from collections.abc import Callable
from typing import Any

from node.address import Address, actor_address, parse_address
from node.errors import AddressError
from node.exit_codes import exit_code_text
from node.message import Message
from node.sim.errors import RpcFault, failure
from node.sim.gas import estimated_limit
from node.sim.rpc.calls import dry_run, estimate_gas
from node.sim.rpc.eth_blocks import (
    block_number,
    block_receipts,
    count_by_hash,
    count_by_number,
    fee_history,
    gas_price,
    get_block,
    get_block_by_hash,
    max_priority_fee,
)
from node.sim.rpc.eth_filters import (
    filter_changes,
    filter_logs,
    new_block_filter,
    new_logs_filter,
    new_transaction_filter,
    uninstall_filter,
)
from node.sim.rpc.eth_transactions import ZERO_HASH, cid_of_hash, hash_of_cid, transaction, transaction_receipt
from node.sim.rpc.methods import Node, RpcMethod, lotus
from node.sim.rpc.node_methods import VERSION
from node.sim.rpc.params import ADDRESS, ANY, CID, FLAG, TEXT, BadParam

_DISABLED = "module disabled, enable with Fevm.EnableEthRPC / LOTUS_FEVM_ENABLEETHRPC"
_INVOKE = 3844450837
_NO_EVM = "the simulated chain has no contracts: it takes no Ethereum transactions, send messages by MpoolPush"


def _guarded(answer: Callable[..., object]) -> Callable[..., object]:
    """The method, refused where the node's owner has Ethereum's methods switched off."""

    def guard(node: Node, *params: Any) -> object:
        check_eth_enabled(node)
        return answer(node, *params)

    return guard


def check_eth_enabled(node: Node) -> None:
    """Returns where the node has Ethereum's methods; RpcFault where its owner has switched them off."""
    if not node.eth_enabled:
        raise failure(_DISABLED)


def chain_id(node: Node) -> object:
    """The chain's id."""
    return hex(node.chain.options.chain_id)


def network_id(node: Node) -> object:
    """The chain's id as a decimal text."""
    return str(node.chain.options.chain_id)


def client_version(node: Node) -> object:
    """The node's version."""
    del node
    return VERSION


def syncing(node: Node) -> object:
    """Whether the node is syncing, which no devnet knows."""
    del node
    raise failure("missing syncing information, try again")


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


def code(node: Node, text: object, block: object) -> object:
    """An address's contract: there are none."""
    del node, block
    _address(text)
    return "0x"


def storage(node: Node, text: object, position: object, block: object) -> object:
    """A word of a contract's storage: of what is none, zero."""
    del node, position, block
    _address(text)
    return ZERO_HASH


def estimate_call(node: Node, call: object, block: object = None) -> object:
    """The gas that a call would use, with what is added to be safe. RpcFault code 3 where it would fail."""
    del block
    document = call if isinstance(call, dict) else {}
    sender = actor_address(0) if document.get("from") is None else _address(document["from"])
    value = _quantity(document.get("value"))
    message = Message(to=_address(document.get("to")), sender=sender, nonce=0, value_attofil=value, method=_INVOKE)
    return hex(estimated_limit(estimate_gas(node, message, node.chain.head)))


def _quantity(value: object) -> int:
    if value is None:
        return 0
    try:
        return int(str(value), 16)
    except ValueError as error:
        raise failure(f"cannot parse quantity: {value}") from error


def send_raw(node: Node, raw: object) -> object:
    """Refuses an Ethereum transaction."""
    del node, raw
    raise failure(_NO_EVM)


def accounts(node: Node) -> object:
    """The accounts that the node signs Ethereum transactions for: none."""
    del node
    return []


def listening(node: Node) -> object:
    """Whether the node listens to others."""
    del node
    return True


def protocol_version(node: Node) -> object:
    """The network version of the head."""
    return hex(node.chain.version_at(node.chain.head.height))


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
    _eth("eth_protocolVersion", protocol_version),
    _eth("eth_accounts", accounts),
    _eth("net_version", network_id),
    _eth("net_listening", listening),
    RpcMethod("web3_clientVersion", client_version),
    _eth("eth_gasPrice", gas_price),
    _eth("eth_maxPriorityFeePerGas", max_priority_fee),
    _eth("eth_feeHistory", fee_history, ANY, TEXT, ANY, optional=1),
    _eth("eth_estimateGas", estimate_call, ANY, ANY, optional=1),
    _eth("eth_syncing", syncing),
    _eth("eth_getBlockByNumber", get_block, TEXT, FLAG),
    _eth("eth_getBlockByHash", get_block_by_hash, TEXT, FLAG),
    _eth("eth_getBlockTransactionCountByNumber", count_by_number, TEXT),
    _eth("eth_getBlockTransactionCountByHash", count_by_hash, TEXT),
    _eth("eth_getBlockReceipts", block_receipts, TEXT),
    _eth("eth_getBalance", balance, ANY, ANY),
    _eth("eth_getCode", code, ANY, ANY),
    _eth("eth_getStorageAt", storage, ANY, ANY, ANY),
    _eth("eth_getTransactionCount", transaction_count, ANY, ANY),
    _eth("eth_call", eth_call, ANY, ANY),
    _eth("eth_getLogs", logs, ANY),
    _eth("eth_newFilter", new_logs_filter, ANY),
    _eth("eth_newBlockFilter", new_block_filter),
    _eth("eth_newPendingTransactionFilter", new_transaction_filter),
    _eth("eth_getFilterChanges", filter_changes, TEXT),
    _eth("eth_getFilterLogs", filter_logs, TEXT),
    _eth("eth_uninstallFilter", uninstall_filter, TEXT),
    _eth("eth_getTransactionReceipt", transaction_receipt, TEXT),
    _eth("eth_getTransactionByHash", transaction, TEXT),
    _eth("eth_sendRawTransaction", send_raw, ANY),
    _eth("Filecoin.EthGetTransactionHashByCid", hash_of_cid, CID),
    _eth("Filecoin.EthGetMessageCidByTransactionHash", cid_of_hash, TEXT),
    lotus("FilecoinAddressToEthAddress", _guarded(to_eth), ADDRESS, ANY),
    lotus("EthAddressToFilecoinAddress", _guarded(from_eth), TEXT),
)
