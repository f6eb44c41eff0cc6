"""Sim.…: the simulated chain's own methods. Each answers with what it changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from node.actors.market import DealProposal
from node.address import Address, actor_address
from node.sim.blocks import link
from node.sim.changes import HeadChange
from node.sim.errors import failure
from node.sim.rpc.methods import Node, RpcMethod
from node.sim.rpc.params import (
    ADDRESS,
    AMOUNT,
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
    """Brings a snapshot back; the head after it, and its changes."""
    changes = node.chain.revert(number)
    if changes is None:
        raise failure(f"there is no snapshot {number}")
    return {**_head(node), "changes": _changes(changes)}


def time_travel(node: Node, epoch: int) -> object:
    """Mines the next tipset at an epoch; the head after it."""
    Verbs(node.chain).time_travel(epoch)
    return _head(node)


def fork(node: Node, depth: int) -> object:
    """Replaces the last tipsets, the last 10,000 at most, by a heavier chain of empty ones; the head's changes."""
    changes = node.chain.fork(min(depth, _MOST_TIPSETS))
    return {**_head(node), "changes": _changes(changes)}


def _changes(changes: Sequence[HeadChange]) -> list[dict[str, object]]:
    """Changes of the head in short: each tipset's height and key, without its blocks."""
    tipsets = ((change.kind, change.tipset) for change in changes)
    return [
        {"Type": kind, "Val": {"Cids": [link(cid) for cid in tipset.key], "Height": tipset.height}}
        for kind, tipset in tipsets
    ]


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


def _verb(name: str, answer: Any, *params: Param[Any], takes: str = "", optional: int = 0) -> RpcMethod:
    return RpcMethod(f"Sim.{name}", answer, params, "admin", optional, takes)


METHODS = (
    _verb("Mine", mine, UINT64, UINT64, takes="n[, blocks]", optional=1),
    _verb("NullRounds", null_rounds, UINT64, takes="n"),
    _verb("Snapshot", snapshot),
    _verb("Revert", revert, UINT64, takes="snapshot"),
    _verb("TimeTravel", time_travel, EPOCH, takes="epoch"),
    _verb("Fork", fork, UINT64, takes="depth"),
    _verb("Fund", fund, ADDRESS, AMOUNT, takes="address, attofil"),
    _verb("AddVerifier", add_verifier, ADDRESS, AMOUNT, takes="address, bytes"),
    _verb("Allocate", allocate, ADDRESS, ADDRESS, PIECES, takes="client, provider, pieces"),
    _verb("PublishDeals", publish_deals, PROPOSALS, takes="proposals"),
    _verb("ActivateDeals", activate_deals, IDS, takes="deal ids"),
    _verb("Onboard", onboard, ADDRESS, IDS, takes="provider, allocation ids"),
    _verb("Terminate", terminate, ADDRESS, UINT64, takes="provider, sector"),
    _verb("Upgrade", upgrade, UINT64, EPOCH, takes="network version, epoch"),
)
