"""What the index knows, and how it learns: asked over HTTP, while a simulated chain goes on."""

import asyncio
from collections.abc import Callable

from explorer.client import ExplorerClient
from explorer.demo.narrating import PATIENCE_S, Document, Narrator, looks
from explorer.demo.orders import Orderer
from explorer.demo.story import (
    ALLOCATION,
    CLIENT,
    GRANT_BYTES,
    NOTARY,
    PIECE,
    RETURN,
    Chapter,
    Happening,
    claiming,
    reorganising,
)
from explorer.errors import FilplusError


async def followed_chain(narrator: Narrator, client: ExplorerClient, url: Callable[[], str | None]) -> str:
    """The simulated chain's address, which `url` tells once it answers, when its head is in the index."""
    async with asyncio.timeout(PATIENCE_S):
        async for status in looks(client.status):
            found = url()
            if found is not None and _is_reached(status):
                narrator.line(f"at epoch {status['index']['epoch']}, {found}")
                return found
    raise AssertionError("looking never ends by itself")


def _is_reached(status: Document) -> bool:
    node = status["node"]
    return node is not None and node["lag_epochs"] == 0


async def live(narrator: Narrator, client: ExplorerClient, chain: Orderer) -> list[Document]:
    """What happens to one piece, and the verdict after each step."""
    await _grant(narrator, chain)
    told = [await _happen(narrator, client, chain, ALLOCATION)]
    before = await chain.head_epoch()
    told.append(await _happen(narrator, client, chain, claiming(told[0]["result"][0])))
    since = await chain.head_epoch() - before
    told.append(await _happen(narrator, client, chain, reorganising(since)))
    told.append(await _happen(narrator, client, chain, RETURN))
    return told


async def _grant(narrator: Narrator, chain: Orderer) -> None:
    narrator.title("A notary grants DataCap to a client")
    await chain.order("Sim.AddVerifier", NOTARY, str(16 * GRANT_BYTES))
    before = await chain.datacap_bytes(CLIENT)
    cid = await chain.grant(NOTARY, CLIENT, GRANT_BYTES)
    after = await chain.datacap_bytes(CLIENT)
    if after - before != GRANT_BYTES:
        raise FilplusError(f"the grant of {GRANT_BYTES} bytes to {CLIENT} brought {after - before}")
    narrator.line(f"{CLIENT} has {after >> 40} TiB to spend, by message {cid}")


async def _happen(narrator: Narrator, client: ExplorerClient, chain: Orderer, happening: Happening) -> Document:
    """Has it happen, and waits for the verdict that must follow."""
    narrator.title(happening.title)
    narrator.remark(happening.lesson)
    result = await chain.order(happening.verb, *happening.params)
    document = await _verdict_of(client, happening)
    narrator.verdict(document["verdict"], PIECE)
    narrator.line(document["reason"])
    return {"title": happening.title, "cids": [PIECE], "verdict": happening.verdict, "result": result}


async def _verdict_of(client: ExplorerClient, happening: Happening) -> Document:
    document: Document = {}
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for document in looks(lambda: client.verdict(PIECE)):
                if document["verdict"] == happening.verdict:
                    return document
    except TimeoutError:
        said = document.get("verdict", "nothing")
        raise FilplusError(f"the demo expected {happening.verdict} for {PIECE}, the explorer says {said}") from None
    raise AssertionError("looking never ends by itself")


async def ask(narrator: Narrator, client: ExplorerClient, chapter: Chapter) -> Document:
    """Asks in every spelling; all must give the verdict that the chapter expects."""
    narrator.title(chapter.title)
    narrator.remark(chapter.lesson)
    reasons = set()
    for cid in chapter.cids:
        document = await client.verdict(cid)
        if document["verdict"] != chapter.verdict:
            raise FilplusError(
                f"the demo expected {chapter.verdict} for {cid}, the explorer says {document['verdict']}"
            )
        narrator.verdict(document["verdict"], cid)
        reasons.add(document["reason"])
    for reason in sorted(reasons):
        narrator.line(reason)
    return {"title": chapter.title, "cids": list(chapter.cids), "verdict": chapter.verdict}
