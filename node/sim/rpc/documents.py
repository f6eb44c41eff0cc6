"""Values of the state and traces as a node prints them, keys in a node's order."""

import binascii

from node.actors.market import DealProposal
from node.actors.verifreg import StoredClaim
from node.address import PROTOCOL_DELEGATED, actor_address
from node.cid import Cid
from node.message import block_cid, bytes_text, message_cid, message_document
from node.receipt import receipt_document
from node.sim.blocks import link
from node.sim.codes import code_of
from node.sim.execution import Executed
from node.sim.gas import GasOutputs
from node.sim.state import Actor, State, StoredAllocation, StoredDeal
from node.sim.traces import Trace

_CODEC_CBOR = 81


def claim_document(claim: StoredClaim) -> dict[str, object]:
    """A claim as StateGetClaims prints it."""
    return {
        "Provider": claim.provider_id,
        "Client": claim.client_id,
        "Data": link(claim.data),
        "Size": claim.size_bytes,
        "TermMin": claim.term_min_epochs,
        "TermMax": claim.term_max_epochs,
        "TermStart": claim.term_start_epoch,
        "Sector": claim.sector,
    }


def allocation_document(allocation: StoredAllocation) -> dict[str, object]:
    """An allocation as StateGetAllocations prints it."""
    return {
        "Client": allocation.client_id,
        "Provider": allocation.provider_id,
        "Data": link(allocation.data),
        "Size": allocation.size_bytes,
        "TermMin": allocation.term_min_epochs,
        "TermMax": allocation.term_max_epochs,
        "Expiration": allocation.expiration_epoch,
    }


def deal_document(deal: StoredDeal, prefix: str) -> dict[str, object]:
    """A deal as StateMarketDeals prints it. A label of bytes is printed as an empty text."""
    return {
        "Proposal": _proposal_document(deal.proposal, prefix),
        "State": {
            "SectorNumber": deal.sector,
            "SectorStartEpoch": deal.sector_start_epoch,
            "LastUpdatedEpoch": deal.last_updated_epoch,
            "SlashEpoch": deal.slash_epoch,
        },
    }


def _proposal_document(proposal: DealProposal, prefix: str) -> dict[str, object]:
    return {
        "PieceCID": link(proposal.piece_cid),
        "PieceSize": proposal.size_bytes,
        "VerifiedDeal": proposal.verified,
        "Client": proposal.client.to_text(prefix),
        "Provider": proposal.provider.to_text(prefix),
        "Label": proposal.label if isinstance(proposal.label, str) else "",
        "StartEpoch": proposal.start_epoch,
        "EndEpoch": proposal.end_epoch,
        "StoragePricePerEpoch": str(proposal.price_per_epoch_attofil),
        "ProviderCollateral": str(proposal.provider_collateral_attofil),
        "ClientCollateral": str(proposal.client_collateral_attofil),
    }


def actor_document(actor: Actor, version: int, prefix: str) -> dict[str, object]:
    """An actor's entry as StateGetActor prints it."""
    address = actor.address
    delegated = address if address is not None and address.protocol == PROTOCOL_DELEGATED else None
    return {
        "Code": link(code_of(actor.kind, version)),
        "Head": link(actor_head(actor)),
        "Nonce": actor.nonce,
        "Balance": str(actor.balance_attofil),
        "DelegatedAddress": None if delegated is None else delegated.to_text(prefix),
    }


def actor_head(actor: Actor) -> Cid:
    """The CID that stands for an actor's own state."""
    return block_cid(actor.kind.encode() + actor.head)


def part_cid(actor: Actor, name: str) -> Cid:
    """The CID that stands for a part of an actor's state: it changes with the whole."""
    return block_cid(name.encode() + actor.head)


def gas_cost_document(executed: Executed | None) -> dict[str, object]:
    """Who got what of a message's fee; all zero for a dry run."""
    outputs = GasOutputs() if executed is None else executed.outputs
    return {
        "Message": None if executed is None else link(message_cid(executed.message)),
        "GasUsed": str(0 if executed is None else executed.receipt.gas_used),
        "BaseFeeBurn": str(outputs.base_fee_burn),
        "OverEstimationBurn": str(outputs.over_estimation_burn),
        "MinerPenalty": str(outputs.miner_penalty),
        "MinerTip": str(outputs.miner_tip),
        "Refund": str(outputs.refund),
        "TotalCost": str(outputs.total_cost),
    }


def invocation_document(executed: Executed, state: State, *, dry: bool, prefix: str) -> dict[str, object]:
    """What StateCall and StateReplay answer."""
    return {
        "MsgCid": link(executed.cid),
        "Msg": message_document(executed.message, prefix=prefix),
        "MsgRct": receipt_document(executed.receipt),
        "GasCost": gas_cost_document(None if dry else executed),
        "ExecutionTrace": trace_document(executed.trace, state, prefix),
        "Error": executed.error,
        "Duration": executed.receipt.gas_used,
    }


def trace_document(trace: Trace, state: State, prefix: str) -> dict[str, object]:
    """A call and the calls within it. Its gas is told in one sum; no objects that it reads or writes are."""
    returned = trace.return_value if trace.exit_code == 0 else b""
    return {
        "Msg": {
            "From": actor_address(trace.caller_id).to_text(prefix),
            "To": trace.to.to_text(prefix),
            "Value": str(trace.value_attofil),
            "Method": trace.method,
            "Params": bytes_text(trace.params),
            "ParamsCodec": _CODEC_CBOR if trace.params else 0,
            "GasLimit": trace.gas_limit,
            "ReadOnly": trace.read_only,
        },
        "MsgRct": {
            "ExitCode": trace.exit_code,
            "Return": bytes_text(returned),
            "ReturnCodec": _CODEC_CBOR if returned else 0,
        },
        "InvokedActor": _invoked_document(trace, state, prefix),
        "GasCharges": [{"Name": "Call", "tg": trace.gas_used, "cg": trace.gas_used, "sg": 0, "tt": 0}],
        "Subcalls": [trace_document(one, state, prefix) for one in trace.subcalls] or None,
    }


def _invoked_document(trace: Trace, state: State, prefix: str) -> dict[str, object] | None:
    actor = None if trace.invoked_id is None else state.actors.get(trace.invoked_id)
    if actor is None:
        return None
    return {"Id": trace.invoked_id, "State": actor_document(actor, state.version, prefix)}


def base64_text(raw: bytes) -> str:
    """Bytes in base64, an empty text for none."""
    return binascii.b2a_base64(raw, newline=False).decode("ascii")
