"""What the contract says of who may do what, and that it can't be forgotten."""

import copy
from typing import Any

import pytest

from explorer.web.contract import Contract, Requirement

CONTRACT = Contract.load(public_url="http://filplus.test", version="1.2.3")


def changed(**node: Any) -> dict[str, Any]:
    """The contract's document with other words about who may open a review."""
    document = copy.deepcopy(CONTRACT.document)
    operation = document["paths"]["/reviews"]["post"]
    operation.update(node)
    for name in [name for name, value in node.items() if value is None]:
        del operation[name]
    return document


def test_ways_in_are_read() -> None:
    operation = CONTRACT.operations["postReview"]
    write = frozenset({"reviews:write"})
    assert operation.security == (Requirement("clusterKey", write), Requirement("requestSignature", write))
    assert not operation.is_open
    assert CONTRACT.operations["getVerdict"].is_open
    assert CONTRACT.operations["getEvents"].is_open
    assert CONTRACT.operation_at("/reviews", "HEAD") is CONTRACT.operations["getReviews"]


@pytest.mark.parametrize(
    "security", [None, [{"noSuchScheme": []}], [{"clusterKey": [], "notarySession": []}]], ids=["none", "other", "both"]
)
def test_what_is_not_said_or_not_known_stops_the_start(security: Any) -> None:
    with pytest.raises(RuntimeError, match="postReview"):
        Contract(changed(security=security))


def test_everybody_has_to_be_said() -> None:
    assert Contract(changed(security=[])).operations["postReview"].is_open
