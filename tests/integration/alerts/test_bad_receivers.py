"""Receivers that hang, flood, lie and break off: contained, and no burden to the others."""

import asyncio
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from explorer.alerts import guard
from explorer.alerts.deliveries import list_deliveries
from explorer.alerts.letters import Answer, Letter
from explorer.alerts.loop import open_delivery
from explorer.alerts.outbox import PER_ENDPOINT, enqueue
from explorer.alerts.schedule import Outcome
from explorer.alerts.sending import EXCERPT_CHARACTERS, open_webhook_sender
from tests.integration.alerts.conftest import BEGAN, LOCAL, World
from tests.integration.alerts.receiver import Received, receiving
from tests.integration.alerts.test_guard import SECRETS
from tests.patience import until

Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def sent(url: str) -> Answer:
    async with open_webhook_sender(LOCAL, now=lambda: BEGAN) as sender:
        return await sender.send(Letter("wh", url, "msg_1", "webhook.test", "{}", SECRETS))


@asynccontextmanager
async def speaking(speak: Streams) -> AsyncIterator[str]:
    """A server that says raw bytes; gives host and port."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await speak(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(text: bytes, *, then_reset: bool = False) -> Streams:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()
        await asyncio.sleep(0.05 if then_reset else 30)

    return speak


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00" * 1000,
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000,
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ],
)
async def test_what_is_no_http_is_a_transient_failure(text: bytes) -> None:
    async with speaking(saying(text, then_reset=True)) as address:
        answer = await sent(f"http://{address}/")
    assert (answer.outcome, answer.status) == (Outcome.TRANSIENT, None)
    assert answer.error
    assert len(answer.error) <= 300


async def test_garbage_instead_of_tls_is_a_transient_failure() -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await asyncio.sleep(1)

    async with speaking(speak) as address:
        answer = await sent(f"https://{address}/")
    assert (answer.outcome, answer.status) == (Outcome.TRANSIENT, None)


async def test_nobody_listening_is_a_transient_failure() -> None:
    async with speaking(saying(b"")) as address:
        pass
    assert (await sent(f"http://{address}/")).outcome is Outcome.TRANSIENT


async def test_200_then_reset_is_delivered() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart"
    async with speaking(saying(head, then_reset=True)) as address:
        answer = await sent(f"http://{address}/")
    assert (answer.outcome, answer.status, answer.excerpt) == (Outcome.DELIVERED, 200, "part")


async def test_a_body_that_never_ends_is_not_waited_for() -> None:
    async with speaking(saying(b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwait\r\n")) as address:
        answer = await sent(f"http://{address}/")
    assert (answer.outcome, answer.status, answer.excerpt) == (Outcome.TRANSIENT, 503, "wait")


async def test_of_a_gigabyte_64_kb_are_read_and_memory_stays_flat() -> None:
    written = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\nContent-Encoding: gzip\r\n\r\n")
        part = b"\x1b[31m\x00" + b"x" * 65_529
        for _ in range(16_384):
            writer.write(part)
            await writer.drain()
            written += len(part)

    tracemalloc.start()
    try:
        async with speaking(speak) as address:
            answer = await sent(f"http://{address}/")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.outcome is Outcome.DELIVERED
    assert written < 32 << 20  # what the sockets' buffers take
    assert peak < 8 << 20
    assert answer.excerpt is not None
    assert len(answer.excerpt) <= EXCERPT_CHARACTERS
    assert answer.excerpt.isprintable()


@asynccontextmanager
async def delivering(dsn: str) -> AsyncIterator[None]:
    """The loop of a process, as long as the context lasts."""
    async with open_delivery(dsn, LOCAL, registry=CollectorRegistry()) as loop:
        task = asyncio.create_task(loop.run(lambda: None))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_hanging_receiver_delays_no_other(
    dsn: str, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "TIMEOUT_S", 3600.0)
    world = World(pool)

    async def hang(_: web.Request, __: Received) -> web.StreamResponse:
        await asyncio.sleep(3600)
        return web.Response()

    async with receiving(hang) as hanging, receiving() as good, delivering(dsn):
        await world.add(hanging.url)
        added = await world.add(good.url)
        for number in range(20):
            async with pool.acquire() as connection, connection.transaction():
                await enqueue(connection, "review.requested", f"r{number}", {"number": number})
            await until(lambda wanted=number: len(good.taken) > wanted)  # type: ignore[misc]
        assert 0 < len(hanging.requests) <= PER_ENDPOINT
    async with pool.acquire() as connection:
        assert {row.state for row in await list_deliveries(connection, endpoint_id=added.endpoint_id)} == {"delivered"}


async def test_a_receiver_with_a_certificate_that_nobody_vouches_for_is_not_told(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with receiving(ssl=context) as receiver:
        answer = await sent(receiver.url)
    assert (answer.outcome, receiver.requests) == (Outcome.TRANSIENT, [])
