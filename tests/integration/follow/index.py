"""An index of the test's own that follows a simulated chain, and what may be asked of it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from explorer.follow.follower import Follower
from explorer.follow.forks import key_of
from explorer.index.followed import Link
from explorer.index.questions import AsOf, EvidenceRequest
from explorer.index.service import IndexService
from explorer.index.spans import load_coverage
from explorer.index.tipsets import begin, load_head
from explorer.verdict.records import RECORD_KINDS
from node.chain.protocol import Chain
from node.lotus.in_process import InProcessTransport
from tests.integration.follow.truth import assert_true
from tests.integration.follow.world import PIECES, World
from tests.integration.index.importing import Importer, empty
from tests.unit.index.dumps import payload_cid
from tests.unit.lotus.chains import Time, chain_over
from tests.unit.sim.builders import piece_cid

Document = dict[str, Any]
CIDS = (*(piece_cid(one).to_text() for one in PIECES), payload_cid(0).to_text(), payload_cid(3).to_text())
DUMPS = {"claims": "StateGetAllClaims", "allocations": "StateGetAllAllocations", "deals": "StateMarketDeals"}
_FULL = EvidenceRequest(full=True, limit=1000)


@dataclass(slots=True)
class LivingIndex:
    """An index, its follower, and its imports."""

    pool: asyncpg.Pool
    world: World
    folder: Path
    time: Time = field(default_factory=Time)
    follower: Follower = field(init=False)
    imports: Importer = field(init=False)
    service: IndexService = field(init=False)

    def __post_init__(self) -> None:
        self.imports = Importer(self.pool, self.folder)
        self.service = self.imports.service()
        self.restart()

    def chain(self) -> Chain:
        """The node, asked without a socket and without waiting."""
        return chain_over(InProcessTransport(self.world.dispatcher), time=self.time)

    def restart(self) -> None:
        """Another follower goes on where the last one was."""
        self.follower = Follower(self.chain(), self.pool, self.time.clock)

    async def follow(self) -> None:
        """Goes to the node's head, as the node tells it; what is missing of its state is read before and after that."""
        await self.follower.begin()
        await self.follower.states.read_due()
        await self.go()
        await self.follower.states.read_due()

    async def go(self) -> None:
        """Goes to the node's head."""
        await self.follower.begin()
        await self.follower.go_to(await self.follower.chain.head())

    async def begin_at_genesis(self) -> None:
        """Begins with the chain's first tipset, so that the whole of it is replayed."""
        self.restart()
        await self.begin_at(0)

    async def begin_at(self, epoch: int) -> None:
        """Begins with the tipset of an epoch, which is final."""
        start = await self.follower.chain.tipset_at(epoch)
        identity = await self.follower.chain.identity()
        async with self.pool.acquire() as connection, connection.transaction():
            await begin(
                connection,
                Link(start.epoch, key_of(start.key)),
                parent_weight=start.parent_weight,
                genesis_cid=identity.genesis_cid.to_bytes(),
                genesis_time=identity.genesis_time,
                final_source="depth",
                network_version=28,
            )

    async def import_dump(self, kind: str, epoch: int, *, partial: bool) -> None:
        """Imports the chain's own dump of the tipset at an epoch; of a partial one some records."""
        tipset = self.world.chain.canon.at(epoch)
        key = [{"/": cid.to_text()} for cid in tipset.key]
        dump = self.world.ask(f"Filecoin.{DUMPS[kind]}", key) or {}
        if partial:
            dump = {at: entry for at, entry in dump.items() if self.world.draw.random() < 0.5}
        await self.imports(json.dumps(dump), kind=kind, at_epoch=tipset.height, partial=partial, force=True)

    async def document(self, cid: str, epoch: int | None = None) -> Document:
        """The whole answer about a CID, without what may change although the answer stays the same.

        Left out: `programme`, which is of now; which sources cover the epoch, since an import may add one; and what is
        said of a tipset's finality, which grows.
        """
        at = AsOf() if epoch is None else AsOf(epoch=epoch)
        document = await self.service.verdict(cid, at=at, evidence=_FULL)
        del document["programme"], document["coverage"]["sources"], document["as_of"]["finality"]
        return document

    async def assert_at_head(self, note: str) -> None:
        """The index is at the node's head, and says of it what the chain's state has."""
        async with self.pool.acquire() as connection:
            found = await load_head(connection)
            assert found is not None, note
            head = self.world.chain.head
            assert (found[0].height, found[0].key) == (head.height, tuple(cid.to_bytes() for cid in head.key)), note
            coverage = await load_coverage(connection)
            uncovered = [kind for kind in RECORD_KINDS if not coverage.covers(kind, head.height)]
            assert not uncovered, f"{note}: {uncovered} are not covered at {head.height}"
            await assert_true(connection, self.world.chain, head.height, RECORD_KINDS, note)

    async def assert_coverage(self, epochs: list[int], note: str) -> None:
        """Wherever it says that a kind is covered, it has what the chain's state has."""
        async with self.pool.acquire() as connection:
            coverage = await load_coverage(connection)
            for epoch in epochs:
                kinds = [kind for kind in RECORD_KINDS if coverage.covers(kind, epoch)]
                await assert_true(connection, self.world.chain, epoch, kinds, f"{note}, covered")

    async def forget(self) -> None:
        """Empties the index."""
        await empty(self.pool)
        await self.pool.execute(
            "TRUNCATE explorer.tipsets, explorer.following, explorer.holes, explorer.undo, explorer.feed"
        )
        self.restart()


async def assert_same(living: LivingIndex, fresh: LivingIndex, epochs: list[int], note: str) -> None:
    """Both answer the same about every CID at these epochs."""
    for epoch in epochs:
        for cid in CIDS:
            one, other = await living.document(cid, epoch), await fresh.document(cid, epoch)
            assert one == other, f"{note}: {cid} at {epoch}: " + "; ".join(differences(one, other))


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two documents differ, each as a line."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [line for key in keys for line in differences(one.get(key), other.get(key), f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for at, (a, b) in pairs for line in differences(a, b, f"{path}/{at}")]
    return [] if one == other else [f"{path}: {one} or {other}"]
