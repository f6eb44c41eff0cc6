"""Filecoin.GetActorEventsRaw, and the filter that it shares with SubscribeActorEventsRaw.

An event belongs to the tipset that holds its message, and is known once a child of that tipset executed it.
"""

import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from node.address import PROTOCOL_DELEGATED, PROTOCOL_ID, Address, actor_address
from node.sim.blocks import Tipset, TipsetKey, link, tipset_key_cid
from node.sim.errors import failure
from node.sim.event_bytes import CODEC_CBOR, entries_of
from node.sim.execution import Executed
from node.sim.rpc.chain_methods import event_entries
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import EPOCH, BadParam, Param, read_address, read_tipset_key
from node.sim.traces import Emitted

MAX_RANGE = 2880
MAX_RESULTS = 10_000
_DISABLED = "module disabled, enable with Events.EnableActorEventsAPI"
_OPEN = -1


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted. Fields: all of the keys, for each one of its values, as codec and CBOR."""

    addresses: tuple[Address, ...] = ()
    fields: tuple[tuple[str, tuple[tuple[int, bytes], ...]], ...] = ()
    from_height: int | None = None
    to_height: int | None = None
    tipset_key: TipsetKey = ()


def _member(document: Mapping[str, object], name: str) -> object:
    """A member in any case, as Go finds it; unknown members are passed over."""
    return next((value for key, value in document.items() if key.lower() == name.lower()), None)


def _read_filter(value: object) -> EventFilter:
    if value is None:
        return EventFilter()
    if not isinstance(value, Mapping):
        raise BadParam("json: cannot unmarshal into Go value of type types.ActorEventFilter")
    addresses, fields = _member(value, "addresses"), _member(value, "fields")
    first, last = _member(value, "fromHeight"), _member(value, "toHeight")
    return EventFilter(
        addresses=tuple(map(read_address, addresses)) if isinstance(addresses, list) else (),
        fields=_read_fields(fields) if isinstance(fields, Mapping) else (),
        from_height=None if first is None else EPOCH.read(first),
        to_height=None if last is None else EPOCH.read(last),
        tipset_key=read_tipset_key(_member(value, "tipsetKey")),
    )


def _read_fields(fields: Mapping[str, object]) -> tuple[tuple[str, tuple[tuple[int, bytes], ...]], ...]:
    lists = ((key, values) for key, values in fields.items() if isinstance(values, list))
    return tuple((key, tuple(map(_read_value, values))) for key, values in lists)


def _read_value(value: object) -> tuple[int, bytes]:
    if not isinstance(value, Mapping):
        raise BadParam("json: cannot unmarshal into Go value of type types.ActorEventBlock")
    codec, raw = _member(value, "codec"), _member(value, "value")
    try:
        return (codec if isinstance(codec, int) else 0), binascii.a2b_base64(str(raw or ""), strict_mode=True)
    except ValueError as error:
        raise BadParam("illegal base64 data at input byte 0") from error


FILTER = Param("types.ActorEventFilter", _read_filter)


def heights_of(wanted: EventFilter, head: int) -> tuple[int, int]:
    """The first and last height of a filter, -1 for one that is open; RpcFault for a range that is none."""
    if wanted.from_height is not None and wanted.from_height < 0:
        raise failure("range 'from' must be greater than or equal to 0")
    first = _OPEN if wanted.from_height is None else wanted.from_height
    last = _OPEN if wanted.to_height is None else wanted.to_height
    if first == _OPEN and last > 0 and last - head > MAX_RANGE:
        raise failure(f"invalid epoch range: 'to' height is too far in the future (maximum: {MAX_RANGE})")
    if first >= 0 and last == _OPEN and head - first > MAX_RANGE:
        raise failure(f"invalid epoch range: 'from' height is too far in the past (maximum: {MAX_RANGE})")
    if first >= 0 and last >= 0 and first > last:
        raise failure(f"invalid epoch range: 'to' height ({first}) must be after 'from' height ({last})")
    if first >= 0 and last - first > MAX_RANGE:
        text = "range between to and 'from' heights is too large"
        raise failure(f"invalid epoch range: {text} (maximum: {MAX_RANGE})")
    return first, last


def check_enabled(node: Node) -> None:
    """Returns where the node answers about events; RpcFault where that is switched off."""
    if not node.events_enabled:
        raise failure(_DISABLED)


def get_events(node: Node, wanted: EventFilter) -> object:
    """The events of a filter in the order of the chain; null for none."""
    check_enabled(node)
    if wanted.tipset_key:
        return _of_tipset(node, wanted) or None
    return past_events(node, wanted) or None


def _of_tipset(node: Node, wanted: EventFilter) -> list[dict[str, object]]:
    if wanted.from_height is not None or wanted.to_height is not None:
        raise failure("cannot specify both TipSetKey and FromHeight/ToHeight")
    _check_addresses(node, wanted)
    tipset = node.chain.store.tipsets.get(wanted.tipset_key)
    if tipset is None:
        cid = tipset_key_cid(wanted.tipset_key)
        text = f"cannot find tipset with cid {cid}: ipld: could not find {cid}"
        raise failure(f"get events for filter: failed to get tipset by cid: {text}")
    on_chain = node.chain.canon.holds(tipset)
    if on_chain and tipset.key == node.chain.head.key:
        return []
    return list(matching(node, tipset, wanted, reverted=not on_chain))


def past_events(node: Node, wanted: EventFilter) -> list[dict[str, object]]:
    """The events of a range of heights of the head's chain; RpcFault where they are too many."""
    head = node.chain.head
    first, last = heights_of(wanted, head.height)
    if first == _OPEN or first >= head.height:
        return []
    _check_addresses(node, wanted)
    last = head.height - 1 if last == _OPEN else min(last, head.height - 1)
    tipsets = [one for one in node.chain.canon.between(first, last) if one.key != head.key and one.messages]
    found = [event for tipset in tipsets for event in matching(node, tipset, wanted, reverted=False)]
    if len(found) > MAX_RESULTS and found[0]["height"] != found[-1]["height"]:
        raise failure("get events for filter: filter matches too many events, try a more restricted filter")
    return found


def _check_addresses(node: Node, wanted: EventFilter) -> None:
    for address in wanted.addresses:
        if address.protocol not in {PROTOCOL_ID, PROTOCOL_DELEGATED}:
            text = f"can only query events by ID or Delegated addresses; but request has address: {node.text(address)}"
            raise failure(f"get events for filter: failed to make prefill filter query: {text}")


def matching(node: Node, tipset: Tipset, wanted: EventFilter, *, reverted: bool) -> Iterator[dict[str, object]]:
    """The events of a tipset's messages that a filter wants, as a node prints them."""
    if not tipset.messages:
        return
    emitters = _emitters(node, wanted)
    for executed in node.chain.execution_of(tipset).executed:
        for event in executed.events:
            if (emitters is None or event.emitter_id in emitters) and _has_fields(event, wanted):
                yield _document(node, tipset, executed, event, reverted=reverted)


def _emitters(node: Node, wanted: EventFilter) -> set[int | None] | None:
    """The ids of the wanted emitters; None for all."""
    if not wanted.addresses:
        return None
    state = node.chain.state_after(node.chain.head)
    return {state.actor_id(address) for address in wanted.addresses}


def _has_fields(event: Emitted, wanted: EventFilter) -> bool:
    entries = [(key, CODEC_CBOR, value) for _, key, value in entries_of(event.payload)]
    return all(any((key, codec, value) in entries for codec, value in values) for key, values in wanted.fields)


def _document(node: Node, tipset: Tipset, executed: Executed, event: Emitted, *, reverted: bool) -> dict[str, object]:
    return {
        "entries": event_entries(event.payload),
        "emitter": node.text(actor_address(event.emitter_id)),
        "reverted": reverted,
        "height": tipset.height,
        "tipsetKey": [link(cid) for cid in tipset.key],
        "msgCid": link(executed.cid),
    }


METHODS = (lotus("GetActorEventsRaw", get_events, FILTER),)
