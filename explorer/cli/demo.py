"""`filplus demo`: the whole story on embedded defaults, made anew each run."""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.console import Console

from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import shown, terminal_of
from explorer.client import ExplorerClient
from explorer.demo.index_story import ask, followed_chain, live
from explorer.demo.narrating import Document
from explorer.demo.orders import Orderer
from explorer.demo.receiver import LOCAL
from explorer.demo.review_story import PASSPHRASE, Meeting, met, open_queue, told_reviews
from explorer.demo.story import CHAPTERS, DUMPS, PIECE, dump_path
from explorer.errors import DataDirError, FilplusError
from explorer.ground.embedded import embedded_server
from explorer.ground.service_file import running_service
from explorer.ground.setting_values import DEFAULT_LISTEN, Listen
from explorer.ground.settings import Settings
from explorer.ground.supervision import stop_on_signals
from explorer.index.importer import ImportRequest, import_file
from explorer.index.opening import open_index
from explorer.serving import RunningExplorer, running_explorer
from node.network import network_named

FOLDER = ".demo"
_PROGRAM = Path(sys.executable).with_name("filplus")
"""Where alerts may go beside public addresses: to the receiver that the demo runs itself."""
_SIGNS = {
    "active": "[green]● FIL+[/]",
    "pending": "[blue]◌ pending[/]",
    "past": "[yellow]◐ past[/]",
    "none": "[red]○ not FIL+[/]",
    "unknown": "[magenta]○ not known[/]",
}


@dataclass(slots=True)
class ConsoleNarrator:
    """Numbers and prints the steps."""

    console: Console
    step: int = 0

    def title(self, text: str) -> None:
        """Begins a step."""
        self.step += 1
        self.console.print(f"\n[bold]{self.step}. {shown(text)}[/]")

    def line(self, text: str) -> None:
        """A line of the step."""
        self.console.print(f"   {shown(text)}")

    def remark(self, text: str) -> None:
        """A line that explains."""
        self.console.print(f"   [dim]{shown(text)}[/]")

    def verdict(self, verdict: str, cid: str) -> None:
        """What a CID was found to be."""
        self.console.print(f"   {_SIGNS[verdict]}  {shown(cid)}")

    def link(self, url: str) -> None:
        """A page to look at."""
        self.console.print(f"   [link={url}]{url}[/]")


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
        settings = Settings(
            data_dir=await _made_anew(here),
            listen=_free_address(),
            network=network_named("simulated"),
            webhook_allow=(LOCAL,),
        )
        narrator = ConsoleNarrator(terminal.people)
        with stop_on_signals() as stop:
            await _import_all(narrator, settings)
            async with running_explorer(settings) as explorer:
                loops = asyncio.create_task(explorer.run(stop))
                async with ExplorerClient.open(explorer.url) as client, met(explorer.pool, here) as meeting:
                    terminal.document({"url": explorer.url, "steps": await _tell(narrator, explorer, client, meeting)})
                    if once:
                        stop.set()
                    else:
                        await _go_on(narrator, client, meeting, explorer.url)
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


async def _import_all(narrator: ConsoleNarrator, settings: Settings) -> None:
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


async def _tell(
    narrator: ConsoleNarrator, explorer: RunningExplorer, client: ExplorerClient, meeting: Meeting
) -> list[Document]:
    """The story; returns what each question was answered. FilplusError when an answer is not the expected one."""
    async with aiohttp.ClientSession() as session:
        narrator.title("Follow a simulated chain, which goes on where the records end; nothing on it is worth anything")
        chain = Orderer(session, await followed_chain(narrator, client, lambda: explorer.simulated_url))
        narrator.title("Ask the explorer, which answers over HTTP")
        narrator.line(f"GET {explorer.url}/cid/…/filplus")
        told = [await ask(narrator, client, chapter) for chapter in CHAPTERS]
        narrator.title("Look at a page while it changes")
        narrator.link(f"{explorer.url}/cid/{PIECE}")
        told += await live(narrator, client, chain)
    told += await told_reviews(narrator, client, meeting, _run_command)
    narrator.title("Look at the rest in a browser")
    narrator.link(explorer.url)
    narrator.link(f"{explorer.url}/cid/{CHAPTERS[0].cids[0]}")
    narrator.link(f"{explorer.url}/reviews")
    return told


async def _go_on(narrator: ConsoleNarrator, client: ExplorerClient, meeting: Meeting, url: str) -> None:
    """Leaves something to decide on, and says where and by which key."""
    waiting = await open_queue(client, meeting)
    program, key = _shortest(_PROGRAM), _shortest(meeting.key_file)
    narrator.title(f"Decide yourself: {len(waiting)} reviews wait")
    narrator.link(f"{url}/reviews")
    narrator.line(f"the notary's key is {key}, its passphrase: {PASSPHRASE}")
    narrator.remark(
        "An Ethereum wallet takes that file. Without, paste what the page shows into this, end it by Ctrl-D on a line "
        "of its own, and give the page the signature:"
    )
    narrator.line(f"{program} notary sign - --key {key} --network simulated")
    narrator.remark("Or all of it in another terminal, in this folder:")
    narrator.line(f"export FILPLUS_DATA_DIR={meeting.folder} FILPLUS_NETWORK=simulated")
    narrator.line(f"{program} review list --key {key}")
    narrator.line(f'{program} review approve {waiting[0]} --key {key} --comment "…"')
    narrator.console.print("\nServing until Ctrl-C.")


def _shortest(path: Path) -> str:
    """A path as somebody in this folder types it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


async def _run_command(folder: Path, *arguments: str) -> list[str]:
    """What the program `filplus` prints, run on a data directory with those arguments; FilplusError where it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FILPLUS_")}
    ours = {"FILPLUS_DATA_DIR": str(folder), "FILPLUS_NETWORK": "simulated", "FILPLUS_NOTARY_PASSPHRASE": PASSPHRASE}
    running = await asyncio.create_subprocess_exec(
        _PROGRAM,
        *arguments,
        env=kept | ours,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed = (await running.communicate())[0].decode("utf-8", "replace")
    if running.returncode != 0:
        raise FilplusError(f"filplus {' '.join(arguments)} ended with {running.returncode}: {printed.strip()}")
    return printed.splitlines()
