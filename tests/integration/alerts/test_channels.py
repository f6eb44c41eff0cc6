"""Channels as endpoints of the outbox, made those of the settings."""

from typing import Any

import asyncpg

from explorer.alerts.channels import ChannelSender, parse_channels
from explorer.alerts.endpoints import list_endpoints, register_channels
from tests.integration.alerts.conftest import World, opened_world
from tests.unit.alerts.test_channels import DISCORD, MAIL, SLACK, Noting


async def registered(world: World, text: str) -> list[tuple[str, str]]:
    """Makes the channels those, and says which are there."""
    async with world.pool.acquire() as connection:
        await register_channels(connection, {one.id: one.scheme for one in parse_channels(text)})
        return [(row.kind, row.url) for row in await list_endpoints(connection)]


async def test_the_settings_decide_which_channels_there_are(world: World) -> None:
    await world.add("https://notary.example/")
    webhook = ("webhook", "https://notary.example/")
    assert (await registered(world, f"{SLACK} {MAIL}"))[1:] == [("channel", "slack://"), ("channel", "mailtos://")]
    assert await registered(world, MAIL) == [webhook, ("channel", "mailtos://")]
    assert len(await registered(world, f"{SLACK} {DISCORD} {MAIL}")) == 4
    assert await registered(world, "") == [webhook]
    urls = await world.pool.fetch("SELECT url FROM alerts.endpoints")
    assert not any("password" in row["url"] or "TIiaj" in row["url"] for row in urls)


async def test_a_channel_is_told_again_until_it_works(dsn: str, pool: asyncpg.Pool) -> None:
    async with opened_world(dsn, pool) as world:
        assert world.deliverer is not None
        noting: Any = Noting(False)
        [channel] = parse_channels(SLACK)
        await registered(world, SLACK)
        await world.tell("r1", id="r1")
        assert await world.turn(seconds=60) == 0  # this process can send to no channel
        senders: Any = world.deliverer.senders
        senders["channel"] = ChannelSender((channel,), lambda: noting)
        await world.turn(seconds=60)
        noting.result = True
        await world.turn(seconds=300)
        senders["channel"].close()
    assert len(noting.sent) == 4
    assert await world.states() == ["delivered"]
