"""Roots of the lists that blocks and receipts link to: messages, receipts, events. Roots alone, nothing is read back.

An AMT is a tree of arrays: a node holds 2^width places, a bitmap says which are taken. A list of at most that
many values is one node, a longer one gets a level more whenever it is full.

Source: go-amt-ipld (messages and receipts: version 2, width 3; events: version 3, width 5).
"""

from collections.abc import Sequence

from node import cbor
from node.cid import Cid
from node.message import block_cid

MESSAGES_WIDTH = 3
EVENTS_WIDTH = 5


def list_root(values: Sequence[object]) -> Cid:
    """The CID of a list of messages' CIDs or of receipts, given as what `cbor.encode` takes."""
    height, node = _tree(values, MESSAGES_WIDTH)
    return block_cid(cbor.encode([height, len(values), node]))


def events_root(values: Sequence[object]) -> Cid:
    """The CID of a message's events, as receipts have it."""
    height, node = _tree(values, EVENTS_WIDTH)
    return block_cid(cbor.encode([EVENTS_WIDTH, height, len(values), node]))


def _tree(values: Sequence[object], width: int) -> tuple[int, object]:
    """The height and the root node. Nodes below it stand in their parents as links."""
    places = 1 << width
    level = _nodes(values, width, links=False)
    height = 0
    while len(level) > 1:
        links = [block_cid(cbor.encode(node)) for node in level]
        level = _nodes(links, width, links=True)
        height += 1
    return height, level[0] if level else [_bitmap(0, places), [], []]


def _nodes(items: Sequence[object], width: int, *, links: bool) -> list[list[object]]:
    places = 1 << width
    chunks = [list(items[start : start + places]) for start in range(0, len(items), places)]
    return [[_bitmap(len(chunk), places), chunk if links else [], [] if links else chunk] for chunk in chunks]


def _bitmap(count: int, places: int) -> bytes:
    return ((1 << count) - 1).to_bytes(max(places // 8, 1), "little")
