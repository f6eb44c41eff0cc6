"""`filplus index`: import, status, and whether it is right."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from explorer.cli.asking import open_asked
from explorer.cli.exits import Exit
from explorer.cli.later import add_later
from explorer.cli.progress import import_progress
from explorer.cli.running import run
from explorer.cli.status import print_status
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.ground.settings import Settings
from explorer.index.files import STDIN
from explorer.index.importer import ImportRequest, import_file
from explorer.index.opening import open_index
from explorer.index.records import DUMP_KINDS
from node.errors import NetworkError
from node.network import Network, epoch_at_time, parse_epoch

TEN_YEARS = timedelta(days=3653)

index = typer.Typer(help="What the explorer knows: import it, look at it.", no_args_is_help=True)
add_later(
    index,
    "verify",
    "explorer.cli.verify:verify_command",
    summary="Compares the index with the node of FILPLUS_CHAIN_URL, and reports where they differ.",
    example="filplus index verify --sample 50",
)
add_later(
    index,
    "digest",
    "explorer.cli.digest:digest_command",
    summary="Prints a digest of the state that the index holds at an epoch.",
    example="filplus --json index digest --at-epoch 4900000",
)


_Files = Annotated[list[str], typer.Argument(metavar="FILE…", help="Dumps; - is standard input.")]
_OfNetwork = Annotated[str | None, typer.Option(help="mainnet, calibration, devnet or simulated.")]
_AtEpoch = Annotated[
    str | None, typer.Option(metavar="N", help="Each file holds every record of its kind as of tipset N.")
]
_Partial = Annotated[bool, typer.Option("--partial", help="They don't: each covers only its own records.")]
_OfKind = Annotated[
    str | None, typer.Option(metavar="|".join(DUMP_KINDS), help="What the files hold, where they can't tell.")
]
_Source = Annotated[str | None, typer.Option(metavar="NAME", help="Whose word it is; needed for a map of pieces.")]
_Force = Annotated[bool, typer.Option("--force", help="Take a complete file though much of the index would vanish.")]


@index.command("import", epilog="Example: filplus index import StateMarketDeals.json.zst --at-epoch 4900000")
def import_command(
    context: typer.Context,
    files: _Files,
    network: _OfNetwork = None,
    at_epoch: _AtEpoch = None,
    partial: _Partial = False,
    kind: _OfKind = None,
    source: _Source = None,
    force: _Force = False,
) -> None:
    """Imports deals, claims, allocations, recorded events or maps of pieces.

    JSON as Lotus prints it (a map, a JSON-RPC answer, or one record a line), plain, .zst or .gz. A file is imported
    whole or not at all. Importing it again changes nothing; an older file never undoes a newer one.
    """
    terminal = terminal_of(context)
    _demand_usable(files, kind, source)
    reports: list[dict[str, Any]] = []

    async def work() -> Exit:
        settings = terminal.settings({"network": network})
        epoch = None if at_epoch is None else parse_epoch(at_epoch)
        asked = {"kind": kind, "at_epoch": epoch, "partial": partial, "force": force, "source": source}
        await _import_all(terminal, settings, [_request(settings, file, asked) for file in files], reports)
        terminal.document({"files": reports})
        return Exit.OK

    run(
        terminal,
        work,
        kept="Nothing of the file in work was imported; files before it are.",
        beside=lambda: {"files": reports},
    )


@index.command("status", epilog="Example: filplus --json index status")
def status_command(context: typer.Context) -> None:
    """Shows what the index covers, how far it reaches, and what is missing."""
    terminal = terminal_of(context)

    async def work() -> Exit:
        async with open_asked(terminal) as asked:
            document = await asked.status()
        print_status(terminal, document)
        terminal.document(document)
        return Exit.OK

    run(terminal, work)


def _request(settings: Settings, file: str, asked: dict[str, Any]) -> ImportRequest:
    """What is asked of one file."""
    return ImportRequest(
        file=file,
        network=settings.network,
        rejects_dir=settings.data_dir / "rejects",
        latest_epoch=_latest_epoch(settings.network),
        **asked,
    )


async def _import_all(
    terminal: Terminal, settings: Settings, requests: list[ImportRequest], reports: list[dict[str, Any]]
) -> None:
    """Imports one file after the other, each in a transaction of its own; what is done stays done."""
    async with open_index(settings, application_name="filplus index import", may_migrate=True) as opened:
        for request in requests:
            with import_progress(terminal, request.file) as progress:
                async with opened.pool.acquire() as connection:
                    report = await import_file(connection, request, progress)
            reports.append(report)
            _print_report(terminal, report)


def _demand_usable(files: list[str], kind: str | None, source: str | None) -> None:
    """Usage errors that can be told before anything is opened."""
    if kind is not None and kind not in DUMP_KINDS:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(DUMP_KINDS)}", param_hint="--kind")
    if kind == "pieces" and not source:
        raise typer.BadParameter("a map of pieces needs --source NAME: whose word it is", param_hint="--source")
    if files.count(STDIN) > 1:
        raise typer.BadParameter("standard input can be read only once", param_hint="FILE")


def _latest_epoch(network: Network) -> int | None:
    """The epoch ten years from now, further than any clock is wrong; None on networks that keep no time."""
    try:
        return None if network.name == "simulated" else epoch_at_time(network, datetime.now(UTC) + TEN_YEARS)
    except NetworkError:
        return None


def _print_report(terminal: Terminal, report: dict[str, Any]) -> None:
    """One file's outcome in a few lines."""
    name = shown(Path(report["file"]).name)
    counts = ", ".join(
        f"{report[word]:,} {word}" for word in ("added", "changed", "unchanged", "removed") if report[word]
    )
    terminal.people.print(
        f"[bold]{name}[/]: {report['records']:,} {report['kind']} in {report['seconds']:.1f} s: {counts or 'nothing'}"
    )
    if report["rejected"]:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(report["rejected"].items()))
        terminal.people.print(f"  [yellow]rejected[/] {shown(reasons)}; see {shown(report['rejects_file'])}")
        if report["at_epoch"] is not None and not report["complete"]:
            terminal.people.print("  It doesn't count as complete, since not every record could be read.")
