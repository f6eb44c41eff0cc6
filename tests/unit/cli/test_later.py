"""Commands that are imported once they are chosen: what lists say of them, and what the others don't load."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from explorer.cli.later import Later
from explorer.cli.program import make_program

COSTLY = {"aiohttp", "apscheduler", "jinja2", "jsonschema", "node.lotus", "node.sim", "explorer.serving"}
"""What only services, nodes and their clients need."""


def laters(group: object) -> Iterator[Later]:
    """Every command below that is imported later, groups of such commands looked into."""
    if isinstance(group, TyperGroup):
        for command in group.commands.values():
            yield from laters(command)
    elif isinstance(group, Later):
        yield group
        yield from laters(group.imported())


LATERS = list(laters(get_command(make_program())))


@pytest.mark.parametrize("later", LATERS, ids=lambda later: later.place)
def test_the_list_says_of_a_command_what_its_help_begins_with(later: Later) -> None:
    command = later.imported()
    assert command.name == later.name
    assert command.help.split("\n\n")[0].replace("\n", " ") == later.help
    assert command.epilog == later.epilog


def test_there_are_such_commands_in_groups_too() -> None:
    assert {"serve", "index", "verify"} <= {later.name for later in LATERS}


def test_what_works_on_the_database_alone_loads_nothing_costly() -> None:
    modules = ["pipeline.program", *(f"explorer.cli.{name}" for name in ("cluster", "notary", "webhook", "audit"))]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert COSTLY.isdisjoint(loaded.stdout.split())
