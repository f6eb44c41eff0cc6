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
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces

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
"""
KEYS = st.sampled_from(KEY_NAMES.split())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)
SLOW = {"Sim.Mine", "Sim.NullRounds"}


@pytest.fixture(scope="module")
def caller() -> Caller:
    made = Caller()
    made("Sim.Allocate", CLIENT, PROVIDER, pieces(1, 2))
    made("Sim.Onboard", PROVIDER, [1])
    return made


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_params_of_any_method_get_an_answer_or_a_fault(caller: Caller, data: st.DataObject) -> None:
    methods = VERSION_1 if data.draw(st.booleans()) else VERSION_2
    name = data.draw(st.sampled_from(sorted(methods.keys() - SLOW)))
    params = data.draw(st.lists(VALUES, min_size=len(methods[name].params), max_size=len(methods[name].params)))
    number = caller.chain.snapshot()
    caller.node.faults.clear()
    try:
        answer = Dispatcher(caller.node, methods).call(name, params)
    except RpcFault:
        answer = None
    finally:
        caller.chain.revert(number)
    assert isinstance(answer, Waiting | FaultAction) or json.dumps(answer)


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_gets_an_answer(caller: Caller, body: bytes) -> None:
    exchange: Any = Exchange(caller.dispatcher, body, ALL_PERMISSIONS).advance()
    assert exchange.status in {200, 400, 500}


@settings(max_examples=300, deadline=None)
@given(
    to=st.sampled_from(ADDRESSES),
    method=st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 28, 34, 80475954, 3726118371, 1434719642, 46363526]),
    params=st.binary(max_size=40),
)
def test_any_message_has_an_exit_code(caller: Caller, to: str, method: int, params: bytes) -> None:
    asked = {"To": to, "From": "f0100", "Method": method, "Params": base64.b64encode(params).decode()}
    assert isinstance(caller("StateCall", asked, None)["MsgRct"]["ExitCode"], int)
