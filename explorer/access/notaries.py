"""Notaries: who may decide on reviews, each by the address whose key signs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from explorer.access.actors import Actor, ActorKind
from explorer.access.endings import tell_ended
from explorer.access.errors import AddressUnsuited, NotaryExists, NotaryUnknown
from explorer.access.names import demand_name
from explorer.audit.log import record
from explorer.ground.ids import new_id
from explorer.ground.queries import load_queries
from node.address import PROTOCOL_ACTOR, PROTOCOL_BLS, PROTOCOL_ID, PROTOCOL_SECP256K1, Address, parse_address
from node.errors import AddressError

_QUERIES = load_queries("explorer.access.sql", "notaries.sql")


@dataclass(frozen=True, slots=True)
class Notary:
    """Somebody who may decide, or might until `revoked_at`."""

    id: str
    address: Address
    name: str
    added_at: datetime
    revoked_at: datetime | None

    def actor(self) -> Actor:
        """The notary as somebody who does something."""
        return Actor(ActorKind.NOTARY, str(self.address), self.name)

    def document(self) -> dict[str, Any]:
        """The notary as JSON."""
        eth = self.address.to_eth()
        return {
            "id": self.id,
            "address": str(self.address),
            **({} if eth is None else {"eth_address": eth}),
            "name": self.name,
            "added_at": _time(self.added_at),
            "revoked_at": None if self.revoked_at is None else _time(self.revoked_at),
        }


def parse_signing_address(text: str) -> Address:
    """The f1, f3 or f410 address of a text (f…, t… or 0x…); AddressUnsuited for every other, with what to give."""
    try:
        address = parse_address(text)
    except AddressError as error:
        raise AddressUnsuited(str(error), value=text[:128]) from error
    remedy = _remedy(address)
    if remedy is not None:
        raise AddressUnsuited(f"{address} can't sign a text: {remedy}", value=text)
    return address


def _remedy(address: Address) -> str | None:
    if address.protocol == PROTOCOL_ID:
        return "it is an actor's id; give the address of its key, f1…, f3… or f410… (`lotus wallet list` shows both)"
    if address.protocol == PROTOCOL_ACTOR:
        return "it is a multisig or a contract; give the address of the person who signs, f1…, f3… or 0x…"
    if address.protocol not in {PROTOCOL_SECP256K1, PROTOCOL_BLS} and address.to_eth() is None:
        return "it is no Ethereum account; give f1…, f3…, f410f… or 0x…"
    return None


async def add_notary(
    connection: asyncpg.Connection, address: Address, name: str, *, by: Actor, now: datetime | None = None
) -> Notary:
    """Adds a notary, effective at once; NameRefused, NotaryExists."""
    demand_name(name)
    async with connection.transaction():
        row = await connection.fetchrow(_QUERIES["add_notary"], new_id("nty"), str(address), name, now)
        if row is None:
            raise NotaryExists(f"{address} is a notary already: `filplus notary list` shows it", value=str(address))
        notary = notary_of(row)
        facts = {"address": str(notary.address), "name": notary.name}
        await record(connection, by, "notary.added", notary.id, facts, now=now)
    return notary


async def revoke_notary(
    connection: asyncpg.Connection, id_or_address: str, *, by: Actor, now: datetime | None = None
) -> Notary:
    """Ends a notary's right to decide and its sessions, at once; NotaryUnknown where there is none that has it.

    Waits for decisions of the notary that are being written down.
    """
    async with connection.transaction():
        row = await connection.fetchrow(_QUERIES["revoke_notary"], _spelled(id_or_address), now)
        if row is None:
            raise NotaryUnknown(id_or_address)
        notary = notary_of(row)
        await connection.execute(_QUERIES["end_sessions_of"], notary.id)
        await tell_ended(connection)
        facts = {"address": str(notary.address), "name": notary.name}
        await record(connection, by, "notary.revoked", notary.id, facts, now=now)
    return notary


async def find_notary(connection: asyncpg.Connection, address: Address) -> Notary | None:
    """The notary of an address; None where there is none, or it was revoked.

    Inside a transaction nobody can revoke it before that ends.
    """
    row = await connection.fetchrow(_QUERIES["find_notary"], str(address))
    return None if row is None else notary_of(row)


async def load_notary(connection: asyncpg.Connection, address: Address) -> Notary:
    """Who is or was the notary of an address; NotaryUnknown."""
    row = await connection.fetchrow(_QUERIES["load_notary"], str(address))
    if row is None:
        raise NotaryUnknown(str(address))
    return notary_of(row)


async def list_notaries(connection: asyncpg.Connection) -> list[Notary]:
    """Every notary there is or was, the oldest first."""
    return [notary_of(row) for row in await connection.fetch(_QUERIES["list_notaries"])]


def _spelled(id_or_address: str) -> str:
    try:
        return str(parse_address(id_or_address))
    except AddressError:
        # No address: an id. Text that PostgreSQL can't take is none either.
        return id_or_address if id_or_address.isascii() and id_or_address.isprintable() else ""


def notary_of(row: asyncpg.Record) -> Notary:
    """The notary of a row that has its columns."""
    return Notary(row["id"], parse_address(row["address"]), row["name"], row["added_at"], row["revoked_at"])


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
