"""Changes of the head and events as they come: Lotus' frames and their order."""

from typing import Any

from node.sim.chain import Options
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces

STRANGER = "f1kcyt4uzqlcb7xkpawvgah3vbxlhfaeibokncmhq"


def _subscribed(caller: Caller, *names_and_filters: tuple[str, list[Any]]) -> list[tuple[str, Any]]:
    """Every value of the channels, with the method that opened each."""
    heard: list[tuple[str, Any]] = []
    for name, params in names_and_filters:
        opened = caller.dispatcher.subscribe(
            f"Filecoin.{name}",
            params,
            lambda value, name=name: heard.append((name, value)),  # type: ignore[misc]
        )
        heard.extend((name, value) for value in opened.first)
    return heard


def _kinds(frame: tuple[str, Any]) -> Any:
    """What a frame says, in short."""
    name, value = frame
    if name == "ChainNotify":
        return [(change["Type"], change["Val"]["Height"], len(change["Val"]["Cids"])) for change in value]
    return "event", value["height"], value["reverted"]


def test_a_tipset_of_two_blocks_comes_as_one_block_and_then_again_as_two() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(2, 2)))
    heard = _subscribed(caller, ("ChainNotify", []))
    caller("Sim.Mine", 2)
    assert list(map(_kinds, heard)) == [
        [("current", 0, 1)],
        [("apply", 1, 1)],
        [("revert", 1, 1), ("apply", 1, 2)],
        [("apply", 2, 1)],
        [("revert", 2, 1), ("apply", 2, 2)],
    ]


def test_events_come_with_the_child_of_their_tipset_and_again_when_it_is_replaced() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(2, 2)))
    heard = _subscribed(caller, ("ChainNotify", []), ("SubscribeActorEventsRaw", [{"addresses": ["f06"]}]))
    caller("Sim.AddVerifier", "f0101", str(1 << 50))
    at = caller.height - 1
    assert list(map(_kinds, heard))[-5:] == [
        [("apply", at + 1, 1)],
        ("event", at, False),
        [("revert", at + 1, 1), ("apply", at + 1, 2)],
        ("event", at, True),
        ("event", at, False),
    ]


def test_a_fork_is_one_frame_of_reverts_from_above_and_applies_from_below() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(1, 1)))
    caller("Sim.Mine", 5)
    heard = _subscribed(caller, ("ChainNotify", []))
    caller("Sim.Fork", 2)
    frame = [(kind, height) for kind, height, _ in _kinds(heard[-1])]
    assert frame == [("revert", 5), ("revert", 4), ("apply", 4), ("apply", 5), ("apply", 6)]


def test_a_filter_with_a_first_height_begins_with_past_events() -> None:
    caller = Caller()
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    heard = _subscribed(caller, ("SubscribeActorEventsRaw", [{"fromHeight": 0, "addresses": ["f06"]}]))
    assert [value for _, value in heard] == caller("GetActorEventsRaw", {"fromHeight": 0, "addresses": ["f06"]})
    caller("Sim.Onboard", PROVIDER, [1])
    assert [value for _, value in heard if not value["reverted"]][-1]["entries"][0]["Value"] == "ZWNsYWlt"


def test_a_closed_channel_hears_nothing_more() -> None:
    caller = Caller()
    heard: list[Any] = []
    opened = caller.dispatcher.subscribe("Filecoin.ChainNotify", [], heard.append)
    opened.close()
    caller("Sim.Mine", 1)
    assert heard == []


def test_the_mempool_tells_what_comes_and_goes() -> None:
    caller = Caller()
    heard: list[Any] = []
    caller.dispatcher.subscribe("Filecoin.MpoolSub", [], heard.append)
    caller("Sim.Fund", STRANGER, "5")
    assert [one["Type"] for one in heard] == [0, 1]
