"""The third door: the recordings themselves. Whoever plays them against it must find no difference."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.contract.doors import HttpReply, HttpRequest
from tests.contract.recorded_calls import RecordedCall

_OWN_ID = 0
"""The id of what the player asks for itself."""
_WITH_TOKEN = "AuthVerify"
"""Its request has a token in it, which is the player's own."""


class RecordedDoor:
    """Answers each request with what was answered to the recorded one; that must be the same."""

    has_paths = True
    admin_token = "recorded"

    def __init__(self, calls: Iterable[RecordedCall]) -> None:
        self._calls: Iterator[RecordedCall] = iter(calls)

    async def send(self, request: HttpRequest) -> HttpReply:
        """The recorded reply."""
        document = _document(request.body)
        if isinstance(document, dict) and document.get("id") == _OWN_ID:
            return HttpReply(200, json.dumps({"id": _OWN_ID, "result": _own_answer(document["method"])}).encode())
        call = next(self._calls)
        assert document == call.request or call.method == _WITH_TOKEN, call.number
        return call.reply

    async def connect(self, *, authorization: str | None) -> "RecordedSocket":
        """Nothing: websockets are played by themselves."""
        raise NotImplementedError(authorization)

    async def close(self) -> None:
        """Nothing."""


class RecordedSocket:
    """Receives what was received: after each frame that is sent, all that came before the next one was."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self._lines = lines
        self._position = 0

    async def send(self, text: str) -> None:
        """Goes on to the frame that was sent, which must be this one."""
        while self._lines[self._position]["dir"] != "send":
            self._position += 1
        line = self._lines[self._position]
        assert text == line.get("frame_text") or json.loads(text) == line["frame"]
        self._position += 1

    async def receive(self) -> list[str]:
        """The frames up to the next that was sent."""
        found: list[str] = []
        while self._position < len(self._lines) and self._lines[self._position]["dir"] != "send":
            if self._lines[self._position]["dir"] == "recv":
                found.append(json.dumps(self._lines[self._position]["frame"]))
            self._position += 1
        return found

    async def close(self) -> None:
        """Nothing."""


def _document(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _own_answer(method: str) -> Any:
    """What the player needs to go on: tokens, and a head far above all others, so that nothing is mined."""
    return "dG9rZW4=" if method == "Filecoin.AuthNew" else {"Height": 1 << 40}
