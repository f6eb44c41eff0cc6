"""What the execution of a tipset makes of the state before it: a new state, a receipt and events for each message.

    upgrades and cron of the epochs since the parent    implicit changes    messages in order

The state that a tipset's execution makes is read at its children: a read "at T" sees what T's parents made.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from immutables import Map

from node import cbor
from node.address import PROTOCOL_ACTOR, Address
from node.cid import Cid
from node.exit_codes import OK, OUT_OF_GAS
from node.message import Message, SignedMessage, block_cid, message_cid, signed_message_cid
from node.receipt import Receipt
from node.signature import BLS
from node.signing import address_of_key
from node.sim.actors.deal_lives import end_unstarted_deals
from node.sim.actors.table import HANDLERS
from node.sim.amt import events_root, list_root
from node.sim.blocks import Tipset
from node.sim.commd import sealed_cid
from node.sim.errors import ActorFailure, OutOfGas
from node.sim.event_bytes import stamped_event
from node.sim.gas import GasOutputs, Meter, gas_outputs, on_chain_gas
from node.sim.keys import account_key
from node.sim.machine import World, invoke
from node.sim.rules import FIRST_VERSION_WITHOUT_DATACAP, SEAL_PROOF, Rules
from node.sim.state import Miner, Sector, State, is_in_sector
from node.sim.traces import Emitted, Trace

_BURNT_FUNDS_ID = 99
_OPERATOR_ID = 90


@dataclass(frozen=True, slots=True)
class Executed:
    """A message and what became of it."""

    message: Message
    cid: Cid
    receipt: Receipt
    events: tuple[Emitted, ...]
    trace: Trace = field(repr=False)
    error: str = ""
    """The backtrace of a failure, as a node prints it."""
    outputs: GasOutputs = field(default_factory=GasOutputs)


@dataclass(frozen=True, slots=True)
class Execution:
    """What a tipset's execution made."""

    state: State
    state_root: Cid
    receipts_root: Cid
    executed: tuple[Executed, ...]


@dataclass(frozen=True, slots=True)
class Implicit:
    """A change that no message makes: an actor that a test names by its id comes to be, or a sector of it."""

    kind: str
    """"account", "storageminer" or "sector"."""
    actor_id: int
    sector: int = 0

    def to_list(self) -> list[object]:
        """What stands for it in the state's root."""
        return [self.kind, self.actor_id, self.sector]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and how a tipset is executed. `upgrades`: network version to the last epoch before it."""

    rules: Rules
    upgrades: dict[int, int]
    trusted: AbstractSet[Cid] = frozenset()
    seed: int = 0


def execute_tipset(
    tipset: Tipset,
    parent: Execution,
    *,
    parent_height: int,
    setting: Setting,
    implicit: Sequence[Implicit] = (),
) -> Execution:
    """What the tipset's messages make of the parents' state."""
    state = migrated(parent.state, range(parent_height, tipset.height), setting)
    world = World(state, tipset.height, setting.rules, HANDLERS)
    end_unstarted_deals(world, range(parent_height, tipset.height))
    for change in implicit:
        make_implicit(world, change, seed=setting.seed)
    state, executed = execute_messages(world.state, tipset, setting)
    receipts = list_root([receipt_item(one.receipt) for one in executed])
    root = _state_root(parent.state_root, tipset, receipts, state, implicit)
    return Execution(state, root, receipts, tuple(executed))


def _state_root(parent: Cid, tipset: Tipset, receipts: Cid, state: State, implicit: Sequence[Implicit]) -> Cid:
    """A CID for the state: it follows from the history that made it, not from its content."""
    history = [parent, tipset.height, receipts, [signed_message_cid(one) for one in tipset.messages], state.version]
    return block_cid(cbor.encode([*history, [change.to_list() for change in implicit]]))


def migrated(state: State, epochs: range, setting: Setting) -> State:
    """The state after the upgrades of those epochs."""
    for version, epoch in sorted(setting.upgrades.items()):
        if epoch in epochs and version > state.version:
            state = replace(state, version=version)
            if version >= FIRST_VERSION_WITHOUT_DATACAP and setting.rules.nv29_clears_registry:
                state = _without_registry(state)
    return state


def _without_registry(state: State) -> State:
    """The state with the registry emptied as FIP-0118 says: no notaries, no allocations, nobody's root key."""
    allocations = state.registry.allocations
    for allocation_id, _ in list(allocations.items()):
        allocations = allocations.remove(allocation_id)
    registry = replace(state.registry, root_id=_BURNT_FUNDS_ID, verifiers=Map(), allocations=allocations)
    return replace(state, registry=registry)


def execute_messages(state: State, tipset: Tipset, setting: Setting) -> tuple[State, list[Executed]]:
    """The state after the tipset's messages, and what became of each. One whose nonce is not due is passed over."""
    executed = []
    for signed in tipset.messages:
        sender = state.actor(signed.message.sender)
        if sender is None or sender.nonce != signed.message.nonce:
            continue
        state, one = execute_message(state, signed, tipset, setting)
        executed.append(one)
    return state, executed


def execute_message(state: State, signed: SignedMessage, tipset: Tipset, setting: Setting) -> tuple[State, Executed]:
    """The state after a message of a block, its fee included, and what became of the message."""
    message = signed.message
    size = len(message.to_bytes()) if signed.signature.kind == BLS else len(signed.to_bytes())
    world = World(state, tipset.height, setting.rules, HANDLERS, Meter(message.gas_limit))
    cid = signed_message_cid(signed)
    world.trusted = message_cid(message) in setting.trusted
    executed = run_message(world, message, cid=cid, carried_bytes=size)
    outputs = gas_outputs(
        used=executed.receipt.gas_used,
        limit=message.gas_limit,
        base_fee=tipset.base_fee,
        fee_cap=message.gas_fee_cap_attofil,
        premium=message.gas_premium_attofil,
    )
    _pay_fee(world, state.actor_id(message.sender) or 0, outputs, tipset)
    return world.state, replace(executed, outputs=outputs)


def _pay_fee(world: World, sender_id: int, outputs: GasOutputs, tipset: Tipset) -> None:
    """Takes the fee from the sender: what is burnt, and the tip for the first block's miner."""
    available = world.state.actors[sender_id].balance_attofil
    burnt = min(outputs.base_fee_burn + outputs.over_estimation_burn, available)
    world.move(sender_id, _BURNT_FUNDS_ID, burnt)
    miner_id = tipset.blocks[0].miner.actor_id or 0
    if miner_id in world.state.actors:
        world.move(sender_id, miner_id, min(outputs.miner_tip, available - burnt))


def run_message(world: World, message: Message, *, cid: Cid, carried_bytes: int | None) -> Executed:
    """Runs a message in a world; its nonce is used whatever becomes of it.

    `carried_bytes` is what it takes in a block, None for a dry run.
    """
    sender_id = world.state.actor_id(message.sender) or 0
    sender = world.state.actors[sender_id]
    world.origin, world.origin_nonce = sender.address or message.sender, message.nonce
    world.set_actor(sender_id, replace(sender, nonce=message.nonce + 1))
    limit = world.meter.limit
    trace = Trace(sender_id, message.to, message.value_attofil, message.method, message.params, limit or 0)
    before, error, code = world.state, "", OK
    try:
        if carried_bytes is not None:
            world.meter.charge(on_chain_gas(carried_bytes))
        trace.gas_limit = (limit or world.meter.used) - world.meter.used
        invoke(world, trace)
    except ActorFailure as failed:
        code, error = failed.exit_code, failed.backtrace()
    except OutOfGas:
        world.state, code = before, OUT_OF_GAS
        world.meter.used = limit or world.meter.used
        world.events.clear()
        trace.exit_code = OUT_OF_GAS
    events = tuple(world.events)
    root = events_root([stamped_event(event) for event in events]) if events else None
    receipt = Receipt(code, trace.return_value if code == OK else b"", world.meter.used, root)
    return Executed(message, cid, receipt, events, trace, error)


def receipt_item(receipt: Receipt) -> list[object]:
    """A receipt as the list of receipts has it."""
    return [receipt.exit_code, receipt.return_value, receipt.gas_used, receipt.events_root]


def make_implicit(world: World, change: Implicit, *, seed: int) -> None:
    """Makes what a test names: an account whose key is the chain's own, a miner, or a sector of one."""
    if change.kind == "sector":
        _make_sector(world, change)
    elif change.actor_id not in world.state.actors:
        add_actor_by_id(world, change.kind, change.actor_id, seed=seed)


def add_actor_by_id(world: World, kind: str, actor_id: int, *, seed: int) -> None:
    """Adds an actor whose address follows from the seed and its id; a miner's worker is the chain's own operator."""
    if kind == "account":
        world.add_actor(kind, address_of_key(account_key(seed, actor_id)), actor_id=actor_id)
        return
    payload = blake2b(f"{seed}/{kind}/{actor_id}".encode(), digest_size=20).digest()
    world.add_actor(kind, Address(PROTOCOL_ACTOR, payload), actor_id=actor_id)
    if kind == "storageminer":
        miners = world.state.miners.set(actor_id, Miner(_OPERATOR_ID, _OPERATOR_ID))
        world.state = replace(world.state, miners=miners)


def _make_sector(world: World, change: Implicit) -> None:
    """Adds a proven sector of before the chain began, with the deals and claims that the records say are in it."""
    state, miner_id = world.state, change.actor_id
    expiration_epoch = world.epoch + world.rules.sector_life_epochs
    sector = Sector(expiration_epoch, SEAL_PROOF, sealed_cid("sealed"), activation_epoch=world.epoch)
    sectors = state.sectors.get(miner_id, Map()).set(change.sector, sector)
    deals = tuple(at for at, deal in state.market.deals.of_owner(miner_id).items() if is_in_sector(deal, change.sector))
    held = state.market.sector_deals
    market = replace(state.market, sector_deals=held.set((miner_id, change.sector), deals) if deals else held)
    world.state = replace(state, sectors=state.sectors.set(miner_id, sectors), market=market)
