"""A node that stands still while others move, changes that don't follow from one another, and what a gap tells."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from node.chain import errors
from node.chain.tipset import HeadChange, HeadChanges, StreamGap, TipSet
from node.lotus import decoding
from node.lotus.trail import Trail, check_path
from node.lotus.transport import Call, Frame
from tests.recordings_player import RECORDINGS, recorded_calls, recorded_frames, websockets
from tests.unit.lotus.chains import RECORDED_AT, Scripted, Time, chain_over, taken

READS = "03-reads-errors-events-nv28"
CHANGES: list[list[Any]] = [
    line["frame"]["params"][1]
    for line in recorded_frames(RECORDINGS / READS / "ws-chainnotify.ndjson")
    if line["dir"] == "recv" and line["frame"].get("method") == "xrpc.ch.val"
]
CURRENT, APPLY = CHANGES[0], CHANGES[1]
BROKEN = errors.StreamBroken("over")


def head_of(change: Any) -> Any:
    return change[-1]["Val"]


class Standing(Scripted):
    """A node that tells some changes of its head and then nothing more; asked for its head, it says `head`."""

    def __init__(self, name: str, head: Any, *connections: Sequence[Any]) -> None:
        super().__init__(lambda _: self.head, name)
        self.head = head
        self.connections = [list(each) for each in connections]

    async def subscribe(self, calls: Sequence[Call]) -> AsyncGenerator[Frame, None]:
        for change in self.connections.pop(0) if self.connections else []:
            if isinstance(change, Exception):
                raise change
            yield Frame(0, change)
        await asyncio.Event().wait()


@pytest.fixture
def time() -> Time:
    return Time()


async def test_a_node_that_stands_still_is_left_for_one_that_is_beyond(time: Time) -> None:
    a = Standing("a", head_of(CURRENT), [CURRENT])
    b = Standing("b", head_of(APPLY), [[{"Type": "current", "Val": head_of(APPLY)}]])
    items = await taken(chain_over(a, b, time=time, stalled_after_s=100).head_changes(), 3)
    current, gap, other = items
    assert isinstance(gap, StreamGap)
    assert "b is at epoch 264" in gap.reason
    assert gap.last_head == current.changes[-1].tipset
    assert other.node == "b"
    assert time.now_s - 1000 >= 100


async def test_a_subscription_that_died_is_noticed_by_the_nodes_own_head(time: Time) -> None:
    alone = Standing("a", head_of(APPLY), [CURRENT], [CURRENT, APPLY])
    items = await taken(chain_over(alone, time=time, stalled_after_s=100).head_changes(), 4)
    assert [type(item) for item in items] == [HeadChanges, StreamGap, HeadChanges, HeadChanges]


async def test_a_chain_that_stands_still_everywhere_is_no_fault_of_a_node(time: Time) -> None:
    a, b = (Standing(name, head_of(CURRENT), [CURRENT]) for name in "ab")
    async with aclosing(chain_over(a, b, time=time, stalled_after_s=100).head_changes()) as stream:
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        for _ in range(2000):
            await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
    assert time.now_s > 2000
    assert a.asked
    assert b.asked


async def test_a_node_whose_head_is_too_old_is_not_followed(time: Time) -> None:
    age_s = RECORDED_AT.timestamp() - head_of(CURRENT)["Blocks"][0]["Timestamp"]
    a = Standing("a", head_of(CURRENT), [CURRENT], [CURRENT])
    items = await taken(chain_over(a, time=time, stale_after_s=age_s - 1).head_changes(), 2)
    assert all(isinstance(item, StreamGap) and "s old" in item.reason for item in items)
    fresh = chain_over(Standing("a", None, [CURRENT]), stale_after_s=age_s + 1)
    assert isinstance((await taken(fresh.head_changes(), 1))[0], HeadChanges)


async def test_a_head_that_grows_old_in_silence_is_noticed(time: Time) -> None:
    age = RECORDED_AT.timestamp() - head_of(CURRENT)["Blocks"][0]["Timestamp"]
    a = Standing("a", head_of(CURRENT), [CURRENT])
    chain = chain_over(a, time=time, stale_after_s=age + 50)
    chain._watch = replace(chain._watch, wall_clock=lambda: RECORDED_AT + timedelta(seconds=time.now_s - 1000))
    current, gap = await taken(chain.head_changes(), 2)
    assert isinstance(current, HeadChanges)
    assert isinstance(gap, StreamGap)


async def test_a_change_that_was_left_out_is_a_gap(time: Time) -> None:
    a = Standing("a", None, [CURRENT, CHANGES[2]], [CURRENT])
    items = await taken(chain_over(a, time=time).head_changes(), 3)
    assert [type(item) for item in items] == [HeadChanges, StreamGap, HeadChanges]
    assert "not its parent" in items[1].reason
    assert items[1].last_head.epoch == 263


async def test_a_gap_names_the_head_below_reverted_tipsets(time: Time) -> None:
    back = [{"Type": "revert", "Val": head_of(APPLY)}]
    a = Standing("a", None, [CURRENT, APPLY, back, BROKEN])
    items = await taken(chain_over(a, time=time).head_changes(), 4)
    assert items[3].last_head == items[0].changes[-1].tipset


async def test_a_gap_before_the_first_change_names_no_head(time: Time) -> None:
    (gap,) = await taken(chain_over(Standing("a", None, [BROKEN]), time=time).head_changes(), 1)
    assert gap.last_head is None


@pytest.mark.parametrize("path", websockets(), ids=lambda path: f"{path.parent.name[:2]}-{path.stem}")
def test_recorded_changes_of_the_head_follow_from_one_another(path: Any) -> None:
    trails: dict[Any, Trail] = {}
    for line in recorded_frames(path):
        params = line.get("frame", {}).get("params") if line["dir"] == "recv" else None
        if isinstance(params, list) and len(params) == 2 and isinstance(params[1], list) and "Type" in params[1][0]:
            trails.setdefault(params[0], Trail()).take(decoding.head_changes(params[1]))
    assert all(trail.head is not None for trail in trails.values())


def test_a_path_must_lead_where_it_is_asked_to() -> None:
    call = next(call for call in recorded_calls(READS) if call.method == "Filecoin.ChainGetPath")
    start, end = (decoding.tipset_key(key) for key in call.params)
    changes = decoding.path(call.response["result"])
    check_path(changes, start, end)
    check_path((), start, start)
    for wrong, to in ((changes[1:], end), (changes[:-1], end), (changes[::-1], end), (changes, start), ((), end)):
        with pytest.raises(errors.GarbledAnswer):
            check_path(wrong, start, to)


def test_a_trail_forgets_what_is_too_deep_but_goes_on() -> None:
    def tipset(number: int) -> TipSet:
        below, own = (replace(base.key, cids=(base.key.cids[0],) * each) for each in (number, number + 1))
        return replace(base, key=own, parents=below, epoch=number)

    base = decoding.tipset(head_of(CURRENT))
    trail = Trail()
    trail.take([HeadChange("current", tipset(1))])
    trail.take([HeadChange("revert", tipset(1))])
    assert trail.head is None
    trail.take([HeadChange("apply", tipset(1))])
    assert trail.head == tipset(1)


async def test_only_the_steps_of_a_nodes_state_are_logged(time: Time) -> None:
    a = Standing("a", None, [CURRENT, APPLY, BROKEN], [BROKEN], [BROKEN], [CURRENT, APPLY])
    with capture_logs() as logs:
        await taken(chain_over(a, time=time).head_changes(), 7)
    assert [entry["event"] for entry in logs] == [
        "stream_opened",
        "node_failed",
        "stream_broken",
        "stream_broken",
        "stream_broken",
        "node_recovered",
        "stream_opened",
    ]
