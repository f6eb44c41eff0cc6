"""`filplus demo`: the whole story on embedded defaults, made anew each run."""

import asyncio
import contextlib
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import shown, terminal_of
from explorer.client import ExplorerClient
from explorer.demo.story import CHAPTERS, DUMPS, Chapter, dump_path
from explorer.errors import DataDirError, FilplusError
from explorer.ground.embedded import embedded_server
from explorer.ground.setting_values import DEFAULT_LISTEN, Listen
from explorer.ground.settings import Settings
from explorer.ground.supervision import stop_on_signals
from explorer.index.importer import ImportRequest, import_file
from explorer.serving import RunningExplorer, running_explorer, running_service

FOLDER = ".demo"
_SIGNS = {"active": "[green]● FIL+[/]", "past": "[yellow]◐ past[/]", "unknown": "[magenta]○ not known[/]"}


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
    """Tells the whole story with real records of mainnet: import, ask, look at the pages. Needs nothing else.

    Everything lies in .demo/ of this folder, made anew each run.
    """
    terminal = terminal_of(context)
    here = Path(FOLDER).absolute()

    async def work() -> Exit:
        settings = Settings(data_dir=await _made_anew(here), listen=_free_address())
        with stop_on_signals() as stop:
            async with running_explorer(settings) as explorer:
                loops = asyncio.create_task(explorer.run(stop))
                told = await _tell(Narrator(terminal.people), explorer, settings)
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


async def _tell(narrator: Narrator, explorer: RunningExplorer, settings: Settings) -> list[dict[str, Any]]:
    """The story; returns what each question was answered. FilplusError when an answer is not the expected one."""
    narrator.title("Import real deals and claims of Filecoin mainnet, a small part of the state")
    for name in DUMPS:
        await _import(narrator, explorer, settings, dump_path(name))
    narrator.title("Ask the explorer, which answers over HTTP")
    narrator.line(f"GET {explorer.url}/cid/…/filplus")
    async with ExplorerClient.open(explorer.url) as client:
        told = [await _ask(narrator, client, chapter) for chapter in CHAPTERS]
    narrator.title("Look at it in a browser")
    narrator.line(f"[link={explorer.url}]{explorer.url}[/]")
    narrator.line(f"{explorer.url}/cid/{CHAPTERS[0].cids[0]}")
    return told


async def _import(narrator: Narrator, explorer: RunningExplorer, settings: Settings, dump: str) -> None:
    request = ImportRequest(
        file=dump, network=settings.network, rejects_dir=settings.data_dir / "rejects", partial=True
    )
    async with explorer.pool.acquire() as connection:
        report = await import_file(connection, request, lambda _bytes, _records: None)
    narrator.line(f"{report['added']} {report['kind']}, the newest of epoch {report['epoch']}")


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
