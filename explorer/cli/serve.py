"""`filplus serve`: the explorer as a service."""

from typing import Annotated

import typer

from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import terminal_of
from explorer.ground.supervision import stop_on_signals
from explorer.ground.telemetry import configure_logging
from explorer.serving import running_explorer


def serve_command(
    context: typer.Context,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to answer; port 0 takes a free one.")
    ] = None,
) -> None:
    """Runs the explorer: the API and its pages."""
    terminal = terminal_of(context)

    async def work() -> Exit:
        settings = terminal.settings({"listen": listen})
        configure_logging(level="DEBUG" if terminal.debug else "INFO", secrets=settings.secrets())
        with stop_on_signals() as stop:
            async with running_explorer(settings) as explorer:
                terminal.side.print(
                    f"The explorer of {settings.network.name} answers at {explorer.url} (Ctrl-C ends it)"
                )
                await explorer.run(stop)
        return Exit.OK

    run(terminal, work, kept="What was imported is kept.")
