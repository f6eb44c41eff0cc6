"""Bringing data into sectors on the chain's own order: announced, and proven at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.actors import market, miner
from node.address import actor_address
from node.cid import Cid
from node.elements import UINT
from node.sim.commd import sealed_cid, unsealed_cid
from node.sim.errors import failure
from node.sim.orders import Orders
from node.sim.rules import SEAL_PROOF
from node.sim.state import StoredAllocation
from node.singletons import MARKET

_BATCH = 200
"""How many sectors one message is made for: it has to stay below 64 KiB."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """A piece that is to come into a sector of its own, and how long that is to last."""

    piece: miner.PieceActivation
    life_epochs: int


class Sealer:
    """Seals sectors, over one chain."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders

    def of_deal(self, deal_id: int, proposal: market.DealProposal) -> Sealing:
        """A deal's piece for a sector of its own, with the allocation that it claims."""
        allocation_id = self.orders.state.market.allocation_ids.get(deal_id)
        term = None if allocation_id is None else self.orders.state.registry.allocations.get(allocation_id)
        key = None if term is None else miner.AllocationKey(term.client_id, allocation_id or 0)
        notice = miner.Notification(MARKET, UINT.to_bytes(deal_id))
        piece = miner.PieceActivation(proposal.piece_cid, proposal.size_bytes, key, (notice,))
        return Sealing(piece, self._sector_life(term, at_least=proposal.end_epoch - self.orders.chain.head.height + 1))

    def of_allocation(self, allocation_id: int) -> Sealing:
        """An allocation's piece for a sector of its own; RpcFault where there is none, or it fits no sector."""
        allocation = self.orders.state.registry.allocations.get(allocation_id)
        if allocation is None:
            raise failure(f"allocation {allocation_id} not found")
        if allocation.size_bytes.bit_count() != 1:  # The registry takes any size, a sector's commitment does not.
            raise failure(f"allocation {allocation_id} fits no sector: {allocation.size_bytes} bytes are no power of 2")
        key = miner.AllocationKey(allocation.client_id, allocation_id)
        piece = miner.PieceActivation(allocation.data, allocation.size_bytes, key, ())
        return Sealing(piece, self._sector_life(allocation))

    def _sector_life(self, allocation: StoredAllocation | None, *, at_least: int = 0) -> int:
        """How long a sector is to last that its allocation may be claimed with it when it is proven."""
        life = max(self.orders.chain.options.rules.sector_life_epochs, at_least)
        if allocation is None:
            return life
        # The sector is proven some epochs after this is reckoned, so a little is added at the lower end.
        return min(max(life, allocation.term_min_epochs + 20), allocation.term_max_epochs)

    def seal(self, provider_id: int, sealings: Sequence[Sealing]) -> None:
        """Announces and proves sectors with one piece each, as many at once as a message holds."""
        for start in range(0, len(sealings), _BATCH):
            self._seal_batch(provider_id, sealings[start : start + _BATCH])

    def _seal_batch(self, provider_id: int, sealings: Sequence[Sealing]) -> None:
        worker, to = actor_address(self.orders.state.miners[provider_id].worker_id), actor_address(provider_id)
        first = self.orders.state.miners[provider_id].next_sector
        announced = tuple(self._announcement(provider_id, first + at, sealing) for at, sealing in enumerate(sealings))
        self.orders.call(worker, to, miner.PRE_COMMIT_SECTOR_BATCH, miner.PreCommitSectorBatchParams(announced))
        params = miner.ProveCommitSectorsParams(
            sectors=tuple(miner.SectorActivation(first + at, (sealing.piece,)) for at, sealing in enumerate(sealings)),
            sector_proofs=(b"proof",) * len(sealings),
            aggregate_proof=b"",
            aggregate_proof_type=None,
            require_activation_success=True,
            require_notification_success=True,
        )
        self.orders.call(worker, to, miner.PROVE_COMMIT_SECTORS, params)

    def _announcement(self, provider_id: int, number: int, sealing: Sealing) -> miner.SectorPreCommit:
        piece, head = sealing.piece, self.orders.chain.head.height
        sector_bytes = max(self.orders.chain.options.rules.sector_bytes, piece.size_bytes)
        data = unsealed_cid([(piece.data, piece.size_bytes)], sector_bytes) if _is_piece(piece.data) else None
        sealed = sealed_cid(f"{provider_id}/{number}")
        expiration = head + sealing.life_epochs
        return miner.SectorPreCommit(SEAL_PROOF, number, sealed, max(head - 150, 0), (), expiration, data)


def _is_piece(cid: Cid) -> bool:
    return len(cid.digest) == 32
