"""The DataCap token (f07): moved only to and from the registry (f06), minted and destroyed only by it."""

from dataclasses import replace

from node.actors import datacap as codec
from node.actors.receiver import FRC46_TOKEN, TokensReceived, UniversalReceiverParams
from node.address import Address, actor_address
from node.exit_codes import FORBIDDEN, ILLEGAL_ARGUMENT, INSUFFICIENT_FUNDS, NOT_FOUND
from node.methods import exported_number
from node.sim.errors import ActorFailure
from node.sim.machine import Call
from node.sim.state import Token
from node.tokens import TOKENS_PER_BYTE

INFINITE_ALLOWANCE = 10**21 * TOKENS_PER_BYTE
_RECEIVE_NUMBER = exported_number("Receive")
_GOVERNOR_ID = 6


def _fail(code: int, text: str) -> ActorFailure:
    return ActorFailure(code, f"state transaction failed: {text}")


def _in_bytes(tokens: int) -> str:
    """An amount as the token library prints it: `TokenAmount(34359738368.0)`."""
    sign = "-" if tokens < 0 else ""
    whole, rest = divmod(abs(tokens), TOKENS_PER_BYTE)
    decimals = f"{rest:018}".rstrip("0") or "0"
    return f"TokenAmount({sign}{whole}.{decimals})"


def _id_of(call: Call, address: Address) -> int:
    actor_id = call.state.actor_id(address)
    if actor_id is None:
        raise ActorFailure(NOT_FOUND, f"failed to resolve {address}")
    return actor_id


def change_balance(call: Call, actor_id: int, change: int) -> int:
    """Adds tokens to a balance, or takes them; the new balance. ActorFailure below zero."""
    token = call.state.token
    before = token.balances.get(actor_id, 0)
    after = before + change
    if after < 0:
        what = f"decreasing {actor_id}'s balance of {_in_bytes(before)} by {_in_bytes(change)}"
        raise _fail(INSUFFICIENT_FUNDS, f"error in underlying state negative balance caused by {what}")
    balances = token.balances
    if after:
        balances = balances.set(actor_id, after)
    elif actor_id in balances:
        balances = balances.delete(actor_id)
    call.world.set_token(replace(token, balances=balances))
    return after


def _change_supply(call: Call, change: int) -> int:
    token = call.state.token
    call.world.set_token(replace(token, supply=token.supply + change))
    return token.supply + change


def _set_allowance(call: Call, owner_id: int, operator_id: int, amount: int) -> None:
    token = call.state.token
    key = (owner_id, operator_id)
    allowances = token.allowances
    if amount:
        allowances = allowances.set(key, amount)
    elif key in allowances:
        allowances = allowances.delete(key)
    call.world.set_token(replace(token, allowances=allowances))


def _use_allowance(call: Call, owner_id: int, amount: int) -> int:
    """Takes from what the caller may move of an owner's tokens; what is left."""
    if owner_id == call.caller_id:
        return 0
    allowed = call.state.token.allowances.get((owner_id, call.caller_id), 0)
    if allowed < amount:
        used = f"{_in_bytes(allowed)} allowance, {_in_bytes(amount)} required"
        text = f"error in underlying state operator {call.caller_id} attempted to spend {used} from owner {owner_id}"
        raise _fail(INSUFFICIENT_FUNDS, text)
    _set_allowance(call, owner_id, call.caller_id, allowed - amount)
    return allowed - amount


def _require_governor(call: Call) -> None:
    if call.caller_id != _GOVERNOR_ID:
        raise _fail(FORBIDDEN, f"caller {call.caller} is not one of supported")


def _refuse_negative(amount: int) -> None:
    if amount < 0:
        raise ActorFailure(ILLEGAL_ARGUMENT, f"amount {_in_bytes(amount)} must not be negative")


def _require_amount(amount: int) -> None:
    _refuse_negative(amount)
    if amount % TOKENS_PER_BYTE:
        raise ActorFailure(
            ILLEGAL_ARGUMENT, f"amount {_in_bytes(amount)} must be a multiple of {_in_bytes(TOKENS_PER_BYTE)}"
        )


def _tell_receiver(call: Call, received: TokensReceived) -> bytes:
    """Calls the receiver's hook; what it answered."""
    to = actor_address(received.to_id)
    payload = UniversalReceiverParams(FRC46_TOKEN, received.to_bytes())
    try:
        return call.send_raw(to, _RECEIVE_NUMBER, payload.to_bytes())
    except ActorFailure as error:
        code = f"ExitCode {{ value: {error.exit_code} }}"
        text = f'receiver hook error from Address("{to}"): exit_code={code}, return_data=RawBytes {{  }}'
        raise ActorFailure(error.exit_code, text) from error


def mint(call: Call, params: codec.MintParams) -> codec.MintReturn:
    """New tokens; only for the registry."""
    _require_governor(call)
    _require_amount(params.amount_tokens)
    owner_id = _id_of(call, params.to)
    change_balance(call, owner_id, params.amount_tokens)
    _change_supply(call, params.amount_tokens)
    for operator in params.operators:
        _set_allowance(call, owner_id, _id_of(call, operator), INFINITE_ALLOWANCE)
    token = call.state.token
    data = _tell_receiver(
        call, TokensReceived(call.receiver_id, owner_id, call.caller_id, params.amount_tokens, b"", b"")
    )
    return codec.MintReturn(token.balances.get(owner_id, 0), token.supply, data)


def destroy(call: Call, params: codec.DestroyParams) -> codec.BurnReturn:
    """Takes a client's tokens away; only for the registry."""
    _require_governor(call)
    _require_amount(params.amount_tokens)
    balance = change_balance(call, _id_of(call, params.owner), -params.amount_tokens)
    _change_supply(call, -params.amount_tokens)
    return codec.BurnReturn(balance)


def _move(call: Call, from_id: int, to_id: int, amount: int, operator_data: bytes) -> tuple[int, int, bytes]:
    """Moves tokens and tells the receiver; both balances before the receiver did anything, and what it answered."""
    if _GOVERNOR_ID not in {from_id, to_id}:
        who = f"from {actor_address(from_id)} to {actor_address(to_id)}"
        raise _fail(FORBIDDEN, f"transfer not allowed {who} (governor is {actor_address(_GOVERNOR_ID)})")
    from_balance = change_balance(call, from_id, -amount)
    to_balance = change_balance(call, to_id, amount)
    data = _tell_receiver(call, TokensReceived(from_id, to_id, call.caller_id, amount, operator_data, b""))
    return from_balance, to_balance, data


def transfer(call: Call, params: codec.TransferParams) -> codec.TransferReturn:
    """The caller's tokens to the registry, with allocations to be made of them; or the registry's to anyone."""
    _require_amount(params.amount_tokens)
    to_id = call.resolve(params.to)
    return codec.TransferReturn(*_move(call, call.caller_id, to_id, params.amount_tokens, params.operator_data))


def transfer_from(call: Call, params: codec.TransferFromParams) -> codec.TransferFromReturn:
    """Another's tokens, by an operator: the market for a verified deal."""
    _require_amount(params.amount_tokens)
    from_id, to_id = _id_of(call, params.from_address), call.resolve(params.to)
    allowance = _use_allowance(call, from_id, params.amount_tokens)
    balance, received, data = _move(call, from_id, to_id, params.amount_tokens, params.operator_data)
    return codec.TransferFromReturn(balance, received, allowance, data)


def increase_allowance(call: Call, params: codec.IncreaseAllowanceParams) -> int:
    """Lets an operator move more; the new allowance."""
    _refuse_negative(params.increase_tokens)
    return _change_allowance(call, params.operator, params.increase_tokens)


def decrease_allowance(call: Call, params: codec.DecreaseAllowanceParams) -> int:
    """Lets an operator move less; the new allowance."""
    _refuse_negative(params.decrease_tokens)
    return _change_allowance(call, params.operator, -params.decrease_tokens)


def _change_allowance(call: Call, operator: Address, change: int) -> int:
    operator_id = call.resolve(operator)
    allowance = max(call.state.token.allowances.get((call.caller_id, operator_id), 0) + change, 0)
    _set_allowance(call, call.caller_id, operator_id, allowance)
    return allowance


def revoke_allowance(call: Call, params: codec.RevokeAllowanceParams) -> int:
    """Lets an operator move nothing; what it could."""
    operator_id = _id_of(call, params.operator)
    allowance: int = call.state.token.allowances.get((call.caller_id, operator_id), 0)
    _set_allowance(call, call.caller_id, operator_id, 0)
    return allowance


def burn(call: Call, params: codec.BurnParams) -> codec.BurnReturn:
    """Gives up tokens of the caller."""
    _require_amount(params.amount_tokens)
    balance = change_balance(call, call.caller_id, -params.amount_tokens)
    _change_supply(call, -params.amount_tokens)
    return codec.BurnReturn(balance)


def burn_from(call: Call, params: codec.BurnFromParams) -> codec.BurnFromReturn:
    """Gives up another's tokens, by an operator."""
    _require_amount(params.amount_tokens)
    owner_id = _id_of(call, params.owner)
    allowance = _use_allowance(call, owner_id, params.amount_tokens)
    balance = change_balance(call, owner_id, -params.amount_tokens)
    _change_supply(call, -params.amount_tokens)
    return codec.BurnFromReturn(balance, allowance)


def balance_of(call: Call, owner: Address) -> int:
    """An owner's tokens."""
    balance: int = call.state.token.balances.get(_id_of(call, owner), 0)
    return balance


def allowance_of(call: Call, params: codec.AllowanceParams) -> int:
    """What an operator may move of an owner's tokens."""
    key = _id_of(call, params.owner), _id_of(call, params.operator)
    allowance: int = call.state.token.allowances.get(key, 0)
    return allowance


def _token(call: Call) -> Token:
    return call.state.token


METHODS = (
    (codec.NAME, lambda _call, _params: "DataCap"),
    (codec.SYMBOL, lambda _call, _params: "DCAP"),
    (codec.GRANULARITY, lambda _call, _params: TOKENS_PER_BYTE),
    (codec.TOTAL_SUPPLY, lambda call, _params: _token(call).supply),
    (codec.BALANCE, balance_of),
    (codec.ALLOWANCE, allowance_of),
    (codec.MINT, mint),
    (codec.DESTROY, destroy),
    (codec.TRANSFER, transfer),
    (codec.TRANSFER_FROM, transfer_from),
    (codec.INCREASE_ALLOWANCE, increase_allowance),
    (codec.DECREASE_ALLOWANCE, decrease_allowance),
    (codec.REVOKE_ALLOWANCE, revoke_allowance),
    (codec.BURN, burn),
    (codec.BURN_FROM, burn_from),
)
