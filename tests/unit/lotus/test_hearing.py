"""What is heard of nodes' heads beside everything else, and how seldom a node of another network is asked."""

from dataclasses import replace
from typing import Any

import pytest

from node.chain import errors
from node.lotus import decoding
from node.lotus.expected import Expected
from node.lotus.hearing import BEHIND_EPOCHS, Hearing
from node.lotus.limits import Retries
from node.lotus.listening import IDENTITY_S
from node.lotus.transport import Call
from node.network import network_named
from tests.unit.lotus.chains import Time, chain_over
from tests.unit.lotus.questions import KEY
from tests.unit.lotus.test_pool import DOWN, GENESIS, HEAD, Node

DEVNET = Expected(network_named("devnet"))
TIPSET = decoding.tipset(HEAD)


def at(epochs: int, weight: int) -> Any:
    return replace(TIPSET, epoch=TIPSET.epoch + epochs, parent_weight=TIPSET.parent_weight + weight)


@pytest.fixture
def time() -> Time:
    return Time()


async def listen(chain: Any, *, quiet_s: float = 5) -> Any:
    await chain.listen(timeout_s=5, quiet_s=quiet_s)
    return chain.health()


async def test_a_head_is_asked_for_only_when_none_was_told_for_a_while(time: Time) -> None:
    node = Node("a")
    chain = chain_over(node, time=time)
    (first,) = await listen(chain)
    assert (first.heard_at, first.head_epoch, first.error) == (time.now_s, HEAD["Height"], None)
    asked = len(node.asked)
    time.now_s += 4
    await listen(chain)
    assert len(node.asked) == asked
    time.now_s += 1
    await listen(chain)
    assert len(node.asked) == asked + 1


async def test_a_node_that_fails_is_unheard_since_the_first_failure(time: Time) -> None:
    node = Node("a")
    chain = chain_over(node, time=time)
    await listen(chain)
    heard_at, node.faults = time.now_s, [DOWN]
    for _ in range(3):
        time.now_s += 5
        (health,) = await listen(chain)
    assert (health.heard_at, health.unheard, health.failing_since) == (heard_at, "a: no connection", heard_at + 5)
    assert health.rests_s == 0  # following decides whether it is asked for other things
    node.faults = []
    (health,) = await listen(chain)
    assert (health.error, health.failing_since, health.heard_at) == (None, None, time.now_s)


async def test_a_node_whose_head_is_far_behind_anothers_is_named(time: Time) -> None:
    ahead, behind = Node("ahead"), Node("behind")
    told, answer = {**HEAD, "Height": HEAD["Height"] + 500}, ahead.answer
    told["Blocks"] = [{**block, "Height": told["Height"]} for block in HEAD["Blocks"]]
    ahead.answer = lambda call: told if call.method == "Filecoin.ChainHead" else answer(call)
    chain = chain_over(ahead, behind, time=time)
    for _ in range(2):
        first, second = await listen(chain)
        time.now_s += 5
    assert (first.error, second.unheard) == (None, None)
    assert second.error == f"behind: its head at epoch {HEAD['Height']} is 500 epochs behind another's"
    assert second.failing_since == time.now_s - 10
    ahead.answer = answer
    ahead.faults = [DOWN]
    first, second = await listen(chain)
    assert (first.error, second.error) == ("ahead: no connection", None)


async def test_a_node_that_wants_to_be_left_alone_is(time: Time) -> None:
    node = Node("a")
    chain = chain_over(node, time=time)
    node.faults = [errors.RateLimited("enough", retry_after_s=60)]
    with pytest.raises(errors.RateLimited):
        await chain.network_version()
    asked = len(node.asked)
    await listen(chain)
    assert len(node.asked) == asked


async def test_a_node_of_another_network_is_asked_ever_more_seldom_and_used_once_it_is_right(time: Time) -> None:
    node = Node("a")
    honest, wrong = node.answer, {"is": True}

    def answer(call: Call) -> Any:
        return "mainnet" if wrong["is"] and call.method == "Filecoin.StateNetworkName" else honest(call)

    node.answer = answer
    retries = Retries(rounds=1)
    chain = chain_over(node, time=time, expected=DEVNET, retries=retries)
    for _ in range(600):
        with pytest.raises(errors.WrongNetwork, match="FILPLUS_CHAIN_URL"):
            await chain.network_version()
        (health,) = await listen(chain)
        time.now_s += 1
    names = [call for call in node.asked if call.method == "Filecoin.StateNetworkName"]
    assert len(names) == health.failures <= 600 / retries.longest_refusal_s + 4
    assert (health.head_epoch, health.proven) == (None, False)
    assert "not of devnet" in health.error
    wrong["is"] = False
    time.now_s += retries.longest_refusal_s
    (health,) = await listen(chain)
    assert (health.proven, health.head_epoch, health.unheard) == (True, HEAD["Height"], None)


def test_a_head_that_goes_far_back_without_a_word_is_an_error() -> None:
    hearing = Hearing(lambda: 7.0)
    hearing.told(at(0, 0))
    hearing.told(at(-BEHIND_EPOCHS, -1))
    assert (hearing.ailment.error, hearing.head) == (None, at(0, 0))
    hearing.told(at(-BEHIND_EPOCHS - 1, -2))
    assert f"from epoch {TIPSET.epoch} to" in str(hearing.ailment.error)
    hearing.told(at(1, 1))
    assert (hearing.ailment.error, hearing.head) == (None, at(1, 1))


def test_a_node_that_says_that_it_reverted_is_believed() -> None:
    hearing = Hearing(lambda: 7.0)
    hearing.told(at(0, 0))
    hearing.told(at(-50, -50), is_explicit=True)
    assert (hearing.ailment.error, hearing.head) == (None, at(-50, -50))


async def test_the_preferred_node_says_which_chain_it_is_all_about(time: Time) -> None:
    a, b = Node("a"), Node("b")
    original, genesis = a.answer, {**GENESIS, "Cids": [{"/": str(KEY.cids[0])}]}
    a.answer = lambda call: genesis if call.method == "Filecoin.ChainGetGenesis" else original(call)
    a.faults = [DOWN, None]
    chain = chain_over(a, b, time=time, expected=DEVNET)
    await listen(chain)
    assert not b.asked
    await listen(chain)
    first, second = await listen(chain)
    assert (first.proven, second.proven) == (True, False)
    assert "another chain" in second.error


async def test_a_node_is_asked_for_its_network_again_now_and_then_and_when_it_failed(time: Time) -> None:
    node = Node("a")
    chain = chain_over(node, time=time, expected=DEVNET)

    def times_asked() -> int:
        return sum(call.method == "Filecoin.ChainGetGenesis" for call in node.asked)

    await listen(chain, quiet_s=1000)
    assert times_asked() == 1
    time.now_s += IDENTITY_S - 1
    await listen(chain, quiet_s=1000)
    assert times_asked() == 1
    time.now_s += 1
    await listen(chain, quiet_s=1000)
    assert times_asked() == 2
    time.now_s += 5
    node.faults = [DOWN]
    await listen(chain)
    node.faults, asked = [], times_asked()
    (health,) = await listen(chain)
    assert (times_asked(), health.error) == (asked + 1, None)


async def test_a_node_replaced_by_one_of_another_network_is_found_out(time: Time) -> None:
    node = Node("a")
    honest = node.answer
    chain = chain_over(node, time=time, expected=DEVNET)
    await listen(chain)
    node.answer = lambda call: "mainnet" if call.method == "Filecoin.StateNetworkName" else honest(call)
    time.now_s += IDENTITY_S
    (health,) = await listen(chain)
    assert (health.is_foreign, health.proven, health.head_epoch) == (True, False, None)
    assert 0 < health.left_alone_s <= Retries().longest_refusal_s
