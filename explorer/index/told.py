"""What the messages of one tipset did, as a node told it: kept until the tipset is final, so that it can be told again.

{"height": 269, "events": [… as GetActorEventsRaw prints them], "deals": [{…}], "missing": {"deals": "…"}}
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from explorer.verdict.records import RecordKind
from node.events import ActorEvent, event_document, parse_actor_event
from node.market import Deal

_BYTES = ("piece", "data_cid", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of the messages that the tipset at `height` included."""

    height: int
    events: tuple[ActorEvent, ...] = ()
    deals: tuple[Deal, ...] = ()
    """The deals that were published, as they were proposed."""
    missing: Mapping[RecordKind, str] = field(default_factory=dict)
    """Kinds of record whose changes could not all be read, and why."""


def told_document(told: Told) -> dict[str, Any]:
    """The JSON to keep."""
    return {
        "height": told.height,
        "events": [event_document(event) for event in told.events],
        "deals": [_deal_document(deal) for deal in told.deals],
        "missing": dict(told.missing),
    }


def told_of(document: Mapping[str, Any]) -> Told:
    """What was kept by `told_document`."""
    return Told(
        height=document["height"],
        events=tuple(parse_actor_event(event) for event in document["events"]),
        deals=tuple(_deal_of(deal) for deal in document["deals"]),
        missing=cast("Mapping[RecordKind, str]", document["missing"]),
    )


def _deal_document(deal: Deal) -> dict[str, Any]:
    return asdict(deal) | {name: _hex(getattr(deal, name)) for name in _BYTES}


def _deal_of(document: Mapping[str, Any]) -> Deal:
    raw = {name: None if document[name] is None else bytes.fromhex(document[name]) for name in _BYTES}
    return Deal(**{**document, **raw})


def _hex(raw: bytes | None) -> str | None:
    return None if raw is None else raw.hex()
