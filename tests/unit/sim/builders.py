"""Chains and nodes to test with."""

import hashlib
from typing import Any

from node.cid import CODEC_COMMITMENT_UNSEALED, HASH_PIECE_V1, Cid
from node.sim.chain import Options, SimulatedChain
from node.sim.rpc.dispatch import Dispatcher, open_node

CLIENT = "f01234"
PROVIDER = "f05678"
GIB = 1 << 30


def piece_cid(number: int) -> Cid:
    """A piece CID that no other number has."""
    digest = bytearray(hashlib.sha256(number.to_bytes(8, "big")).digest())
    digest[31] &= 0x3F
    return Cid(1, CODEC_COMMITMENT_UNSEALED, HASH_PIECE_V1, bytes(digest))


def pieces(*numbers: int, size_bytes: int = GIB) -> list[dict[str, Any]]:
    """Pieces as `Sim.Allocate` takes them."""
    return [{"piece_cid": piece_cid(number).to_text(), "size_bytes": size_bytes} for number in numbers]


def proposal(number: int, **changes: Any) -> dict[str, Any]:
    """A deal's proposal as StateMarketDeals prints it."""
    return {
        "PieceCID": {"/": piece_cid(number).to_text()},
        "PieceSize": GIB,
        "VerifiedDeal": True,
        "Client": CLIENT,
        "Provider": PROVIDER,
        "Label": f"label {number}",
        "StartEpoch": 3000,
        "EndEpoch": 3000 + 600_000,
        "StoragePricePerEpoch": "0",
        "ProviderCollateral": "0",
        "ClientCollateral": "0",
        **changes,
    }


class Caller:
    """A node, called by short names: `caller("StateListMiners", None)`."""

    def __init__(self, options: Options | None = None) -> None:
        self.chain = SimulatedChain(options or Options(seed=1))
        self.node = open_node(self.chain)
        self.dispatcher = Dispatcher(self.node)

    def __call__(self, method: str, *params: Any) -> Any:
        name = method if "." in method or "_" in method else f"Filecoin.{method}"
        return self.dispatcher.call(name, list(params))

    @property
    def height(self) -> int:
        """The head's epoch."""
        return self.chain.head.height
