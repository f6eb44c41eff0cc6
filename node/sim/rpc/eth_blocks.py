"""Tipsets as Ethereum's blocks, and what gas costs in them."""

from collections.abc import Sequence

from node.message import signed_message_cid
from node.sim.blocks import Tipset, tipset_key_cid
from node.sim.errors import NULL_ROUND, RpcFault, failure
from node.sim.rpc.calls import USUAL_PREMIUM
from node.sim.rpc.eth_transactions import ZERO_HASH, hash_text, transaction, transaction_receipt
from node.sim.rpc.methods import Node
from node.sim.rules import BLOCK_GAS_LIMIT

_EMPTY_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
_FULL_BLOOM = "0x" + "ff" * 256
_NO_TRANSACTIONS = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
_MOST_HISTORY_BLOCKS = 1024
_MOST_PERCENTILES = 100


def block_number(node: Node) -> object:
    """The number of the latest block whose messages are executed: the head's parent."""
    return hex(latest(node).height)


def latest(node: Node) -> Tipset:
    """The latest tipset whose messages are executed: the head's parent."""
    return node.chain.store.parent(node.chain.head)


def gas_price(node: Node) -> object:
    """What gas costs: twice the base fee and the usual premium."""
    return hex(node.chain.head.base_fee + 2 * USUAL_PREMIUM)


def tipset_of(node: Node, number: str) -> Tipset:
    """The tipset of a block parameter; RpcFault code 12 for a null round."""
    if number in {"latest", "pending"}:
        return latest(node) if number == "latest" else node.chain.head
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


def tipset_of_hash(node: Node, text: str) -> Tipset:
    """The tipset whose key has a hash; RpcFault where none is stored."""
    wanted = text.lower()
    for tipset in reversed(node.chain.store.tipsets.values()):
        if hash_text(tipset_key_cid(tipset.key)) == wanted:
            return tipset
    raise failure(f"failed to get tipset by hash {text}: ipld: could not find it")


def get_block(node: Node, number: str, full: bool) -> object:
    """A tipset as an Ethereum block."""
    return block_document(node, tipset_of(node, number), full=full)


def get_block_by_hash(node: Node, text: str, full: bool) -> object:
    """A tipset as an Ethereum block, by the hash of its key."""
    return block_document(node, tipset_of_hash(node, text), full=full)


def count_by_number(node: Node, number: str) -> object:
    """How many messages a tipset has."""
    return hex(len(tipset_of(node, number).messages))


def count_by_hash(node: Node, text: str) -> object:
    """How many messages a tipset has, by the hash of its key."""
    return hex(len(tipset_of_hash(node, text).messages))


def block_receipts(node: Node, block: str) -> object:
    """The receipts of a tipset's messages, in order. The block is named by its number or hash."""
    tipset = tipset_of_hash(node, block) if len(block) == len(ZERO_HASH) else tipset_of(node, block)
    receipts = (transaction_receipt(node, hash_text(signed_message_cid(one))) for one in tipset.messages)
    return [one for one in receipts if one is not None]


def block_document(node: Node, tipset: Tipset, *, full: bool) -> dict[str, object]:
    """A tipset as an Ethereum block; its transactions in full, or as hashes alone."""
    hashes = [hash_text(signed_message_cid(one)) for one in tipset.messages]
    transactions = [transaction(node, one) for one in hashes] if full else hashes
    gas = sum(one.receipt.gas_used for one in node.chain.execution_of(tipset).executed)
    return {
        "hash": hash_text(tipset_key_cid(tipset.key)),
        "parentHash": hash_text(tipset_key_cid(tipset.parents)),
        "sha3Uncles": _EMPTY_UNCLES,
        "miner": "0x" + "00" * 20,
        "stateRoot": ZERO_HASH,
        "transactionsRoot": ZERO_HASH if transactions else _NO_TRANSACTIONS,
        "receiptsRoot": ZERO_HASH,
        "logsBloom": _FULL_BLOOM if transactions else "0x" + "00" * 256,
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "number": hex(tipset.height),
        "gasLimit": hex(BLOCK_GAS_LIMIT * len(tipset.blocks)),
        "gasUsed": hex(gas),
        "timestamp": hex(tipset.blocks[0].timestamp),
        "extraData": "0x",
        "mixHash": ZERO_HASH,
        "nonce": "0x0000000000000000",
        "baseFeePerGas": hex(tipset.base_fee),
        "size": "0x0",
        "transactions": transactions,
        "uncles": [],
    }


def max_priority_fee(node: Node) -> object:
    """The premium that others pay."""
    del node
    return hex(USUAL_PREMIUM)


def fee_history(node: Node, count: object, newest: str, percentiles: object = None) -> object:
    """Base fees, fullness and premiums of blocks, the oldest first, and the base fee of the block to come."""
    wanted = _checked_count(count)
    shares = _checked_percentiles(percentiles)
    last = tipset_of(node, newest)
    tipsets = [one for one, _ in zip(node.chain.store.ancestors(last), range(wanted), strict=False)][::-1]
    history: dict[str, object] = {
        "oldestBlock": hex(tipsets[0].height),
        "baseFeePerGas": [hex(one.base_fee) for one in tipsets] + [hex(node.chain.head.base_fee)],
        "gasUsedRatio": [_fullness(node, one) for one in tipsets],
    }
    return history if percentiles is None else {**history, "reward": [_rewards(one, shares) for one in tipsets]}


def _checked_count(count: object) -> int:
    try:
        wanted = int(count, 16) if isinstance(count, str) else count
    except ValueError as error:
        raise failure(f"cannot parse block count: {count}") from error
    if type(wanted) is not int or not 0 < wanted <= _MOST_HISTORY_BLOCKS:
        raise failure(f"block count should be larger than 0 and not beyond {_MOST_HISTORY_BLOCKS}")
    return wanted


def _checked_percentiles(percentiles: object) -> list[float]:
    if percentiles is None:
        return []
    if not isinstance(percentiles, list) or len(percentiles) > _MOST_PERCENTILES:
        raise failure(f"reward percentiles are at most {_MOST_PERCENTILES} numbers")
    if not all(type(one) in {int, float} and 0 <= one <= 100 for one in percentiles):
        raise failure("a reward percentile is 0 to 100")
    return [float(one) for one in percentiles]


def _fullness(node: Node, tipset: Tipset) -> float:
    gas = sum(one.receipt.gas_used for one in node.chain.execution_of(tipset).executed)
    return gas / (BLOCK_GAS_LIMIT * len(tipset.blocks))


def _rewards(tipset: Tipset, shares: Sequence[float]) -> list[str]:
    """The premium below which that share of a tipset's messages paid; the usual one where there are none."""
    premiums = sorted(one.message.gas_premium_attofil for one in tipset.messages) or [USUAL_PREMIUM]
    return [hex(premiums[min(int(len(premiums) * share / 100), len(premiums) - 1)]) for share in shares]
