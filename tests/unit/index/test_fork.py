"""Dump files as the start of a chain: what is taken, from which epoch, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer.errors import CorruptFile, EpochMissing, KindUnknown, NotForkable, UnreadableFile
from explorer.index.fork import read_fork
from node.sim.chain import SimulatedChain
from node.sim.options import Options
from node.sim.rpc.dispatch import Dispatcher, open_node
from tests.unit.index.dumps import piece_cid

PIECE = {"/": piece_cid(1).to_text()}
CLAIM = {
    "Provider": 1000,
    "Client": 2000,
    "Data": PIECE,
    "Size": 1 << 35,
    "TermMin": 518400,
    "TermMax": 777600,
    "TermStart": 4_000_000,
    "Sector": 7,
}
DEAL = {
    "Proposal": {
        "PieceCID": PIECE,
        "PieceSize": 1 << 35,
        "VerifiedDeal": True,
        "Client": "f02000",
        "Provider": "f01000",
        "Label": "a label",
        "StartEpoch": 3_900_000,
        "EndEpoch": 5_000_000,
        "StoragePricePerEpoch": "3",
        "ProviderCollateral": "11",
        "ClientCollateral": "0",
    },
    "State": {"SectorNumber": 9, "SectorStartEpoch": 3_890_000, "LastUpdatedEpoch": -1, "SlashEpoch": -1},
}
Write = Callable[[str, object], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, document: object) -> str:
        (tmp_path / name).write_text(document if isinstance(document, str) else json.dumps(document))
        return str(tmp_path / name)

    return written


def ask(imported: Any, method: str, *params: Any) -> Any:
    dispatcher = Dispatcher(open_node(SimulatedChain(Options(imported=imported))))
    return dispatcher.call(f"Filecoin.{method}", list(params))


def test_a_chain_starts_with_the_records_at_their_largest_epoch(write: Write) -> None:
    imported, fork = read_fork([write("claims.json", {"5": CLAIM}), write("deals.json", {"8": DEAL})])
    assert (fork.epoch, dict(fork.records), dict(fork.rejected)) == (4_000_000, {"claims": 1, "deals": 1}, {})
    assert ask(imported, "ChainHead")["Height"] == 4_000_000
    assert ask(imported, "StateGetAllClaims", []) == {"5": CLAIM}
    assert ask(imported, "StateMarketDeals", []) == {"8": DEAL}


def test_files_of_one_kind_are_taken_together_at_the_epoch_that_is_said(write: Write) -> None:
    files = [write("one.json", {"5": CLAIM}), write("two.ndjson", json.dumps({"ClaimID": 6, **CLAIM}))]
    imported, fork = read_fork(files, at_epoch=4_100_000)
    assert (fork.epoch, fork.records["claims"]) == (4_100_000, 2)
    assert set(ask(imported, "StateGetAllClaims", [])) == {"5", "6"}


def test_what_can_not_be_taken_is_counted_by_reason(write: Write) -> None:
    claims = {"5": CLAIM, "6": {**CLAIM, "Size": "huge"}}
    _, fork = read_fork([write("claims.json", claims), write("none.json", {})])
    assert (fork.records["claims"], fork.rejected.total()) == (1, 1)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"1": {"What": "ever"}}, KindUnknown),
        ([{"entries": [], "emitter": "f06"}], NotForkable),
        ('{"5": {"Provider"', CorruptFile),
        ({"5": {**CLAIM, "TermStart": "never"}}, EpochMissing),
    ],
)
def test_what_no_chain_can_start_from_is_refused(write: Write, document: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"odd\.json|none of the 1 records"):
        read_fork([write("odd.json", document)])


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UnreadableFile, match=r"/nowhere/claims\.json"):
        read_fork(["/nowhere/claims.json"])
