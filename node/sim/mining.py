"""Making blocks: tickets, elections and beacons follow from the seed and the parent, so the same seed makes the same.

Proofs and signatures have the right sizes and are none; the chain checks none.
"""

from collections.abc import Sequence
from hashlib import blake2b

from node import cbor
from node.address import actor_address
from node.message import SignedMessage, block_cid
from node.network import EPOCH_SECONDS
from node.signature import BLS, Signature
from node.sim.blocks import EMPTY_RECEIPTS, GENESIS_PARENT, Block, Tipset, tipset_of
from node.sim.execution import Execution
from node.sim.gas import next_base_fee
from node.sim.state import State

_BEACON_START = 100
_VRF_BYTES = 96
_EMPTY_AGGREGATE = bytes([0xC0]) + bytes(95)
_MAX_BEACONS = 32


def genesis_tipset(state: State, *, seed: int, time: int, base_fee: int) -> tuple[Tipset, Execution]:
    """The first tipset, and the execution that stands for what it starts from."""
    root = block_cid(cbor.encode(["genesis", seed, time, state.version]))
    block = Block(
        miner=actor_address(0),
        ticket=blake2b(f"{seed}/genesis".encode(), digest_size=32).digest(),
        win_count=0,
        election_proof=None,
        beacon=((0, bytes(32)),),
        parents=(GENESIS_PARENT,),
        parent_weight=0,
        height=0,
        parent_state_root=root,
        parent_receipts=EMPTY_RECEIPTS,
        timestamp=time,
        aggregate=None,
        signature=None,
        parent_base_fee=base_fee,
    )
    return Tipset((block,)), Execution(state, root, EMPTY_RECEIPTS, ())


class Miner:
    """All miners of the chain."""

    def __init__(self, seed: int, *, genesis_time: int, miner_ids: Sequence[int]) -> None:
        self._seed = seed
        self._genesis_time = genesis_time
        self._miner_ids = miner_ids

    def _draw(self, purpose: str, parent: Tipset, height: int, salt: str, size: int) -> bytes:
        """Bytes that follow from the seed, the parent and the purpose."""
        source = b"".join(cid.to_bytes() for cid in parent.key) + f"/{self._seed}/{height}/{salt}/{purpose}".encode()
        drawn = b""
        while len(drawn) < size:
            drawn += blake2b(source + len(drawn).to_bytes(4, "big"), digest_size=64).digest()
        return drawn[:size]

    def block_count(self, parent: Tipset, height: int, bounds: tuple[int, int], salt: str) -> int:
        """How many blocks the next tipset has."""
        least, most = bounds
        return least + self._draw("count", parent, height, salt, 1)[0] % (most - least + 1)

    def base_fee_after(self, parent: Tipset) -> int:
        """The base fee of a tipset's children."""
        gas = sum(signed.message.gas_limit for signed in parent.messages)
        return next_base_fee(parent.base_fee, gas, len(parent.blocks))

    def build(
        self,
        parent: Tipset,
        execution: Execution,
        *,
        height: int,
        messages: tuple[SignedMessage, ...],
        base_fee: int,
        blocks: int,
        salt: str,
    ) -> Tipset:
        """A tipset on a parent. Every block of it has all the messages."""
        beacon = self._beacon(parent, height)
        made = [
            Block(
                miner=actor_address(self._miner_ids[number % len(self._miner_ids)]),
                ticket=self._draw(f"ticket/{number}", parent, height, salt, _VRF_BYTES),
                win_count=1 + self._draw(f"wins/{number}", parent, height, salt, 1)[0] % 5,
                election_proof=self._draw(f"election/{number}", parent, height, salt, _VRF_BYTES),
                beacon=beacon,
                parents=parent.key,
                parent_weight=parent.weight,
                height=height,
                parent_state_root=execution.state_root,
                parent_receipts=execution.receipts_root,
                timestamp=self._genesis_time + EPOCH_SECONDS * height,
                aggregate=Signature(BLS, self._aggregate(messages)),
                signature=Signature(BLS, self._draw(f"signature/{number}", parent, height, salt, _VRF_BYTES)),
                parent_base_fee=base_fee,
                messages=messages,
            )
            for number in range(blocks)
        ]
        return tipset_of(made)

    def _beacon(self, parent: Tipset, height: int) -> tuple[tuple[int, bytes], ...]:
        """The randomness of each epoch since the parent, null rounds included, of the latest where they are many."""
        first = max(parent.height + 1, height - _MAX_BEACONS + 1)
        return tuple(
            (_BEACON_START + epoch, blake2b(f"{self._seed}/beacon/{epoch}".encode(), digest_size=32).digest())
            for epoch in range(first, height + 1)
        )

    def _aggregate(self, messages: tuple[SignedMessage, ...]) -> bytes:
        signatures = b"".join(one.signature.data for one in messages if one.signature.kind == BLS)
        if not signatures:
            return _EMPTY_AGGREGATE
        first = blake2b(signatures, digest_size=64).digest()
        return first + blake2b(first, digest_size=32).digest()

    def arrived(self, tipset: Tipset, count: int) -> Tipset:
        """The tipset as it is when that many of its blocks have come: those of the lowest miners first."""
        by_arrival = sorted(tipset.blocks, key=lambda block: block.cid.to_bytes())
        return tipset_of(by_arrival[:count])
