"""What nodes offer, by what recorded ones answered: a full node, a gateway, one with everything at its default."""

from collections.abc import Callable
from typing import Any

import pytest

from node.chain import errors
from node.chain.event_filter import EventFilter
from node.lotus.capabilities import NodeCapabilities
from node.lotus.envelope import fault_of
from node.lotus.in_process import InProcessTransport
from node.lotus.transport import Call, RpcFault
from node.sim.chain import SimulatedChain
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.methods import Node
from node.sim.rpc.tokens import Tokens
from tests.recordings_player import recorded_calls
from tests.unit.lotus.chains import Scripted, always, chain_over

_EVERYTHING = EventFilter(from_epoch=0)
ALL = {
    *("head_changes", "actor_events", "actor_event_stream", "eth_rpc"),
    *("all_claims", "all_allocations", "all_deals", "api_v2"),
}
EVENTS = ("Events.EnableActorEventsAPI", "ChainIndexer.EnableIndexer")
ETH = ("Fevm.EnableEthRPC", "ChainIndexer.EnableIndexer")
WRONG_KEY = RpcFault(-32700, "unmarshaling params for 'X' (param: *types.TipSetKey): json: cannot unmarshal string")


def offered(found: NodeCapabilities) -> dict[str, bool | None]:
    return {each.name: each.offered for each in found.capabilities}


def answering_as(folder: str, *, gateway: bool = False) -> Callable[[Call], Any]:
    """What the recorded node answered first to each method, whatever it was asked; to others, that params are none."""
    known: dict[tuple[str, int], Any] = {}
    for call in recorded_calls(folder):
        version = {"/rpc/v1": 1, "/rpc/v2": 2}.get(call.path)
        if call.gateway == gateway and version and isinstance(call.response, dict) and call.token in {"admin", "none"}:
            error = call.response.get("error")
            answer = call.response.get("result") if error is None else fault_of(error)
            known.setdefault((call.method, version), answer)

    def answer(call: Call) -> Any:
        return known.get((call.method, call.version), WRONG_KEY)

    return answer


async def probed(answer: Callable[[Call], Any]) -> NodeCapabilities:
    (found,) = await chain_over(Scripted(answer)).capabilities()
    return found


async def test_a_full_node_offers_everything() -> None:
    found = await probed(answering_as("03-reads-errors-events-nv28"))
    assert offered(found) == dict.fromkeys(ALL, True)


async def test_a_gateway_lacks_the_state_as_a_whole() -> None:
    found = await probed(answering_as("03-reads-errors-events-nv28", gateway=True))
    lacking = {name for name, is_offered in offered(found).items() if is_offered is False}
    assert lacking == {"all_claims", "all_allocations", "all_deals"}
    assert "lotus-gateway" in found["all_claims"].reason


async def test_modules_that_are_off_are_named_as_the_node_names_them() -> None:
    off = answering_as("06-defaults-events-eth-indexer-off")
    head = answering_as("03-reads-errors-events-nv28")
    found = await probed(lambda call: head(call) if call.method == "Filecoin.ChainHead" else off(call))
    assert (found["actor_events"].offered, found["actor_events"].settings) == (False, EVENTS)
    assert (found["actor_event_stream"].offered, found["actor_event_stream"].settings) == (False, EVENTS)
    assert (found["eth_rpc"].offered, found["eth_rpc"].settings) == (False, ETH)
    assert "LOTUS_FEVM_ENABLEETHRPC=true" in found["eth_rpc"].reason  # as the recorded refusal names it
    assert found["all_claims"].offered is True


@pytest.mark.parametrize(
    "error", [errors.NodeTimeout("no answer"), errors.GarbledAnswer("x"), RpcFault(1, "something odd")]
)
async def test_what_is_not_answered_is_not_known(error: Exception) -> None:
    found = await probed(always(error))
    assert offered(found) == dict.fromkeys(ALL, None)
    assert all(each.reason for each in found.capabilities)


async def test_what_a_token_may_not_is_said() -> None:
    head = answering_as("03-reads-errors-events-nv28")
    refusal = RpcFault(1, "missing permission to invoke 'X' (need 'read')")
    found = await probed(lambda call: head(call) if call.method == "Filecoin.ChainHead" else refusal)
    assert set(offered(found).values()) == {False}
    assert "FILPLUS_CHAIN_TOKEN" in found["api_v2"].reason


@pytest.mark.parametrize("on", [True, False])
async def test_a_simulated_node_is_probed_without_being_made_to_work(on: bool) -> None:
    node = Node(SimulatedChain(), Tokens(b"secret"), events_enabled=on, eth_enabled=on)
    (found,) = await chain_over(InProcessTransport(Dispatcher(node))).capabilities()
    off = {"actor_events", "actor_event_stream", "eth_rpc"}
    assert offered(found) == {name: on or name not in off for name in ALL}


async def test_what_was_switched_on_meanwhile_is_used_again() -> None:
    node = Node(SimulatedChain(), Tokens(b"secret"), events_enabled=False)
    chain = chain_over(InProcessTransport(Dispatcher(node)))
    with pytest.raises(errors.ModuleDisabled):
        await chain.actor_events(_EVERYTHING)
    node.events_enabled = True
    with pytest.raises(errors.ModuleDisabled):  # remembered
        await chain.actor_events(_EVERYTHING)
    await chain.capabilities()
    assert await chain.actor_events(_EVERYTHING) == ()
