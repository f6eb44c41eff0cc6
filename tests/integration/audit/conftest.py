"""Databases of a network, which a log needs."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from explorer.access.actors import Actor, ActorKind
from explorer.audit.log import record
from explorer.index.networks import claim_network

ADA = Actor(ActorKind.NOTARY, "f1ada", "Ada Ünïcode 🜁")


@pytest.fixture
async def log(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database whose log has ten entries."""
    async with pool.acquire() as connection:
        await claim_network(connection, "mainnet")
        for number in range(10):
            await told(connection, f"rev_{number}", number=number, comment="Grüße\0\n\u202e 🜁")
        yield connection


async def told(connection: asyncpg.Connection, subject: str, **facts: object) -> None:
    """An entry in a transaction of its own."""
    async with connection.transaction():
        await record(connection, ADA, "review.decided", subject, facts)
