"""Addresses and actor ids by a simulated node's word, and how little strangers can make it do."""

import asyncio
from typing import Any

import pytest

from explorer.parties.errors import ActorUnknown, AddressUnresolved, NodeSilent, TooManyAddresses
from explorer.parties.kept import Kept
from explorer.parties.resolving import ABSENT_S, FAILED_S, MOST_AT_ONCE, Resolver
from node.address import Address, address_from_bytes, parse_address
from node.lotus.in_process import InProcessTransport
from node.lotus.limits import Retries
from node.lotus.opening import lotus_chain
from node.lotus.transport import Call
from node.sim.chain import SimulatedChain
from node.sim.options import Options
from node.sim.rpc.dispatch import Dispatcher, open_node
from tests.patience import PATIENCE_S
from tests.unit.index.dumps import piece_text

CLIENT, PROVIDER = 9000, 1000
ETH = "0x52963ef50e27e06d72d59fcb4f3c2a687be3cfef"


class CountingNode(InProcessTransport):
    """A node that counts what it is asked, and can keep one waiting."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__(dispatcher)
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def call(self, call: Call) -> object:
        self.asked.append(call.method.removeprefix("Filecoin."))
        await self.may_answer.wait()
        return await super().call(call)


class World:
    """A simulated chain with a client and a provider, its node, and a resolver whose clock stands still."""

    def __init__(self, **options: Any) -> None:
        self.dispatcher = Dispatcher(open_node(SimulatedChain(Options(seed=5))))
        self.order("Allocate", f"f0{CLIENT}", f"f0{PROVIDER}", [{"piece_cid": piece_text(1), "size_bytes": 1 << 30}])
        self.node = CountingNode(self.dispatcher)
        chain = lotus_chain([self.node], retries=Retries(rounds=1, first_pause_s=0))
        self.now_s = 1000.0
        self.names = Resolver(chain=lambda: chain, clock=lambda: self.now_s, **options)

    def order(self, verb: str, *params: Any) -> Any:
        return self.dispatcher.call(f"Sim.{verb}", list(params))

    def key(self, actor_id: int) -> Address:
        text = self.dispatcher.call("Filecoin.StateAccountKey", [f"f0{actor_id}", None])
        return parse_address(str(text))


def nobody(number: int) -> Address:
    return address_from_bytes(b"\x01" + number.to_bytes(20, "big"))


async def id_of(world: World, address: Address) -> int:
    return await world.names.actor_id(address, str(address))


async def test_both_directions_of_a_key_and_of_an_f410() -> None:
    world = World()
    key = world.key(CLIENT)
    assert await id_of(world, key) == CLIENT
    assert await world.names.addresses(CLIENT) == (key,)
    delegated = parse_address(ETH)
    world.order("Fund", str(delegated), "1")
    found = await id_of(world, delegated)
    assert await world.names.addresses(found) == (delegated,)


async def test_an_f2_is_known_once_somebody_asked_by_it() -> None:
    world = World()
    robust = str(world.dispatcher.call("Filecoin.StateLookupRobustAddress", [f"f0{PROVIDER}", None]))
    assert robust.startswith("f2")
    assert await world.names.addresses(PROVIDER) == ()
    assert await id_of(world, parse_address(robust)) == PROVIDER
    assert await world.names.addresses(PROVIDER) == (parse_address(robust),)
    assert "StateLookupRobustAddress" not in world.node.asked


async def test_what_was_said_is_not_asked_again_for_a_while() -> None:
    world = World()
    for _ in range(3):
        assert await id_of(world, world.key(CLIENT)) == CLIENT
        with pytest.raises(ActorUnknown, match="no actor has the address f1"):
            await id_of(world, nobody(1))
    assert world.node.asked == ["StateLookupID"] * 2
    world.now_s += ABSENT_S
    with pytest.raises(ActorUnknown):
        await id_of(world, nobody(1))
    assert world.node.asked == ["StateLookupID"] * 3


async def test_who_asks_the_same_at_once_asks_once() -> None:
    world = World()
    key = world.key(CLIENT)
    assert await asyncio.gather(*(id_of(world, key) for _ in range(50))) == [CLIENT] * 50
    assert world.node.asked == ["StateLookupID"]


async def test_so_many_questions_a_minute_and_no_more() -> None:
    world = World(most_a_minute=5)
    for number in range(5):
        with pytest.raises(ActorUnknown):
            await id_of(world, nobody(number))
    with pytest.raises(TooManyAddresses):
        await id_of(world, nobody(99))
    assert await world.names.addresses(CLIENT) is None
    assert len(world.node.asked) == 5
    world.now_s += 60
    assert await id_of(world, world.key(CLIENT)) == CLIENT


async def test_so_many_at_once_and_a_node_that_hangs_is_not_waited_for() -> None:
    world = World(timeout_s=0.1, forms_wait_s=0.01)
    world.node.may_answer.clear()
    asked = [asyncio.create_task(id_of(world, nobody(number))) for number in range(MOST_AT_ONCE + 3)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in found] == [NodeSilent] * MOST_AT_ONCE + [TooManyAddresses] * 3
    assert await world.names.addresses(CLIENT) is None
    assert len(world.node.asked) == MOST_AT_ONCE


async def test_a_node_that_failed_is_left_alone_for_a_moment() -> None:
    world = World()
    world.order("Fault", {"methods": ["Filecoin.StateLookupID"], "kind": "429", "share": 1, "count": 1})
    with pytest.raises(NodeSilent):
        await id_of(world, nobody(1))
    asked = len(world.node.asked)
    with pytest.raises(NodeSilent):
        await id_of(world, world.key(CLIENT))
    assert await world.names.addresses(CLIENT) is None
    assert len(world.node.asked) == asked
    world.now_s += FAILED_S
    world.node.asked.clear()
    await _until_rested(world)


async def _until_rested(world: World) -> None:
    """The client's id, once the node's own rest is over."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                assert await id_of(world, world.key(CLIENT)) == CLIENT
            except NodeSilent:
                world.now_s += FAILED_S
                await asyncio.sleep(0.05)
            else:
                return


async def test_without_a_node_only_an_id_says_whose_it_is() -> None:
    for chainless, error in ((Resolver(), AddressUnresolved), (Resolver(chain=lambda: None), NodeSilent)):
        assert await chainless.actor_id(parse_address("f05"), "f05") == 5
        assert await chainless.addresses(5) is None
        with pytest.raises(error):
            await chainless.actor_id(nobody(1), "f1…")


def test_what_is_kept_is_bounded_and_ends() -> None:
    kept: Kept[int, int] = Kept(3)
    for number in range(3):
        kept.put(number, number, until_s=10)
    assert kept.get(0, 9) == 0
    kept.put(3, 3, until_s=10)
    assert [kept.get(number, 9) for number in range(4)] == [0, None, 2, 3]
    assert kept.get(0, 10) is None
    assert len(kept) == 2
