"""Slow and silent clients cost the others nothing."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest
from structlog.testing import capture_logs

from explorer.web import listening
from explorer.web.doorway import DoorLimits, connections_allowed
from tests.e2e.conftest import Client, config_for, serving
from tests.e2e.fake_index import ACTIVE, FakeIndex
from tests.patience import PATIENCE_S, until

HALF = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def behind(index: FakeIndex, *, connections: int = 50, timeout_s: float = 5.0) -> AsyncIterator[Client]:
    door = DoorLimits(headers_timeout_s=timeout_s, connections=connections)
    async with serving(index, config_for(index), door) as url, aiohttp.ClientSession() as session:
        yield Client(session, url)


@asynccontextmanager
async def connected(client: Client, number: int = 1, sent: bytes = b"") -> AsyncIterator[list[Streams]]:
    where = urlsplit(client.url)
    found = [await asyncio.open_connection(where.hostname, where.port) for _ in range(number)]
    try:
        for _, writer in found:
            writer.write(sent)
        yield found
    finally:
        for _, writer in found:
            writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01", HALF])
async def test_headers_that_do_not_come_are_cut(index: FakeIndex, sent: bytes) -> None:
    started = time.monotonic()
    async with behind(index, timeout_s=0.2) as client:
        async with connected(client, sent=sent) as [(reader, _)]:
            assert await rest(reader) == b""
        assert time.monotonic() - started > 0.15
        assert b'connections_cut_total{why="slow"} 1.0' in (await client.get("/metrics")).body


async def test_a_trickle_does_not_buy_time(index: FakeIndex) -> None:
    async with behind(index, timeout_s=0.3) as client, connected(client, sent=HALF) as [(reader, writer)]:
        reading = asyncio.create_task(rest(reader))
        for _ in range(6):
            writer.write(b"x")
            await asyncio.sleep(0.1)
        assert await reading == b""


async def test_half_open_connections_beyond_the_cap_stop_nobody(index: FakeIndex) -> None:
    with capture_logs() as logged:
        await _crowd(index)
    assert [entry["event"] for entry in logged if entry["log_level"] == "warning"] == ["connections_cut"]


async def _crowd(index: FakeIndex) -> None:
    async with behind(index, connections=8) as client, connected(client, 100, HALF):
        for _ in range(3):
            assert (await client.get("/healthz")).status == 200
        assert b'connections_cut_total{why="crowded"}' in (await client.get("/metrics")).body


async def test_beyond_the_cap_of_connections_that_went_on_new_ones_are_cut(index: FakeIndex) -> None:
    async with behind(index, connections=3) as client, connected(client, 3, WHOLE) as first:
        for reader, _ in first:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        async with connected(client, sent=WHOLE) as [(reader, _)]:
            assert await rest(reader) == b""
        first[0][1].close()

        async def is_answered() -> bool:
            async with connected(client, sent=LAST) as [(reader, _)]:
                return (await rest(reader)).startswith(b"HTTP/1.1 200")

        await until(is_answered)


@pytest.mark.parametrize("size", [1, 7, 4096])
async def test_requests_in_pieces_and_one_after_another_are_answered(index: FakeIndex, size: int) -> None:
    sent = WHOLE + WHOLE + LAST
    async with behind(index) as client, connected(client) as [(reader, writer)]:
        for start in range(0, len(sent), size):
            writer.write(sent[start : start + size])
            await asyncio.sleep(0)
        got = await rest(reader)
    assert got.count(b"HTTP/1.1 200 OK") == 3


async def test_a_connection_is_used_again(index: FakeIndex) -> None:
    async with behind(index, timeout_s=0.1) as client, connected(client) as [(reader, writer)]:
        for _ in range(3):
            writer.write(WHOLE)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"}")
            await asyncio.sleep(0.15)


async def test_a_second_half_request_ends_with_the_keep_alive(
    index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "KEEPALIVE_S", 0.3)
    async with behind(index) as client, connected(client, sent=WHOLE + HALF) as [(reader, _)]:
        assert (await rest(reader)).count(b"HTTP/1.1") == 1


async def test_large_bodies_go_through(index: FakeIndex) -> None:
    async with behind(index) as client:
        got = await client.ask("POST", "/cids/filplus", json={"cids": [ACTIVE] * 10_000})
    assert len(orjson.loads(got.body)["results"]) == 10_000


async def test_an_end_before_the_headers_is_an_end(index: FakeIndex) -> None:
    async with behind(index) as client, connected(client, sent=HALF) as [(reader, writer)]:
        writer.write_eof()
        assert await rest(reader) == b""


async def test_a_body_that_does_not_come_is_the_clients_fault(
    index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LINGERING_S", 0.1)
    head = b"POST /cids/filplus HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    async with behind(index) as client, connected(client, sent=head) as [(reader, _)]:
        async with asyncio.timeout(PATIENCE_S):
            got = await reader.readuntil(b"}")
    assert got.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nContent-Type: application/problem+json\r\n" in got
    assert b'"request_timeout"' in got


POST = b"POST /cids/filplus HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
NO_GZIP = b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\nno gzip"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        POST + NO_GZIP,
        POST.replace(b"/cids/filplus", b"/healthz") + NO_GZIP,
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_strangers_send_amiss_is_not_logged_as_our_failure(
    index: FakeIndex, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    async with behind(index) as client, connected(client, sent=sent) as [(reader, _)]:
        await rest(reader)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_our_own_failures_are_logged() -> None:
    error = RuntimeError("ours")
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "x", None, (RuntimeError, error, None))
    assert listening.is_our_failure(record)


def test_some_connections_are_always_allowed() -> None:
    assert 16 <= connections_allowed() <= 4096
