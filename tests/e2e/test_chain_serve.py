"""`filplus chain serve` from outside: the program, and clients that are not ours."""

import asyncio
import base64
import json
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing, suppress
from http.client import IncompleteRead
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import aiohttp
import pytest

from node.chain.event_filter import EventFilter
from node.chain.tipset import HeadChanges, StreamGap
from node.lotus.limits import Retries
from node.lotus.opening import open_lotus_chain
from tests.e2e.ethereum import AsyncWeb3, Web3, WebSocketProvider
from tests.e2e.program import Filplus
from tests.patience import PATIENCE_S

DEMO = Path(__file__).parents[2] / "explorer" / "demo"
CLIENT, PROVIDER = "f02208492", "f0411877"
PIECE = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Filplus:
    return Filplus(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def fork(program: Filplus) -> Iterator[str]:
    """A fork of real records that mines only when told."""
    files = ("--from", str(DEMO / "claims.json"), str(DEMO / "deals.json"))
    with program.chain(*files, "--block-time", "0") as url:
        yield url


@pytest.fixture
def empty(program: Filplus) -> Iterator[str]:
    """A chain without records that mines only when told."""
    with program.chain("--block-time", "0") as url:
        yield url


def post(url: str, body: bytes, *, token: str | None = None, timeout_s: float = 20) -> tuple[int, bytes]:
    """Status and body of a POST, as any HTTP client sends it."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def ask(url: str, method: str, *params: Any) -> Any:
    """The result of a method, as a plain JSON-RPC client asks for it."""
    status, body = post(url, json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
    document = json.loads(body)
    assert status == 200, document
    assert "error" not in document, document
    return document["result"]


def test_a_fork_goes_on_where_the_real_records_end(fork: str) -> None:
    claims = json.loads((DEMO / "claims.json").read_text())
    assert ask(fork, "Filecoin.StateGetAllClaims", []).keys() == claims.keys()
    head = ask(fork, "Filecoin.ChainHead")
    assert head["Blocks"][0]["Timestamp"] == 1598306400 + 30 * head["Height"]
    assert head["Height"] >= max(claim["TermStart"] for claim in claims.values())
    assert ask(fork, "Filecoin.StateNetworkVersion", []) == 28


def test_a_grant_becomes_an_allocation_and_then_a_claim(fork: str) -> None:
    (allocation,) = ask(fork, "Sim.Allocate", CLIENT, PROVIDER, [{"piece_cid": PIECE, "size_bytes": 1 << 35}])
    assert str(allocation) in ask(fork, "Filecoin.StateGetAllocations", CLIENT, [])
    (onboarded,) = ask(fork, "Sim.Onboard", PROVIDER, [allocation])
    assert onboarded["id"] == allocation
    claim = ask(fork, "Filecoin.StateGetClaim", PROVIDER, allocation, [])
    assert (claim["Data"]["/"], claim["Sector"]) == (PIECE, onboarded["sector"])
    epoch = ask(fork, "Filecoin.ChainHead")["Height"]
    events = ask(fork, "Filecoin.GetActorEventsRaw", {"addresses": ["f06"], "fromHeight": epoch - 10})
    kinds = [base64.b64decode(event["entries"][0]["Value"])[1:].decode() for event in events]
    assert kinds[-2:] == ["allocation", "claim"]


def test_web3_reads_the_chain(empty: str) -> None:
    web3 = Web3(Web3.HTTPProvider(empty))
    assert web3.is_connected()
    ask(empty, "Sim.Mine", 5)
    assert web3.eth.block_number == 4  # the last whose messages are executed
    assert web3.eth.chain_id == 314
    block = web3.eth.get_block("latest")
    assert (block["number"], block["timestamp"]) == (4, 1598306400 + 30 * 4)
    assert web3.eth.get_balance(Web3.to_checksum_address("0xff" + f"{100:038x}")) > 0
    assert web3.eth.get_logs({"fromBlock": 0, "toBlock": "latest"}) == []


async def test_web3_reads_it_over_a_websocket(empty: str) -> None:
    async with AsyncWeb3(WebSocketProvider(empty.replace("http", "ws", 1))) as web3:
        assert await web3.eth.chain_id == 314
        assert (await web3.eth.get_block("latest"))["number"] == 0


def test_web3_polls_its_filters(empty: str) -> None:
    web3: Any = Web3(Web3.HTTPProvider(empty))
    blocks, logs = web3.eth.filter("latest"), web3.eth.filter({"fromBlock": 0})
    ask(empty, "Sim.Mine", 3)
    assert [one.to_0x_hex() for one in blocks.get_new_entries()] == [
        web3.eth.get_block(number)["hash"].to_0x_hex() for number in (1, 2)
    ]
    assert logs.get_new_entries() == logs.get_all_entries() == []
    assert web3.eth.uninstall_filter(blocks.filter_id)


async def test_heads_and_events_come_over_one_websocket(empty: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(empty) as socket:
        for number, (method, params) in enumerate(
            [("Filecoin.ChainNotify", []), ("Filecoin.SubscribeActorEventsRaw", [{"addresses": ["f06"]}])], start=1
        ):
            await socket.send_json({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        opened = [await socket.receive_json() for _ in range(3)]
        assert [frame.get("result") for frame in opened if "id" in frame] == [1, 2]
        assert opened[1]["params"][1][0]["Type"] == "current"
        await asyncio.to_thread(
            ask, empty, "Sim.Allocate", "f09000", "f01000", [{"piece_cid": PIECE, "size_bytes": 1 << 35}]
        )
        events, heads = [], []
        while not events or events[-1]["entries"][0]["Value"] != "amFsbG9jYXRpb24=":
            number, value = (await asyncio.wait_for(socket.receive_json(), PATIENCE_S))["params"]
            (heads if number == 1 else events).append(value)
        assert not events[-1]["reverted"]
        await socket.send_json({"jsonrpc": "2.0", "id": 3, "method": "xrpc.cancel", "params": [1]})
        while (frame := await asyncio.wait_for(socket.receive_json(), PATIENCE_S))["method"] != "xrpc.ch.close":
            assert frame["method"] == "xrpc.ch.val"
        assert frame["params"] == [1]


def test_a_message_is_waited_for_until_somebody_mines(empty: str) -> None:
    root = ask(empty, "Filecoin.StateVerifiedRegistryRootKey", [])
    default = ask(empty, "Filecoin.WalletDefaultAddress")
    message = {"Version": 0, "To": root, "From": default, "Value": "1", "Method": 0, "Params": None}
    message |= {"Nonce": 0, "GasLimit": 0, "GasFeeCap": "0", "GasPremium": "0"}
    pushed = ask(empty, "Filecoin.MpoolPushMessage", message, None)
    wait = {"jsonrpc": "2.0", "id": 9, "method": "Filecoin.StateWaitMsg", "params": [pushed["CID"], 1, -1, True]}

    async def waited() -> dict[str, Any]:
        async with aiohttp.ClientSession() as session:
            posting = asyncio.create_task(_posted(session, empty, wait))
            for _ in range(3):
                await asyncio.sleep(0.05)
                assert not posting.done()
            for _ in range(4):
                await asyncio.to_thread(ask, empty, "Sim.Mine", 1)
            return await asyncio.wait_for(posting, PATIENCE_S)

    assert asyncio.run(waited())["result"]["Receipt"]["ExitCode"] == 0


async def _posted(session: aiohttp.ClientSession, url: str, document: object) -> dict[str, Any]:
    async with session.post(url, json=document) as answer:
        found: dict[str, Any] = await answer.json()
        return found


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"", 400, -32600), (b"[]", 400, -32600), (b'{"jsonrpc":"2.0",', 500, -32700), (b"\xff\xfe", 500, -32700)],
)
def test_what_is_no_request_gets_the_answer_of_lotus(fork: str, body: bytes, status: int, code: int) -> None:
    found, answer = post(fork, body)
    assert (found, json.loads(answer)["error"]["code"]) == (status, code)


def test_its_token_is_the_admins(program: Filplus) -> None:
    guarded = Filplus(program.data_dir, FILPLUS_CHAIN_TOKEN="let-me-in")
    head = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "Filecoin.ChainHead", "params": []}).encode()
    wallet = head.replace(b"ChainHead", b"WalletList")
    with guarded.chain("--block-time", "0") as url:
        assert post(url, head)[0] == 200
        assert post(url, head, token="another") == (401, b"")
        assert b"missing permission to invoke 'WalletList' (need 'write')" in post(url, wallet)[1]
        assert "result" in json.loads(post(url, wallet, token="let-me-in")[1])
        assert "result" in json.loads(post(f"{url}?token=let-me-in", wallet)[1])


def test_faults_are_those_of_a_failing_node(empty: str) -> None:
    def struck(kind: str) -> tuple[int, bytes]:
        ask(empty, "Sim.Fault", {"methods": [], "kind": kind, "share": 1, "count": 1})
        return post(empty, b'{"jsonrpc":"2.0","id":1,"method":"Filecoin.ChainHead","params":[]}', timeout_s=1)

    assert struck("429")[0] == 429
    status, garbage = struck("garbage")
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(garbage)
    assert status == 200
    with pytest.raises(IncompleteRead):
        struck("cut")
    with pytest.raises(TimeoutError):
        struck("hang")
    assert ask(empty, "Filecoin.ChainHead")["Height"] == 0


@pytest.mark.parametrize("kind", ["garbage", "429", "cut"])
async def test_faults_strike_websockets_too(empty: str, kind: str) -> None:
    await asyncio.to_thread(ask, empty, "Sim.Fault", {"methods": [], "kind": kind, "share": 1, "count": 1})
    async with aiohttp.ClientSession() as session, session.ws_connect(empty) as socket:
        await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "Filecoin.ChainHead", "params": []})
        frame = await asyncio.wait_for(socket.receive(), PATIENCE_S)
        if kind == "garbage":
            with pytest.raises(ValueError, match="Expecting value"):
                json.loads(frame.data)
        else:
            assert frame.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


async def _gap_of(url: str, kind: str, methods: list[str]) -> tuple[StreamGap, list[str]]:
    """The gap that a follower sees when a frame is struck, and the kinds of the changes that come after it."""

    async def order(method: str, *params: Any) -> None:
        await asyncio.to_thread(ask, url, method, *params)

    await order("Sim.Mine", 12)
    retries = Retries(first_pause_s=0.01, longest_pause_s=0.05, longest_rest_s=0.05, rest_s=0.01)
    async with open_lotus_chain([url], retries=retries) as chain, aclosing(chain.follow(EventFilter())) as stream:
        assert isinstance(await asyncio.wait_for(anext(stream), 20), HeadChanges)
        await order("Sim.Fault", {"methods": methods, "kind": kind, "share": 1, "count": 1})
        for _ in range(2):
            await order("Sim.Mine", 1, 1)
        while not isinstance(item := await asyncio.wait_for(anext(stream), 20), StreamGap):
            assert item
        after = await asyncio.wait_for(anext(stream), PATIENCE_S)
        assert isinstance(after, HeadChanges)
        return item, [change.kind for change in after.changes]


@pytest.mark.parametrize("kind", ["garbage", "429", "cut", "lost", "stale", "network"])
async def test_a_follower_sees_a_gap_where_a_frame_was_struck(empty: str, kind: str) -> None:
    gap, after = await _gap_of(empty, kind, ["Filecoin.ChainNotify"])
    assert gap.last_head is not None
    assert after == ["current"]


@pytest.mark.parametrize("kind", ["garbage", "429", "cut"])
async def test_a_follower_comes_through_an_opening_that_was_struck(empty: str, kind: str) -> None:
    order = {"methods": ["Filecoin.ChainNotify"], "kind": kind, "share": 1, "count": 2}
    await asyncio.to_thread(ask, empty, "Sim.Fault", order)
    retries = Retries(first_pause_s=0.01, longest_pause_s=0.05, longest_rest_s=0.05, rest_s=0.01)
    async with open_lotus_chain([empty], retries=retries) as chain, aclosing(chain.head_changes()) as stream:
        items = [await asyncio.wait_for(anext(stream), PATIENCE_S) for _ in range(3)]
    assert [type(item) for item in items] == [StreamGap, StreamGap, HeadChanges]


async def test_a_follower_sees_the_fork_that_a_fault_makes(empty: str) -> None:
    await asyncio.to_thread(ask, empty, "Sim.Mine", 5)
    async with open_lotus_chain([empty]) as chain, aclosing(chain.head_changes()) as stream:
        await asyncio.wait_for(anext(stream), PATIENCE_S)
        order = {"methods": ["Filecoin.ChainNotify"], "kind": "fork", "share": 1, "count": 1}
        await asyncio.to_thread(ask, empty, "Sim.Fault", order)
        await asyncio.to_thread(ask, empty, "Sim.Mine", 1, 1)
        items = [await asyncio.wait_for(anext(stream), PATIENCE_S) for _ in range(2)]
    changes = [[change.kind for change in item.changes] for item in items if isinstance(item, HeadChanges)]
    assert [kinds[0] for kinds in changes] == ["apply", "revert"]


def test_it_mines_by_itself_at_its_pace(program: Filplus) -> None:
    with program.chain("--block-time", "0.05") as url, suppress(TimeoutError):
        while ask(url, "Filecoin.ChainHead")["Height"] < 5:
            pass


def test_the_same_seed_and_orders_make_the_same_chain(program: Filplus) -> None:
    def told(seed: int) -> Any:
        with program.chain("--block-time", "0", "--seed", str(seed)) as url:
            ask(url, "Sim.Allocate", "f09000", "f01000", [{"piece_cid": PIECE, "size_bytes": 1 << 35}])
            ask(url, "Sim.Fork", 2)
            return ask(url, "Filecoin.ChainHead")["Cids"]

    assert told(7) == told(7) != told(8)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--block-time", "-1"), 2, "write seconds"),
        (("--block-time", "soon"), 2, "write seconds"),
        (("--seed", "x"), 2, "--seed"),
        (("--listen", "nowhere"), 2, "HOST:PORT"),
        (("--from", "/nowhere/claims.json"), 1, "/nowhere/claims.json can't be read"),
        (("--from", "-", "-"), 2, "only once"),
        (("claims.json",), 2, "come after --from"),
    ],
)
def test_what_it_can_not_start_with_is_told(
    program: Filplus, arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    ended = program("chain", "serve", *arguments)
    assert ended.returncode == exit_code, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_no_state_is_refused(program: Filplus, tmp_path: Path) -> None:
    pieces = tmp_path / "odd.json"
    pieces.write_text('{"1": {"What": "ever"}}')
    ended = program("chain", "serve", "--from", str(pieces))
    assert (ended.returncode, "odd.json" in ended.stderr) == (1, True)


def test_an_address_that_is_taken_is_told(program: Filplus, empty: str) -> None:
    ended = program("chain", "serve", "--listen", empty.removeprefix("http://").removesuffix("/rpc/v1"))
    assert ended.returncode == 2
    assert "can't listen on" in ended.stderr
