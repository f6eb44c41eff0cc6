"""Every fault of a node on every method that following asks: nothing wrong is written, and it recovers in a minute."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.errors import FollowError
from node.chain.errors import ChainError
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.world import World

METHODS = (
    "ChainHead",
    "ChainGetTipSet",
    "ChainGetTipSetByHeight",
    "ChainGetFinalizedTipSet",
    "GetActorEventsRaw",
    "ChainGetParentMessages",
    "ChainGetParentReceipts",
    "StateNetworkVersion",
    "StateNetworkName",
    "ChainGetGenesis",
    "StateGetAllClaims",
    "StateGetAllAllocations",
    "StateMarketDeals",
    "StateMarketStorageDeal",
)
KINDS = ("stale", "fork", "network", "garbage", "429", "hang", "cut", "lost")
MINUTE_S = 60.0
ORDERS = ("mine", "mine_blocks", "allocate", "onboard", "publish", "activate", "fork", "skip", "terminate")


async def follow_for_a_minute(living: LivingIndex) -> None:
    """Tries as the supervised loop does, with its pauses, until it is at the head or a virtual minute is over."""
    until = living.time.now_s + MINUTE_S
    while living.time.now_s < until:
        try:
            await living.follow()
        except (ChainError, FollowError):
            await living.time.sleep(5)
            continue
        if living.follower.node_head is not None:
            return


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fault_on_any_method_writes_nothing_wrong(pool: asyncpg.Pool, tmp_path: Path, kind: str) -> None:
    world = World(KINDS.index(kind))
    living = LivingIndex(pool, world, tmp_path)
    world.mine()
    for number, method in enumerate(METHODS):
        note = f"{kind} on {method}"
        world.step(ORDERS)
        world.ask("Sim.Fault", {"methods": [f"Filecoin.{method}"], "kind": kind, "share": 1, "count": 2 + number % 3})
        living.restart()
        await follow_for_a_minute(living)
        world.ask("Sim.Fault", None)
        await follow_for_a_minute(living)
        await living.assert_at_head(note)
    await living.assert_coverage(list(range(0, world.height, 7)), kind)


async def test_all_faults_at_once_at_random(pool: asyncpg.Pool, tmp_path: Path) -> None:
    world = World(99)
    living = LivingIndex(pool, world, tmp_path)
    world.mine()
    for _ in range(12):
        for _ in range(3):
            world.step(ORDERS)
        for kind in KINDS:
            world.ask("Sim.Fault", {"methods": [], "kind": kind, "share": 0.04, "count": 5})
        await follow_for_a_minute(living)
        world.ask("Sim.Fault", None)
    await follow_for_a_minute(living)
    await living.assert_at_head("after all faults")


@pytest.mark.parametrize("lie", ["stale", "network", "garbage"])
async def test_what_was_written_stays_while_a_node_lies(pool: asyncpg.Pool, tmp_path: Path, lie: str) -> None:
    world = World(7)
    living = LivingIndex(pool, world, tmp_path)
    for _ in range(20):
        world.step(ORDERS)
    await living.follow()
    before = await _everything(pool)
    world.ask("Sim.Fault", {"methods": [], "kind": lie, "share": 1, "count": 500})
    living.restart()
    with suppress(ChainError, FollowError):
        await living.follower.go_to(await living.follower.chain.head(), is_explicit=False)
    assert await _everything(pool) == before
    world.ask("Sim.Fault", None)
    await follow_for_a_minute(living)
    await living.assert_at_head(lie)


async def _everything(pool: asyncpg.Pool) -> list[Any]:
    """Every row that an answer is made of."""
    tables = ("claims", "allocations", "deals", "deal_events", "sector_terminations", "claim_terms", "tipsets")
    query = "SELECT t.*::text FROM explorer.{} AS t ORDER BY 1"
    return [[tuple(row) for row in await pool.fetch(query.format(table))] for table in tables]
