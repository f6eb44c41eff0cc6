import pickle

import pytest

from node import errors
from node.errors import EventError, FilecoinError, ForeignEvent, RecordError, UnknownEventType, excerpt


def test_every_error_is_a_filecoin_error() -> None:
    raised = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]
    assert len(raised) > 10
    assert all(issubclass(error, FilecoinError) for error in raised)
    assert issubclass(FilecoinError, ValueError)


def test_events_that_are_not_ours_are_told_apart_by_type() -> None:
    assert issubclass(ForeignEvent, EventError)
    assert issubclass(UnknownEventType, EventError)
    assert not issubclass(ForeignEvent, UnknownEventType)


def test_a_record_error_bears_its_reason() -> None:
    error = RecordError("missing_size", "deal 5 has no PieceSize")
    assert (error.reason, str(error)) == ("missing_size", "missing_size: deal 5 has no PieceSize")
    assert pickle.loads(pickle.dumps(error)).reason == "missing_size"


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000,
        b"\0" * 10_000,
        pytest.param(10**5000, id="huge"),
        {"a": "x" * 10_000},
        ["x"] * 10_000,
        object(),
        None,
        1.5,
    ],
)
def test_an_excerpt_is_short_whatever_it_is_of(value: object) -> None:
    assert len(excerpt(value)) < 280


def test_an_excerpt_of_something_short_is_all_of_it() -> None:
    assert excerpt("f01") == "'f01'"
