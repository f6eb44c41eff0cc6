"""Sim.…: the simulated chain's own methods. Each answers with what it changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from node.actors.market import DealProposal
from node.address import Address, actor_address
from node.sim.blocks import link
from node.sim.errors import failure
from node.sim.faults import ALWAYS, KINDS
from node.sim.rpc.chain_methods import change_documents
from node.sim.rpc.methods import Node, RpcMethod
from node.sim.rpc.params import (
    ADDRESS,
    AMOUNT,
    ANY,
    EPOCH,
    UINT64,
    BadParam,
    Param,
    read_address,
    read_amount,
    read_cid,
)
from node.sim.verbs import Piece, Verbs

_MOST_TIPSETS = 10_000
"""How many tipsets one request mines or replaces."""
_MOST_NULL_ROUNDS = 10 * 365 * 2880
"""How many epochs the next tipset skips at most: ten years."""
_MOST_ITEMS = 5_000
"""How many pieces, deals or ids one request takes."""
_MOST_FAULTS = 1_000
_MOST_BLOCKS = 15


def _listed(value: object) -> list[Any]:
    listed = value if isinstance(value, list) else []
    if len(listed) > _MOST_ITEMS:
        raise BadParam(f"{len(listed)} at once are too many: at most {_MOST_ITEMS}")
    return listed


def _read_ids(value: object) -> list[int]:
    ids = _listed(value)
    if not all(type(one) is int and one >= 0 for one in ids) or not isinstance(value, list):
        raise BadParam("a list of ids is due")
    return ids


def _read_piece(value: object) -> Piece:
    document = value if isinstance(value, Mapping) else {}
    cid, size = document.get("piece_cid"), document.get("size_bytes")
    read = read_cid({"/": cid} if isinstance(cid, str) else cid)
    if read is None or type(size) is not int:
        raise BadParam('a piece is {"piece_cid": …, "size_bytes": …}')
    return Piece(read, size)


def _read_proposal(value: object) -> DealProposal:
    outer = value if isinstance(value, Mapping) else {}
    inner = outer.get("Proposal", outer)
    document = inner if isinstance(inner, Mapping) else {}
    piece = read_cid(document.get("PieceCID"))
    if piece is None:
        raise BadParam("a proposal as in StateMarketDeals is due: PieceCID is missing")
    return DealProposal(
        piece_cid=piece,
        size_bytes=UINT64.read(document.get("PieceSize")),
        verified=bool(document.get("VerifiedDeal")),
        client=read_address(document.get("Client")),
        provider=read_address(document.get("Provider")),
        label=_read_label(document.get("Label")),
        start_epoch=EPOCH.read(document.get("StartEpoch")),
        end_epoch=EPOCH.read(document.get("EndEpoch")),
        price_per_epoch_attofil=read_amount(document.get("StoragePricePerEpoch")),
        provider_collateral_attofil=read_amount(document.get("ProviderCollateral")),
        client_collateral_attofil=read_amount(document.get("ClientCollateral")),
    )


def _read_label(value: object) -> str | bytes:
    """A label: text, or an array of byte values for one that is no text."""
    if isinstance(value, list) and all(type(byte) is int and 0 <= byte <= 255 for byte in value):
        return bytes(value)
    return value if isinstance(value, str) else ""


IDS = Param("[]uint64", _read_ids)
PIECES = Param("[]sim.Piece", lambda value: [_read_piece(one) for one in _listed(value)])
PROPOSALS = Param("[]market.DealProposal", lambda value: [_read_proposal(one) for one in _listed(value)])


def _head(node: Node) -> dict[str, object]:
    head = node.chain.head
    return {"height": head.height, "tipset": [link(cid) for cid in head.key]}


def mine(node: Node, count: int, blocks: int | None = None) -> object:
    """Mines tipsets, of so many blocks where that is said; the head after it."""
    if blocks is not None and not 0 < blocks <= _MOST_BLOCKS:
        raise failure(f"a tipset has 1 to {_MOST_BLOCKS} blocks, not {blocks}")
    for _ in range(_checked_count(count)):
        node.chain.mine(blocks=blocks)
    return _head(node)


def _checked_count(count: int) -> int:
    if count > _MOST_TIPSETS:
        raise failure(f"{count} tipsets at once are too many: at most {_MOST_TIPSETS}")
    return count


def null_rounds(node: Node, count: int) -> object:
    """Has the next tipset skip epochs, beside those that it skips already; how many it will skip."""
    total = node.chain.null_rounds + count
    if total > _MOST_NULL_ROUNDS:
        raise failure(f"{total} null rounds at once are too many: at most {_MOST_NULL_ROUNDS}")
    node.chain.null_rounds += count
    return {"null_rounds": node.chain.null_rounds}


def snapshot(node: Node) -> object:
    """Remembers everything; the number for `Sim.Revert`."""
    return node.chain.snapshot()


def revert(node: Node, number: int) -> object:
    """Brings a snapshot back; the head after it."""
    if not node.chain.revert(number):
        raise failure(f"there is no snapshot {number}")
    return _head(node)


def time_travel(node: Node, epoch: int) -> object:
    """Mines the next tipset at an epoch; the head after it."""
    Verbs(node.chain).time_travel(epoch)
    return _head(node)


def fork(node: Node, depth: int) -> object:
    """Replaces the last tipsets, the last 10,000 at most, by a heavier chain of empty ones; the head's changes."""
    changes = change_documents(node, node.chain.fork(min(depth, _MOST_TIPSETS)))
    return {**_head(node), "changes": changes}


def fund(node: Node, address: Address, amount: int) -> object:
    """Sends funds; the address and its balance."""
    balance = Verbs(node.chain).fund(address, amount)
    return {"address": node.text(address), "balance": str(balance)}


def add_verifier(node: Node, address: Address, allowance: int) -> object:
    """Makes a notary; its id and allowance."""
    verifier_id = Verbs(node.chain).add_verifier(address, allowance)
    return {"verifier": node.text(actor_address(verifier_id)), "allowance": str(allowance)}


def allocate(node: Node, client: Address, provider: Address, pieces: Sequence[Piece]) -> object:
    """Allocates DataCap to pieces; the allocations' ids."""
    return list(Verbs(node.chain).allocate(client, provider, pieces))


def publish_deals(node: Node, proposals: Sequence[DealProposal]) -> object:
    """Publishes deals; their ids."""
    return list(Verbs(node.chain).publish_deals(proposals))


def activate_deals(node: Node, deal_ids: Sequence[int]) -> object:
    """Puts deals into sectors; the ids of those that are active."""
    return list(Verbs(node.chain).activate_deals(deal_ids))


def onboard(node: Node, provider: Address, allocation_ids: Sequence[int]) -> object:
    """Claims allocations, a sector each."""
    done = Verbs(node.chain).onboard(provider, allocation_ids)
    return [{"id": one.claim_id, "sector": one.sector} for one in done]


def terminate(node: Node, provider: Address, sector: int) -> object:
    """Gives up a sector."""
    done = Verbs(node.chain).terminate(provider, sector)
    return {"provider": node.text(provider), "sector": sector, "terminated": done}


def upgrade(node: Node, network_version: int, epoch: int) -> object:
    """Orders an upgrade after an epoch."""
    Verbs(node.chain).upgrade(network_version, epoch)
    return {"network_version": network_version, "epoch": epoch}


def fault(node: Node, order: object) -> object:
    """Orders a fault for coming requests; null ends them all. The orders that stand."""
    if order is None:
        node.faults.clear()
        return []
    document = order if isinstance(order, Mapping) else {}
    kind = next((one for one in KINDS if one == document.get("kind")), None)
    if kind is None:
        raise failure(f"kind of a fault: one of {', '.join(KINDS)} is due, not {document.get('kind')!r}")
    share, count = document.get("share", 1.0), document.get("count", ALWAYS)
    if not isinstance(share, int | float) or not 0 <= share <= 1 or type(count) is not int:
        raise failure("a fault's share is 0 to 1, its count an integer")
    if len(node.faults.orders) >= _MOST_FAULTS:
        raise failure(f"{_MOST_FAULTS} faults stand already: Sim.Fault(null) ends them all")
    methods = [_full_name(str(name)) for name in _listed(document.get("methods"))]
    node.faults.add(methods, kind, share=float(share), count=count)
    return [one.document() for one in node.faults.orders]


def _full_name(name: str) -> str:
    """A method's full name, of one given without its namespace too."""
    return name if "." in name or "_" in name else f"Filecoin.{name}"


def _verb(name: str, answer: Any, *params: Param[Any], optional: int = 0) -> RpcMethod:
    return RpcMethod(f"Sim.{name}", answer, params, "admin", optional)


METHODS = (
    _verb("Mine", mine, UINT64, UINT64, optional=1),
    _verb("NullRounds", null_rounds, UINT64),
    _verb("Snapshot", snapshot),
    _verb("Revert", revert, UINT64),
    _verb("TimeTravel", time_travel, EPOCH),
    _verb("Fork", fork, UINT64),
    _verb("Fund", fund, ADDRESS, AMOUNT),
    _verb("AddVerifier", add_verifier, ADDRESS, AMOUNT),
    _verb("Allocate", allocate, ADDRESS, ADDRESS, PIECES),
    _verb("PublishDeals", publish_deals, PROPOSALS),
    _verb("ActivateDeals", activate_deals, IDS),
    _verb("Onboard", onboard, ADDRESS, IDS),
    _verb("Terminate", terminate, ADDRESS, UINT64),
    _verb("Upgrade", upgrade, UINT64, EPOCH),
    _verb("Fault", fault, ANY),
)
