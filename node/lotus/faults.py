"""What a node's error answer means: from code and text to the tree of `node.chain.errors`.

The texts are Lotus'. Codes tell little: most of a method's own failures are code 1.
"""

import re
from collections.abc import Callable
from typing import Final

from node.chain.errors import (
    ActorNotFound,
    AlreadyPending,
    BadRequest,
    BeyondLookback,
    ChainError,
    DealNotFound,
    EpochAboveHead,
    GarbledAnswer,
    MessageRefused,
    MessageReplaced,
    MethodMissing,
    ModuleDisabled,
    NodeOverloaded,
    NodeTimeout,
    NonceTooLow,
    NotEnoughFunds,
    NotFound,
    PermissionMissing,
    PremiumTooLow,
    RangeTooWide,
    RateLimited,
    RefusedByActor,
    RequestFailed,
    SenderUnknown,
    SignatureRefused,
    TooManyEvents,
)
from node.cid import parse_cid
from node.errors import CidError
from node.exit_codes import OUT_OF_GAS, exit_code_text
from node.lotus.transport import RpcFault

_PUSH = "Filecoin.MpoolPush"
_SHOWN_CHARS = 600

_CODE_OUT_OF_GAS = 2
_CODE_RATE_LIMITED = -32005
_CODE_ACTOR_NOT_FOUND = 11

Make = Callable[[str, "re.Match[str]"], ChainError]


def _plain(kind: type[ChainError]) -> Make:
    return lambda text, _: kind(text)


def _refused_by_actor(text: str, match: "re.Match[str]") -> ChainError:
    words = re.search(r"(?:vm error=\[|reason: )(.*?)(?:\]\))?\Z", text, re.DOTALL)
    code = int(match["code"])
    said = words[1].strip() if words else text
    return RefusedByActor(f"{exit_code_text(code)}: {_innermost(said)}", exit_code=code, text=said)


def _innermost(said: str) -> str:
    """The line of the virtual machine's backtrace that tells most: the last numbered one."""
    lines = re.findall(r"^\d+: (.*)$", said, re.MULTILINE)
    return lines[-1] if lines else said


def _replaced(text: str, match: "re.Match[str]") -> ChainError:
    try:
        return MessageReplaced(text, by=parse_cid(match["by"]))
    except CidError as error:
        return GarbledAnswer(f"{text}: {error}")


def _nonce_too_low(text: str, match: "re.Match[str]") -> ChainError:
    return NonceTooLow(text, expected_nonce=int(match["nonce"]))


def _premium_too_low(text: str, match: "re.Match[str]") -> ChainError:
    return PremiumTooLow(text, required_premium_attofil=int(match["premium"]))


def _range_too_wide(text: str, match: "re.Match[str]") -> ChainError:
    return RangeTooWide(text, max_epochs=int(match["epochs"]) if match["epochs"] else None)


def _above_head(text: str, match: "re.Match[str]") -> ChainError:
    return EpochAboveHead(text, head_epoch=int(match["head"]))


def _permission_missing(text: str, match: "re.Match[str]") -> ChainError:
    return PermissionMissing(text, permission=match["permission"])


def _module_disabled(text: str, match: "re.Match[str]") -> ChainError:
    return ModuleDisabled(text, setting=match["setting"])


# The first that is found in the text decides. Every part is bounded: a node may print absurd numbers, and long texts.
_RULES: Final[tuple[tuple["re.Pattern[str]", Make], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), make)
    for pattern, make in (
        (r"message execution failed.{0,40}?exit(?:=\[| )(?:\w{1,40}\()?(?P<code>\d{1,9})\b", _refused_by_actor),
        (r"missing permission to invoke '.{0,80}?' \(need '(?P<permission>\w+)'\)", _permission_missing),
        (r"module disabled, enable with (?P<setting>[\w.]+)", _module_disabled),
        (r"method '.{0,80}?' not (?:found|supported)", _plain(MethodMissing)),
        (r"lookbacks? of more than", _plain(BeyondLookback)),
        (r"message was replaced.{0,300}?\(F:.{0,300}?TS: (?P<by>[a-zA-Z0-9]{8,256})\b", _replaced),
        (r"expected nonce is (?P<nonce>\d{1,19}).{0,80}?nonce too low", _nonce_too_low),
        (r"increase GasPremium to (?P<premium>\d{1,40}) ", _premium_too_low),
        (r"message with nonce already exists", _plain(AlreadyPending)),
        (r"not enough funds", _plain(NotEnoughFunds)),
        (r"signature verification failed|invalid signature for message", _plain(SignatureRefused)),
        (r"failed to look up actor state nonce|sender .{0,120}? not found on chain", _plain(SenderUnknown)),
        (r"not valid for block inclusion|will not be included in a block", _plain(MessageRefused)),
        (r"heights is too large(?: \(maximum: (?P<epochs>\d{1,9})\))?", _range_too_wide),
        (r"filter matches too many events", _plain(TooManyEvents)),
        (r"height greater than start point, req: -?\d+, head: (?P<head>\d{1,19})\b", _above_head),
        (r"height -\d+ is negative|invalid epoch range|cannot specify both|range 'from' must", _plain(BadRequest)),
        (r"can only query events by|zero length array of blocks", _plain(BadRequest)),
        (r"server busy|connection limited|too many requests|rate limit", _plain(RateLimited)),
        (r"context (?:deadline exceeded|canceled)", _plain(NodeTimeout)),
        (r"connection refused|missing syncing information|panic in rpc method", _plain(NodeOverloaded)),
        (r"actor not found|failed to find actor", _plain(ActorNotFound)),
        (r"\bdeal \d+ not found", _plain(DealNotFound)),
        (r"ipld: could not find|actor code is not|Address .{0,120}? not found", _plain(NotFound)),
    )
)


def error_of(fault: RpcFault, method: str) -> ChainError:
    """The error of the tree that a node's answer to `method` stands for."""
    text = f"{method.removeprefix('Filecoin.')}: {_shown(fault.message)}"
    by_code = _error_by_code(fault, text)
    if by_code is not None:
        return by_code
    for pattern, make in _RULES:
        match = pattern.search(fault.message)
        if match:
            return _named(make(fault.message, match), text)
    return MessageRefused(text) if method == _PUSH else RequestFailed(f"{text} (code {fault.code})")


def _error_by_code(fault: RpcFault, text: str) -> ChainError | None:
    """JSON-RPC's own errors (-32700 to -32600), and those that only the code tells surely."""
    if fault.code in {-32700, -32602, -32600}:
        return BadRequest(text)
    if fault.code == -32601:
        return MethodMissing(text)
    if fault.code in {_CODE_RATE_LIMITED, 429}:
        return RateLimited(text)
    if fault.code == _CODE_ACTOR_NOT_FOUND:
        return ActorNotFound(text)
    if fault.code == _CODE_OUT_OF_GAS:
        return RefusedByActor(text, exit_code=OUT_OF_GAS, text=fault.message)
    return None


def _named(error: ChainError, text: str) -> ChainError:
    """The error with the method before its text; one of an actor speaks for itself."""
    if not isinstance(error, RefusedByActor):
        error.args = (text,)
    return error


def _shown(message: str) -> str:
    return message if len(message) <= _SHOWN_CHARS else f"{message[:_SHOWN_CHARS]}… ({len(message)} characters)"
