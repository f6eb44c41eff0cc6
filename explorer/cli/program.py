"""The explorer's part of the program `filplus`: its global options and its commands."""

import itertools
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from explorer.cli.later import add_later
from explorer.cli.terminal import Terminal, inert

GLOBAL_FLAGS = frozenset({"--json", "--quiet", "-q", "--debug"})
GLOBAL_OPTIONS = frozenset({"--url", "--config"})
OUTPUT_OPTIONS = frozenset({"-o", "--output"})
"""With `json` they are global; with anything else a command's own, as of `audit export -o FILE`."""

_COMMANDS = (
    (
        "demo",
        "demo:demo_command",
        (
            "Tells the whole story: real records of mainnet, and a simulated chain that goes on from them."
            " Needs nothing else."
        ),
        "filplus demo --once",
    ),
    (
        "serve",
        "serve:serve_command",
        "Runs the explorer: the API and its pages.",
        "filplus serve --listen 0.0.0.0:8080",
    ),
    (
        "cid",
        "cid:cid_command",
        "Says whether CIDs are FIL+, and why.",
        "filplus cid baga6ea4seaq… --at-epoch 4622139",
    ),
    (
        "migrate",
        "administration:migrate_command",
        "Brings the database's schema to head.",
        "filplus migrate",
    ),
    (
        "check",
        "check:check_command",
        "Says of each component whether it works, and what to do where it doesn't.",
        "filplus check",
    ),
    (
        "version",
        "administration:version_command",
        "Prints the versions of the program and of what it stands on.",
        "filplus --json version",
    ),
    ("index", "index:index", "What the explorer knows: import it, look at it.", None),
    ("chain", "chain:chain", "A simulated chain for tests and demos, offline and deterministic.", None),
    ("cluster", "cluster:cluster", "Who may ask for reviews: clusters, and operators, with their keys.", None),
    ("webhook", "webhook:webhook", "Who is told of reviews and grants: webhooks by Standard Webhooks.", None),
    ("notary", "notary:notary", "Notaries: their keys and signatures, and who is one.", None),
    ("review", "review:review", "Reviews: what clusters ask for, and what notaries decide.", None),
    ("audit", "audit:audit", "The audit log: what was done, by whom.", None),
)
"""Each with its module and what it is called there, what its help begins with, and an example."""


class Program(TyperGroup):
    """The program's commands. Arguments that are no UTF-8 are refused: only a file that is there may be called so."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments that are left for the command."""
        for argument in args:
            if not _is_text(argument) and not os.path.lexists(argument.rpartition("=")[2]):
                raise typer.BadParameter(f"'{_typed(argument)}' is neither UTF-8 nor a file: type it anew", ctx)
        return super().parse_args(ctx, args)


def _is_text(argument: str) -> bool:
    try:
        argument.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _typed(argument: str) -> str:
    """The argument with each byte that is no text as one: `caf\\xe9`."""
    try:
        typed = os.fsencode(argument)
    except UnicodeEncodeError:  # no shell can pass it
        typed = argument.encode("utf-8", "backslashreplace")
    return inert(typed.decode("utf-8", "backslashreplace"))


def make_program() -> typer.Typer:
    """The program with the explorer's commands; others may add theirs."""
    program = typer.Typer(
        name="filplus",
        cls=Program,
        help="Is this CID Filecoin Plus data? Ask, import, serve.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(_globals)
    _add_commands(program)
    return program


def _add_commands(program: typer.Typer) -> None:
    for name, place, summary, example in _COMMANDS:
        add_later(program, name, f"explorer.cli.{place}", summary=summary, example=example)


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
