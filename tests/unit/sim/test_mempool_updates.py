"""MpoolSub: each message is told when it comes and when it goes, once."""

from typing import Any

from node.sim.chain import Options
from tests.unit.sim.builders import Caller

ADDED, REMOVED = 0, 1


def followed(caller: Caller) -> list[tuple[int, int]]:
    """What the mempool tells from now on: a kind and a nonce."""
    heard: list[tuple[int, int]] = []

    def hear(value: Any) -> None:
        heard.append((value["Type"], value["Message"]["Message"]["Nonce"]))

    caller.dispatcher.subscribe("Filecoin.MpoolSub", [], hear)
    return heard


def push(caller: Caller) -> None:
    """Pushes the faucet's next message."""
    caller("MpoolPushMessage", {"To": "f01", "From": "f0100", "Method": 0, "Value": "1"}, None)


def test_a_tipset_that_grows_by_blocks_takes_a_message_once() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(4, 4)))
    heard = followed(caller)
    push(caller)
    caller("Sim.Mine", 2)
    assert heard == [(ADDED, 0), (REMOVED, 0)]


def test_what_a_fork_puts_back_comes_again_and_goes_once() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(3, 3)))
    for _ in range(3):
        push(caller)
        caller("Sim.Mine", 1)
    heard = followed(caller)
    caller("Sim.Fork", 2)
    assert heard == [(ADDED, 2), (ADDED, 1)] or heard == [(ADDED, 1), (ADDED, 2)]
    assert [one["Message"]["Nonce"] for one in caller("MpoolPending", None)] == [1, 2]
    heard.clear()
    caller("Sim.Mine", 2)
    assert heard == [(REMOVED, 1), (REMOVED, 2)]


def test_a_message_that_one_change_takes_and_gives_back_is_not_touched() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(1, 1)))
    push(caller)
    number = caller("Sim.Snapshot")
    caller("Sim.Mine", 1)
    with_message = caller.chain.head
    caller("Sim.Revert", number)
    caller("Sim.Mine", 1, 2)
    heard = followed(caller)
    caller("ChainSetHead", [{"/": str(cid)} for cid in with_message.key])
    assert (heard, caller("MpoolPending", None)) == ([], [])


def test_a_revert_tells_what_comes_back_and_what_is_forgotten() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(1, 1)))
    push(caller)
    number = caller("Sim.Snapshot")
    caller("Sim.Mine", 2)
    push(caller)
    heard = followed(caller)
    caller("Sim.Revert", number)
    assert sorted(heard) == [(ADDED, 0), (REMOVED, 1)]
    caller("Sim.Mine", 1)
    assert heard[-1] == (REMOVED, 0)
