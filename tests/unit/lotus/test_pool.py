"""Several nodes as one: who is asked, who rests, what is raised. Time moves only when somebody sleeps."""

from collections.abc import Callable
from typing import Any

import pytest

from node.chain import errors
from node.chain.event_filter import EventFilter
from node.chain.tipset import HeadChanges, StreamGap
from node.lotus.client import LotusChain
from node.lotus.expected import Expected
from node.lotus.limits import Retries
from node.lotus.transport import Call, Frame, RpcFault
from node.message import signed_message_cid
from node.network import network_named
from tests.recordings_player import FOLDERS, recorded_calls
from tests.unit.lotus.chains import Scripted, Time, always, chain_over, taken, whole
from tests.unit.lotus.questions import CLIENT, KEY, PROVIDER, SIGNED

GENESIS, HEAD = (
    next(
        call.response["result"]
        for call in recorded_calls(FOLDERS[2])
        if call.method == f"Filecoin.{method}" and isinstance(call.response, dict) and "result" in call.response
    )
    for method in ("ChainGetGenesis", "ChainHead")
)
DOWN = errors.NodeUnreachable("no connection")
PATIENT = Retries(rounds=3)


class Node(Scripted):
    """A node that answers network version `version`, unless something else is said."""

    def __init__(self, name: str, version: int = 28) -> None:
        super().__init__(self.respond, name)
        self.version = version
        self.faults: list[BaseException | None] = []
        """What the next questions meet; the last one stays."""

    def respond(self, call: Call) -> Any:
        fault = self.faults[0] if self.faults else None
        if len(self.faults) > 1:
            self.faults.pop(0)
        if fault is not None:
            return fault
        return {
            "Filecoin.ChainHead": HEAD,
            "Filecoin.ChainGetGenesis": GENESIS,
            "Filecoin.StateNetworkName": "testing",
        }.get(call.method, self.version)


@pytest.fixture
def a() -> Node:
    return Node("a", 1)


@pytest.fixture
def b() -> Node:
    return Node("b", 2)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def both(a: Node, b: Node, time: Time) -> LotusChain:
    return chain_over(a, b, time=time, retries=PATIENT)


async def test_the_preferred_node_is_asked_alone(both: LotusChain, b: Node) -> None:
    assert await both.network_version() == 1
    assert not b.asked


@pytest.mark.parametrize(
    "fault",
    [
        DOWN,
        errors.NodeTimeout("no answer"),
        errors.AnswerCut("cut"),
        errors.RateLimited("enough"),
        errors.GarbledAnswer("x"),
        RpcFault(-32601, "method 'Filecoin.StateNetworkVersion' not found"),
        RpcFault(1, "ipld: could not find bafy"),
        RpcFault(1, "missing permission to invoke 'X' (need 'read')"),
        RpcFault(1, "something odd"),
        RpcFault(1, "bad tipset: lookbacks of more than 24h0m0s are disallowed"),
    ],
)
async def test_what_one_node_cannot_say_another_may(
    both: LotusChain, a: Node, fault: BaseException, time: Time
) -> None:
    a.faults = [fault]
    assert await both.network_version() == 2
    assert not time.slept


async def test_what_makes_no_sense_is_not_asked_again(both: LotusChain, a: Node, b: Node) -> None:
    a.faults = [RpcFault(-32602, "wrong param count")]
    with pytest.raises(errors.BadRequest) as raised:
        await both.network_version()
    assert raised.value.node == "a"
    assert not b.asked


async def test_an_ill_node_rests_and_then_is_preferred_again(both: LotusChain, a: Node, time: Time) -> None:
    a.faults = [DOWN, None]
    assert [await both.network_version() for _ in range(3)] == [2, 2, 2]
    assert len(a.asked) == 1
    time.now_s += PATIENT.rest_s
    assert await both.network_version() == 1


async def test_a_node_rests_twice_as_long_each_time(both: LotusChain, a: Node, time: Time) -> None:
    a.faults = [DOWN]
    began, asked_at = time.now_s, []
    for _ in range(400):
        count = len(a.asked)
        await both.network_version()
        if len(a.asked) > count:
            asked_at.append(time.now_s - began)
        time.now_s += 1
    assert asked_at == [0, 5, 15, 35, 75, 155, 315]


async def test_all_nodes_down_is_tried_in_rounds_with_growing_pauses(
    both: LotusChain, a: Node, b: Node, time: Time
) -> None:
    a.faults = b.faults = [DOWN]
    with pytest.raises(errors.NodeUnreachable):
        await both.network_version()
    assert (len(a.asked), len(b.asked)) == (3, 3)
    assert time.slept == [0.5, 1.0]


async def test_a_single_node_is_asked_again_after_a_pause(a: Node, time: Time) -> None:
    a.faults = [DOWN, errors.NodeTimeout("no answer"), None]
    assert await chain_over(a, time=time, retries=PATIENT).network_version() == 1
    assert time.slept == [0.5, 1.0]


async def test_a_garbled_answer_is_not_asked_for_again(a: Node, time: Time) -> None:
    a.faults = [errors.GarbledAnswer("x")]
    with pytest.raises(errors.GarbledAnswer):
        await chain_over(a, time=time, retries=PATIENT).network_version()
    assert len(a.asked) == 1


async def test_retry_after_is_waited_for_where_it_is_bearable(a: Node, time: Time) -> None:
    a.faults = [errors.RateLimited("enough", retry_after_s=7), None]
    assert await chain_over(a, time=time, retries=PATIENT).network_version() == 1
    assert time.slept == [7]


async def test_retry_after_that_is_too_long_is_told_and_kept_to(a: Node, time: Time) -> None:
    a.faults = [errors.RateLimited("enough", retry_after_s=600), None]
    chain = chain_over(a, time=time, retries=PATIENT)
    for passed_s in (0, 100):
        time.now_s += passed_s
        with pytest.raises(errors.RateLimited) as raised:
            await chain.network_version()
        assert (raised.value.retry_after_s or 0) >= 500 - passed_s
    assert len(a.asked) == 1
    assert not time.slept
    time.now_s += 600
    assert await chain.network_version() == 1


def test_pauses_are_spread_at_random() -> None:
    retries = Retries(first_pause_s=4, longest_pause_s=10)
    draws: list[Callable[[], float]] = [lambda: 0.0, lambda: 0.999]
    assert [round(retries.pause_s(1, random=draw), 2) for draw in draws] == [4.0, 2.0]
    assert retries.pause_s(50, random=draws[0]) == 10


async def test_a_missing_method_is_remembered_for_a_while(both: LotusChain, a: Node, time: Time) -> None:
    a.faults = [RpcFault(-32601, "method 'Filecoin.StateNetworkVersion' not found"), None]
    assert [await both.network_version() for _ in range(3)] == [2, 2, 2]
    assert len(a.asked) == 1
    assert (await both.head()).epoch == HEAD["Height"]  # everything else is still asked of it
    assert len(a.asked) == 2
    time.now_s += PATIENT.forget_missing_s
    assert await both.network_version() == 1


async def test_a_disabled_module_is_raised_with_its_setting_where_no_node_has_it(a: Node, b: Node) -> None:
    a.faults = b.faults = [RpcFault(1, "module disabled, enable with Events.EnableActorEventsAPI")]
    chain = chain_over(a, b)
    for _ in range(2):
        with pytest.raises(errors.ModuleDisabled) as raised:
            await chain.actor_events(EventFilter(from_epoch=0))
        assert raised.value.setting == "Events.EnableActorEventsAPI"
    assert (len(a.asked), len(b.asked)) == (1, 1)


async def test_the_health_of_each_node_is_told(both: LotusChain, a: Node, time: Time) -> None:
    a.faults = [DOWN]
    await both.network_version()
    time.now_s += 2
    ill, well = both.health()
    assert (ill.name, ill.failures, ill.rests_s) == ("a", 1, 3.0)
    assert (well.name, well.failures, well.rests_s, well.missing_methods) == ("b", 0, 0.0, ())


async def test_one_node_can_be_asked_alone(both: LotusChain, a: Node) -> None:
    assert both.nodes == ("a", "b")
    assert await both.on("b").network_version() == 2
    assert not a.asked
    with pytest.raises(KeyError):
        both.on("c")


async def test_a_node_of_another_network_is_never_asked_anything_else(a: Node, b: Node) -> None:
    a.faults = [None]
    original = a.respond
    a.answer = lambda call: "mainnet" if call.method == "Filecoin.StateNetworkName" else original(call)
    chain = chain_over(a, b, expected=Expected(network_named("devnet")))
    assert await chain.network_version() == 2
    assert {call.method for call in a.asked} == {"Filecoin.StateNetworkName", "Filecoin.ChainGetGenesis"}


async def test_nodes_of_two_devnets_are_not_mixed(a: Node, b: Node) -> None:
    genesis, original = {**GENESIS, "Cids": [{"/": str(KEY.cids[0])}]}, b.respond
    b.answer = lambda call: genesis if call.method == "Filecoin.ChainGetGenesis" else original(call)
    chain = chain_over(a, b, expected=Expected(network_named("devnet")))
    assert await chain.network_version() == 1
    with pytest.raises(errors.WrongNetwork, match="genesis"):
        await chain.on("b").network_version()


async def test_a_node_proves_its_network_once_and_again_after_an_illness(a: Node, time: Time) -> None:
    chain = chain_over(a, time=time, retries=PATIENT, expected=Expected(network_named("devnet")))
    for _ in range(3):
        await chain.network_version()
    assert [call.method for call in a.asked].count("Filecoin.ChainGetGenesis") == 1
    a.faults = [DOWN, None]
    await chain.network_version()
    assert [call.method for call in a.asked].count("Filecoin.ChainGetGenesis") == 2


async def test_an_old_head_is_not_synced(a: Node) -> None:
    with pytest.raises(errors.NodeNotSynced) as raised:
        await chain_over(a, stale_after_s=300).head()
    assert raised.value.head_epoch == HEAD["Height"]
    assert (await chain_over(a).head()).epoch == HEAD["Height"]


# Writes


def _pushes(*nodes: Node) -> list[int]:
    return [sum(call.method == "Filecoin.MpoolPush" for call in node.asked) for node in nodes]


TAKEN = {"/": str(signed_message_cid(SIGNED))}
AGAIN = RpcFault(1, "message from f1 with nonce 0 already in mpool: message with nonce already exists")
TOO_LOW = RpcFault(1, "minimum expected nonce is 17, got 0: message nonce too low")


@pytest.mark.parametrize(
    ("of_a", "of_b"), [(TAKEN, TAKEN), (TAKEN, DOWN), (DOWN, TAKEN), (AGAIN, DOWN), (TOO_LOW, AGAIN)]
)
async def test_a_push_goes_to_every_node_once_and_one_that_takes_it_is_enough(
    both: LotusChain, a: Node, b: Node, of_a: Any, of_b: Any
) -> None:
    a.answer, b.answer = always(of_a), always(of_b)
    assert await both.push(SIGNED) == signed_message_cid(SIGNED)
    assert _pushes(a, b) == [1, 1]


@pytest.mark.parametrize(
    ("of_a", "of_b", "kind"),
    [
        (DOWN, TOO_LOW, errors.NonceTooLow),
        (TOO_LOW, DOWN, errors.NonceTooLow),
        (DOWN, RpcFault(1, "missing permission to invoke 'MpoolPush' (need 'write')"), errors.NodeUnreachable),
        (DOWN, DOWN, errors.NodeUnreachable),
        ({"/": str(KEY.cids[0])}, DOWN, errors.NodeUnreachable),
        (RpcFault(1, "something new"), RpcFault(1, "something new"), errors.MessageRefused),
    ],
)
async def test_a_push_that_no_node_takes_raises_what_tells_most(
    both: LotusChain, a: Node, b: Node, time: Time, of_a: Any, of_b: Any, kind: type[errors.ChainError]
) -> None:
    a.answer, b.answer = always(of_a), always(of_b)
    with pytest.raises(kind):
        await both.push(SIGNED)
    assert _pushes(a, b) == [1, 1]
    assert not time.slept


async def test_a_push_goes_to_a_node_at_rest_too_and_to_one_alone_if_asked(both: LotusChain, a: Node, b: Node) -> None:
    a.faults = [DOWN]
    await both.network_version()
    a.answer = b.answer = always(TAKEN)
    await both.push(SIGNED)
    await both.on("b").push(SIGNED)
    assert _pushes(a, b) == [1, 2]


# Streams


STATE = ['{"id":1,"result":{"1":{', '"x":1},"2":{"y":2}}}']


async def test_another_node_streams_where_the_first_has_not_begun(both: LotusChain, a: Node, b: Node) -> None:
    a.answer, b.answer = always(DOWN), always(STATE)
    assert [record.key for record in await whole(both.deals())] == ["1", "2"]
    a.answer = always([STATE[0], DOWN])
    assert [record.key for record in await whole(both.on("b").deals())] == ["1", "2"]


async def test_a_stream_that_breaks_after_it_began_is_not_begun_anew(a: Node, b: Node) -> None:
    a.answer, b.answer = always(['{"id":1,"result":{"1":{},', DOWN]), always(STATE)
    stream = chain_over(a, b).deals()
    assert (await anext(stream)).key == "1"  # type: ignore[union-attr]
    with pytest.raises(errors.NodeUnreachable):
        await anext(stream)
    assert not b.asked


async def test_an_empty_state_streams_nothing(a: Node) -> None:
    for text in ('{"id":1,"result":{}}', '{"id":1,"result":null}'):
        a.answer = always([text])
        assert await whole(chain_over(a).deals()) == []


async def test_over_a_gateway_claims_are_read_provider_by_provider_at_one_tipset(a: Node) -> None:
    claims = next(
        call.response["result"] for call in recorded_calls(FOLDERS[1]) if call.method == "Filecoin.StateGetClaims"
    )

    def gateway(call: Call) -> Any:
        if call.method == "Filecoin.StateGetAllClaims":
            return RpcFault(-32601, "method 'Filecoin.StateGetAllClaims' not found")
        if call.method == "Filecoin.StateListMiners":
            return [f"f0{provider}" for provider in range(1000, 1070)]
        return HEAD if call.method == "Filecoin.ChainHead" else claims if call.params[0] == "f01000" else {}

    a.answer = gateway
    found = await whole(chain_over(a).claims())
    assert [claim.id for claim in found] == [1, 2]
    asked = [call for call in a.asked if call.method in {"Filecoin.StateGetClaims", "Filecoin.StateListMiners"}]
    assert {str(call.params[-1]) for call in asked} == {str(HEAD["Cids"])}


async def test_claims_that_are_too_many_at_once_are_streamed_provider_by_provider(a: Node) -> None:
    def gateway(call: Call) -> Any:
        answers = {"Filecoin.StateListMiners": ["f01000", "f01001"], "Filecoin.ChainHead": HEAD}
        return answers.get(call.method, RpcFault(-32601, f"method '{call.method}' not found"))

    class Streaming(Node):
        async def batch(self, calls: Any) -> Any:
            raise errors.AnswerTooLarge("too much")

        async def stream(self, call: Call) -> Any:
            if call.method != "Filecoin.StateGetClaims":
                raise RpcFault(-32601, "method not found")
            yield f'{{"id":1,"result":{{"{str(call.params[0])[2:]}":{{}}}}}}'

    node = Streaming("a")
    node.answer = gateway
    assert [record.key for record in await whole(chain_over(node).claims())] == ["1000", "1001"]


# Subscriptions


def _frames(*heights: int) -> list[Any]:
    change = {"Type": "current", "Val": HEAD}
    return [Frame(0, [change]) for _ in heights]


BROKEN = errors.StreamBroken("over")


async def test_a_broken_subscription_goes_on_at_the_next_node(both: LotusChain, a: Node, b: Node, time: Time) -> None:
    a.frames, b.frames = [[*_frames(1), BROKEN]], [[*_frames(1, 2), BROKEN]]
    items = await taken(both.head_changes(), 4)
    assert [getattr(item, "node", None) for item in items] == ["a", "a", "b", "b"]
    assert [type(item) for item in items] == [HeadChanges, StreamGap, HeadChanges, HeadChanges]
    assert time.slept == [0.5]


async def test_nodes_that_are_all_down_are_tried_for_ever_and_each_failure_is_told(
    both: LotusChain, a: Node, b: Node, time: Time
) -> None:
    a.frames = b.frames = [[DOWN] for _ in range(100)]
    items = await taken(both.head_changes(), 20)
    assert all(isinstance(item, StreamGap) for item in items)
    assert {item.node for item in items} == {"a", "b"}
    assert time.slept[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(time.slept) == PATIENT.longest_pause_s


async def test_a_node_that_cannot_subscribe_is_passed_over(both: LotusChain, a: Node, b: Node) -> None:
    a.frames = [[RpcFault(-32601, "method 'Filecoin.SubscribeActorEventsRaw' not found")]]
    b.frames = [[BROKEN], _frames(1)]
    (gap, change) = await taken(both.follow(), 2)
    assert isinstance(gap, StreamGap)
    assert (gap.node, change.node) == ("b", "b")
    assert len(a.subscriptions) == 1


async def test_where_no_node_can_subscribe_that_is_raised(both: LotusChain, a: Node, b: Node) -> None:
    a.frames = [[RpcFault(1, "module disabled, enable with Events.EnableActorEventsAPI", index=1)]]
    b.frames = [[RpcFault(-32601, "method 'Filecoin.SubscribeActorEventsRaw' not found", index=1)]]
    with pytest.raises(errors.NotSupported):
        await anext(both.follow(EventFilter()))


async def test_a_subscription_waits_as_long_as_it_is_asked_to(a: Node, time: Time) -> None:
    a.frames = [
        [errors.RateLimited("enough", retry_after_s=100)],
        [errors.RateLimited("enough", retry_after_s=9999)],
        _frames(1),
    ]
    await taken(chain_over(a, time=time, retries=PATIENT).head_changes(), 3)
    assert time.slept == [100, PATIENT.longest_rest_s]


async def test_too_wide_a_history_is_raised_at_once(both: LotusChain, a: Node, b: Node) -> None:
    text = "invalid epoch range: range between to and 'from' heights is too large (maximum: 2880)"
    a.frames = [[RpcFault(1, text)]]
    with pytest.raises(errors.RangeTooWide):
        await anext(both.actor_event_stream(EventFilter(from_epoch=0)))
    assert not b.subscriptions


async def test_the_address_of_a_record_must_be_the_one_that_was_asked_for(a: Node) -> None:
    claim = next(
        call.response["result"] for call in recorded_calls(FOLDERS[1]) if call.method == "Filecoin.StateGetClaim"
    )
    a.answer = always({**claim, "Provider": 1001})
    with pytest.raises(errors.GarbledAnswer, match="f01001"):
        await chain_over(a).claim(PROVIDER, 1)
    a.answer = always({**claim, "Provider": 1001, "Client": 7, "Expiration": 9})
    assert (await chain_over(a).allocation(CLIENT, 1)) is not None  # an f1 tells nothing of its id
