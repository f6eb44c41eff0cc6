"""Batches and nodes that refuse them, the sources of finality, tokens and who is shown them."""

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from node.chain import errors
from node.lotus.endpoint import parse_endpoint, split_tokens
from node.lotus.opening import warn_of_open_tokens
from node.lotus.transport import Call, RpcFault
from tests.recordings_player import recorded_calls
from tests.unit.lotus.chains import Scripted, Time, chain_over
from tests.unit.lotus.questions import TIPSET

HEAD = next(
    call.response["result"]
    for call in recorded_calls("03-reads-errors-events-nv28")
    if call.method == "Filecoin.ChainHead" and isinstance(call.response, dict) and "result" in call.response
)
MISSING = RpcFault(-32601, "method not found")


class Batching(Scripted):
    """Counts its batches, and refuses them as `refusal` says."""

    def __init__(self, refusal: Exception | None = None, answer: Any = None) -> None:
        super().__init__(lambda _: answer)
        self.refusal = refusal
        self.batches: list[int] = []

    async def batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        self.batches.append(len(calls))
        if self.refusal is not None:
            raise self.refusal
        return await super().batch(calls)


async def test_many_tipsets_are_one_batch() -> None:
    node = Batching()
    assert await chain_over(node).executed_messages_of([TIPSET] * 20) == ((),) * 20
    assert node.batches == [40]


@pytest.mark.parametrize(
    "refusal",
    [
        RpcFault(-32600, "batch requests are not supported"),
        RpcFault(-32000, "batch limit 10 exceeded"),
        RpcFault(-32601, "method '' not found"),
        errors.BadRequest("the node makes no sense of the request (HTTP 400)"),
        errors.RequestFailed("the node refuses the request (HTTP 413)"),
    ],
)
async def test_a_node_that_refuses_batches_is_asked_one_by_one_and_not_bothered_again(refusal: Exception) -> None:
    node, time = Batching(refusal), Time()
    chain = chain_over(node, time=time)
    for _ in range(3):
        assert await chain.executed_messages_of([TIPSET] * 2) == ((), ())
    assert node.batches == [4]
    assert len(node.asked) == 12
    time.now_s += 3600
    await chain.executed_messages(TIPSET)
    assert node.batches == [4, 2]


@pytest.mark.parametrize(
    "failure", [errors.NodeTimeout("no"), errors.RateLimited("no"), errors.GarbledAnswer("no"), RpcFault(429, "no")]
)
async def test_an_ill_node_is_not_asked_more_because_it_failed_a_batch(failure: Exception) -> None:
    node = Batching(failure)
    with pytest.raises(errors.ChainError):
        await chain_over(node).executed_messages(TIPSET)
    assert not node.asked


async def test_what_fails_one_by_one_too_was_no_matter_of_batches() -> None:
    node = Batching(RpcFault(-32600, "Invalid request"), answer=RpcFault(1, "ipld: could not find bafy"))
    chain = chain_over(node)
    for _ in range(2):
        with pytest.raises(errors.NotFound):
            await chain.executed_messages(TIPSET)


def _finality(*, v2: Any, v1: Any) -> Scripted:
    def answer(call: Call) -> Any:
        if call.version == 2:
            return v2
        if call.method == "Filecoin.ChainGetTipSetByHeight":
            return {**HEAD, "Height": call.params[0], "Blocks": [{**HEAD["Blocks"][0], "Height": call.params[0]}]}
        return v1 if call.method == "Filecoin.ChainGetFinalizedTipSet" else deep

    deep = {**HEAD, "Height": 5000, "Blocks": [{**HEAD["Blocks"][0], "Height": 5000}]}
    return Scripted(answer)


TOO_YOUNG = RpcFault(1, "height -639 is negative")


@pytest.mark.parametrize(
    ("v2", "v1", "level", "source", "epoch"),
    [
        (HEAD, HEAD, "finalized", "v2_tag", 261),
        (MISSING, HEAD, "finalized", "v1_call", 261),
        (RpcFault(4, "f3 is disabled"), HEAD, "finalized", "v1_call", 261),
        (MISSING, TOO_YOUNG, "finalized", "depth", 4100),
        (MISSING, MISSING, "finalized", "depth", 4100),
        (HEAD, MISSING, "safe", "v2_tag", 261),
        (MISSING, HEAD, "safe", "depth", 4800),
    ],
)
async def test_finality_says_whose_word_it_is(v2: Any, v1: Any, level: Any, source: str, epoch: int) -> None:
    found = await chain_over(_finality(v2=v2, v1=v1)).finality(level)
    assert (found.level, found.source, found.tipset.epoch) == (level, source, epoch)


async def test_an_ill_node_is_no_source_of_finality() -> None:
    with pytest.raises(errors.NodeTimeout):
        await chain_over(_finality(v2=errors.NodeTimeout("no answer"), v1=HEAD)).finality()


async def test_a_missing_method_of_one_version_is_none_of_the_other() -> None:
    node = _finality(v2=MISSING, v1=HEAD)
    chain = chain_over(node)
    await chain.finality()
    await chain.finality()
    assert sum(call.version == 2 for call in node.asked) == 1
    assert chain.health()[0].missing_methods == ("Filecoin.ChainGetTipSet (v2)",)
    assert (await chain.tipset(TIPSET.key)).epoch == 5000


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (None, ()),
        ("", ()),
        ("  ", ()),
        ("abc", ("abc",)),
        (" abc , def\n", ("abc", "def")),
        (",def", (None, "def")),
        ("abc,,ghi", ("abc", None, "ghi")),
    ],
)
def test_tokens_stand_in_the_order_of_the_nodes(text: str | None, tokens: tuple[str | None, ...]) -> None:
    assert split_tokens(text) == tokens


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://api.example.com/rpc/v1", True),
        ("ws://api.example.com/rpc/v1", True),
        ("http://1.2.3.4:1234/rpc/v1", True),
        ("http://[2001:db9::1]:1234/rpc/v1", True),
        ("http://internal.example.com/rpc/v1", True),
        ("https://api.example.com/rpc/v1", False),
        ("http://127.0.0.1:1234/rpc/v1", False),
        ("http://[::1]:1234/rpc/v1", False),
        ("http://10.1.2.3:1234/rpc/v1", False),
        ("http://192.168.0.7:1234/rpc/v1", False),
        ("http://[fd00::1]:1234/rpc/v1", False),
        ("http://localhost:1234/rpc/v1", False),
        ("http://lotus:1234/rpc/v1", False),
        ("http://lotus.internal:1234/rpc/v1", False),
    ],
)
def test_a_token_that_goes_unencrypted_into_the_world_is_warned_of(url: str, warned: bool) -> None:
    with capture_logs() as logs:
        warn_of_open_tokens([parse_endpoint(url, token="SECRET"), parse_endpoint(url)])
    assert [entry["event"] for entry in logs] == ["token_unencrypted"] * warned
    assert "SECRET" not in repr(logs)


@pytest.mark.parametrize(
    ("url", "of_v2"),
    [
        ("http://a:1234/rpc/v1", "http://a:1234/rpc/v2"),
        ("https://b/key/rpc/v1", "https://b/key/rpc/v2"),
        ("https://b/", None),
        ("https://b/rpc/v0", None),
    ],
)
def test_the_second_version_is_beside_the_first(url: str, of_v2: str | None) -> None:
    assert parse_endpoint(url).url_of(2) == of_v2
