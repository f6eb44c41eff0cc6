"""The index's status as text for people."""

from typing import Any

from explorer.cli.tables import print_table
from explorer.cli.terminal import Terminal, shown
from explorer.index.verifications import has_compared
from explorer.verdict.records import RECORD_KINDS

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
    terminal.people.print(f"FIL+ programme: {_programme_text(document['programme'])}")
    _print_node(terminal, document["node"])
    _print_verification(terminal, index.get("verification"))
    _print_coverage(terminal, index["coverage"])
    for hole in index.get("holes", []):
        terminal.people.print(f"[yellow]hole[/] {hole['kind']} of heights {_heights(hole)}: {shown(hole['reason'])}")


def _programme_text(programme: dict[str, Any]) -> str:
    """Whether FIL+ is open, and when it ends or ended."""
    status, epoch = programme["status"], programme["retires_at_epoch"]
    if status == "retired":
        return f"retired, {'ended' if epoch is None else f'ended at epoch {epoch}'}; this is the record"
    return status if epoch is None else f"{status}, ends at epoch {epoch}"


def _print_node(terminal: Terminal, node: dict[str, Any] | None) -> None:
    """How following goes; nothing where the service follows no node."""
    if node is None:
        return
    terminal.people.print(f"node: {_head_text(node)}")
    if node.get("error"):
        terminal.people.print(f"[red]following fails[/] since {node['failing_since']}: {shown(node['error'])}")
    for one in node.get("nodes", []):
        if one.get("error"):
            terminal.people.print(
                f"[red]node fails[/] since {one['failing_since']}: {shown(one['name'])}: {shown(one['error'])}"
            )
    for one in node.get("state_reads", []):
        terminal.people.print(_state_read_text(one))
    for dispute in node.get("disputes", []):
        terminal.people.print(
            f"[red]disputed[/] by {shown(dispute['node'])}, epoch {dispute['epoch']}: {shown(dispute['detail'])}"
        )


def _head_text(node: dict[str, Any]) -> str:
    """Where the node's head is, when it was heard, and how far the index is behind."""
    heard = f", last heard {node['heard_at']}" if node.get("heard_at") else ""
    lag = "" if node["lag_epochs"] is None else f", the index is {node['lag_epochs']} behind"
    final = "" if node["finality"] is None else f", final to {node['finality']['final_epoch']}"
    head = "no head is known" if node["head_epoch"] is None else f"head at epoch {node['head_epoch']}"
    return f"{head}{heard}{lag}{final}"


def _state_read_text(one: dict[str, Any]) -> str:
    """How the reading of a kind of the node's state goes."""
    if one["reading_since"]:
        return f"reading the state's {one['kind']} since {one['reading_since']}: {one['records'] or 0:,} so far"
    return f"[yellow]state of {one['kind']} not read[/], again at {one['again_at']}: {shown(one['error'])}"


def _print_verification(terminal: Terminal, last: dict[str, Any] | None) -> None:
    """What the last comparison with a node found; nothing where there was none."""
    if last is None:
        return
    what = {"sample": "a sample", "all": "everything"}.get(last["what"], "some providers")
    found = f"[red]{last['drifted']:,} records differ[/]" if last["drifted"] else "no drift"
    if not has_compared(last["compared"]):
        found = "[yellow]nothing was compared[/]"
    terminal.people.print(f"verified {last['at']}, {what} at epoch {last['epoch']}: {found}")


def _heights(hole: dict[str, Any]) -> str:
    first, last = hole["from_epoch"], hole["through_epoch"]
    return str(first) if first == last else f"{first} to {last}"


def _print_coverage(terminal: Terminal, spans: list[dict[str, Any]]) -> None:
    """The newest spans of each kind; a kind without any in yellow."""
    rows: list[tuple[str, str, str]] = []
    styles: list[str | None] = []
    for kind in RECORD_KINDS:
        newest = sorted((span for span in spans if span["kind"] == kind), key=lambda span: -span["through_epoch"])
        told: list[tuple[str, str, str]] = [(kind, _epochs(span), span["source"]) for span in newest[:SPANS_SHOWN]]
        if not told:
            told = [(kind, "at no epoch", "")]
        if len(newest) > SPANS_SHOWN:
            told.append(("", f"and {len(newest) - SPANS_SHOWN} older", ""))
        rows += told
        styles += [None if newest else "yellow"] * len(told)
    print_table(terminal, ("kind", "covered completely", "source"), rows, styles=styles)


def _epochs(span: dict[str, Any]) -> str:
    first, last = span["from_epoch"], span["through_epoch"]
    return f"at epoch {first}" if first == last else f"epochs {first} to {last}"
