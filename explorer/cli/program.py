"""The explorer's part of the program `filplus`: its global options and its commands."""

import itertools
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.administration import check_command, migrate_command, version_command
from explorer.cli.audit import audit
from explorer.cli.chain import chain
from explorer.cli.cid import cid_command
from explorer.cli.cluster import cluster
from explorer.cli.demo import demo_command
from explorer.cli.index import index
from explorer.cli.notary import notary
from explorer.cli.review import review
from explorer.cli.serve import serve_command
from explorer.cli.terminal import Terminal
from explorer.cli.webhook import webhook

GLOBAL_FLAGS = frozenset({"--json", "--quiet", "-q", "--debug"})
GLOBAL_OPTIONS = frozenset({"--url", "--config"})
OUTPUT_OPTIONS = frozenset({"-o", "--output"})
"""With `json` they are global; with anything else a command's own, as of `audit export -o FILE`."""


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
    program.add_typer(cluster, name="cluster")
    program.add_typer(webhook, name="webhook")
    program.add_typer(notary, name="notary")
    program.add_typer(review, name="review")
    program.add_typer(audit, name="audit")
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
            break
        name, joined, value = argument.partition("=")
        words = [argument]
        if not joined and name in GLOBAL_OPTIONS | OUTPUT_OPTIONS:
            words += [value := word for word in itertools.islice(waiting, 1)]
        (front if _is_global(argument, name, value) else rest).extend(words)
    return front + rest


def _is_global(argument: str, name: str, value: str) -> bool:
    return argument in GLOBAL_FLAGS or name in GLOBAL_OPTIONS or (name in OUTPUT_OPTIONS and value == "json")
