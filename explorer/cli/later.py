"""Commands whose modules are imported once they are chosen: what some stand on takes a second, others don't wait."""

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand
from typer.main import get_group


class Later(TyperCommand):
    """What lists of commands show of one that isn't imported yet: its name and its summary."""

    place: ClassVar[str]
    """Where it is: `package.module:name`, of a function or of a Typer."""

    def imported(self) -> Any:
        """The command itself, or the group of commands."""
        module, _, name = self.place.partition(":")
        found, program = getattr(import_module(module), name), typer.Typer()
        if isinstance(found, typer.Typer):
            program.add_typer(found, name=self.name)
        else:
            program.command(self.name, epilog=self.epilog)(found)
        return get_group(program).commands[str(self.name)]

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """The context of the command itself, which so stands in this one's place from here on."""
        return self.imported().make_context(*args, **extra)


def add_later(program: typer.Typer, name: str, place: str, *, summary: str, example: str | None = None) -> None:
    """Adds the function or the Typer of that place as a command; `summary` is what its help begins with."""

    class Chosen(Later):
        pass

    Chosen.place = place
    epilog = None if example is None else f"Example: {example}"
    program.command(name, cls=Chosen, help=summary, epilog=epilog)(_never_called)


def _never_called() -> None:
    raise AssertionError("a command that is chosen is imported")
