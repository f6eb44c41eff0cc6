"""Faults of subscriptions: of their opening and of their frames."""

from typing import Any

import pytest

from node.devnet.session import Session
from node.sim.chain import Options
from tests.unit.devnet.kept_line import KeptLine
from tests.unit.devnet.test_session import send, session_of
from tests.unit.sim.builders import Caller

NOTIFY = "Filecoin.ChainNotify"
HTML = b"<html>"


@pytest.fixture
def caller() -> Caller:
    made = Caller(Options(seed=1, blocks_per_tipset=(1, 1)))
    made("Sim.Mine", 20)
    return made


def order(caller: Caller, kind: str, count: int = 1, method: str = NOTIFY) -> None:
    """Orders a fault of a channel."""
    caller("Sim.Fault", {"methods": [method], "kind": kind, "share": 1, "count": count})


def left(caller: Caller) -> int:
    """How many strikes are left."""
    return sum(one.left for one in caller.node.faults.orders)


def opened(caller: Caller) -> tuple[Session, KeptLine]:
    """A session that follows the head, nothing told yet that is of interest."""
    session, line = session_of(caller)
    send(session, 1, NOTIFY)
    assert [frame["params"][1][0]["Type"] for frame in line.frames[1:]] == ["current"]
    line.sent.clear()
    return session, line


def changes(frame: Any) -> list[tuple[str, int]]:
    """What a frame of ChainNotify tells."""
    return [(change["Type"], change["Val"]["Height"]) for change in frame["params"][1]]


def test_an_opening_takes_one_strike_and_its_first_frame_another(caller: Caller) -> None:
    order(caller, "stale", count=5)
    session, line = session_of(caller)
    send(session, 1, NOTIFY)
    assert len(line.frames) == 2
    assert left(caller) == 3


def test_too_many_requests_refuse_an_opening(caller: Caller) -> None:
    order(caller, "429")
    session, line = session_of(caller)
    send(session, 1, NOTIFY)
    caller("Sim.Mine", 1)
    assert (line.is_refused, line.frames) == (True, [])


def test_an_opening_that_hangs_is_never_answered(caller: Caller) -> None:
    order(caller, "hang")
    session, line = session_of(caller)
    send(session, 1, NOTIFY)
    caller("Sim.Mine", 1)
    send(session, 2, "Filecoin.StateNetworkName")
    assert [frame["id"] for frame in line.frames] == [2]


def test_an_opening_is_cut_garbled_or_lost(caller: Caller) -> None:
    for kind in ("cut", "garbage", "lost"):
        order(caller, kind)
        session, line = session_of(caller)
        send(session, 1, NOTIFY)
        caller("Sim.Mine", 1)
        told = [frame[:6] if isinstance(frame, bytes) else frame["result"] for frame in line.frames]
        assert told == {"cut": [], "garbage": [HTML], "lost": [1]}[kind]
        assert len(line.cut_frames) == (kind == "cut")


def test_a_node_that_is_behind_begins_with_an_older_head(caller: Caller) -> None:
    order(caller, "stale")
    session, line = session_of(caller)
    send(session, 1, NOTIFY)
    caller("Sim.Mine", 1)
    assert [changes(frame) for frame in line.frames[1:]] == [[("current", 10)], [("apply", 21)]]


def test_the_chain_forks_before_an_opening(caller: Caller) -> None:
    before = caller.chain.head.key
    order(caller, "fork")
    session, line = session_of(caller)
    send(session, 1, NOTIFY)
    assert changes(line.frames[1]) == [("current", 21)]
    assert caller.chain.canon.at(20).key != before


def test_frames_are_garbled_lost_cut_or_refused(caller: Caller) -> None:
    for kind in ("garbage", "lost", "cut", "429"):
        _, line = opened(caller)
        order(caller, kind)
        caller("Sim.Mine", 1)
        assert [frame[:6] for frame in line.frames] == ([HTML] if kind == "garbage" else [])
        assert (len(line.cut_frames), line.is_refused) == (kind == "cut", kind == "429")
        line.sent.clear()
        caller("Sim.Mine", 1)
        assert [changes(frame) for frame in line.frames] == [[("apply", caller.height)]]


def test_hanging_keeps_frames_back_for_as_many_as_are_struck(caller: Caller) -> None:
    _, line = opened(caller)
    order(caller, "hang", count=2)
    caller("Sim.Mine", 2)
    assert line.frames == []
    caller("Sim.Mine", 1)
    assert [changes(frame) for frame in line.frames] == [[("apply", 21)], [("apply", 22)], [("apply", 23)]]


def test_a_node_that_falls_behind_names_an_older_head(caller: Caller) -> None:
    _, line = opened(caller)
    order(caller, "stale")
    caller("Sim.Mine", 1)
    assert [changes(frame) for frame in line.frames] == [[("current", 11)]]


def test_the_chain_forks_before_a_frame_and_tells_that_after_it_in_order(caller: Caller) -> None:
    _, line = opened(caller)
    order(caller, "fork", count=-1)
    caller("Sim.Mine", 1)
    told = [changes(frame) for frame in line.frames]
    assert told == [[("apply", 21)], [("revert", 21), ("apply", 21), ("apply", 22)]]


def test_two_followers_of_a_chain_that_always_forks_come_to_rest(caller: Caller) -> None:
    lines = [opened(caller)[1] for _ in range(2)]
    order(caller, "fork", count=-1)
    caller("Sim.Mine", 1)
    for _ in range(3):
        counts = [len(line.frames) for line in lines]
    assert counts == [len(line.frames) for line in lines]
    assert caller.height < 30


def test_another_networks_tipsets_follow_from_one_another(caller: Caller) -> None:
    order(caller, "network", count=-1)
    session, line = session_of(caller)
    send(session, 1, NOTIFY)
    caller("Sim.Mine", 1)
    first, second = (frame["params"][1][0]["Val"] for frame in line.frames[1:])
    assert second["Blocks"][0]["Parents"] == first["Cids"]
    assert first["Cids"] != caller("ChainGetTipSetByHeight", 20, None)["Cids"]


def test_other_channels_are_struck_by_their_own_names(caller: Caller) -> None:
    session, line = opened(caller)
    send(session, 2, "eth_subscribe", "newHeads")
    order(caller, "garbage", count=-1, method="eth_subscribe")
    line.sent.clear()
    caller("Sim.Mine", 2)
    assert [isinstance(frame, bytes) for frame in line.frames].count(True) == 2
    assert [changes(frame) for frame in line.frames if not isinstance(frame, bytes)] == [
        [("apply", 21)],
        [("apply", 22)],
    ]
