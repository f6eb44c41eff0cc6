"""`LotusChain` over the simulated node, in process: the same code path as over a real one."""

from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any

import pytest

from node.address import actor_address, parse_address
from node.chain import errors
from node.chain.event_filter import EventFilter
from node.chain.tipset import HeadChange, HeadChanges
from node.event_types import AllocationCreated
from node.events import ActorEvent
from node.lotus.client import LotusChain
from node.lotus.expected import Expected
from node.lotus.in_process import InProcessTransport
from node.network import network_named
from node.sim.chain import SimulatedChain
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.methods import Node
from node.sim.rpc.tokens import Tokens
from tests.unit.lotus.chains import chain_over, taken, whole
from tests.unit.lotus.questions import QUESTIONS, SUBSCRIPTIONS

PIECE = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
CLIENT, PROVIDER, NOTARY = (actor_address(actor_id) for actor_id in (2001, 3001, 2002))
Verb = Callable[..., Any]


@pytest.fixture
def dispatcher() -> Dispatcher:
    return Dispatcher(Node(SimulatedChain(), Tokens(b"secret")))


@pytest.fixture
def chain(dispatcher: Dispatcher) -> LotusChain:
    return chain_over(InProcessTransport(dispatcher), expected=Expected(network_named("simulated")))


@pytest.fixture
def verb(dispatcher: Dispatcher) -> Verb:
    return lambda name, *params: dispatcher.call(f"Sim.{name}", list(params))


@pytest.mark.parametrize("name", [*QUESTIONS, "head_changes", "follow"])
async def test_every_question_is_answered_or_refused_as_by_a_node(chain: LotusChain, verb: Verb, name: str) -> None:
    verb("Mine", 3)
    with suppress(errors.NotFound, errors.MessageRefused, errors.EpochAboveHead, errors.RefusedByActor):
        await (QUESTIONS | SUBSCRIPTIONS)[name](chain)


async def test_an_allocation_and_its_claim_are_seen(chain: LotusChain, verb: Verb) -> None:
    verb("AddVerifier", str(NOTARY), str(1 << 40))
    assert await chain.verifier_datacap_bytes(NOTARY) == 1 << 40
    before = await chain.head()
    (allocation_id,) = verb("Allocate", str(CLIENT), str(PROVIDER), [{"piece_cid": PIECE, "size_bytes": 1 << 35}])
    found = await chain.allocation(CLIENT, allocation_id)
    assert found is not None
    assert [found] == await whole(chain.allocations_of(CLIENT)) == await whole(chain.allocations())
    assert await whole(chain.allocations(at=before.key)) == []
    verb("Onboard", str(PROVIDER), [allocation_id])
    claim = await chain.claim(PROVIDER, allocation_id)
    assert claim is not None
    assert claim in await whole(chain.claims())
    assert await chain.allocation(CLIENT, allocation_id) is None
    events = await chain.actor_events(EventFilter(from_epoch=0, event_types=("allocation", "claim")))
    assert [event.payload.event_type for event in events] == ["allocation", "claim"]


async def test_head_events_and_a_fork_are_followed(chain: LotusChain, verb: Verb) -> None:
    emitters = (parse_address("f06"),)
    async with aclosing(chain.follow(EventFilter(emitters=emitters))) as stream:
        first = await anext(stream)
        assert isinstance(first, HeadChanges)
        assert [change.kind for change in first.changes] == ["current"]
        verb("Allocate", str(CLIENT), str(PROVIDER), [{"piece_cid": PIECE, "size_bytes": 1 << 35}])
        items: list[Any] = []
        while not any(isinstance(item, ActorEvent) and isinstance(item.payload, AllocationCreated) for item in items):
            items.append(await anext(stream))
        head = await chain.head()
        verb("Fork", 2)
        while not (isinstance(items[-1], HeadChanges) and HeadChange("revert", head) in items[-1].changes):
            items.append(await anext(stream))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("garbage", errors.GarbledAnswer),
        ("429", errors.RateLimited),
        ("hang", errors.NodeTimeout),
        ("cut", errors.AnswerCut),
        ("network", errors.WrongNetwork),
    ],
)
async def test_its_faults_are_those_of_a_node(
    chain: LotusChain, verb: Verb, kind: str, error: type[errors.ChainError]
) -> None:
    verb("Fault", {"methods": [], "kind": kind, "share": 1, "count": 10})
    with pytest.raises(error):
        await chain.head()


async def test_a_node_with_events_off_refuses_both_ways_to_them() -> None:
    node = Node(SimulatedChain(), Tokens(b"secret"), events_enabled=False)
    chain = chain_over(InProcessTransport(Dispatcher(node)))
    with pytest.raises(errors.ModuleDisabled):
        await chain.actor_events(EventFilter(from_epoch=0))
    with pytest.raises(errors.ModuleDisabled):
        await taken(chain.follow(EventFilter()), 1)
