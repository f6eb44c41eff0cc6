"""What a tipset told is kept as JSON, and comes back as it was."""

import json

from hypothesis import given
from hypothesis import strategies as st

from explorer.index.told import Told, told_document, told_of
from explorer.verdict.records import RECORD_KINDS
from node.address import actor_address
from node.event_types import Payload, SectorEvent
from node.events import ActorEvent
from node.market import NEVER, Deal
from node.singletons import MARKET, VERIFIED_REGISTRY
from tests.unit.node.strategies import QUICK, digests, int63, plain_cids
from tests.unit.node.test_events import payloads

BLOCK = "bafy2bzaced4v32oeij3l7ru547vuzgkgeh6uwyjsi7f22uwi7acahe4babr4m"
epochs = st.integers(-1, 2**63 - 1)


@st.composite
def deals(draw: st.DrawFn) -> Deal:
    piece = draw(st.none() | digests)
    label = draw(st.binary(max_size=256))
    return Deal(
        id=draw(int63),
        client_id=draw(int63),
        provider_id=draw(int63),
        piece=piece,
        data_cid=None if piece else draw(plain_cids()).to_bytes(),
        size_bytes=draw(int63),
        verified=draw(st.booleans()),
        label=label,
        label_known=bool(label) or draw(st.booleans()),
        start_epoch=draw(epochs),
        end_epoch=draw(epochs),
        sector_start_epoch=draw(epochs),
        last_updated_epoch=NEVER,
        slash_epoch=NEVER,
    )


def event(payload: Payload, height: int) -> ActorEvent:
    name = payload.event_type.split("-")[0]
    emitter = MARKET if name == "deal" else VERIFIED_REGISTRY
    if isinstance(payload, SectorEvent):
        emitter = actor_address(1000)
    return ActorEvent(payload, emitter, height, (BLOCK, BLOCK), BLOCK, reverted=False)


@QUICK
@given(
    st.integers(0, 2**40),
    st.lists(payloads(), max_size=4),
    st.lists(deals(), max_size=3),
    st.dictionaries(st.sampled_from(RECORD_KINDS), st.text(st.characters(exclude_characters="\0"), max_size=20)),
)
def test_what_was_told_comes_back(
    height: int, told: list[Payload], published: list[Deal], missing: dict[str, str]
) -> None:
    before = Told(
        height=height,
        events=tuple(event(payload, height) for payload in told),
        deals=tuple(published),
        missing=missing,  # type: ignore[arg-type]
    )
    assert told_of(json.loads(json.dumps(told_document(before)))) == before
