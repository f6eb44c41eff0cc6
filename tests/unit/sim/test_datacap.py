"""The DataCap token: what of it a call can't have."""

import base64
from typing import Any

import pytest

from node.actors import datacap
from node.address import parse_address
from node.exit_codes import ILLEGAL_ARGUMENT, OK
from node.tokens import TOKENS_PER_BYTE
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces

REGISTRY, TOKEN = "f06", "f07"
OPERATOR = parse_address("f05")


def called(caller: Caller, sender: str, method: Any, params: Any) -> int:
    """The exit code of a call that changes nothing."""
    raw = base64.b64encode(method.params.to_bytes(params)).decode()
    message = {"From": sender, "To": TOKEN, "Method": method.numbers[0], "Params": raw}
    return int(caller("StateCall", message, None)["MsgRct"]["ExitCode"])


@pytest.mark.parametrize(
    ("sender", "method", "params"),
    [
        (REGISTRY, datacap.DESTROY, lambda amount: datacap.DestroyParams(parse_address(CLIENT), amount)),
        (CLIENT, datacap.BURN, datacap.BurnParams),
        (CLIENT, datacap.INCREASE_ALLOWANCE, lambda amount: datacap.IncreaseAllowanceParams(OPERATOR, amount)),
        (CLIENT, datacap.DECREASE_ALLOWANCE, lambda amount: datacap.DecreaseAllowanceParams(OPERATOR, amount)),
    ],
    ids=["destroy", "burn", "increase", "decrease"],
)
def test_a_negative_amount_is_refused(sender: str, method: Any, params: Any) -> None:
    """Else what takes would give: less than nothing destroyed is DataCap out of nothing."""
    caller = Caller()
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    assert called(caller, sender, method, params(0)) == OK
    assert called(caller, sender, method, params(-TOKENS_PER_BYTE)) == ILLEGAL_ARGUMENT
