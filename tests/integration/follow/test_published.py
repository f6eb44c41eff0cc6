"""Deals that a contract or a multisig published: no message tells their proposals, the market's state does."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.index.tipsets import load_holes
from node.lotus.transport import Call
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.nodes import BeneathTransport
from tests.integration.follow.world import World
from tests.unit.lotus.chains import chain_over


class BeneathIndex(LivingIndex):
    """An index that sees no message to the market."""

    def chain(self) -> Any:
        return chain_over(BeneathTransport(self.world.dispatcher), time=self.time)


@pytest.mark.parametrize("seed", range(2))
async def test_their_labels_are_asked_for_where_lotus_prints_none(
    pool: asyncpg.Pool, tmp_path: Path, seed: int
) -> None:
    """Labels that are no text, and empty ones, which Lotus prints alike."""
    world = World(seed)
    world.live("mine")
    index = BeneathIndex(pool, world, tmp_path)
    await index.follow()
    for _ in range(12):
        world.live("publish", "activate", "terminate")
        await index.follow()
        await index.assert_at_head(f"seed {seed}")
    rows = await pool.fetch("SELECT id, label, label_known FROM explorer.deals ORDER BY id")
    assert {row["label_known"] for row in rows} == {True}
    assert any(not row["label"] for row in rows)
    assert any(row["label"].startswith(b"\xff\xfe") for row in rows)
    async with pool.acquire() as connection:
        assert await load_holes(connection) == []


class UnlabelledTransport(BeneathTransport):
    """One whose market refuses to tell labels, as by a message that fails: nothing is returned."""

    is_silent = True

    async def call(self, call: Call) -> object:
        answer: Any = await super().call(call)
        if call.method != "Filecoin.StateCall" or not self.is_silent:
            return answer
        return {**answer, "MsgRct": {**answer["MsgRct"], "ExitCode": 22, "Return": None}, "Error": "unhandled (22)"}


async def test_a_label_that_is_not_told_is_a_hole_until_it_is(pool: asyncpg.Pool, tmp_path: Path) -> None:
    world, silent = World(0), UnlabelledTransport
    world.live("mine")
    index = BeneathIndex(pool, world, tmp_path)
    await index.follow()
    world.live(*("publish", "activate") * 6)
    transport = silent(world.dispatcher)
    index.follower = type(index.follower)(chain_over(transport, time=index.time), pool, index.time.clock)
    await index.go()
    async with pool.acquire() as connection:
        assert {hole.kind for hole in await load_holes(connection)} == {"deals"}
    transport.is_silent = False
    for _ in range(4):
        await index.time.sleep(60)
        await index.go()
    async with pool.acquire() as connection:
        assert await load_holes(connection) == []
    await index.assert_at_head("told at last")
