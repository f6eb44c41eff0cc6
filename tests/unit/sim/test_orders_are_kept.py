"""Orders that no message shows: nothing that was reverted makes them forgotten."""

from collections.abc import Callable

import pytest

from node.sim.chain import Options
from node.sim.genesis import import_records
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces
from tests.unit.sim.test_imports import EPOCH, imported_claims

NEW = "f01777"
ORDERS: dict[str, Callable[[Caller], object]] = {
    "Sim.AddVerifier": lambda caller: caller("Sim.AddVerifier", NEW, "1000000000000"),
    "Sim.Fund": lambda caller: caller("Sim.Fund", NEW, "5"),
    "Sim.Allocate": lambda caller: caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1)),
}


@pytest.mark.parametrize("verb", ORDERS)
@pytest.mark.parametrize("blocks", [(1, 1), (1, 5)])
def test_an_order_after_a_revert_is_obeyed(verb: str, blocks: tuple[int, int]) -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=blocks))
    caller("Sim.Mine", 1)
    number = caller("Sim.Snapshot")
    caller("Sim.Mine", 5)
    caller("Sim.Revert", number)
    ORDERS[verb](caller)
    assert len(caller.chain.mempool.messages()) == 0


def test_an_order_is_obeyed_whatever_was_seen_of_its_tipset_while_it_grew() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(3, 3)))
    caller("Sim.Mine", 1)
    caller.chain.listen(lambda _: caller.chain.state_after(caller.chain.head) and None)
    number = caller("Sim.Snapshot")
    ORDERS["Sim.AddVerifier"](caller)
    for count in (1, 2, 3):
        caller("Sim.Revert", number)
        caller.chain.options = Options(seed=1, blocks_per_tipset=(count, count))
        assert ORDERS["Sim.AddVerifier"](caller) == {"verifier": NEW, "allowance": "1000000000000"}


def test_a_sector_of_an_imported_claim_is_made_after_a_revert() -> None:
    (claim,) = imported_claims(1)
    caller = Caller(Options(imported=import_records(epoch=EPOCH, claims=[claim])))
    caller("Sim.Mine", 1)
    number = caller("Sim.Snapshot")
    caller("Sim.Mine", 2)
    caller("Sim.Revert", number)
    assert caller("Sim.Terminate", f"f0{claim.provider_id}", claim.sector)["terminated"]


def test_an_upgrade_that_is_ordered_after_a_revert_takes_place() -> None:
    caller = Caller()
    caller("Sim.Mine", 1)
    number = caller("Sim.Snapshot")
    caller("Sim.Mine", 6)
    caller("Sim.Revert", number)
    caller("Sim.Upgrade", 29, 3)
    caller("Sim.Mine", 6)
    assert caller.chain.state_at(caller.chain.head).version == 29


def test_a_tipset_with_an_order_is_another_than_one_without() -> None:
    ordered, plain = Caller(), Caller()
    ordered("Sim.AddVerifier", NEW, "1000000000000")
    plain("Sim.Mine", 1)
    assert ordered.chain.canon.at(1).key != plain.chain.canon.at(1).key
