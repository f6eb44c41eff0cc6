"""Imports beside a follower: what is final is taken, what may still change is told by the chain itself."""

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.index.spans import load_coverage
from explorer.index.tipsets import apply_told, load_following
from explorer.index.told import told_of
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.nodes import GatewayTransport
from tests.integration.follow.truth import truth_of
from tests.integration.follow.world import World
from tests.integration.index.importing import state_of
from tests.unit.lotus.chains import chain_over
from tests.unit.sim.builders import piece_cid

pytestmark = pytest.mark.usefixtures("soon_final")


@pytest.fixture
async def index(pool: asyncpg.Pool, tmp_path: Path) -> LivingIndex:
    """An index that has followed a chain for long enough that some of it is final."""
    world = World(51)
    world.live("mine")
    living = LivingIndex(pool, world, tmp_path)
    await living.follow()
    for _ in range(6):
        world.live("allocate", "onboard", "publish", "activate", "skip")
        await living.follow()
    assert await final_epoch(living) > 0
    return living


async def final_epoch(index: LivingIndex) -> int:
    async with index.pool.acquire() as connection:
        following = await load_following(connection)
    assert following is not None
    return following.final_epoch


def dump(index: LivingIndex, name: str) -> dict[str, Any]:
    """The node's dump at its head."""
    found: dict[str, Any] = index.world.ask(f"Filecoin.{name}", [])
    return found


async def test_a_dump_of_the_head_leaves_nothing_behind_when_it_is_reverted(index: LivingIndex) -> None:
    index.world.live("allocate")
    await index.follow()
    before = await state_of(index.pool)
    report = await index.imports(dump(index, "StateGetAllAllocations"), at_epoch=index.world.height)
    assert (report["added"], report["changed"], report["removed"], report["complete"]) == (0, 0, 0, True)
    assert await state_of(index.pool) == before
    index.world.live("fork_deep")
    await index.follow()
    await index.assert_at_head("after the fork")


async def test_a_dump_from_beyond_the_followed_head_is_left_to_the_chain(index: LivingIndex) -> None:
    before = await state_of(index.pool)
    index.world.live("allocate", "publish", "mine")
    for name in ("StateGetAllAllocations", "StateGetAllClaims", "StateMarketDeals"):
        await index.imports(dump(index, name), at_epoch=index.world.height)
    assert await state_of(index.pool) == before
    index.world.live("fork_deep")
    await index.follow()
    await index.assert_at_head("after the fork")


async def test_what_vanishes_before_the_followed_head_is_told_by_the_chain_alone(index: LivingIndex) -> None:
    """A complete dump of later lacks what is still there now."""
    claims = dump(index, "StateGetAllClaims")
    await index.imports({}, kind="claims", at_epoch=index.world.height + 5, force=True)
    await index.assert_at_head("an empty dump of later")
    assert claims


async def test_labels_are_taken_of_any_epoch(index: LivingIndex) -> None:
    deals = {at: entry for at, entry in dump(index, "StateMarketDeals").items() if not entry["Proposal"]["Label"]}
    at = min(deals)
    await index.pool.execute("UPDATE explorer.deals SET label = '', label_known = false WHERE id = $1", int(at))
    deals[at]["Proposal"]["Label"] = "told by a file"
    report = await index.imports({at: deals[at]}, at_epoch=index.world.height, partial=True)
    assert (report["added"], report["changed"]) == (0, 1)
    row = await index.pool.fetchrow("SELECT label, label_known FROM explorer.deals WHERE id = $1", int(at))
    assert (row["label"], row["label_known"]) == (b"told by a file", True)


async def test_events_that_may_still_change_are_told_by_the_chain_alone(index: LivingIndex) -> None:
    """An event of a reverted tipset, in a file that was recorded before it was."""
    index.world.live("allocate")
    events = index.world.ask("Filecoin.GetActorEventsRaw", {"fromHeight": await final_epoch(index), "toHeight": -1})
    index.world.ask("Sim.Fork", 6)
    await index.follow()
    await index.imports({"result": events}, kind="events")
    await index.assert_at_head("events of another fork")


async def test_a_file_of_a_kind_that_no_node_gives_counts_as_whole_once_it_is_final(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    world = World(52)
    world.live("mine", "publish", "activate")
    index = GatewayIndex(pool, world, tmp_path)
    await index.follow()
    whole, epoch = dump(index, "StateMarketDeals"), world.height
    report = await index.imports(whole, kind="deals", at_epoch=epoch)
    assert (report["added"], report["complete"]) == (len(whole), False)
    assert not await index.covers_deals()
    while await final_epoch(index) < epoch:
        world.live("skip")
        await index.follow()
    report = await index.imports(whole, kind="deals", at_epoch=epoch)
    assert (report["added"], report["complete"]) == (0, True)
    assert await index.covers_deals()
    await index.assert_coverage(list(range(world.height + 1)), "deals by import")


@pytest.fixture
async def gateway(pool: asyncpg.Pool, tmp_path: Path) -> "GatewayIndex":
    """An index whose node gives no deals, with a deal that was imported although its tipset is not final."""
    world = World(53)
    world.live("mine")
    index = GatewayIndex(pool, world, tmp_path)
    await index.follow()
    world.live("remember")
    world.ask("Sim.PublishDeals", [world._proposal("f09000", "f01000", 1)])
    await index.imports(dump(index, "StateMarketDeals"), kind="deals", at_epoch=world.height, partial=True)
    assert [row["id"] for row in await pool.fetch("SELECT id FROM explorer.deals")] == [0]
    return index


async def test_a_deal_of_a_reverted_tipset_that_was_imported_stays_until_a_final_file_lacks_it(
    gateway: "GatewayIndex",
) -> None:
    await gateway.follow()
    gateway.world.live("go_back", "skip")
    gateway.world.ask("Sim.Mine", 20)
    await gateway.follow()
    assert await gateway.pool.fetchval("SELECT gone_epoch FROM explorer.deals") is None
    assert not await gateway.covers_deals()
    whole, epoch = dump(gateway, "StateMarketDeals"), gateway.world.height
    assert not whole
    while await final_epoch(gateway) < epoch:
        gateway.world.live("skip")
        await gateway.follow()
    await gateway.imports(whole, kind="deals", at_epoch=epoch, force=True)
    assert await gateway.pool.fetchval("SELECT gone_epoch FROM explorer.deals") == epoch
    await gateway.assert_at_head("a final file")


async def test_the_chain_replaces_a_deal_that_was_imported_from_a_reverted_tipset(gateway: "GatewayIndex") -> None:
    """On the other fork the id is another deal's."""
    await gateway.follow()
    gateway.world.live("go_back")
    other = gateway.world._proposal("f09001", "f01001", 2)
    gateway.world.ask("Sim.PublishDeals", [other])
    await gateway.follow()
    row, chain = await gateway.pool.fetchrow("SELECT * FROM explorer.deals"), gateway.world.chain
    assert (row["client_id"], row["provider_id"], row["piece"]) == (9001, 1001, piece_cid(2).digest)
    assert (row["start_epoch"], row["verified"]) == (other["StartEpoch"], other["VerifiedDeal"])
    assert row["label"] == truth_of(chain.state_at(chain.head)).deals[0]["label"]


class GatewayIndex(LivingIndex):
    """An index whose node gives no deals."""

    def chain(self) -> Any:
        return chain_over(GatewayTransport(self.world.dispatcher), time=self.time)

    async def covers_deals(self) -> bool:
        """Whether every deal is known at the head."""
        async with self.pool.acquire() as connection:
            return (await load_coverage(connection)).covers("deals", self.world.height)


async def test_what_was_told_changes_nothing_when_it_is_told_again(index: LivingIndex) -> None:
    before = await state_of(index.pool)
    rows = await index.pool.fetch("SELECT told FROM explorer.tipsets WHERE told IS NOT NULL ORDER BY height")
    assert rows
    async with index.pool.acquire() as connection:
        for row in rows:
            await apply_told(connection, told_of(json.loads(row["told"])))
    assert await state_of(index.pool) == before
