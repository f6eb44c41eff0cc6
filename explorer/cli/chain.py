"""`filplus chain`: the simulated chain as a server."""

import asyncio
import math
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.ground.binding import address_of, bound_socket
from explorer.ground.setting_values import Listen, parse_listen
from explorer.ground.supervision import stop_on_signals
from explorer.ground.telemetry import configure_logging
from explorer.index.fork import Fork, read_fork
from node.devnet.serving import serving
from node.errors import NetworkError
from node.network import parse_epoch
from node.sim.chain import Options, SimulatedChain
from node.sim.rpc.dispatch import open_node

_LISTEN = "127.0.0.1:1234"
_BLOCK_TIME_S = 4.0
"""That of a local network of Lotus nodes."""
_SEED_MAX = 2**63 - 1

chain = typer.Typer(help="A simulated chain for tests and demos, offline and deterministic.", no_args_is_help=True)


def _listen_of(text: str) -> Listen:
    try:
        return parse_listen(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--listen") from error


def _block_time_of(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise typer.BadParameter(f"{text!r} is no time: write seconds, such as 4 or 0.5; 0 mines only when told")
    return seconds


def _epoch_of(text: str) -> int:
    try:
        return parse_epoch(text)
    except NetworkError as error:
        raise typer.BadParameter(str(error)) from error


@chain.command("serve", epilog="Example: filplus chain serve --from claims.json deals.json --block-time 0")
def serve_command(
    context: typer.Context,
    start: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="FILE…", help="Deals, claims and allocations to start from; - is stdin."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="More files for --from.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=_SEED_MAX, help="Same seed, same orders: the same chain.")] = 0,
    block_time: Annotated[
        float,
        typer.Option(
            metavar="S", parser=_block_time_of, help="Seconds of real time between tipsets; 0 mines only when told."
        ),
    ] = _BLOCK_TIME_S,
    at_epoch: Annotated[
        int | None, typer.Option(metavar="N", parser=_epoch_of, help="The epoch that the files were read at.")
    ] = None,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to answer; port 0 takes a free one.")
    ] = _LISTEN,
) -> None:
    """Serves a simulated chain as Lotus JSON-RPC, over HTTP and websocket.

    It starts empty, or as a fork of the network that the files are of. Beside Lotus' methods it has `Sim.Mine`,
    `Sim.Fork`, `Sim.Allocate` and others. FILPLUS_CHAIN_TOKEN, where set, is its admin token. Its keys, proofs and
    funds are worth nothing; whatever happens in it is gone when it ends.
    """
    if more and not start:
        raise typer.BadParameter("files to start from come after --from", param_hint="FILE…")
    terminal, beginning = terminal_of(context), _Beginning((*(start or ()), *(more or ())), at_epoch, seed)
    beginning.check()
    run(terminal, partial(_serve, terminal, beginning, _listen_of(listen), block_time), kept="The chain is gone.")


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What a chain starts from."""

    files: tuple[str, ...]
    at_epoch: int | None
    seed: int

    def check(self) -> None:
        """Refuses options that don't go together; typer.BadParameter."""
        if self.at_epoch is not None and not self.files:
            raise typer.BadParameter("an epoch goes with files to start from; add --from", param_hint="--at-epoch")
        if self.files.count("-") > 1:
            raise typer.BadParameter("standard input can be read only once", param_hint="--from")

    def open(self, terminal: Terminal) -> SimulatedChain:
        """The chain, started from the files where there are any."""
        if not self.files:
            return SimulatedChain(Options(seed=self.seed))
        imported, fork = read_fork(list(dict.fromkeys(self.files)), at_epoch=self.at_epoch)
        _print_fork(terminal, fork)
        return SimulatedChain(Options(seed=self.seed, imported=imported))


async def _serve(terminal: Terminal, beginning: _Beginning, listen: Listen, block_time_s: float) -> Exit:
    """Serves the chain until a signal comes."""
    settings = terminal.settings()
    configure_logging(level="DEBUG" if terminal.debug else "INFO", secrets=settings.secrets())
    with bound_socket(listen) as bound, stop_on_signals() as stop:
        simulated = await asyncio.to_thread(beginning.open, terminal)
        node = open_node(simulated, admin_token=settings.chain_token)
        async with serving(node, bound, block_time_s=block_time_s):
            _say_where(terminal, address_of(bound), simulated, block_time_s)
            await stop.wait()
    return Exit.OK


def _print_fork(terminal: Terminal, fork: Fork) -> None:
    counts = ", ".join(f"{number:,} {kind}" for kind, number in fork.records.items())
    terminal.side.print(f"Started from {counts or 'no record'}, at epoch {fork.epoch}")
    if fork.witnessed is not None and fork.epoch is not None and fork.witnessed > fork.epoch:
        terminal.side.print(f"  [yellow]odd[/] a record bears epoch {fork.witnessed}, later than that")
    if fork.rejected:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(fork.rejected.items()))
        terminal.side.print(f"  [yellow]left out[/] {shown(reasons)}")


def _say_where(terminal: Terminal, url: str, simulated: SimulatedChain, block_time_s: float) -> None:
    """Says where the chain answers: to people, and as a JSON document at once."""
    head = simulated.head.height
    pace = f"a tipset every {block_time_s:g} s" if block_time_s else "tipsets only by Sim.Mine and other verbs"
    terminal.side.print(
        f"A simulated chain, worth nothing, answers at {url}/rpc/v1: epoch {head}, {pace} (Ctrl-C ends it)"
    )
    websocket = url.replace("http", "ws", 1)
    terminal.document({"url": f"{url}/rpc/v1", "websocket": f"{websocket}/rpc/v1", "epoch": head})
