"""Tables in a terminal: a line for each row, with every id whole."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.markup import escape

from explorer.cli.terminal import Terminal, in_lines, inert

_GAP = "  "
_INDENT = "    "
_GLUE = "\u00a0"
"""A space that no line is broken at."""


def print_table(
    terminal: Terminal, headings: Sequence[str], rows: Sequence[Sequence[str]], *, styles: Sequence[str | None] = ()
) -> None:
    """Prints texts from elsewhere below their headings; `styles` are those of the rows, where there are any.

    What is no terminal gets one line a row, however long; a terminal that is too narrow several.
    """
    console = terminal.people
    cells = [[inert(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    fits = not console.is_terminal or sum(widths) + len(_GAP) * (len(widths) - 1) <= console.width
    for row, style in zip(cells, ("bold", *(styles or [None] * len(rows))), strict=True):
        for line in [_aligned(row, widths)] if fits else _broken(row, console.width):
            console.print(escape(line), style=style)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
    return _GAP.join(padded).rstrip()


def _broken(row: Sequence[str], width: int) -> list[str]:
    """The row in lines, broken between cells; inside of one only where it alone is too long for a line."""
    room = width - len(_INDENT)
    cells = (cell.replace(" ", _GLUE) if cell_len(cell) <= room else cell for cell in row if cell)
    return [line.replace(_GLUE, " ") for line in in_lines(_GAP.join(cells), width, indent=_INDENT)]
