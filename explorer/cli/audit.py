"""`filplus audit`: the log of what was done, verified and exported."""

import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

import asyncpg
import typer

from explorer.audit.chain import Head
from explorer.audit.errors import BrokenLog, FileUnreadable
from explorer.audit.reading import first_since, read_entries
from explorer.audit.verifying import Report, verify_file
from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.ground.connection import database_errors
from explorer.index.networks import demand_network
from explorer.index.opening import open_index
from explorer.reviews.agreeing import Agreement, verify_with_reviews

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

T = TypeVar("T")
Write = Callable[[bytes], None]

audit = typer.Typer(help="The audit log: what was done, by whom.", no_args_is_help=True)


@audit.command("verify", epilog="Example: filplus audit verify log.ndjson --head 9f2c…")
def verify_command(
    context: typer.Context,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="An exported log, - for stdin; else the database's.")
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="A head noted before, which must still be there.")
    ] = None,
    signatures: Annotated[bool, typer.Option(help="Verify the signatures that entries keep, too.")] = True,
) -> None:
    """Finds whatever was changed, removed, added or reordered in the log, and names the first bad entry.

    Of the database it also names each review that isn't as the log says.
    """
    terminal = terminal_of(context)
    if head is not None and not _HASH.fullmatch(head):
        raise typer.BadParameter(
            f"{head!r} is no hash: 64 hexadecimal digits in lower case are due", param_hint="--head"
        )

    async def work() -> Exit:
        try:
            report, agreement = await _verified(terminal, file, head, signatures=signatures)
        except BrokenLog as error:
            terminal.document({"ok": False, "bad": {"seq": error.seq, "why": error.why}})
            terminal.side.print(f"[bold red]broken at entry {error.seq}[/]: {shown(error.why)}")
            return Exit.ERROR
        agrees = agreement is None or not agreement.differing
        reviews = None if agreement is None else agreement.document()
        terminal.document({**report.document(), "ok": agrees, "reviews": reviews})
        _print(terminal, report)
        _print_agreement(terminal, agreement)
        return Exit.OK if agrees else Exit.ERROR

    run(terminal, work)


async def _verified(
    terminal: Terminal, file: str | None, noted: str | None, *, signatures: bool
) -> tuple[Report, Agreement | None]:
    """What the log is found to be; of the database's also whether the reviews agree with it."""
    if file is not None:
        with _opened(file) as opened:
            report = verify_file(opened, noted=noted, signatures=signatures)
        if not report.entries:
            raise BrokenLog(1, "there is none: an empty file shows nothing, not even that the log is empty")
        return report, None

    async def over(connection: asyncpg.Connection) -> tuple[Report, Agreement]:
        return await verify_with_reviews(connection, noted=noted, signatures=signatures)

    return await _over_database(terminal, over)


def _print(terminal: Terminal, report: Report) -> None:
    if report.head is None or not report.entries:
        terminal.people.print("The log is empty.")
        return
    part = "" if report.first == 1 else f", from entry {report.first} on: what came before is not in it"
    of = f" of {report.network}" if report.network else ""
    terminal.people.print(f"[green]✓[/] {report.entries} entries{of} hold{part}")
    if report.signatures is not None:
        terminal.people.print(f"[green]✓[/] {report.signatures} signatures in them hold")
    terminal.people.print(f"head {report.head.seq} {report.head.hash}")
    terminal.side.print("Note the head elsewhere: --head then shows that nothing was cut off.")


def _print_agreement(terminal: Terminal, agreement: Agreement | None) -> None:
    if agreement is None:
        terminal.side.print("A file shows the chain alone: whether the reviews agree with it, only the database shows.")
        return
    for review_id, why in agreement.differing.items():
        terminal.side.print(f"[bold red]{shown(review_id)} isn't as the log says[/]: {shown('; '.join(why))}")
    if not agreement.differing:
        terminal.people.print(f"[green]✓[/] {agreement.compared} reviews are as the log says")


@audit.command("export", epilog="Example: filplus audit export -o log.ndjson")
def export_command(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only from then on (RFC 3339, or a date).")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to; else stdout.")
    ] = None,
) -> None:
    """Writes the log as JSON, one entry a line."""
    terminal = terminal_of(context)
    if terminal.as_json and output is None:
        raise typer.BadParameter("with --json name a file for the entries: -o FILE")
    moment = None if since is None else _moment(since)

    async def work() -> Exit:
        async def over(connection: asyncpg.Connection) -> tuple[int, Head | None]:
            with writing(output) as write:
                return await _export(connection, write, moment)

        count, head = await _over_database(terminal, over)
        facts: dict[str, Any] = {"file": None if output is None else str(output), "entries": count}
        terminal.document({**facts, "head": None if head is None else {"seq": head.seq, "hash": head.hash}})
        said = "" if head is None else f", head {head.seq} {head.hash}"
        terminal.side.print(f"{count} entries{said}")
        return Exit.OK

    run(terminal, work)


async def _export(connection: asyncpg.Connection, write: Write, since: datetime | None) -> tuple[int, Head | None]:
    """Writes the entries; returns how many, and the last one's number and hash."""
    count, head = 0, None
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        start = 1 if since is None else await first_since(connection, since)
        if start is None:
            return 0, None
        async for entry in read_entries(connection, from_seq=start):
            write(entry.line().encode("ascii") + b"\n")
            count, head = count + 1, Head(entry.seq, entry.hash)
    return count, head


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-11-23T12:00:00Z", param_hint="--since") from error
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as opened:
            yield opened
    except OSError as error:
        raise FileUnreadable(f"{file} can't be read: {error.strerror}") from error


@contextmanager
def writing(file: Path | None) -> Iterator[Write]:
    """Gives what writes to standard output, or to a file that takes the name only once it is whole. FileUnreadable."""
    if file is None:
        yield _telling(sys.stdout.buffer, "standard output")
        with file_errors("standard output"):
            sys.stdout.flush()
        return
    part = file.with_name(f"{file.name}.part")
    with file_errors(file):
        opened = part.open("wb")
    try:
        with opened:
            yield _telling(opened, file)
            with file_errors(file):
                opened.flush()
                os.fsync(opened.fileno())
        with file_errors(file):
            part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _telling(opened: IO[bytes], file: Path | str) -> Write:
    def write(line: bytes) -> None:
        with file_errors(file):
            opened.write(line)

    return write


@contextmanager
def file_errors(file: Path | str) -> Iterator[None]:
    """Tells what goes wrong with the file as that. Nothing else belongs in here: a lost database is an OSError too."""
    try:
        yield
    except OSError as error:
        raise FileUnreadable(f"{file} can't be written: {error.strerror}") from error


async def _over_database(terminal: Terminal, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    settings = terminal.settings()
    async with open_index(settings, application_name="filplus audit", may_migrate=False) as opened:
        with database_errors("reading the audit log"):
            async with opened.pool.acquire() as connection:
                await demand_network(connection, settings.network.name)
                return await work(connection)
