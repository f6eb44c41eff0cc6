"""The explorer's part of the program `filplus`: its global options and its commands."""

from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.administration import check_command, migrate_command, version_command
from explorer.cli.chain import chain
from explorer.cli.cid import cid_command
from explorer.cli.demo import demo_command
from explorer.cli.index import index
from explorer.cli.serve import serve_command
from explorer.cli.terminal import Terminal

GLOBAL_FLAGS = frozenset({"--json", "--quiet", "-q", "--debug"})
GLOBAL_OPTIONS = frozenset({"--url", "--config", "-o", "--output"})


def make_program() -> typer.Typer:
    """The program with the explorer's commands; others may add theirs."""
    program = typer.Typer(
        name="filplus",
        help="Is this CID Filecoin Plus data? Ask, import, serve.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(_globals)
    program.command("demo", epilog="Example: filplus demo --once")(demo_command)
    program.command("serve", epilog="Example: filplus serve --listen 0.0.0.0:8080")(serve_command)
    program.command("cid", epilog="Example: filplus cid baga6ea4seaq… --at-epoch 4622139")(cid_command)
    program.add_typer(index, name="index")
    program.add_typer(chain, name="chain")
    program.command("migrate", epilog="Example: filplus migrate")(migrate_command)
    program.command("check", epilog="Example: filplus check")(check_command)
    program.command("version", epilog="Example: filplus --json version")(version_command)
    return program


def _globals(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="json", help="The same as --json.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="The explorer to ask (FILPLUS_URL).")] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings in TOML (FILPLUS_CONFIG).")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing for people, errors aside.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks and debug logs.")] = False,
) -> None:
    if output not in (None, "json"):
        raise typer.BadParameter(f"{output!r} is no output format; json is", param_hint="-o")
    context.obj = Terminal(as_json=as_json or output == "json", quiet=quiet, debug=debug, url=url, config_file=config)


def globals_first(arguments: list[str]) -> list[str]:
    """The arguments with global options before the command, so that they may stand anywhere before a `--`."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest.extend([argument, *waiting])
        elif argument in GLOBAL_FLAGS or (argument.split("=", 1)[0] in GLOBAL_OPTIONS and "=" in argument):
            front.append(argument)
        elif argument in GLOBAL_OPTIONS:
            front.extend([argument, *([value] if (value := next(waiting, None)) is not None else [])])
        else:
            rest.append(argument)
    return front + rest
