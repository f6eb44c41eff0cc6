"""Claims, deals and allocations as JSON objects. Pure."""

import base64
from typing import Any

from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord
from node.address import actor_address
from node.cid import cid_from_bytes
from node.label import label_text
from node.network import Network
from node.piece import piece_v1

Document = dict[str, Any]


def record_document(
    record: ClaimRecord | DealRecord | AllocationRecord, status: str | None, network: Network
) -> Document:
    """One claim, deal or allocation; `status` is None before the record says anything."""
    if isinstance(record, ClaimRecord):
        return {**_head(record, network), **_claim_fields(record), "status": status}
    if isinstance(record, DealRecord):
        return {**_head(record, network), **_deal_fields(record), "status": status}
    return {**_head(record, network), **_allocation_fields(record), "status": status}


def _head(record: ClaimRecord | DealRecord | AllocationRecord, network: Network) -> Document:
    return {
        "id": record.id,
        "client": _address(record.client_id, network),
        "provider": _address(record.provider_id, network),
        "piece_cid": _piece_text(record.piece, record.data_cid),
        "size_bytes": record.size_bytes,
    }


def _claim_fields(claim: ClaimRecord) -> Document:
    return {
        "term_start_epoch": claim.term_start_epoch,
        "term_min_epochs": claim.term_min_epochs,
        "term_max_epochs": claim.term_max_epochs,
        "expires_epoch": claim.expires_epoch,
        "sector": claim.sector,
    }


def _deal_fields(deal: DealRecord) -> Document:
    return {
        "label": label_text(deal.label),
        "label_base64": base64.b64encode(deal.label).decode(),
        "label_known": deal.label_known,
        "verified": deal.verified,
        "start_epoch": deal.start_epoch,
        "end_epoch": deal.end_epoch,
        "sector_start_epoch": deal.sector_start_epoch,
        "slash_epoch": deal.slash_epoch,
    }


def _allocation_fields(allocation: AllocationRecord) -> Document:
    return {
        "term_min_epochs": allocation.term_min_epochs,
        "term_max_epochs": allocation.term_max_epochs,
        "expiration_epoch": allocation.expiration_epoch,
    }


def _address(actor_id: int, network: Network) -> str:
    return actor_address(actor_id).to_text(network.address_prefix)


def _piece_text(piece: bytes | None, data_cid: bytes | None) -> str | None:
    """The piece CID, or whatever CID stands where one should."""
    if piece is not None:
        return piece_v1(piece).to_text()
    return cid_from_bytes(data_cid).to_text() if data_cid else None
