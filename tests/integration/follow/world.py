"""A simulated chain that lives at random: what its people may do to it, and which of that it can do now."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from node.actors import datacap, market, verifreg
from node.actors.allocations import AllocationRequest, AllocationRequests
from node.address import Address, actor_address
from node.bitfield import bitfield_of
from node.sim.blocks import Tipset
from node.sim.chain import SimulatedChain
from node.sim.errors import RpcFault
from node.sim.options import Options
from node.sim.rpc.dispatch import Dispatcher, open_node
from node.sim.rules import Rules
from node.sim.verbs import Verbs
from node.singletons import DATACAP, MARKET, VERIFIED_REGISTRY
from node.tokens import TOKENS_PER_BYTE
from tests.unit.index.dumps import payload_cid
from tests.unit.sim.builders import piece_cid

CLIENTS = ("f09000", "f09001")
PROVIDERS = ("f01000", "f01001")
PIECES = tuple(range(8))
SIZE = 1 << 30
DEEPEST_FORK = 28
FINAL_AFTER = 60
"""Epochs after which the node calls a tipset final, as with fast finality; else it would be 900."""
FAUCET = actor_address(100)

SHORT_LIVES = Rules(
    min_allocation_term_epochs=40,
    max_allocation_term_epochs=400,
    max_allocation_expiration_epochs=60,
    min_deal_epochs=40,
    max_deal_epochs=400,
    deal_term_slack_epochs=60,
    sector_life_epochs=120,
)
"""Everything begins, ends and is swept within a few hundred epochs."""


class World:
    """One chain, and the orders that it is given. Same seed, same orders, same chain."""

    def __init__(self, seed: int, *, rules: Rules = SHORT_LIVES) -> None:
        self.seed = seed
        self.draw = random.Random(seed)
        self.chain = SimulatedChain(Options(seed=seed, rules=rules))
        self.dispatcher = Dispatcher(open_node(self.chain))
        self.honest = Dispatcher(open_node(self.chain))
        self.verbs = Verbs(self.chain)
        self.deepest_fork = DEEPEST_FORK
        self.final_after = FINAL_AFTER
        self.final_epoch = 0
        """What the node said to be final: below it nothing forks."""
        self._snapshot: tuple[int, Tipset] | None = None

    def ask(self, name: str, *params: Any) -> Any:
        """What a node answers that nothing is wrong with."""
        return self.honest.call(name, list(params))

    def fault(self, kind: str | None, methods: Sequence[str] = (), *, share: float = 1.0) -> None:
        """Has `dispatcher`, the node that is followed, fail from now on; None ends every fault."""
        count = 20 if kind == "fork" else -1  # each is a new tipset more, and a chain that forks for ever is never read
        order = None if kind is None else {"methods": list(methods), "kind": kind, "share": share, "count": count}
        self.dispatcher.call("Sim.Fault", [order])

    def live(self, *names: str) -> None:
        """Gives these orders, one after the other; what can't be done now happens not."""
        for name in names:
            self.step((name,))

    @property
    def height(self) -> int:
        """The head's epoch."""
        return self.chain.head.height

    def step(self, names: tuple[str, ...] | None = None) -> str:
        """One thing that happens, by the seed; what it was. What can't be done now happens not."""
        self.final_epoch = max(self.final_epoch, self.chain.canon.at(max(self.height - self.final_after, 0)).height)
        name = self.draw.choice(names or ORDERS)
        order: Callable[[], Any] = getattr(self, name)
        try:
            order()
        except RpcFault as fault:
            return f"{name}: {fault.message[:80]}"
        return name

    # Time.

    def mine(self) -> None:
        self.ask("Sim.Mine", self.draw.randint(1, 3))

    def mine_blocks(self) -> None:
        self.ask("Sim.Mine", 1, self.draw.randint(2, 4))

    def skip(self) -> None:
        self.ask("Sim.NullRounds", self.draw.randint(1, 4))
        self.ask("Sim.Mine", 1)

    def travel(self) -> None:
        self.ask("Sim.TimeTravel", self.height + self.draw.choice((10, 45, 130)))

    def fork(self) -> None:
        self._fork(self.draw.randint(1, 5))

    def fork_deep(self) -> None:
        self._fork(self.draw.randint(5, self.deepest_fork))

    def _fork(self, depth: int) -> None:
        """Never below what the follower holds for final: that is another test."""
        heights = [tipset.height for tipset in self.chain.canon.between(self.final_epoch, self.height)]
        if len(heights) > 1:
            self.ask("Sim.Fork", min(depth, len(heights) - 1))

    def remember(self) -> None:
        self._snapshot = self.ask("Sim.Snapshot"), self.chain.head

    def go_back(self) -> None:
        if self._snapshot is not None and self._stands_on_final(self._snapshot[1]):
            self.ask("Sim.Revert", self._snapshot[0])
        self._snapshot = None

    def _stands_on_final(self, tipset: Tipset) -> bool:
        final = self.chain.canon.at(self.final_epoch)
        return any(one.key == final.key for one in self.chain.store.ancestors(tipset))

    # Data.

    def _pieces(self, least: int = 1, most: int = 3) -> list[int]:
        return [self.draw.choice(PIECES) for _ in range(self.draw.randint(least, most))]

    def allocate(self) -> None:
        pieces = [{"piece_cid": piece_cid(one).to_text(), "size_bytes": SIZE} for one in self._pieces()]
        self.ask("Sim.Allocate", self.draw.choice(CLIENTS), self.draw.choice(PROVIDERS), pieces)

    def allocate_briefly(self) -> None:
        """Allocations whose claims end soon, where they are claimed; of a CID that is no piece, too."""
        client, provider = self.draw.choice(CLIENTS), self.draw.choice(PROVIDERS)
        self.verbs.allocate(_address(client), _address(provider), [])
        self.verbs._grant(_id(client), SIZE)
        data = self.draw.choice((piece_cid(self.draw.choice(PIECES)), payload_cid(1)))
        request = AllocationRequest(_id(provider), data, SIZE, 40, self.draw.choice((60, 90)), self.height + 30)
        params = datacap.TransferParams(
            VERIFIED_REGISTRY, SIZE * TOKENS_PER_BYTE, AllocationRequests((request,)).to_bytes()
        )
        self.verbs.orders.call(_address(client), DATACAP, datacap.TRANSFER, params)

    def onboard(self) -> None:
        waiting = self.ask("Filecoin.StateGetAllAllocations", [])
        if waiting:
            at = self.draw.choice(sorted(waiting))
            self.ask("Sim.Onboard", f"f0{waiting[at]['Provider']}", [int(at)])

    def extend(self) -> None:
        claims = self.ask("Filecoin.StateGetAllClaims", [])
        if claims:
            at = self.draw.choice(sorted(claims))
            claim = claims[at]
            longest = self.chain.options.rules.max_allocation_term_epochs
            term = min(claim["TermMax"] + self.draw.randint(1, 60), longest)
            params = verifreg.ExtendClaimTermsParams((verifreg.ClaimTerm(claim["Provider"], int(at), term),))
            self._call(actor_address(claim["Client"]), verifreg.EXTEND_CLAIM_TERMS, params)

    def terminate(self) -> None:
        sectors = self._sectors()
        if sectors:
            provider, sector = self.draw.choice(sectors)
            self.ask("Sim.Terminate", f"f0{provider}", sector)

    def _sectors(self) -> list[tuple[int, int]]:
        """Providers and sectors with data of FIL+, the living."""
        claims = self.ask("Filecoin.StateGetAllClaims", []).values()
        held = {(one["Provider"], one["Sector"]) for one in claims}
        for deal in self.ask("Filecoin.StateMarketDeals", []).values():
            if deal["State"]["SectorStartEpoch"] >= 0:
                held.add((_id(deal["Proposal"]["Provider"]), deal["State"]["SectorNumber"]))
        state = self.chain.state_at(self.chain.head)
        return sorted(one for one in held if state.sector(*one) is not None)

    def sweep_allocations(self) -> None:
        params = verifreg.RemoveExpiredAllocationsParams(_id(self.draw.choice(CLIENTS)), ())
        self._call(FAUCET, verifreg.REMOVE_EXPIRED_ALLOCATIONS, params)

    def sweep_claims(self) -> None:
        params = verifreg.RemoveExpiredClaimsParams(_id(self.draw.choice(PROVIDERS)), ())
        self._call(FAUCET, verifreg.REMOVE_EXPIRED_CLAIMS, params)

    def _call(self, sender: Address, method: Any, params: Any, to: Address = VERIFIED_REGISTRY) -> None:
        self.verbs.orders.settle()
        self.verbs.orders.call(sender, to, method, params)

    def publish(self) -> None:
        """Deals with every kind of label: of a payload, any text, none, bytes that are no text."""
        client, provider = self.draw.choice(CLIENTS), self.draw.choice(PROVIDERS)
        self.ask("Sim.PublishDeals", [self._proposal(client, provider, piece) for piece in self._pieces()])

    def _proposal(self, client: str, provider: str, piece: int) -> dict[str, Any]:
        label: Any = self.draw.choice(
            (payload_cid(piece).to_text(), f"text {self.draw.random()}", "", [0xFF, 0xFE, *self.draw.randbytes(3)])
        )
        start = self.height + self.draw.randint(12, 40)
        return {
            "PieceCID": {"/": piece_cid(piece).to_text()},
            "PieceSize": SIZE,
            "VerifiedDeal": self.draw.random() < 0.8,
            "Client": client,
            "Provider": provider,
            "Label": label,
            "StartEpoch": start,
            "EndEpoch": start + self.draw.randint(40, 120),
            "StoragePricePerEpoch": str(self.draw.randrange(10**6)),
            "ProviderCollateral": "0",
            "ClientCollateral": "0",
        }

    def activate(self) -> None:
        deals = self.ask("Filecoin.StateMarketDeals", [])
        waiting = [int(at) for at, deal in deals.items() if deal["State"]["SectorStartEpoch"] < 0]
        if waiting:
            self.ask("Sim.ActivateDeals", [self.draw.choice(sorted(waiting))])

    def settle_deals(self) -> None:
        deals = [int(at) for at in self.ask("Filecoin.StateMarketDeals", [])]
        if deals:
            self._call(FAUCET, market.SETTLE_DEAL_PAYMENTS, bitfield_of(deals), MARKET)

    def upgrade(self) -> None:
        """The end of FIL+, some epochs from now."""
        self.ask("Sim.Upgrade", 29, self.height + self.draw.randint(1, 5))


def _address(text: str) -> Address:
    return actor_address(_id(text))


def _id(text: str) -> int:
    return int(text[2:])


_COMMON = ("mine", "allocate", "onboard", "publish", "activate", "fork")
_RARE = (
    *("mine_blocks", "skip", "travel", "fork_deep", "remember", "go_back", "allocate_briefly", "extend", "terminate"),
    *("sweep_allocations", "sweep_claims", "settle_deals"),
)
GROWING = ("mine", "mine_blocks", "allocate", "onboard", "publish", "activate", "extend", "terminate")
"""Orders that only add tipsets, one epoch after the other."""
ORDERS = (*_COMMON, *_COMMON, *_RARE)
