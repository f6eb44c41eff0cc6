"""`filplus index verify`: the index beside a node."""

import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console

from explorer.cli.exits import Exit
from explorer.cli.progress import LINE_EVERY_S
from explorer.cli.running import run
from explorer.cli.tables import print_table
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.errors import SettingsError
from explorer.follow.opening import Followed, open_chain
from explorer.follow.verify import SAMPLE, Wanted, verify
from explorer.ground.settings import Settings
from explorer.index.networks import demand_network
from explorer.index.opening import open_index
from explorer.index.tipsets import load_following
from explorer.index.verifications import Verification, has_compared
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.address import parse_actor_id
from node.chain.errors import ChainError, TransientError, Unauthorized
from node.cid import cid_from_bytes
from node.errors import AddressError
from node.network import parse_epoch

_SEEDS = 1 << 32
_SHOWN = 5
"""So many examples are shown to people; the JSON document has them all."""


def _providers_of(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(parse_actor_id(one.strip()) for one in text.split(",")))
    except AddressError as error:
        raise typer.BadParameter(str(error)) from error


def verify_command(
    context: typer.Context,
    at_epoch: Annotated[
        str | None, typer.Option(metavar="N", help="Compare at this epoch; else at the newest final one.")
    ] = None,
    providers: Annotated[
        str | None, typer.Option(metavar="f01,f02", help="Compare the claims of these providers only.")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=10_000, help=f"How many providers to draw; {SAMPLE} if not said."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Compare every record.")] = False,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Draw the same sample again; the report says which it was.")
    ] = None,
) -> None:
    """Compares the index with the node of FILPLUS_CHAIN_URL, and reports where they differ.

    A sample is drawn by a seed: providers large and small with all their claims, clients with all their open
    allocations, and single deals. Nothing is repaired. Exits with 0 where all that was compared is the same, 1 where
    something differs, nothing was compared, or a named provider has no claim, 6 where the node can't be reached.
    """
    terminal = terminal_of(context)
    if sum((everything, providers is not None, sample is not None)) > 1:
        raise typer.BadParameter("--all, --providers and --sample exclude one another", param_hint="--all")
    wanted = Wanted(
        seed=secrets.randbelow(_SEEDS) if seed is None else seed,
        everything=everything,
        providers=() if providers is None else _providers_of(providers),
        sample=sample or SAMPLE,
    )

    async def work() -> Exit:
        epoch = None if at_epoch is None else parse_epoch(at_epoch)
        return await _compare(terminal, replace(wanted, epoch=epoch))

    run(terminal, work, kept="Nothing was changed, and nothing kept of what was compared.")


async def _compare(terminal: Terminal, wanted: Wanted) -> Exit:
    """Compares, and says what was found or why it could not be."""
    settings, counts = terminal.settings(), Counter[str]()
    try:
        wanted = replace(wanted, prefix=settings.network.address_prefix)
        found, silent = await _verify(terminal, settings, wanted, counts)
    except ChainError as error:
        return _say_failed(terminal, error, counts)
    _print(terminal, found, silent)
    terminal.document(found.document())
    return Exit.OK if found.is_clean else Exit.ERROR


async def _verify(
    terminal: Terminal, settings: Settings, wanted: Wanted, counts: Counter[str]
) -> tuple[Verification, list[str]]:
    """Opens index and node, and compares them; what was found, and which of the nodes had no part in it."""
    if not settings.chain_urls:
        raise SettingsError(
            "there is no node to compare the index with: set FILPLUS_CHAIN_URL, such as http://127.0.0.1:1234/rpc/v1"
        )
    async with open_index(settings, application_name="filplus index verify", may_migrate=False) as opened:
        async with opened.pool.acquire() as connection:
            await demand_network(connection, settings.network.name)
        async with open_chain(settings, followed=await _followed(opened.pool)) as opened_chain:
            chain, progress = opened_chain.chain, _LineProgress(terminal, counts)
            found = await verify(
                opened.pool, chain, wanted, told_by=lambda: ", ".join(chain.answered), progress=progress
            )
            return found, [name for name in chain.nodes if name not in chain.answered]


async def _followed(pool: asyncpg.Pool) -> Followed | None:
    """The chain that the index followed, if any: a node of another one must not be compared with."""
    async with pool.acquire() as connection:
        following = await load_following(connection)
    return None if following is None else Followed(cid_from_bytes(following.genesis_cid), following.start_epoch)


class _LineProgress:
    """Says now and then how many records were compared."""

    def __init__(self, terminal: Terminal, counts: Counter[str]) -> None:
        self._terminal = terminal
        self._counts = counts
        self._said = time.monotonic()

    def __call__(self, kind: RecordKind, compared: int) -> None:
        self._counts[kind] = compared
        if time.monotonic() - self._said >= LINE_EVERY_S:
            self._said = time.monotonic()
            self._terminal.side.print(f"{compared:,} {kind} compared")


def _say_failed(terminal: Terminal, error: ChainError, counts: Counter[str]) -> Exit:
    """Says that the node failed, and how far the comparison had come."""
    so_far = ", ".join(f"{number:,} {kind}" for kind, number in counts.items()) or "nothing"
    terminal.side.print(f"[bold red]error[/]: the node failed: {shown(str(error))}")
    terminal.side.print(f"Compared until then: {so_far}. Nothing was changed and no result was kept; run it again.")
    problem = {"type": type(error).__name__, "detail": str(error)}
    terminal.document({"error": problem, "compared_until_then": dict(counts)})
    if isinstance(error, TransientError):
        return Exit.UNREACHABLE
    return Exit.REFUSED if isinstance(error, Unauthorized) else Exit.ERROR


def _print(terminal: Terminal, found: Verification, silent: Sequence[str]) -> None:
    """The comparison as a table, a few examples, and what it doesn't say anything about."""
    people = terminal.people
    _print_beginning(people, found, silent)
    _print_counts(terminal, found)
    for example in found.examples[:_SHOWN]:
        people.print(f"  {_example_text(example)}")
    if len(found.examples) > _SHOWN:
        people.print(f"  and others; `filplus --json index verify` prints {len(found.examples)} of them")
    for kind, one in found.compared.items():
        if one["rejected"]:
            people.print(f"[yellow]not compared[/] {one['rejected']:,} odd {kind} of the node, which can't be read")
    for kind, why in found.not_compared.items():
        people.print(f"[yellow]not compared[/] {kind}: {shown(why)}")
    for address in found.scope.get("without_claims", ()):
        people.print(f"[yellow]not compared[/] {shown(address)}: neither the index nor the node has a claim of it")
    if not has_compared(found.compared):
        people.print("[bold yellow]Nothing was compared[/]: there was no record to compare.")
    elif found.drifted:
        people.print(f"[bold red]Drift[/]: {found.drifted:,} records differ. Nothing was changed.")
    else:
        people.print("[bold green]No drift[/] in what was compared.")


def _print_beginning(people: Console, found: Verification, silent: Sequence[str]) -> None:
    """With whom, of what and when."""
    people.print(f"Compared with {shown(found.node)} at epoch {found.epoch}: {shown(_scope_text(found.scope))}")
    if silent:
        people.print(
            f"[yellow]not compared[/] with {shown(', '.join(silent))}: one node is asked, the next if it fails"
        )
    if "asked_epoch" in found.scope:
        people.print(_other_epoch_text(found.scope["asked_epoch"], found.epoch))


def _scope_text(scope: Any) -> str:
    if scope["what"] == "all":
        return "every record"
    if scope["what"] == "providers":
        return f"the claims of {', '.join(scope['providers'])}"
    numbers = (len(scope["providers"]), len(scope["clients"]), scope["deals"], scope["seed"])
    return "a sample: the claims of {} providers, the allocations of {} clients, {} ids of deals; --seed {}".format(
        *numbers
    )


def _other_epoch_text(asked: int, epoch: int) -> str:
    """Why another epoch than the asked one was compared at."""
    if epoch > asked:
        return f"The chain begins at epoch {epoch}: there is no tipset at {asked} or below it."
    tipset = "the chain's first tipset" if epoch == 0 else "the tipset below it"
    return f"Epoch {asked} has no tipset, it is a null round: {tipset}, of epoch {epoch}, was taken."


def _print_counts(terminal: Terminal, found: Verification) -> None:
    """How many records of each kind were compared and differ; a kind with drift in red."""
    rows, styles = [], []
    for kind in RECORD_KINDS:
        if kind in found.compared:
            compared, drift = found.compared[kind], found.drift[kind]
            numbers = (compared["index"], compared["node"], drift["missing"], drift["surplus"], drift["different"])
            rows.append((kind, *(f"{number:,}" for number in numbers)))
            styles.append("red" if sum(drift.values()) else None)
    print_table(terminal, ("kind", "index", "node", "missing", "surplus", "different"), rows, styles=styles)


def _example_text(example: dict[str, Any]) -> str:
    """One record in a line: what differs, and the likely reason."""
    head = f"[bold]{example['kind'][:-1]} {example['id']}[/] {example['what']}"
    if example["what"] == "different":
        pairs = (f"{name}: index {pair['index']}, node {pair['node']}" for name, pair in example["fields"].items())
        head += f" ({shown('; '.join(pairs))})"
    return f"{head}: {shown(example['reason'])}"
