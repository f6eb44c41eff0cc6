"""Nodes that lie about sizes, compress bombs, print odd JSON, point elsewhere; TLS, proxies, and one wrong network."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from node.chain import errors
from node.chain.errors import ChainError
from node.lotus.expected import Expected
from node.lotus.limits import Limits, Retries
from node.lotus.opening import open_lotus_chain
from node.network import network_named
from tests.integration.lotus.fault_server import Behaviour, Exchange, fault_server, response
from tests.recordings_player import recorded_calls
from tests.unit.lotus.chains import whole
from tests.unit.lotus.questions import TIPSET

QUICK = Limits(timeout_s=2.0, slow_timeout_s=2.0, stream_first_byte_s=2.0, stream_idle_s=2.0, answer_bytes=1 << 20)
IMPATIENT = Limits(timeout_s=0.2, slow_timeout_s=0.2, stream_first_byte_s=0.2, stream_idle_s=0.2)
ONCE = Retries(rounds=1)
GOOD = b'{"jsonrpc":"2.0","id":1,"result":28}'


def answering(raw: bytes) -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        await exchange.send(raw)

    return behave


def stalling(raw: bytes) -> Behaviour:
    """Sends something and then nothing more, but stays."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(raw)
        await asyncio.sleep(30)

    return behave


async def error_from(behave: Behaviour, *, limits: Limits = QUICK) -> ChainError:
    async with (
        fault_server(behave) as server,
        open_lotus_chain([server.url], limits=limits, retries=ONCE) as chain,
    ):
        with pytest.raises(ChainError) as raised:
            await chain.network_version()
    return raised.value


@contextmanager
def memory_below(bytes_max: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < bytes_max
    finally:
        tracemalloc.stop()


# Waiting


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\nContent-Ty",
        b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n",
        response(GOOD)[:-5],
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
async def test_a_node_that_stops_anywhere_is_waited_for_no_longer_than_agreed(begun: bytes) -> None:
    assert isinstance(await error_from(stalling(begun), limits=IMPATIENT), errors.NodeTimeout)


async def test_headers_without_end_are_no_answer() -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            await exchange.send(b"X-%d: y\r\n" % number)

    with memory_below(16 << 20):
        assert isinstance(await error_from(endless), ChainError)


# Sizes


async def test_a_promise_of_10_gb_is_refused_before_it_comes() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n" + GOOD
    with memory_below(4 << 20):
        assert isinstance(await error_from(stalling(raw)), errors.AnswerTooLarge)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_does_not_go_off(coding: str) -> None:
    packed = gzip.compress(bytes(200 << 20)) if coding == "gzip" else zlib.compress(bytes(200 << 20))
    raw = response(packed, "200 OK", f"Content-Encoding: {coding}")
    with memory_below(16 << 20):
        assert isinstance(await error_from(answering(raw)), errors.GarbledAnswer | errors.AnswerTooLarge)


async def test_a_bomb_does_not_go_off_in_a_stream_either() -> None:
    packed = gzip.compress(b'{"id":1,"result":{"1":"' + b"x" * (200 << 20))
    raw = response(packed, "200 OK", "Content-Encoding: gzip")
    with memory_below(16 << 20):
        async with fault_server(answering(raw)) as server, open_lotus_chain([server.url], limits=QUICK) as chain:
            with pytest.raises(errors.GarbledAnswer):
                await whole(chain.deals())


async def test_an_error_page_of_100_mb_is_not_held() -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n")
        for _ in range(1600):
            await exchange.send(b"<p>" * 21845)

    with memory_below(12 << 20):
        assert isinstance(await error_from(page), errors.AnswerTooLarge | errors.NodeOverloaded)


# JSON


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"result":28,"result":29}',
        b'{"jsonrpc":"2.0","id":1,"id":1,"result":28}',
        b'{"jsonrpc":"2.0","id":1,"result":NaN}',
        b'{"jsonrpc":"2.0","id":1,"result":-Infinity}',
        b'{"jsonrpc":"2.0","id":1,"result":1e400}',
        b'{"jsonrpc":"2.0","id":1,"result":' + b"9" * 5000 + b"}",
        b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 200_000,
        b'{"jsonrpc":"2.0","id":1,"result":"\\ud800"}',
        b'{"jsonrpc":"2.0","id":1,"result":28',
        b'{"jsonrpc":"2.0","id":1.0,"result":"28"}',
        b'{"jsonrpc":"2.0","id":1,"result":{"\\udc00":1}}',
        b"\xef\xbb\xbf" + b'{"jsonrpc":"2.0","id":1,"result":"x"}',
        "{'jsonrpc':'2.0'}".encode("utf-16"),
    ],
)
async def test_odd_json_is_garbled_and_can_be_logged(body: bytes) -> None:
    error = await error_from(answering(response(body)))
    assert isinstance(error, errors.GarbledAnswer)
    str(error).encode()


async def test_a_413_is_the_nodes_refusal() -> None:
    assert isinstance(
        await error_from(answering(response(b"<html>too large", "413 Payload Too Large"))), errors.RequestFailed
    )


@pytest.mark.parametrize("wait", ["1e9", "99999999999999999999", "-1", "", "Fri, 99 Foo 2026", "0x10", "\u0661"])
async def test_an_absurd_retry_after_is_bounded_or_passed_over(wait: str) -> None:
    raw = response(b"", "429 Too Many Requests", f"Retry-After: {wait}")
    error = await error_from(answering(raw))
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after_s is None or 0 <= error.retry_after_s <= 24 * 3600


# Batches


def shuffled(answers: list[Any]) -> list[Any]:
    return answers[::-1]


@pytest.mark.parametrize(
    "bend",
    [
        lambda answers: answers[:-1],
        lambda answers: [*answers, answers[0]],
        lambda answers: [answers[0], answers[0]],
        lambda answers: [answers[0], {**answers[1], "id": 10**9}],
        lambda answers: [answers[0], {**answers[1], "id": str(answers[1]["id"])}],
        lambda answers: [answers[0], None],
        lambda answers: answers[0],
    ],
)
async def test_a_batch_that_is_answered_wrongly_is_garbled(bend: Any) -> None:
    async def behave(exchange: Exchange) -> None:
        answers = [{"jsonrpc": "2.0", "id": each["id"], "result": None} for each in exchange.request]
        await exchange.send(response(json.dumps(bend(answers)).encode(), "200 OK", "Connection: close"))

    async with fault_server(behave) as server, open_lotus_chain([server.url], limits=QUICK, retries=ONCE) as chain:
        with pytest.raises(errors.GarbledAnswer):
            await chain.executed_messages(TIPSET)


async def test_a_node_that_refuses_batches_over_http_is_asked_one_by_one() -> None:
    async def behave(exchange: Exchange) -> None:
        if isinstance(exchange.request, list):
            await exchange.send(response(b"no batches here", "400 Bad Request", "Connection: close"))
        else:
            body = json.dumps({"jsonrpc": "2.0", "id": exchange.request["id"], "result": None}).encode()
            await exchange.send(response(body, "200 OK", "Connection: close"))

    async with fault_server(behave) as server, open_lotus_chain([server.url], limits=QUICK, retries=ONCE) as chain:
        assert await chain.executed_messages_of([TIPSET] * 3) == ((), (), ())
    assert [isinstance(each.request, list) for each in server.exchanges] == [True] + [False] * 6


async def test_long_batches_go_in_several_requests() -> None:
    async def behave(exchange: Exchange) -> None:
        answers = [{"jsonrpc": "2.0", "id": each["id"], "result": None} for each in exchange.request]
        await exchange.send(response(json.dumps(shuffled(answers)).encode(), "200 OK", "Connection: close"))

    limits = Limits(timeout_s=2, batch_calls=7)
    async with fault_server(behave) as server, open_lotus_chain([server.url], limits=limits, retries=ONCE) as chain:
        assert len(await chain.executed_messages_of([TIPSET] * 10)) == 10
    assert [len(each.request) for each in server.exchanges] == [7, 7, 6]


# Elsewhere


async def _ask_everything(url: str) -> Sequence[ChainError]:
    met: list[ChainError] = []
    async with open_lotus_chain([url], tokens=["SECRET"], limits=QUICK, retries=ONCE) as chain:
        for ask in (chain.head, chain.deals().__anext__, chain.head_changes().__anext__, chain.finality):
            with pytest.raises(ChainError) as raised:
                await ask()
            met.append(raised.value)
    return met


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_never_followed_with_a_token(status: str) -> None:
    async def elsewhere(exchange: Exchange) -> None:
        raise AssertionError(exchange.head)

    async with fault_server(elsewhere) as other:
        raw = response(b"", status, f"Location: {other.url}", "Connection: close")
        async with fault_server(answering(raw)) as server:
            met = await _ask_everything(server.url)
    assert {type(error) for error in met} <= {errors.BadEndpoint, errors.NotSupported, errors.MethodMissing}
    assert not other.exchanges


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def good(exchange: Exchange) -> None:
        await exchange.send(response(GOOD))

    async with fault_server(good) as proxy, fault_server(good) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with open_lotus_chain([server.url], limits=QUICK, retries=ONCE) as chain:
            assert await chain.network_version() == 28
    assert len(server.exchanges) == 1
    assert not proxy.exchanges


async def test_a_proxy_that_answers_instead_of_the_node_is_told_by_what_it_says() -> None:
    page = response(b"<html>Proxy Authentication Required", "407 Proxy Authentication Required")
    assert isinstance(await error_from(answering(page)), errors.RequestFailed)


async def test_plain_http_where_tls_is_expected_and_the_other_way_round() -> None:
    async def good(exchange: Exchange) -> None:
        await exchange.send(response(GOOD))

    async with fault_server(good) as server:
        url = server.url.replace("http:", "https:")
        async with open_lotus_chain([url], limits=QUICK, retries=ONCE) as chain:
            with pytest.raises(errors.TransientError):
                await chain.head()
    async with tls_server() as port:
        for scheme in ("http", "https"):  # the second one's certificate is nobody's
            async with open_lotus_chain([f"{scheme}://127.0.0.1:{port}/rpc/v1"], limits=QUICK, retries=ONCE) as chain:
                with pytest.raises((errors.TransientError, errors.GarbledAnswer)) as raised:
                    await chain.head()
                assert raised.value.node == f"127.0.0.1:{port}"


@asynccontextmanager
async def tls_server() -> AsyncIterator[int]:
    """A server that breaks off every handshake."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x15\x03\x03\x00\x02\x02\x28")  # alert: handshake failure
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_node_of_another_network_among_several_is_passed_over() -> None:
    def network(name: str, version: int) -> Behaviour:
        async def behave(exchange: Exchange) -> None:
            def answer(request: Any) -> Any:
                known = {"Filecoin.StateNetworkName": name, "Filecoin.ChainGetGenesis": GENESIS}
                result = known.get(request["method"], version)
                return {"jsonrpc": "2.0", "id": request["id"], "result": result}

            asked = exchange.request
            body = [answer(each) for each in asked] if isinstance(asked, list) else answer(asked)
            await exchange.send(response(json.dumps(body).encode(), "200 OK", "Connection: close"))

        return behave

    async with fault_server(network("mainnet", 1)) as wrong, fault_server(network("testing", 28)) as right:
        expected = Expected(network_named("devnet"))
        async with open_lotus_chain([wrong.url, right.url], expected=expected, limits=QUICK, retries=ONCE) as chain:
            assert await chain.network_version() == 28
            assert [health.proven for health in chain.health()] == [False, True]
    assert len(wrong.exchanges) == 1


GENESIS = next(
    call.response["result"]
    for call in recorded_calls("03-reads-errors-events-nv28")
    if call.method == "Filecoin.ChainGetGenesis" and isinstance(call.response, dict)
)
