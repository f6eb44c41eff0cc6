"""A simulated chain in process with a life of its own, and indexes that follow it or import its states."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from explorer.follow.follower import Follower
from node.lotus.client import LotusChain
from node.lotus.in_process import InProcessTransport
from node.lotus.limits import Retries
from node.lotus.opening import lotus_chain
from node.sim.chain import Options, SimulatedChain
from node.sim.rpc.dispatch import Dispatcher, open_node
from tests.integration.index.importing import Importer

PIECE = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
CLIENTS = ("f09000", "f09001")
PROVIDERS = ("f01000", "f01001", "f01002")
SIZE = 1 << 35
FINALITY_EPOCHS = 900


async def _at_once(_seconds: float) -> None:
    """No waiting between two attempts."""


@dataclass
class World:
    """The chain, and the orders that it takes."""

    seed: int = 1
    dispatcher: Dispatcher = field(init=False)
    chain: LotusChain = field(init=False)

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(open_node(SimulatedChain(Options(seed=self.seed))))
        self.chain = lotus_chain([InProcessTransport(self.dispatcher)], retries=Retries(), sleep=_at_once)

    def with_another_node(self) -> LotusChain:
        """The chain as two nodes tell it; the second is called `other`."""
        transports = [InProcessTransport(self.dispatcher), InProcessTransport(self.dispatcher, name="other")]
        return lotus_chain(transports, retries=Retries(), sleep=_at_once)

    def order(self, verb: str, *params: Any) -> Any:
        """The answer of one of the chain's own methods."""
        return self.dispatcher.call(f"Sim.{verb}", list(params))

    def ask(self, method: str, *params: Any) -> Any:
        """The answer of a Lotus method."""
        return self.dispatcher.call(f"Filecoin.{method}", list(params))

    @property
    def epoch(self) -> int:
        """The head's epoch."""
        return int(self.ask("ChainHead")["Height"])

    def onboard(self, provider: str, *, count: int = 4, claimed: int = 2, client: str = CLIENTS[0]) -> list[int]:
        """Allocations, the first of them claimed; all ids."""
        ids: list[int] = self.order("Allocate", client, provider, [{"piece_cid": PIECE, "size_bytes": SIZE}] * count)
        if claimed:
            self.order("Onboard", provider, ids[:claimed])
        return ids

    def deal(self, label: str | list[int] = "a text", *, provider: str = PROVIDERS[0], **changes: Any) -> int:
        """Publishes a deal; its id."""
        proposal = {
            "PieceCID": {"/": PIECE},
            "PieceSize": SIZE,
            "VerifiedDeal": True,
            "Client": CLIENTS[1],
            "Provider": provider,
            "Label": label,
            "StartEpoch": self.epoch + 3000,
            "EndEpoch": self.epoch + 600_000,
            "StoragePricePerEpoch": "0",
            "ProviderCollateral": "0",
            "ClientCollateral": "0",
        }
        [deal_id] = self.order("PublishDeals", [proposal | changes])
        return int(deal_id)

    def live(self) -> None:
        """Some of everything: open and claimed allocations, published, active, terminated deals, odd labels."""
        for place, provider in enumerate(PROVIDERS):
            self.onboard(provider, count=place + 2, claimed=place + 1, client=CLIENTS[place % 2])
        ids = [self.deal(label) for label in ("a text", "", [0xFF, 0x00], "another")]
        self.order("ActivateDeals", ids[:3])
        sectors = {claim["Sector"] for claim in self.ask("StateGetClaims", PROVIDERS[0], []).values()}
        self.order("Terminate", PROVIDERS[0], max(sectors))
        self.order("Mine", 2)

    def settle(self) -> int:
        """Makes all that happened final; the newest final epoch."""
        self.order("NullRounds", FINALITY_EPOCHS)
        self.order("Mine", 3)
        return int(self.ask("ChainGetFinalizedTipSet")["Height"])

    async def follower(self, pool: asyncpg.Pool) -> Follower:
        """A follower that has begun with what is final now."""
        made = Follower(self.chain, pool, time.monotonic)
        await made.begin()
        await made.states.read_due()
        return made

    async def follow(self, follower: Follower) -> None:
        """Brings an index to the head."""
        await follower.go_to(await self.chain.head())

    async def import_states(self, pool: asyncpg.Pool, folder: Path, epoch: int) -> None:
        """Imports the whole state of an epoch from files."""
        tipset = self.ask("ChainGetTipSetByHeight", epoch, [])
        assert tipset["Height"] == epoch
        importer = Importer(pool, folder)
        for method, kind in (
            ("StateGetAllClaims", "claims"),
            ("StateGetAllAllocations", "allocations"),
            ("StateMarketDeals", "deals"),
        ):
            dump = json.dumps(self.ask(method, tipset["Cids"]))
            await importer(dump, kind=kind, at_epoch=epoch)
