"""`filplus notary`: a notary's key and signature, and who is one. Who is one is a matter of the database."""

import json
import secrets
import sys
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from explorer.access.actors import OPERATOR
from explorer.access.notaries import Notary, add_notary, list_notaries, parse_signing_address, revoke_notary
from explorer.cli.administering import administer
from explorer.cli.exits import Exit
from explorer.cli.keys import (
    DEFAULT_KEY_FILE,
    KeyFile,
    PassphraseFile,
    confirmed,
    open_key_file,
    passphrase_of,
    show_text,
)
from explorer.cli.running import run
from explorer.cli.tables import print_table
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.errors import UnreadableFile
from explorer.signatures.errors import KeyFileError, OtherNetwork
from explorer.signatures.facts import Facts
from explorer.signatures.keyfile import seal_key, write_key_file
from explorer.signatures.signing import addresses_of, sign_own_text
from explorer.signatures.texts import facts_of
from node.signing import secret_key_from_bytes

_MOST_TEXT_BYTES = 64 * 1024

notary = typer.Typer(help="Notaries: their keys and signatures, and who is one.", no_args_is_help=True)


@notary.command("keygen", epilog="Example: filplus notary keygen --key notary-key.json")
def keygen_command(
    context: typer.Context, key: KeyFile = DEFAULT_KEY_FILE, passphrase_file: PassphraseFile = None
) -> None:
    """Makes a new key, sealed under a passphrase in a file; prints its addresses."""
    terminal = terminal_of(context)

    async def work() -> Exit:
        made = secret_key_from_bytes(secrets.token_bytes(32))
        if key.exists():
            raise KeyFileError(f"{key} is there already, and stays as it is: name another file with --key")
        sealed = seal_key(made, passphrase_of(passphrase_file, is_new=True))
        _write(key, sealed)
        address, eth = addresses_of(made)
        terminal.document({"file": str(key), "address": str(address), "eth_address": eth.to_eth()})
        terminal.people.print(f"address  {address}\n   or    {eth.to_eth()}\nfile     {shown(str(key))}")
        terminal.people.print("Keep the file and its passphrase apart. The operator adds one of the addresses.")
        return Exit.OK

    run(terminal, work)


def _write(path: Path, text: str) -> None:
    try:
        write_key_file(path, text)
    except OSError as error:
        raise KeyFileError(f"the key file {path} can't be written: {error.strerror}") from error


@notary.command("sign", epilog="Example: filplus notary sign text.txt --key notary-key.json")
def sign_command(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The text, or JSON with `message`; - for stdin.")] = "-",
    key: KeyFile = DEFAULT_KEY_FILE,
    passphrase_file: PassphraseFile = None,
    network: Annotated[
        str | None, typer.Option("--network", metavar="NAME", help="The network that it must be of (FILPLUS_NETWORK).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
) -> None:
    """Shows what a text of this product says, and signs it with the key of the file. Signs nothing else."""
    terminal = terminal_of(context)

    async def work() -> Exit:
        text = _text_of(_read(file))
        show_text(terminal, text)
        _demand_network(facts_of(text), terminal.settings({"network": network}).network.name)
        if not yes and not confirmed("Sign this?"):
            terminal.side.print("Nothing was signed.")
            return Exit.REFUSED
        signature = sign_own_text(open_key_file(key, passphrase_file), text)
        terminal.document({"message": text, "signature": signature})
        terminal.people.print(signature)
        return Exit.OK

    run(terminal, work)


def _demand_network(facts: Facts, own: str) -> None:
    """Returns where the text is for that network: a test network's is worth nothing, or it is somebody's trick."""
    if facts.network != own:
        raise OtherNetwork(
            f"the text is for the network {facts.network}, this machine is set up for {own}: if that is meant, "
            f"give --network {facts.network}, or set FILPLUS_NETWORK={facts.network}"
        )


def _read(file: str) -> str:
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(_MOST_TEXT_BYTES)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(_MOST_TEXT_BYTES)
    except OSError as error:
        raise UnreadableFile(file, error.strerror or str(error)) from error
    return raw.decode("utf-8", "replace")


def _text_of(read: str) -> str:
    """The text itself: of an answer of the API its `message`; line breaks at the end are an editor's."""
    try:
        document: Any = json.loads(read) if read.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        document = None
    message = document.get("message") if isinstance(document, dict) else None
    return (message if isinstance(message, str) else read).rstrip("\r\n")


@notary.command("add", epilog='Example: filplus notary add f1… --name "Ada, Example Org"')
def add_command(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Whose key signs: f1…, f3…, f410f… or 0x….")],
    name: Annotated[str, typer.Option(metavar="NAME", help="Who it is, as others read it.")],
) -> None:
    """Makes an address a notary's, who may then decide on reviews."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection) -> Exit:
        added = await add_notary(connection, parse_signing_address(address), name, by=OPERATOR)
        terminal.document(added.document())
        terminal.people.print(f"{added.address} is a notary: {shown(added.name)} ({added.id})")
        return Exit.OK

    administer(terminal, work, what="notaries")


@notary.command("list", epilog="Example: filplus notary list")
def list_command(context: typer.Context) -> None:
    """Prints who is a notary, and who was."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection) -> Exit:
        found = await list_notaries(connection)
        terminal.document({"notaries": [one.document() for one in found]})
        if not found:
            terminal.people.print("Nobody is a notary yet: filplus notary add ADDRESS --name NAME")
            return Exit.OK
        _print_table(terminal, found)
        return Exit.OK

    administer(terminal, work, what="notaries", changes=False)


def _print_table(terminal: Terminal, found: list[Notary]) -> None:
    rows = [(one.id, str(one.address), one.name, _state(one)) for one in found]
    print_table(terminal, ("id", "address", "name", "state"), rows)


def _state(one: Notary) -> str:
    return "may decide" if one.revoked_at is None else f"revoked {one.revoked_at:%Y-%m-%d}"


@notary.command("revoke", epilog="Example: filplus notary revoke f1…")
def revoke_command(
    context: typer.Context,
    notary: Annotated[str, typer.Argument(metavar="ID|ADDRESS", help="The notary's id or address.")],
) -> None:
    """Ends a notary's right to decide, and its sessions, at once. Its approvals of open reviews count no more."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection) -> Exit:
        revoked = await revoke_notary(connection, notary, by=OPERATOR)
        terminal.document(revoked.document())
        terminal.people.print(f"{revoked.address} is no notary any more")
        return Exit.OK

    administer(terminal, work, what="notaries")
