"""Whatever is ordered, in whatever sequence: what has to hold all the same."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from node.sim.chain import Options, SimulatedChain
from node.sim.errors import RpcFault
from node.sim.state import State
from node.sim.store import Store
from node.tokens import TOKENS_PER_BYTE
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces, proposal

ORDERS = st.lists(
    st.one_of(
        st.tuples(st.just("mine"), st.integers(1, 3)),
        st.tuples(st.just("null"), st.integers(1, 4)),
        st.tuples(st.just("allocate"), st.integers(1, 3)),
        st.tuples(st.just("onboard"), st.integers(1, 6)),
        st.tuples(st.just("publish"), st.booleans()),
        st.tuples(st.just("activate"), st.integers(0, 3)),
        st.tuples(st.just("fork"), st.integers(1, 6)),
        st.tuples(st.just("terminate"), st.integers(1000, 1003)),
        st.tuples(st.just("travel"), st.sampled_from([10, 200_000])),
    ),
    max_size=9,
)


def obey(caller: Caller, orders: list[tuple[str, Any]]) -> None:
    """Gives the orders. Some cannot be followed, which is an RpcFault and nothing else."""
    for number, (order, amount) in enumerate(orders):
        try:
            _give(caller, number, order, amount)
        except RpcFault:
            continue


def _give(caller: Caller, number: int, order: str, amount: Any) -> None:
    verbs = {
        "mine": lambda: caller("Sim.Mine", amount),
        "null": lambda: caller("Sim.NullRounds", amount),
        "allocate": lambda: caller("Sim.Allocate", CLIENT, PROVIDER, pieces(*range(number, number + amount))),
        "onboard": lambda: caller("Sim.Onboard", PROVIDER, [amount]),
        "publish": lambda: caller("Sim.PublishDeals", [_proposal(caller, number, verified=amount)]),
        "activate": lambda: caller("Sim.ActivateDeals", [amount]),
        "fork": lambda: caller("Sim.Fork", amount),
        "terminate": lambda: caller("Sim.Terminate", PROVIDER, amount),
        "travel": lambda: caller("Sim.TimeTravel", caller.height + amount),
    }
    verbs[order]()


def _proposal(caller: Caller, number: int, *, verified: bool) -> dict[str, Any]:
    start = caller.height + 3000
    return proposal(number, VerifiedDeal=verified, StartEpoch=start, EndEpoch=start + 600_000)


def check(state: State) -> None:
    """What holds in every state."""
    token, registry = state.token, state.registry
    assert token.supply == sum(token.balances.values())
    held = sum(one.size_bytes for _, one in registry.allocations.items()) * TOKENS_PER_BYTE
    assert token.balances.get(6, 0) == held
    allocations = {at for at, _ in registry.allocations.items()}
    claims = {at for at, _ in registry.claims.items()}
    assert not allocations & claims
    assert all(at < registry.next_allocation_id for at in allocations | claims)
    assert all(amount >= 0 for amount in state.market.escrow.values())
    assert all(state.market.escrow.get(at, 0) >= amount for at, amount in state.market.locked.items())
    assert all(actor.balance_attofil >= 0 for actor in state.actors.values())


def funds(state: State) -> int:
    """All attoFIL there are."""
    return sum(actor.balance_attofil for actor in state.actors.values())


@settings(max_examples=25)
@given(ORDERS)
def test_supply_ids_and_funds_add_up_in_every_state(orders: list[tuple[str, Any]]) -> None:
    caller = Caller()
    total = funds(caller.chain.state_at(caller.chain.head))
    obey(caller, orders)
    for tipset in caller.chain.store.ancestors(caller.chain.head):
        state = caller.chain.state_after(tipset)
        check(state)
        assert funds(state) == total


def _replayed(chain: SimulatedChain) -> Store:
    """The blocks of the head's chain, executed anew from the genesis."""
    store = Store(chain.store.genesis, chain.store.setting)
    store.add(chain.store.genesis)
    store.executions[chain.store.genesis.key] = chain.store.executions[chain.store.genesis.key]
    for tipset in reversed(list(chain.store.ancestors(chain.head))[:-1]):
        store.add(tipset, chain.store.implicit[tipset.key])
    return store


@settings(max_examples=15)
@given(ORDERS)
def test_the_state_after_forks_is_that_of_a_fresh_replay(orders: list[tuple[str, Any]]) -> None:
    caller = Caller()
    obey(caller, orders)
    fresh = _replayed(caller.chain).execution(caller.chain.head)
    assert fresh.state_root == caller.chain.execution_of(caller.chain.head).state_root
    assert fresh.state == caller.chain.state_after(caller.chain.head)


@settings(max_examples=10)
@given(ORDERS, ORDERS)
def test_revert_restores_the_snapshot(before: list[tuple[str, Any]], after: list[tuple[str, Any]]) -> None:
    caller = Caller()
    obey(caller, before)
    head, state = caller.chain.head, caller.chain.state_at(caller.chain.head)
    pending = caller("MpoolPending", None)
    number = caller("Sim.Snapshot")
    obey(caller, after)
    caller("Sim.Revert", number)
    assert (caller.chain.head, caller.chain.state_at(caller.chain.head)) == (head, state)
    assert caller("MpoolPending", None) == pending


@settings(max_examples=10)
@given(ORDERS, st.integers(0, 3))
def test_the_same_seed_and_orders_make_the_same_chain(orders: list[tuple[str, Any]], seed: int) -> None:
    one, other = Caller(Options(seed=seed)), Caller(Options(seed=seed))
    obey(one, orders)
    obey(other, orders)
    assert one.chain.head.key == other.chain.head.key


def test_another_seed_makes_another_chain() -> None:
    assert Caller(Options(seed=1)).chain.head.key != Caller(Options(seed=2)).chain.head.key
