"""Who asks an explorer from the terminal: a cluster or an operator by a key, a notary by signing in."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from explorer.access.notaries import parse_signing_address
from explorer.cli.keys import DEFAULT_KEY_FILE, open_key_file
from explorer.cli.place import Place
from explorer.client import ExplorerClient
from explorer.errors import FilplusError, ServiceError, ServiceRefused
from explorer.signatures.errors import WrongKey
from explorer.signatures.signing import addresses_of, sign_own_text
from node.address import Address
from node.signing import SecretKey

VARIABLE = "FILPLUS_KEY"

ReaderKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="FILE", help=f"A notary's key file, to sign in with. Without it, the key of {VARIABLE}."
    ),
]
SignerAddress = Annotated[
    str | None,
    typer.Option(
        "--address", metavar="ADDRESS", help="Which of the key's addresses signs, f1… or 0x…; else the one that may."
    ),
]


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that is open, and those of its addresses that may sign, in the order in which they are tried."""

    key: SecretKey
    addresses: tuple[Address, ...]

    def signed(self, text: str) -> dict[str, str]:
        """A text of ours with its signature, as the API takes them."""
        return {"message": text, "signature": sign_own_text(self.key, text)}


def open_signer(key_file: Path, passphrase_file: Path | None, address: str | None) -> Signer:
    """The key of a file; WrongKey where the address that is named isn't one of its own."""
    key = open_key_file(key_file, passphrase_file)
    own = addresses_of(key)
    if address is None:
        return Signer(key, own)
    named = parse_signing_address(address)
    if named not in own:
        raise WrongKey(f"{named} isn't an address of the key in {key_file}, which has {' and '.join(map(str, own))}")
    return Signer(key, (named,))


@asynccontextmanager
async def open_reader(
    place: Place, key_file: Path | None, passphrase_file: Path | None, address: str | None
) -> AsyncIterator[ExplorerClient]:
    """A client that may read reviews: with the key of FILPLUS_KEY, or signed in with a notary's key file meanwhile."""
    key = os.environ.get(VARIABLE)
    if key_file is None and key:
        async with ExplorerClient.open(place.url, key=demand_key(key)) as client:
            yield client
        return
    if key_file is None and not DEFAULT_KEY_FILE.exists():
        raise FilplusError(
            f"who asks? Set {VARIABLE} to a cluster's or an operator's key, or give a notary's key file with --key"
        )
    signer = open_signer(key_file or DEFAULT_KEY_FILE, passphrase_file, address)
    async with ExplorerClient.open(place.url) as client, signed_in(client, place, signer):
        yield client


def demand_key(key: str) -> str:
    """The key, fit for a header."""
    if not key.isascii() or not key.isprintable():
        raise FilplusError(f"{VARIABLE} holds no key: set it to what `filplus cluster add` printed")
    return key


@asynccontextmanager
async def signed_in(client: ExplorerClient, place: Place, signer: Signer) -> AsyncIterator[None]:
    """Signs the key's notary in, and out again at the end. ServiceRefused where none of its addresses is a notary's."""
    first, *others = signer.addresses
    try:
        await _sign_in(client, place, signer, first)
    except ServiceRefused as error:
        if not is_no_notary(error) or not await _is_signed_in_as_any(client, place, signer, others):
            raise
    try:
        yield
    finally:
        await _sign_out(client)


async def _sign_in(client: ExplorerClient, place: Place, signer: Signer, address: Address) -> None:
    text = place.sign_in(await client.nonce(str(address)), address)
    await client.sign_in(signer.signed(text))


async def _is_signed_in_as_any(
    client: ExplorerClient, place: Place, signer: Signer, addresses: Sequence[Address]
) -> bool:
    """Signs in as the first of the addresses that is a notary's; false where none is."""
    for address in addresses:
        try:
            await _sign_in(client, place, signer, address)
        except ServiceRefused as error:
            if not is_no_notary(error):
                raise
        else:
            return True
    return False


def is_no_notary(error: ServiceRefused) -> bool:
    """Whether the explorer refused since the address is none of its notaries'."""
    return error.code == "not_a_notary"


async def _sign_out(client: ExplorerClient) -> None:
    try:
        await client.sign_out()
    except ServiceError:
        return  # it ends by itself
