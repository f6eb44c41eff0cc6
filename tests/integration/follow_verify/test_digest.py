"""Replicas with different histories have the same digest where they hold the same state, and only there."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from explorer.ground.database import open_pool
from explorer.index.digest import Digest, Sum, digest_at
from tests.clusters import Server
from tests.integration.follow_verify.world import CLIENTS, PROVIDERS, World

NETWORK = "devnet"


@pytest.fixture
async def other_pool(postgres: Server) -> AsyncIterator[asyncpg.Pool]:
    """A second index."""
    with postgres.cloned() as dsn:
        async with open_pool(dsn, application_name="tests") as opened:
            yield opened


async def digest(pool: asyncpg.Pool, epoch: int) -> Digest:
    async with pool.acquire() as connection:
        return await digest_at(connection, NETWORK, epoch)


async def grown(world: World, pool: asyncpg.Pool, other_pool: asyncpg.Pool) -> tuple[int, int]:
    """One index follows from the genesis, the other from a later final tipset; from which to which epoch both know."""
    first = await world.follower(pool)
    world.live()
    start = world.settle()
    second = await world.follower(other_pool)
    world.live()
    world.onboard(PROVIDERS[2], count=1, claimed=0, client=CLIENTS[1])
    world.order("Fork", 2)
    world.order("Mine", 3)
    await world.follow(first)
    await world.follow(second)
    return start, world.epoch


async def test_replicas_that_began_elsewhere_agree_at_every_epoch(
    world: World, pool: asyncpg.Pool, other_pool: asyncpg.Pool
) -> None:
    start, end = await grown(world, pool, other_pool)
    rows = await other_pool.fetch("SELECT height FROM explorer.tipsets WHERE height BETWEEN $1 AND $2", start, end)
    seen = set()
    for row in rows:
        ours, theirs = await digest(pool, row["height"]), await digest(other_pool, row["height"])
        assert ours.text == theirs.text is not None
        assert ours.sums == theirs.sums
        seen.add(ours.sums["claims"].total)
    assert len(seen) > 3


async def test_an_imported_replica_agrees(
    world: World, pool: asyncpg.Pool, other_pool: asyncpg.Pool, followed: int, tmp_path: Path
) -> None:
    await world.import_states(other_pool, tmp_path, followed)
    ours, theirs = await digest(pool, followed), await digest(other_pool, followed)
    assert ours.text == theirs.text is not None
    assert {kind: one.records for kind, one in ours.sums.items()} == {"claims": 9, "deals": 3, "allocations": 4}


async def test_labels_that_a_node_does_not_print_are_told_apart(
    world: World, pool: asyncpg.Pool, other_pool: asyncpg.Pool, tmp_path: Path
) -> None:
    follower = await world.follower(pool)
    world.deal("a text")
    world.deal([0xFF, 0x00])
    epoch = world.settle()
    await world.follow(follower)
    await world.import_states(other_pool, tmp_path, epoch)
    ours, theirs = await digest(pool, epoch), await digest(other_pool, epoch)
    assert ours.text == theirs.text
    assert (ours.labels.records, theirs.labels.records) == (2, 1)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE explorer.claims SET sector = sector + 1 WHERE id = (SELECT max(id) FROM explorer.claims)",
        "UPDATE explorer.claims SET term_max_epochs = 1 WHERE id = (SELECT max(id) FROM explorer.claims)",
        "UPDATE explorer.claims SET removed_epoch = 1 WHERE id = (SELECT min(id) FROM explorer.claims)",
        "UPDATE explorer.allocations SET expiration_epoch = 1 + expiration_epoch",
        "UPDATE explorer.deals SET verified = NOT verified",
        "UPDATE explorer.deals SET sector_start_epoch = 1 WHERE sector_start_epoch > 1 OR id = 0",
        "DELETE FROM explorer.claims WHERE id = (SELECT min(id) FROM explorer.claims)",
    ],
)
async def test_one_change_makes_replicas_differ(pool: asyncpg.Pool, followed: int, change: str) -> None:
    before = await digest(pool, followed)
    await pool.execute(change)
    after = await digest(pool, followed)
    assert after.text != before.text
    assert sum(after.sums[kind] != before.sums[kind] for kind in before.sums) in (1, 2)


async def test_the_pages_do_not_matter(pool: asyncpg.Pool, followed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await digest(pool, followed)
    monkeypatch.setattr("explorer.index.digest.PAGE_IDS", 2)
    assert await digest(pool, followed) == whole


async def test_lines_are_those_that_the_operators_page_writes_down(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    tipset = world.ask("ChainGetTipSetByHeight", followed, [])["Cids"]
    expected = Sum()
    for key, claim in world.ask("StateGetAllClaims", tipset).items():
        # bagae… is a piece CID's text; the line has the 32 bytes of its commitment.
        piece = "077e5fde35c50a9303a55009e3498a4ebedff39c42b710b730d8ec7ac7afa63e"
        fields = [claim[name] for name in ("Size", "TermMin", "TermMax", "TermStart", "Sector")]
        line = ",".join(map(str, ["claim", key, claim["Client"], claim["Provider"], piece, "", *fields]))
        expected.add(hashlib.sha256(line.encode()).digest())
    assert (await digest(pool, followed)).sums["claims"] == expected


async def test_a_kind_that_is_not_covered_has_no_digest(pool: asyncpg.Pool, followed: int) -> None:
    await pool.execute("DELETE FROM explorer.coverage WHERE kind = 'deals'")
    found = (await digest(pool, followed)).document()
    assert (found["digest"], found["kinds"]["deals"], found["labels"]) == (None, None, None)
    assert found["kinds"]["claims"]["records"] == 9
    assert found["gaps"].keys() == {"deals"}
