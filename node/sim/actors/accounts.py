"""Accounts, which answer for their key, and the init actor, which makes multisigs."""

from node.actors.accounts import AUTHENTICATE, EXEC, AuthenticateParams, ExecParams, ExecReturn
from node.actors.multisig import CONSTRUCT
from node.address import actor_address
from node.exit_codes import FORBIDDEN, ILLEGAL_ARGUMENT
from node.sim.codes import kind_of_code
from node.sim.errors import ActorFailure
from node.sim.keys import is_signed_by
from node.sim.machine import Call


def authenticate(call: Call, params: AuthenticateParams) -> bool:
    """Whether the account's key signed the message."""
    address = call.state.actors[call.receiver_id].address
    if address is None or not is_signed_by(address, params.signature_data, params.message):
        raise ActorFailure(ILLEGAL_ARGUMENT, "bad signature")
    return True


def execute(call: Call, params: ExecParams) -> ExecReturn:
    """Makes an actor, which must be a multisig, and constructs it."""
    kind = kind_of_code(params.code)
    if kind != "multisig":
        raise ActorFailure(FORBIDDEN, f"called type {_caller_kind(call)} cannot create actor type {kind}")
    robust = call.world.robust_address()
    call.world.meter.charge_new_actor()
    actor_id = call.world.add_actor(kind, robust)
    call.world.touch(call.receiver_id)
    call.send_raw(actor_address(actor_id), CONSTRUCT.numbers[0], params.constructor_params, value=call.value_attofil)
    return ExecReturn(actor_address(actor_id), robust)


def _caller_kind(call: Call) -> str:
    return call.state.actors[call.caller_id].kind


ACCOUNT = ((AUTHENTICATE, authenticate),)
INIT = ((EXEC, execute),)
