"""The index's status as text for people."""

from itertools import groupby
from typing import Any

from rich.table import Table

from explorer.cli.terminal import Terminal, shown

SPANS_SHOWN = 5


def print_status(terminal: Terminal, document: dict[str, Any]) -> None:
    """How far the index reaches, how much it holds, and what it covers completely."""
    index = document["index"]
    if index["epoch"] is None:
        terminal.people.print(f"The index of {document['network']} is empty: filplus index import FILE…")
        return
    when = f" ({index['time']})" if index["time"] else ""
    terminal.people.print(f"[bold]{document['network']}[/], indexed to epoch {index['epoch']}{when}")
    counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in index["counts"].items())
    terminal.people.print(f"holds {counts}")
    programme = document["programme"]
    end = f", ends at epoch {programme['retires_at_epoch']}" if programme["retires_at_epoch"] is not None else ""
    terminal.people.print(f"FIL+ programme: {programme['status']}{end}")
    terminal.people.print(_coverage_table(index["coverage"]))


def _coverage_table(spans: list[dict[str, Any]]) -> Table:
    table = Table("kind", "covered completely", "source", title="Coverage", title_justify="left")
    by_kind = {kind: list(group) for kind, group in groupby(spans, key=lambda span: span["kind"])}
    for kind in ("deals", "claims", "allocations"):
        newest = sorted(by_kind.get(kind, []), key=lambda span: -span["through_epoch"])
        if not newest:
            table.add_row(kind, "at no epoch", "", style="yellow")
        for span in newest[:SPANS_SHOWN]:
            table.add_row(kind, _epochs(span), shown(span["source"]))
        if len(newest) > SPANS_SHOWN:
            table.add_row("", f"and {len(newest) - SPANS_SHOWN} older", "")
    return table


def _epochs(span: dict[str, Any]) -> str:
    first, last = span["from_epoch"], span["through_epoch"]
    return f"at epoch {first}" if first == last else f"epochs {first} to {last}"
