"""`filplus review`: what clusters ask for, as notaries and clusters see it; decisions and proofs, by signature."""

from pathlib import Path
from typing import Annotated

import typer

from explorer.access.notaries import parse_signing_address
from explorer.cli.asker import ReaderKeyFile, SignerAddress, open_reader, open_signer
from explorer.cli.deciding import Wish, decide
from explorer.cli.exits import Exit
from explorer.cli.keys import DEFAULT_KEY_FILE, KeyFile, PassphraseFile, confirmed
from explorer.cli.place import demand_review_id, place_of
from explorer.cli.proving import prove_command
from explorer.cli.review_views import print_review, print_reviews
from explorer.cli.running import run
from explorer.cli.terminal import Terminal, plain, shown, terminal_of
from explorer.client import ExplorerClient
from explorer.errors import QuestionError
from explorer.signatures.facts import APPROVE, REJECT

review = typer.Typer(help="Reviews: what clusters ask for, and what notaries decide.", no_args_is_help=True)

ReviewId = Annotated[str, typer.Argument(metavar="ID", help="The review's id, as list prints it.")]
NetworkName = Annotated[
    str | None, typer.Option("--network", metavar="NAME", help="The network that texts must be of (FILPLUS_NETWORK).")
]
DomainName = Annotated[
    str | None,
    typer.Option("--domain", metavar="HOST", help="The domain that texts may name, beside that of the address asked."),
]
Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why. It is kept with the decision.")]
Publisher = Annotated[
    str | None, typer.Option("--publisher", metavar="ADDRESS", help="Sign only if it is for this publisher.")
]
Bytes = Annotated[int | None, typer.Option("--bytes", metavar="N", help="Sign only if it is for so many bytes.")]
Yes = Annotated[bool, typer.Option("--yes", help="Sign without asking.")]


@review.command("list", epilog="Example: filplus review list --state open --key notary-key.json")
def list_command(
    context: typer.Context,
    state: Annotated[
        str, typer.Option(metavar="STATE", help="open, approved, rejected, expired, withdrawn, with commas; or any.")
    ] = "open",
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="Only of these; !NAME for all but this.")] = None,
    publisher: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Only for these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="next_cursor of the page before.")] = None,
    key: ReaderKeyFile = None,
    passphrase_file: PassphraseFile = None,
    address: SignerAddress = None,
    network: NetworkName = None,
    domain: DomainName = None,
) -> None:
    """Prints the reviews that you may see, the newest first; the open ones, if nothing else is asked."""
    terminal = terminal_of(context)
    asked = {"state": None if state == "any" else state, "cluster": cluster, "publisher": publisher, "cursor": cursor}

    async def work() -> Exit:
        place = place_of(terminal, network=network, domain=domain)
        filters = {name: plain(value) for name, value in asked.items() if value is not None} | {"limit": str(limit)}
        async with open_reader(place, key, passphrase_file, address) as client:
            page = await client.reviews(filters)
        terminal.document(page)
        print_reviews(terminal, page)
        return Exit.OK

    run(terminal, work)


@review.command("show", epilog="Example: filplus review show rev_01M83GG34CD1A0AKA0GCJFWY8P")
def show_command(
    context: typer.Context,
    review_id: ReviewId,
    key: ReaderKeyFile = None,
    passphrase_file: PassphraseFile = None,
    address: SignerAddress = None,
    network: NetworkName = None,
    domain: DomainName = None,
) -> None:
    """Prints a review: job, inputs with their verdicts, what was said, and whether its signatures are genuine."""
    terminal = terminal_of(context)

    async def work() -> Exit:
        wanted = demand_review_id(review_id)
        place = place_of(terminal, network=network, domain=domain)
        async with open_reader(place, key, passphrase_file, address) as client:
            found = await client.review(wanted)
        terminal.document(found)
        print_review(terminal, found)
        return Exit.OK

    run(terminal, work)


@review.command("approve", epilog='Example: filplus review approve rev_… --comment "Open data" --key notary-key.json')
def approve_command(
    context: typer.Context,
    review_id: ReviewId,
    comment: Comment,
    key: KeyFile = DEFAULT_KEY_FILE,
    passphrase_file: PassphraseFile = None,
    address: SignerAddress = None,
    publisher: Publisher = None,
    requested_bytes: Bytes = None,
    yes: Yes = False,
    network: NetworkName = None,
    domain: DomainName = None,
) -> None:
    """Approves a review by your key's signature, after showing what it says. Sent twice, it counts once."""
    wish = (review_id, APPROVE, comment, publisher, requested_bytes)
    _decide(terminal_of(context), wish, (key, passphrase_file, address), yes=yes, network=network, domain=domain)


@review.command(
    "reject", epilog='Example: filplus review reject rev_… --comment "No such dataset" --key notary-key.json'
)
def reject_command(
    context: typer.Context,
    review_id: ReviewId,
    comment: Comment,
    key: KeyFile = DEFAULT_KEY_FILE,
    passphrase_file: PassphraseFile = None,
    address: SignerAddress = None,
    publisher: Publisher = None,
    requested_bytes: Bytes = None,
    yes: Yes = False,
    network: NetworkName = None,
    domain: DomainName = None,
) -> None:
    """Rejects a review by your key's signature, after showing what it says. Sent twice, it counts once."""
    wish = (review_id, REJECT, comment, publisher, requested_bytes)
    _decide(terminal_of(context), wish, (key, passphrase_file, address), yes=yes, network=network, domain=domain)


review.command("prove", epilog="Example: filplus review prove rev_… --key publisher-key.json")(prove_command)


def _decide(
    terminal: Terminal,
    wished: tuple[str, str, str, str | None, int | None],
    key: tuple[Path, Path | None, str | None],
    *,
    yes: bool,
    network: str | None,
    domain: str | None,
) -> None:
    async def work() -> Exit:
        wish = _wish(*wished)
        place = place_of(terminal, network=network, domain=domain)
        signer = open_signer(*key)
        async with ExplorerClient.open(place.url) as client:
            after = await decide(
                terminal, client, place, signer, wish, lambda: yes or confirmed(f"{wish.decision.capitalize()} this?")
            )
        if after is None:
            terminal.side.print("Nothing was signed.")
            return Exit.REFUSED
        terminal.document(after)
        terminal.people.print(f"{shown(str(after['id']))}: {shown(str(after['sentence']))}")
        return Exit.OK

    run(terminal, work, kept="If it was sent, it counts, and once only: run it again to see.")


def _wish(review_id: str, decision: str, comment: str, publisher: str | None, requested_bytes: int | None) -> Wish:
    if not comment.strip():
        raise QuestionError("a decision needs a comment that says why: --comment TEXT")
    return Wish(
        review_id=demand_review_id(review_id),
        decision=decision,
        comment=plain(comment),
        publisher=None if publisher is None else parse_signing_address(publisher),
        requested_bytes=requested_bytes,
    )
