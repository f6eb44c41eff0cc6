"""Drift that was made by hand is found and described; a node that fails changes nothing."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, cast

import asyncpg
import pytest

from explorer.errors import EpochNotIndexed, ForkBelowFinal, HeadMoved, IndexChanged
from explorer.follow.verify import Wanted, verify
from explorer.index.imports import log_import
from explorer.index.state import state_query
from explorer.index.verifications import Verification, load_last_verification
from node.chain.errors import ChainError, MethodMissing
from node.chain.protocol import Chain
from tests.integration.follow_verify.world import PROVIDERS, World
from tests.integration.index.importing import state_of

ALL = Wanted(seed=1, everything=True)
SAMPLE = Wanted(seed=1)
SECOND = "id = (SELECT min(id) FROM explorer.claims WHERE provider_id = 1001)"
"""A claim of the second provider."""


async def compare(world: World, pool: asyncpg.Pool, wanted: Wanted = ALL) -> Verification:
    return await verify(pool, world.chain, wanted, told_by=lambda: "simulated")


def only_example(found: Verification) -> dict[str, Any]:
    [example] = found.examples
    assert found.drifted == 1
    return example


@pytest.mark.parametrize("wanted", [ALL, SAMPLE])
async def test_a_followed_index_has_no_drift(world: World, pool: asyncpg.Pool, followed: int, wanted: Wanted) -> None:
    found = await compare(world, pool, wanted)
    assert (found.epoch, found.drifted, found.not_compared) == (followed, 0, {})
    assert {kind: one["index"] for kind, one in found.compared.items()} == {"claims": 9, "allocations": 4, "deals": 3}
    assert all(one["index"] == one["node"] for one in found.compared.values())


async def test_every_epoch_of_the_past_can_be_compared(world: World, pool: asyncpg.Pool, followed: int) -> None:
    heights = [row[0] for row in await pool.fetch("SELECT height FROM explorer.tipsets")]
    seen = set()
    for height in heights:
        found = await compare(world, pool, Wanted(seed=1, everything=True, epoch=height))
        assert (found.epoch, found.drifted, found.examples) == (height, 0, [])
        seen.add(tuple(one["index"] for one in found.compared.values()))
    assert len(seen) > 5


async def test_a_claim_that_the_index_lost_is_missing(world: World, pool: asyncpg.Pool, followed: int) -> None:
    claim_id = await pool.fetchval(f"DELETE FROM explorer.claims WHERE {SECOND} RETURNING id")
    found = await compare(world, pool)
    example = next(one for one in found.examples if one["kind"] == "claims")
    assert (example["what"], example["id"]) == ("missing", claim_id)
    assert "never saw it" in example["reason"]
    assert example["fields"]["provider_id"] == {"index": None, "node": 1001}
    # Without its claim the allocation counts as open in the index.
    assert found.drift["allocations"] == {"missing": 0, "surplus": 1, "different": 0}


async def test_a_claim_that_the_index_took_for_removed_is_missing(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    await pool.execute(f"UPDATE explorer.claims SET removed_epoch = $1 WHERE {SECOND}", followed)
    example = only_example(await compare(world, pool))
    assert (example["what"], example["reason"]) == ("missing", f"the index has it as ended at epoch {followed}")


async def test_a_claim_that_the_chain_never_had_is_surplus(world: World, pool: asyncpg.Pool, followed: int) -> None:
    fields = "client_id, provider_id, size_bytes, term_start_epoch, term_min_epochs, term_max_epochs, sector, piece"
    await pool.execute(
        f"INSERT INTO explorer.claims (id, first_seen_epoch, seen_epoch, {fields})"
        f" SELECT 999999, first_seen_epoch, seen_epoch, {fields} FROM explorer.claims WHERE {SECOND}"
    )
    for wanted in (ALL, Wanted(seed=3), Wanted(seed=1, providers=(1001,))):
        example = only_example(await compare(world, pool, wanted))
        assert (example["what"], example["id"], example["fields"]["sector"]["node"]) == ("surplus", 999999, None)


@pytest.mark.parametrize(
    ("kind", "column", "reason"),
    [
        ("claims", "sector", "wrong value"),
        ("claims", "term_max_epochs", "extension"),
        ("claims", "piece", "wrong value"),
        ("allocations", "expiration_epoch", "wrong value"),
        ("deals", "end_epoch", "wrong value"),
    ],
)
async def test_a_flipped_field_is_different(
    world: World, pool: asyncpg.Pool, followed: int, kind: str, column: str, reason: str
) -> None:
    change = "set_byte(piece, 0, 255 - get_byte(piece, 0))" if column == "piece" else f"{column} + 1"
    open_one = await _one_open(pool, kind, followed)
    await pool.execute(f"UPDATE explorer.{kind} SET {column} = {change} WHERE id = $1", open_one)
    example = only_example(await compare(world, pool))
    assert (example["kind"], example["what"], example["id"]) == (kind, "different", open_one)
    assert example["fields"].keys() == {column}
    assert reason in example["reason"]


async def _one_open(pool: asyncpg.Pool, kind: str, epoch: int) -> int:
    rows = await pool.fetch(state_query(kind, "page"), epoch, -1, 1000)  # type: ignore[arg-type]
    return int(next(row["id"] for row in rows if row["in_state"]))


async def test_a_label_is_compared_where_both_know_it(world: World, pool: asyncpg.Pool, followed: int) -> None:
    texts = await pool.fetch("SELECT id, label FROM explorer.deals WHERE label = 'another' OR label = '\\xff00'")
    for row in texts:
        await pool.execute("UPDATE explorer.deals SET label = 'wrong' WHERE id = $1", row["id"])
    example = only_example(await compare(world, pool))
    assert len(texts) == 2
    assert example["fields"] == {"label": {"index": b"wrong".hex(), "node": b"another".hex()}}


async def test_a_deal_whose_activation_was_missed_is_different(world: World, pool: asyncpg.Pool, followed: int) -> None:
    deal_id = await pool.fetchval("DELETE FROM explorer.deal_events WHERE type = 'activated' RETURNING deal_id")
    await pool.execute("UPDATE explorer.deals SET sector_start_epoch = -1")
    examples = (await compare(world, pool)).examples
    assert deal_id in {one["id"] for one in examples}
    assert all(one["fields"].keys() == {"sector_start_epoch"} for one in examples)
    assert all("activation" in one["reason"] for one in examples)


async def test_a_termination_that_emits_no_event_names_its_likely_reason(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    # The chain ends the sector; the index is made not to have seen it, as for one that cron ended.
    deal_id = world.deal("to be terminated")
    world.order("ActivateDeals", [deal_id])
    sector = world.ask("StateMarketStorageDeal", deal_id, [])["State"]["SectorNumber"]
    world.order("Terminate", PROVIDERS[0], sector)
    world.order("Mine", 2)
    await world.follow(await world.follower(pool))
    await pool.execute("DELETE FROM explorer.deal_events WHERE deal_id = $1 AND type = 'terminated'", deal_id)
    await pool.execute("UPDATE explorer.deals SET gone_epoch = NULL WHERE id = $1", deal_id)
    example = only_example(await compare(world, pool, Wanted(seed=1, everything=True, epoch=world.epoch)))
    assert (example["kind"], example["what"], example["id"]) == ("deals", "surplus", deal_id)
    assert "emits no event" in example["reason"]


class Interrupted:
    """A chain during whose answer with every claim something else happens, after the first claim."""

    def __init__(self, chain: Chain, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._chain, self._meanwhile = chain, meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def claims(self, **options: Any) -> AsyncGenerator[Any, None]:
        claims = self._chain.claims(**options)
        yield await anext(claims)
        await self._meanwhile()
        async for claim in claims:
            yield claim


async def compare_during(
    world: World, pool: asyncpg.Pool, meanwhile: Callable[[], Awaitable[object]], wanted: Wanted = ALL
) -> Verification:
    return await verify(pool, cast("Chain", Interrupted(world.chain, meanwhile)), wanted, told_by=lambda: "simulated")


async def import_claims(pool: asyncpg.Pool) -> None:
    """Some change of what is known of claims, as an import makes it."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"UPDATE explorer.claims SET sector = sector + 1 WHERE {SECOND}")
        await log_import(connection, "claims", source="dump", epoch=1, complete=False, records=1, rejected=0)


async def test_no_transaction_waits_for_the_node(world: World, pool: asyncpg.Pool, followed: int) -> None:
    """It would hold back what the database clears away, for as long as the node takes."""
    others = """
        SELECT count(*), count(xact_start) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    seen: list[tuple[int, int]] = []

    async def look() -> None:
        seen.append(tuple(await pool.fetchrow(others)))

    assert (await compare_during(world, pool, look)).is_clean
    [(connections, in_transactions)] = seen
    assert connections > 0
    assert in_transactions == 0


async def test_a_chain_that_goes_on_meanwhile_changes_nothing(world: World, pool: asyncpg.Pool, followed: int) -> None:
    follower = await world.follower(pool)

    async def go_on() -> None:
        world.live()
        await world.follow(follower)

    found = await compare_during(world, pool, go_on)
    assert (found.epoch, found.is_clean) == (followed, True)


async def test_what_differs_after_an_import_meanwhile_is_not_told_as_drift(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    await pool.execute(
        "UPDATE explorer.claims SET sector = sector + 1 WHERE id = (SELECT max(id) FROM explorer.claims)"
    )
    with pytest.raises(IndexChanged, match=r"claims differ at epoch \d+, but claims were imported .*: compare again"):
        await compare_during(world, pool, lambda: import_claims(pool))
    async with pool.acquire() as connection:
        assert await load_last_verification(connection) is None
    assert (await compare(world, pool)).drift["claims"]["different"] == 2


async def test_a_tipset_that_is_left_meanwhile_is_not_told_as_drift(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    follower, head = await world.follower(pool), world.epoch

    async def leave() -> None:
        world.order("Fork", 1)
        world.order("Mine", 2)
        await world.follow(follower)

    with pytest.raises(HeadMoved, match=f"epoch {head} was left"):
        await compare_during(world, pool, leave, Wanted(seed=1, everything=True, epoch=head))


async def test_the_same_seed_draws_the_same_sample(world: World, pool: asyncpg.Pool, followed: int) -> None:
    drawn = [(await compare(world, pool, Wanted(seed=seed, sample=2))).scope for seed in (5, 5, *range(6, 16))]
    assert drawn[0] == drawn[1]
    assert len({tuple(one["providers"]) for one in drawn}) > 1
    assert all(len(one["providers"]) == 2 for one in drawn)


async def test_named_providers_say_what_they_leave_out(world: World, pool: asyncpg.Pool, followed: int) -> None:
    found = await compare(world, pool, Wanted(seed=1, providers=(1002,)))
    assert found.compared.keys() == {"claims"}
    assert found.not_compared.keys() == {"allocations", "deals"}
    assert found.scope == {"what": "providers", "providers": ["f01002"]}


async def test_a_kind_that_the_index_does_not_cover_is_not_compared(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    await pool.execute("DELETE FROM explorer.coverage WHERE kind = 'claims'")
    found = await compare(world, pool)
    # Only claims tell that an allocation was claimed.
    assert found.not_compared.keys() == {"claims", "allocations"}
    assert found.compared.keys() == {"deals"}


async def test_a_node_that_lacks_a_method_leaves_its_kind_out(
    world: World, pool: asyncpg.Pool, followed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def missing(**_: Any) -> Any:
        raise MethodMissing("method not supported: StateMarketDeals")
        yield

    monkeypatch.setattr(type(world.chain), "deals", lambda _chain, **options: missing(**options))
    found = await compare(world, pool)
    assert "StateMarketDeals" in found.not_compared["deals"]
    assert found.compared.keys() == {"claims", "allocations"}
    sampled = await compare(world, pool, SAMPLE)
    assert sampled.compared.keys() == {"claims", "allocations", "deals"}


@pytest.mark.parametrize(
    ("method", "kind"),
    [("StateGetAllClaims", "cut"), ("StateGetAllAllocations", "garbage"), ("StateMarketDeals", "hang")],
)
async def test_a_node_that_fails_in_the_middle_changes_nothing(
    world: World, pool: asyncpg.Pool, followed: int, method: str, kind: str
) -> None:
    before = await state_of(pool)
    told: list[tuple[str, int]] = []
    world.order("Fault", {"methods": [method], "kind": kind})
    with pytest.raises(ChainError):
        await verify(pool, world.chain, ALL, told_by=lambda: "simulated", progress=lambda *args: told.append(args))
    async with pool.acquire() as connection:
        assert await load_last_verification(connection) is None
    assert await state_of(pool) == before
    world.order("Fault", None)
    assert (await compare(world, pool)).drifted == 0


async def test_what_was_found_is_kept(world: World, pool: asyncpg.Pool, followed: int) -> None:
    await pool.execute(f"UPDATE explorer.claims SET sector = sector + 1 WHERE {SECOND}")
    found = await compare(world, pool)
    async with pool.acquire() as connection:
        assert await load_last_verification(connection) == found


async def test_beyond_the_index_nothing_can_be_compared(world: World, pool: asyncpg.Pool, followed: int) -> None:
    with pytest.raises(EpochNotIndexed):
        await compare(world, pool, Wanted(seed=1, epoch=world.epoch + 1))


async def test_an_index_that_followed_nothing_needs_an_epoch(world: World, pool: asyncpg.Pool) -> None:
    with pytest.raises(EpochNotIndexed, match="--at-epoch"):
        await compare(world, pool)


async def test_another_chain_is_not_compared_with(world: World, pool: asyncpg.Pool, followed: int) -> None:
    other = World(seed=2)
    other.order("Mine", 2000)
    with pytest.raises(ForkBelowFinal):
        await compare(other, pool)


async def test_many_batches_and_pages_come_to_the_same(
    world: World, pool: asyncpg.Pool, followed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.follow.verify._BATCH", 2)
    monkeypatch.setattr("explorer.index.state.PAGE_ROWS", 2)
    for wanted in (ALL, SAMPLE, Wanted(seed=1, providers=(1000, 1001, 1002))):
        found = await compare(world, pool, wanted)
        assert (found.drifted, found.compared["claims"]) == (0, {"index": 9, "node": 9, "rejected": 0})


async def test_a_named_provider_of_whom_nobody_has_a_claim_is_told(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    nobody = await compare(world, pool, Wanted(seed=1, providers=(999,)))
    assert nobody.scope == {"what": "providers", "providers": ["f0999"], "without_claims": ["f0999"]}
    assert (nobody.compared["claims"], nobody.drifted) == ({"index": 0, "node": 0, "rejected": 0}, 0)
    assert not nobody.is_clean
    beside = await compare(world, pool, Wanted(seed=1, providers=(1002, 999)))
    assert beside.scope["without_claims"] == ["f0999"]
    assert beside.compared["claims"]["index"] > 0
    assert not beside.is_clean
    assert (await compare(world, pool, Wanted(seed=1, providers=(1002,)))).is_clean


async def test_a_provider_whose_claims_only_the_node_has_is_no_stranger(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    await pool.execute("DELETE FROM explorer.claims WHERE provider_id = 1002")
    found = await compare(world, pool, Wanted(seed=1, providers=(1002,)))
    assert "without_claims" not in found.scope
    assert found.drift["claims"]["missing"] == found.compared["claims"]["node"] > 0


async def test_a_sample_of_an_empty_chain_has_compared_nothing(world: World, pool: asyncpg.Pool) -> None:
    await world.follow(await world.follower(pool))
    found = await compare(world, pool, Wanted(seed=1, epoch=world.epoch))
    assert found.compared.keys() == {"claims", "allocations", "deals"}
    assert (found.drifted, found.is_clean) == (0, False)


async def test_at_a_null_round_the_tipset_below_is_compared_and_named(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    heights = [row[0] for row in await pool.fetch("SELECT height FROM explorer.tipsets ORDER BY height")]
    below, gap = next((one, one + 1) for one in heights if one + 1 not in heights)
    found = await compare(world, pool, Wanted(seed=1, everything=True, epoch=gap))
    assert (found.epoch, found.scope) == (below, {"what": "all", "asked_epoch": gap})
    assert "asked_epoch" not in (await compare(world, pool, Wanted(seed=1, epoch=below))).scope
