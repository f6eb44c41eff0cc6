"""Channels as endpoints of the outbox, told by Apprise in a process of its own, at servers that are ours."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from explorer.alerts import channels
from explorer.alerts.channels import ChannelSender, channel_faults, parse_channels
from explorer.alerts.endpoints import list_endpoints, register_channels
from explorer.alerts.letters import Answer, Letter
from explorer.alerts.schedule import Outcome
from tests.integration.alerts.conftest import World, opened_world
from tests.integration.alerts.receiver import Receiver, answering, receiving
from tests.patience import until
from tests.unit.alerts.test_channels import DISCORD, MAIL, MATRIX, SLACK

TOKEN = "k3" * 32
BODY = '{"type":"review.requested","timestamp":"2026-11-23T00:00:00.000Z","data":{"id":"r1","job":{}}}'


@asynccontextmanager
async def chat(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Receiver, str]]:
    """A chat server that Apprise trusts, and a channel's address there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    async with receiving(ssl=context) as receiver:
        port = receiver.url.split(":")[2].partition("/")[0]
        yield receiver, f"matrixs://notary:{TOKEN}@127.0.0.1:{port}/?mode=matrix"


async def sent(address: str) -> Answer:
    [channel] = parse_channels((address,))
    return await ChannelSender((channel,)).send(Letter(channel.id, "x://", "msg_1", "review.requested", BODY))


async def registered(world: World, *addresses: str) -> list[tuple[str, str]]:
    """Makes the channels those, and says which are there."""
    async with world.pool.acquire() as connection:
        await register_channels(connection, {one.id: one.scheme for one in parse_channels(addresses)})
        return [(row.kind, row.url) for row in await list_endpoints(connection)]


async def test_the_settings_decide_which_channels_there_are(world: World) -> None:
    await world.add("https://notary.example/")
    webhook = ("webhook", "https://notary.example/")
    assert (await registered(world, SLACK, MAIL))[1:] == [("channel", "slack://"), ("channel", "mailtos://")]
    assert await registered(world, MAIL) == [webhook, ("channel", "mailtos://")]
    assert len(await registered(world, SLACK, DISCORD, MAIL)) == 4
    assert await registered(world) == [webhook]
    urls = await world.pool.fetch("SELECT url FROM alerts.endpoints")
    assert not any("password" in row["url"] or "TIiaj" in row["url"] for row in urls)


async def test_a_channel_is_told_by_apprise_again_until_it_works(
    dsn: str, pool: asyncpg.Pool, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_world(dsn, pool) as world, chat(certificate, monkeypatch) as (receiver, address):
        assert world.deliverer is not None
        receiver.behaviour = answering(500)
        await registered(world, address)
        await world.tell("r1", id="r1")
        assert await world.turn(seconds=60) == 0  # this process can send to no channel
        sender = ChannelSender(parse_channels((address,)))
        world.deliverer = replace(world.deliverer, senders={**world.deliverer.senders, "channel": sender})
        assert await world.turn() == 1
        assert await world.states() == ["pending"]
        receiver.behaviour = answering(200)
        await world.turn(seconds=60)
        assert await world.states() == ["delivered"]
        log = [row.document() for row in await world.deliveries()]
    body = receiver.taken[-1].body.decode()
    assert "filplus: review.requested" in body
    assert "id: r1" in body
    assert TOKEN in receiver.taken[-1].path
    assert TOKEN not in str(log)
    for table in ("endpoints", "messages", "deliveries", "attempts"):
        assert not await pool.fetchval(f"SELECT count(*) FROM alerts.{table} AS t WHERE t::text LIKE '%{TOKEN}%'")


async def test_a_channel_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "TIMEOUT_S", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        address = f"matrixs://notary:{TOKEN}@127.0.0.1:{silent.getsockname()[1]}/?mode=matrix"
        answer = await sent(address)
    assert (answer.outcome, answer.error) == (Outcome.TRANSIENT, "no end within 3 s")
    assert not notifiers()


async def test_cancelled_it_leaves_no_process_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"matrixs://notary:{TOKEN}@127.0.0.1:{silent.getsockname()[1]}/?mode=matrix"
        sending = asyncio.create_task(sent(address))
        await until(notifiers)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert not notifiers()


def notifiers() -> list[int]:
    """The processes of this kind that this test's process has."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if f"\nPPid:\t{os.getpid()}\n" in status.read_text():
                command = status.with_name("cmdline").read_bytes()
                found += [int(status.parent.name)] if b"explorer.alerts.notifier" in command else []
    return found


def seen_by_everybody() -> list[bytes]:
    """The command lines and environments of those processes."""
    return [Path(f"/proc/{number}/{name}").read_bytes() for number in notifiers() for name in ("cmdline", "environ")]


async def test_neither_command_line_nor_environment_of_the_process_holds_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FILPLUS_NOTIFY_URLS", TOKEN)
    monkeypatch.setenv("PGPASSWORD", TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"matrixs://notary:{TOKEN}@127.0.0.1:{silent.getsockname()[1]}/?mode=matrix"
        sending = asyncio.create_task(sent(address))
        await until(notifiers)
        assert not any(TOKEN.encode() in text for text in seen_by_everybody())
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_what_keeps_channels_from_being_told_is_said() -> None:
    assert await channel_faults(()) == []
    assert await channel_faults(parse_channels((SLACK, DISCORD, MATRIX, MAIL))) == []
    [fault] = await channel_faults(parse_channels((SLACK, "discord://unreadable-password")))
    assert "FILPLUS_NOTIFY_URLS: Apprise can't read the discord:// address" in fault
    assert "unreadable-password" not in fault


async def test_without_the_extra_the_remedy_is_said_and_messages_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apprise.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [fault] = await channel_faults(parse_channels((SLACK,)))
    assert "pip install 'filplus-explorer[alerts]'" in fault
    answer = await sent(SLACK)
    assert (answer.outcome, answer.error) == (Outcome.TRANSIENT, fault)


async def test_a_channel_of_other_settings_is_left_alone() -> None:
    answer = await ChannelSender(()).send(Letter("ch_other", "x://", "msg_1", "review.requested", BODY))
    assert answer.outcome is Outcome.TRANSIENT
