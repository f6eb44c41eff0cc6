"""Who is a notary: added by an address that can sign, revoked at once, all of it in the log."""

import asyncio
import json

import asyncpg
import pytest

from explorer.access.actors import SYSTEM
from explorer.access.errors import AddressUnsuited, NameRefused, NotaryExists, NotaryUnknown
from explorer.access.notaries import add_notary, find_notary, list_notaries, parse_signing_address, revoke_notary
from explorer.access.sessions import begin_session, find_session
from explorer.audit.verifying import verify_database
from explorer.index.networks import claim_network
from node.address import PROTOCOL_ACTOR, PROTOCOL_DELEGATED, Address, actor_address
from tests.integration.access.notary_keys import with_notary
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F1, NOTARY_F3


async def test_a_notary_is_found_by_its_address_until_it_is_revoked(pool: asyncpg.Pool) -> None:
    added = await with_notary(pool)
    async with pool.acquire() as connection:
        assert await find_notary(connection, NOTARY_F1) == added
        assert await find_notary(connection, NOTARY_0X) is None
        revoked = await revoke_notary(connection, str(NOTARY_F1), by=SYSTEM)
        assert revoked.revoked_at is not None
        assert await find_notary(connection, NOTARY_F1) is None
        with pytest.raises(NotaryUnknown):
            await revoke_notary(connection, added.id, by=SYSTEM)
        again = await add_notary(connection, NOTARY_F1, "Ada", by=SYSTEM)
        assert [one.id for one in await list_notaries(connection)] == [added.id, again.id]


async def test_every_change_is_in_the_log(pool: asyncpg.Pool) -> None:
    added = await with_notary(pool)
    async with pool.acquire() as connection:
        await revoke_notary(connection, added.id, by=SYSTEM)
        rows = await connection.fetch("SELECT action, subject, facts FROM audit.entries ORDER BY seq")
        facts = {"address": str(NOTARY_F1), "name": "Ada"}
        assert [(row["action"], row["subject"], json.loads(row["facts"])) for row in rows] == [
            ("notary.added", added.id, facts),
            ("notary.revoked", added.id, facts),
        ]
        assert (await verify_database(connection)).entries == 2


async def test_nobody_is_a_notary_twice(pool: asyncpg.Pool) -> None:
    await with_notary(pool)
    async with pool.acquire() as connection:
        with pytest.raises(NotaryExists):
            await add_notary(connection, NOTARY_F1, "Bob", by=SYSTEM)


async def test_a_revoked_notary_has_no_session(pool: asyncpg.Pool) -> None:
    notary = await with_notary(pool)
    async with pool.acquire() as connection:
        token = await begin_session(connection, notary)
        assert await find_session(connection, token) == notary.actor()
        await revoke_notary(connection, notary.id, by=SYSTEM)
        assert await find_session(connection, token) is None
        await add_notary(connection, NOTARY_F1, "Ada", by=SYSTEM)
        assert await find_session(connection, token) is None


async def test_revoking_waits_for_what_the_notary_is_doing(pool: asyncpg.Pool) -> None:
    """Who was a notary when it was checked is one until that is committed."""
    notary = await with_notary(pool)
    async with pool.acquire() as deciding, pool.acquire() as revoking:
        transaction = deciding.transaction()
        await transaction.start()
        assert await find_notary(deciding, NOTARY_F1) is not None
        revoke = asyncio.create_task(revoke_notary(revoking, notary.id, by=SYSTEM))
        done, _ = await asyncio.wait({revoke}, timeout=0.3)
        assert not done
        assert await find_notary(deciding, NOTARY_F1) is not None
        await transaction.commit()
        assert (await revoke).revoked_at is not None


@pytest.mark.parametrize(
    "address",
    [actor_address(1234), Address(PROTOCOL_ACTOR, bytes(20)), Address(PROTOCOL_DELEGATED, bytes([11]) + bytes(20))],
)
def test_addresses_that_cannot_sign_are_refused_with_what_to_give(address: Address) -> None:
    for text in {address.to_text(), address.to_text("t"), address.to_eth() or address.to_text()}:
        with pytest.raises(AddressUnsuited, match=r"give .*f1"):
            parse_signing_address(text)


@pytest.mark.parametrize("text", ["", "Ada", "\0", "\ud800", "f1" * 1000, "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3zb"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressUnsuited):
        parse_signing_address(text)


def test_every_spelling_of_an_address_is_one() -> None:
    eth = NOTARY_0X.to_eth()
    assert eth is not None
    for text in (eth, eth.upper().replace("0X", "0x"), str(NOTARY_0X), NOTARY_0X.to_text("t")):
        assert parse_signing_address(text) == NOTARY_0X
    assert parse_signing_address(str(NOTARY_F3)) == NOTARY_F3


@pytest.mark.parametrize(
    "name", ["", " ", "a" * 101, "a\nb", "\x1b[31mred", "a\0", "a\u202eb", "a\u200bb", " a", "a  b", "\ud800"]
)
async def test_names_that_cannot_be_seen_are_refused(pool: asyncpg.Pool, name: str) -> None:
    async with pool.acquire() as connection:
        await claim_network(connection, "mainnet")
        with pytest.raises(NameRefused):
            await add_notary(connection, NOTARY_F1, name, by=SYSTEM)
        assert not await list_notaries(connection)
