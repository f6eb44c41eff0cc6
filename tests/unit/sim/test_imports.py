"""A chain that goes on from a real network's records."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cid import CODEC_RAW, HASH_SHA2_256, Cid
from node.market import Deal
from node.registry import Allocation, Claim
from node.sim.chain import Options
from node.sim.genesis import Imported, import_records
from node.sim.imports import DealTerms, TermedDeal, parse_terms
from node.sim.tables import PackedTable
from tests.unit.sim.builders import Caller, pieces

EPOCH = 4_622_139


def imported_claims(count: int) -> Iterator[Claim]:
    """Claims that two providers share."""
    for number in range(1, count + 1):
        yield Claim(
            id=number,
            client_id=2000 + number % 3,
            provider_id=7000 + number % 2,
            piece=bytes([number % 64]) * 31 + b"\0",
            data_cid=None,
            size_bytes=1 << 35,
            term_min_epochs=518_400,
            term_max_epochs=1_576_800,
            term_start_epoch=4_000_000,
            sector=number,
        )


def _allocation() -> Allocation:
    odd = Cid(1, CODEC_RAW, HASH_SHA2_256, bytes(32))
    return Allocation(
        id=900,
        client_id=2000,
        provider_id=7000,
        piece=None,
        data_cid=odd.to_bytes(),
        size_bytes=1 << 30,
        term_min_epochs=518_400,
        term_max_epochs=1_576_800,
        expiration_epoch=EPOCH + 1000,
    )


def _deal(deal_id: int, label: bytes) -> Deal:
    return Deal(
        id=deal_id,
        client_id=2001,
        provider_id=7001,
        piece=bytes(32),
        data_cid=None,
        size_bytes=1 << 34,
        verified=True,
        label=label,
        label_known=True,
        start_epoch=4_600_000,
        end_epoch=5_600_000,
        sector_start_epoch=4_590_000,
        last_updated_epoch=-1,
        slash_epoch=-1,
    )


def _imported() -> Imported:
    return import_records(
        epoch=EPOCH, deals=[_deal(50, b"x"), _deal(7, b"\xff")], claims=imported_claims(20), allocations=[_allocation()]
    )


def _caller() -> Caller:
    return Caller(Options(seed=1, imported=_imported()))


def test_the_chain_goes_on_at_the_records_epoch_with_their_state() -> None:
    caller = _caller()
    assert caller.height == EPOCH
    assert caller("ChainHead")["Blocks"][0]["Timestamp"] == 1598306400 + 30 * EPOCH
    assert len(caller("StateGetAllClaims", None)) == 20
    assert list(caller("StateGetClaims", "f07001", None)) == ["1", "11", "13", "15", "17", "19", "3", "5", "7", "9"]
    assert caller("StateGetAllocation", "f02000", 900, None)["Data"]["/"].startswith("bafkrei")
    assert caller("StateMarketStorageDeal", 7, None)["Proposal"]["Label"] == ""
    assert caller("StateMarketStorageDeal", 50, None)["State"]["SectorStartEpoch"] == 4_590_000


def test_their_parties_are_actors_whose_messages_can_be_sent() -> None:
    caller = _caller()
    ids = caller("Sim.Allocate", "f02001", "f07000", pieces(1))
    assert ids == [901]
    assert caller("Sim.Onboard", "f07000", [901, 2]) == [{"id": 901, "sector": 1000}, {"id": 2, "sector": 2}]
    assert caller("WalletHas", caller("StateAccountKey", "f02001", None))


def test_an_imported_allocation_is_claimed_and_an_imported_sector_terminated() -> None:
    caller = _caller()
    caller("Sim.Onboard", "f07000", [900])
    assert caller("StateGetClaim", "f07000", 900, None)["Client"] == 2000
    assert caller("Sim.Terminate", "f07001", 5)["terminated"] is True
    assert caller("StateGetClaim", "f07001", 5, None) is not None


def test_a_fork_does_not_reach_below_the_records_epoch() -> None:
    caller = _caller()
    caller("Sim.Mine", 2)
    first = caller("ChainGetTipSetByHeight", EPOCH, None)["Cids"]
    caller("Sim.Fork", 50)
    assert caller("ChainGetTipSetByHeight", EPOCH, None)["Cids"] == first


@given(st.dictionaries(st.integers(0, 2**40), st.binary(max_size=20)))
def test_rows_in_any_order_are_found_by_id_and_by_owner(rows: dict[int, bytes]) -> None:
    owners = {row_id: row_id % 3 for row_id in rows}
    packed = [(row_id, owners[row_id].to_bytes(8, "little") + row) for row_id, row in rows.items()]
    table: PackedTable[bytes] = PackedTable(packed, unpack=lambda row: row[8:], owner_at=0)
    assert dict(table.items()) == rows
    assert [at for at, _ in table.items()] == sorted(rows)
    assert all(table.get(at) == row for at, row in rows.items())
    assert list(table.ids_of(1)) == sorted(at for at, owner in owners.items() if owner == 1)
    assert table.get(2**41) is None


def test_a_deals_price_collateral_and_sector_are_kept() -> None:
    document = {
        "Proposal": {"StoragePricePerEpoch": "7", "ProviderCollateral": "11361143711469027", "ClientCollateral": 3},
        "State": {"SectorNumber": 12},
    }
    deals = [TermedDeal(_deal(5, b"label"), parse_terms(document)), TermedDeal(_deal(6, b"\xff"), DealTerms())]
    caller = Caller(Options(imported=import_records(epoch=EPOCH, deals=deals)))
    shown = caller("StateMarketStorageDeal", 5, None)
    kept = {
        name: shown["Proposal"][name] for name in ("StoragePricePerEpoch", "ProviderCollateral", "ClientCollateral")
    }
    assert kept == {"StoragePricePerEpoch": "7", "ProviderCollateral": "11361143711469027", "ClientCollateral": "3"}
    assert shown["State"]["SectorNumber"] == 12
    assert caller("StateMarketStorageDeal", 6, None)["State"]["SectorNumber"] == 0
    assert caller("Sim.Terminate", "f07001", 12)["terminated"] is True
    assert list(caller("StateMarketDeals", None)) == ["6"]
    assert caller("StateMarketBalance", "f07001", None) == {"Escrow": "0", "Locked": "0"}


@pytest.mark.parametrize("value", [None, "", "-1", -1, "x", "1" * 41, 2**63, 1.5, True, [], {}])
def test_terms_that_are_none_are_nothing(value: object) -> None:
    for document in ({"State": {"SectorNumber": value}}, {"State": value, "Proposal": value}):
        assert parse_terms(document) == DealTerms()
    assert parse_terms({"Proposal": {"ClientCollateral": value}}).client_collateral_attofil in {0, 2**63}
