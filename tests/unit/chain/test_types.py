"""The types of the protocol, and its tree of errors."""

import inspect
import re

import pytest

from node.chain import errors
from node.chain.errors import ChainError
from node.chain.event_filter import EventFilter
from node.chain.tipset import TipSetKey, tipset_key_of
from node.errors import CidError
from node.events import ActorEvent, parse_actor_event
from tests.recordings_player import FOLDERS, recorded_calls

BLOCKS = (
    "bafy2bzaceck533arqqkgcpt5lxty6236r3pkjsgsijyojc4frnv7onwyqldeg",
    "bafy2bzaceb24rljhzasy3ruavvbcodp3eetq365zieo57z675ecdfhbayoeg6",
)


def test_every_error_is_drawn_in_the_tree_and_nothing_else() -> None:
    kinds = {name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ChainError)}
    drawn = re.findall(r"^\s*[*+·-] (\w+)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(drawn) == sorted(kinds)


def test_the_tree_is_drawn_as_it_is() -> None:
    depths = {"*": 0, "+": 1, "-": 2, "·": 3}
    path: list[str] = []
    for mark, name in re.findall(r"^\s*([*+·-]) (\w+)", errors.__doc__ or "", re.MULTILINE):
        path = [*path[: depths[mark]], name]
        if len(path) > 1:
            assert getattr(errors, name).__mro__[1].__name__ == path[-2]


def test_permanent_and_transient_never_overlap() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert not [
        kind for kind in kinds if issubclass(kind, errors.TransientError) and issubclass(kind, errors.PermanentError)
    ]


def test_a_key_is_its_blocks_in_order() -> None:
    key = tipset_key_of(*BLOCKS)
    assert key.texts == BLOCKS
    assert key == tipset_key_of(*BLOCKS)
    assert key != tipset_key_of(*BLOCKS[::-1])
    assert str(key) == ",".join(BLOCKS)
    assert not TipSetKey(()).cids
    with pytest.raises(CidError):
        tipset_key_of("nonsense")


def _events() -> list[ActorEvent]:
    call = next(call for call in recorded_calls(FOLDERS[2]) if call.method == "Filecoin.GetActorEventsRaw")
    return [parse_actor_event(each) for each in call.response["result"]]


def test_a_filter_matches_what_it_says() -> None:
    events = _events()
    assert all(EventFilter().matches(event) for event in events)
    for each in (
        EventFilter(event_types=("claim",)),
        EventFilter(from_epoch=100, to_epoch=200),
        EventFilter(client_ids=(103,)),
        EventFilter(provider_ids=(1000,)),
        EventFilter(tipset=events[3].tipset_key),
        EventFilter(emitters=(events[0].emitter,)),
    ):
        matching = [event for event in events if each.matches(event)]
        assert 0 < len(matching) < len(events)
    assert not any(EventFilter(provider_ids=(1,)).matches(event) for event in events)
