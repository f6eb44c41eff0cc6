"""`filplus review prove`: a publisher proves that it holds its address, of a review or before there is one."""

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from explorer.cli.asker import VARIABLE, Signer, SignerAddress, demand_key, open_signer
from explorer.cli.exits import Exit
from explorer.cli.keys import DEFAULT_KEY_FILE, KeyFile, PassphraseFile, confirmed, show_text
from explorer.cli.place import demand_review_id, place_of
from explorer.cli.running import run
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.client import ExplorerClient
from explorer.errors import FilplusError, QuestionError
from explorer.signatures.facts import PublisherProof
from explorer.signatures.texts import text_of

_LONGEST_DAYS = 90


def prove_command(
    context: typer.Context,
    review_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The review; without it, name cluster and job.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="Sign only for this cluster.")] = None,
    job: Annotated[str | None, typer.Option(metavar="JOB_ID", help="Sign only for this job of it.")] = None,
    key: KeyFile = DEFAULT_KEY_FILE,
    passphrase_file: PassphraseFile = None,
    address: SignerAddress = None,
    days: Annotated[int, typer.Option(min=1, max=_LONGEST_DAYS, help="Without a review: how long it holds.")] = 7,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    network: Annotated[str | None, typer.Option("--network", metavar="NAME", help="FILPLUS_NETWORK, else.")] = None,
) -> None:
    """Signs the publisher's proof; sends it for a review, with the cluster's key in FILPLUS_KEY, or else prints it."""
    terminal = terminal_of(context)

    async def work() -> Exit:
        signer = open_signer(key, passphrase_file, address)
        if review_id is not None:
            wanted = demand_review_id(review_id)
            return await _prove_review(terminal, signer, wanted, (cluster, job), yes=yes, network=network)
        text = _text(terminal, signer, cluster, job, days, network)
        if not _is_wanted(terminal, text, yes=yes):
            return Exit.REFUSED
        signed = signer.signed(text)
        terminal.document(signed)
        terminal.people.print(signed["signature"])
        return Exit.OK

    run(terminal, work)


def _text(
    terminal: Terminal, signer: Signer, cluster: str | None, job: str | None, days: int, network: str | None
) -> str:
    """The text, made here without asking anybody: it is a pure function of its facts."""
    if cluster is None or job is None:
        raise QuestionError("name the review, or what it is for before there is one: --cluster NAME --job JOB_ID")
    facts = PublisherProof(
        cluster=cluster,
        job_id=job,
        publisher=signer.addresses[0],
        network=terminal.settings({"network": network}).network.name,
        expires_at=datetime.now(UTC).replace(microsecond=0) + timedelta(days=days),
    )
    return text_of(facts)


async def _prove_review(
    terminal: Terminal,
    signer: Signer,
    review_id: str,
    due: tuple[str | None, str | None],
    *,
    yes: bool,
    network: str | None,
) -> Exit:
    cluster, job = due
    place, api_key = place_of(terminal, network=network), os.environ.get(VARIABLE)
    if not api_key:
        raise FilplusError(f"a proof is sent by who may see the review: set {VARIABLE} to the cluster's key")
    async with ExplorerClient.open(place.url, key=demand_key(api_key)) as client:
        text = place.proof(await client.publisher_proof(review_id), cluster=cluster, job_id=job)
        if not _is_wanted(terminal, text, yes=yes):
            return Exit.REFUSED
        after = await client.prove(review_id, signer.signed(text))
    terminal.document(after)
    terminal.people.print(f"{shown(str(after['id']))}: {shown(str(after['sentence']))}")
    return Exit.OK


def _is_wanted(terminal: Terminal, text: str, *, yes: bool) -> bool:
    show_text(terminal, text)
    if yes or confirmed("Sign this?"):
        return True
    terminal.side.print("Nothing was signed.")
    return False
