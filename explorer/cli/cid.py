"""`filplus cid`: the verdict of one CID or of many."""

import sys
from typing import Annotated, Any

import typer

from explorer.cli.asking import open_asked
from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.tables import print_table
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.errors import MalformedCid
from node.cid import parse_cid
from node.errors import CidError
from node.network import parse_epoch

Document = dict[str, Any]

_COLOURS = {"active": "green", "pending": "yellow", "past": "yellow", "none": "red", "unknown": "magenta"}
_WORDS = {"unknown": "not known"}


def cid_command(
    context: typer.Context,
    cids: Annotated[list[str], typer.Argument(metavar="CID…", help="Any encoding; - reads them from standard input.")],
    at_epoch: Annotated[
        str | None, typer.Option(metavar="N", help="As of this epoch; without it, the newest indexed.")
    ] = None,
) -> None:
    """Says whether CIDs are FIL+, and why.

    Exit code 0: all are. 4: one is not. 8: not known. 2: no CID, or an epoch beyond the index. 6: nobody to ask.
    """
    terminal = terminal_of(context)

    async def work() -> Exit:
        epoch = None if at_epoch is None else parse_epoch(at_epoch)
        asked_cids = _expanded(cids)
        if not asked_cids:
            return print_verdicts(terminal, {"results": [], "as_of": None})
        if len(asked_cids) == 1:
            _demand_cid(asked_cids[0])
        async with open_asked(terminal) as asked:
            if len(asked_cids) == 1:
                return _print_one(terminal, await asked.verdict(asked_cids[0], at_epoch=epoch))
            return print_verdicts(terminal, await asked.verdicts(asked_cids, at_epoch=epoch))

    run(terminal, work)


def _expanded(cids: list[str]) -> list[str]:
    """The CIDs with `-` replaced by what stands on standard input, separated by white space; bytes made text."""
    read = sys.stdin.buffer.read().decode("utf-8", "replace").split() if "-" in cids else []
    expanded = [cid for given in cids for cid in (read if given == "-" else [given])]
    return [cid.encode("utf-8", "replace").decode() for cid in expanded]


def _demand_cid(text: str) -> None:
    """MalformedCid before anybody is asked: the text might not even fit into an address."""
    try:
        parse_cid(text)
    except CidError as error:
        raise MalformedCid(str(error), value=text[:100]) from error


def _print_one(terminal: Terminal, document: Document) -> Exit:
    terminal.document(document)
    people = terminal.people
    people.print(
        f"[bold {_COLOURS[document['verdict']]}]{_word(document['verdict'])}[/]  {shown(document['canonical'])}"
    )
    people.print(shown(document["reason"]))
    for note in document.get("notes", ()):
        people.print(f"note: {shown(note)}")
    people.print(_evidence_line(document["evidence"]), style="dim")
    people.print(_as_of_line(document), style="dim")
    return _exit_of([document["verdict"]])


def _evidence_line(evidence: Document) -> str:
    kinds = ("claims", "deals", "allocations")
    return "evidence: " + ", ".join(f"{evidence[kind]['total']:,} {kind}" for kind in kinds)


def _as_of_line(document: Document) -> str:
    moment = document["as_of"]
    if moment["epoch"] is None:
        return "The index is empty: filplus index import FILE…"
    return f"as of epoch {moment['epoch']}" + (f", {moment['time']}" if moment["time"] else "")


def print_verdicts(terminal: Terminal, document: Document) -> Exit:
    """Prints a verdict a line; the exit code."""
    terminal.document(document)
    found = document["results"]
    styles = [_COLOURS.get(row.get("verdict", ""), "red") for row in found]
    print_table(terminal, ("CID", "verdict"), [(row["cid"], _said(row)) for row in found], styles=styles)
    if any("error" in row for row in document["results"]):
        return Exit.USAGE
    return _exit_of([row["verdict"] for row in document["results"]])


def _said(row: Document) -> str:
    return _word(row["verdict"]) if "verdict" in row else str(row["error"]["detail"])


def _word(verdict: str) -> str:
    return _WORDS.get(verdict, verdict)


def _exit_of(verdicts: list[str]) -> Exit:
    """The exit code of verdicts without a malformed CID among them."""
    if any(verdict in {"pending", "past", "none"} for verdict in verdicts):
        return Exit.NOT_FILPLUS
    return Exit.UNKNOWN if "unknown" in verdicts else Exit.OK
