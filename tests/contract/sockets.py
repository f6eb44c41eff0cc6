"""Plays a recorded websocket: the same subscriptions, and in between the same happenings.

What a happening (a tipset, a frame that is sent) has a socket receive is compared as a whole: within it the frames of
one channel come in their order, those of different channels in any, as in the recordings.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.contract.comparison import Difference, differences
from tests.contract.doors import Socket
from tests.contract.translation import Translation

Frames = list[dict[str, Any]]


def recorded_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a recorded websocket."""
    with path.open() as lines:
        return [json.loads(line) for line in lines]


def applied_heights(path: Path) -> list[list[int]]:
    """The heights of the tipsets that a recorded ChainNotify told of, a list for each run of growth."""
    runs: list[list[int]] = [[]]
    for change in _changes(path):
        height = change["Val"]["Height"]
        if change["Type"] == "revert" and runs[-1] and height == runs[-1][-1]:
            runs.append([])
        if change["Type"] == "apply" and (not runs[-1] or runs[-1][-1] != height):
            runs[-1].append(height)
    return runs


def _changes(path: Path) -> Iterator[dict[str, Any]]:
    for line in recorded_lines(path):
        frame = line.get("frame")
        if line["dir"] == "recv" and isinstance(frame, dict) and frame.get("method") == "xrpc.ch.val":
            value = frame["params"][1]
            yield from value if isinstance(value, list) else ()


@dataclass(slots=True)
class _Side:
    """What one side of the comparison has received, by the request whose answer or channel it belongs to."""

    channels: dict[Any, Any] = field(default_factory=dict)

    def sorted_out(self, frames: Frames) -> dict[str, Frames]:
        """The frames of each request, in their order. Values may come before the answer that names their channel."""
        for frame in frames:
            if "id" in frame and isinstance(frame.get("result"), int | str):
                self.channels[frame["result"]] = frame["id"]
        found: dict[str, Frames] = defaultdict(list)
        for frame in frames:
            found[self._owner(frame)].append(frame)
        return found

    def _owner(self, frame: dict[str, Any]) -> str:
        if "id" in frame:
            return f"answer to {frame['id']}"
        params = frame["params"]
        channel = params["subscription"] if isinstance(params, dict) else params[0]
        return f"channel of {self.channels.get(channel)}"


@dataclass(slots=True)
class PlayedSocket:
    """A recorded websocket, played."""

    path: Path
    socket: Socket
    names: Translation
    batches: list[Frames] = field(default_factory=list)
    _next: int = 0
    _received: int = 0

    async def start(self) -> None:
        """Sends what was sent first."""
        await self.pump()

    async def pump(self, *, joined_changes: bool = False) -> None:
        """Takes what has come, and sends what was sent once that much had."""
        before = len(self.batches)
        await self._take()
        if joined_changes and len(self.batches) > before:
            self._received -= 1
            self.batches[-1] = _with_joined_changes(self.batches[-1])
        lines = recorded_lines(self.path)
        while self._next < len(lines):
            line = lines[self._next]
            if line["dir"] == "recv":
                due = sum(one["dir"] == "recv" for one in lines[: self._next + 1])
                if due > self._received:
                    return
            elif line["dir"] == "send":
                await self._send(line)
            self._next += 1

    async def _send(self, line: dict[str, Any]) -> None:
        frame = line.get("frame")
        text = line.get("frame_text") if frame is None else json.dumps(self.names.to_ours(frame))
        await self.socket.send(text or "")
        self.batches.append([])
        await self._take(into_last=True)

    async def _take(self, *, into_last: bool = False) -> None:
        frames = [json.loads(text) for text in await self.socket.receive()]
        self._received += len(frames)
        if into_last and self.batches:
            self.batches[-1] += frames
        elif frames:
            self.batches.append(frames)

    async def finish(self) -> list[Difference]:
        """Closes it; every difference between what was recorded and what came."""
        await self._take()
        await self.socket.close()
        lines = recorded_lines(self.path)
        recorded = [line["frame"] for line in lines if line["dir"] == "recv"]
        return list(_compared(recorded, self.batches, self.names))


def _compared(recorded: Frames, batches: list[Frames], names: Translation) -> Iterator[Difference]:
    """The differences, happening by happening."""
    theirs, ours, start = _Side(), _Side(), 0
    for batch in _joined(batches):
        end = start + len(batch)
        expected = theirs.sorted_out(recorded[start:end])
        got = ours.sorted_out(batch)
        for owner in sorted(expected.keys() | got.keys()):
            yield from _of_owner(expected.get(owner, []), got.get(owner, []), names, owner)
        start = end
    if start != len(recorded):
        yield Difference(".frames.length", len(recorded), start)


def _joined(batches: list[Frames]) -> list[Frames]:
    """The happenings; those of frames that were sent one after the other are one, since their answers overtook."""
    joined: list[Frames] = []
    for batch in batches:
        if joined and any("id" in frame for frame in batch) and any("id" in frame for frame in joined[-1]):
            joined[-1] = joined[-1] + batch
        elif batch:
            joined.append(batch)
    return joined


def _with_joined_changes(frames: Frames) -> Frames:
    """The frames, all changes of the head in the first that has any."""
    found: Frames = []
    first: dict[str, Any] | None = None
    for frame in frames:
        if frame.get("method") != "xrpc.ch.val" or not isinstance(frame["params"][1], list):
            found.append(frame)
        elif first is None:
            first = {**frame, "params": [frame["params"][0], list(frame["params"][1])]}
            found.append(first)
        else:
            first["params"][1] += frame["params"][1]
    return found


def _of_owner(expected: Frames, got: Frames, names: Translation, owner: str) -> Iterator[Difference]:
    if len(expected) != len(got):
        yield Difference(f"{owner}.length", [_short(one) for one in expected], [_short(one) for one in got])
    for one, other in zip(expected, got, strict=False):
        yield from differences(_bare(one), _bare(other), names)


def _bare(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame without the number of its channel, which the order of the opening gives."""
    params = frame.get("params")
    if isinstance(params, list):
        return {**frame, "params": params[1:]}
    if isinstance(params, dict):
        return {**frame, "params": params.get("result")}
    return {**frame, "result": "CHANNEL"} if isinstance(frame.get("result"), int) or _is_eth(frame) else frame


def _is_eth(frame: dict[str, Any]) -> bool:
    result = frame.get("result")
    return isinstance(result, str) and result.startswith("0x")


def _short(frame: dict[str, Any]) -> str:
    return json.dumps(frame)[:200]
