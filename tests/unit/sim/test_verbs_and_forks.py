"""Orders between forks and null rounds: none fails for what came back to the mempool, and all take effect."""

import random
from typing import Any

import pytest

from node.sim.chain import SimulatedChain
from node.sim.options import Options
from node.sim.rpc.dispatch import Dispatcher, open_node

PIECE = {"piece_cid": "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq", "size_bytes": 1 << 35}
CLIENTS = ("f09000", "f09001")
PROVIDER = "f01000"


class Orderer:
    """Gives random orders, and holds each against what the chain then says."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.dispatcher = Dispatcher(open_node(SimulatedChain(Options(seed=seed))))

    def ask(self, name: str, *params: Any) -> Any:
        return self.dispatcher.call(name, list(params))

    def mine(self) -> None:
        self.ask("Sim.Mine", self.draw.randint(1, 3))

    def skip(self) -> None:
        self.ask("Sim.NullRounds", self.draw.randint(1, 3))
        self.ask("Sim.Mine", 1)

    def fork(self) -> None:
        self.ask("Sim.Fork", self.draw.randint(1, 9))

    def allocate(self) -> None:
        client = self.draw.choice(CLIENTS)
        made = self.ask("Sim.Allocate", client, PROVIDER, [PIECE] * self.draw.randint(1, 3))
        assert {str(one) for one in made} <= self.ask("Filecoin.StateGetAllocations", client, []).keys()

    def onboard(self) -> None:
        self.ask("Sim.Mine", 3)
        waiting = sorted(self.ask("Filecoin.StateGetAllAllocations", []))
        if waiting:
            (done,) = self.ask("Sim.Onboard", PROVIDER, [int(self.draw.choice(waiting))])
            assert self.ask("Filecoin.StateGetClaim", PROVIDER, done["id"], [])["Sector"] == done["sector"]

    def terminate(self) -> None:
        self.ask("Sim.Mine", 3)
        sectors = sorted({one["Sector"] for one in self.ask("Filecoin.StateGetAllClaims", []).values()})
        live = [one for one in sectors if self.ask("Filecoin.StateSectorGetInfo", PROVIDER, one, []) is not None]
        if live:
            assert self.ask("Sim.Terminate", PROVIDER, self.draw.choice(live))["terminated"] in {True, False}


@pytest.mark.parametrize("seed", range(12))
def test_no_order_fails_for_what_a_fork_brought_back(seed: int) -> None:
    orderer = Orderer(seed)
    orders = (orderer.mine, orderer.skip, orderer.fork, orderer.allocate, orderer.onboard, orderer.terminate)
    for _ in range(60):
        orderer.draw.choice(orders)()
