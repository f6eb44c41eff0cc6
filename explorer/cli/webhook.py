"""`filplus webhook`: who is told of reviews and grants. Works on the database, and takes effect at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any

import asyncpg
import typer
from rich.table import Table

from explorer.alerts import endpoints
from explorer.alerts.addresses import Policy
from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.errors import QuestionError
from explorer.ground.connection import database_errors
from explorer.ground.settings import Settings
from explorer.index.opening import open_index

TEST_WAIT_S = 30.0
_LOOK_EVERY_S = 0.25

webhook = typer.Typer(help="Who is told of reviews and grants: webhooks by Standard Webhooks.", no_args_is_help=True)

Work = Callable[[asyncpg.Connection, Settings], Awaitable[Exit]]
Id = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id, as list prints it.")]


@webhook.command("add", epilog="Example: filplus webhook add https://notary.example/hook --types review.requested")
def add_command(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="https, to a public address.")],
    types: Annotated[
        str | None, typer.Option(metavar="A,B", help=f"Only these of {', '.join(endpoints.TYPES)}.")
    ] = None,
) -> None:
    """Adds a webhook and prints its secret, once."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection, settings: Settings) -> Exit:
        added = await endpoints.add_webhook(
            connection, url, endpoints.parse_types(types), Policy(settings.webhook_allow)
        )
        _print_secret(terminal, added)
        return Exit.OK

    _run(terminal, work)


@webhook.command("list", epilog="Example: filplus webhook list")
def list_command(context: typer.Context) -> None:
    """Prints the webhooks and channels, and how they stand."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection, _: Settings) -> Exit:
        rows = await endpoints.list_endpoints(connection)
        terminal.document({"webhooks": [row.document() for row in rows]})
        if not rows:
            terminal.people.print("Nobody is told yet: filplus webhook add URL")
            return Exit.OK
        table = Table("id", "state", "url", "types", "waiting", "dead", "")
        for row in rows:
            wanted = "all" if row.types is None else ", ".join(row.types)
            why = shown(row.disabled_reason or "")
            table.add_row(row.id, row.state, shown(row.url), wanted, str(row.pending), str(row.dead), why)
        terminal.people.print(table)
        return Exit.OK

    _run(terminal, work)


@webhook.command("remove", epilog="Example: filplus webhook remove wh_0123456789abcdef")
def remove_command(context: typer.Context, endpoint_id: Id) -> None:
    """Removes a webhook; what waits for it is not delivered."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection, _: Settings) -> Exit:
        await endpoints.remove_endpoint(connection, endpoint_id)
        terminal.document({"id": endpoint_id, "removed": True})
        terminal.people.print(f"removed {shown(endpoint_id)}")
        return Exit.OK

    _run(terminal, work)


@webhook.command("enable", epilog="Example: filplus webhook enable wh_0123456789abcdef")
def enable_command(context: typer.Context, endpoint_id: Id) -> None:
    """Enables a webhook that was disabled since it answered 410."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection, _: Settings) -> Exit:
        await endpoints.enable_endpoint(connection, endpoint_id)
        terminal.document((await endpoints.load_endpoint(connection, endpoint_id)).document())
        terminal.people.print(f"{shown(endpoint_id)} is told again")
        return Exit.OK

    _run(terminal, work)


@webhook.command("rotate", epilog="Example: filplus webhook rotate wh_0123456789abcdef --overlap-hours 48")
def rotate_command(
    context: typer.Context,
    endpoint_id: Id,
    overlap_hours: Annotated[float, typer.Option(min=0, max=24 * 30, help="How long both secrets hold.")] = 24,
) -> None:
    """Gives a webhook a new secret and prints it, once; for a while messages are signed with the old one, too."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection, _: Settings) -> Exit:
        overlap = timedelta(hours=overlap_hours)
        _print_secret(terminal, await endpoints.rotate_secret(connection, endpoint_id, overlap=overlap))
        return Exit.OK

    _run(terminal, work)


@webhook.command("test", epilog="Example: filplus webhook test wh_0123456789abcdef")
def try_command(
    context: typer.Context,
    endpoint_id: Id,
    wait_s: Annotated[float, typer.Option("--wait", min=0, metavar="S", help="For the first attempt.")] = TEST_WAIT_S,
) -> None:
    """Sends a test message by the running service, and prints what came of the first attempt."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection, _: Settings) -> Exit:
        delivery_id = await endpoints.send_test(connection, endpoint_id)
        row = await _tried(connection, delivery_id, wait_s)
        terminal.document(row.document())
        if row.outcome is None:
            terminal.side.print(f"not tried within {wait_s:g} s: is the service running (filplus serve)?")
        else:
            terminal.people.print(f"{row.outcome}: {_result(row)}")
        return Exit.OK if row.state == "delivered" else Exit.ERROR

    _run(terminal, work, kept="The test message waits for the service.")


@webhook.command("deliveries", epilog="Example: filplus webhook deliveries wh_0123456789abcdef --state dead")
def deliveries_command(
    context: typer.Context,
    endpoint_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of one webhook only.")] = None,
    state: Annotated[str | None, typer.Option(metavar="STATE", help="pending, delivered or dead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
) -> None:
    """Prints deliveries with their last attempts, the newest first."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection, _: Settings) -> Exit:
        if state not in {None, "pending", "delivered", "dead"}:
            raise QuestionError(f"{state!r} is no state: write pending, delivered or dead", value=state)
        if endpoint_id is not None:
            await endpoints.load_endpoint(connection, endpoint_id)
        rows = await endpoints.list_deliveries(connection, endpoint_id=endpoint_id, state=state, limit=limit)
        terminal.document({"deliveries": [row.document() for row in rows]})
        _print_deliveries(terminal, rows)
        return Exit.OK

    _run(terminal, work)


@webhook.command("replay", epilog="Example: filplus webhook replay 17")
def replay_command(
    context: typer.Context,
    delivery_id: Annotated[int | None, typer.Argument(metavar="[DELIVERY]", help="As deliveries prints it.")] = None,
    dead_of: Annotated[str | None, typer.Option("--dead", metavar="ID", help="Every dead letter of a webhook.")] = None,
) -> None:
    """Delivers again, with the same webhook-id: one delivery, or a webhook's dead letters."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection, _: Settings) -> Exit:
        if (delivery_id is None) == (dead_of is None):
            raise QuestionError("name one delivery, or a webhook with --dead")
        if delivery_id is not None:
            await endpoints.replay_delivery(connection, delivery_id)
            replayed = [delivery_id]
        else:
            replayed = await endpoints.replay_dead(connection, dead_of or "")
        terminal.document({"replayed": replayed})
        terminal.people.print(f"{len(replayed)} will be delivered again")
        return Exit.OK

    _run(terminal, work)


def _run(terminal: Terminal, work: Work, *, kept: str = "") -> None:
    """Runs work over one connection; administration changes the database, never a service by its address."""

    async def over_database() -> Exit:
        settings = terminal.settings()
        async with open_index(settings, application_name="filplus webhook", may_migrate=False) as opened:
            with database_errors("administering webhooks"):
                async with opened.pool.acquire() as connection:
                    return await work(connection, settings)

    run(terminal, over_database, kept=kept)


async def _tried(connection: asyncpg.Connection, delivery_id: int, wait_s: float) -> endpoints.DeliveryRow:
    """The delivery once it was tried, or as it stands after so long."""
    until = asyncio.get_running_loop().time() + wait_s
    while True:
        row = await endpoints.load_delivery(connection, delivery_id)
        if row.outcome is not None or asyncio.get_running_loop().time() >= until:
            return row
        await asyncio.sleep(_LOOK_EVERY_S)


def _print_secret(terminal: Terminal, made: endpoints.NewSecret) -> None:
    terminal.document(made.document())
    wanted = "all types" if made.types is None else ", ".join(made.types)
    terminal.people.print(f"[bold]{made.endpoint_id}[/] {shown(made.url)}, {wanted}")
    terminal.people.print(f"secret, shown this once: {made.secret}")


def _print_deliveries(terminal: Terminal, rows: list[endpoints.DeliveryRow]) -> None:
    if not rows:
        terminal.people.print("No such delivery yet.")
        return
    table = Table("id", "webhook", "type", "subject", "state", "tries", "last attempt")
    for row in rows:
        told = (row.endpoint_id, row.type, shown(row.subject_id), row.state, str(row.tries))
        table.add_row(str(row.id), *told, shown(row.dead_reason or _result(row)))
    terminal.people.print(table)


def _result(row: endpoints.DeliveryRow) -> str:
    """The last attempt in a few words."""
    facts: list[Any] = [row.status, row.error, None if row.duration_ms is None else f"{row.duration_ms} ms"]
    return ", ".join(str(fact) for fact in facts if fact is not None)
