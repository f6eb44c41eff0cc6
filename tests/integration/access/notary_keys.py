"""Notaries of the tests: one of each kind of key, and a database where they may decide."""

from typing import Any

import asyncpg

from explorer.access.actors import SYSTEM
from explorer.access.notaries import Notary, add_notary
from explorer.access.signing_in import SignInService
from explorer.index.networks import claim_network
from explorer.signatures.verify import sign_text
from node.address import Address
from tests.unit.signatures.builders import NOTARY, NOTARY_0X, NOTARY_BLS, NOTARY_F1, NOTARY_F3, secret
from tests.unit.signatures.oracles import personal_sign

ADDRESSES = {"f1": NOTARY_F1, "0x": NOTARY_0X, "f3": NOTARY_F3}
DOMAIN = "explorer.example.org"
PUBLIC_URL = f"https://{DOMAIN}"


def signature_of(kind: str, text: str) -> str:
    """A notary's signature under a text; of the 0x one as eth-account makes it."""
    if kind == "0x":
        return "0x" + personal_sign(secret("notary"), text).hex()
    return sign_text(NOTARY if kind == "f1" else NOTARY_BLS, text)


async def with_notary(pool: asyncpg.Pool, address: Address = NOTARY_F1, network: str = "mainnet") -> Notary:
    """A notary, in a database of that network."""
    async with pool.acquire() as connection:
        await claim_network(connection, network)
        return await add_notary(connection, address, "Ada", by=SYSTEM)


def service_of(pool: asyncpg.Pool, **changes: Any) -> SignInService:
    """What signs in, with changes."""
    return SignInService(**{"pool": pool, "network": "mainnet", "public_url": PUBLIC_URL, **changes})
