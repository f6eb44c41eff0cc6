"""The table: what is appended with which change, in which order, and what is forgotten."""

import asyncio
import json
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from explorer.errors import HeadMoved, ImportFailed
from explorer.follow.follower import Follower
from explorer.follow.forks import key_of
from explorer.index import feed, tipsets
from explorer.index.feed import FeedEvent
from explorer.index.tipsets import Link
from explorer.index.told import told_of
from node.cid import cid_from_bytes, match_key
from node.lotus.in_process import InProcessTransport
from node.lotus.opening import lotus_chain
from node.sim.chain import SimulatedChain
from node.sim.options import Options
from node.sim.rpc.dispatch import Dispatcher, open_node
from tests.integration.feed.conftest import feed_of, tell
from tests.integration.follow.world import World
from tests.integration.index.importing import Importer
from tests.unit.index.dumps import claim_entry, payload_cid, piece_cid, piece_text


class Followed:
    """A simulated chain, and a follower that is told when to look."""

    def __init__(self, pool: asyncpg.Pool, dispatcher: Dispatcher) -> None:
        self.pool, self.dispatcher = pool, dispatcher
        self.chain = lotus_chain([InProcessTransport(dispatcher)])
        self.follower = Follower(self.chain, pool, time.monotonic)
        self.read = 0

    def order(self, verb: str, *params: Any) -> Any:
        return self.dispatcher.call(f"Sim.{verb}", list(params))

    async def news(self) -> list[FeedEvent]:
        """What the feed tells once the head is reached, beyond what was read before."""
        await self.follower.go_to(await self.chain.head())
        events = [event for event in await feed_of(self.pool) if event.id > self.read]
        self.read = max([self.read, *(event.id for event in events)])
        return events


@pytest.fixture
async def followed(pool: asyncpg.Pool) -> Followed:
    made = Followed(pool, Dispatcher(open_node(SimulatedChain(Options(seed=5)))))
    made.order("Mine", 3)
    await made.follower.begin()
    await made.follower.states.read_due()
    await made.news()
    return made


def changes_of(events: list[FeedEvent]) -> dict[str, set[str]]:
    """What the cid events say of each piece, all of them together."""
    found: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.type == "cid":
            found[event.data["piece_cid"]].update(event.data["changes"])
    return dict(found)


SIZE = 1 << 30
PARTIES = (feed.party_key("client", 9000), feed.party_key("provider", 1000))


def proposal(piece: int, start: int) -> dict[str, Any]:
    return {
        "PieceCID": {"/": piece_text(piece)},
        "PieceSize": SIZE,
        "VerifiedDeal": True,
        "Client": "f09000",
        "Provider": "f01000",
        "Label": payload_cid(piece).to_text(),
        "StartEpoch": start,
        "EndEpoch": start + 600_000,
        "StoragePricePerEpoch": "0",
        "ProviderCollateral": "0",
        "ClientCollateral": "0",
    }


async def test_a_new_head_is_told_with_what_is_final(followed: Followed) -> None:
    followed.order("Mine", 2)
    events = await followed.news()
    assert [event.type for event in events] == ["head"]
    head = await followed.chain.head()
    told = events[0].data
    assert (told["epoch"], told["reverted_from_epoch"]) == (head.epoch, None)
    assert (told["change"], told["depth"]) == ("apply", 0)
    assert told["tipset"] == [cid_from_bytes(raw).to_text() for raw in key_of(head.key)]
    assert 0 <= told["final_epoch"] <= told["safe_epoch"] <= head.epoch


async def test_the_life_of_a_claim_is_told_by_its_piece(followed: Followed) -> None:
    [allocation] = followed.order("Allocate", "f09000", "f01000", [{"piece_cid": piece_text(1), "size_bytes": SIZE}])
    assert changes_of(await followed.news()) == {piece_text(1): {"allocation"}}
    [onboarded] = followed.order("Onboard", "f01000", [allocation])
    events = await followed.news()
    assert changes_of(events) == {piece_text(1): {"claim"}}
    assert [event.keys for event in events if event.type == "cid"] == [{match_key(piece_cid(1)), *PARTIES}]
    followed.order("Terminate", "f01000", onboarded["sector"])
    events = await followed.news()
    assert changes_of(events) == {piece_text(1): {"sector-terminated"}}
    assert set(PARTIES) <= set().union(*(event.keys for event in events))


async def test_the_life_of_a_deal_is_told_by_its_piece_and_its_label(followed: Followed) -> None:
    start = (await followed.chain.head()).epoch + 3000
    [deal] = followed.order("PublishDeals", [proposal(2, start)])
    events = await followed.news()
    assert changes_of(events) == {piece_text(2): {"deal-published", "allocation"}}
    told = next(event for event in events if event.type == "cid")
    assert told.keys == {match_key(piece_cid(2)), match_key(payload_cid(2)), *PARTIES}
    assert (told.data["client_ids"], told.data["provider_ids"]) == ([9000], [1000])
    followed.order("ActivateDeals", [deal])
    events = await followed.news()
    assert "deal-activated" in changes_of(events)[piece_text(2)]
    assert set(PARTIES) <= set().union(*(event.keys for event in events))


async def test_a_reorg_tells_what_it_took_back(followed: Followed) -> None:
    followed.order("Allocate", "f09000", "f01000", [{"piece_cid": piece_text(3), "size_bytes": SIZE}])
    await followed.news()
    height = (await followed.chain.head()).epoch
    followed.order("Fork", 5)
    events = await followed.news()
    assert "reverted" in changes_of(events)[piece_text(3)]
    assert set(PARTIES) <= set().union(*(event.keys for event in events))
    told = next(event.data for event in events if event.type == "head")
    assert told["reverted_from_epoch"] <= height
    assert (told["change"], told["depth"]) == ("reorg", 5)


async def test_a_change_that_a_reorg_makes_again_is_no_news(followed: Followed, pool: asyncpg.Pool) -> None:
    followed.order("Allocate", "f09000", "f01000", [{"piece_cid": piece_text(4), "size_bytes": SIZE}])
    assert piece_text(4) in changes_of(await followed.news())
    async with pool.acquire() as connection:
        rows = await connection.fetch("SELECT height, key, parent_weight, told FROM explorer.tipsets ORDER BY height")
        told = [None if row["told"] is None else told_of(json.loads(row["told"])) for row in rows]
        first = next(at for at, one in enumerate(told) if one is not None and one.events)
        links = [Link(row["height"], tuple(row["key"])) for row in rows]
        steps = [
            tipsets.Step(link=link, parent_weight=int(row["parent_weight"]), told=one)
            for link, row, one in zip(links[first:], rows[first:], told[first:], strict=True)
        ]
        async with connection.transaction():
            await tipsets.advance(connection, head=links[-1], revert_from=links[first].height, steps=steps)
    assert [event.type for event in await followed.news()] == ["head"]


async def test_what_is_rolled_back_was_never_told(followed: Followed, pool: asyncpg.Pool) -> None:
    before = await feed_of(pool)
    async with pool.acquire() as connection:
        link = Link((await followed.chain.head()).epoch, (b"other",))
        with pytest.raises(HeadMoved):
            await tipsets.advance(connection, head=link, revert_from=1, steps=[])
        with suppress(RuntimeError):
            async with connection.transaction():
                await connection.execute("INSERT INTO explorer.feed (type, data) VALUES ('head', '{}')")
                raise RuntimeError
    assert await feed_of(pool) == before


async def test_where_too_many_pieces_change_one_event_stands_for_all(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST_PIECES", 2)
    pieces = [{"piece_cid": piece_text(number), "size_bytes": SIZE} for number in range(10, 13)]
    followed.order("Allocate", "f09000", "f01000", pieces)
    [event] = [event for event in await followed.news() if event.type == "cid"]
    assert (event.piece, event.keys, event.data["piece_cid"], event.data["pieces"]) == (None, frozenset(), None, 3)


_ROWS = """
SELECT r.piece, string_agg(r.told, ',' ORDER BY r.told) AS told FROM (
    SELECT c.piece, 'claim' || c::text || coalesce((SELECT string_agg(t::text, ',' ORDER BY t::text)
           FROM explorer.claim_terms AS t WHERE t.claim_id = c.id), '')
           || coalesce((SELECT string_agg(s::text, ',' ORDER BY s::text) FROM explorer.sector_terminations AS s
           WHERE s.provider_id = c.provider_id AND s.sector = c.sector), '') AS told FROM explorer.claims AS c
    UNION ALL SELECT a.piece, 'allocation' || a::text FROM explorer.allocations AS a
    UNION ALL SELECT d.piece, 'deal' || d::text || coalesce((SELECT string_agg(e::text, ',' ORDER BY e::text)
           FROM explorer.deal_events AS e WHERE e.deal_id = d.id), '') FROM explorer.deals AS d
) AS r WHERE r.piece IS NOT NULL GROUP BY r.piece
"""


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_every_changed_piece_is_told_and_no_other(pool: asyncpg.Pool, seed: int) -> None:
    world = World(seed)
    followed = Followed(pool, world.dispatcher)
    world.ask("Sim.Mine", 3)
    await followed.follower.begin()
    await followed.follower.states.read_due()
    await followed.news()
    before = dict(await pool.fetch(_ROWS))
    told_in_vain = told_rightly = 0
    for _ in range(60):
        done = world.step()
        events = await followed.news()
        after = dict(await pool.fetch(_ROWS))
        world.final_epoch = await pool.fetchval("SELECT final_epoch FROM explorer.following")
        changed = {piece for piece in before.keys() | after.keys() if before.get(piece) != after.get(piece)}
        told = {event.piece for event in events if event.type == "cid"}
        assert changed <= told, (seed, done)
        told_rightly, told_in_vain = told_rightly + len(changed), told_in_vain + len(told - changed)
        before = after
    assert told_rightly > 10
    assert told_in_vain <= told_rightly


async def test_a_file_is_one_event_and_a_failed_one_none(imports: Importer, pool: asyncpg.Pool) -> None:
    await imports({1: claim_entry(), 2: claim_entry(2), 3: {"Nonsense": 1}}, at_epoch=100)
    [event] = await feed_of(pool)
    assert (event.type, event.piece, event.keys) == ("import", None, frozenset())
    assert event.data == {
        "kind": "claims",
        "source": "0.json",
        "epoch": 100,
        "complete": False,
        "records": 3,
        "rejected": 1,
    }
    with pytest.raises(ImportFailed):
        await imports("{", kind="claims", at_epoch=101)
    assert await feed_of(pool) == [event]


async def test_ids_ascend_in_the_order_of_the_commits(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as first:
        transaction = first.transaction()
        await transaction.start()
        await first.execute("INSERT INTO explorer.feed (type, data) VALUES ('head', '{\"from\": \"first\"}')")
        second = asyncio.create_task(tell(pool))
        await asyncio.sleep(0.2)
        assert await feed_of(pool) == []
        assert not second.done()
        await transaction.commit()
        await second
    assert [event.type for event in await feed_of(pool)] == ["head", "cid"]


async def test_old_events_are_forgotten_but_never_the_newest(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "KEPT_EVENTS", 10)
    await tell(pool, 25)
    async with pool.acquire() as connection:
        await feed.prune(connection)
        assert [event.id for event in await feed.load_newest(connection)] == list(range(16, 26))
        await connection.execute("UPDATE explorer.feed SET at = now() - interval '8 days' WHERE id < 20")
        await feed.prune(connection)
        assert [event.id for event in await feed.load_newest(connection)] == list(range(20, 26))
        await connection.execute("UPDATE explorer.feed SET at = now() - interval '8 days'")
        await feed.prune(connection)
        assert [event.id for event in await feed.load_newest(connection)] == [25]
