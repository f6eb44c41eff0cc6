"""Dry runs: what a message would do, as StateCall and the gas estimates ask."""

from dataclasses import replace

from node.exit_codes import OK, exit_code_text
from node.message import Message, message_cid
from node.sim.actors.table import HANDLERS
from node.sim.blocks import Tipset
from node.sim.errors import EXECUTION_REVERTED, RpcFault, failure
from node.sim.execution import Executed, execute_messages, run_message
from node.sim.gas import Meter, estimated_limit, fee_cap_over, on_chain_gas
from node.sim.machine import World
from node.sim.rpc.methods import Node
from node.sim.state import State
from node.tokens import ATTOFIL_PER_FIL

DRY_GAS_LIMIT = 4611686018427387903
DEFAULT_MAX_FEE_ATTOFIL = 7 * ATTOFIL_PER_FIL // 100
USUAL_PREMIUM = 100_000
_SIGNATURE_BYTES = 69
_FEE_CAP_BLOCKS = 20
_DRY_TRACE_GAS = 9223372036854776


def dry_run(node: Node, message: Message, tipset: Tipset) -> Executed:
    """What the message would do on what is read at a tipset. RpcFault where its sender does not exist."""
    state = node.chain.state_at(tipset)
    epoch = 1 if tipset.height == 0 else node.chain.store.parent(tipset).height + 1
    executed = _run(node, message, state, epoch)
    executed.trace.gas_limit = _DRY_TRACE_GAS
    return executed


def _run(node: Node, message: Message, state: State, epoch: int) -> Executed:
    sender = state.actor(message.sender)
    if sender is None:
        raise failure(f"sender {node.text(message.sender)} not found on chain: sender validation failed")
    shown = replace(message, nonce=sender.nonce, gas_limit=DRY_GAS_LIMIT, gas_fee_cap_attofil=0, gas_premium_attofil=0)
    world = World(state, epoch, node.chain.options.rules, HANDLERS, Meter())
    return run_message(world, shown, cid=message_cid(shown), carried_bytes=None)


def estimate_gas(node: Node, message: Message, tipset: Tipset) -> int:
    """The gas that the message would use after those of the tipset and those pending of its sender.

    RpcFault code 3 where it would fail, with the exit code and the actors' own words.
    """
    chain = node.chain
    # No upgrade is run here: a node estimates on the old actors until a tipset after the upgrade is executed.
    state, _ = execute_messages(chain.state_at(tipset), tipset, chain.store.setting)
    sender_id = state.actor_id(message.sender)
    if sender_id is None or sender_id not in state.actors:
        text = f"sender {node.text(message.sender)} not found on chain: sender validation failed"
        raise failure(f"gas estimation failed: CallWithGas failed: {text}")
    world = World(state, tipset.height + 1, chain.options.rules, HANDLERS, Meter())
    for prior in chain.mempool.chain_of(sender_id, state.actors[sender_id].nonce):
        world.events.clear()
        run_message(world, prior.message, cid=message_cid(prior.message), carried_bytes=None)
    executed = _run(node, message, world.state, tipset.height + 1)
    if executed.receipt.exit_code != OK:
        code = exit_code_text(executed.receipt.exit_code)
        text = f"message execution failed (exit=[{code}], vm error=[{executed.error}])"
        raise RpcFault(EXECUTION_REVERTED, text, data="0x")
    return executed.receipt.gas_used + on_chain_gas(len(message.to_bytes()) + _SIGNATURE_BYTES)


def fee_cap(node: Node, premium: int) -> int:
    """The fee cap that a node recommends: the base fee after twenty full blocks, and the premium."""
    return fee_cap_over(node.chain.head.base_fee, _FEE_CAP_BLOCKS) + premium


def estimated(node: Node, message: Message, tipset: Tipset, *, max_fee: int) -> Message:
    """The message with the gas fields that a node recommends, where they are not given."""
    limit = message.gas_limit or estimated_limit(estimate_gas(node, message, tipset))
    premium = message.gas_premium_attofil or USUAL_PREMIUM
    cap = message.gas_fee_cap_attofil or fee_cap(node, premium)
    most = (max_fee or DEFAULT_MAX_FEE_ATTOFIL) // limit
    cap = min(cap, most)
    return replace(message, gas_limit=limit, gas_fee_cap_attofil=cap, gas_premium_attofil=min(premium, cap))
