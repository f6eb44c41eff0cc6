"""The recorded calls, and what they tell of the time at which they were made."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.doors import GATEWAY_PORTS, HttpReply
from tests.recordings_player import RECORDINGS

_SENDING = ("MpoolGetNonce", "GasEstimateMessageGas", "WalletSignMessage", "MpoolPush", "MpoolPushMessage")
_LATER = 1 << 60


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A line of calls.ndjson."""

    folder: str
    line: dict[str, Any]

    @property
    def number(self) -> str:
        """Its number and name, as `194-StateWaitMsg`."""
        return str(self.line["n"])

    @property
    def request(self) -> Any:
        """What was sent, None where it was no JSON."""
        return self.line.get("request")

    @property
    def method(self) -> str:
        """The method without Lotus' namespace, "" where the request is no call."""
        name = self.request.get("method", "") if isinstance(self.request, dict) else ""
        return str(name).removeprefix("Filecoin.")

    @property
    def params(self) -> Any:
        """Its parameters."""
        return self.request.get("params") if isinstance(self.request, dict) else None

    @property
    def response(self) -> Any:
        """What came back, None where it was no JSON."""
        return self.line.get("response")

    @property
    def result(self) -> Any:
        """The result, None for an error."""
        return self.response.get("result") if isinstance(self.response, dict) else None

    @property
    def gateway(self) -> bool:
        """Whether it went to a gateway."""
        return self.line["http"].get("port") in GATEWAY_PORTS

    @property
    def reply(self) -> HttpReply:
        """What came back, in bytes."""
        text = self.line.get("response_text") or ""
        body = text.encode() if self.response is None else json.dumps(self.response).encode()
        return HttpReply(self.line["http_status"], body, self.line["http"].get("response_headers") or {})


def folder_of(number: str) -> Path:
    """The folder whose name begins with a number."""
    return next(path for path in sorted(RECORDINGS.iterdir()) if path.is_dir() and path.name.startswith(number))


def calls_of(number: str) -> list[RecordedCall]:
    """The calls of a folder, in order."""
    with (folder_of(number) / "calls.ndjson").open() as lines:
        return [RecordedCall(number, json.loads(line)) for line in lines]


def waited_height(call: RecordedCall) -> int | None:
    """How far the chain had to grow for the answer to a StateWaitMsg; None for other calls."""
    if call.method != "StateWaitMsg" or not isinstance(call.result, dict):
        return None
    return int(call.result["Height"]) + int(call.params[1])


def waited_in_vain(call: RecordedCall) -> bool:
    """Whether a StateWaitMsg ended when another message was executed in place of the one that it waited for."""
    return call.method == "StateWaitMsg" and "message was replaced" in str(call.response)


def heads_before(calls: Sequence[RecordedCall], nulls: frozenset[int]) -> dict[int, int]:
    """By a call's position, the height that the head had reached when it was made, where later answers tell it.

    A message that was included at an epoch was pushed when the head was the tipset before that, or earlier. The calls
    that make a message are made in one go. No height is beyond one that a later call tells.
    """
    told = dict(_told_heights(calls, nulls))
    least, found = _LATER, {}
    for position in range(len(calls) - 1, -1, -1):
        if calls[position].method == "ChainSetHead":
            least = _LATER
        if position in told:
            least = min(least, told[position])
            found[position] = least
        elif waited_in_vain(calls[position]) and least < _LATER:
            found[position] = least
    return found


def _told_heights(calls: Sequence[RecordedCall], nulls: frozenset[int]) -> Iterator[tuple[int, int]]:
    for position, call in enumerate(calls):
        if isinstance(call.result, dict) and (call.method == "ChainHead" or call.params == [{"tag": "latest"}]):
            yield position, int(call.result["Height"])
        execution = _execution_height(calls, position)
        if execution is not None:
            before = tipset_before(tipset_before(execution, nulls), nulls)
            for earlier in range(_first_of_sending(calls, position), position + 1):
                yield earlier, before


def _execution_height(calls: Sequence[RecordedCall], position: int) -> int | None:
    """Where the message that a call pushed was executed, as the next wait for it tells."""
    pushed = _pushed_cid(calls[position])
    for later in calls[position + 1 :] if pushed else ():
        result = later.result
        if later.method in {"StateWaitMsg", "StateSearchMsg"} and isinstance(result, dict):
            if result["Message"] == pushed:
                return int(result["Height"])
        elif later.method == "ChainSetHead":
            return None
    return None


def _pushed_cid(call: RecordedCall) -> Any:
    if call.method == "MpoolPush":
        return call.result
    return call.result.get("CID") if call.method == "MpoolPushMessage" and isinstance(call.result, dict) else None


def _first_of_sending(calls: Sequence[RecordedCall], position: int) -> int:
    note = calls[position].line.get("note")
    while position and calls[position - 1].method in _SENDING and calls[position - 1].line.get("note") == note:
        position -= 1
        if calls[position].method == "MpoolPush":
            return position + 1
    return position


def tipset_before(height: int, nulls: frozenset[int]) -> int:
    """The height of the tipset before one, null rounds passed over."""
    height -= 1
    while height in nulls:
        height -= 1
    return height
