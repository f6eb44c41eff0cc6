"""The comparison, held against the recordings themselves: it finds nothing where nothing is, and else everything."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.comparison import differences
from tests.contract.every_story import RECORDED_CALLS, STORIES
from tests.contract.left_out import LEFT_OUT, left_out
from tests.contract.recorded_calls import calls_of, folder_of
from tests.contract.recorded_door import RecordedDoor, RecordedSocket
from tests.contract.sockets import PlayedSocket, recorded_lines
from tests.contract.telling import tell
from tests.contract.translation import Translation
from tests.recordings_player import websockets


@pytest.mark.parametrize("story", STORIES, ids=lambda story: "".join(story.folders))
async def test_a_recording_does_not_differ_from_itself(story: Any) -> None:
    calls = [call for folder in story.folders for call in calls_of(folder) if left_out(call, has_paths=True) is None]
    bare = replace(story, steps={}, renamed={})
    told = await tell(bare, RecordedDoor(calls))
    assert told.found == []
    assert len(told.played) == len(calls)


@pytest.mark.parametrize("path", websockets(), ids=lambda path: path.stem)
async def test_a_recorded_websocket_does_not_differ_from_itself(path: Any) -> None:
    played = PlayedSocket(path, RecordedSocket(recorded_lines(path)), Translation())
    await played.start()
    assert await played.finish() == []


def test_all_recorded_calls_are_in_a_story_and_few_are_left_out() -> None:
    calls = [call for story in STORIES for folder in story.folders for call in calls_of(folder)]
    assert len(calls) == RECORDED_CALLS
    assert {folder.name for folder in folder_of("01").parent.iterdir() if folder.is_dir()} == {
        folder_of(number).name for story in STORIES for number in story.folders
    }
    named = {f"{call.folder}/{call.number}" for call in calls}
    assert set(LEFT_OUT) <= named


def _altered(value: Any) -> Iterator[Any]:
    """The value with one leaf of it changed, added or taken away, in every way in turn, the first of lists' items."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield {name: one for name, one in value.items() if name != key}
            for other in _altered(item):
                yield {**value, key: other}
        yield {**value, "new": None}
    elif isinstance(value, list):
        yield [*value, None]
        for other in _altered(value[0]) if value else ():
            yield [other, *value[1:]]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        yield value + "x"
    else:
        yield "something else"


@pytest.mark.parametrize("number", ["168-StateWaitMsg", "170-StateReplay", "046-StateMarketDeals", "029-ChainHead"])
def test_whatever_is_changed_in_an_answer_is_found(number: str) -> None:
    answer = next(call for call in calls_of("05") if call.number == number).response
    kept = copy.deepcopy(answer)
    for other in _altered(answer):
        assert list(differences(answer, other, Translation())) != [], other
        assert list(differences(other, answer, Translation())) != [], other
    assert answer == kept
