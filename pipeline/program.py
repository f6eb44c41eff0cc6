"""The program `filplus`: the commands of the explorer and of the pipeline node."""

import sys

from explorer.cli.program import globals_first, make_program


def main() -> None:
    """Runs the command that the arguments name."""
    make_program()(args=globals_first(sys.argv[1:]))
