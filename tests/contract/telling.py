"""Tells a story through a door, and every difference that the list does not hold."""

from dataclasses import dataclass, field
from typing import Any

from node.message import Message
from tests.contract.comparison import Difference, differences
from tests.contract.differences import Deliberate, Judge, without_left_out_calls
from tests.contract.doors import Door
from tests.contract.left_out import left_out
from tests.contract.player import Player
from tests.contract.recorded_calls import RecordedCall, calls_of, folder_of, heads_before
from tests.contract.sockets import PlayedSocket, recorded_lines
from tests.contract.stories import END, Closed, Forked, Mined, Named, Opened, Pushed, Replaced, Sent, Step, Story

Found = tuple[str, str, str, Any, Any]
"""Folder, call or websocket, path, what was recorded, what came."""


@dataclass(slots=True)
class Told:
    """What came of it."""

    found: list[Found] = field(default_factory=list)
    played: list[str] = field(default_factory=list)
    used: set[Deliberate] = field(default_factory=set)
    """The entries of the list that a difference was found for."""


@dataclass(slots=True)
class Teller:
    """Goes through a story."""

    player: Player
    story: Story
    judge: Judge
    told: Told = field(default_factory=Told)

    async def tell(self) -> Told:
        """Plays every folder of the story."""
        await self.player.open()
        for folder in self.story.folders:
            calls = calls_of(folder)
            heads = heads_before(calls, self.story.nulls)
            for position, call in enumerate(calls):
                await self._happen(folder, call.number)
                if left_out(call, has_paths=self.player.door.has_paths) is None:
                    await self._compare(call, heads.get(position, 0))
            await self._happen(folder, END)
        self.told.used = self.judge.used
        return self.told

    async def _compare(self, call: RecordedCall, head: int) -> None:
        reply, answer = await self.player.play(call, head)
        await self.player.pump()
        self.told.played.append(f"{call.folder}/{call.number}")
        found = list(
            differences(without_left_out_calls(call.response), without_left_out_calls(answer), self.player.names)
        )
        if reply.status != call.reply.status:
            found.append(Difference("status", call.reply.status, reply.status))
        self._note(call.folder, call.number, call.method, found)

    def _note(self, folder: str, number: str, method: str, found: list[Difference]) -> None:
        for one in self.judge.unexplained(found, method):
            self.told.found.append((folder, number, one.path, one.recorded, one.ours))

    async def _happen(self, folder: str, number: str) -> None:
        for step in self.story.steps.get((folder, number), ()):
            await self._take(step, folder)

    async def _take(self, step: Step, folder: str) -> None:
        player = self.player
        if isinstance(step, Mined):
            for height in step.heights:
                if height > player.head:
                    await player.mine_at(height)
        elif isinstance(step, Sent):
            await self._send(step)
        elif isinstance(step, Pushed):
            await self._push(step.messages, step.cids)
        elif isinstance(step, Forked):
            await player.go_back(step.height)
            await player.look()
        elif isinstance(step, Replaced):
            await player.replace_head(step.height)
        elif isinstance(step, Named):
            tipset = await player.ask("Filecoin.ChainGetTipSetByHeight", step.height, None)
            for recorded, ours in zip(step.cids, tipset["Cids"], strict=True):
                player.names.rename(recorded, ours["/"])
        elif isinstance(step, Opened):
            await self._open(folder_of(folder) / step.file)
        else:
            await self._close(step, folder)

    async def _send(self, step: Sent) -> None:
        nulls = self.story.nulls
        await self.player.mine_to(_before(_before(step.execution_height, nulls), nulls))
        await self._push(step.messages, step.cids)
        await self.player.mine_to(step.execution_height)

    async def _push(self, messages: tuple[Message, ...], cids: tuple[str, ...]) -> None:
        for position, message in enumerate(messages):
            cid = await self.player.push(message)
            if cids:
                self.player.names.rename(cids[position], cid["/"])

    async def _open(self, path: Any) -> None:
        token = self.player.tokens[recorded_lines(path)[0]["token"]]
        socket = await self.player.door.connect(authorization=f"Bearer {token}")
        played = PlayedSocket(path, socket, self.player.names)
        self.player.sockets.append(played)
        await played.start()

    async def _close(self, step: Closed, folder: str) -> None:
        played = next(one for one in self.player.sockets if one.path.name == step.file)
        self.player.sockets.remove(played)
        self._note(folder, step.file, "websocket", await played.finish())
        self.told.played.append(f"{folder}/{step.file}")


def _before(height: int, nulls: frozenset[int]) -> int:
    """The height of the tipset before one."""
    height -= 1
    while height in nulls:
        height -= 1
    return height


async def tell(story: Story, door: Door) -> Told:
    """Plays a story through a door."""
    player = Player(door, nulls=story.nulls, blocks=story.blocks, own_senders=set(story.renamed.values()))
    for recorded, ours in story.renamed.items():
        player.names.rename(recorded, ours)
    return await Teller(player, story, Judge(player.names, foreign=bool(story.renamed))).tell()
