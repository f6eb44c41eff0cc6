"""Sectors one by one: empty ones that get data later, and what the node tells of a miner's."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from node.actors import miner
from node.address import parse_address
from node.cbor import decode
from node.sim.errors import RpcFault
from node.sim.rpc.sector_methods import runs_of
from tests.unit.sim.builders import CLIENT, GIB, PROVIDER, Caller, piece_cid, pieces

SEALED = replace(piece_cid(9), codec=0xF102, hash_code=0xB401)


def executed(caller: Caller, method: Any, params: Any) -> Any:
    """The lookup of a message of the provider's worker."""
    worker = caller("StateMinerInfo", PROVIDER, None)["Worker"]
    raw = base64.b64encode(method.params.to_bytes(params)).decode()
    message = {"From": worker, "To": PROVIDER, "Method": method.numbers[0], "Params": raw}
    signed = caller("MpoolPushMessage", message, None)
    caller("Sim.Mine", 2)
    return caller("StateSearchMsg", None, signed["CID"], -1, True)["Receipt"]


def with_empty_sector() -> tuple[Caller, int]:
    """A provider with the empty sector 5, and an allocation for it."""
    caller = Caller()
    (allocation_id,) = caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    announced = miner.SectorPreCommit(8, 5, SEALED, 0, (), caller.height + 600_000, None)
    executed(caller, miner.PRE_COMMIT_SECTOR_BATCH, miner.PreCommitSectorBatchParams((announced,)))
    proven = miner.ProveCommitSectorsParams((miner.SectorActivation(5, ()),), (b"p",), b"", None, True, True)
    assert executed(caller, miner.PROVE_COMMIT_SECTORS, proven)["ExitCode"] == 0
    return caller, allocation_id


def update(caller: Caller, allocation_id: int, *, sector: int = 5, number: int = 1) -> Any:
    """Puts a piece with an allocation into a sector."""
    client_id = parse_address(CLIENT).actor_id or 0
    piece = miner.PieceActivation(piece_cid(number), GIB, miner.AllocationKey(client_id, allocation_id), ())
    updates = (miner.SectorUpdate(sector, 0, 0, replace(SEALED, digest=bytes(32)), (piece,)),)
    params = miner.ProveReplicaUpdatesParams(updates, (b"p",), b"", 3, None, True, True)
    return executed(caller, miner.PROVE_REPLICA_UPDATES, params)


def test_an_empty_sector_gets_data_and_its_allocation_is_claimed() -> None:
    caller, allocation_id = with_empty_sector()
    before = caller("StateSectorGetInfo", PROVIDER, 5, None)
    assert update(caller, allocation_id)["ExitCode"] == 0
    claim = caller("StateGetClaim", PROVIDER, allocation_id, None)
    after = caller("StateSectorGetInfo", PROVIDER, 5, None)
    assert claim["Sector"] == 5
    assert (before["VerifiedDealWeight"], after["Activation"]) == ("0", before["Activation"])
    assert int(after["VerifiedDealWeight"]) == GIB * (after["Expiration"] - claim["TermStart"])
    kinds = [
        decode(base64.b64decode(one["entries"][0]["Value"])) for one in caller("GetActorEventsRaw", {"fromHeight": 0})
    ]
    assert kinds[-2:] == ["claim", "sector-updated"]


@pytest.mark.parametrize(("sector", "number"), [(6, 1), (5, 2)])
def test_an_update_of_no_sector_or_with_another_piece_is_refused(sector: int, number: int) -> None:
    caller, allocation_id = with_empty_sector()
    with pytest.raises(RpcFault, match="exit"):
        update(caller, allocation_id, sector=sector, number=number)
    assert caller("StateGetClaims", PROVIDER, None) == {}


def test_a_sector_with_data_is_not_updated_again() -> None:
    caller, allocation_id = with_empty_sector()
    update(caller, allocation_id)
    (another,) = caller("Sim.Allocate", CLIENT, PROVIDER, pieces(2))
    with pytest.raises(RpcFault, match="invalid updates"):
        update(caller, another, number=2)


def test_a_miners_sectors_are_listed() -> None:
    caller, _ = with_empty_sector()
    (listed,) = caller("StateMinerSectors", PROVIDER, None, None)
    assert listed == caller("StateSectorGetInfo", PROVIDER, 5, None)
    assert caller("StateMinerActiveSectors", PROVIDER, None) == [listed]
    assert caller("StateMinerSectors", PROVIDER, [5, 1], None) == [listed]
    assert caller("StateMinerSectors", PROVIDER, [0, 5], None) is None
    assert caller("StateMinerAllocated", PROVIDER, None) == [5, 1]
    assert caller("StateMinerSectorAllocated", PROVIDER, 5, None) is True
    assert caller("StateMinerFaults", PROVIDER, None) == [0]
    assert caller("StateSectorExpiration", PROVIDER, 5, None) == {"OnTime": listed["Expiration"], "Early": 0}
    with pytest.raises(RpcFault, match="sector not found"):
        caller("StateSectorExpiration", PROVIDER, 6, None)


@pytest.mark.parametrize(
    ("numbers", "runs"), [([], [0]), ([0], [0, 1]), ([0, 1, 5], [0, 2, 3, 1]), ([3, 4], [3, 2]), ([7, 2], [2, 1, 4, 1])]
)
def test_sets_of_numbers_are_runs(numbers: list[int], runs: list[int]) -> None:
    assert runs_of(numbers) == runs


def test_what_a_sector_commits_to_is_computed() -> None:
    """A sector of a single piece of its own size commits to that piece."""
    caller, piece = Caller(), {"Size": 2048, "PieceCID": {"/": piece_cid(1).to_text()}}
    assert caller("StateComputeDataCID", "f01000", 5, [piece], None) == piece["PieceCID"]
    assert caller("StateComputeDataCID", "f01000", 8, [piece], None) != piece["PieceCID"]


@pytest.mark.parametrize(("proof", "size"), [(5, 4096), (8, 0), (8, 100), (8, 1 << 40), (99, 2048), (-1, 2048)])
def test_pieces_that_fit_no_sector_are_refused(proof: int, size: int) -> None:
    piece = {"Size": size, "PieceCID": {"/": piece_cid(1).to_text()}}
    with pytest.raises(RpcFault):
        Caller()("StateComputeDataCID", "f01000", proof, [piece], None)


def test_an_allocation_that_fits_no_sector_is_not_onboarded() -> None:
    """The registry takes any size above the least; no sector commits to a piece of it."""
    caller = Caller()
    odd, even = caller(
        "Sim.Allocate",
        CLIENT,
        PROVIDER,
        [{"piece_cid": str(piece_cid(one)), "size_bytes": size} for one, size in ((1, 3 << 20), (2, 4 << 20))],
    )
    with pytest.raises(RpcFault, match=f"allocation {odd} fits no sector: 3145728 bytes are no power of 2"):
        caller("Sim.Onboard", PROVIDER, [odd])
    assert [one["id"] for one in caller("Sim.Onboard", PROVIDER, [even])] == [even]
