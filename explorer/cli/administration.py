"""`filplus migrate` and `version`."""

import platform

import asyncpg
import typer

from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import terminal_of
from explorer.ground.connection import open_connection
from explorer.ground.database import open_database
from explorer.ground.migrate import migrate
from explorer.index.opening import SERVICE
from explorer.version import VERSION


def migrate_command(context: typer.Context) -> None:
    """Brings the database's schema to head."""
    terminal = terminal_of(context)

    async def work() -> Exit:
        async with (
            open_database(terminal.settings()) as database,
            open_connection(database.dsn) as connection,
        ):
            applied = await migrate(connection, SERVICE)
        terminal.document({"applied": [{"number": one.number, "name": one.name} for one in applied]})
        for one in applied:
            terminal.people.print(f"applied {one.number:04} {one.name}")
        if not applied:
            terminal.people.print("The schema is at head.")
        return Exit.OK

    run(terminal, work, kept="Each migration is applied whole or not at all; run it again.")


def version_command(context: typer.Context) -> None:
    """Prints the versions of the program and of what it stands on."""
    terminal = terminal_of(context)
    versions = {"filplus": VERSION, "python": platform.python_version(), "asyncpg": asyncpg.__version__}
    for name, number in versions.items():
        terminal.people.print(f"{name} {number}")
    terminal.document(versions)
