"""The heads to go to: the newest that the node told, and what it is asked while it tells none."""

import asyncio
from contextlib import aclosing

import pytest

from explorer.follow.heads import newest_heads
from node.chain.errors import NotSupported
from node.lotus.in_process import InProcessTransport
from node.lotus.transport import RpcFault
from tests.integration.follow.world import World
from tests.unit.lotus.chains import Scripted, always, chain_over


async def test_what_came_meanwhile_is_skipped() -> None:
    world = World(61)
    async with aclosing(newest_heads(chain_over(InProcessTransport(world.dispatcher)), poll_s=60)) as heads:
        first, is_explicit = await anext(heads)
        assert (first.epoch, is_explicit) == (world.height, False)
        world.ask("Sim.Mine", 50)
        await asyncio.sleep(0.2)
        newest, is_explicit = await anext(heads)
        assert (newest.epoch, is_explicit) == (world.height, True)


async def test_a_revert_leads_to_the_tipset_below() -> None:
    world = World(62)
    world.ask("Sim.Mine", 5)
    snapshot = world.ask("Sim.Snapshot")
    world.ask("Sim.Mine", 5)
    async with aclosing(newest_heads(chain_over(InProcessTransport(world.dispatcher)), poll_s=60)) as heads:
        await anext(heads)
        world.ask("Sim.Revert", snapshot)
        await asyncio.sleep(0.2)
        assert (await anext(heads))[0].epoch == world.height


async def test_in_silence_the_node_is_asked() -> None:
    world = World(63)
    async with aclosing(newest_heads(chain_over(InProcessTransport(world.dispatcher)), poll_s=0.05)) as heads:
        await anext(heads)
        head, is_explicit = await anext(heads)
        assert (head.epoch, is_explicit) == (world.height, False)


async def test_a_node_without_a_stream_is_refused() -> None:
    node = Scripted(always(None), frames=[[RpcFault(-32601, "method 'Filecoin.ChainNotify' not found")]])
    with pytest.raises(NotSupported):
        await anext(newest_heads(chain_over(node), poll_s=60))
