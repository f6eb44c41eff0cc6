"""A reader of server-sent events, as the standard says; nothing is forgiven."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.patience import PATIENCE_S

ANY = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two empty lines: fields, and comments under the name ""."""

    fields: dict[str, str]

    @property
    def name(self) -> str:
        """The event's name; empty for a block that dispatches nothing."""
        return self.fields["event"] if "data" in self.fields else ""

    @property
    def data(self) -> Any:
        return orjson.loads(self.fields["data"])


@dataclass
class Stream:
    """A stream as a client sees it."""

    answer: aiohttp.ClientResponse
    last_id: str = ""
    blocks: list[Block] = field(default_factory=list)

    async def block(self, *, seconds: float = PATIENCE_S) -> Block | None:
        """The next block; None at a clean end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(seconds):
            while line := await self.answer.content.readline():
                text = line.decode().removesuffix("\n")
                if not text:
                    break
                name, colon, value = text.partition(":")
                assert colon, text
                assert name not in fields, "a field comes twice"
                fields[name] = value.removeprefix(" ")
            else:
                return None
        self.last_id = fields.get("id", self.last_id)
        self.blocks.append(Block(fields))
        return self.blocks[-1]

    async def event(self, *, seconds: float = PATIENCE_S) -> Block:
        """The next event, past comments and positions."""
        async with asyncio.timeout(seconds):
            while True:
                block = await self.block(seconds=seconds)
                assert block is not None, "the stream has ended"
                if block.name:
                    return block

    async def events(self, number: int) -> list[Block]:
        return [await self.event() for _ in range(number)]


@asynccontextmanager
async def streaming(
    session: aiohttp.ClientSession, url: str, *, query: str = "", last_event_id: str | None = None
) -> AsyncIterator[Stream]:
    """A stream that has begun; left at the end of the context."""
    headers = {"Accept": ANY} | ({} if last_event_id is None else {"Last-Event-ID": last_event_id})
    async with session.get(f"{url}/events{query}", headers=headers, timeout=aiohttp.ClientTimeout()) as answer:
        assert answer.status == 200, await answer.text()
        stream = Stream(answer)
        first = await stream.block()
        assert first is not None
        assert first.fields["retry"] == "3000"
        yield stream
