"""What a chain starts from: the built-in actors, accounts, miners, and the records of a real network if wanted.

The chain's own parts are the same in every chain:

    f080   root of the verified registry     f0101  its own notary
    f090   operator: worker of every miner   f01000 its first miner, the others follow
    f0100  faucet
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from immutables import Map

from node.actors.verifreg import StoredClaim
from node.address import Address
from node.market import Deal
from node.registry import Allocation, Claim
from node.signing import address_of_key
from node.sim.actors.table import HANDLERS
from node.sim.errors import BadGenesis
from node.sim.execution import add_actor_by_id
from node.sim.imports import Parties, TermedDeal, allocation_table, claim_table, deal_table
from node.sim.keys import Wallet, derived_key
from node.sim.machine import World
from node.sim.rules import Rules
from node.sim.state import (
    Actor,
    Miner,
    Registry,
    State,
    StoredAllocation,
    StoredDeal,
    Token,
    allocation_owner,
    claim_owner,
    deal_owner,
)
from node.sim.tables import PackedTable, table_over
from node.tokens import ATTOFIL_PER_FIL, TOKENS_PER_BYTE

ROOT_ID = 80
OPERATOR_ID = 90
FAUCET_ID = 100
NOTARY_ID = 101
FIRST_MINER_ID = 1000
_OWN_NAMES = {ROOT_ID: "root", OPERATOR_ID: "operator", FAUCET_ID: "faucet", NOTARY_ID: "notary"}
_MINERS = 4
_FIRST_FREE_ID = FIRST_MINER_ID + _MINERS
_ACCOUNT_ATTOFIL = 1_000_000 * ATTOFIL_PER_FIL
_FAUCET_ATTOFIL = 1_000_000_000 * ATTOFIL_PER_FIL
_MARKET_ID = 5
_REGISTRY_ID = 6
_SINGLETONS = {
    0: "system",
    1: "init",
    2: "reward",
    3: "cron",
    4: "storagepower",
    5: "storagemarket",
    6: "verifiedregistry",
    7: "datacap",
    10: "eam",
    99: "account",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisAccount:
    """An account that is there from the start."""

    actor_id: int
    address: Address
    balance_attofil: int = _ACCOUNT_ATTOFIL


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisMiner:
    """A miner that is there from the start. Owner and worker are accounts' ids."""

    actor_id: int
    owner_id: int = OPERATOR_ID
    worker_id: int = OPERATOR_ID
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The start of a chain. Accounts take the places of the chain's own where their ids are the same."""

    accounts: tuple[GenesisAccount, ...] = ()
    miners: tuple[GenesisMiner, ...] = tuple(GenesisMiner(actor_id=FIRST_MINER_ID + at) for at in range(_MINERS))
    claims: tuple[tuple[int, StoredClaim], ...] = ()
    deals: tuple[tuple[int, StoredDeal], ...] = ()
    network_version: int = 28
    next_actor_id: int = _FIRST_FREE_ID
    base_fee: int = 100


@dataclass(frozen=True, slots=True)
class Imported:
    """Records of a real network at an epoch, packed. Made by `import_records`."""

    epoch: int
    deals: PackedTable[StoredDeal]
    claims: PackedTable[StoredClaim]
    allocations: PackedTable[StoredAllocation]
    parties: Parties


def own_wallet(seed: int) -> Wallet:
    """The wallet with the keys of the chain's own accounts. The faucet is its default."""
    wallet = Wallet(seed)
    addresses = {actor_id: wallet.add(derived_key(seed, name)) for actor_id, name in _OWN_NAMES.items()}
    wallet.default = addresses[FAUCET_ID]
    return wallet


def own_accounts(seed: int) -> tuple[GenesisAccount, ...]:
    """The chain's own accounts."""
    addresses = {actor_id: address_of_key(derived_key(seed, name)) for actor_id, name in _OWN_NAMES.items()}
    accounts = (GenesisAccount(actor_id=actor_id, address=address) for actor_id, address in addresses.items())
    return tuple(
        replace(one, balance_attofil=_FAUCET_ATTOFIL) if one.actor_id == FAUCET_ID else one for one in accounts
    )


def genesis_state(genesis: Genesis, *, seed: int, rules: Rules) -> State:
    """The state before the first tipset; BadGenesis where miners' owners are missing or records overlap."""
    accounts = {one.actor_id: one for one in (*own_accounts(seed), *genesis.accounts)}
    actors = {actor_id: Actor(kind) for actor_id, kind in _SINGLETONS.items()}
    for actor_id, account in accounts.items():
        actors[actor_id] = Actor("account", account.address, account.balance_attofil)
    state = State(
        version=genesis.network_version,
        actors=Map(actors),
        ids=Map({account.address: actor_id for actor_id, account in accounts.items()}),
        next_actor_id=max(genesis.next_actor_id, *(actor_id + 1 for actor_id in accounts)),
        registry=Registry(ROOT_ID),
    )
    return _with_records(_with_miners(state, genesis, seed=seed, rules=rules), genesis)


def _with_miners(state: State, genesis: Genesis, *, seed: int, rules: Rules) -> State:
    world = World(state, 0, rules, HANDLERS)
    for miner in genesis.miners:
        if not {miner.owner_id, miner.worker_id} <= set(state.actors):
            raise BadGenesis(f"miner f0{miner.actor_id}: its owner or worker is no account of the genesis")
        add_actor_by_id(world, "storageminer", miner.actor_id, seed=seed)
        if miner.address is not None:
            _rename(world, miner.actor_id, miner.address)
        miners = world.state.miners.set(miner.actor_id, Miner(miner.owner_id, miner.worker_id))
        world.state = replace(world.state, miners=miners)
    return replace(world.state, next_actor_id=max(state.next_actor_id, genesis.next_actor_id))


def _rename(world: World, actor_id: int, address: Address) -> None:
    """Gives an actor another address."""
    actor = world.state.actors[actor_id]
    ids = world.state.ids if actor.address is None else world.state.ids.delete(actor.address)
    world.state = replace(world.state, ids=ids.set(address, actor_id))
    world.set_actor(actor_id, replace(actor, address=address))


def _with_records(state: State, genesis: Genesis) -> State:
    claims, deals = state.registry.claims, state.market.deals
    for claim_id, claim in genesis.claims:
        claims = claims.put(claim_id, claim)
    for deal_id, deal in genesis.deals:
        deals = deals.put(deal_id, deal)
    next_allocation = max((claim_id + 1 for claim_id, _ in genesis.claims), default=1)
    next_deal = max((deal_id + 1 for deal_id, _ in genesis.deals), default=0)
    return replace(
        state,
        registry=replace(state.registry, claims=claims, next_allocation_id=next_allocation),
        market=replace(state.market, deals=deals, next_deal_id=next_deal),
    )


def import_records(
    *,
    epoch: int,
    deals: Iterable[Deal | TermedDeal] = (),
    claims: Iterable[Claim] = (),
    allocations: Iterable[Allocation] = (),
) -> Imported:
    """Records to start a chain from, as of an epoch; deals with their terms where those are known."""
    parties = Parties()
    return Imported(
        epoch,
        deal_table(parties.watch(deals)),
        claim_table(parties.watch(claims)),
        allocation_table(parties.watch(allocations)),
        parties,
    )


def with_imported(state: State, imported: Imported, *, seed: int, rules: Rules) -> State:
    """The state with the records of a real network: their clients are accounts, their providers miners.

    Every key of theirs is the chain's own. The registry holds the DataCap of all allocations.
    """
    next_id = max(imported.claims.last_id, imported.allocations.last_id, 0) + 1
    tokens = imported.parties.allocated_bytes * TOKENS_PER_BYTE
    state = replace(
        state,
        registry=replace(
            state.registry,
            claims=table_over(imported.claims, claim_owner),
            allocations=table_over(imported.allocations, allocation_owner),
            next_allocation_id=next_id,
        ),
        market=replace(
            state.market,
            deals=table_over(imported.deals, deal_owner),
            next_deal_id=imported.deals.last_id + 1,
            escrow=Map(imported.parties.locked_attofil),
            locked=Map(imported.parties.locked_attofil),
        ),
        token=Token(tokens, Map({_REGISTRY_ID: tokens}) if tokens else Map()),
    )
    escrow = sum(imported.parties.locked_attofil.values())
    held = replace(state.actors[_MARKET_ID], balance_attofil=state.actors[_MARKET_ID].balance_attofil + escrow)
    state = replace(state, actors=state.actors.set(_MARKET_ID, held))
    return _with_parties(state, imported, seed=seed, rules=rules)


def _with_parties(state: State, imported: Imported, *, seed: int, rules: Rules) -> State:
    """The state with an actor for each client and provider that has none yet; a provider is a miner."""
    clients, providers = imported.parties.clients, imported.parties.providers
    world = World(state, imported.epoch, rules, HANDLERS)
    for actor_id in sorted(providers | clients):
        if actor_id not in world.state.actors:
            kind = "storageminer" if actor_id in providers else "account"
            add_actor_by_id(world, kind, actor_id, seed=seed)
    return world.state
