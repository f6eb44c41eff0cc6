"""The cases, through `LotusChain`, over each way to a node."""

import inspect
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from node.chain.protocol import Chain
from node.devnet.serving import serving
from node.lotus.expected import Expected
from node.lotus.in_process import InProcessTransport
from node.lotus.limits import Limits, Retries
from node.lotus.opening import open_lotus_chain
from node.network import network_named
from node.sim.chain import SimulatedChain
from node.sim.rpc.dispatch import Dispatcher, open_node
from tests.contract_typed import cases_of_following, cases_of_state, cases_of_tipsets
from tests.contract_typed.case import CASES, Case
from tests.contract_typed.live import Live
from tests.contract_typed.recorded import Recorded
from tests.contract_typed.worlds import World
from tests.unit.lotus.chains import chain_over

SIMULATED = Expected(network_named("simulated"))


@asynccontextmanager
async def in_process() -> AsyncIterator[World]:
    """A simulated node in this process, without a wire."""
    dispatcher = Dispatcher(open_node(SimulatedChain()))

    async def verb(name: str, *params: Any) -> Any:
        return dispatcher.call(f"Sim.{name}", list(params))

    yield Live(chain_over(InProcessTransport(dispatcher), expected=SIMULATED), verb)


@asynccontextmanager
async def at(url: str) -> AsyncIterator[World]:
    """A simulated node that listens somewhere: the chain's own methods are called by a plain client."""
    async with (
        open_lotus_chain([url], expected=SIMULATED, limits=Limits(timeout_s=20), retries=Retries(rounds=1)) as chain,
        aiohttp.ClientSession() as session,
    ):

        async def verb(name: str, *params: Any) -> Any:
            request = {"jsonrpc": "2.0", "id": 1, "method": f"Sim.{name}", "params": params}
            async with session.post(url, json=request) as response:
                answer = await response.json()
            assert "result" in answer, answer
            return answer["result"]

        yield Live(chain, verb)


@asynccontextmanager
async def over_the_wire() -> AsyncIterator[World]:
    """A simulated node behind HTTP and websockets."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1"
        async with serving(open_node(SimulatedChain()), bound), at(url) as world:
            yield world


@asynccontextmanager
async def recorded() -> AsyncIterator[World]:
    """What a real node answered."""
    yield Recorded()


Opening = Callable[[], AbstractAsyncContextManager[World]]
PLAYED = [
    pytest.param(each, opening, id=f"{each.name}-{opening.__name__}")
    for each in CASES
    for opening in (in_process, over_the_wire, recorded)
    if each.recorded or opening is not recorded
]


@pytest.mark.parametrize(("played", "opening"), PLAYED)
async def test_contract(played: Case, opening: Opening) -> None:
    async with opening() as world:
        await played.play(world)


def test_every_call_of_the_protocol_is_in_a_case() -> None:
    calls = {name for name, _ in inspect.getmembers(Chain, inspect.isfunction) if not name.startswith("_")}
    modules = (cases_of_following, cases_of_state, cases_of_tipsets)
    asked = {name for each in modules for name in re.findall(r"\.(\w+)\(", inspect.getsource(each))}
    assert calls - asked == set()


def test_most_cases_are_recorded_of_a_real_node() -> None:
    assert sum(each.recorded for each in CASES) >= 0.9 * len(CASES)
