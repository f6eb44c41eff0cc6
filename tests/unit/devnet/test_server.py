"""The server over a socket of this machine alone: who is let in, and what no client may make of it."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from node.devnet.serving import serving
from node.sim.rpc.tokens import Tokens
from tests.patience import PATIENCE_S
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces

URL = "http://127.0.0.1:1234/rpc/v1"
HEAD = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "Filecoin.ChainHead", "params": []})
MINE = HEAD.replace("Filecoin.ChainHead", "Sim.Mine").replace("[]", "[1]")


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    made = Caller()
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(tmp_path / "rpc"))
    async with serving(made.node, bound):
        yield made


@pytest.fixture
async def client(caller: Caller, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    del caller
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(tmp_path / "rpc"))) as session:
        yield session


async def post(client: aiohttp.ClientSession, body: str | bytes, **headers: str) -> tuple[int, str]:
    """Status and text of a POST."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.post(URL, data=body, headers=named) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:5678", "https://localhost"])
async def test_a_page_of_another_origin_orders_nothing(
    caller: Caller, client: aiohttp.ClientSession, origin: str
) -> None:
    status, text = await post(client, MINE, Origin=origin, Content_Type="text/plain")
    assert (status, caller.height) == (403, 0)
    assert text.startswith("403 Forbidden")
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await client.ws_connect(URL, origin=origin)


async def test_a_name_that_somebody_points_here_is_another_origin(
    caller: Caller, client: aiohttp.ClientSession
) -> None:
    assert (await post(client, MINE, Origin="http://evil.example", Host="evil.example"))[0] == 403
    assert caller.height == 0


@pytest.mark.parametrize("host", ["127.0.0.1:1234", "localhost:1234", "[::1]:1234"])
async def test_its_own_origin_is_let_in(caller: Caller, client: aiohttp.ClientSession, host: str) -> None:
    assert (await post(client, MINE, Origin=f"http://{host}", Host=host))[0] == 200
    assert caller.height == 1


async def test_whoever_shows_a_token_comes_from_anywhere(caller: Caller, client: aiohttp.ClientSession) -> None:
    caller.node.tokens = Tokens(b"k", admin_token="let-me-in")
    shown = {"Origin": "http://evil.example", "Authorization": "Bearer let-me-in"}
    assert (await post(client, MINE, **shown))[0] == 200
    assert (await post(client, HEAD, Origin="http://evil.example"))[0] == 403
    assert (await post(client, HEAD, **{**shown, "Authorization": "Bearer other"}))[0] == 401


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "nonsense"])
async def test_a_content_encoding_is_passed_over(client: aiohttp.ClientSession, coding: str) -> None:
    status, text = await post(client, HEAD, Content_Encoding=coding)
    assert (status, json.loads(text)["result"]["Height"]) == (200, 0)


async def test_a_lone_surrogate_is_answered(client: aiohttp.ClientSession) -> None:
    status, text = await post(client, HEAD.replace('"id": 1', r'"id": "\ud800"'))
    assert (status, json.loads(text)["id"]) == (200, "\ufffd")


async def test_a_panic_is_answered_as_lotus_answers_one(
    caller: Caller, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(type(caller.chain), "execution_of", broken)
    caller("Sim.Mine", 1)
    block = caller("ChainHead")["Cids"][0]
    request = json.dumps({"id": 3, "method": "Filecoin.ChainGetParentReceipts", "params": [block]})
    with capture_logs() as logs:
        status, text = await post(client, request)
    assert status == 500
    assert json.loads(text)["error"]["code"] == 0
    assert "panic in rpc method" in json.loads(text)["error"]["message"]
    assert [one["event"] for one in logs] == ["method_panicked"]
    assert (await post(client, HEAD))[0] == 200


_UPGRADE = (
    "GET /rpc/v1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDAwMDAwMDAwMDAwMDAwMA==\r\n\r\n"
)


async def test_a_frame_that_is_too_large_is_told_so(caller: Caller, tmp_path: Path) -> None:
    del caller
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "rpc"))
    writer.write(_UPGRADE.encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x81\xff" + struct.pack(">Q", (100 << 20) + 1) + bytes(4))  # The head of a masked text frame.
    kind, size = await asyncio.wait_for(reader.readexactly(2), PATIENCE_S)
    payload = await reader.readexactly(size)
    writer.close()
    assert (kind, int.from_bytes(payload[:2], "big")) == (0x88, 1009)
    assert payload[2:] == b"request bigger than maximum 104857600 allowed"


async def test_large_answers_come_whole_over_both(caller: Caller, client: aiohttp.ClientSession) -> None:
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(*range(600)))
    expected = caller("StateGetAllAllocations", None)
    request = HEAD.replace("ChainHead", "StateGetAllAllocations").replace("[]", "[null]")
    status, text = await post(client, request)
    assert (status, json.loads(text)) == (200, {"id": 1, "jsonrpc": "2.0", "result": expected})
    assert list(json.loads(text)["result"]) == sorted(expected)
    async with client.ws_connect(URL) as connected:
        await connected.send_str(request)
        assert json.loads(await connected.receive_str(timeout=PATIENCE_S))["result"] == expected
    _, text = await post(client, f"[{request},{HEAD}]")
    assert [next(iter(one)) for one in json.loads(text)] == ["id", "id"]


async def test_others_are_answered_while_a_large_answer_is_read_slowly(
    caller: Caller, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(*range(600)))
    rendering, going_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_: Any) -> dict[str, object]:
        loop.call_soon_threadsafe(rendering.set)
        asyncio.run_coroutine_threadsafe(going_on.wait(), loop).result(10)
        return {}

    monkeypatch.setattr("node.sim.rpc.record_methods.allocation_document", slow)
    request = HEAD.replace("ChainHead", "StateGetAllAllocations").replace("[]", "[null]")
    asked = asyncio.create_task(post(client, request))
    await asyncio.wait_for(rendering.wait(), PATIENCE_S)
    assert (await asyncio.wait_for(post(client, MINE), PATIENCE_S))[0] == 200
    assert not asked.done()
    going_on.set()
    assert (await asked)[0] == 200


async def test_a_wait_over_a_websocket_is_answered_when_somebody_else_mines(
    caller: Caller, client: aiohttp.ClientSession
) -> None:
    cid = caller("MpoolPushMessage", {"To": "f0100", "From": "f0101", "Method": 0, "Value": "1"}, None)["CID"]
    async with client.ws_connect(URL) as connected:
        await connected.send_json({"id": 1, "method": "Filecoin.StateWaitMsg", "params": [cid, 0, -1, True]})
        await connected.send_json({"id": 2, "method": "Filecoin.ChainNotify", "params": []})
        assert [json.loads(await connected.receive_str(timeout=PATIENCE_S)).get("id") for _ in range(2)] == [2, None]
        await post(client, MINE.replace("[1]", "[2, 1]"))
        frames = [json.loads(await connected.receive_str(timeout=PATIENCE_S)) for _ in range(3)]
    assert [frame.get("id") for frame in frames].count(1) == 1


async def test_the_end_waits_for_no_request_that_would_never_end(tmp_path: Path) -> None:
    made, path = Caller(), str(tmp_path / "ending")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(path)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session:
        async with serving(made.node, bound):
            websocket = await session.ws_connect(URL)
            await websocket.send_str(HEAD.replace("ChainHead", "ChainNotify"))
            await websocket.receive()
            made.node.faults.add(["Filecoin.ChainHead"], "hang")
            hanging = asyncio.create_task(post(session, HEAD))
            listening = asyncio.create_task(_until_closed(websocket))
            while not any(order.seen for order in made.node.faults.orders):  # noqa: ASYNC110 - it has no word for this
                await asyncio.sleep(0)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 30
        assert await listening == aiohttp.WSCloseCode.GOING_AWAY
        with pytest.raises(aiohttp.ClientError):
            await hanging


async def _until_closed(websocket: aiohttp.ClientWebSocketResponse) -> int | None:
    async for _ in websocket:
        pass
    return websocket.close_code
