"""Benchmarks of the way to the chain: a huge answer as it streams, and the wire against no wire."""

import asyncio
import json
import socket
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from node.devnet.serving import serving
from node.lotus.client import LotusChain
from node.lotus.in_process import InProcessTransport
from node.lotus.opening import lotus_chain, open_lotus_chain
from node.lotus.transport import Call, Frame
from node.sim.chain import SimulatedChain
from node.sim.rpc.dispatch import Dispatcher, open_node
from tests.bench.cases import Case
from tests.bench.service import write_claims

_PIECE_CHARS = 1 << 16


class _Text:
    """A transport whose one answer is in memory."""

    name = "text"

    def __init__(self, text: str) -> None:
        self._text = text

    async def call(self, call: Call) -> object:
        raise NotImplementedError(call.method)

    async def batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        raise NotImplementedError(str(calls))

    async def stream(self, call: Call) -> AsyncGenerator[str, None]:
        del call
        for start in range(0, len(self._text), _PIECE_CHARS):
            yield self._text[start : start + _PIECE_CHARS]

    async def subscribe(self, calls: Sequence[Call]) -> AsyncGenerator[Frame, None]:
        raise NotImplementedError(str(calls))
        yield

    async def close(self) -> None:
        """Nothing."""


def _claims_over_parse(quick: bool) -> list[float]:
    """The time for every claim of an answer of StateGetAllClaims, typed, over parsing its text at once."""
    count, runs = (50_000, 2) if quick else (200_000, 3)
    with tempfile.TemporaryDirectory(prefix="filplus-bench-") as top:
        path = Path(top) / "claims.json"
        write_claims(path, count)
        text = f'{{"id":1,"jsonrpc":"2.0","result":{path.read_text()}}}'
    return [_one_claims_run(text, count) for _ in range(runs)]


def _one_claims_run(text: str, count: int) -> float:
    started = time.perf_counter()
    json.loads(text)
    parsing = time.perf_counter() - started
    started = time.perf_counter()
    read = asyncio.run(_read_claims(lotus_chain([_Text(text)])))
    if read != count:
        raise RuntimeError(f"{read} of {count} claims came")
    return (time.perf_counter() - started) / parsing


async def _read_claims(chain: LotusChain) -> int:
    count = 0
    async for _ in chain.claims():
        count += 1
    return count


def _wire_over_none(quick: bool) -> list[float]:
    """The median time of a call over HTTP, over that of the same call in process."""
    runs, times = (1, 300) if quick else (3, 2000)
    return asyncio.run(_wire_runs(runs, times))


async def _wire_runs(runs: int, times: int) -> list[float]:
    near = lotus_chain([InProcessTransport(Dispatcher(open_node(SimulatedChain())))])
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1"
        async with serving(open_node(SimulatedChain()), bound), open_lotus_chain([url]) as far:
            return [await _median_s(far, times) / await _median_s(near, times) for _ in range(runs)]


async def _median_s(chain: LotusChain, times: int) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        await chain.head()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


CHAIN_CASES = (
    Case("claims", 6.0, "of json.loads", "StateGetAllClaims as it streams, typed, over parsing it", _claims_over_parse),
    Case("wire", 15.0, "of in process", "ChainHead over HTTP, over asking the simulated node itself", _wire_over_none),
)
