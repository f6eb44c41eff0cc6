"""An index whose follower is kept going as the service does it, from a node that fails or lies as it is told."""

from typing import Any

from explorer.errors import FollowError
from explorer.follow.pace import PAUSES_S
from explorer.index.spans import load_coverage
from explorer.index.tipsets import load_following, load_head
from explorer.verdict.records import RECORD_KINDS
from node.chain.errors import ChainError
from node.cid import cid_from_bytes
from node.lotus.expected import Expected
from node.lotus.in_process import InProcessTransport
from node.lotus.limits import Retries
from node.network import network_named
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.truth import assert_true_of, truth_of
from tests.unit.lotus.chains import chain_over

EXPECTED = Expected(network_named("simulated"))
RECOVERED_WITHIN_S = 60.0
METHODS = (
    *("ChainHead", "ChainGetTipSet", "ChainGetTipSetByHeight", "ChainGetFinalizedTipSet", "ChainGetGenesis"),
    *("ChainGetParentMessages", "ChainGetParentReceipts", "GetActorEventsRaw", "StateNetworkName"),
    *("StateNetworkVersion", "StateGetAllClaims", "StateGetAllAllocations", "StateMarketDeals"),
    "StateMarketStorageDeal",
)


class FaultyIndex(LivingIndex):
    """An index whose follower is kept going as the service does it, in time that only passes when somebody waits."""

    asked: set[str]

    def chain(self) -> Any:
        self.asked = set()
        transport = Listening(self.world.dispatcher, self.asked)
        return chain_over(transport, time=self.time, retries=Retries(), expected=EXPECTED)

    async def attempts(self, count: int) -> int:
        """Follows so many times, with the service's pauses; how often it failed."""
        failures = 0
        for _ in range(count):
            try:
                await self.follower.begin()
                await self.follower.go_to(await self.follower.chain.head(), is_explicit=False)
                failures = 0
            except (ChainError, FollowError):
                await self.time.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
            await self.follower.states.read_due()
        return failures

    async def recover(self, note: str) -> None:
        """Follows until it is at the head and has read its state; AssertionError after a minute."""
        ended_s = self.time.now_s
        while not (await self.is_at_head() and await self.is_whole()):
            await self.attempts(1)
            assert self.time.now_s - ended_s <= RECOVERED_WITHIN_S, f"{note}: not at the head a minute later"
            await self.time.sleep(1.0)

    async def is_at_head(self) -> bool:
        async with self.pool.acquire() as connection:
            found = await load_head(connection)
        head = self.world.chain.head
        return found is not None and found[0].key == tuple(cid.to_bytes() for cid in head.key)

    async def is_whole(self) -> bool:
        """Whether every kind is covered at the followed head."""
        async with self.pool.acquire() as connection:
            found, coverage = await load_head(connection), await load_coverage(connection)
        return found is not None and all(coverage.covers(kind, found[0].height) for kind in RECORD_KINDS)

    async def assert_nothing_wrong(self, note: str) -> None:
        """Whatever tipset it is at, what it says is covered there is what that tipset's state has."""
        async with self.pool.acquire() as connection:
            found, following = await load_head(connection), await load_following(connection)
            if found is None or following is None:
                return
            chain = self.world.chain
            tipset = chain.store.load(tuple(cid_from_bytes(raw) for raw in found[0].key))
            final = chain.canon.at(following.final_epoch)
            assert any(one.key == final.key for one in chain.store.ancestors(tipset)), f"{note}: final is not"
            await assert_true_of(connection, truth_of(chain.state_at(tipset)), tipset.height, note)


class Listening(InProcessTransport):
    """Notes what is asked."""

    def __init__(self, dispatcher: Any, asked: set[str]) -> None:
        super().__init__(dispatcher)
        self._asked = asked

    def _answer(self, call: Any) -> object:
        self._asked.add(call.method.removeprefix("Filecoin."))
        return super()._answer(call)
