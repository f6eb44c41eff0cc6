"""Runs a command: errors become one line and an exit code, Ctrl-C says what was kept."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import typer

from explorer.cli.exits import Exit, exit_of
from explorer.cli.terminal import Terminal, shown
from explorer.errors import FilplusError, ServiceRefused
from explorer.ground.telemetry import configure_logging
from node.errors import FilecoinError

INTERRUPTED = 130
"""What shells say of a program that Ctrl-C ended."""


def run(
    terminal: Terminal,
    work: Callable[[], Coroutine[Any, Any, Exit]],
    *,
    kept: str = "",
    beside: Callable[[], dict[str, Any]] = dict,
) -> NoReturn:
    """Runs the coroutine and ends the program with its exit code.

    `kept` is what Ctrl-C leaves behind, for people; `beside` is what the JSON document of an error says with it.
    """
    configure_logging(level="DEBUG" if terminal.debug else "WARNING")
    try:
        code = asyncio.run(work())
    except (FilplusError, FilecoinError) as error:
        if terminal.debug:
            raise
        _tell(terminal, error, beside())
        code = exit_of(error)
    except KeyboardInterrupt:
        terminal.side.print(f"stopped. {kept}".strip())
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(int(code))


def _tell(terminal: Terminal, error: Exception, beside: dict[str, Any]) -> None:
    """What went wrong, and the remedy that a service told with it."""
    remedy = error.remedy if isinstance(error, ServiceRefused) else None
    told = {"type": type(error).__name__, "detail": str(error)} | ({} if remedy is None else {"remedy": remedy})
    terminal.document({**beside, "error": told})
    terminal.side.print(f"[bold red]error[/]: {shown(str(error))}")
    if remedy is not None:
        terminal.side.print(f"[dim]{shown(remedy)}[/]")
