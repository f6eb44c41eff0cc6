import base64
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import cbor, event_types
from node.address import actor_address, parse_address
from node.cid import Cid, parse_cid
from node.errors import EventError, ForeignEvent, UnknownEventType
from node.event_schema import EVENT_TYPES
from node.event_types import ClaimCreated, Payload, SectorActivated, SectorPiece, SectorPrecommitted, VerifierBalance
from node.events import ActorEvent, event_document, parse_actor_event
from tests.unit.node.strategies import QUICK, cids, int63, json_values

TIPSET = "bafy2bzaced4v32oeij3l7ru547vuzgkgeh6uwyjsi7f22uwi7acahe4babr4m"
MESSAGE = "bafy2bzacebtcy2us37j4rzgu5phfi5767ryfuhbpwedekvwhc5mrakq5dtl7k"


def entry(key: str, value: str, flags: int = 3, codec: int = 81) -> dict[str, Any]:
    return {"Flags": flags, "Key": key, "Codec": codec, "Value": value}


def document(entries: object, emitter: object = "f06") -> dict[str, Any]:
    return {
        "entries": entries,
        "emitter": emitter,
        "reverted": False,
        "height": 4622129,
        "tipsetKey": [{"/": TIPSET}],
        "msgCid": {"/": MESSAGE},
    }


# Mainnet, message bafy2bzacebtcy2us37j4rzgu5phfi5767ryfuhbpwedekvwhc5mrakq5dtl7k at 4622129 (deal-observer's fixture).
CLAIM = document(
    [
        entry("$type", "ZWNsYWlt"),
        entry("id", "GgU9Azg="),
        entry("client", "GgAyW9U="),
        entry("provider", "GgAXXTQ="),
        entry("piece-cid", "2CpYKAABgeIDkiAgR4YG+O8RvPGtJY29gurIsQs2sjrcDHTDje72xmhxxCY="),
        entry("piece-size", "GwAAAAgAAAAA", 1),
        entry("term-min", "GgAQIMA=", 1),
        entry("term-max", "GgAUFUA=", 1),
        entry("term-start", "GgBGhzE=", 1),
        entry("sector", "GgABk58="),
    ]
)
# A devnet's Lotus b835fab70: AddVerifiedClient at 9; calibration at 1467665 (AddVerifier, without client).
BALANCE_WITH_CLIENT = document(
    [
        entry("$type", "cHZlcmlmaWVyLWJhbGFuY2U="),
        entry("verifier", "GGQ="),
        entry("balance", "SAAnnAAAAAAA", 1),
        entry("client", "GGc="),
    ]
)
BALANCE = document(
    [entry("$type", "cHZlcmlmaWVyLWJhbGFuY2U="), entry("verifier", "GgABYBg="), entry("balance", "RgDo1KUQAA==", 1)],
    "t06",
)
# The same devnet: a sector with two pieces.
SECTOR = document(
    [
        entry("$type", "cHNlY3Rvci1hY3RpdmF0ZWQ="),
        entry("sector", "GQPq"),
        entry("unsealed-cid", "2CpYKAABgeIDkiAgaj/3vbT7V+r9fr8zrLK4ybUiMGdfGIE4tmxmgRFN7yM="),
        entry("piece-cid", "2CpYKAABgeIDkiAgi1NjnxUsj8bvMIAv3kYroL6c8IX3WA3Gnv1y4AKruzU="),
        entry("piece-size", "GwAAAAIAAAAA", 1),
        entry("piece-cid", "2CpYKAABgeIDkiAg54gQPuFTGPzSr5tztOu7M6kDsCDeezB9cfX+0PQz5Qg="),
        entry("piece-size", "GwAAAAEAAAAA", 1),
    ],
    "f01000",
)
REAL = [CLAIM, BALANCE_WITH_CLIENT, BALANCE, SECTOR]


def test_a_claim_of_mainnet() -> None:
    event = parse_actor_event(CLAIM)
    assert event.payload == ClaimCreated(
        claim_id=87884600,
        client_id=3300309,
        provider_id=1531188,
        piece_cid=parse_cid("baga6ea4seaqepbqg7dxrdphrvusy3pmc5lelcczwwi5nydduyog655wgnby4ijq"),
        size_bytes=34359738368,
        term_min_epochs=1056960,
        term_max_epochs=1316160,
        term_start_epoch=4622129,
        sector=103327,
    )
    assert (event.height, event.tipset_key, event.msg_cid, event.reverted) == (4622129, (TIPSET,), MESSAGE, False)
    assert event.emitter == actor_address(6)


def test_a_balance_names_the_client_only_when_one_was_given_datacap() -> None:
    assert parse_actor_event(BALANCE).payload == VerifierBalance(verifier_id=90136, balance_bytes=10**12)
    assert parse_actor_event(BALANCE_WITH_CLIENT).payload == VerifierBalance(100, 0x279C0000000000, client_id=103)


def test_a_sector_keeps_all_its_pieces_in_order() -> None:
    payload = parse_actor_event(SECTOR).payload
    assert isinstance(payload, SectorActivated)
    assert [piece.size_bytes for piece in payload.pieces] == [2**33, 2**32]
    assert payload.unsealed_cid is not None


@pytest.mark.parametrize("real", REAL)
def test_real_events_are_written_as_they_came(real: dict[str, Any]) -> None:
    written = event_document(parse_actor_event(real), prefix=real["emitter"][0])
    assert written == real
    assert list(written) == list(real)


def test_there_are_14_types() -> None:
    assert len(EVENT_TYPES) == 14


# Calibration at 1162295: an EVM log.
EVM = document(
    [entry("t1", "z/FIVQI0MweZFLVND+jxTCZiaE74rhIpH7Yzy8YwRzg=", codec=85)],
    "f410fguwlw7lt64rlglmddxps5sitbixdejq54s3d2ei",
)


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(EVM, id="EVM log"),
        pytest.param(document([], "f410fguwlw7lt64rlglmddxps5sitbixdejq54s3d2ei"), id="empty log"),
        pytest.param(document(CLAIM["entries"], "f01000"), id="claim of a miner"),
        pytest.param(document(CLAIM["entries"], "f05"), id="claim of the market"),
        pytest.param(document(CLAIM["entries"], "f07"), id="claim of the token"),
        pytest.param(document(SECTOR["entries"], "f06"), id="sector of the registry"),
        pytest.param(document(SECTOR["entries"], "f04"), id="sector of the power actor"),
        pytest.param(document(CLAIM["entries"], EVM["emitter"]), id="claim of a contract"),
    ],
)
def test_events_of_others_are_told_apart(foreign: dict[str, Any]) -> None:
    with pytest.raises(ForeignEvent):
        parse_actor_event(foreign)


@pytest.mark.parametrize("emitter", ["f05", "f06", "f01000"])
def test_a_type_that_is_not_known_is_told_apart(emitter: str) -> None:
    unknown = base64.b64encode(cbor.encode("claim-burnt")).decode()
    with pytest.raises(UnknownEventType, match="claim-burnt"):
        parse_actor_event(document([entry("$type", unknown)], emitter))


def test_entries_may_come_in_another_order_and_with_new_ones_between() -> None:
    shuffled = [*reversed(CLAIM["entries"]), entry("new-in-v20", "AQ==")]
    assert parse_actor_event(document(shuffled)).payload == parse_actor_event(CLAIM).payload


BROKEN_TIPSET_KEYS: list[object] = [None, [], {}, [TIPSET], [{"/": 5}], [{"/": "x"}], [{}], [{"/": TIPSET}, None]]
BROKEN_LINKS: list[object] = [None, MESSAGE, {}, {"/": None}, {"/": "b" * 10_000}, {"/": []}]


def with_entry(real: dict[str, Any], at: int, **changes: object) -> dict[str, Any]:
    changed = copy.deepcopy(real)
    changed["entries"][at].update(changes)
    return changed


@pytest.mark.parametrize(
    "broken",
    [
        *(None, 5, "claim", [], [CLAIM], {}),
        *(
            {**CLAIM, "entries": None},
            {**CLAIM, "entries": "x"},
            {**CLAIM, "entries": [None]},
            {**CLAIM, "entries": {}},
        ),
        *({**CLAIM, "emitter": emitter} for emitter in (None, 6, "", "06", "f0x", "x" * 5000)),
        *({**CLAIM, "height": height} for height in (None, "5", 5.0, -1, 2**63, 10**30, True)),
        *({**CLAIM, "reverted": reverted} for reverted in (None, 0, "false")),
        *({**CLAIM, "tipsetKey": key} for key in BROKEN_TIPSET_KEYS),
        *({**CLAIM, "msgCid": link} for link in BROKEN_LINKS),
        *({key: value for key, value in CLAIM.items() if key != lost} for lost in CLAIM),
        *(document(CLAIM["entries"][:at] + CLAIM["entries"][at + 1 :]) for at in range(len(CLAIM["entries"]))),
        *(document([*CLAIM["entries"], again]) for again in CLAIM["entries"]),
        *(
            with_entry(CLAIM, 1, Value=value)
            for value in (None, 5, "", "?", "Gg", "é", "GgU9Azg", "GgU9Azg=\n", "IA==", "AAA=", "gA==")
        ),
        *(
            with_entry(CLAIM, 1, Value="G" + "/" * 11 + "="),
            with_entry(CLAIM, 4, Value="AA=="),
            with_entry(CLAIM, 4, Value="2CpBAA=="),
        ),
        *(with_entry(CLAIM, 0, Value="AA=="), with_entry(CLAIM, 0, Value=None), with_entry(CLAIM, 0, Key="type")),
        *(with_entry(CLAIM, 2, Key=key) for key in (None, 5, "id")),
        *(with_entry(CLAIM, 2, Codec=codec) for codec in (None, "81", 81.0, True)),
        *(with_entry(BALANCE, 2, Value=value) for value in ("AA==", "QQI=", "QgEB", "9g==")),
        document(SECTOR["entries"][:-1], "f01000"),
        document([*SECTOR["entries"], SECTOR["entries"][-1]], "f01000"),
        document([*SECTOR["entries"][:3], *reversed(SECTOR["entries"][3:])], "f01000"),
    ],
)
def test_a_broken_event_is_an_event_error(broken: object) -> None:
    with pytest.raises(EventError) as raised:
        parse_actor_event(broken)
    assert not isinstance(raised.value, ForeignEvent | UnknownEventType)
    assert len(str(raised.value)) < 500


def payloads() -> st.SearchStrategy[Payload]:
    allocation = dict.fromkeys(("allocation_id", "client_id", "provider_id", "size_bytes"), int63)
    terms = {"piece_cid": cids, "term_min_epochs": int63, "term_max_epochs": int63}
    claim = dict.fromkeys(("claim_id", "client_id", "provider_id", "size_bytes", "term_start_epoch", "sector"), int63)
    deal = dict.fromkeys(("deal_id", "client_id", "provider_id"), int63)
    pieces = st.lists(st.builds(SectorPiece, cids, int63), max_size=4).map(tuple)
    content = {"sector": int63, "unsealed_cid": st.none() | cids, "pieces": pieces}
    return st.one_of(
        st.builds(VerifierBalance, int63, st.integers(0, 2**100), st.none() | int63),
        *(
            st.builds(kind, **allocation, **terms, expiration_epoch=int63)
            for kind in (event_types.AllocationCreated, event_types.AllocationRemoved)
        ),
        *(st.builds(kind, **claim, **terms) for kind in event_types.ClaimEvent.__subclasses__()),
        *(st.builds(kind, **deal) for kind in event_types.DealEvent.__subclasses__()),
        *(st.builds(kind, sector=int63) for kind in (SectorPrecommitted, event_types.SectorTerminated)),
        *(st.builds(kind, **content) for kind in (SectorActivated, event_types.SectorUpdated)),
    )


def emitter_of(payload: Payload) -> int:
    if isinstance(payload, event_types.SectorEvent):
        return 1000
    return 5 if isinstance(payload, event_types.DealEvent) else 6


@given(payloads(), st.sampled_from("ft"), int63, st.booleans())
@QUICK
def test_events_come_back_from_their_documents(payload: Payload, prefix: str, height: int, reverted: bool) -> None:
    event = ActorEvent(payload, actor_address(emitter_of(payload)), height, (TIPSET, MESSAGE), MESSAGE, reverted)
    written = event_document(event, prefix=prefix)
    assert written["emitter"] == f"{prefix}0{emitter_of(payload)}"
    assert parse_actor_event(written) == event


@given(json_values)
@QUICK
def test_any_document_is_an_event_or_refused(garbage: object) -> None:
    with pytest.raises(EventError):
        parse_actor_event(garbage)


@given(
    st.sampled_from(REAL),
    st.sampled_from(["entries", "emitter", "reverted", "height", "tipsetKey", "msgCid"]),
    st.one_of(json_values, st.binary(max_size=30).map(lambda raw: base64.b64encode(raw).decode())),
    st.integers(0, 6),
    st.sampled_from(["Key", "Codec", "Value", "Flags", None]),
)
@QUICK
def test_any_changed_event_is_an_event_or_refused(
    real: dict[str, Any], field: str, garbage: object, at: int, part: str | None
) -> None:
    changed = copy.deepcopy(real)
    if part is None:
        changed[field] = garbage
    else:
        changed["entries"][at % len(changed["entries"])][part] = garbage
    try:
        event = parse_actor_event(changed)
    except EventError:
        return
    assert parse_actor_event(event_document(event)) == event


def test_a_piece_cid_can_be_any_cid() -> None:
    odd = Cid(1, 0x55, 0x1011, b"\x80")
    value = base64.b64encode(cbor.encode(odd)).decode()
    payload = parse_actor_event(with_entry(CLAIM, 4, Value=value)).payload
    assert isinstance(payload, ClaimCreated)
    assert payload.piece_cid == odd


def test_an_emitter_may_bear_either_prefix() -> None:
    assert parse_actor_event({**CLAIM, "emitter": "t06"}) == parse_actor_event(CLAIM)
    assert parse_address("t06") == actor_address(6)
