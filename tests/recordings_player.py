"""A transport that answers what a real node answered, in the order in which it did.

A question is found by its method and params, whatever their order of keys; the n-th asking of the same question gets
the n-th recorded answer, and the last one again when there are no more. What was never asked of the node is a
`NotRecorded`, so that a test fails by name instead of by a made-up answer.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from node.chain.errors import StreamBroken
from node.event_schema import EVENT_TYPES
from node.lotus.envelope import result_of
from node.lotus.frames import Channels
from node.lotus.http_answer import parse_answer
from node.lotus.transport import Call, Frame, RpcFault

RECORDINGS = Path(__file__).parent / "recordings" / "lotus"
_VERSIONS = {"/rpc/v1": 1, "/rpc/v2": 2}
_NEVER = datetime(2026, 11, 22, tzinfo=UTC)
FOLDERS = tuple(sorted(path.name for path in RECORDINGS.iterdir() if path.is_dir()))


class NotRecorded(AssertionError):
    """Nobody asked the recorded node this."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One HTTP call: what was asked, what came back, and by whom it was answered."""

    folder: str
    number: str
    note: str
    request: Any
    response: Any
    response_text: str | None
    http_status: int
    path: str
    token: str
    gateway: bool

    @property
    def name(self) -> str:
        """Where it is found: for test ids."""
        return f"{self.folder[:2]}/{self.number}"

    @property
    def method(self) -> str:
        """The method that was called, "" where the request was none."""
        return str(self.request.get("method", "")) if isinstance(self.request, Mapping) else ""

    @property
    def params(self) -> list[Any]:
        """Its params; none where they were no list."""
        params = self.request.get("params") if isinstance(self.request, Mapping) else None
        return params if isinstance(params, list) else []

    @property
    def body(self) -> bytes:
        """The body as it was sent, but for the spaces between."""
        return (self.response_text or "").encode() if self.response is None else json.dumps(self.response).encode()


def recorded_calls(folder: str, *, root: Path = RECORDINGS) -> list[RecordedCall]:
    """Every HTTP call of a folder, in order."""
    return [_recorded_call(folder, line) for line in recorded_frames(root / folder / "calls.ndjson")]


def _recorded_call(folder: str, line: Mapping[str, Any]) -> RecordedCall:
    http = line["http"]
    return RecordedCall(
        folder=folder,
        number=line["n"],
        note=line.get("note") or "",
        request=line.get("request"),
        response=line.get("response"),
        response_text=line.get("response_text"),
        http_status=line["http_status"],
        path=http["path"],
        token=http["token"],
        gateway=str(http.get("port")) == "12347",
    )


def recorded_frames(path: Path) -> Iterator[Mapping[str, Any]]:
    """Every line of a recording."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def websockets(root: Path = RECORDINGS) -> list[Path]:
    """Every recorded websocket."""
    return sorted(root.glob("*/ws-*.ndjson"))


def question(method: str, params: object) -> str:
    """What makes two askings the same question.

    The CIDs that clients put into messages are left out, since a node passes over them, and so is the flag of
    StateSearchMsg that allows replacements, since it was mostly recorded set: where it matters the two answers differ
    and the flag is asked for first. A filter that names every type of event is one that names none: the recorded
    chain had no others.
    """
    bare = _without_message_cids(params)
    if method in {"Filecoin.GetActorEventsRaw", "Filecoin.SubscribeActorEventsRaw"} and isinstance(bare, list):
        bare = [_without_all_types(each) for each in bare]
    return json.dumps([method, bare], sort_keys=True)


def _without_all_types(events: object) -> object:
    if not isinstance(events, Mapping) or len(events.get("fields", {}).get("$type", ())) < len(EVENT_TYPES):
        return events
    fields = {key: value for key, value in events["fields"].items() if key != "$type"}
    rest = {key: value for key, value in events.items() if key != "fields"}
    return {**rest, "fields": fields} if fields else rest


def _without_message_cids(value: object) -> object:
    if isinstance(value, Mapping):
        is_message = "Message" in value or "Nonce" in value
        return {key: _without_message_cids(each) for key, each in value.items() if not (is_message and key == "CID")}
    return [_without_message_cids(each) for each in value] if isinstance(value, list | tuple) else value


class RecordingsPlayer:
    """A `Transport` over the calls of one folder: of the node itself, or of the gateway before it."""

    def __init__(self, folder: str, *, gateway: bool = False, root: Path = RECORDINGS) -> None:
        self._folder = folder
        self._answers: dict[str, list[RecordedCall]] = {}
        self._asked: dict[str, int] = {}
        for call in recorded_calls(folder, root=root):
            version = _VERSIONS.get(call.path)
            if call.method and version and call.gateway == gateway and call.token in {"admin", "none"}:
                for key in self._keys(call.method, call.params, version):
                    self._answers.setdefault(key, []).append(call)
        self._websockets = [path for path in websockets(root) if path.parent.name == folder]

    @property
    def name(self) -> str:
        """The folder."""
        return self._folder

    async def call(self, call: Call) -> object:
        """The recorded result, or the recorded error."""
        recorded = self._next(call)
        document = parse_answer(recorded.http_status, {}, recorded.body, now=_NEVER)
        return result_of(document, recorded.request["id"])

    async def batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        """Each call's answer."""
        return tuple([await self._result_or_fault(call) for call in calls])

    async def stream(self, call: Call) -> AsyncGenerator[str, None]:
        """The recorded body in small pieces."""
        recorded = self._next(call)
        if recorded.http_status != 200:
            result_of(parse_answer(recorded.http_status, {}, recorded.body, now=_NEVER), recorded.request["id"])
        body = recorded.body.decode()
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    async def subscribe(self, calls: Sequence[Call]) -> AsyncGenerator[Frame, None]:
        """The frames of the recorded websocket on which these calls were sent first; then it breaks."""
        path, ids = self._websocket_of(calls)
        channels = Channels(ids)
        for line in recorded_frames(path):
            frame = line.get("frame")
            if line["dir"] == "recv" and isinstance(frame, dict) and frame.get("id") in {None, *ids}:
                for each in channels.take(json.dumps(frame)) if self._is_known(channels, frame) else []:
                    yield each
        raise StreamBroken("the recording ends")

    async def close(self) -> None:
        """Nothing."""

    def _is_known(self, channels: Channels, frame: Mapping[str, Any]) -> bool:
        """Whether the frame is of a channel that is played: other subscriptions shared the recorded socket."""
        params = frame.get("params")
        return "method" not in frame or (isinstance(params, list) and channels.knows(params[0]))

    def _websocket_of(self, calls: Sequence[Call]) -> tuple[Path, list[int]]:
        wanted = [question(call.method, call.params) for call in calls]
        for path in self._websockets:
            sent = [line["frame"] for line in recorded_frames(path) if line["dir"] == "send" and "frame" in line]
            ids = {question(each["method"], each["params"]): each["id"] for each in sent if isinstance(each, Mapping)}
            if all(key in ids for key in wanted):
                return path, [ids[key] for key in wanted]
        raise NotRecorded(f"no websocket of {self._folder} with {wanted}")

    def _next(self, call: Call) -> RecordedCall:
        for key in self._keys(call.method, call.params, call.version):
            found = self._answers.get(key)
            if found:
                self._asked[key] = self._asked.get(key, 0) + 1
                return found[min(self._asked[key], len(found)) - 1]
        raise NotRecorded(f"{call.method} {json.dumps(call.params)[:300]} was not asked in {self._folder}")

    def _keys(self, method: str, params: Sequence[object], version: int) -> list[str]:
        if version != 1:
            return [f"v{version} {question(method, params)}"]
        keys = [question(method, params)]
        if method == "Filecoin.StateSearchMsg":
            keys.append(question(method, list(params)[:3]))
        return keys

    async def _result_or_fault(self, call: Call) -> object:
        try:
            return await self.call(call)
        except RpcFault as fault:
            return fault
