"""What an ill node does to an HTTP connection, and which error becomes of it."""

import asyncio
import contextlib
import json
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import aiohttp
import pytest

from node.chain import errors
from node.chain.errors import ChainError
from node.chain.results import RejectedRecord
from node.lotus.client import LotusChain
from node.lotus.limits import Limits, Retries
from node.lotus.opening import open_lotus_chain
from tests.integration.lotus.fault_server import Behaviour, Exchange, FaultServer, fault_server, response
from tests.unit.lotus.questions import TIPSET

QUICK = Limits(timeout_s=2.0, slow_timeout_s=2.0, stream_first_byte_s=2.0, stream_idle_s=2.0)
IMPATIENT = Limits(timeout_s=0.15, slow_timeout_s=0.15, stream_first_byte_s=0.15, stream_idle_s=0.15)
ONCE = Retries(rounds=1)


@asynccontextmanager
async def ill_node(
    behave: Behaviour, *, limits: Limits = QUICK, token: str | None = None
) -> AsyncIterator[tuple[LotusChain, FaultServer]]:
    async with (
        fault_server(behave) as server,
        open_lotus_chain([server.url], tokens=[token], limits=limits, retries=ONCE) as chain,
    ):
        yield chain, server


async def error_from(behave: Behaviour, *, limits: Limits = QUICK) -> ChainError:
    """The error that a simple question meets."""
    async with ill_node(behave, limits=limits) as (chain, server):
        with pytest.raises(ChainError) as raised:
            await chain.network_version()
        assert raised.value.node == f"127.0.0.1:{server.port}"
        return raised.value


def answering(raw: bytes) -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        await exchange.send(raw)

    return behave


def failing(code: int, message: str, status: str = "200 OK") -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        error = {"error": {"code": code, "message": message}, "id": exchange.request["id"], "jsonrpc": "2.0"}
        await exchange.send(response(json.dumps(error).encode(), status))

    return behave


async def good(exchange: Exchange) -> None:
    await exchange.result(28)


async def hang_up(_: Exchange) -> None:
    """The server does so when this returns."""


async def hang(_: Exchange) -> None:
    await asyncio.sleep(30)


async def test_a_good_answer_over_the_wire() -> None:
    async with ill_node(good) as (chain, server):
        assert await chain.network_version() == 28
    assert server.exchanges[0].request["method"] == "Filecoin.StateNetworkVersion"
    assert "authorization" not in server.exchanges[0].headers


async def test_the_token_goes_into_the_header_and_nowhere_else() -> None:
    async with ill_node(failing(1, "no"), token=" eyJ.secret.x \n") as (chain, server):
        with pytest.raises(ChainError) as raised:
            await chain.head()
    (exchange,) = server.exchanges
    assert exchange.headers["authorization"] == "Bearer eyJ.secret.x"
    assert "secret" not in exchange.head.split("\r\n")[0] + exchange.body.decode() + repr(raised.value) + repr(chain)


async def test_a_token_goes_to_its_own_node_alone() -> None:
    async with fault_server(hang_up) as first, fault_server(good) as second:
        urls = [first.url, second.url]
        async with open_lotus_chain(urls, tokens=["secret"], limits=QUICK, retries=ONCE) as chain:
            assert await chain.network_version() == 28
        with pytest.raises(errors.BadEndpoint, match="3 tokens for 2 nodes"):
            async with open_lotus_chain(urls, tokens=["a", "b", "c"]):
                pass
    assert first.exchanges[0].headers["authorization"] == "Bearer secret"
    assert "authorization" not in second.exchanges[0].headers


async def test_nobody_listens() -> None:
    async with fault_server(good) as server:
        url = server.url
    async with open_lotus_chain([url], limits=QUICK, retries=ONCE) as chain:
        with pytest.raises(errors.NodeUnreachable, match="no connection"):
            await chain.head()


async def test_a_host_that_does_not_exist() -> None:
    async with open_lotus_chain(["http://no-such-host.invalid/rpc/v1"], limits=QUICK, retries=ONCE) as chain:
        with pytest.raises(errors.TransientError):
            await chain.head()


async def test_a_node_that_hangs() -> None:
    assert isinstance(await error_from(hang, limits=IMPATIENT), errors.NodeTimeout)


async def test_a_node_that_drips() -> None:
    async def drip(exchange: Exchange) -> None:
        for byte in response(json.dumps({"jsonrpc": "2.0", "id": 1, "result": 28}).encode()):
            await exchange.send(bytes([byte]))
            await asyncio.sleep(0.01)

    assert isinstance(await error_from(drip, limits=IMPATIENT), errors.NodeTimeout)


async def test_a_node_that_hangs_up() -> None:
    assert isinstance(await error_from(hang_up), errors.NodeUnreachable)


@pytest.mark.parametrize("length", [True, False], ids=["length", "until the end"])
async def test_an_answer_cut_at_every_byte_is_never_taken(length: bool) -> None:
    whole = response(json.dumps({"jsonrpc": "2.0", "id": 1, "result": 28}).encode(), length=length)
    for cut in range(len(whole)):
        error = await error_from(answering(whole[:cut]))
        assert isinstance(error, errors.TransientError | errors.GarbledAnswer), cut
        body_began = whole[:cut].find(b"\r\n\r\n") >= 0 and length
        assert not body_began or isinstance(error, errors.AnswerCut), cut


async def test_a_chunked_answer_cut_at_every_byte_is_never_taken() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": 28}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:])) + b"0\r\n\r\n"
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    async with ill_node(answering(whole)) as (chain, _):
        assert await chain.network_version() == 28
    for cut in range(len(whole) - len(b"\r\n\r\n")):
        error = await error_from(answering(whole[:cut]))
        assert isinstance(error, errors.TransientError | errors.GarbledAnswer), cut


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\x03 garbage",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000 + b"\r\n\r\n",
        response(b""),
        response(b"\xff\xfe{}"),
        response(b"<html>Bad Gateway</html>"),
        response(b"NaN"),
        response(b"[" * 100_000),
        response(b'{"jsonrpc":"2.0","id":1,"result":' + b"9" * 10_000 + b"}"),
        response(b'{"jsonrpc":"2.0","id":2,"result":28}'),
        response(b'{"jsonrpc":"2.0","id":true,"result":28}'),
        response(b'{"jsonrpc":"2.0","id":"1","result":28}'),
        response(b'{"jsonrpc":"2.0","id":1}'),
        response(b'{"jsonrpc":"2.0","id":1,"result":28}x'),
        response(b'{"jsonrpc":"2.0","id":1,"result":"28"}'),
        response(b'{"jsonrpc":"2.0","id":1,"result":28.0}'),
        response(b'{"jsonrpc":"2.0","id":1,"error":"no"}'),
        response(b'[{"jsonrpc":"2.0","id":1,"result":28}]'),
    ],
)
async def test_garbage_is_garbled(raw: bytes) -> None:
    assert isinstance(await error_from(answering(raw)), errors.GarbledAnswer | errors.AnswerCut)


async def test_a_wrong_content_type_does_not_matter_if_the_answer_is_one() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"result":28}'
    raw = response(body).replace(b"application/json", b"text/html; charset=nonsense")
    async with ill_node(answering(raw)) as (chain, _):
        assert await chain.network_version() == 28


async def test_a_web_page_is_named_by_its_content_type() -> None:
    raw = response(b"<html>").replace(b"application/json", b"text/html")
    error = await error_from(answering(raw))
    assert isinstance(error, errors.GarbledAnswer)
    assert "text/html" in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("301 Moved Permanently", errors.BadEndpoint),
        ("307 Temporary Redirect", errors.BadEndpoint),
        ("400 Bad Request", errors.BadRequest),
        ("401 Unauthorized", errors.TokenRefused),
        ("403 Forbidden", errors.TokenRefused),
        ("404 Not Found", errors.BadEndpoint),
        ("405 Method Not Allowed", errors.BadEndpoint),
        ("418 Teapot", errors.RequestFailed),
        ("429 Too Many Requests", errors.RateLimited),
        ("500 Internal Server Error", errors.NodeOverloaded),
        ("502 Bad Gateway", errors.NodeOverloaded),
        ("503 Service Unavailable", errors.NodeOverloaded),
        ("504 Gateway Timeout", errors.NodeOverloaded),
    ],
)
async def test_statuses_without_a_json_body(status: str, kind: type[ChainError]) -> None:
    assert type(await error_from(answering(response(b"", status, "Location: http://127.0.0.1:1/")))) is kind
    assert type(await error_from(answering(response(b"<html>", status)))) is kind


async def test_a_redirect_is_not_followed() -> None:
    async with fault_server(good) as elsewhere:
        raw = response(b"", "307 Temporary Redirect", f"Location: {elsewhere.url}")
        assert isinstance(await error_from(answering(raw)), errors.BadEndpoint)
        assert not elsewhere.exchanges


async def test_a_json_error_tells_more_than_the_status() -> None:
    behave = failing(-32601, "method 'Filecoin.X' not found", "500 Internal Server Error")
    assert type(await error_from(behave)) is errors.MethodMissing
    assert type(await error_from(failing(-32600, "Invalid request", "400 Bad Request"))) is errors.BadRequest
    assert type(await error_from(failing(1, "actor not found"))) is errors.ActorNotFound


async def test_retry_after_in_seconds_as_a_date_and_missing() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    for text, least, greatest in (("7", 7, 7), (until, 95, 100), ("soon", None, 0), ("-3", None, 0)):
        error = await error_from(answering(response(b"", "429 Too Many Requests", f"Retry-After: {text}")))
        assert isinstance(error, errors.RateLimited)
        assert least is None or least <= (error.retry_after_s or 0) <= greatest
        assert least is not None or error.retry_after_s is None
    error = await error_from(answering(response(b"", "503 Service Unavailable", "Retry-After: 3")))
    assert isinstance(error, errors.NodeOverloaded)
    assert error.retry_after_s == 3


def _endless(count: int) -> Behaviour:
    """A good answer of so many pieces of 64 KiB."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b'{"jsonrpc":"2.0","id":1,"result":"')
        for _ in range(count):
            await exchange.send(b"x" * 65536)

    return behave


async def test_an_answer_of_100_mb_is_not_held() -> None:
    tracemalloc.start()
    try:
        limits = Limits(timeout_s=20, answer_bytes=1 << 20)
        assert isinstance(await error_from(_endless(1600), limits=limits), errors.AnswerTooLarge)
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


def _huge_state(records: int) -> Behaviour:
    """Claims with 4 KB of something that nobody knows in each."""

    async def behave(exchange: Exchange) -> None:
        claim = {"Provider": 1000, "Client": 113, "Data": {"/": PIECE}, "Size": 34359738368, "TermMin": 1}
        claim |= {"TermMax": 2, "TermStart": 0, "Sector": 1, "Padding": "x" * 4000}
        text = json.dumps(claim).encode()
        await exchange.send(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"id":1,"jsonrpc":"2.0","result":{')
        for start in range(0, records, 16):
            await exchange.send(b"".join(b'"%d":%s,' % (start + one, text) for one in range(16)))
        await exchange.send(b'"%d":%s}}' % (records + 16, text))

    return behave


PIECE = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"


async def test_a_state_of_100_mb_streams_through_flat_memory() -> None:
    count = 0
    async with ill_node(_huge_state(24_000)) as (chain, _):
        tracemalloc.start()
        try:
            async with contextlib.aclosing(chain.claims()) as claims:
                async for claim in claims:
                    assert not isinstance(claim, RejectedRecord)
                    count += 1
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert count == 24_001
    assert peak < 8 << 20


async def test_a_state_that_is_cut_raises_after_what_came() -> None:
    async def cut(exchange: Exchange) -> None:
        text = '{"id":1,"jsonrpc":"2.0","result":{"1":{"odd":1},"2":{"odd":2},"3":{"od'
        await exchange.send(response(text.encode(), length=False))

    async with ill_node(cut) as (chain, _):
        claims = chain.claims()
        found = [await anext(claims), await anext(claims)]
        with pytest.raises(errors.AnswerCut):
            await anext(claims)
    assert [record.key for record in found if isinstance(record, RejectedRecord)] == ["1", "2"]


async def test_a_state_that_stops_coming_times_out() -> None:
    async def stall(exchange: Exchange) -> None:
        await exchange.send(response(b'{"id":1,"result":{"1":{"odd":1},', length=False))
        await asyncio.sleep(30)

    async with ill_node(stall, limits=IMPATIENT) as (chain, _):
        claims = chain.claims()
        assert isinstance(await anext(claims), RejectedRecord)
        with pytest.raises(errors.NodeTimeout):
            await anext(claims)


async def test_a_state_that_is_refused() -> None:
    behave = failing(-32601, "method 'Filecoin.StateMarketDeals' not found", "500 Internal Server Error")
    async with ill_node(behave) as (chain, _):
        with pytest.raises(errors.MethodMissing):
            await anext(chain.deals())
    async with ill_node(failing(1, "ipld: could not find bafy")) as (chain, _):
        with pytest.raises(errors.NotFound):
            await anext(chain.deals())


async def test_a_batch_goes_in_one_request_and_comes_back_in_any_order() -> None:
    async def behave(exchange: Exchange) -> None:
        answers = [{"jsonrpc": "2.0", "id": each["id"], "result": None} for each in exchange.request]
        await exchange.send(response(json.dumps(answers[::-1]).encode()))

    async with ill_node(behave) as (chain, server):
        assert await chain.executed_messages(TIPSET) == ()
    (exchange,) = server.exchanges
    assert [each["method"] for each in exchange.request] == [
        "Filecoin.ChainGetParentMessages",
        "Filecoin.ChainGetParentReceipts",
    ]


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [{"jsonrpc": "2.0", "id": 1, "result": None}],
        [{"jsonrpc": "2.0", "id": 1, "result": None}] * 2,
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Invalid request"}},
        [None, 1],
        "x",
    ],
)
async def test_a_broken_batch(answers: object) -> None:
    async with ill_node(answering(response(json.dumps(answers).encode(), "200 OK", "Connection: close"))) as (chain, _):
        with pytest.raises((errors.GarbledAnswer, errors.BadRequest)):
            await chain.executed_messages(TIPSET)


async def test_cancelling_a_question_cancels_it() -> None:
    asked = asyncio.Event()

    async def tell_and_hang(exchange: Exchange) -> None:
        asked.set()
        await hang(exchange)

    async with ill_node(tell_and_hang) as (chain, _):
        task = asyncio.create_task(chain.head())
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_the_session_is_closed_in_the_end() -> None:
    async with ill_node(good) as (chain, _):
        await chain.network_version()
        session: aiohttp.ClientSession = chain._pool.nodes[0].transport._session  # type: ignore[attr-defined]
    assert session.closed


async def _words_of(question: Awaitable[Any]) -> str:
    """Everything that can be printed of what a question met."""
    try:
        return repr(await question)
    except ChainError as error:
        return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize("raw", [b"HTTP/1.1 abc\r\n\r\n", response(b"<html>"), response(b"", "401 Unauthorized"), b""])
async def test_no_error_shows_path_or_token_however_it_is_printed(raw: bytes) -> None:
    async with fault_server(answering(raw)) as server:
        url = server.url.replace("/rpc/v1", "/SECRETPATH")
        async with open_lotus_chain([url], tokens=["SECRETTOKEN"], limits=QUICK, retries=ONCE) as chain:
            for question in (chain.head(), anext(chain.head_changes()), anext(chain.deals())):
                words = await _words_of(question)
                assert "127.0.0.1" in words
                assert "SECRET" not in words
