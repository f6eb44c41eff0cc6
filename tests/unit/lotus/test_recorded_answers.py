"""Every recorded answer to every method that we use becomes the right value, or the right error."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.chain import errors
from node.chain.results import RejectedRecord
from node.events import event_document
from node.lotus import decoding
from node.lotus.envelope import batch_results, result_of
from node.lotus.faults import error_of
from node.lotus.http_answer import parse_answer
from node.lotus.transport import RpcFault
from node.market import parse_deal
from node.message import message_document, parse_message, signed_message_document
from node.receipt import parse_receipt, receipt_document
from node.registry import parse_allocation, parse_claim
from tests.conftest import SHARED_DATA
from tests.recordings_player import (
    FOLDERS,
    RECORDINGS,
    RecordedCall,
    recorded_calls,
    recorded_frames,
    websockets,
)
from tests.unit.lotus.chains import RECORDED_AT

Decode = Callable[[Any, list[Any]], Any]


def _identity(result: Any, _: list[Any]) -> Any:
    return decoding.identity("testing", result)


def _records(parse: Any) -> Decode:
    return lambda result, _: decoding.records(result, parse)


def _record(parse: Any) -> Decode:
    return lambda result, params: decoding.record_or_none(params[-2], result, parse)


DECODERS: dict[str, Decode] = {
    "ChainGetFinalizedTipSet": lambda result, _: decoding.tipset(result),
    "ChainGetGenesis": _identity,
    "ChainGetMessagesInTipset": lambda result, _: decoding.messages(result),
    "ChainGetParentMessages": lambda result, _: decoding.messages(result),
    "ChainGetParentReceipts": lambda result, _: [parse_receipt(each) for each in result],
    "ChainGetTipSet": lambda result, _: decoding.tipset(result),
    "ChainGetTipSetByHeight": lambda result, _: decoding.tipset(result),
    "ChainHead": lambda result, _: decoding.tipset(result),
    "GasEstimateMessageGas": lambda result, params: decoding.priced_message(
        result, parse_message(params[0], check_cid=False)
    ),
    "GetActorEventsRaw": lambda result, _: [
        decoding.actor_event(each) for each in decoding.a_list(result, "events", null_is_empty=True)
    ],
    "MpoolGetNonce": lambda result, _: decoding.nonce(result),
    "MpoolPending": lambda result, _: decoding.signed_messages(result),
    "MpoolPush": lambda result, _: decoding.cid(result),
    "StateAccountKey": lambda result, _: decoding.address(result),
    "StateCall": lambda result, _: decoding.invocation(result),
    "StateGetActor": lambda result, _: decoding.actor(result),
    "StateGetAllAllocations": _records(parse_allocation),
    "StateGetAllClaims": _records(parse_claim),
    "StateGetAllocation": _record(parse_allocation),
    "StateGetAllocations": _records(parse_allocation),
    "StateGetClaim": _record(parse_claim),
    "StateGetClaims": _records(parse_claim),
    "StateListMiners": lambda result, _: decoding.actor_ids(result),
    "StateLookupID": lambda result, _: decoding.actor_id(result),
    "StateMarketDeals": _records(parse_deal),
    "StateMarketStorageDeal": _record(parse_deal),
    "StateNetworkName": lambda result, _: decoding.text(result),
    "StateNetworkVersion": lambda result, _: decoding.network_version(result),
    "StateSearchMsg": lambda result, _: decoding.message_lookup(result),
    "StateVerifiedClientStatus": lambda result, _: decoding.datacap_or_none(result),
    "StateVerifiedRegistryRootKey": lambda result, _: decoding.address(result),
    "StateVerifierStatus": lambda result, _: decoding.datacap_or_none(result),
    "Version": lambda result, _: decoding.node_version(result),
}

# What each error answer must become: method (or "" for any), a part of its text, the class.
ERRORS: tuple[tuple[str, str, type[errors.ChainError]], ...] = (
    ("", "message execution failed (exit=", errors.RefusedByActor),
    ("", "missing permission to invoke", errors.PermissionMissing),
    ("", "module disabled, enable with", errors.ModuleDisabled),
    ("", "' not found", errors.MethodMissing),
    ("", "not supported in this mode", errors.MethodMissing),
    ("", "wrong param count", errors.BadRequest),
    ("", "unmarshaling param", errors.BadRequest),
    ("", "Parse error", errors.BadRequest),
    ("", "Invalid request", errors.BadRequest),
    ("", "request bigger than maximum", errors.BadRequest),
    ("", "panic in rpc method", errors.NodeOverloaded),
    ("", "lookbacks of more than 24h", errors.BeyondLookback),
    ("", "is negative", errors.BadRequest),
    ("", "looking for tipset with height greater", errors.EpochAboveHead),
    ("", "zero length array of blocks", errors.BadRequest),
    ("", "message was replaced", errors.MessageReplaced),
    ("", "message nonce too low", errors.NonceTooLow),
    ("", "increase GasPremium to", errors.PremiumTooLow),
    ("", "message with nonce already exists", errors.AlreadyPending),
    ("", "not enough funds", errors.NotEnoughFunds),
    ("", "signature verification failed", errors.SignatureRefused),
    ("", "failed to look up actor state nonce", errors.SenderUnknown),
    ("", "sender validation failed", errors.SenderUnknown),
    ("", "block inclusion", errors.MessageRefused),
    ("", "will not be included in a block", errors.MessageRefused),
    ("", "range between to and 'from' heights is too large", errors.RangeTooWide),
    ("", "invalid epoch range", errors.BadRequest),
    ("", "range 'from' must be", errors.BadRequest),
    ("", "cannot specify both", errors.BadRequest),
    ("", "can only query events by ID", errors.BadRequest),
    ("", "deal 999 not found", errors.DealNotFound),
    ("", "actor not found", errors.ActorNotFound),
    ("", "failed to find actor", errors.ActorNotFound),
    ("", "actor code is not", errors.NotFound),
    ("", "ipld: could not find", errors.NotFound),
    ("", "Address f0999999 not found", errors.NotFound),
    ("", "missing syncing information", errors.NodeOverloaded),
    # Methods that are not ours, and questions that we never put.
    ("ChainGetMessage", "wrong number of fields", errors.RequestFailed),
    ("StateSearchMsg", "error decoding identity cid", errors.RequestFailed),
    ("StateActorManifestCID", "invalid network version", errors.RequestFailed),
    ("ChainSetHead", "", errors.RequestFailed),
    ("WalletSign", "", errors.RequestFailed),
    ("WalletSignMessage", "", errors.RequestFailed),
    ("ChainGetTipSet", "unknown tipset tag", errors.RequestFailed),
    ("ChainGetTipSet", "exactly one tipset selection", errors.RequestFailed),
    ("eth_getBlockByNumber", "", errors.RequestFailed),
)

SAMPLES = [call for folder in FOLDERS for call in recorded_calls(folder)]


def _is_v1_value(call: RecordedCall) -> bool:
    return call.path == "/rpc/v1" and isinstance(call.response, dict) and "result" in call.response


def _bare(method: str) -> str:
    return method.removeprefix("Filecoin.")


def check_value(call: RecordedCall) -> None:
    """Holds a recorded result against its decoder, and back where there is a way back."""
    document = parse_answer(call.http_status, {}, call.body, now=RECORDED_AT)
    result = result_of(document, call.request["id"]) if type(call.request["id"]) is int else call.response["result"]
    value = DECODERS[_bare(call.method)](result, call.params)
    check_written_back(_bare(call.method), result, value)


def check_written_back(method: str, result: Any, value: Any) -> None:
    """What we made of an answer says all that it said."""
    if method == "GetActorEventsRaw":
        assert [event_document(each) for each in value] == (result or [])
    elif method in {"ChainGetMessagesInTipset", "ChainGetParentMessages"}:
        assert [{"Cid": {"/": str(each.cid)}, "Message": message_document(each.message)} for each in value] == (
            result or []
        )
    elif method == "ChainGetParentReceipts":
        assert [receipt_document(each) for each in value] == result
    elif method == "MpoolPending":
        assert [signed_message_document(each) for each in value] == result
    elif method == "GasEstimateMessageGas":
        assert message_document(value) == result
    elif method in {"ChainHead", "ChainGetTipSet", "ChainGetTipSetByHeight", "ChainGetFinalizedTipSet"}:
        assert [{"/": text} for text in value.key.texts] == result["Cids"]
        assert (value.epoch, [{"/": text} for text in value.parents.texts]) == (
            result["Height"],
            result["Blocks"][0]["Parents"],
        )
    elif method.startswith("StateVerifi") and method.endswith("Status"):
        assert result == (None if value is None else str(value))
    elif isinstance(value, tuple) and isinstance(result, dict):
        assert [str(each.id) for each in value] == list(result)
        assert not any(isinstance(each, RejectedRecord) for each in value)
    elif result is None:
        assert value is None
    elif method == "StateSearchMsg":
        assert ({"/": str(value.message_cid)}, value.epoch) == (result["Message"], result["Height"])


def fault_of(call: RecordedCall) -> RpcFault | errors.ChainError:
    """The error that a recorded answer raises."""
    try:
        result_of(parse_answer(call.http_status, {}, call.body, now=RECORDED_AT), 0)
    except (RpcFault, errors.ChainError) as error:
        return error
    raise AssertionError(call.name)


def check_error(call: RecordedCall) -> None:
    """Holds a recorded error answer against the class that the table says."""
    fault = fault_of(call)
    assert isinstance(fault, RpcFault)
    error = error_of(fault, call.method)
    wanted = next(kind for method, text, kind in ERRORS if method in {"", _bare(call.method)} and text in fault.message)
    assert type(error) is wanted, f"{call.name}: {type(error).__name__} for {fault.message}"
    if isinstance(error, errors.RefusedByActor):
        assert error.exit_code > 0
        assert f"({error.exit_code})" in fault.message
        assert error.text
        assert error.text in fault.message


def _of_kind(calls: list[RecordedCall]) -> tuple[list[RecordedCall], list[RecordedCall], list[RecordedCall]]:
    values = [call for call in calls if _is_v1_value(call) and _bare(call.method) in DECODERS and "id" in call.request]
    faults = [call for call in calls if isinstance(call.response, dict) and "error" in call.response]
    others = [call for call in calls if not isinstance(call.response, dict)]
    return values, faults, others


VALUES, FAULTS, OTHERS = _of_kind(SAMPLES)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_recorded_value_is_decoded(folder: str) -> None:
    for call in VALUES:
        if call.folder == folder:
            try:
                check_value(call)
            except Exception as error:
                raise AssertionError(f"{call.name} {call.method}: {error}") from error


def test_every_method_that_we_use_was_recorded() -> None:
    assert {_bare(call.method) for call in VALUES} == set(DECODERS)
    assert len(VALUES) > 500


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_recorded_error_has_its_place_in_the_tree(folder: str) -> None:
    for call in FAULTS:
        if call.folder == folder:
            check_error(call)


def test_there_are_many_recorded_errors_of_many_kinds() -> None:
    kinds = Counter(type(error_of(fault_of(call), call.method)) for call in FAULTS)  # type: ignore[arg-type]
    assert sum(kinds.values()) > 150
    assert len(kinds) > 20


@pytest.mark.parametrize("call", OTHERS, ids=lambda call: call.name)
def test_what_was_no_json_object_is_told_apart(call: RecordedCall) -> None:
    if call.http_status == 401:
        assert isinstance(fault_of(call), errors.TokenRefused)
    elif call.http_status == 404:
        assert isinstance(fault_of(call), errors.BadEndpoint)
    elif call.http_status == 503:
        assert isinstance(fault_of(call), errors.NodeOverloaded)
    elif not call.body.strip():
        assert isinstance(fault_of(call), errors.GarbledAnswer)
    elif isinstance(call.response, list):
        ids = [each["id"] for each in call.request]
        results = batch_results(call.response, ids)
        assert len(results) == len(ids)
    else:
        assert isinstance(fault_of(call), errors.GarbledAnswer)


def test_a_batch_holds_results_and_errors() -> None:
    call = next(call for call in OTHERS if isinstance(call.response, list) and len(call.response) == 3)
    name, version, fault = batch_results(call.response, [1, 2, 3])
    assert (name, version) == ("testing", 28)
    assert isinstance(fault, RpcFault)
    assert type(error_of(fault, "Filecoin.Nope")) is errors.MethodMissing


@pytest.mark.parametrize("path", websockets(), ids=lambda path: path.stem)
def test_every_recorded_frame_is_read(path: Path) -> None:
    read = Counter[str]()
    for line in recorded_frames(path):
        frame = line.get("frame") or {}
        if line["dir"] != "recv" or frame.get("method") != "xrpc.ch.val":
            continue
        value = frame["params"][1]
        if isinstance(value, list):
            changes = decoding.head_changes(value)
            assert [change.kind for change in changes] == [each["Type"] for each in value]
            read["head changes"] += 1
        elif "entries" in value:
            event = decoding.actor_event(value)
            assert event is not None
            assert event_document(event) == value
            read["event"] += 1
    assert read or "off" in path.stem or "rpc" in path.stem or "mpoolsub" in path.stem


# The same over the whole shared folder, which may hold more than the copy that is kept with the tests.

_SHARED = SHARED_DATA / "lotus"


@pytest.mark.shared
def test_the_copy_is_the_shared_recordings() -> None:
    for path in RECORDINGS.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (_SHARED / path.relative_to(RECORDINGS)).read_bytes()


@pytest.mark.shared
def test_every_shared_recording_is_decoded() -> None:
    folders = [path.name for path in _SHARED.iterdir() if (path / "calls.ndjson").is_file()]
    assert set(folders) >= set(FOLDERS)
    for folder in folders:
        values, faults, _ = _of_kind(recorded_calls(folder, root=_SHARED))
        for call in values:
            check_value(call)
        for call in faults:
            check_error(call)
