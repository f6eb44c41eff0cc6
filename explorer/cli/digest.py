"""`filplus index digest`: the index in one number, for replicas to compare."""

import time
from typing import Annotated

import asyncpg
import typer

from explorer.cli.exits import Exit
from explorer.cli.progress import LINE_EVERY_S
from explorer.cli.running import run
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.errors import EpochNotIndexed
from explorer.ground.connection import database_errors
from explorer.index.digest import Digest, Sum, digest_at
from explorer.index.networks import demand_network
from explorer.index.opening import open_index
from explorer.index.spans import load_index_epoch
from explorer.index.tipsets import load_following
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.network import parse_epoch

_NAME_WIDTH, _COUNT_WIDTH = 12, 14


def digest_command(
    context: typer.Context,
    at_epoch: Annotated[
        str | None, typer.Option(metavar="N", help="As of this epoch; else of the newest final one.")
    ] = None,
) -> None:
    """Prints a digest of the state that the index holds at an epoch.

    Two replicas that hold the same state at the same final epoch have the same, whatever their histories: one may have
    begun at another snapshot or been imported. Reads the whole index once. Exits with 1 where the index doesn't hold
    every record at that epoch, so that there is no digest of it all.
    """
    terminal = terminal_of(context)

    async def work() -> Exit:
        settings = terminal.settings()
        began = time.monotonic()
        epoch = None if at_epoch is None else parse_epoch(at_epoch)
        async with (
            open_index(settings, application_name="filplus index digest", may_migrate=False) as opened,
            opened.pool.acquire() as connection,
        ):
            await demand_network(connection, settings.network.name)
            found, finality = await _digest(terminal, connection, settings.network.name, epoch)
        _print(terminal, found, finality)
        terminal.document({**found.document(), "finality": finality, "seconds": round(time.monotonic() - began, 3)})
        return Exit.ERROR if found.text is None else Exit.OK

    run(terminal, work)


async def _digest(
    terminal: Terminal, connection: asyncpg.Connection, network: str, epoch: int | None
) -> tuple[Digest, str | None]:
    """The digest, over one snapshot of the index, and how final its epoch is."""
    with database_errors("reading the index"):
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            following, head = await load_following(connection), await load_index_epoch(connection)
            if epoch is None:
                epoch = head if following is None else following.final_epoch
            if epoch is None or head is None or epoch > head:
                reach = "is empty" if head is None else f"ends at epoch {head}"
                raise EpochNotIndexed(f"epoch {epoch} is not indexed: the index {reach}", value=epoch)
            found = await digest_at(connection, network, epoch, progress=_LineProgress(terminal))
    return found, None if following is None else following.finality_of(epoch)


class _LineProgress:
    """Says now and then how far it is."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._said = time.monotonic()

    def __call__(self, kind: RecordKind, records: int) -> None:
        if time.monotonic() - self._said >= LINE_EVERY_S:
            self._said = time.monotonic()
            self._terminal.side.print(f"{records:,} {kind} read")


def _print(terminal: Terminal, found: Digest, finality: str | None) -> None:
    """A line for each sum, whole in any width: they are compared by eye or by scripts."""
    people = terminal.people
    people.print(f"[bold]{found.network}[/] at epoch {found.epoch}{f' ({finality})' if finality else ''}")
    rows: list[tuple[str, Sum | None]] = [(kind, found.sums.get(kind)) for kind in RECORD_KINDS]
    rows.append(("labels", None if "deals" in found.gaps else found.labels))
    for name, one in rows:
        records, text = ("", "not known") if one is None else (f"{one.records:,}", one.text)
        people.print(f"{name:<{_NAME_WIDTH}}{records:>{_COUNT_WIDTH}}  {text}")
    for kind, why in found.gaps.items():
        people.print(f"[yellow]{kind} not known[/]: {shown(why)}")
    if found.text is None:
        people.print("[yellow]There is no digest of it all.[/]")
    else:
        people.print(f"digest {found.text}")
