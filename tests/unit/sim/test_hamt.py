"""The order of a trie's keys, against the state tree of a real node."""

from node.address import parse_address
from node.sim.hamt import hamt_order
from tests.contract.recorded_calls import calls_of


def test_actors_are_listed_in_the_order_of_a_real_state_tree() -> None:
    listed = next(call for call in calls_of("03") if call.method == "StateListActors").result
    by_key = {parse_address(text).to_bytes(): text for text in sorted(listed)}
    assert [by_key[key] for key in hamt_order(by_key)] == listed


def test_the_order_does_not_follow_that_of_the_questions() -> None:
    keys = [number.to_bytes(2, "big") for number in range(1000)]
    assert hamt_order(keys) == hamt_order(reversed(keys))
    assert sorted(hamt_order(keys)) == keys


def test_nothing_has_an_order() -> None:
    assert hamt_order([]) == []
