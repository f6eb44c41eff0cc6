"""The recorded drivers against the simulated chain, in process and over the wire: the same answers but for a list."""

import asyncio
from functools import cache

import pytest

from tests.contract.devnets import devnet
from tests.contract.differences import DELIBERATE
from tests.contract.every_story import STORIES
from tests.contract.in_process import InProcessDoor
from tests.contract.left_out import LEFT_OUT, left_out
from tests.contract.recorded_calls import calls_of
from tests.contract.stories import Closed
from tests.contract.telling import Told, tell
from tests.contract.wire import wire_door
from tests.recordings_player import websockets


@cache
def _told(position: int) -> Told:
    """What came of a story in process: each is told once."""
    story = STORIES[position]
    door = InProcessDoor(devnet(story.setup), now_s=lambda: float(story.setup.now_s))
    return asyncio.run(tell(story, door))


@cache
def _told_over_the_wire(position: int) -> Told:
    """What came of a story over the wire."""

    async def telling() -> Told:
        async with wire_door(STORIES[position]) as door:
            return await tell(STORIES[position], door)

    return asyncio.run(telling())


@pytest.mark.parametrize("position", range(len(STORIES)), ids=lambda position: "".join(STORIES[position].folders))
def test_the_recorded_drivers_get_the_same_answers(position: int) -> None:
    assert _told(position).found == []


@pytest.mark.parametrize("position", range(len(STORIES)), ids=lambda position: "".join(STORIES[position].folders))
def test_every_recorded_call_is_played_but_those_that_are_left_out_with_a_reason(position: int) -> None:
    calls = [call for folder in STORIES[position].folders for call in calls_of(folder)]
    expected = [f"{call.folder}/{call.number}" for call in calls if left_out(call, has_paths=False) is None]
    assert [one for one in _told(position).played if not one.endswith(".ndjson")] == expected
    assert {f"{call.folder}/{call.number}" for call in calls} - set(expected) <= set(LEFT_OUT)


@pytest.mark.parametrize("position", range(len(STORIES)), ids=lambda position: "".join(STORIES[position].folders))
def test_the_recorded_drivers_get_the_same_answers_over_the_wire(position: int) -> None:
    told = _told_over_the_wire(position)
    assert told.found == []
    calls = [call for folder in STORIES[position].folders for call in calls_of(folder)]
    expected = [f"{call.folder}/{call.number}" for call in calls if left_out(call, has_paths=True) is None]
    assert [one for one in told.played if not one.endswith(".ndjson")] == expected


def test_every_recorded_websocket_is_played() -> None:
    steps = [step for story in STORIES for taken in story.steps.values() for step in taken]
    assert sorted(step.file for step in steps if isinstance(step, Closed)) == sorted(one.name for one in websockets())


def test_the_list_of_differences_has_no_entry_that_explains_nothing() -> None:
    used = {entry for position in range(len(STORIES)) for entry in _told(position).used}
    assert [entry for entry in DELIBERATE if entry not in used] == []
