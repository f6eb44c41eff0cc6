"""Signing in: a text that names nonce, network and domain is given out, signed by the notary's key, and taken once.

    offer ─► text ─► the notary's wallet ─► signature ─► sign_in ─► a session, and an entry in the audit log

What is cheap is asked first: the text, the times, whether the signer is a notary. Only then the signature, which takes
half a second of a BLS key, outside of the event loop and of any transaction; and last, in one, the nonce.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

import asyncpg

from explorer.access.actors import Actor
from explorer.access.errors import NonceRefused, NotANotary
from explorer.access.nonces import SIGN_IN, SIGN_IN_LIFETIME, issue_nonce, take_nonce
from explorer.access.notaries import Notary, find_notary, parse_signing_address
from explorer.access.origin import signing_domain
from explorer.access.sessions import LONGEST, Session, begin_session, end_session, end_sessions, list_sessions
from explorer.audit.log import record
from explorer.ground.connection import database_errors
from explorer.ground.queries import load_queries
from explorer.signatures.errors import OtherText
from explorer.signatures.facts import SignIn
from explorer.signatures.texts import facts_of, text_of
from explorer.signatures.values import time_text
from explorer.signatures.verify import canonical_signature, verify_sign_in
from node.address import Address, parse_address

_QUERIES: Final = load_queries("explorer.access.sql", "notaries.sql")


def _one_thread() -> Executor:
    return ThreadPoolExecutor(1, thread_name_prefix="signatures")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A notary's new session: the cookie's token, and when it ends at the latest."""

    token: str = field(repr=False)
    actor: Actor
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInService:
    """Over a pool. `executor` verifies one signature at a time, so that a crowd can't take every processor.

    The clock is the database's, unless `now` gives another, so that several processes agree on the time.
    """

    pool: asyncpg.Pool
    network: str
    public_url: str
    now: Callable[[], datetime | None] = lambda: None
    executor: Executor = field(default_factory=_one_thread)

    async def offer(self, address_text: str) -> dict[str, Any]:
        """The text that the holder of an address signs to sign in; whether it is a notary's isn't told.

        AddressUnsuited, SignInInsecure.
        """
        domain = signing_domain(self.public_url)
        address = parse_signing_address(address_text)
        async with self._connection("making a nonce") as connection:
            now = (await self._moment(connection)).replace(microsecond=0)
            nonce = await issue_nonce(connection, SIGN_IN, now=now)
        expires_at = now + SIGN_IN_LIFETIME
        facts = SignIn(
            signer=address, network=self.network, domain=domain, nonce=nonce, issued_at=now, expires_at=expires_at
        )
        return {
            "address": str(address),
            "nonce": nonce,
            "message": text_of(facts),
            "expires_at": time_text(expires_at),
        }

    async def sign_in(self, message: str, signature: str, *, former_token: str | None = None) -> SignedIn:
        """A new session of the notary who signed; the browser's former one ends.

        SignedTextError: what is wrong with text or signature. NotANotary, NonceRefused, SignInInsecure.
        """
        domain = signing_domain(self.public_url)
        signer, nonce = self._read(message)
        async with self._connection("looking for a notary") as connection:
            await _demand_notary(connection, signer)
            now = await self._moment(connection)
        verified = partial(verify_sign_in, message, signature, network=self.network, domain=domain, now=now)
        await asyncio.get_running_loop().run_in_executor(self.executor, verified)
        kept = canonical_signature(signature, signer=signer)
        async with self._connection("beginning a session") as connection, connection.transaction():
            notary = await _demand_notary(connection, signer)
            if not await take_nonce(connection, nonce, SIGN_IN, now=now):
                raise NonceRefused("the text's nonce was used before, or isn't ours")
            if former_token is not None:
                await end_session(connection, former_token)
            token = await begin_session(connection, notary, now=now)
            facts = {"message": message, "signature": kept}
            await record(connection, notary.actor(), "notary.signed_in", notary.id, facts, now=now)
        return SignedIn(token, notary.actor(), now + LONGEST)

    async def sign_out(self, token: str) -> None:
        """Ends the session of a token, if there is one."""
        async with self._connection("ending a session") as connection, connection.transaction():
            notary = await end_session(connection, token)
            if notary is not None:
                await record(connection, notary.actor(), "notary.signed_out", notary.id, {}, now=self.now())

    async def sessions(self, address: str, token: str) -> list[Session]:
        """The sessions of a notary's address that hold; `token` is that of the one who asks."""
        async with self._connection("looking for sessions") as connection:
            return await list_sessions(connection, address, token, now=self.now())

    async def sign_out_everywhere(self, address: str) -> None:
        """Ends every session of the notary of an address."""
        async with self._connection("ending sessions") as connection, connection.transaction():
            notary = await find_notary(connection, parse_address(address))
            if notary is not None:
                facts = {"sessions": await end_sessions(connection, notary)}
                await record(connection, notary.actor(), "notary.signed_out", notary.id, facts, now=self.now())

    def _read(self, message: str) -> tuple[Address, str]:
        facts = facts_of(message)
        if not isinstance(facts, SignIn):
            raise OtherText(f"the text is a {type(facts).__name__}, a SignIn is due")
        return facts.signer, facts.nonce

    async def _moment(self, connection: asyncpg.Connection) -> datetime:
        moment: datetime = await connection.fetchval(_QUERIES["now"], self.now())
        return moment

    @asynccontextmanager
    async def _connection(self, doing: str) -> AsyncIterator[asyncpg.Connection]:
        with database_errors(doing):
            async with self.pool.acquire() as connection:
                yield connection


async def _demand_notary(connection: asyncpg.Connection, signer: Address) -> Notary:
    notary = await find_notary(connection, signer)
    if notary is None:
        raise NotANotary(f"{signer} isn't a notary here")
    return notary
