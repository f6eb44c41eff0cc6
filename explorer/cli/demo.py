"""`filplus demo`: the whole story on embedded defaults, made anew each run."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console

from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import shown, terminal_of
from explorer.client import ExplorerClient
from explorer.demo.orders import Orderer
from explorer.demo.story import (
    ALLOCATION,
    CHAPTERS,
    CLIENT,
    DUMPS,
    GRANT_BYTES,
    NOTARY,
    PIECE,
    RETURN,
    Chapter,
    Happening,
    claiming,
    dump_path,
    reorganising,
)
from explorer.errors import DataDirError, FilplusError
from explorer.ground.embedded import embedded_server
from explorer.ground.setting_values import DEFAULT_LISTEN, Listen
from explorer.ground.settings import Settings
from explorer.ground.supervision import stop_on_signals
from explorer.index.importer import ImportRequest, import_file
from explorer.index.opening import open_index
from explorer.serving import RunningExplorer, running_explorer, running_service
from node.network import network_named

FOLDER = ".demo"
PATIENCE_S = 30.0
"""How long the index may take to see what happened."""
LOOK_S = 0.1
_SIGNS = {
    "active": "[green]● FIL+[/]",
    "pending": "[blue]◌ pending[/]",
    "past": "[yellow]◐ past[/]",
    "none": "[red]○ not FIL+[/]",
    "unknown": "[magenta]○ not known[/]",
}


@dataclass(slots=True)
class Narrator:
    """Numbers and prints the steps."""

    console: Console
    step: int = 0

    def title(self, text: str) -> None:
        """Begins a step."""
        self.step += 1
        self.console.print(f"\n[bold]{self.step}. {shown(text)}[/]")

    def line(self, text: str) -> None:
        """A line of the step, which may hold markup."""
        self.console.print(f"   {text}")


def demo_command(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End when the story is told, instead of serving on.")] = False,
) -> None:
    """Tells the whole story: real records of mainnet, and a simulated chain that goes on from them. Needs nothing else.

    Everything lies in .demo/ of this folder, made anew each run.
    """
    terminal = terminal_of(context)
    here = Path(FOLDER).absolute()

    async def work() -> Exit:
        settings = Settings(data_dir=await _made_anew(here), listen=_free_address(), network=network_named("simulated"))
        narrator = Narrator(terminal.people)
        with stop_on_signals() as stop:
            await _import_all(narrator, settings)
            async with running_explorer(settings) as explorer:
                loops = asyncio.create_task(explorer.run(stop))
                told = await _tell(narrator, explorer)
                terminal.document({"url": explorer.url, "steps": told})
                if once:
                    stop.set()
                else:
                    terminal.people.print("\nServing until Ctrl-C.")
                await loops
        return Exit.OK

    run(terminal, work, kept="The next run begins anew.")


async def _made_anew(folder: Path) -> Path:
    """`folder` with nothing in it; DataDirError while another demo serves from it."""
    if url := running_service(folder):
        raise DataDirError(f"a demo already runs on {folder} and answers at {url}: end it first, or look at it there")
    await _remove(folder)
    return folder


async def _remove(folder: Path) -> None:
    """Removes what an earlier demo left, its database stopped first, even if it was killed."""
    if (folder / "postgres").exists():
        with contextlib.suppress(FilplusError):
            async with embedded_server(folder):
                pass
    shutil.rmtree(folder, ignore_errors=True)


def _free_address() -> Listen:
    """The usual address, with another port where that one is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((DEFAULT_LISTEN.host, DEFAULT_LISTEN.port))
        except OSError:
            return Listen(DEFAULT_LISTEN.host, 0)
    return DEFAULT_LISTEN


async def _import_all(narrator: Narrator, settings: Settings) -> None:
    narrator.title("Import real deals and claims of Filecoin mainnet, a small part of the state")
    async with open_index(settings, application_name="filplus demo", may_migrate=True) as opened:
        for name in DUMPS:
            request = ImportRequest(
                file=dump_path(name),
                network=settings.network,
                rejects_dir=settings.data_dir / "rejects",
                partial=True,
            )
            async with opened.pool.acquire() as connection:
                report = await import_file(connection, request, lambda _bytes, _records: None)
            narrator.line(f"{report['added']} {report['kind']}, the newest of epoch {report['epoch']}")


async def _tell(narrator: Narrator, explorer: RunningExplorer) -> list[dict[str, Any]]:
    """The story; returns what each question was answered. FilplusError when an answer is not the expected one."""
    async with ExplorerClient.open(explorer.url) as client, aiohttp.ClientSession() as session:
        narrator.title("Follow a simulated chain, which goes on where the records end; nothing on it is worth anything")
        chain = Orderer(session, await _followed_chain(narrator, explorer, client))
        narrator.title("Ask the explorer, which answers over HTTP")
        narrator.line(f"GET {explorer.url}/cid/…/filplus")
        told = [await _ask(narrator, client, chapter) for chapter in CHAPTERS]
        narrator.title("Look at a page while it changes")
        narrator.line(f"[link={explorer.url}/cid/{PIECE}]{explorer.url}/cid/{PIECE}[/]")
        told += await _live(narrator, client, chain)
    narrator.title("Look at the rest in a browser")
    narrator.line(f"[link={explorer.url}]{explorer.url}[/]")
    narrator.line(f"{explorer.url}/cid/{CHAPTERS[0].cids[0]}")
    return told


async def _followed_chain(narrator: Narrator, explorer: RunningExplorer, client: ExplorerClient) -> str:
    """The simulated chain's address, once its head is in the index."""
    async with asyncio.timeout(PATIENCE_S):
        async for status in _looks(client.status):
            if explorer.simulated_url is not None and _is_reached(status):
                narrator.line(f"at epoch {status['index']['epoch']}, {shown(explorer.simulated_url)}")
                return explorer.simulated_url
    raise AssertionError("looking never ends by itself")


async def _looks(ask: Callable[[], Awaitable[dict[str, Any]]]) -> AsyncIterator[dict[str, Any]]:
    """The answers to a question that is asked again and again."""
    while True:
        yield await ask()
        await asyncio.sleep(LOOK_S)


def _is_reached(status: dict[str, Any]) -> bool:
    node = status["node"]
    return node is not None and node["lag_epochs"] == 0


async def _live(narrator: Narrator, client: ExplorerClient, chain: Orderer) -> list[dict[str, Any]]:
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


async def _happen(narrator: Narrator, client: ExplorerClient, chain: Orderer, happening: Happening) -> dict[str, Any]:
    """Has it happen, and waits for the verdict that must follow."""
    narrator.title(happening.title)
    narrator.line(f"[dim]{shown(happening.lesson)}[/]")
    result = await chain.order(happening.verb, *happening.params)
    document = await _verdict_of(client, happening)
    narrator.line(f"{_SIGNS[document['verdict']]}  {PIECE}")
    narrator.line(shown(document["reason"]))
    return {"title": happening.title, "cids": [PIECE], "verdict": happening.verdict, "result": result}


async def _verdict_of(client: ExplorerClient, happening: Happening) -> dict[str, Any]:
    document: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for document in _looks(lambda: client.verdict(PIECE)):
                if document["verdict"] == happening.verdict:
                    return document
    except TimeoutError:
        said = document.get("verdict", "nothing")
        raise FilplusError(f"the demo expected {happening.verdict} for {PIECE}, the explorer says {said}") from None
    raise AssertionError("looking never ends by itself")


async def _ask(narrator: Narrator, client: ExplorerClient, chapter: Chapter) -> dict[str, Any]:
    """Asks in every spelling; all must give the verdict that the chapter expects."""
    narrator.title(chapter.title)
    narrator.line(f"[dim]{shown(chapter.lesson)}[/]")
    reasons = set()
    for cid in chapter.cids:
        document = await client.verdict(cid)
        if document["verdict"] != chapter.verdict:
            raise FilplusError(
                f"the demo expected {chapter.verdict} for {cid}, the explorer says {document['verdict']}"
            )
        narrator.line(f"{_SIGNS[document['verdict']]}  {shown(cid)}")
        reasons.add(document["reason"])
    for reason in sorted(reasons):
        narrator.line(shown(reason))
    return {"title": chapter.title, "cids": list(chapter.cids), "verdict": chapter.verdict}
