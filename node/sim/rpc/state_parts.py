"""An actor's own state as StateReadState prints it. What a node links to (maps and arrays) is a link here too: to a
CID that changes with the state, behind which there is nothing to read."""

from collections.abc import Callable

from node.address import actor_address
from node.sim.blocks import link
from node.sim.rpc.documents import part_cid
from node.sim.rpc.methods import Node
from node.sim.state import Actor, State


def _links(actor: Actor, *names: str) -> dict[str, object]:
    return {name: link(part_cid(actor, name)) for name in names}


def _registry(node: Node, state: State, _actor_id: int, actor: Actor) -> dict[str, object]:
    registry = state.registry
    return {
        "RootKey": node.text(actor_address(registry.root_id)),
        **_links(actor, "Verifiers", "RemoveDataCapProposalIDs", "Allocations"),
        "NextAllocationId": registry.next_allocation_id,
        **_links(actor, "Claims"),
    }


def _datacap(node: Node, state: State, _actor_id: int, actor: Actor) -> dict[str, object]:
    return {
        "Governor": node.text(actor_address(6)),
        "Token": {"Supply": str(state.token.supply), **_links(actor, "Balances", "Allowances"), "HamtBitWidth": 3},
    }


def _market(_node: Node, state: State, _actor_id: int, actor: Actor) -> dict[str, object]:
    return {
        **_links(actor, "Proposals", "States", "PendingProposals", "EscrowTable", "LockedTable"),
        "NextID": state.market.next_deal_id,
        **_links(actor, "DealOpsByEpoch"),
        "LastCron": 0,
        "TotalClientLockedCollateral": "0",
        "TotalProviderLockedCollateral": "0",
        "TotalClientStorageFee": "0",
        **_links(actor, "PendingDealAllocationIds", "ProviderSectors"),
    }


def _account(node: Node, _state: State, actor_id: int, actor: Actor) -> dict[str, object]:
    return {"Address": node.text(actor.address or actor_address(actor_id))}


def _multisig(node: Node, state: State, actor_id: int, actor: Actor) -> dict[str, object]:
    account = state.multisigs[actor_id]
    return {
        "Signers": [node.text(actor_address(signer)) for signer in account.signers],
        "NumApprovalsThreshold": account.threshold,
        "NextTxnID": account.next_transaction_id,
        "InitialBalance": str(account.initial_balance_attofil),
        "StartEpoch": account.start_epoch,
        "UnlockDuration": account.unlock_duration_epochs,
        **_links(actor, "PendingTxns"),
    }


def _miner(_node: Node, _state: State, _actor_id: int, actor: Actor) -> dict[str, object]:
    return {
        **_links(actor, "Info"),
        "PreCommitDeposits": "0",
        "LockedFunds": "0",
        "VestingFunds": {"Head": {"Epoch": 0, "Amount": "0"}, **_links(actor, "Tail")},
        "FeeDebt": "0",
        "InitialPledge": "0",
        **_links(actor, "PreCommittedSectors", "PreCommittedSectorsCleanUp", "AllocatedSectors", "Sectors"),
        "ProvingPeriodStart": 0,
        "CurrentDeadline": 0,
        **_links(actor, "Deadlines"),
        "EarlyTerminations": [0],
        "DeadlineCronActive": True,
    }


_PARTS: dict[str, Callable[[Node, State, int, Actor], dict[str, object]]] = {
    "account": _account,
    "datacap": _datacap,
    "multisig": _multisig,
    "storagemarket": _market,
    "storageminer": _miner,
    "verifiedregistry": _registry,
}


def state_document(node: Node, state: State, actor_id: int, actor: Actor) -> dict[str, object] | None:
    """An actor's own state; None for one whose state says nothing here."""
    part = _PARTS.get(actor.kind)
    return None if part is None else part(node, state, actor_id, actor)
