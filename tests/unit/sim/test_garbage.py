"""Whatever is sent, the answer is a result in JSON or an RpcFault."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.sim.errors import RpcFault
from node.sim.faults import FaultAction
from node.sim.rpc.dispatch import VERSION_1, VERSION_2, Dispatcher
from node.sim.rpc.envelope import Exchange
from node.sim.rpc.methods import ALL_PERMISSIONS, Waiting
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, piece_cid, pieces, proposal

ADDRESSES = [
    "f06",
    "f05",
    "f07",
    "f01",
    "f0100",
    CLIENT,
    PROVIDER,
    "f1kcyt4uzqlcb7xkpawvgah3vbxlhfaeibokncmhq",
    "f0999",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**64), 2**65),
    st.integers(0, 30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from([*ADDRESSES, "latest", "0x", "0xff00000000000000000000000000000000000006", "gkBA", "ggBA", "AA=="]),
)
KEY_NAMES = """
    / To From Method Params Value Message Signature Type Data fromHeight toHeight addresses fields tipsetKey tag height
    key at kind methods share count piece_cid size_bytes PieceCID PieceSize Client Provider Label codec value $type
    PrivateKey Size from to data StartEpoch EndEpoch VerifiedDeal StoragePricePerEpoch
"""
KEYS = st.sampled_from(KEY_NAMES.split())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)


CID_LINKS = st.sampled_from([None, {"/": piece_cid(1).to_text()}, {"/": "bafkqaaa"}, {"/": ""}])
WHOLE = st.integers(-2, 40) | st.sampled_from([2**31, 2**62, 2**63 - 1, -(2**63)])
HEAD = st.sampled_from([None, []])
MESSAGES = st.fixed_dictionaries(
    {"To": st.sampled_from(ADDRESSES), "From": st.sampled_from(ADDRESSES)},
    optional={
        "Value": st.sampled_from(["0", "1", "-1", str(10**40)]),
        "Method": st.sampled_from([0, 2, 3, 4, 28, 34, 35, 2**64 - 1]),
        "Params": st.sampled_from([None, "", "gkBA", "AA=="]),
        "Nonce": st.integers(0, 3),
        "GasLimit": WHOLE,
        "GasFeeCap": st.sampled_from(["0", "100000", "-1"]),
    },
)
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "address.Address": st.sampled_from(ADDRESSES),
    "big.Int": st.sampled_from(["0", "1", "-1", str(2**80), str(10**300), "x"]),
    "abi.ChainEpoch": WHOLE,
    "int64": WHOLE,
    "uint64": WHOLE,
    "bool": st.booleans(),
    "cid.Cid": CID_LINKS,
    "types.TipSetKey": HEAD,
    "types.Message": MESSAGES,
    "[]*types.Message": st.lists(MESSAGES, max_size=2),
    "string": st.sampled_from(["latest", "0x1", "-0x1", "0x" + "ab" * 32, "bls"]),
    "types.KeyType": st.sampled_from(["bls", "secp256k1", "delegated", "", 1, 2, 3]),
    "types.KeyInfo": st.fixed_dictionaries(
        {"Type": st.sampled_from(["bls", "secp256k1", "x"]), "PrivateKey": st.sampled_from(["", "AQ==", "AQEB" * 10])}
    ),
    "[]uint64": st.lists(st.integers(0, 5), max_size=3),
    "[]uint8": st.sampled_from(["", "gkBA", "AA=="]),
}


@pytest.fixture(scope="module")
def caller() -> Caller:
    made = Caller()
    made("Sim.Allocate", CLIENT, PROVIDER, pieces(1, 2))
    made("Sim.Onboard", PROVIDER, [1])
    return made


@settings(max_examples=600)
@given(data=st.data())
def test_any_params_of_any_method_get_an_answer_or_a_fault(caller: Caller, data: st.DataObject) -> None:
    methods = VERSION_1 if data.draw(st.booleans()) else VERSION_2
    name = data.draw(st.sampled_from(sorted(methods.keys())))
    params = [data.draw(FITTING.get(kind.go_type, VALUES) | VALUES) for kind in methods[name].params]
    number = caller.chain.snapshot()
    caller.node.faults.clear()
    try:
        answer = Dispatcher(caller.node, methods).call(name, params)
    except RpcFault:
        answer = None
    finally:
        caller.chain.revert(number)
    assert isinstance(answer, Waiting | FaultAction) or json.dumps(answer)


ABSURD = [
    ("Sim.Mine", [10**9], "too many"),
    ("Sim.Mine", [10**4 + 1], "too many"),
    ("Sim.NullRounds", [2**63], "too many"),
    ("Sim.NullRounds", [-1], "uint64"),
    ("Sim.TimeTravel", [2**62], "too far"),
    ("Sim.TimeTravel", [-1], "not ahead"),
    ("Sim.TimeTravel", [0], "not ahead"),
    ("Sim.Fork", [-1], "uint64"),
    ("Sim.Revert", [2**40], "no snapshot"),
    ("Sim.Fund", [CLIENT, "-1"], "negative"),
    ("Sim.Fund", [CLIENT, str(10**40)], "supply"),
    ("Sim.AddVerifier", [CLIENT, str(10**400)], "bits"),
    ("Sim.AddVerifier", [CLIENT, "-1"], "Allowance"),
    ("Sim.Allocate", [CLIENT, PROVIDER, pieces(1, size_bytes=-1)], "integer"),
    ("Sim.Allocate", [CLIENT, PROVIDER, pieces(1, size_bytes=2**70)], "integer"),
    ("Sim.Allocate", [CLIENT, PROVIDER, pieces(1) * 5001], "too many"),
    ("Sim.PublishDeals", [[proposal(1)] * 5001], "too many"),
    ("Sim.PublishDeals", [[proposal(1, EndEpoch=2**62)]], "invalid"),
    ("Sim.PublishDeals", [[proposal(1, ClientCollateral="-1")]], "negative"),
    ("Sim.Onboard", [PROVIDER, list(range(5001))], "too many"),
    ("Sim.ActivateDeals", [[2**70]], "not found"),
    ("Sim.Terminate", [PROVIDER, 2**64 - 1], "not found"),
    ("Sim.Upgrade", [29, -1], "past"),
    ("Sim.Upgrade", [99, 10**6], "not known"),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("name", "params", "text"), ABSURD)
def test_absurd_orders_are_refused_at_once(name: str, params: list[Any], text: str) -> None:
    made = Caller()
    made("Sim.Mine", 3)
    with pytest.raises(RpcFault, match=text):
        made(name, *params)
    assert made("ChainHead")["Height"] <= 20


@pytest.mark.timeout(20)
def test_a_fork_of_any_depth_ends_above_the_genesis() -> None:
    made = Caller()
    made("Sim.Mine", 30)
    assert made("Sim.Fork", 2**63)["height"] >= 31


@pytest.mark.timeout(60)
def test_many_deals_and_pieces_at_once_are_made() -> None:
    made = Caller()
    deals = [proposal(number, Label="x" * 256) for number in range(300)]
    assert len(made("Sim.PublishDeals", deals)) == 300
    assert len(made("Sim.Allocate", CLIENT, PROVIDER, pieces(*range(500)))) == 500


@settings(max_examples=200)
@given(body=st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_gets_an_answer(caller: Caller, body: bytes) -> None:
    exchange: Any = Exchange(caller.dispatcher, body, ALL_PERMISSIONS).advance()
    assert exchange.status in {200, 400, 500}


@settings(max_examples=300)
@given(
    to=st.sampled_from(ADDRESSES),
    method=st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 28, 34, 80475954, 3726118371, 1434719642, 46363526]),
    params=st.binary(max_size=40),
)
def test_any_message_has_an_exit_code(caller: Caller, to: str, method: int, params: bytes) -> None:
    asked = {"To": to, "From": "f0100", "Method": method, "Params": base64.b64encode(params).decode()}
    assert isinstance(caller("StateCall", asked, None)["MsgRct"]["ExitCode"], int)
